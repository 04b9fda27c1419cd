//! The scenario ladder: what the book is worth, and its Greeks, if the underlying, volatility and time move. Results count
//! from the model's value now, so that nothing moved gives exactly nothing.

use super::{Contract, Exposure, Leg};
use crate::pricing::american::Boundaries;
use crate::pricing::black::{self, Chain, Columns};
use crate::pricing::{Expiry, OptionStyle, OptionType};

/// A move of the market.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Shock {
    /// Relative move of all forwards: 0.01 is 1 % up.
    pub spot: f64,
    /// Absolute move of all volatilities: 0.01 is one point up.
    pub vol: f64,
    /// Years that pass on the clock of variance.
    pub years: f64,
    /// Years that pass on the calendar.
    pub calendar_years: f64,
}

/// One scenario's result.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cell {
    /// The move.
    pub shock: Shock,
    /// Value less the value now.
    pub result: f64,
    /// The book there.
    pub exposure: Exposure,
}

/// Scenarios in order of time, then volatility, then spot.
#[derive(Clone, PartialEq, Debug)]
pub struct Ladder {
    /// The cells; `cells[(t * vols + v) * spots + s]`.
    pub cells: Vec<Cell>,
}

/// Volatility never falls below this in a scenario.
const VOL_MIN: f64 = 1e-3;

impl Ladder {
    /// Every combination of the moves given: `spots` and `vols` as in [`Shock`], `times` as `(years, calendar_years)`.
    /// `vol_at` says which volatility a leg has at a forward before the shock is added: the leg's own for a sticky strike,
    /// a smile's for a sticky moneyness; without one an option is worth no number. Below 100 ns for each leg and cell; 4 us for
    /// an American option, whose boundaries all cells share.
    pub fn new(
        legs: &[Leg],
        expiries: &[Expiry],
        spots: &[f64],
        vols: &[f64],
        times: &[(f64, f64)],
        vol_at: impl Fn(&Leg, &Expiry) -> Option<f64>,
    ) -> Self {
        let mut chains: Vec<Legs<'_>> = expiries.iter().map(|_| Legs::default()).collect();
        let mut unknown = Exposure::default();
        for leg in legs {
            match chains.get_mut(leg.expiry) {
                Some(chain) => chain.add(leg),
                None => unknown = Exposure::sum(&[*leg], expiries),
            }
        }
        let mut boundaries = None;
        let mut value = |shock: &Shock| {
            let chains = chains.iter_mut().zip(expiries);
            chains.fold(unknown, |sum, (chain, expiry)| {
                sum + chain.exposure(&shock.applied(expiry), shock.vol, &vol_at, &mut boundaries)
            })
        };
        let now = value(&Shock::default()).value;
        let mut cells = Vec::with_capacity(spots.len() * vols.len() * times.len());
        for &(years, calendar_years) in times {
            for &vol in vols {
                for &spot in spots {
                    let shock = Shock { spot, vol, years, calendar_years };
                    let exposure = value(&shock);
                    cells.push(Cell { shock, result: exposure.value - now, exposure });
                }
            }
        }
        Self { cells }
    }

    /// The cell with the worst result.
    pub fn worst(&self) -> Option<&Cell> {
        self.cells.iter().min_by(|one, other| one.result.total_cmp(&other.result))
    }
}

/// The legs of one expiry, European options as columns.
#[derive(Default)]
struct Legs<'a> {
    options: Vec<&'a Leg>,
    american: Vec<(&'a Leg, OptionType, f64)>,
    others: Vec<&'a Leg>,
    types: Vec<OptionType>,
    strikes: Vec<f64>,
    vols: Vec<f64>,
    columns: Columns,
}

impl<'a> Legs<'a> {
    fn add(&mut self, leg: &'a Leg) {
        match leg.contract {
            Contract::Underlying => self.others.push(leg),
            Contract::Option { option_type, strike, style: OptionStyle::American, .. } => {
                self.american.push((leg, option_type, strike));
            }
            Contract::Option { option_type, strike, style: OptionStyle::European, .. } => {
                self.options.push(leg);
                self.types.push(option_type);
                self.strikes.push(strike);
            }
        }
    }

    /// All legs' exposure at an expiry as it would be, volatilities moved by `shift`. The boundaries are made for the first
    /// American option.
    fn exposure(
        &mut self,
        expiry: &Expiry,
        shift: f64,
        vol_at: impl Fn(&Leg, &Expiry) -> Option<f64>,
        boundaries: &mut Option<Boundaries>,
    ) -> Exposure {
        let vol = |leg: &Leg| vol_at(leg, expiry).map_or(f64::NAN, |vol| (vol + shift).max(VOL_MIN));
        self.vols.clear();
        self.vols.extend(self.options.iter().map(|leg| vol(leg)));
        let chain = Chain { expiry: *expiry, types: &self.types, strikes: &self.strikes, vols: &self.vols };
        black::greeks_of_chain(&chain, &mut self.columns);
        let mut sum = Exposure::default();
        for (row, leg) in self.options.iter().enumerate() {
            sum += Exposure::with(leg, expiry, &self.columns.row(row));
        }
        for &(leg, option_type, strike) in &self.american {
            let boundaries = boundaries.get_or_insert_with(Boundaries::new);
            sum += Exposure::with(leg, expiry, &boundaries.greeks(expiry, option_type, strike, vol(leg)));
        }
        self.others.iter().fold(sum, |sum, leg| sum + Exposure::of(leg, expiry))
    }
}

impl Shock {
    /// An expiry after the move.
    pub fn applied(&self, expiry: &Expiry) -> Expiry {
        Expiry {
            forward: expiry.forward * (1.0 + self.spot),
            years: (expiry.years - self.years).max(0.0),
            discount_years: (expiry.discount_years - self.calendar_years).max(0.0),
            ..*expiry
        }
    }
}
