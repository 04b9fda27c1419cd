"""wtpy's backtest of a high-frequency strategy, tick by tick: WonderTrader's native replayer and matching, the strategy in
Python. The ticks come through the extended data loader, one array of the native structure a day.

    pip install --no-deps wtpy chardet numpy pandas python-dateutil pytz pyyaml && python timed_wtpy.py FOLDER
"""

import json
import os
import tempfile
from itertools import groupby
from pathlib import Path

import ticks as common
from wtpy import BaseHftStrategy, EngineType, WtBtEngine
from wtpy.ExtModuleDefs import BaseExtDataLoader
from wtpy.WtCoreDefs import WTSTickStruct

place = None
CODE = "CFFEX.IF.2101"
# What WonderTrader must know of the contract, in the form of its own files.
BASE = {
    "commodities": {"CFFEX": {"IF": {
        "covermode": 0, "pricemode": 0, "category": 1, "precision": 1, "pricetick": common.TICK_SIZE,
        "volscale": common.MULTIPLIER, "name": "IF", "exchg": "CFFEX", "session": "FD0930", "holiday": "CHINA",
    }}},
    "contracts": {"CFFEX": {"IF2101": {
        "name": "IF2101", "code": "IF2101", "exchg": "CFFEX", "product": "IF", "maxlimitqty": 20, "maxmarketqty": 10,
    }}},
    "sessions": {"FD0930": {
        "name": "FD0930", "offset": 0, "auction": {"from": 929, "to": 930},
        "sections": [{"from": 930, "to": 1130}, {"from": 1300, "to": 1500}],
    }},
    "holidays": {"CHINA": []},
    "hots": {},
    "fees": {"CFFEX.IF": {"open": 0.000023, "close": 0.000023, "closetoday": 0.000023, "byvolume": False}},
}  # fmt: skip
LOG = {
    name: {"level": "error", "async": False, "sinks": [{"type": "basic_file_sink", "filename": name, "truncate": True}]}
    for name in ("root", "dyn_pattern")
}


class Recorded(BaseExtDataLoader):
    """Gives a day's ticks as they lie in memory."""

    def __init__(self, days):
        self.days = days

    def load_his_ticks(self, stdCode, uDate, feeder):
        day = self.days.get(uDate)
        if day is None:
            return False
        feeder(day, len(day))
        return True


class EmaCross(BaseHftStrategy):
    """Closes, then opens, with orders that reach over the other side's best price; nothing while one is on its way."""

    def __init__(self, cross, clock_to_ns):
        super().__init__("ema_cross")
        self.cross, self.ns = cross, clock_to_ns
        self.held = self.working = self.orders = self.fills = 0

    def on_init(self, context):
        context.stra_sub_ticks(CODE)

    def on_tick(self, context, stdCode, newTick):
        wanted = self.cross.wanted(self.ns[newTick["action_date"], newTick["action_time"]], newTick["price"])
        if wanted == self.held or self.working or not wanted:
            return
        lots = abs(wanted - self.held)
        self.working += lots
        self.orders += lots
        for _ in range(lots):
            if wanted > 0:
                context.stra_buy(CODE, newTick["ask_price_0"] + common.COLLAR, 1)
            else:
                context.stra_sell(CODE, newTick["bid_price_0"] - common.COLLAR, 1)

    def on_trade(self, context, localid, stdCode, isBuy, qty, price, userTag):
        self.held += 1 if isBuy else -1
        self.working -= 1
        self.fills += 1


def native(ticks):
    """A day in the package's own form."""
    day = (WTSTickStruct * len(ticks))()
    for row, tick in zip(day, ticks):
        row.exchg, row.code = b"CFFEX", b"IF2101"
        row.price, row.open, row.high, row.low = tick.last, tick.open, tick.high, tick.low
        row.upper_limit, row.lower_limit = tick.upper, tick.lower
        row.total_volume, row.total_turnover, row.open_interest = tick.volume, tick.turnover, tick.open_interest
        row.trading_date, row.action_date, row.action_time = tick.day, tick.date, tick.clock
        row.pre_close, row.pre_settle, row.pre_interest = tick.pre_close, tick.pre_settle, tick.pre_interest
        row.bid_price_0, row.ask_price_0 = tick.bid, tick.ask
        row.bid_qty_0, row.ask_qty_0 = tick.bid_lots, tick.ask_lots
    return day


def engine(place, ticks):
    """The one engine that a process may have, in a directory of its own for what it writes."""
    os.chdir(place)
    for name, content in BASE.items():
        Path(f"{name}.json").write_text(json.dumps(content))
    made = WtBtEngine(EngineType.ET_HFT, logCfg=json.dumps(LOG), isFile=False)
    files = {"session": "sessions", "commodity": "commodities", "contract": "contracts", "holiday": "holidays", "hot": "hots"}
    replayer = {"basefiles": {key: f"{name}.json" for key, name in files.items()}, "fees": "fees.json", "tick": True}
    replayer |= {"mode": "csv", "store": {"path": "./"}}
    made.init_with_config("./", {"replayer": replayer, "env": {"mocker": "hft"}})
    made.configBacktest(ticks[0].date * 10_000 + 900, ticks[-1].date * 10_000 + 1515)
    made.set_extended_data_loader(Recorded({day: native(list(rows)) for day, rows in groupby(ticks, lambda t: t.day)}), False)
    made.commitBTConfig()
    return made


made = []


def prepare(ticks, cross):
    if not made:
        made.append(engine(place, ticks))
    strategy = EmaCross(cross, {(tick.date, tick.clock): tick.ns for tick in ticks})
    made[0].set_hft_strategy(strategy)
    made[0].clear_cache()
    return lambda: made[0].run_backtest(bNeedDump=False), lambda: (strategy.orders, strategy.fills)


with tempfile.TemporaryDirectory() as place:
    common.main("wtpy", prepare)
