//! What struck, and in which state it found the orders: so that what was never tested is seen.

use crate::fault::Fault;
use shrike_core::codes::OrderState;

const FAULTS: usize = Fault::ALL.len();
const STATES: usize = OrderState::ALL.len();

/// Which states the day's orders are in.
pub(crate) type States = [bool; STATES];

/// Counts of faults, alone and by the state of an order that they met.
#[derive(Clone, Debug)]
pub struct Coverage {
    faults: [u64; FAULTS],
    cells: [[u64; STATES]; FAULTS],
}

impl Default for Coverage {
    fn default() -> Self {
        Self { faults: [0; FAULTS], cells: [[0; STATES]; FAULTS] }
    }
}

impl Coverage {
    /// A fault struck.
    pub fn struck(&mut self, fault: Fault) {
        if let Some(count) = self.faults.get_mut(fault as usize) {
            *count += 1;
        }
    }

    /// A fault found an order in a state.
    pub fn met(&mut self, fault: Fault, state: OrderState) {
        let cell = self.cells.get_mut(fault as usize).and_then(|row| row.get_mut(place(state)));
        if let Some(cell) = cell {
            *cell += 1;
        }
    }

    /// How often a fault struck.
    pub fn count(&self, fault: Fault) -> u64 {
        self.faults.get(fault as usize).copied().unwrap_or(0)
    }

    /// How often it found an order in a state.
    pub fn cell(&self, fault: Fault, state: OrderState) -> u64 {
        self.cells.get(fault as usize).and_then(|row| row.get(place(state))).copied().unwrap_or(0)
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        for &fault in Fault::ALL {
            if let Some(count) = self.faults.get_mut(fault as usize) {
                *count += other.count(fault);
            }
            for &state in OrderState::ALL {
                if let Some(cell) = self.cells.get_mut(fault as usize).and_then(|row| row.get_mut(place(state))) {
                    *cell += other.cell(fault, state);
                }
            }
        }
    }
}

fn place(state: OrderState) -> usize {
    usize::from(state.code()) - 1
}

/// Why a fault cannot find an order in a state; `None`: it can.
pub const fn unreachable_because(fault: Fault, state: OrderState) -> Option<&'static str> {
    use Fault as F;
    use OrderState as S;
    match (fault, state) {
        (F::RefuseRetry | F::RefusePrice | F::RefuseWait | F::RefuseForGood | F::ExchangeReject, S::Working) => {
            Some("no counter has answered the order yet")
        }
        (F::RefuseRetry | F::RefusePrice | F::RefuseWait | F::RefuseForGood | F::ExchangeReject, S::CancelPending) => {
            Some("nothing is cancelled before the counter has answered")
        }
        (
            F::RefuseRetry | F::RefusePrice | F::RefuseWait | F::RefuseForGood | F::ExchangeReject,
            S::Filled | S::Cancelled | S::Rejected | S::EndedShort,
        ) => Some("the order has not reached the counter, so nothing of it was told"),
        (F::RefuseRetry | F::RefusePrice | F::RefuseWait | F::RefuseForGood | F::ExchangeReject, S::NeverArrived) => {
            Some("it is decided on a later session only, when what was under way has arrived or is lost")
        }
        (
            F::OrderDelay | F::RequestDrop,
            S::Working | S::Filled | S::Cancelled | S::Rejected | S::Lost | S::NeverArrived | S::EndedShort,
        ) => Some("it strikes as a request leaves: the order is then just sent, or its cancel"),
        (F::PriceLimit | F::DayRoll, S::Sent | S::Working | S::CancelPending | S::Lost | S::EndedShort) => {
            Some("it strikes in the morning, when every order of the day before has ended")
        }
        (
            F::LateFill,
            S::Sent | S::Working | S::CancelPending | S::Filled | S::Rejected | S::Lost | S::NeverArrived,
        ) => Some("the cancel that the fill follows was told, and lots of it are missing"),
        (F::CancelRefused, S::Sent) => Some("nothing is cancelled before the counter has answered"),
        (F::CancelRefused, S::Lost | S::NeverArrived) => {
            Some("what is cancelled was told by the venue, and no restatement lacks it")
        }
        _ => None,
    }
}
