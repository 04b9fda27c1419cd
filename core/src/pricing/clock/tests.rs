use super::*;
use crate::calendar::{Calendar, DayTemplate, NightTemplate, SessionRow, Sessions, SessionsSource, Slot};
use crate::codes::{Exchange, PhaseKind};
use crate::units::{Text, TradingDay};

fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not within {tolerance} of {expected}");
}

fn day(yyyymmdd: u32) -> TradingDay {
    TradingDay::new(yyyymmdd).unwrap()
}

fn at(yyyymmdd: u32, hour: u32, minute: u32) -> Nanos {
    Nanos::china(day(yyyymmdd), hour * 3600 + minute * 60, 0)
}

const WEIGHTS: ClockWeights = ClockWeights::new(240.0, 0.3, 0.1, 0.05);

/// An index that trades 9:30 to 11:30 and 13:00 to 15:00, and copper with its night until 1:00; 1 June 2026 is a holiday.
fn sessions() -> Sessions {
    let slot = |start_s: u32, end_s: u32, kind| Slot { start_s: start_s * 60, end_s: end_s * 60, kind };
    let index = DayTemplate::new(
        vec![
            slot(9 * 60 + 15, 9 * 60 + 25, PhaseKind::AuctionOrders),
            slot(9 * 60 + 30, 11 * 60 + 30, PhaseKind::Continuous),
            slot(13 * 60, 14 * 60 + 57, PhaseKind::Continuous),
            slot(14 * 60 + 57, 15 * 60, PhaseKind::ClosingAuction),
        ],
        vec![],
    );
    let copper = DayTemplate::new(
        vec![
            slot(9 * 60, 10 * 60 + 15, PhaseKind::Continuous),
            slot(10 * 60 + 30, 11 * 60 + 30, PhaseKind::Continuous),
            slot(13 * 60 + 30, 15 * 60, PhaseKind::Continuous),
        ],
        vec![],
    );
    let night = NightTemplate::new(vec![slot(21 * 60, 25 * 60, PhaseKind::Continuous)]);
    let row = |exchange, product: &str, day_template, night| SessionRow {
        exchange,
        product: Text::new(product.as_bytes()).unwrap(),
        from: day(20260101),
        until: day(20261231),
        day: day_template,
        night,
    };
    Sessions::new(SessionsSource {
        calendar: Calendar::new(day(20260101), day(20261231), &[day(20260601)]),
        days: vec![index.unwrap(), copper.unwrap()],
        nights: vec![night.unwrap()],
        rows: vec![row(Exchange::Cffex, "IO", 0, None), row(Exchange::Shfe, "cu", 1, Some(0))],
        nights_suspended: vec![],
    })
}

fn clock(exchange: Exchange, product: &str, minutes: f64) -> TradingClock {
    let weights = ClockWeights { session_minutes: minutes, ..WEIGHTS };
    TradingClock::new(&sessions(), exchange, product, day(20260526), day(20260619), &weights).unwrap()
}

#[test]
fn a_day_of_sessions_is_a_day_and_nights_weigh_what_they_should() {
    let clock = clock(Exchange::Cffex, "IO", 240.0);
    let left = |now: Nanos| clock.days(at(20260619, 15, 0)) - clock.days(now);
    // T(15:00) = T(9:30 of the next day) + the night.
    near(left(at(20260526, 15, 0)) - left(at(20260527, 9, 30)), 0.3, 1e-12);
    near(left(at(20260527, 9, 30)) - left(at(20260527, 15, 0)), 1.0, 1e-12);
    near(left(at(20260527, 9, 30)) - left(at(20260527, 10, 30)), 0.25, 1e-12);
    // Over the weekend of 30 May and the holiday of 1 June.
    near(left(at(20260529, 15, 0)) - left(at(20260602, 9, 30)), 0.3 + 0.1 + 0.05, 1e-12);
    near(left(at(20260605, 15, 0)) - left(at(20260608, 9, 30)), 0.3 + 0.1, 1e-12);
    near(clock.years(at(20260527, 9, 30), at(20260527, 15, 0)), 1.0 / WEIGHTS.year, 1e-15);
    assert_eq!(clock.range(), Some((at(20260526, 9, 30), at(20260619, 15, 0))));
}

#[test]
fn it_moves_every_second_of_a_session_and_stands_still_otherwise() {
    for (exchange, product, minutes) in [(Exchange::Cffex, "IO", 240.0), (Exchange::Shfe, "cu", 465.0)] {
        let clock = clock(exchange, product, minutes);
        let sessions = sessions();
        let second = 1.0 / (minutes * 60.0);
        let mut steps = 0;
        let (start, seconds) = (at(20260527, 0, 0), 3 * 86_400);
        for s in 0..seconds {
            let (now, next) = (start.after(s * Nanos::PER_SECOND), start.after((s + 1) * Nanos::PER_SECOND));
            let kind = |at| sessions.phase_at(exchange, product, at).unwrap().kind;
            let trades = |kind| matches!(kind, PhaseKind::Continuous | PhaseKind::ClosingAuction);
            let passed = clock.days(next) - clock.days(now);
            if trades(kind(now)) {
                near(passed, second, 1e-12);
            } else if trades(kind(next)) {
                steps += i32::from(passed > 0.0);
            } else {
                assert_eq!(passed, 0.0, "{now}");
            }
        }
        // One opening a day; copper's evenings are openings too, but not the last: it is the eve of a holiday. The breaks
        // are no nights.
        assert_eq!(steps, if product == "cu" { 5 } else { 3 });
    }
}

#[test]
fn an_options_price_moves_every_second_of_a_session_and_not_otherwise() {
    use crate::pricing::{Expiry, OptionType, black};
    let clock = clock(Exchange::Cffex, "IO", 240.0);
    let expiry = at(20260619, 15, 0);
    // Forward, volatility and rate held, and nothing to discount: time alone moves the price.
    let theo = |now: Nanos| {
        let expiry = Expiry { forward: 4_000.0, years: clock.years(now, expiry), rate: 0.0, discount_years: 0.0 };
        black::price(&expiry, OptionType::Call, 4_050.0, 0.2)
    };
    let moved = |from: Nanos, seconds: u64| theo(from) - theo(from.after(seconds * Nanos::PER_SECOND));
    for (hour, minute, minutes) in [(9, 30, 120_u64), (13, 0, 120)] {
        for second in 0..minutes * 60 {
            let now = at(20260527, hour, minute).after(second * Nanos::PER_SECOND);
            let step = moved(now, 1);
            // Days left are 17 and a half: a second is some 1e-6 of them.
            assert!(step > 0.0 && step < 1e-3, "{now}: {step}");
        }
    }
    assert_eq!(moved(at(20260527, 11, 30), 90 * 60), 0.0, "the break");
    assert_eq!(moved(at(20260527, 15, 0), 18 * 3_600), 0.0, "the night, until the opening");
    assert_eq!(moved(at(20260529, 15, 0), 66 * 3_600), 0.0, "the weekend");
    // The night weighs what it should, at the opening.
    let night = clock.years(at(20260527, 15, 0), expiry) - clock.years(at(20260528, 9, 30), expiry);
    near(night, 0.3 / WEIGHTS.year, 1e-15);
    assert!(moved(at(20260528, 9, 29), 60) > 0.0);
}

#[test]
fn a_night_session_parts_the_night() {
    let clock = clock(Exchange::Shfe, "cu", 465.0);
    // 15:00 to 21:00 and 1:00 to 9:00: six and eight hours of fourteen.
    near(clock.days(at(20260527, 21, 0)) - clock.days(at(20260527, 15, 0)), 0.3 * 6.0 / 14.0, 1e-12);
    near(clock.days(at(20260528, 9, 0)) - clock.days(at(20260528, 1, 0)), 0.3 * 8.0 / 14.0, 1e-12);
    near(clock.days(at(20260528, 15, 0)) - clock.days(at(20260527, 15, 0)), 1.3, 1e-12);
}

#[test]
fn a_year_weighs_one() {
    let sessions = sessions();
    let clock = TradingClock::new(&sessions, Exchange::Cffex, "IO", day(20260105), day(20261231), &WEIGHTS).unwrap();
    let (start, end) = clock.range().unwrap();
    // 258 weekdays but the holiday, 51 weekends between them; the first day counts from its opening.
    near(clock.days(end) - clock.days(start), 258.0 + 257.0 * 0.3 + 51.0 * 0.1 + 0.05, 1e-9);
    near(ClockWeights::new(240.0, 0.25, 0.1, 0.05).year, 242.0 * 1.25 + 5.1 + 0.95, 1e-9);
    near(calendar_years(at(20260101, 0, 0), at(20270101, 0, 0)), 1.0, 1e-12);
    assert_eq!(calendar_years(at(20260102, 0, 0), at(20260101, 0, 0)), 0.0);
}

#[test]
fn the_weight_of_nights_is_a_ratio_of_variances() {
    near(night_weight(&[0.01, -0.01], &[0.02, -0.02]).unwrap(), 0.25, 1e-15);
    assert_eq!(night_weight(&[0.1], &[0.01]), Some(1.0));
    assert_eq!(night_weight(&[], &[0.01]), None);
    assert_eq!(night_weight(&[0.01], &[0.0]), None);
}

#[test]
fn an_average_loses_variance_without_a_jump() {
    let clock = clock(Exchange::Cffex, "IO", 240.0);
    let window = SettlementAverage { start: at(20260619, 13, 0), end: at(20260619, 15, 0) };
    let tau = 0.5 / WEIGHTS.year;
    let early = window.at(&clock, at(20260618, 13, 0), 4_000.0, 0.0);
    near(early.years, clock.years(at(20260618, 13, 0), window.start) + tau / 3.0, 1e-15);
    assert_eq!((early.forward, early.delta_factor), (4_000.0, 1.0));
    // At its opening both sides agree.
    let opening = window.at(&clock, window.start, 4_000.0, 3_900.0);
    let opened = window.at(&clock, window.start.after(1), 4_000.0, 3_900.0);
    near(opened.years, opening.years, 1e-12);
    near(opened.forward, opening.forward, 1e-6);
    // Half way: half is known.
    let half = window.at(&clock, at(20260619, 14, 0), 4_000.0, 3_900.0);
    near(half.forward, 3_950.0, 1e-6);
    near(half.delta_factor, 0.5, 1e-12);
    near(half.years, tau / 6.0 * (2_000.0_f64 / 3_950.0).powi(2), 1e-12);
    let over = window.at(&clock, window.end, 4_000.0, 3_900.0);
    assert_eq!((over.forward, over.years, over.delta_factor), (3_900.0, 0.0, 0.0));
}

#[test]
fn the_average_of_a_brownian_motion_varies_by_a_third() {
    // Exact sum for a mean of n equally spaced readings: (n + 1)(2n + 1) / (6 n^2) of the window; 7,200 seconds.
    let n = 7_200.0_f64;
    near((n + 1.0) * (2.0 * n + 1.0) / (6.0 * n * n), 1.0 / 3.0, 1e-4);
}
