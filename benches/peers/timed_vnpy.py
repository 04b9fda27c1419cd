"""vnpy's own backtest of CTA strategies, tick by tick: vnpy_ctastrategy's BacktestingEngine, without database or window.

    pip install vnpy_ctastrategy && python timed_vnpy.py FOLDER
"""

import ticks as common
from vnpy.trader.constant import Exchange, Interval
from vnpy.trader.object import TickData
from vnpy_ctastrategy import CtaTemplate
from vnpy_ctastrategy.backtesting import BacktestingEngine
from vnpy_ctastrategy.base import BacktestingMode


class EmaCross(CtaTemplate):
    """Closes, then opens, with orders that reach over the other side's best price; nothing while one is on its way."""

    parameters = ["cross"]

    def on_init(self):
        self.working = 0

    def on_start(self):
        self.working = 0

    def on_stop(self):
        pass

    def on_tick(self, tick):
        wanted = self.cross.wanted(tick.ns, tick.last_price)
        if wanted == self.pos or self.working or not wanted:
            return
        if wanted > 0:
            price = tick.ask_price_1 + common.COLLAR
            self.working += len(self.cover(price, 1)) if self.pos < 0 else 0
            self.working += len(self.buy(price, 1))
        else:
            price = tick.bid_price_1 - common.COLLAR
            self.working += len(self.sell(price, 1)) if self.pos > 0 else 0
            self.working += len(self.short(price, 1))

    def on_trade(self, trade):
        self.working -= 1


def history(ticks):
    """The package's own ticks."""
    made = []
    for tick in ticks:
        row = TickData(
            gateway_name="recorded", symbol="IF2101", exchange=Exchange.CFFEX, datetime=tick.time(),
            volume=tick.volume, turnover=tick.turnover, open_interest=tick.open_interest, last_price=tick.last,
            limit_up=tick.upper, limit_down=tick.lower, open_price=tick.open, high_price=tick.high,
            low_price=tick.low, pre_close=tick.pre_close, bid_price_1=tick.bid, bid_volume_1=tick.bid_lots,
            ask_price_1=tick.ask, ask_volume_1=tick.ask_lots,
        )  # fmt: skip
        row.ns = tick.ns
        made.append(row)
    return made


made = []


def prepare(ticks, cross):
    made.extend(history(ticks) if not made else [])
    engine = BacktestingEngine()
    engine.output = lambda message: None
    engine.set_parameters(
        vt_symbol="IF2101.CFFEX", interval=Interval.MINUTE, start=ticks[0].time().replace(tzinfo=None), rate=0.000023,
        slippage=0, size=common.MULTIPLIER, pricetick=common.TICK_SIZE, capital=10_000_000,
        end=ticks[-1].time().replace(tzinfo=None), mode=BacktestingMode.TICK,
    )  # fmt: skip
    engine.add_strategy(EmaCross, {"cross": cross})
    engine.history_data = made
    return engine.run_backtesting, lambda: (engine.limit_order_count, engine.trade_count)


common.main("vnpy_ctastrategy", prepare)
