//! The stages as the edge sees them, whatever threads they run on, and where their outputs go.

use super::log::{StageJournal, StageLog};
use crate::order::{OrderStage, Readiness};
use crate::signal::SignalStage;
use crate::stage::{Driver, OutSlot};
use shrike_core::event::{Kind, MarketSlot, ReportSlot, RequestSlot};

/// The signal stage with its journal.
pub type SignalNode<L = StageLog> = Driver<SignalStage, L>;
/// The order stage with its journal.
pub type OrderNode<L = StageLog> = Driver<OrderStage, L>;

/// Both stages, before and after a run.
pub struct Nodes<L = StageLog> {
    /// The signal stage.
    pub signal: SignalNode<L>,
    /// The order stage.
    pub order: OrderNode<L>,
}

/// A stage has stopped: its journal has no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a stage has stopped because its journal has no room: free space on the journals' disk, then start again")]
pub struct Stopped;

/// What the edge asks of the order stage between events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Status {
    /// The engine was told to stop, and nothing is left to cancel.
    pub may_stop: bool,
    /// Orders may be sent.
    pub ready: bool,
    /// A journal has no room: market data is not taken any more.
    pub no_room: bool,
}

impl Status {
    /// As the stage stands.
    #[inline]
    pub fn of(stage: &OrderStage) -> Self {
        Self { may_stop: stage.may_stop(), ready: stage.readiness() == Readiness::Ready, no_room: false }
    }
}

/// Takes requests to the venue, and requests for timers, on the edge's thread; it must not call the stages.
pub type Sink<'a> = dyn FnMut(&RequestSlot) + 'a;

/// The stages, from the edge's side.
pub trait Stages {
    /// The stages' journals.
    type Log: StageJournal;

    /// Gives the signal stage a market event. Requests to the venue and timer requests are handed to `request` as soon as
    /// they are journaled: here by stages of the same thread, in [`Self::settle`] by others.
    ///
    /// # Errors
    /// When a stage has stopped.
    fn market(&mut self, slot: &MarketSlot, request: &mut Sink<'_>) -> Result<(), Stopped>;

    /// Gives the order stage a report, timer or command; requests as for [`Self::market`].
    ///
    /// # Errors
    /// As [`Self::market`].
    fn report(&mut self, slot: &ReportSlot, request: &mut Sink<'_>) -> Result<(), Stopped>;

    /// Returns when every consequence of what was given is done; requests as for [`Self::market`].
    ///
    /// # Errors
    /// As [`Self::market`].
    fn settle(&mut self, request: &mut Sink<'_>) -> Result<(), Stopped>;

    /// How the order stage stands; exact after [`Self::settle`].
    fn status(&self) -> Status;

    /// Ends the threads and gives the stages back.
    fn finish(self) -> Nodes<Self::Log>;
}

/// Where an output of the order stage goes, besides its journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// To the gateway, or the edge's timers.
    Edge,
    /// Back to the signal stage.
    Signal,
    /// Nowhere.
    Journal,
}

impl Route {
    /// The route of an order-stage output.
    #[inline]
    pub const fn of(kind: u16) -> Self {
        match Kind::of(kind) {
            Some(Kind::OrderRequest | Kind::TimerRequest) => Self::Edge,
            Some(Kind::Fill | Kind::OrderUpdate | Kind::Refusal | Kind::Holding) => Self::Signal,
            _ => Self::Journal,
        }
    }
}

/// Copies an output into a slot of another ring. Outputs fit by construction: the ring's slots are as large as the
/// largest body routed to it.
#[inline]
pub fn copy<const WORDS: usize>(slot: &mut shrike_core::event::Slot<WORDS>, out: &OutSlot) {
    let fits = slot.copy_from(out.header(), out.body());
    debug_assert!(fits, "an output of kind {} is larger than its ring's slots", out.header().kind);
}
