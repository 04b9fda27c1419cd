//! The books for people and programs: positions, live orders and funds as the order stage's ledger has them.

use crate::console::exact;
use serde::Serialize;
use shrike_core::codes::Side;
use shrike_core::instrument::InstrumentId;
use shrike_core::ledger::{Funds, Ledger};
use shrike_core::units::{Lots, Money, Price, TradingDay};
use std::fmt;

/// What a ledger holds.
#[derive(Clone, Debug, Serialize)]
pub struct Books {
    /// The trading day; absent before the first login.
    #[serde(serialize_with = "exact")]
    pub trading_day: TradingDay,
    /// Contracts that are held, worked, or were traded today.
    pub positions: Vec<PositionRow>,
    /// Orders that may still trade.
    pub orders: Vec<OrderRow>,
    /// The account's money.
    pub funds: FundsRow,
    /// Fills booked, over all days.
    pub fills: u64,
    /// Facts that could not be booked, over all days.
    pub ignored: u64,
}

/// One contract.
#[derive(Clone, Debug, Serialize)]
pub struct PositionRow {
    /// Its symbol.
    pub symbol: String,
    /// Long lots of today and of earlier days.
    #[serde(serialize_with = "pair")]
    pub long: (Lots, Lots),
    /// Short lots of today and of earlier days.
    #[serde(serialize_with = "pair")]
    pub short: (Lots, Lots),
    /// Long less short.
    #[serde(serialize_with = "exact")]
    pub net: Lots,
    /// What profit is marked at.
    #[serde(serialize_with = "exact")]
    pub mark: Price,
    /// Result of lots closed today.
    #[serde(serialize_with = "exact")]
    pub close_profit: Money,
    /// Result of lots held.
    #[serde(serialize_with = "exact")]
    pub position_profit: Money,
    /// Fees of today.
    #[serde(serialize_with = "exact")]
    pub commission: Money,
    /// Margin of lots held.
    #[serde(serialize_with = "exact")]
    pub margin: Money,
}

/// One live order.
#[derive(Clone, Debug, Serialize)]
pub struct OrderRow {
    /// Our number; zero when it has none.
    pub order_ref: u64,
    /// Its contract's symbol.
    pub symbol: String,
    /// Whose it is.
    pub strategy: u32,
    /// Where it stands.
    pub state: &'static str,
    /// Its side.
    pub side: &'static str,
    /// Its offset.
    pub offset: &'static str,
    /// Its price.
    #[serde(serialize_with = "exact")]
    pub price: Price,
    /// Lots ordered.
    #[serde(serialize_with = "exact")]
    pub lots: Lots,
    /// Lots filled.
    #[serde(serialize_with = "exact")]
    pub filled: Lots,
    /// Not sent by this home.
    pub wild: bool,
}

/// The account's money; null is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct FundsRow {
    /// Balance at the start of the trading day.
    #[serde(serialize_with = "exact")]
    pub pre_balance: Money,
    /// Result of lots closed today.
    #[serde(serialize_with = "exact")]
    pub close_profit: Money,
    /// Result of lots held.
    #[serde(serialize_with = "exact")]
    pub position_profit: Money,
    /// Fees of the day.
    #[serde(serialize_with = "exact")]
    pub commission: Money,
    /// Margin of lots held.
    #[serde(serialize_with = "exact")]
    pub margin: Money,
    /// Margin and fees bound by live orders.
    #[serde(serialize_with = "exact")]
    pub frozen: Money,
    /// Balance with the day's results and fees.
    #[serde(serialize_with = "exact")]
    pub equity: Money,
    /// What new positions may use.
    #[serde(serialize_with = "exact")]
    pub available: Money,
}

impl From<Funds> for FundsRow {
    fn from(funds: Funds) -> Self {
        let Funds { pre_balance, close_profit, position_profit, commission, margin, frozen, equity, available } = funds;
        Self { pre_balance, close_profit, position_profit, commission, margin, frozen, equity, available }
    }
}

fn pair<S: serde::Serializer>(lots: &(Lots, Lots), serializer: S) -> Result<S::Ok, S::Error> {
    [lots.0.get(), lots.1.get()].serialize(serializer)
}

impl Books {
    /// The books of a ledger.
    pub fn of(ledger: &Ledger) -> Self {
        let symbol = |id: InstrumentId| {
            ledger.instruments().get(id).map_or_else(|| id.to_string(), |def| def.symbol.to_string())
        };
        let of_interest = ledger.positions().filter(|(_, book)| {
            !book.is_flat() || book.close_profit() != Money::ZERO || book.commission() != Money::ZERO
        });
        let position = |(id, book): (_, &shrike_core::ledger::Position)| PositionRow {
            symbol: symbol(id),
            long: book.held(Side::Buy),
            short: book.held(Side::Sell),
            net: book.net(),
            mark: book.mark(),
            close_profit: book.close_profit(),
            position_profit: book.position_profit(),
            commission: book.commission(),
            margin: book.margin(),
        };
        let order = |order: &shrike_core::ledger::Order| OrderRow {
            order_ref: order.order_ref,
            symbol: symbol(order.instrument),
            strategy: order.strategy,
            state: order.state.name(),
            side: order.side.name(),
            offset: order.offset.name(),
            price: order.price,
            lots: order.lots,
            filled: order.filled,
            wild: order.wild,
        };
        Self {
            trading_day: ledger.trading_day(),
            positions: of_interest.map(position).collect(),
            orders: ledger.live_orders().map(|(_, row)| order(row)).collect(),
            funds: ledger.funds().into(),
            fills: ledger.fill_count(),
            ignored: ledger.ignored_count(),
        }
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "trading day {}, {} fills booked, {} facts not booked",
            self.trading_day, self.fills, self.ignored
        )?;
        if self.positions.is_empty() {
            writeln!(f, "positions: none")?;
        } else {
            let heading = "positions    long today  earlier short today  earlier     net        mark";
            writeln!(f, "{heading}         closed           held     commission         margin")?;
        }
        for row in &self.positions {
            write!(f, "  {:<12}{:>9}{:>9}", row.symbol, row.long.0, row.long.1)?;
            write!(f, "{:>12}{:>9}{:>8}{:>12}", row.short.0, row.short.1, row.net, row.mark.to_string())?;
            write!(f, "{:>15.2}{:>15.2}", row.close_profit, row.position_profit)?;
            writeln!(f, "{:>15.2}{:>15.2}", row.commission, row.margin)?;
        }
        if self.orders.is_empty() {
            writeln!(f, "live orders: none")?;
        } else {
            writeln!(f, "live orders  number  contract    strategy  state           what")?;
        }
        for row in &self.orders {
            write!(f, "  {:>17}  {:<12}{:>8}  {:<14}", row.order_ref, row.symbol, row.strategy, row.state)?;
            write!(f, "  {} {} {} of {} @ {}", row.side, row.offset, row.filled, row.lots, row.price)?;
            writeln!(f, "{}", if row.wild { " (not ours)" } else { "" })?;
        }
        write!(f, "{}", self.funds)
    }
}

impl fmt::Display for FundsRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "funds  pre-balance {:.2}, equity {:.2}, available {:.2}",
            self.pre_balance, self.equity, self.available
        )?;
        write!(f, "       closed {:.2}, held {:.2}, ", self.close_profit, self.position_profit)?;
        writeln!(f, "commission {:.2}, margin {:.2}, frozen {:.2}", self.commission, self.margin, self.frozen)
    }
}
