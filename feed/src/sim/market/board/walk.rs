//! What moves a board: the index, the smile's level at its near and far end and its skew, the futures' basis, and the
//! balance of buyers and sellers of volatility. From it each expiry has a forward and an SSVI smile (Gatheral and Jacquier
//! 2014), so what quotes are drawn around has no arbitrage, whatever the seed. Floats, by functions of `core::pricing`
//! that give the same bits on every run of a build; draws are whole numbers.
#![allow(clippy::float_arithmetic, reason = "mathematics of options; what leaves it is rounded to ticks")]

use super::super::rng::{Rng, bell};
use super::super::value::{SUBTICK_BITS, Value};
use shrike_core::pricing::clock::{SettlementAverage, TradingClock, calendar_years};
use shrike_core::pricing::elementary::exp;
use shrike_core::pricing::smile::Smile;
use shrike_core::pricing::surface::SsviSlice;
use shrike_core::pricing::{Expiry, Greeks, OptionType, black, elementary};
use shrike_core::units::{Nanos, TradingDay};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Discount rate, continuously compounded.
pub(super) const RATE: f64 = 0.02;
/// The index's tick.
pub(super) const INDEX_TICK: f64 = 0.01;
/// A year's variance reverts from the near level to the far one at this rate.
const REVERSION: f64 = 6.0;
/// A fall of the index by one per cent lifts the near level by so many volatility points, the far one by a fifth of it.
const LEVERAGE: f64 = 0.9;
/// SSVI's `eta` and its bounds' reason: `eta (1 + |rho|) <= 2` excludes butterflies at `gamma` one half.
const ETA: f64 = 0.9;
/// The night moves the smile as so many steps squared do.
const NIGHT_STEPS_ROOT: f64 = 60.0;
const LEVELS: RangeInclusive<f64> = 0.05..=1.5;
const SKEWS: RangeInclusive<f64> = -0.7..=0.1;

/// Which underlying an expiry is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    Index,
    Etf,
}

/// One expiry of a family: its facts, and what the present moment makes of them.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub family: Family,
    pub day: TradingDay,
    end: Nanos,
    clock: Arc<TradingClock>,
    /// Index options and futures settle at an average.
    average: Option<SettlementAverage>,
    /// Forward, years and rate to price with.
    pub expiry: Expiry,
    pub smile: SsviSlice,
}

impl Term {
    /// An expiry that ends at 15:00 of a day; `averages` when it settles at the mean of the last two hours.
    pub fn new(family: Family, day: TradingDay, clock: Arc<TradingClock>, averages: bool) -> Self {
        let at = |hour: u32| Nanos::china(day, hour * 3_600, 0);
        Self {
            family,
            day,
            end: at(15),
            clock,
            average: averages.then(|| SettlementAverage { start: at(13), end: at(15) }),
            expiry: Expiry::new(1.0, 0.0, RATE),
            smile: SsviSlice { theta: 1e-12, rho: 0.0, psi: 1e-6 },
        }
    }

    /// The value of an option of this expiry now, per unit of the underlying.
    pub fn value(&self, right: OptionType, strike: f64) -> Greeks {
        let years = self.expiry.years;
        let k = elementary::ln_ratio(strike, self.expiry.forward);
        let vol = if years > 0.0 { (self.smile.variance(k).w / years).sqrt() } else { 0.0 };
        black::greeks(&self.expiry, right, strike, vol)
    }
}

/// The state that all quotes of a board are drawn from.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub value: Value,
    pub rng: Rng,
    pub steps_per_day: u32,
    /// A step as a part of a year of trading days.
    step_years: f64,
    /// Volatility of the smile's near end, and its mean.
    pub near: f64,
    far: f64,
    mean: f64,
    rho: f64,
    /// What the futures stand above their fair price, a year.
    basis: f64,
    /// Buyers less sellers of volatility lately, between -1 and 1.
    demand: f64,
    /// The ETF's price as a part of the index.
    etf_ratio: f64,
    index: f64,
    /// The last step's return of the index.
    last_return: f64,
    /// Mean of the index since 13:00, for what settles at it.
    mean_sum: f64,
    mean_count: f64,
}

impl Walk {
    /// A board at an index level and an annual volatility in millionths. The ETF begins at a thousandth of the index.
    pub fn new(index_ticks: i64, annual_vol_ppm: u32, rng: Rng) -> Self {
        let level = bounded(f64::from(annual_vol_ppm) * 1e-6, &LEVELS);
        let value = Value::new(index_ticks);
        let mut walk = Self {
            value,
            rng,
            steps_per_day: 1,
            step_years: 0.0,
            near: level,
            far: level,
            mean: level,
            rho: -0.3,
            basis: 0.0,
            demand: 0.0,
            etf_ratio: 0.001,
            index: 0.0,
            last_return: 0.0,
            mean_sum: 0.0,
            mean_count: 0.0,
        };
        walk.see_index();
        walk
    }

    /// The underlying of a family, in its currency.
    pub const fn spot(&self, family: Family) -> f64 {
        match family {
            Family::Index => self.index,
            Family::Etf => self.index * self.etf_ratio,
        }
    }

    /// The mean of the index over the last two hours, once they have begun; else the index.
    pub fn settlement_mean(&self) -> f64 {
        if self.mean_count > 0.0 { self.mean_sum / self.mean_count } else { self.index }
    }

    /// A trading day of so many steps begins: the night's news move index and smile.
    pub fn begin_day(&mut self, steps: u32) {
        self.steps_per_day = steps.max(1);
        self.step_years = 1.0 / (243.0 * f64::from(self.steps_per_day));
        (self.mean_sum, self.mean_count) = (0.0, 0.0);
        self.see_index();
        self.move_smile(NIGHT_STEPS_ROOT);
    }

    /// One snapshot interval passes. `settles` within the last two hours of the day.
    pub fn step(&mut self, settles: bool) {
        self.value.step(&mut self.rng);
        self.see_index();
        self.move_smile(1.0);
        if settles {
            self.mean_sum += self.index;
            self.mean_count += 1.0;
        }
    }

    /// News in an auction, of so many deviations of a step: the index moves, the smile stays.
    pub fn hear(&mut self, deviations: i64) {
        self.value.shock(deviations, &mut self.rng);
        self.see_index();
    }

    /// The ETF pays a part of its price.
    pub fn pay(&mut self, close: i64, dividend: i64) {
        self.etf_ratio *= (close - dividend) as f64 / close as f64;
    }

    /// Options were bought (or, negative, sold), in 64ths of a large trade: volatility follows the demand.
    pub fn trade(&mut self, pressure_64ths: i64) {
        let pressure = pressure_64ths as f64 / 64.0;
        self.demand = (self.demand + 0.02 * pressure).clamp(-1.0, 1.0);
        self.near = bounded(self.near + 2e-5 * pressure, &LEVELS);
    }

    /// Of 256 trades, how many lift the offer: more when volatility is in demand, and of what the last move favours.
    pub fn buyers_of_256(&self, sign: i32) -> i64 {
        let favoured = (f64::from(sign) * self.last_return * 20_000.0).clamp(-1.0, 1.0);
        (128.0 + 24.0 * favoured + 12.0 * self.demand) as i64
    }

    fn see_index(&mut self) {
        let before = self.index;
        self.index = self.value.get() as f64 / f64::from(1u32 << SUBTICK_BITS) * INDEX_TICK;
        self.last_return = if before > 0.0 { self.index / before - 1.0 } else { 0.0 };
    }

    /// The smile after `root` squared steps: each factor reverts to its mean with noise, and the near end of the level
    /// answers the index.
    fn move_smile(&mut self, root: f64) {
        let ([level, level_far], [skew, basis]) = (bells(&mut self.rng), bells(&mut self.rng));
        let scale = self.step_years.sqrt() * root;
        let back = self.step_years * root * root;
        let fall = -LEVERAGE * self.last_return;
        let (near, far) = (self.near, self.far);
        let activity = self.value.activity() as f64 / 256.0;
        self.near = bounded(near + 12.0 * (far - near) * back + 0.6 * near * scale * activity * level + fall, &LEVELS);
        self.far = bounded(far + 3.0 * (self.mean - far) * back + 0.2 * far * scale * level_far + 0.2 * fall, &LEVELS);
        self.rho = bounded(self.rho + 8.0 * (-0.3 - self.rho) * back + 0.5 * scale * skew, &SKEWS);
        self.basis = (self.basis - 20.0 * self.basis * back + 0.1 * scale * basis).clamp(-0.05, 0.05);
        self.demand -= self.demand * (back * 5_000.0).min(1.0);
    }

    /// What a moment makes of an expiry.
    pub fn look(&self, term: &mut Term, now: Nanos) {
        let days = calendar_years(now, term.end);
        let forward = self.spot(term.family) * exp((RATE + self.basis) * days);
        let mut years = term.clock.years(now, term.end);
        let mut expiry = Expiry { forward, years, rate: RATE, discount_years: days };
        if let Some(average) = term.average {
            let averaged = average.at(&term.clock, now, forward, self.settlement_mean());
            years = averaged.years;
            (expiry.forward, expiry.years) = (averaged.forward, years);
        }
        // Variance to an expiry: the near level's, reverting to the far one's.
        let reverted = -(exp(-REVERSION * years) - 1.0) / REVERSION;
        let (near, far) = (self.near * self.near, self.far * self.far);
        let theta = (far * years + (near - far) * reverted).max(1e-12);
        let psi = ETA * (theta / (1.0 + theta)).sqrt();
        term.expiry = expiry;
        term.smile = SsviSlice { theta, rho: self.rho, psi };
    }
}

/// Two nearly normal numbers of one deviation.
fn bells(rng: &mut Rng) -> [f64; 2] {
    const DEVIATION: f64 = Rng::BELL_DEVIATION_64THS as f64 / 64.0;
    let bits = rng.bits();
    [bits as u32, (bits >> 32) as u32].map(|half| bell(half) as f64 / DEVIATION)
}

fn bounded(value: f64, range: &RangeInclusive<f64>) -> f64 {
    value.clamp(*range.start(), *range.end())
}
