//! The signal stage: what it states and when, strategies that panic, starting again, and its state as bytes.

use super::strategies::{EmaCross, EmaCrossParams, Quoter, QuoterParams};
use super::{Intent, Intents, Market, SavedStateError, SignalStage, Strategy, StrategySpec};
use crate::stage::{Driver, OutSlot};
use crate::tape::Tape;
use proptest::prelude::{any, prop, prop_assert_eq, proptest};
use shrike_core::codes::{AlarmKind, Exchange, PhaseKind, ProductClass, StageId, Urgency};
use shrike_core::event::{
    Alarm, Body, DepthTick, Event, Gap, Holding, InstrumentDef, Kind, MarketSlot, Phase, RunStart, Seq, TargetPosition,
    TargetQuote, flags,
};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Nanos, Price, Qty, Text, TradingDay};

const RU: InstrumentId = InstrumentId::new(0);
const RB: InstrumentId = InstrumentId::new(1);

/// Wants as many lots of a contract as its last price says, nothing before the first, and panics at two prices.
#[derive(Default)]
struct Puppet {
    last: [i64; 2],
}

impl Puppet {
    const BREAKS_UPDATE: i64 = 13;
    const BREAKS_INTEND: i64 = 14;
}

impl Strategy for Puppet {
    fn update(&mut self, _market: &Market, event: Event<'_>) {
        if let Event::DepthTick(tick) = event {
            let last = tick.last.raw() / Price::ONE_RAW;
            assert_ne!(last, Self::BREAKS_UPDATE, "this strategy breaks here");
            self.last[tick.instrument.index()] = last;
        }
    }
    fn intend(&self, _market: &Market, instrument: InstrumentId, intents: &mut Intents) {
        let last = self.last[instrument.index()];
        let lots = Lots::new(last);
        if last == 0 {
            return;
        }
        intents.state(instrument, Intent::Position { lots, limit: Price::ABSENT, urgency: Urgency::Passive });
        assert_ne!(last, Self::BREAKS_INTEND, "this strategy breaks here");
    }
    fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(bytemuck::cast_slice(&self.last));
    }
    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedStateError> {
        self.last = bytemuck::try_pod_read_unaligned(bytes).map_err(|_| SavedStateError)?;
        Ok(())
    }
}

fn spec(id: u32, symbols: &str, strategy: impl Strategy + 'static) -> StrategySpec {
    StrategySpec { id, name: format!("s{id}"), symbols: vec![symbols.into()], strategy: Box::new(strategy) }
}

fn puppets() -> Vec<StrategySpec> {
    vec![spec(1, "ru*", Puppet::default()), spec(2, "*", Puppet::default())]
}

struct Desk {
    driver: Driver<SignalStage, Tape>,
    now: Nanos,
    number: u64,
}

impl Desk {
    /// Two contracts in continuous trading.
    fn new(specs: Vec<StrategySpec>) -> Self {
        let stage = SignalStage::new(4, specs);
        let now = Nanos::china(TradingDay::new(20_240_102).unwrap(), 9 * 3600, 0);
        let mut desk = Self { driver: Driver::new(stage, Tape::new(StageId::Signal), Nanos::ABSENT), now, number: 0 };
        for (instrument, name) in [(RU, b"ru2405"), (RB, b"rb2405")] {
            desk.hear(&InstrumentDef {
                instrument,
                symbol: Text::new(name).unwrap(),
                product: Text::new(&name[..2]).unwrap(),
                tick: Price::whole(1),
                multiplier: 10,
                exchange: Exchange::Shfe.code(),
                class: ProductClass::Future.code(),
                tradable: 1,
                ..InstrumentDef::default()
            });
            desk.hear(&phase(instrument, PhaseKind::Continuous));
        }
        desk
    }

    fn hear<B: Body>(&mut self, body: &B) -> Vec<OutSlot> {
        self.hear_flagged(body, 0)
    }

    fn hear_flagged<B: Body>(&mut self, body: &B, with: u32) -> Vec<OutSlot> {
        let mut slot = MarketSlot::default();
        slot.put(body);
        self.number += 1;
        slot.header_mut().seq = Seq::new(StageId::Feed, 0, self.number);
        slot.header_mut().flags = with;
        self.now = self.now.after(500 * Nanos::PER_MILLI);
        let mut said = Vec::new();
        let Ok(()) = self.driver.take(self.now, slot.header(), slot.event(), |out| said.push(*out));
        said
    }

    fn last(&mut self, instrument: InstrumentId, units: i64) -> Vec<OutSlot> {
        let tick = tick(instrument, self.now, units);
        self.hear(&tick)
    }

    fn saved(&self) -> Vec<u8> {
        saved(&self.driver.stage)
    }
}

fn saved(stage: &SignalStage) -> Vec<u8> {
    let mut bytes = Vec::new();
    stage.save(&mut bytes);
    bytes
}

fn phase(instrument: InstrumentId, kind: PhaseKind) -> Phase {
    Phase { instrument, phase: kind.code(), source: 1, ..Phase::default() }
}

fn tick(instrument: InstrumentId, exch_ns: Nanos, units: i64) -> DepthTick {
    let mut tick = DepthTick {
        instrument,
        trading_day: TradingDay::new(20_240_102).unwrap(),
        exch_ns,
        last: Price::whole(units),
        volume: Qty::whole(exch_ns.get() as i64 / 1_000_000_000 % 100_000),
        upper_limit: Price::ABSENT,
        lower_limit: Price::ABSENT,
        bids: [Price::ABSENT; 5],
        asks: [Price::ABSENT; 5],
        ..DepthTick::default()
    };
    (tick.bids[0], tick.asks[0]) = (Price::whole(units - 1), Price::whole(units + 1));
    (tick.bid_qtys[0], tick.ask_qtys[0]) = (Qty::whole(5), Qty::whole(5));
    tick
}

/// Strategy, contract, lots and revision of every position stated.
fn positions(said: &[OutSlot]) -> Vec<(u32, InstrumentId, i64, u64)> {
    let of = |slot: &OutSlot| match slot.event() {
        Event::TargetPosition(TargetPosition { strategy, instrument, lots, revision, .. }) => {
            Some((*strategy, *instrument, lots.get(), *revision))
        }
        _ => None,
    };
    said.iter().filter_map(of).collect()
}

fn failures(said: &[OutSlot]) -> Vec<u32> {
    let of = |slot: &OutSlot| match slot.event() {
        Event::Alarm(Alarm { strategy, kind, .. }) if *kind == AlarmKind::StrategyFailed.code() => Some(*strategy),
        _ => None,
    };
    said.iter().filter_map(of).collect()
}

#[test]
fn what_changes_is_stated_once_with_rising_revisions() {
    let mut desk = Desk::new(puppets());
    assert_eq!(positions(&desk.last(RU, 5)), [(1, RU, 5, 1), (2, RU, 5, 1)]);
    let again = desk.last(RU, 5);
    assert!(positions(&again).is_empty(), "the same again is not said");
    assert_eq!(again[0].event().kind(), Kind::Quote as u16, "the quote is: the order stage sees every one");
    assert_eq!(positions(&desk.last(RB, 5)), [(2, RB, 5, 1)], "strategy 1 does not see rb");
    assert_eq!(positions(&desk.last(RU, 6)), [(1, RU, 6, 2), (2, RU, 6, 2)]);
    assert_eq!(positions(&desk.last(RU, 5)), [(1, RU, 5, 3), (2, RU, 5, 3)], "back is a change too");
}

#[test]
fn old_events_change_state_and_state_nothing() {
    let mut desk = Desk::new(puppets());
    let now = desk.now;
    let said = desk.hear_flagged(&tick(RU, now, 7), flags::CATCHUP);
    assert!(positions(&said).is_empty());
    assert!(said.iter().all(|out| out.header().has(flags::CATCHUP)), "the order stage is told that they are old");
    let holding = Holding { strategy: 1, instrument: RU, lots: Lots::new(1), ..Holding::default() };
    assert_eq!(positions(&desk.hear(&holding)), [(1, RU, 7, 1), (2, RU, 7, 1)], "what was learnt is stated now");
}

#[test]
fn a_strategy_that_panics_is_contained_recorded_and_left_alone() {
    for breaks in [Puppet::BREAKS_UPDATE, Puppet::BREAKS_INTEND] {
        let mut desk = Desk::new(vec![spec(1, "ru*", Puppet::default()), spec(2, "rb*", Puppet::default())]);
        desk.last(RU, 5);
        let said = desk.last(RU, breaks);
        assert_eq!(failures(&said), [1], "{breaks}: told at once, once");
        assert!(positions(&said).is_empty(), "{breaks}: nothing of a call that panicked counts");
        assert_eq!(desk.driver.stage.failed().collect::<Vec<_>>(), [1]);
        for units in [5, breaks, 6] {
            let said = desk.last(RU, units);
            assert!(positions(&said).is_empty() && failures(&said).is_empty(), "{breaks}: not called again");
        }
        assert_eq!(positions(&desk.last(RB, 8)), [(2, RB, 8, 1)], "{breaks}: the others go on");

        let mut folded =
            SignalStage::new(4, vec![spec(1, "ru*", Puppet::default()), spec(2, "rb*", Puppet::default())]);
        desk.driver.log.fold(&mut folded);
        assert_eq!(folded.failed().collect::<Vec<_>>(), [1], "{breaks}: it stays failed over a restart");
        let mut loaded =
            SignalStage::new(4, vec![spec(1, "ru*", Puppet::default()), spec(2, "rb*", Puppet::default())]);
        assert_eq!(loaded.load(&desk.saved()), Some(()), "{breaks}: and in a snapshot");
        assert_eq!(loaded.failed().collect::<Vec<_>>(), [1]);
    }
}

#[test]
fn a_panic_outside_the_market_is_told_with_the_next_event() {
    /// Breaks on its own fills.
    struct Brittle;
    impl Strategy for Brittle {
        fn update(&mut self, _market: &Market, event: Event<'_>) {
            assert!(!matches!(event, Event::Fill(_)), "this strategy breaks here");
        }
        fn intend(&self, _market: &Market, _instrument: InstrumentId, _intents: &mut Intents) {}
        fn save(&self, _out: &mut Vec<u8>) {}
        fn load(&mut self, _bytes: &[u8]) -> Result<(), SavedStateError> {
            Ok(())
        }
    }
    let mut desk = Desk::new(vec![spec(1, "*", Brittle)]);
    let fill = shrike_core::event::Fill { strategy: 1, instrument: RU, ..Default::default() };
    let mut said = desk.hear(&fill);
    said.extend(desk.last(RB, 5));
    assert_eq!(failures(&said), [1]);
}

#[test]
fn a_start_states_again_what_holds() {
    let mut desk = Desk::new(puppets());
    desk.last(RU, 5);
    desk.last(RU, 6);
    desk.last(RB, 3);
    let said = desk.hear(&RunStart::default());
    assert_eq!(positions(&said), [(1, RU, 6, 2), (2, RU, 6, 2), (2, RB, 3, 1)], "with the revisions they had");
    let mut folded =
        Desk { driver: Driver::new(SignalStage::new(4, puppets()), Tape::new(StageId::Signal), desk.now), ..desk };
    assert!(folded.hear(&RunStart::default()).is_empty(), "a new home has nothing to say");
}

#[test]
fn quotes_are_pulled_when_data_stops() {
    let params = QuoterParams {
        lots: Lots::new(1),
        edge_ticks: 0,
        skew_ticks: 0,
        max_position_lots: Lots::new(5),
        min_spread_ticks: 1,
    };
    for all in [false, true] {
        let mut desk = Desk::new(vec![spec(1, "*", Quoter::new(1, params))]);
        desk.last(RU, 5);
        desk.last(RB, 5);
        let instrument = if all { InstrumentId::NONE } else { RB };
        let pulled = |said: &[OutSlot]| {
            let of = |slot: &OutSlot| match slot.event() {
                Event::TargetQuote(TargetQuote { instrument, bid, ask, .. }) if bid.is_absent() && ask.is_absent() => {
                    Some(*instrument)
                }
                _ => None,
            };
            said.iter().filter_map(of).collect::<Vec<_>>()
        };
        let said = desk.hear(&Gap { instrument, ..Gap::default() });
        assert_eq!(said[0].event().kind(), Kind::Gap as u16);
        assert_eq!(pulled(&said), if all { vec![RU, RB] } else { vec![RB] });
        let end_ns = desk.now;
        let said = desk.hear(&Gap { instrument, end_ns, ..Gap::default() });
        assert!(said.len() > 1 && pulled(&said).is_empty(), "shown again when data flows");
        desk.hear(&Gap { instrument, ..Gap::default() });
        desk.hear(&RunStart::default());
        assert!(desk.driver.stage.market().is_live(RB), "a hole ends with its process");
    }
}

#[test]
fn contracts_that_were_never_announced_are_counted() {
    let mut desk = Desk::new(puppets());
    let stranger = InstrumentId::new(9);
    let now = desk.now;
    assert!(desk.hear(&tick(stranger, now, 5)).is_empty());
    assert_eq!(desk.driver.stage.unknown(), 1);
}

fn both() -> Vec<StrategySpec> {
    let ema = |bar_ms| {
        let (lots, urgency) = (Lots::new(1), Urgency::Aggressive);
        EmaCross::new(EmaCrossParams { fast: 2, slow: 5, bar_ms, lots, urgency })
    };
    let params = QuoterParams {
        lots: Lots::new(2),
        edge_ticks: 1,
        skew_ticks: 2,
        max_position_lots: Lots::new(5),
        min_spread_ticks: 1,
    };
    vec![spec(1, "*", Quoter::new(1, params)), spec(2, "*", ema(0)), spec(3, "ru*", ema(2_000))]
}

proptest! {
    /// A stage loaded from bytes, a stage folded from the journal and the stage itself are one: the same bytes, and the
    /// same words to whatever comes.
    #[test]
    fn bytes_and_journal_give_the_same_stage(before in prop::collection::vec((0u32..2, 90i64..110, 0u8..12), 0..60), after in prop::collection::vec((0u32..2, 90i64..110, 0u8..12), 1..30), held in -5i64..6, seen in any::<bool>()) {
        let step = |desk: &mut Desk, &(id, units, what): &(u32, i64, u8)| {
            let instrument = InstrumentId::new(id);
            match what {
                0 => desk.hear(&phase(instrument, PhaseKind::Break)),
                1 | 2 => desk.hear(&phase(instrument, PhaseKind::Continuous)),
                3 => desk.hear(&Holding { strategy: 1, instrument, lots: Lots::new(held), ..Holding::default() }),
                4 => desk.hear(&Gap { instrument, end_ns: if seen { desk.now } else { Nanos::ABSENT }, ..Gap::default() }),
                _ => desk.last(instrument, units),
            }
        };
        let mut live = Desk::new(both());
        before.iter().for_each(|event| { step(&mut live, event); });
        let mut folded = SignalStage::new(4, both());
        live.driver.log.fold(&mut folded);
        let mut loaded = SignalStage::new(4, both());
        prop_assert_eq!(loaded.load(&live.saved()), Some(()));
        prop_assert_eq!(saved(&folded), live.saved());
        prop_assert_eq!(saved(&loaded), live.saved());
        let tape = live.driver.log.clone();
        let (now, number) = (live.now, live.number);
        for other in [folded, loaded] {
            let mut other = Desk { driver: Driver::new(other, tape.clone(), now), now, number };
            let mut itself = Desk::new(both());
            before.iter().for_each(|event| { step(&mut itself, event); });
            for event in &after {
                let bytes = |said: Vec<OutSlot>| said.iter().map(|out| (out.header().kind, out.body().to_vec())).collect::<Vec<_>>();
                prop_assert_eq!(bytes(step(&mut itself, event)), bytes(step(&mut other, event)));
            }
        }
    }
}

#[test]
fn bytes_of_another_configuration_are_refused() {
    let mut desk = Desk::new(both());
    desk.last(RU, 100);
    assert_eq!(SignalStage::new(4, puppets()).load(&desk.saved()), None);
    assert_eq!(SignalStage::new(8, both()).load(&desk.saved()), None);
    let bytes = desk.saved();
    assert!((0..bytes.len()).all(|cut| SignalStage::new(4, both()).load(&bytes[..cut]).is_none()), "cut anywhere");
}
