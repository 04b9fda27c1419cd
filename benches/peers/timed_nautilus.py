"""nautilus_trader's BacktestEngine over quotes: one QuoteTick a snapshot; last prices, which a quote does not have, lie in a
list beside them.

    pip install nautilus_trader==1.221.0 && python timed_nautilus.py FOLDER
"""

from decimal import Decimal

import ticks as common
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import CNY
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, AssetClass, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import FuturesContract
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

ID = InstrumentId(Symbol("IF2101"), Venue("CFFEX"))
CONTRACT = FuturesContract(
    instrument_id=ID, raw_symbol=ID.symbol, asset_class=AssetClass.INDEX, currency=CNY, price_precision=1,
    price_increment=Price.from_str("0.2"), multiplier=Quantity.from_int(common.MULTIPLIER),
    lot_size=Quantity.from_int(1), underlying="000300", activation_ns=0, expiration_ns=2**62, ts_event=0, ts_init=0,
    margin_init=Decimal("0.12"), margin_maint=Decimal("0.12"), taker_fee=Decimal("0.000023"),
)  # fmt: skip
LOT = Quantity.from_int(1)


class EmaCross(Strategy):
    """Closes, then opens, at the market."""

    def __init__(self, cross, lasts):
        super().__init__()
        self.cross, self.lasts = cross, iter(lasts)
        self.held = self.working = self.orders = self.fills = 0

    def on_start(self):
        self.subscribe_quote_ticks(ID)

    def on_quote_tick(self, tick):
        wanted = self.cross.wanted(tick.ts_event, next(self.lasts))
        if wanted == self.held or self.working or not wanted:
            return
        side = OrderSide.BUY if wanted > 0 else OrderSide.SELL
        lots = abs(wanted - self.held)
        self.orders += lots
        self.working += lots
        for _ in range(lots):
            self.submit_order(self.order_factory.market(ID, side, LOT))

    def on_order_filled(self, event):
        self.held += 1 if event.is_buy else -1
        self.working -= 1
        self.fills += 1


def quote(tick):
    """The package's own tick."""
    return QuoteTick(
        ID, Price(tick.bid, 1), Price(tick.ask, 1), Quantity(tick.bid_lots, 0), Quantity(tick.ask_lots, 0), tick.ns, tick.ns
    )


made = []


def prepare(ticks, cross):
    made.extend(quote(tick) for tick in ticks if not len(made) >= len(ticks))
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    engine.add_venue(ID.venue, OmsType.NETTING, AccountType.MARGIN, [Money(10_000_000, CNY)], base_currency=CNY)
    engine.add_instrument(CONTRACT)
    engine.add_data(made)
    strategy = EmaCross(cross, [tick.last for tick in ticks])
    engine.add_strategy(strategy)
    return engine.run, lambda: (strategy.orders, strategy.fills)


common.main("nautilus_trader", prepare)
