//! Greeks of positions in lots, in units of the underlying and in money. Exposures add up: by contract, by chain, by
//! underlying, over the book; long and short apart where one wants them apart.

use super::Leg;
use crate::pricing::{Expiry, Greeks};
use std::ops::{Add, AddAssign};

/// Trading days by which theta is stated.
pub const TRADING_DAYS: f64 = 242.0;

/// The Greeks of positions.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Exposure {
    /// Value at model prices.
    pub value: f64,
    /// Delta in lots of the contract itself: `delta * lots`. Adds up only among contracts of one unit.
    pub delta_lots: f64,
    /// Delta in units of the underlying (shares of an ETF).
    pub delta_units: f64,
    /// Delta in money: units times the forward. What a move of 100 % would make, at this slope.
    pub delta_cash: f64,
    /// Change of delta in units, per unit of the forward.
    pub gamma_units: f64,
    /// Change of delta in money for a move of 1 %.
    pub gamma_cash: f64,
    /// Money for one point (1 %) of volatility.
    pub vega: f64,
    /// Money for one trading day that passes.
    pub theta: f64,
    /// Money for one calendar day that passes.
    pub theta_calendar: f64,
    /// Money for one basis point of the rate.
    pub rho: f64,
    /// Change of delta in money for one point of volatility.
    pub vanna: f64,
    /// Change of vega for one point of volatility.
    pub volga: f64,
}

impl Exposure {
    /// The exposure of one leg.
    pub fn of(leg: &Leg, expiry: &Expiry) -> Self {
        Self::with(leg, expiry, &leg.greeks(expiry))
    }

    /// The exposure of a leg whose unit has these Greeks.
    pub(super) fn with(leg: &Leg, expiry: &Expiry, greeks: &Greeks) -> Self {
        let (units, forward) = (leg.units(), expiry.forward);
        Self {
            value: units * greeks.price,
            delta_lots: leg.lots * greeks.delta,
            delta_units: units * greeks.delta,
            delta_cash: units * greeks.delta * forward,
            gamma_units: units * greeks.gamma,
            gamma_cash: units * greeks.gamma * forward * forward / 100.0,
            vega: units * greeks.vega / 100.0,
            theta: units * greeks.theta / TRADING_DAYS,
            theta_calendar: units * greeks.theta / 365.0,
            rho: units * greeks.rho / 10_000.0,
            vanna: units * greeks.vanna * forward / 100.0,
            volga: units * greeks.volga / 10_000.0,
        }
    }

    /// The exposure of legs; one whose expiry is not in the list makes it not a number, so that it cannot go unseen.
    pub fn sum(legs: &[Leg], expiries: &[Expiry]) -> Self {
        legs.iter().fold(Self::default(), |sum, leg| match expiries.get(leg.expiry) {
            Some(expiry) => sum + Self::of(leg, expiry),
            None => Self { value: f64::NAN, delta_units: f64::NAN, ..sum },
        })
    }

    /// What the book would be if an order were filled: the order is a leg whose lots are signed.
    pub fn would_be(&self, order: &Leg, expiry: &Expiry) -> Self {
        *self + Self::of(order, expiry)
    }
}

impl Add for Exposure {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            delta_lots: self.delta_lots + other.delta_lots,
            delta_units: self.delta_units + other.delta_units,
            delta_cash: self.delta_cash + other.delta_cash,
            gamma_units: self.gamma_units + other.gamma_units,
            gamma_cash: self.gamma_cash + other.gamma_cash,
            vega: self.vega + other.vega,
            theta: self.theta + other.theta,
            theta_calendar: self.theta_calendar + other.theta_calendar,
            rho: self.rho + other.rho,
            vanna: self.vanna + other.vanna,
            volga: self.volga + other.volga,
        }
    }
}

impl AddAssign for Exposure {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
