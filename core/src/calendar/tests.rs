//! The logic on small tables: one product with a night, one without, a holiday in the middle of a week and one after a
//! weekend. The real tables are tested where they are (`config`).

use super::*;
use crate::codes::{OrderType, PhaseKind, PhaseSource, TimeInForce};
use crate::event::Phase;
use crate::instrument::InstrumentId;
use crate::units::Nanos;
use proptest::prelude::*;
use std::sync::Arc;

fn day(yyyymmdd: u32) -> TradingDay {
    TradingDay::new(yyyymmdd).unwrap()
}

fn at(yyyymmdd: u32, hour: u32, minute: u32) -> Nanos {
    Nanos::china(day(yyyymmdd), hour * 3600 + minute * 60, 0)
}

fn slot(start: (u32, u32), end: (u32, u32), kind: PhaseKind) -> Slot {
    Slot { start_s: start.0 * 3600 + start.1 * 60, end_s: end.0 * 3600 + end.1 * 60, kind }
}

/// September 2025: Thursday 4 is a holiday; Monday 15 and Tuesday 16 too. `ru` has nights to 01:00, `AP` none.
fn sessions() -> Arc<Sessions> {
    use PhaseKind::*;
    let night = NightTemplate::new(vec![
        slot((20, 55), (20, 59), AuctionOrders),
        slot((20, 59), (21, 0), AuctionMatch),
        slot((21, 0), (25, 0), Continuous),
    ]);
    let shape = DayTemplate::new(
        vec![
            slot((8, 55), (8, 59), AuctionOrders),
            slot((8, 59), (9, 0), AuctionMatch),
            slot((9, 0), (10, 15), Continuous),
            slot((10, 30), (15, 0), Continuous),
        ],
        vec![(day(20_250_910), vec![slot((8, 55), (8, 59), CancelOnly)])],
    );
    let row = |exchange, product: &str, night| SessionRow {
        exchange,
        product: Text::new(product.as_bytes()).unwrap(),
        from: day(20_250_901),
        until: day(20_250_930),
        day: 0,
        night,
    };
    let holidays = [day(20_250_904), day(20_250_915), day(20_250_916)];
    Arc::new(Sessions::new(SessionsSource {
        calendar: Calendar::new(day(20_250_901), day(20_250_930), &holidays),
        days: vec![shape.unwrap()],
        nights: vec![night.unwrap()],
        rows: vec![row(Exchange::Shfe, "ru", Some(0)), row(Exchange::Czce, "AP", None)],
        nights_suspended: vec![(day(20_250_923), day(20_250_924))],
    }))
}

fn text(spans: &PhaseSpans) -> Vec<String> {
    let line = |span: &PhaseSpan| format!("{:.0} {}", span.start, span.kind);
    spans.iter().map(|span| line(span)[5..].to_owned()).collect()
}

#[test]
fn a_friday_night_opens_monday() {
    let sessions = sessions();
    let monday = sessions.phases_of(Exchange::Shfe, "ru", day(20_250_908)).unwrap();
    assert_eq!(
        text(&monday),
        [
            "09-05 20:55:00 auction-orders",
            "09-05 20:59:00 auction-match",
            "09-05 21:00:00 continuous",
            "09-06 01:00:00 shut",
            "09-08 09:00:00 continuous",
            "09-08 10:15:00 break",
            "09-08 10:30:00 continuous",
        ]
    );
    assert_eq!(monday.end(), at(20_250_908, 15, 0));
}

#[test]
fn the_eve_of_a_holiday_has_no_night() {
    let sessions = sessions();
    for (after_holiday, eve) in [(20_250_905, 20_250_903), (20_250_917, 20_250_912)] {
        assert_eq!(sessions.calendar().previous_trading_day(day(after_holiday)), Ok(day(eve)));
        let spans = sessions.phases_of(Exchange::Shfe, "ru", day(after_holiday)).unwrap();
        assert_eq!(spans.start(), at(after_holiday, 8, 55), "the day opens with its own auction");
        assert_eq!(spans.first().unwrap().kind, PhaseKind::AuctionOrders);
    }
}

#[test]
fn a_suspended_night_is_absent_and_the_reopening_rule_follows_the_night() {
    let sessions = sessions();
    let starts = |date| sessions.phases_of(Exchange::Shfe, "ru", day(date)).unwrap().start();
    assert_eq!(starts(20_250_922), at(20_250_919, 20, 55));
    assert_eq!(starts(20_250_923), at(20_250_923, 8, 55));
    assert_eq!(starts(20_250_924), at(20_250_924, 8, 55));
    assert_eq!(starts(20_250_925), at(20_250_924, 20, 55));

    let phase = |at| sessions.phase_at(Exchange::Shfe, "ru", at).unwrap().kind;
    assert_eq!(phase(at(20_250_909, 8, 56)), PhaseKind::Shut, "before the rule: nothing between night and day");
    assert_eq!(phase(at(20_250_911, 8, 56)), PhaseKind::CancelOnly, "after a night: cancels only");
    assert_eq!(phase(at(20_250_911, 8, 59)), PhaseKind::Break);
    assert_eq!(phase(at(20_250_917, 8, 56)), PhaseKind::AuctionOrders, "no night before: the plain auction");
}

#[test]
fn between_the_days_it_is_shut_and_the_bounds_are_known() {
    let sessions = sessions();
    let evening = sessions.phase_at(Exchange::Czce, "AP", at(20_250_905, 21, 30)).unwrap();
    let expected = PhaseSpan { start: at(20_250_905, 15, 0), end: at(20_250_908, 8, 55), kind: PhaseKind::Shut };
    assert_eq!(evening, expected);
    assert_eq!(sessions.phase_at(Exchange::Czce, "AP", at(20_250_905, 16, 0)).unwrap(), expected);
}

#[test]
fn what_is_not_known_is_an_error() {
    let sessions = sessions();
    let calendar = sessions.calendar();
    let uncovered =
        |date| Err(CalendarError::Uncovered { day: day(date), first: day(20_250_901), last: day(20_250_930) });
    assert_eq!(calendar.is_trading_day(day(20_251_001)), uncovered(20_251_001).map(|()| false));
    assert_eq!(calendar.next_trading_day(day(20_250_930)), uncovered(20_251_001).map(|()| TradingDay::ABSENT));
    assert_eq!(calendar.previous_trading_day(day(20_250_901)), uncovered(20_250_831).map(|()| TradingDay::ABSENT));
    let phases = |exchange, product, date| sessions.phases_of(exchange, product, day(date)).map(|spans| spans.start());
    assert_eq!(phases(Exchange::Shfe, "ru", 20_250_906), Err(CalendarError::NotTradingDay { day: day(20_250_906) }));
    let message = phases(Exchange::Shfe, "xx", 20_250_905).unwrap_err().to_string();
    assert_eq!(message, "no sessions for product xx of SHFE; add it to sessions.toml");
}

#[test]
fn natural_dates_of_a_monday() {
    let sessions = sessions();
    let natural = |hour: u32| sessions.calendar().natural_date(day(20_250_908), hour * 3600).unwrap();
    assert_eq!(natural(21), day(20_250_905), "Friday evening");
    assert_eq!(natural(0), day(20_250_906), "Saturday after midnight");
    assert_eq!(natural(9), day(20_250_908));
}

#[test]
fn templates_that_make_no_sense_are_refused() {
    use PhaseKind::Continuous;
    let night = |slots| NightTemplate::new(slots).unwrap_err();
    assert_eq!(night(vec![]), TemplateError::NoContinuous);
    assert_eq!(night(vec![slot((9, 0), (10, 0), Continuous)]), TemplateError::Outside { index: 0 });
    let overlap = vec![slot((21, 0), (23, 0), Continuous), slot((22, 0), (23, 30), Continuous)];
    assert_eq!(night(overlap), TemplateError::Order { index: 1 });
    let many = (0..6).map(|hour| slot((9 + hour, 0), (9 + hour, 30), Continuous)).collect();
    assert_eq!(DayTemplate::new(many, vec![]), Err(TemplateError::TooMany));
}

#[test]
fn rules_allow_what_is_stated_and_nothing_else() {
    let rules = OrderRules::new(&[
        Rule {
            exchanges: vec![Exchange::Shfe, Exchange::Dce],
            phases: vec![PhaseKind::Continuous],
            orders: vec![(OrderType::Limit, TimeInForce::Day), (OrderType::Limit, TimeInForce::Fak)],
            cancels: true,
        },
        Rule {
            exchanges: vec![Exchange::Dce],
            phases: vec![PhaseKind::Continuous, PhaseKind::AuctionNoCancel],
            orders: vec![(OrderType::Market, TimeInForce::Fok)],
            cancels: false,
        },
    ]);
    let mut allowed = 0;
    for &exchange in Exchange::ALL {
        for &phase in PhaseKind::ALL {
            for (&kind, &life) in OrderType::ALL.iter().flat_map(|k| TimeInForce::ALL.iter().map(move |l| (k, l))) {
                allowed += u32::from(rules.order_allowed(exchange, phase, kind, life));
            }
        }
    }
    assert_eq!(allowed, 2 * 2 + 2);
    assert!(rules.order_allowed(Exchange::Dce, PhaseKind::AuctionNoCancel, OrderType::Market, TimeInForce::Fok));
    assert!(rules.cancel_allowed(Exchange::Dce, PhaseKind::Continuous), "rows add up");
    assert!(!rules.cancel_allowed(Exchange::Dce, PhaseKind::AuctionNoCancel));
    assert!(!rules.cancel_allowed(Exchange::Ine, PhaseKind::Continuous));
}

fn watched(from: Nanos) -> PhaseClock {
    let mut clock = PhaseClock::new(sessions());
    // Announced in the other order: the clock emits by id.
    clock.watch(InstrumentId::new(1), Exchange::Shfe, "ru", from).unwrap();
    clock.watch(InstrumentId::new(0), Exchange::Czce, "AP", from).unwrap();
    clock
}

fn run(clock: &mut PhaseClock, until: Nanos) -> Vec<Phase> {
    let mut events = Vec::new();
    clock.advance(until, |phase| events.push(*phase)).unwrap();
    events
}

#[test]
fn the_clock_states_the_present_then_every_change() {
    let mut clock = watched(at(20_250_904, 12, 0));
    let first = run(&mut clock, at(20_250_904, 12, 0));
    let seen = |phase: &Phase| (phase.instrument.get(), phase.kind(), phase.trading_day);
    let shut = |id| (id, PhaseKind::Shut, day(20_250_905));
    assert_eq!(first.iter().map(seen).collect::<Vec<_>>(), [shut(0), shut(1)]);
    assert_eq!(clock.next_change(), Some(at(20_250_905, 8, 55)));

    let events = run(&mut clock, at(20_250_908, 9, 0));
    let night: Vec<_> = events.iter().filter(|phase| phase.start_ns >= at(20_250_905, 20, 0)).collect();
    let friday_night = night.first().unwrap();
    assert_eq!(friday_night.instrument, InstrumentId::new(1));
    assert_eq!((friday_night.start_ns, friday_night.trading_day), (at(20_250_905, 20, 55), day(20_250_908)));
    for pair in events.windows(2) {
        assert!((pair[0].start_ns, pair[0].instrument) < (pair[1].start_ns, pair[1].instrument), "by time, then id");
    }
}

#[test]
fn the_exchange_overrides_the_calendar_until_its_next_change() {
    let mut clock = watched(at(20_250_905, 9, 30));
    run(&mut clock, at(20_250_905, 9, 30));
    let ru = InstrumentId::new(1);
    let halt = clock.override_phase(ru, PhaseKind::Halted, at(20_250_905, 9, 40)).unwrap();
    assert_eq!((halt.kind(), halt.source), (PhaseKind::Halted, PhaseSource::Exchange.code()));
    assert_eq!(halt.end_ns, at(20_250_905, 10, 15), "holds until the calendar changes");
    assert_eq!(clock.override_phase(ru, PhaseKind::Halted, at(20_250_905, 9, 41)), None, "no news");
    assert_eq!(clock.current(ru).unwrap().kind(), PhaseKind::Halted);
    run(&mut clock, at(20_250_905, 10, 15));
    assert_eq!(clock.current(ru).unwrap().kind(), PhaseKind::Break);

    run(&mut clock, at(20_250_905, 20, 54));
    let early = clock.override_phase(ru, PhaseKind::AuctionOrders, at(20_250_905, 20, 54)).unwrap();
    assert_eq!(early.trading_day, day(20_250_908), "an early opening belongs to the day that opens");
}

#[test]
fn where_the_calendar_ends_the_clock_stays_shut_and_says_so_once() {
    let mut clock = watched(at(20_250_930, 14, 0));
    let events = run(&mut clock, at(20_250_930, 17, 59));
    let last = events.last().unwrap();
    assert_eq!((last.kind(), last.start_ns, last.end_ns), (PhaseKind::Shut, at(20_250_930, 15, 0), Nanos::ABSENT));
    assert_eq!(clock.next_change(), Some(at(20_250_930, 18, 0)));
    let error = clock.advance(Nanos::MAX, |phase| panic!("no event after the end: {phase:?}")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no calendar for 20251001: the holiday table covers 20250901 to 20250930; extend holidays.toml"
    );
    assert_eq!(clock.next_change(), None);
    assert_eq!(clock.advance(Nanos::MAX, |_| {}), Ok(()));
}

proptest! {
    /// However the clock is driven, it emits the same events.
    #[test]
    fn the_clock_does_not_depend_on_its_steps(steps in prop::collection::vec(1u64..400_000, 1..60)) {
        let (from, until) = (at(20_250_903, 7, 0), at(20_250_920, 7, 0));
        let whole = run(&mut watched(from), until);
        let mut clock = watched(from);
        let mut events = Vec::new();
        let mut now = from;
        for step in steps {
            now = now.after(step * Nanos::PER_SECOND).min(until);
            events.extend(run(&mut clock, now));
        }
        events.extend(run(&mut clock, until));
        prop_assert_eq!(events, whole);
    }

    /// The clock's word at a moment is the calendar's.
    #[test]
    fn the_clock_and_the_calendar_agree(second in 0u64..26 * 86_400) {
        let now = at(20_250_903, 0, 0).after(second * Nanos::PER_SECOND);
        let mut clock = watched(at(20_250_903, 0, 0));
        run(&mut clock, now);
        let span = sessions().phase_at(Exchange::Shfe, "ru", now).unwrap();
        let phase = clock.current(InstrumentId::new(1)).unwrap();
        prop_assert_eq!((phase.kind(), phase.start_ns, phase.end_ns), (span.kind, span.start, span.end));
    }
}
