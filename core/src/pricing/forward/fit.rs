//! The fit: every strike with both quotes says where the forward is, as surely as its spreads are narrow and the strike is
//! near; outliers lose their weight (Huber 1964).

use super::ParityPair;

/// The forward with the discount given.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ImpliedForward {
    /// The forward.
    pub forward: f64,
    /// Its standard error, as the strikes differ.
    pub error: f64,
    /// Strikes it comes from.
    pub strikes: usize,
}

/// Forward and discount both from the quotes: says how the market funds itself, but too uncertain to price with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FreeDiscount {
    /// The forward.
    pub forward: f64,
    /// The discount factor.
    pub discount: f64,
    /// Standard error of the discount factor, as the strikes differ.
    pub discount_error: f64,
    /// Strikes they come from.
    pub strikes: usize,
}

/// Why there is no forward.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoForward {
    /// Too few strikes have call and put quoted on both sides.
    #[error("{strikes} strikes with call and put quoted on both sides; {needed} are needed")]
    TooFew {
        /// Such strikes.
        strikes: usize,
        /// Strikes needed.
        needed: usize,
    },
    /// The discount factor is not a positive number.
    #[error("the discount factor must be a positive number")]
    Discount,
}

/// Strikes that a free discount needs.
const FREE_STRIKES: usize = 6;
/// Residuals beyond so many times their usual size count less.
const HUBER: f64 = 1.5;

/// The workspace of the fit: keep it, and nothing is allocated once it has seen the widest chain.
#[derive(Clone, Debug, Default)]
pub struct ParityFitter {
    rows: Vec<Row>,
    sizes: Vec<f64>,
}

/// A strike with both quotes.
#[derive(Clone, Copy, Debug)]
struct Row {
    strike: f64,
    /// Call less put, at mid.
    value: f64,
    /// Call and put together, at mid.
    straddle: f64,
    weight: f64,
    /// Forward that it says, where the discount is given.
    forward: f64,
    residual: f64,
    huber: f64,
}

impl ParityFitter {
    /// The forward for a given discount. Needs one strike with both quotes; three or more to be robust. About 2 us at 60
    /// strikes.
    pub fn fit(&mut self, pairs: &[ParityPair], discount: f64) -> Result<ImpliedForward, NoForward> {
        if !(discount > 0.0 && discount.is_finite()) {
            return Err(NoForward::Discount);
        }
        let strikes = self.take(pairs, 1)?;
        for row in &mut self.rows {
            row.forward = row.strike + row.value / discount;
        }
        let start = self.median();
        self.near_money(start);
        let mut forward = start;
        let mut scale = 0.0;
        for _ in 0..20 {
            scale = self.reweigh(|row| row.forward - forward);
            let (sum, all) = self.rows.iter().fold((0.0, 0.0), |(sum, all), row| {
                let weight = row.weight * row.huber;
                (sum + weight * row.forward, all + weight)
            });
            let next = sum / all;
            let settled = (next - forward).abs() <= 1e-12 * next.abs();
            forward = next;
            if settled {
                break;
            }
        }
        let all: f64 = self.rows.iter().map(|row| row.weight * row.huber).sum();
        Ok(ImpliedForward { forward, error: scale / all.sqrt(), strikes })
    }

    /// Forward and discount from the quotes alone. Needs six strikes, and a long expiry to say much.
    pub fn fit_free(&mut self, pairs: &[ParityPair]) -> Result<FreeDiscount, NoForward> {
        let strikes = self.take(pairs, FREE_STRIKES)?;
        for row in &mut self.rows {
            row.forward = row.strike + row.value;
        }
        let start = self.median();
        self.near_money(start);
        let (mut discount, mut forward) = (1.0, start);
        let (mut scale, mut spread) = (0.0, 1.0);
        for _ in 0..30 {
            scale = self.reweigh(|row| row.value - discount * (forward - row.strike));
            let (mut n, mut k, mut v, mut kk, mut kv) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for row in &self.rows {
                let weight = row.weight * row.huber;
                let strike = row.strike - start;
                n += weight;
                k += weight * strike;
                v += weight * row.value;
                kk += weight * strike * strike;
                kv += weight * strike * row.value;
            }
            spread = kk - k * k / n;
            if !(spread > 0.0) {
                return Err(NoForward::TooFew { strikes: 1, needed: FREE_STRIKES });
            }
            let next = -(kv - k * v / n) / spread;
            let settled = (next - discount).abs() <= 1e-13;
            discount = next;
            forward = start + (v + discount * k) / (n * discount);
            if settled {
                break;
            }
        }
        Ok(FreeDiscount { forward, discount, discount_error: scale / spread.sqrt(), strikes })
    }

    /// Takes the strikes with both quotes.
    fn take(&mut self, pairs: &[ParityPair], needed: usize) -> Result<usize, NoForward> {
        self.rows.clear();
        for pair in pairs {
            let (call, put) = (pair.call_ask - pair.call_bid, pair.put_ask - pair.put_bid);
            let two_sided = pair.call_bid > 0.0 && pair.put_bid > 0.0 && call >= 0.0 && put >= 0.0;
            let (call_mid, put_mid) = (0.5 * (pair.call_bid + pair.call_ask), 0.5 * (pair.put_bid + pair.put_ask));
            if !(two_sided && pair.strike > 0.0 && (call_mid + put_mid + pair.strike).is_finite()) {
                continue;
            }
            // Half of both spreads; a locked pair is no surer than a hundredth of a per mille of its strike.
            let error = (0.5 * (call + put)).max(1e-5 * pair.strike);
            self.rows.push(Row {
                strike: pair.strike,
                value: call_mid - put_mid,
                straddle: call_mid + put_mid,
                weight: 1.0 / (error * error),
                forward: 0.0,
                residual: 0.0,
                huber: 1.0,
            });
        }
        let strikes = self.rows.len();
        if strikes < needed { Err(NoForward::TooFew { strikes, needed }) } else { Ok(strikes) }
    }

    /// The weighted median of the forwards that the strikes say.
    fn median(&mut self) -> f64 {
        self.rows.sort_unstable_by(|one, other| one.forward.total_cmp(&other.forward));
        let half: f64 = 0.5 * self.rows.iter().map(|row| row.weight).sum::<f64>();
        let mut below = 0.0;
        for row in &self.rows {
            below += row.weight;
            if below >= half {
                return row.forward;
            }
        }
        f64::NAN
    }

    /// Lets strikes count less the farther they are from the money, in standard deviations: deep options trade rarely, and
    /// their quotes are old.
    fn near_money(&mut self, forward: f64) {
        let apart = |row: &Row| (row.strike - forward).abs();
        let nearest = self.rows.iter().min_by(|one, other| apart(one).total_cmp(&apart(other)));
        // A straddle at the money is worth 0.8 standard deviations.
        let deviation = nearest.map_or(0.0, |row| 1.25 * row.straddle);
        if deviation > 0.0 {
            for row in &mut self.rows {
                let x = (row.strike - forward) / deviation;
                row.weight *= (-0.5 * x * x).exp().max(1e-6);
            }
        }
    }

    /// Sets Huber's weights by residuals; returns their usual size in standard errors.
    fn reweigh(&mut self, residual: impl Fn(&Row) -> f64) -> f64 {
        self.sizes.clear();
        for row in &mut self.rows {
            row.residual = residual(row) * row.weight.sqrt();
            self.sizes.push(row.residual.abs());
        }
        let middle = self.sizes.len() / 2;
        let (_, &mut median, _) = self.sizes.select_nth_unstable_by(middle, f64::total_cmp);
        let scale = (1.4826 * median).max(1e-3);
        for row in &mut self.rows {
            let size = row.residual.abs() / scale;
            row.huber = if size > HUBER { HUBER / size } else { 1.0 };
        }
        scale
    }
}
