//! The venue's words on orders: reports, rejections and fills, what they mean for a side's next order, and what must be
//! told of them. On the order stage's thread.

use super::errors::{Remedy, remedy};
use super::notices::Notice;
use super::stage::OrderStage;
use super::targets::{Obstacle, Pair, side_index};
use shrike_core::codes::{AlarmKind, OrderState};
use shrike_core::event::Fill;
use shrike_core::instrument::InstrumentId;
use shrike_core::ledger::{Applied, OrderIndex};
use shrike_core::seeded::{self, Bug};
use shrike_core::units::Nanos;

/// The longest wait after a rejection is so many doublings of the first.
const WAIT_DOUBLINGS_MAX: u32 = 6;

impl OrderStage {
    pub(super) fn pair_of(&self, order: OrderIndex) -> Option<Pair> {
        let order = self.ledger.order(order)?;
        Some(Pair { strategy: order.strategy, instrument: order.instrument })
    }

    pub(super) fn report(&mut self, applied: Applied) {
        let (index, changed) = match applied {
            Applied::Order { order, changed } => (order, changed),
            Applied::WildOrder { order } => {
                let instrument = self.ledger.order(order).map_or(InstrumentId::NONE, |order| order.instrument);
                self.alarm(AlarmKind::WildOrder, instrument, 0, 0);
                (order, true)
            }
            _ => return,
        };
        self.set_queried(Some(index), Nanos::ABSENT);
        let Some(pair) = self.pair_of(index) else { return };
        self.targets.touch(pair);
        if changed {
            self.venue_word(index, pair);
            self.tell(Notice::Order(index));
        }
    }

    /// Remembers what a rejection, or an acceptance, means for the side's next order.
    pub(super) fn venue_word(&mut self, index: OrderIndex, pair: Pair) {
        let Some(order) = self.ledger.order(index) else { return };
        let (state, error, price, side) = (order.state, order.last_error, order.price, side_index(order.side));
        let queued = !order.exchange_ack_ns.is_absent();
        let (now, retries_max) = (self.now, self.settings.retries_max);
        let (duplicate_ns, wait_ns) = (self.settings.duplicate_ns, self.settings.reject_wait_ns);
        let Some(row) = self.targets.get_mut(pair) else { return };
        let revision = row.revision;
        let Some(obstacle) = row.obstacles.get_mut(side) else { return };
        match state {
            OrderState::Rejected => {
                obstacle.rejects = obstacle.rejects.saturating_add(1);
                obstacle.until_ns = now.after(duplicate_ns);
                obstacle.error = error;
                match remedy(error) {
                    Remedy::RetryNow => {}
                    Remedy::GiveUp if seeded::on(Bug::GiveUpForgotten) => {}
                    Remedy::NewPrice => obstacle.not_at = price,
                    // Twice as long each time: breakers and breaks last minutes.
                    Remedy::Wait => {
                        let times = 1 << (obstacle.rejects - 1).min(WAIT_DOUBLINGS_MAX);
                        obstacle.until_ns = now.after(wait_ns.saturating_mul(times));
                    }
                    Remedy::GiveUp => obstacle.given_up = revision,
                }
                if obstacle.rejects > retries_max && !seeded::on(Bug::GiveUpForgotten) {
                    (obstacle.given_up, obstacle.rejects) = (revision, 0);
                }
            }
            // The counter's acknowledgement alone is no acceptance: the exchange may still refuse.
            OrderState::Working if !queued => {}
            OrderState::Working | OrderState::Filled => *obstacle = Obstacle::default(),
            _ => {}
        }
    }

    pub(super) fn fill(&mut self, applied: Applied, fill: &Fill) {
        let mut fill = *fill;
        match applied {
            Applied::NewFill { order, strategy } => {
                fill.strategy = strategy;
                let pair = Pair { strategy, instrument: fill.instrument };
                self.tell(Notice::Fill(fill));
                self.tell(Notice::Order(order));
                self.tell(Notice::Holding(pair));
            }
            Applied::WildFill { .. } => {
                self.tell(Notice::Fill(fill));
                self.alarm(AlarmKind::WildOrder, fill.instrument, fill.order_ref, fill.lots.get());
            }
            _ => return,
        }
        // Lots that one strategy opened may be closable by another.
        self.targets.touch_instrument(fill.instrument);
    }
}
