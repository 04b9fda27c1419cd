//! Records in words, for the history of a run.

use crate::disk::Written;
use shrike_core::codes::{
    AlarmKind, CommandKind, Offset, OrderState, OrderStatus, PhaseKind, RefusalReason, ReportSource, RequestKind, Side,
};
use shrike_core::event::{Event, Kind, flags};

/// A record as a line: whose journal, taken (`<`) or given (`>`), what.
pub(crate) fn line(written: &Written, event: &Event<'_>) -> String {
    let way = if written.header.has(flags::OUTPUT) { '>' } else { '<' };
    let kind = Kind::of(written.header.kind).map_or("?", Kind::name);
    let again = if written.header.has(flags::RESENT) { " (again)" } else { "" };
    format!("    {:<6} {way} {kind}{again} {}", written.stage.name(), words(event))
}

fn word<T: std::fmt::Display>(code: Option<T>) -> String {
    code.map_or_else(|| "-".into(), |code| code.to_string())
}

fn words(event: &Event<'_>) -> String {
    match event {
        Event::DepthTick(tick) => {
            let ([bid, ..], [ask, ..]) = (tick.bids, tick.asks);
            format!("{} {bid} {ask} last {}", tick.instrument, tick.last)
        }
        Event::Quote(quote) => format!("{} {} {} last {}", quote.instrument, quote.bid, quote.ask, quote.last),
        Event::Phase(phase) => format!("{} {}", phase.instrument, word(PhaseKind::of(phase.phase))),
        Event::TargetPosition(target) => format!(
            "strategy {} {} wants {} at {} revision {}",
            target.strategy, target.instrument, target.lots, target.limit, target.revision
        ),
        Event::TargetQuote(target) => format!(
            "strategy {} {} bid {} x {} ask {} x {} revision {}",
            target.strategy,
            target.instrument,
            target.bid,
            target.bid_lots,
            target.ask,
            target.ask_lots,
            target.revision
        ),
        Event::OrderRequest(request) => format!(
            "{} {} {} {} {} {} at {} strategy {} session {}/{}",
            word(RequestKind::of(request.kind)),
            request.order_ref,
            request.instrument,
            word(Side::of(request.side)),
            word(Offset::of(request.offset)),
            request.lots,
            request.price,
            request.strategy,
            request.front_id,
            request.session_id,
        ),
        Event::OrderReport(report) => format!(
            "{} {}/{}/{} [{}] {} {} {} traded {} error {}",
            word(ReportSource::of(report.source)),
            report.front_id,
            report.session_id,
            report.order_ref,
            report.order_sys_id.as_str().trim_start(),
            report.instrument,
            word(Side::of(report.side)),
            word(OrderStatus::of(report.status)),
            report.traded,
            report.error_code,
        ),
        Event::Fill(fill) => format!(
            "order {} [{}] trade {} {} {} {} {} at {}",
            fill.order_ref,
            fill.order_sys_id.as_str().trim_start(),
            fill.trade_id.as_str().trim_start(),
            fill.instrument,
            word(Side::of(fill.side)),
            word(Offset::of(fill.offset)),
            fill.lots,
            fill.price
        ),
        Event::OrderUpdate(update) => format!(
            "order {} {} {} filled {} of {} error {}",
            update.order_ref,
            update.instrument,
            word(OrderState::of(update.state)),
            update.filled,
            update.lots,
            update.error_code
        ),
        Event::Refusal(refusal) => format!(
            "strategy {} {} {} {}: {} limit {} value {}",
            refusal.strategy,
            refusal.instrument,
            word(Side::of(refusal.side)),
            refusal.lots,
            word(RefusalReason::of(refusal.reason)),
            refusal.limit,
            refusal.value
        ),
        Event::Holding(holding) => format!("strategy {} {} {}", holding.strategy, holding.instrument, holding.lots),
        Event::Login(login) => format!(
            "day {} session {}/{} greatest number {}",
            login.trading_day, login.front_id, login.session_id, login.max_order_ref
        ),
        Event::Connection(connection) => (if connection.connected == 1 { "stands" } else { "is broken" }).into(),
        Event::PositionReport(line) => {
            format!("{} {} today {} earlier {}", line.instrument, word(Side::of(line.side)), line.today, line.yesterday)
        }
        Event::FundsReport(funds) => {
            format!("balance {} closed {} fees {}", funds.pre_balance, funds.close_profit, funds.commission)
        }
        Event::ResyncEnd(end) => format!("answers {}: {} orders, {} fills", end.request, end.orders, end.fills),
        Event::Difference(difference) => format!(
            "{} {}: ours {} venue {} order {}",
            difference.instrument, difference.field, difference.ours, difference.venue, difference.order_ref
        ),
        Event::Command(command) => word(CommandKind::of(command.kind)),
        Event::Alarm(alarm) => format!("{} value {}", word(AlarmKind::of(alarm.kind)), alarm.value),
        Event::DayRoll(roll) => format!("{} to {}", roll.from, roll.to),
        Event::Settlement(settlement) => format!("{} at {}", settlement.instrument, settlement.settlement),
        Event::TimerRequest(timer) => format!("due {:.6}", timer.due_ns),
        _ => String::new(),
    }
}
