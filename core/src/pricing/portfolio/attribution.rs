//! Where a result came from, over one step from a start to an end: each Greek at the start times what moved, trades at
//! their fills against the end's model price, fees, and what the expansion leaves over. The terms add up to the change of
//! value by construction.

use super::{Contract, Leg, VolMove};
use crate::pricing::Expiry;

/// One leg over a step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LegStep<'a> {
    /// What was held at the start, with the volatility of the start.
    pub leg: Leg,
    /// The expiry at the start.
    pub start: Expiry,
    /// The expiry at the end.
    pub end: Expiry,
    /// How the volatility of the strike changed.
    pub vol: VolMove,
    /// What was traded meanwhile.
    pub trades: &'a [Trade],
}

/// A fill during a step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Trade {
    /// Lots; negative when sold.
    pub lots: f64,
    /// Price of the fill.
    pub price: f64,
    /// Fees paid.
    pub fees: f64,
}

/// A result in parts, in money.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Attribution {
    /// The whole result.
    pub total: f64,
    /// The forward moved.
    pub delta: f64,
    /// Delta changed as it moved.
    pub gamma: f64,
    /// Volatility changed because the forward moved along the smile.
    pub vega_slide: f64,
    /// The smile's level changed.
    pub vega_level: f64,
    /// Its slope changed.
    pub vega_skew: f64,
    /// Its curvature changed.
    pub vega_curvature: f64,
    /// Its wings changed.
    pub vega_wings: f64,
    /// Time passed.
    pub theta: f64,
    /// Forward and volatility moved together.
    pub vanna: f64,
    /// Vega changed as volatility moved.
    pub volga: f64,
    /// The rate changed.
    pub rho: f64,
    /// Fills against the model at the end of the step.
    pub trades: f64,
    /// Fees, negative.
    pub fees: f64,
    /// What the terms above do not explain.
    pub residual: f64,
    /// Of the result on what was held: change of intrinsic value.
    pub intrinsic: f64,
    /// Of the result on what was held: change of time value.
    pub time_value: f64,
}

impl Attribution {
    /// The parts of one leg's result.
    pub fn of(step: &LegStep<'_>) -> Self {
        let LegStep { leg, start, end, vol, trades } = *step;
        let (units, greeks) = (leg.units(), leg.greeks(&start));
        let (vol_start, dv) = match leg.contract {
            Contract::Underlying => (0.0, 0.0),
            Contract::Option { vol: at_start, .. } => (at_start, vol.total()),
        };
        let last = leg.with_vol(vol_start + dv).price(&end);
        let df = end.forward - start.forward;
        let (passed, passed_calendar) = (start.years - end.years, start.discount_years - end.discount_years);
        // Interest accrues by the calendar, decay by the clock of variance. An option's value depends on the product of rate
        // and calendar time alone, so rho tells what the calendar takes of theta.
        let interest = if start.discount_years > 0.0 { -start.rate * greeks.rho / start.discount_years } else { 0.0 };
        let held = units * (last - greeks.price);
        let vega = units * greeks.vega;
        let mut parts = Self {
            delta: units * greeks.delta * df,
            gamma: 0.5 * units * greeks.gamma * df * df,
            vega_slide: vega * vol.slide,
            vega_level: vega * vol.level,
            vega_skew: vega * vol.skew,
            vega_curvature: vega * vol.curvature,
            vega_wings: vega * vol.wings,
            theta: units * (interest * passed_calendar + (greeks.theta - interest) * passed),
            vanna: units * greeks.vanna * df * dv,
            volga: 0.5 * units * greeks.volga * dv * dv,
            rho: units * greeks.rho * (end.rate - start.rate),
            trades: trades.iter().map(|trade| trade.lots * leg.unit * (last - trade.price)).sum(),
            fees: -trades.iter().map(|trade| trade.fees).sum::<f64>(),
            ..Self::default()
        };
        parts.total = held + parts.trades + parts.fees;
        parts.residual = parts.total - parts.explained();
        parts.intrinsic = units * (intrinsic(&leg, &end) - intrinsic(&leg, &start));
        parts.time_value = held - parts.intrinsic;
        parts
    }

    /// The parts of all legs' results together.
    pub fn sum<'a>(steps: impl IntoIterator<Item = &'a LegStep<'a>>) -> Self {
        steps.into_iter().map(Self::of).fold(Self::default(), |sum, parts| sum.plus(&parts))
    }

    /// Every term but the residual.
    pub fn terms(&self) -> [f64; 13] {
        [
            self.delta,
            self.gamma,
            self.vega_slide,
            self.vega_level,
            self.vega_skew,
            self.vega_curvature,
            self.vega_wings,
            self.theta,
            self.vanna,
            self.volga,
            self.rho,
            self.trades,
            self.fees,
        ]
    }

    fn explained(&self) -> f64 {
        self.terms().iter().sum()
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            total: self.total + other.total,
            delta: self.delta + other.delta,
            gamma: self.gamma + other.gamma,
            vega_slide: self.vega_slide + other.vega_slide,
            vega_level: self.vega_level + other.vega_level,
            vega_skew: self.vega_skew + other.vega_skew,
            vega_curvature: self.vega_curvature + other.vega_curvature,
            vega_wings: self.vega_wings + other.vega_wings,
            theta: self.theta + other.theta,
            vanna: self.vanna + other.vanna,
            volga: self.volga + other.volga,
            rho: self.rho + other.rho,
            trades: self.trades + other.trades,
            fees: self.fees + other.fees,
            residual: self.residual + other.residual,
            intrinsic: self.intrinsic + other.intrinsic,
            time_value: self.time_value + other.time_value,
        }
    }
}

/// What exercising a unit now would give; all of the underlying.
fn intrinsic(leg: &Leg, expiry: &Expiry) -> f64 {
    match leg.contract {
        Contract::Underlying => expiry.forward,
        Contract::Option { option_type, strike, .. } => option_type.intrinsic(expiry.forward, strike),
    }
}
