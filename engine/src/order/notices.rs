//! What the signal stage and people must hear of what an input changed: gathered while the input is folded, told one at a
//! time before anything is decided. On the order stage's thread.

use super::stage::OrderStage;
use super::targets::Pair;
use crate::stage::OutSlot;
use shrike_core::codes::AlarmKind;
use shrike_core::event::{Alarm, DayRoll, Difference, Fill, Holding, OrderUpdate};
use shrike_core::instrument::InstrumentId;
use shrike_core::ledger::{Order, OrderIndex};
use shrike_core::units::Lots;

/// Something to tell the signal stage.
#[derive(Clone, Copy, Debug)]
pub(super) enum Notice {
    Order(OrderIndex),
    Fill(Fill),
    Holding(Pair),
    Alarm(Alarm),
    Difference(Difference),
    DayRoll(DayRoll),
}

impl OrderStage {
    pub(super) fn tell(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    pub(super) fn alarm(&mut self, kind: AlarmKind, instrument: InstrumentId, order_ref: u64, value: i64) {
        let kind = kind.code();
        self.tell(Notice::Alarm(Alarm { instrument, order_ref, value, kind, ..Alarm::default() }));
    }

    pub(super) fn decide_notice(&mut self, out: &mut OutSlot) -> bool {
        let Some(&notice) = self.notices.get(self.told) else { return false };
        self.told += 1;
        match notice {
            Notice::Order(index) => match self.ledger.order(index) {
                Some(order) => out.put(&told(order)),
                None => return false,
            },
            Notice::Fill(fill) => out.put(&fill),
            Notice::Holding(pair) => out.put(&Holding {
                strategy: pair.strategy,
                instrument: pair.instrument,
                lots: self.held(pair),
                account_lots: self.ledger.position(pair.instrument).map_or(Lots::ZERO, |book| book.net()),
                ..Holding::default()
            }),
            Notice::Alarm(alarm) => out.put(&alarm),
            Notice::Difference(difference) => out.put(&difference),
            Notice::DayRoll(roll) => out.put(&roll),
        }
        true
    }
}

/// An order as strategies are told of it.
pub(super) fn told(order: &Order) -> OrderUpdate {
    OrderUpdate {
        instrument: order.instrument,
        trading_day: order.trading_day,
        order_ref: order.order_ref,
        price: order.price,
        lots: order.lots,
        filled: order.filled,
        strategy: order.strategy,
        error_code: order.last_error,
        state: order.state.code(),
        side: order.side.code(),
        offset: order.offset.code(),
        ..OrderUpdate::default()
    }
}
