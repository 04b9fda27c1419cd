//! The edge: who fills the market ring, and who answers the orders. Live gateways, recordings and the simulated
//! exchange implement these two traits; every stage behind them is the same.

use crate::event::{Event, Header, MarketSlot, ReportSlot};
use crate::units::Nanos;

/// What a source has next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Next {
    /// An event is ready; in simulated time it happens at this moment.
    At(Nanos),
    /// Nothing now; more may come (live sources, followers).
    Idle,
    /// Nothing will come any more.
    End,
}

/// A source of market events: depth ticks, trades, phases, instruments, gaps, settlements.
///
/// Called by one thread, its own. `take` writes body and `recv_ns` (and, for followers of a journal, `seq` and flags);
/// the runtime numbers the rest.
pub trait MarketFeed {
    /// What comes next. In simulated time the answers never go back.
    fn next(&mut self) -> Next;

    /// Writes the next event into the ring's slot. False, and the slot is as it was, when there is none.
    fn take(&mut self, slot: &mut MarketSlot) -> bool;

    /// How many rows, ticks or messages were skipped, by reason, since the start; for summaries and alarms.
    fn skipped(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// What went wrong so far without stopping the source (a file that breaks off, a day without a calendar), for people.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The other party of an account: takes requests, gives reports.
///
/// Called by one thread, its own. A request is an [`crate::event::OrderRequest`]; what comes back are logins, order
/// reports, fills, positions, funds, instruments and rates, in the venue's order.
pub trait Gateway {
    /// Sends a request. `now` is the time on the engine's clock. Never blocks; a failure comes back as a report.
    fn request(&mut self, now: Nanos, header: &Header, request: Event<'_>);

    /// What comes next.
    fn next(&mut self) -> Next;

    /// Takes the next step: writes the next report into the ring's slot and returns true, or does something that gives
    /// no report (a simulated exchange lets a request arrive) and returns false with the slot as it was.
    fn take(&mut self, slot: &mut ReportSlot) -> bool;

    /// The market event that the engine is about to see. The simulated exchange matches against it; live gateways
    /// have no use for it.
    fn on_market(&mut self, header: &Header, event: Event<'_>) {
        let _ = (header, event);
    }
}
