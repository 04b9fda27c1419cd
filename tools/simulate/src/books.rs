//! The books against the venue's, where everything is quiet, and the books of a new process against those of the one that
//! died.

use crate::counter::Known;
use crate::disk::{Disk, MortalLog};
use crate::settings::Settings;
use crate::world::World;
use shrike_core::codes::{OrderState, Side, StageId};
use shrike_core::event::Seq;
use shrike_core::ledger::Order;
use shrike_core::units::{Lots, Money};
use shrike_engine::order::{Mode, OrderStage, Readiness, Wanted};
use shrike_engine::replay;
use shrike_engine::runtime::{Engine, Journals, Nodes, Quarantine, fold_order, fold_signal};
use shrike_engine::stage::Stage;

impl World {
    /// At night nothing moves any more: the venue's books and the engine's must be the same, every order has ended, and
    /// every intent is reached or refused.
    pub(crate) fn compare_books(&mut self, nodes: &Nodes<MortalLog>) {
        let stage = &nodes.order.stage;
        let ledger = stage.ledger();
        if stage.readiness() != Readiness::Ready || !self.wire.is_up() {
            let what = format!("{:?} at night, {}", stage.readiness(), if self.wire.is_up() { "up" } else { "down" });
            return self.fail("comes to rest", what);
        }
        if !self.wire.is_quiet() {
            return self.fail("comes to rest", "messages are under way at night".into());
        }
        if stage.mode() != Mode::Trade {
            return self.fail("comes to rest", format!("mode {:?} at night, after resume", stage.mode()));
        }
        if let Some((_, order)) = ledger.orders().find(|(_, order)| order.is_live()) {
            let what = format!("order {} is {} at night (wild: {})", order.order_ref, order.state, order.wild);
            return self.fail("every order ends", what);
        }
        let mut broken = None;
        for (id, book) in ledger.positions() {
            for side in [Side::Buy, Side::Sell] {
                let mut lines = self.counter.exchange.positions();
                let line = lines.find(|line| line.instrument == id && Side::of(line.side) == Some(side));
                let venue = line.map_or((Lots::ZERO, Lots::ZERO), |line| (line.today, line.yesterday));
                let ours = book.held(side);
                if ours != venue {
                    broken = Some(format!(
                        "{id} {side} side: ours {} today {} earlier, venue {} today {} earlier",
                        ours.0, ours.1, venue.0, venue.1
                    ));
                }
            }
        }
        if let Some(what) = broken {
            return self.fail("positions equal the venue's", what);
        }
        let (ours, venue) = (ledger.funds(), self.counter.exchange.funds());
        let equity = venue.pre_balance.plus(venue.close_profit).plus(venue.position_profit).minus(venue.commission);
        // Where trades were told in another order than they happened, other lots may have been closed of earlier days:
        // the sum is the same, but not its parts, nor the fees where these differ by day.
        let exact = !self.wire.disordered;
        let fees = if exact { Money::ZERO } else { ours.commission.minus(venue.commission) };
        let pairs: [(&str, Money, Money, bool); 6] = [
            ("balance at the start", ours.pre_balance, venue.pre_balance, true),
            ("fees", ours.commission, venue.commission, exact),
            ("equity", ours.equity.plus(fees), equity, true),
            ("close profit", ours.close_profit, venue.close_profit, exact),
            ("margin", ours.margin, venue.margin, exact),
            ("frozen", ours.frozen, venue.frozen, true),
        ];
        for (name, ours, venue, compared) in pairs {
            if compared && ours != venue {
                return self.fail("money equals the venue's", format!("{name}: ours {ours}, venue {venue}"));
            }
        }
        let fills = self.counter.exchange.fills().len();
        if ledger.fills_today() != fills {
            let what = format!("{} fills booked, {fills} at the venue", ledger.fills_today());
            return self.fail("no fill twice or lost", what);
        }
        if let Some(what) = unanswered(stage) {
            self.fail("intents are reached or refused", what);
        }
    }

    /// In the middle of the day, when nothing is on its way and nothing is in doubt: what works and what is held must be
    /// the same as at the venue.
    pub(crate) fn compare_quiet(&mut self, nodes: &Nodes<MortalLog>) {
        let ledger = nodes.order.stage.ledger();
        if self.evening || self.wire.missing || !self.wire.is_up() || !self.wire.is_quiet() {
            return;
        }
        if ledger.trading_day() != self.counter.day() || !ledger.is_restated() {
            return;
        }
        // Of an order that the exchange never numbered a restarted counter says nothing under its name: two answers decide.
        let renamed = |order: &Order| {
            order.order_sys_id.is_empty() && (order.front_id, order.session_id) != self.counter.session()
        };
        let in_doubt = |order: &Order| {
            renamed(order)
                || matches!(
                    order.state,
                    OrderState::Sent | OrderState::CancelPending | OrderState::Lost | OrderState::EndedShort
                )
        };
        if ledger.live_orders().any(|(_, order)| in_doubt(order)) {
            return;
        }
        let mut broken = None;
        for (id, book) in ledger.positions() {
            for side in [Side::Buy, Side::Sell] {
                let live = self.counter.known().iter().filter(|known| known.remaining() > 0);
                let of_side = live.filter(|known| known.request.instrument == id && known.side() == side);
                let venue: i64 = of_side.map(Known::remaining).sum();
                let ours = book.working_lots(side).get();
                if ours != venue {
                    broken = Some(format!("{id} {side}: {ours} lots work by our books, {venue} at the venue"));
                }
            }
        }
        if let Some(what) = broken {
            self.fail("what works is known", what);
        }
    }

    /// A process that starts holds what the one before it held, as far as the journals survived.
    pub(crate) fn compare_recovery(
        &mut self,
        engine: &Engine<Disk>,
        before: Option<&[Vec<u8>; 2]>,
        settings: &Settings,
    ) {
        let (mut signal, mut order) = (Vec::new(), Vec::new());
        engine.signal().save(&mut signal);
        engine.order().save(&mut order);
        if let Some([signal_before, order_before]) = before {
            for (stage, now, then) in [("signal", &signal, signal_before), ("order", &order, order_before)] {
                if now != then {
                    let at = now.iter().zip(then).position(|(now, then)| now != then);
                    let what = format!(
                        "the {stage} stage: {} bytes of state, {} before, first difference at {at:?}",
                        now.len(),
                        then.len()
                    );
                    return self.fail("recovery gives the state back", what);
                }
            }
        }
        if engine.notes().iter().any(|note| note.starts_with("started from the snapshot")) {
            self.judge.snapshots += 1;
            let (mut whole_signal, mut whole_order) = settings.stages();
            let home = engine.home();
            let folded = home.reader(StageId::Signal).and_then(|journal| fold_signal(journal, &mut whole_signal));
            let folded =
                folded.and(home.reader(StageId::Order).and_then(|journal| fold_order(journal, &mut whole_order)));
            let (mut signal_whole, mut order_whole) = (Vec::new(), Vec::new());
            whole_signal.save(&mut signal_whole);
            whole_order.save(&mut order_whole);
            if folded.is_err() || signal_whole != signal || order_whole != order {
                self.fail("a snapshot is the journals' fold", format!("{folded:?}"));
            }
        }
    }

    /// Every output decided again, and compared with the record.
    pub(crate) fn verify(&mut self, settings: &Settings) {
        let (mut signal, mut order) = settings.stages();
        for stage in [StageId::Signal, StageId::Order] {
            let what = match stage {
                StageId::Signal => self.verify_one(stage, &mut signal),
                _ => self.verify_one(stage, &mut order),
            };
            if let Some(what) = what {
                return self.fail("decided again, the same", format!("{stage} journal: {what}"));
            }
        }
    }

    fn verify_one(&self, stage: StageId, fresh: &mut impl Stage) -> Option<String> {
        let mut first = None;
        let mut differs = |mismatch: replay::Mismatch| {
            if first.is_none() {
                first = Some(format!("at {}: {mismatch:?}", mismatch.input.seq));
            }
        };
        let whole = (Seq::ABSENT, Seq::ABSENT);
        let report = self.disk.reader(stage).and_then(|journal| {
            replay::verify(journal, fresh, whole, &Quarantine::default(), &mut differs, &mut |_| {})
        });
        match report {
            Ok(report) if report.differences == 0 => None,
            Ok(report) => Some(format!("{} differences; {}", report.differences, first.unwrap_or_default())),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// An intent that is neither reached nor worked on nor refused.
fn unanswered(stage: &OrderStage) -> Option<String> {
    let ledger = stage.ledger();
    for (pair, row) in stage.targets().iter() {
        let held = ledger.strategy_position(pair.strategy, pair.instrument).net.get();
        let [buy, sell] = &row.obstacles;
        match row.wanted {
            Wanted::Position { lots, .. } if lots.get() != held => {
                let obstacle = if lots.get() > held { buy } else { sell };
                if obstacle.told.is_none() {
                    return Some(format!(
                        "strategy {} wants {lots} of {} and holds {held}, and was told nothing",
                        pair.strategy, pair.instrument
                    ));
                }
            }
            _ => {}
        }
    }
    None
}
