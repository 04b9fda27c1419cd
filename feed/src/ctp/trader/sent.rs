//! The requests sent last, so that an answer that names only its request, or comes with a null pointer, finds its order.
//! A fixed number: answers come within seconds.

use shrike_core::codes::{Exchange, Side};
use shrike_core::event::OrderRequest;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::Text;

/// How many are remembered.
const CAPACITY: usize = 4_096;

/// A request as sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sent {
    /// CTP's request number; zero: an empty place.
    pub request_id: i32,
    /// Whether it cancels.
    pub cancels: bool,
    /// The contract.
    pub instrument: InstrumentId,
    /// Its exchange.
    pub exchange: Option<Exchange>,
    /// The order's number.
    pub order_ref: u64,
    /// Front of the session that sent the order.
    pub front_id: i32,
    /// That session.
    pub session_id: i32,
    /// The exchange's number of the order.
    pub order_sys_id: Text<24>,
    /// The order's side.
    pub side: Option<Side>,
}

impl Sent {
    /// As the order stage asks.
    pub fn of(request: &OrderRequest, request_id: i32, cancels: bool) -> Self {
        Self {
            request_id,
            cancels,
            instrument: request.instrument,
            exchange: Exchange::of(request.exchange),
            order_ref: request.order_ref,
            front_id: request.front_id,
            session_id: request.session_id,
            order_sys_id: request.order_sys_id,
            side: request.side(),
        }
    }
}

/// The latest requests.
#[derive(Clone, Debug)]
pub struct Requests {
    places: Box<[Sent]>,
    next: usize,
}

impl Requests {
    /// None yet.
    pub fn new() -> Self {
        Self { places: vec![Sent::default(); CAPACITY].into_boxed_slice(), next: 0 }
    }

    /// Remembers one, in the place of the oldest.
    pub fn put(&mut self, sent: Sent) {
        if let Some(place) = self.places.get_mut(self.next) {
            *place = sent;
            self.next = (self.next + 1) % CAPACITY;
        }
    }

    /// The latest that fits. Walks them all: for refusals, which are rare.
    pub fn find(&self, fits: impl Fn(&Sent) -> bool) -> Option<&Sent> {
        let (newer, older) = self.places.split_at_checked(self.next)?;
        newer.iter().rev().chain(older.iter().rev()).find(|sent| sent.request_id != 0 && fits(sent))
    }
}
