//! What the exchanges' rules say of an option board: months, expiries, strikes, price limits, the circuit breaker, and
//! what a dividend does to a contract. Pure functions of whole numbers; prices are raw units of 1e-8.
//!
//! Sources: SSE, contract specifications of ETF options and Rules of Stock Options Trading (pilot); CFFEX, contract
//! specifications of IH, IF, HO and IO.

use shrike_core::calendar::{Calendar, CalendarError};
use shrike_core::codes::OptionType;
use shrike_core::event::InstrumentDef;
use shrike_core::units::{SCALE, TradingDay};

/// Which months are listed, and when they expire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Months {
    /// Months in a row from the current one.
    pub near: usize,
    /// Quarterly months (March, June, September, December) after those.
    pub quarters: usize,
    /// Weekday of the expiry, Monday 0, and which of the month.
    pub weekday: u32,
    pub nth: i64,
}

/// SSE ETF options: the current and the next month and two quarterly ones, to the fourth Wednesday.
pub(super) const ETF_OPTIONS: Months = Months { near: 2, quarters: 2, weekday: 2, nth: 4 };
/// CFFEX index options: three months in a row and three quarterly ones, to the third Friday.
pub(super) const INDEX_OPTIONS: Months = Months { near: 3, quarters: 3, weekday: 4, nth: 3 };
/// CFFEX index futures: two months in a row and two quarterly ones, to the third Friday.
pub(super) const INDEX_FUTURES: Months = Months { near: 2, quarters: 2, weekday: 4, nth: 3 };

/// A listed month.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Month {
    pub year: u32,
    pub month: u32,
    /// Whether it is one of the quarterly months behind those in a row.
    pub is_far: bool,
    /// Last trading day.
    pub expiry: TradingDay,
}

/// The n-th weekday of a month, holidays aside. Absent outside of the calendar.
pub(in super::super) fn nth_weekday(year: u32, month: u32, weekday: u32, nth: i64) -> TradingDay {
    let Some(first) = TradingDay::new(year * 10_000 + month * 100 + 1) else { return TradingDay::ABSENT };
    first.plus_days((i64::from(weekday) + 7 - i64::from(first.weekday())) % 7 + 7 * (nth - 1))
}

impl Months {
    /// The months listed on a day, earliest first. An expiry on a holiday moves to the next trading day.
    pub fn on(&self, day: TradingDay, calendar: &Calendar) -> Result<Vec<Month>, CalendarError> {
        let (year, month, _) = day.ymd();
        let (mut at, mut listed) = (year * 12 + month - 1, Vec::new());
        while listed.len() < self.near + self.quarters {
            let (year, month) = (at / 12, at % 12 + 1);
            at += 1;
            let is_far = listed.len() >= self.near;
            if is_far && month % 3 != 0 {
                continue;
            }
            let due = nth_weekday(year, month, self.weekday, self.nth);
            let expiry = if calendar.is_trading_day(due)? { due } else { calendar.next_trading_day(due)? };
            if expiry >= day {
                listed.push(Month { year, month, is_far, expiry });
            }
        }
        Ok(listed)
    }
}

/// The step between strikes at and above which the next one holds, by upper bounds of the strike in raw units.
fn step(strike: i64, bounds: &[(i64, i64)]) -> i64 {
    bounds.iter().find(|(most, _)| strike < *most).or(bounds.last()).map_or(SCALE, |(_, step)| *step)
}

/// SSE: 0.05 up to a strike of 3 yuan, 0.1 up to 5, 0.25 up to 10, 0.5 beyond (up to 20).
pub(super) fn etf_strike_step(strike: i64) -> i64 {
    const CENT: i64 = SCALE / 100;
    step(strike, &[(3 * SCALE, 5 * CENT), (5 * SCALE, 10 * CENT), (10 * SCALE, 25 * CENT), (i64::MAX, 50 * CENT)])
}

/// CFFEX: 25 points up to 2,500, 50 up to 5,000, 100 up to 10,000, 200 beyond; twice that in the far quarterly months.
pub(super) fn index_strike_step(strike: i64, is_far: bool) -> i64 {
    let points = |n: i64| n * SCALE * if is_far { 2 } else { 1 };
    let bounds = [(2_500, 25), (5_000, 50), (10_000, 100)].map(|(most, step)| (most * SCALE, points(step)));
    let [low, middle, high] = bounds;
    step(strike, &[low, middle, high, (i64::MAX, points(200))])
}

/// The strikes of a grid from `low` to `high`, the last at or below `low` and the first at or above `high` included.
pub(super) fn strikes(low: i64, high: i64, step: impl Fn(i64) -> i64) -> Vec<i64> {
    // The bounds are on both of the grids they part, so a multiple of its own step is on the grid.
    let mut strike = low - low % step(low);
    let mut all = Vec::new();
    while strike > 0 {
        all.push(strike);
        if strike >= high {
            break;
        }
        strike += step(strike);
    }
    all
}

/// SSE's price limits of an ETF option, raw: from the previous settlement price, the strike and the ETF's previous close.
/// Below a tick nothing is quoted, and on the last trading day nothing limits the fall.
pub(super) fn etf_option_limits(right: OptionType, settled: i64, strike: i64, close: i64, tick: i64) -> (i64, i64) {
    let (base, moneyness) = match right {
        OptionType::Call => (close, 2 * close - strike),
        OptionType::Put => (strike, 2 * strike - close),
    };
    let rise = (base / 200).max(moneyness.min(close) / 10);
    let round = |raw: i64| (raw + tick / 2) / tick * tick;
    (round(settled - close / 10).max(tick), round(settled + rise).max(tick))
}

/// CFFEX's price limits of an index option, raw: a tenth of the index's previous close to each side, at least a tick.
pub(super) const fn index_option_limits(settled: i64, close: i64, tick: i64) -> (i64, i64) {
    let width = close / 10;
    let (lower, upper) = ((settled - width + tick - 1) / tick * tick, (settled + width) / tick * tick);
    (if lower < tick { tick } else { lower }, upper)
}

/// Unit and strike of a contract after a dividend of the ETF: the unit grows as `close / (close - dividend)`, rounded to a
/// whole number, and unit x strike stays, the strike rounded to 0.001.
pub(super) fn adjusted(unit: i64, strike: i64, close: i64, dividend: i64) -> (i64, i64) {
    const MILLI: i128 = SCALE as i128 / 1_000;
    let divide = |numerator: i128, denominator: i128| (numerator + denominator / 2) / denominator.max(1);
    let new_unit = divide(i128::from(unit) * i128::from(close), i128::from(close - dividend));
    let new_strike = divide(i128::from(strike) * i128::from(unit), new_unit * MILLI) * MILLI;
    (new_unit as i64, new_strike as i64)
}

/// Minutes of the call auction that a circuit breaker begins.
pub(super) const BREAKER_MINUTES: u64 = 3;

/// Whether a trade trips SSE's circuit breaker: half of the reference price, and ten ticks, away from it (notice SSE Fa
/// [2019] 119, in force since 23 Dec 2019). The reference price is that of the last call auction.
pub(super) const fn trips_breaker(last: i64, reference: i64) -> bool {
    let away = (last - reference).abs();
    reference > 0 && 2 * away >= reference && away >= 10
}

/// An ETF option's short name without its fund: `购6月2450`, and after a dividend `购6月2425A`: the new strike in
/// thousandths, and the letter that marks an adjusted contract. `None` for what is no option.
pub fn short_name(def: &InstrumentDef) -> Option<String> {
    let right = match def.option_type()? {
        OptionType::Call => "购",
        OptionType::Put => "沽",
    };
    let (_, month, _) = def.expiry.ymd();
    let (milli, mark) = (def.strike.raw() / (SCALE / 1_000), if def.adjusted != 0 { "A" } else { "" });
    Some(format!("{right}{month}月{milli:04}{mark}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shrike_config::tables::Tables;
    use shrike_core::units::Price;

    fn day(yyyymmdd: u32) -> TradingDay {
        TradingDay::new(yyyymmdd).unwrap()
    }

    fn raw(text: &str) -> i64 {
        Price::parse(text).unwrap().raw()
    }

    #[test]
    fn months_and_expiries_are_those_of_the_exchanges() {
        let tables = Tables::builtin().unwrap();
        let on = |months: Months, yyyymmdd| -> Vec<(u32, u32)> {
            let listed = months.on(day(yyyymmdd), tables.sessions.calendar()).unwrap();
            listed.iter().map(|month| (month.year * 100 + month.month, month.expiry.get())).collect()
        };
        assert_eq!(
            on(ETF_OPTIONS, 20_240_603),
            [(202_406, 20_240_626), (202_407, 20_240_724), (202_409, 20_240_925), (202_412, 20_241_225)]
        );
        // The day after an expiry the next month is listed.
        assert_eq!(on(ETF_OPTIONS, 20_240_627)[..2], [(202_407, 20_240_724), (202_408, 20_240_828)]);
        assert_eq!(
            on(INDEX_OPTIONS, 20_240_603).iter().map(|month| month.0).collect::<Vec<_>>(),
            [202_406, 202_407, 202_408, 202_409, 202_412, 202_503]
        );
        assert_eq!(on(INDEX_FUTURES, 20_240_603)[0].1, 20_240_621);
        // The third Friday of February 2024 was a holiday: the Monday after it.
        assert_eq!(on(INDEX_FUTURES, 20_240_201)[0].1, 20_240_219);
    }

    #[test]
    fn strikes_are_on_the_grid_and_cover_the_range() {
        let texts = |all: Vec<i64>| all.iter().map(|raw| Price::from_raw(*raw).to_string()).collect::<Vec<_>>();
        assert_eq!(texts(strikes(raw("2.93"), raw("3.15"), etf_strike_step)), ["2.9", "2.95", "3", "3.1", "3.2"]);
        assert_eq!(
            texts(strikes(raw("2460"), raw("2540"), |strike| index_strike_step(strike, false))),
            ["2450", "2475", "2500", "2550"]
        );
        assert_eq!(texts(strikes(raw("4930"), raw("5150"), |strike| index_strike_step(strike, true))).len(), 3);
    }

    #[test]
    fn limits_are_the_published_example() {
        // 50ETF April put at 2.7 on 3 Apr 2018: settled at 0.0699, the fund's close 2.702: up to 0.3397.
        let limits = etf_option_limits(OptionType::Put, raw("0.0699"), raw("2.7"), raw("2.702"), raw("0.0001"));
        assert_eq!(limits, (raw("0.0001"), raw("0.3397")));
        // Far out of the money half a per cent of the fund remains.
        let limits = etf_option_limits(OptionType::Call, raw("0.001"), raw("6"), raw("2.7"), raw("0.0001"));
        assert_eq!(limits.1, raw("0.0145"));
        assert_eq!(index_option_limits(raw("50.2"), raw("2450"), raw("0.2")), (raw("0.2"), raw("295.2")));
    }

    #[test]
    fn a_dividend_adjusts_as_published() {
        // 28 Nov 2016: close 2.460, dividend 0.053: a unit of 10220; a strike of 1.95 became 1.908.
        assert_eq!(adjusted(10_000, raw("1.95"), raw("2.46"), raw("0.053")), (10_220, raw("1.908")));
        let mut def =
            InstrumentDef { expiry: day(20_161_228), strike: Price::from_raw(raw("1.95")), ..Default::default() };
        assert_eq!(short_name(&def), None);
        def.option_type = OptionType::Call.code();
        assert_eq!(short_name(&def).unwrap(), "购12月1950");
        (def.strike, def.adjusted) = (Price::from_raw(raw("1.908")), 1);
        assert_eq!(short_name(&def).unwrap(), "购12月1908A");
    }

    #[test]
    fn the_breaker_needs_half_and_ten_ticks() {
        assert!(trips_breaker(150, 100) && trips_breaker(50, 100) && !trips_breaker(149, 100));
        assert!(!trips_breaker(9, 4) && trips_breaker(14, 4) && !trips_breaker(5, 0));
    }
}
