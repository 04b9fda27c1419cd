//! Queries: their flow control, and the answers out of the exchange's books. An answer without a line is one callback with
//! nothing in it.

use super::wire::{Ask, QueryKind};
use super::{Conn, Front, errors};
use crate::ctp::callback::{
    Callback, CommissionFacts, FundsFacts, InstrumentFacts, MarginFacts, OptionCostFacts, PositionFacts, Symbol, What,
};
use crate::sim::exchange::Exchange;
use shrike_core::codes::{Exchange as Place, ProductClass};
use shrike_core::event::{InstrumentDef, Rates};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Money, Nanos, Text, TradingDay};

impl Front {
    pub(super) fn query(&mut self, conn: Conn, request: i32, ask: &Ask, exchange: &Exchange) {
        if !self.takes_query(conn) {
            return self.answer(conn, request, errors::QUERY_NOT_READY, What::Failed);
        }
        if !self.is_in(conn) {
            return self.answer(conn, request, errors::NOT_LOGGED_IN, nothing(ask.kind));
        }
        let lines = self.lines(ask, exchange);
        if lines.is_empty() {
            return self.answer(conn, request, 0, nothing(ask.kind));
        }
        let is_cut = self.sessions.get(&conn).is_some_and(|session| session.cut);
        let (last, told) = (lines.len() - 1, if is_cut { lines.len() / 2 } else { lines.len() });
        self.each(&[conn], |session| session.cut = false);
        for (index, what) in lines.into_iter().enumerate().take(told) {
            self.tell(conn, Callback { request_id: request, is_last: index == last, what, ..Callback::default() });
        }
        self.each(&[conn], |session| session.cut = is_cut);
    }

    /// Counts a query; false when this second has had its number.
    fn takes_query(&mut self, conn: Conn) -> bool {
        let (limit, second) = (self.options.queries_per_second, self.real_ns / Nanos::PER_SECOND);
        let Some(session) = self.sessions.get_mut(&conn) else { return false };
        if session.queries.0 != second {
            session.queries = (second, 0);
        }
        session.queries.1 += 1;
        limit == 0 || self.options.limit_in_library || session.queries.1 <= limit
    }

    fn lines(&self, ask: &Ask, exchange: &Exchange) -> Vec<What> {
        let listed = |id: InstrumentId| self.contracts.get(id.index())?.as_ref().map(|listed| &listed.def);
        let wanted = |id: InstrumentId| {
            let fits = |def: &&InstrumentDef| {
                (ask.symbol.is_empty() || ask.symbol.as_bytes() == def.symbol.as_bytes())
                    && ask.exchange.is_none_or(|place| def.exchange() == Some(place))
            };
            listed(id).filter(fits)
        };
        let by_name = || match (ask.symbol.is_empty(), self.by_symbol.get(ask.symbol.as_bytes())) {
            (false, Some(&id)) => vec![id],
            (false, None) => Vec::new(),
            // Without a name the rates are those of what is held.
            (true, _) => {
                let mut held: Vec<InstrumentId> = exchange.position_lines().map(|line| line.instrument).collect();
                held.dedup();
                held
            }
        };
        // Futures and options are asked about in different words.
        let rates = |class: ProductClass| {
            let known = by_name().into_iter().filter_map(|id| Some((wanted(id)?, exchange.rates(id)?)));
            known.filter(move |(def, _)| def.class() == Some(class))
        };
        match ask.kind {
            QueryKind::Instruments => {
                let defs = self.contracts.iter().flatten().filter_map(|listed| wanted(listed.def.instrument));
                defs.map(|def| What::Instrument(Some(instrument(def, exchange.rates(def.instrument))))).collect()
            }
            QueryKind::Orders => {
                let orders = exchange.orders().filter(|order| wanted(order.instrument).is_some());
                orders.map(|order| What::OrderLine(Some(self.order_facts(&order)))).collect()
            }
            QueryKind::Trades => {
                let fills = exchange.fills().iter().filter(|fill| wanted(fill.instrument).is_some());
                fills.map(|fill| What::TradeLine(Some(self.trade_facts(fill)))).collect()
            }
            QueryKind::Positions => {
                let lines = exchange.position_lines().filter_map(|line| Some((wanted(line.instrument)?, line)));
                let position = |(def, line): (&InstrumentDef, crate::sim::exchange::PositionLine)| PositionFacts {
                    symbol: symbol(def),
                    exchange: def.exchange(),
                    side: Some(line.side),
                    is_history: line.is_history,
                    lots: line.lots,
                    today: line.today,
                    at_open: line.at_open,
                    frozen: line.frozen,
                    margin: line.margin,
                    open_cost: line.cost,
                    position_cost: line.cost,
                    pre_settlement: line.pre_settlement,
                };
                lines.map(|line| What::PositionLine(Some(position(line)))).collect()
            }
            QueryKind::Funds => vec![What::Funds(Some(funds(exchange)))],
            QueryKind::Margin => {
                rates(ProductClass::Future).map(|(def, rates)| What::MarginRate(Some(margin(def, rates)))).collect()
            }
            QueryKind::Commission => {
                let rates = rates(ProductClass::Future);
                rates.map(|(def, rates)| What::CommissionRate(Some(commission(def, rates)))).collect()
            }
            QueryKind::OptionCost => {
                let rates = rates(ProductClass::Option);
                rates.map(|(def, rates)| What::OptionCost(Some(option_cost(def, rates)))).collect()
            }
            QueryKind::OptionCommission => {
                let rates = rates(ProductClass::Option);
                rates.map(|(def, rates)| What::OptionCommission(Some(commission(def, rates)))).collect()
            }
        }
    }
}

/// The callback of an answer that has no line.
const fn nothing(kind: QueryKind) -> What {
    match kind {
        QueryKind::Instruments => What::Instrument(None),
        QueryKind::Orders => What::OrderLine(None),
        QueryKind::Trades => What::TradeLine(None),
        QueryKind::Positions => What::PositionLine(None),
        QueryKind::Funds => What::Funds(None),
        QueryKind::Margin => What::MarginRate(None),
        QueryKind::Commission => What::CommissionRate(None),
        QueryKind::OptionCost => What::OptionCost(None),
        QueryKind::OptionCommission => What::OptionCommission(None),
    }
}

/// The contract's name, as the words between front and library have room for it.
pub(super) fn symbol(def: &InstrumentDef) -> Symbol {
    Text::new(def.symbol.as_bytes()).unwrap_or_default()
}

fn instrument(def: &InstrumentDef, rates: Option<&Rates>) -> InstrumentFacts {
    let one = Lots::new(1);
    InstrumentFacts {
        symbol: symbol(def),
        exchange: def.exchange(),
        product: def.product,
        class: def.class(),
        multiplier: def.multiplier,
        tick: def.tick,
        min_limit_lots: def.min_lots.max(one),
        max_limit_lots: def.max_limit_lots,
        min_market_lots: one,
        max_market_lots: def.max_market_lots,
        expiry: def.expiry,
        listed: TradingDay::ABSENT,
        is_trading: def.tradable == 1,
        option: def.option_type(),
        strike: def.strike,
        underlying: Text::new(def.underlying.as_bytes()).unwrap_or_default(),
        long_margin_ratio: rates.map_or(0, |rates| rates.long_margin_ratio),
        short_margin_ratio: rates.map_or(0, |rates| rates.short_margin_ratio),
    }
}

fn margin(def: &InstrumentDef, rates: &Rates) -> MarginFacts {
    MarginFacts {
        symbol: symbol(def),
        long_ratio: rates.long_margin_ratio,
        long_per_lot: rates.long_margin_per_lot,
        short_ratio: rates.short_margin_ratio,
        short_per_lot: rates.short_margin_per_lot,
        is_relative: false,
    }
}

fn option_cost(def: &InstrumentDef, rates: &Rates) -> OptionCostFacts {
    OptionCostFacts {
        symbol: symbol(def),
        fixed_per_lot: rates.short_margin_per_lot,
        least_per_lot: rates.short_margin_least_per_lot,
    }
}

fn commission(def: &InstrumentDef, rates: &Rates) -> CommissionFacts {
    CommissionFacts {
        symbol: symbol(def),
        open_ratio: rates.open_ratio,
        open_per_lot: rates.open_per_lot,
        close_ratio: rates.close_ratio,
        close_per_lot: rates.close_per_lot,
        close_today_ratio: rates.close_today_ratio,
        close_today_per_lot: rates.close_today_per_lot,
    }
}

fn funds(exchange: &Exchange) -> FundsFacts {
    let (funds, frozen) = (exchange.funds(), exchange.frozen_funds());
    FundsFacts {
        trading_day: funds.trading_day,
        pre_balance: funds.pre_balance,
        deposit: Money::ZERO,
        withdraw: Money::ZERO,
        close_profit: funds.close_profit.minus(exchange.premium()),
        position_profit: funds.position_profit,
        commission: funds.commission,
        cash_in: exchange.premium(),
        margin: funds.margin,
        frozen_margin: frozen.margin,
        frozen_cash: frozen.premium,
        frozen_commission: frozen.fee,
        balance: funds.pre_balance.plus(funds.close_profit).plus(funds.position_profit).minus(funds.commission),
        available: funds.available,
    }
}

/// The exchange of a code in an event.
pub(super) const fn place(code: u8) -> Option<Place> {
    Place::of(code)
}
