//! Costs of a surface: one smile fitted again, and a board of 1,000 options from quotes to forwards, volatilities, Greeks
//! and smiles. The quotes change between two states, as much as they do from one second to the next.

use crate::mechanics::batches;
use crate::{Host, Outcome};
use shrike_core::pricing::black::{self, Chain, Columns};
use shrike_core::pricing::forward::{ParityFitter, ParityPair};
use shrike_core::pricing::implied::{self, Expiries, Vols, black_vols, out_of_the_money};
use shrike_core::pricing::portfolio::{Contract, Ladder, Leg};
use shrike_core::pricing::smile::{Calibration, Point, Smile};
use shrike_core::pricing::surface::{BoardSlice, Ssvi, SurfaceFitter};
use shrike_core::pricing::{Expiry, OptionStyle, OptionType};
use std::hint::black_box;

const SAMPLES: u64 = 1_000;
const EXPIRIES: usize = 8;
/// With calls and puts 1,000 options over eight expiries: 62 or 63 strikes each.
const OPTIONS: usize = 1_000;
const RATE: f64 = 0.02;

/// Numbers within -1 and 1 (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// One expiry as quoted.
struct Quoted {
    years: f64,
    pairs: Vec<ParityPair>,
}

/// A board about a spot: an SSVI surface, spreads that widen to the wings, mids off by up to a fifth of half a spread.
fn board(spot: f64, dice: &mut Dice) -> Vec<Quoted> {
    let truth = Ssvi { rho: -0.5, eta: 0.9, gamma: 0.4 };
    let years = [0.02_f64, 0.06, 0.12, 0.2, 0.35, 0.6, 1.0, 1.5];
    years
        .iter()
        .enumerate()
        .map(|(place, &years)| {
            let expiry = Expiry::new(spot * (0.01 * years).exp(), years, RATE);
            let slice = truth.slice(0.04 * years);
            let deviation = slice.theta.sqrt();
            let strikes = (OPTIONS / 2 + EXPIRIES - 1 - place) / EXPIRIES;
            let pairs = (0..strikes).map(|i| {
                let k = deviation * (5.0 * i as f64 / (strikes - 1) as f64 - 2.7);
                let strike = 3.0 * (k / deviation * 0.2 * years.sqrt()).exp();
                let vol = slice.vol((strike / expiry.forward).ln(), years);
                let mut quote = |option_type| {
                    let greeks = black::greeks(&expiry, option_type, strike, vol);
                    let half = (0.003 * greeks.vega).max(0.000_05);
                    let mid = greeks.price + 0.2 * half * dice.next();
                    ((mid - half).max(0.000_01), mid + half)
                };
                let ((call_bid, call_ask), (put_bid, put_ask)) = (quote(OptionType::Call), quote(OptionType::Put));
                ParityPair { strike, call_bid, call_ask, put_bid, put_ask }
            });
            Quoted { years, pairs: pairs.collect() }
        })
        .collect()
}

/// A slice of 25 strikes fitted again, from the smile of a moment ago.
pub fn slice(host: &mut Host) -> Outcome {
    let mut dice = Dice(7);
    let truth = Ssvi { rho: -0.5, eta: 0.9, gamma: 0.4 }.slice(0.01);
    let mut points = || -> Vec<Point> {
        (0..25)
            .map(|i| {
                let k = 0.1 * (5.0 * f64::from(i) / 24.0 - 2.7);
                let w = truth.total(k);
                let error = 0.02 * w;
                Point { k, w: w + error * dice.next(), weight: 1.0 / (error * error) }
            })
            .collect()
    };
    let states = [points(), points()];
    let mut calibration = Calibration::default();
    let mut last = calibration.fit(&states[1], None).ok().map(|fit| fit.svi);
    let mut turn = 0;
    batches(host, SAMPLES * 10, 2, || {
        let fit = calibration.fit(&states[turn % 2], last.as_ref()).ok();
        last = black_box(fit).map(|fit| fit.svi);
        turn += 1;
    })
}

/// Prices of which the volatilities are wanted, as columns.
#[derive(Default)]
struct Wanted {
    types: Vec<OptionType>,
    strikes: Vec<f64>,
    prices: Vec<f64>,
}

impl Wanted {
    fn clear(&mut self) {
        self.types.clear();
        self.strikes.clear();
        self.prices.clear();
    }

    fn push(&mut self, option_type: OptionType, strike: f64, price: f64) {
        self.types.push(option_type);
        self.strikes.push(strike);
        self.prices.push(price);
    }

    fn invert(&self, expiry: Expiry, vols: &mut Vols) {
        let expiries = Expiries::Same(expiry);
        let chain = implied::Chain { expiries, types: &self.types, strikes: &self.strikes, prices: &self.prices };
        black_vols(&chain, vols);
    }
}

/// What a board's pass keeps.
struct Pass {
    parity: ParityFitter,
    fitter: SurfaceFitter,
    mids: Wanted,
    mid_vols: Vols,
    columns: Columns,
    types: Vec<OptionType>,
    strikes: Vec<f64>,
    vols: Vec<f64>,
    points: Vec<Vec<Point>>,
    repaired: u64,
}

impl Pass {
    fn new() -> Self {
        Self {
            parity: ParityFitter::default(),
            fitter: SurfaceFitter::default(),
            mids: Wanted::default(),
            mid_vols: Vols::default(),
            columns: Columns::with_capacity(OPTIONS),
            types: Vec::new(),
            strikes: Vec::new(),
            vols: Vec::new(),
            points: vec![Vec::new(); EXPIRIES],
            repaired: 0,
        }
    }

    /// Forwards, mid volatilities out of the money, Greeks of all options, smiles.
    fn run(&mut self, board: &[Quoted]) {
        let mut expiries = [Expiry::new(1.0, 1.0, RATE); EXPIRIES];
        for (place, quoted) in board.iter().enumerate() {
            let discount = (-RATE * quoted.years).exp();
            let forward = self.parity.fit(&quoted.pairs, discount).map_or(f64::NAN, |fit| fit.forward);
            let expiry = Expiry::new(forward, quoted.years, RATE);
            expiries[place] = expiry;
            self.mids.clear();
            for pair in &quoted.pairs {
                let option_type = out_of_the_money(forward, pair.strike);
                let (bid, ask) = side(pair, option_type);
                self.mids.push(option_type, pair.strike, 0.5 * (bid + ask));
            }
            self.mids.invert(expiry, &mut self.mid_vols);
            self.types.clear();
            self.strikes.clear();
            self.vols.clear();
            for (pair, &vol) in quoted.pairs.iter().zip(&self.mid_vols.vols) {
                for option_type in [OptionType::Call, OptionType::Put] {
                    self.types.push(option_type);
                    self.strikes.push(pair.strike);
                    self.vols.push(vol);
                }
            }
            let chain = Chain { expiry, types: &self.types, strikes: &self.strikes, vols: &self.vols };
            black::greeks_of_chain(&chain, &mut self.columns);
            let points = &mut self.points[place];
            points.clear();
            for (i, pair) in quoted.pairs.iter().enumerate() {
                let (bid, ask) = side(pair, out_of_the_money(forward, pair.strike));
                let vol = self.vols[2 * i];
                let error = 0.5 * (ask - bid) / self.columns.vega[2 * i] * 2.0 * vol * quoted.years;
                let w = vol * vol * quoted.years;
                if w.is_finite() && error.is_finite() {
                    points.push(Point { k: (pair.strike / forward).ln(), w, weight: 1.0 / (error * error) });
                }
            }
        }
        let slices: [BoardSlice<'_>; EXPIRIES] = std::array::from_fn(|i| BoardSlice {
            years: expiries[i].years,
            forward: expiries[i].forward,
            discount: expiries[i].discount(),
            points: &self.points[i],
        });
        if let Ok(fit) = self.fitter.fit(&slices) {
            self.repaired += u64::from(fit.repaired);
            black_box(fit);
        }
    }
}

fn side(pair: &ParityPair, option_type: OptionType) -> (f64, f64) {
    match option_type {
        OptionType::Call => (pair.call_bid, pair.call_ask),
        OptionType::Put => (pair.put_bid, pair.put_ask),
    }
}

/// A board of 1,000 options over eight expiries, from quotes to smiles.
pub fn whole_board(host: &mut Host) -> Outcome {
    let mut dice = Dice(11);
    let states = [board(3.0, &mut dice), board(3.001, &mut dice)];
    let mut pass = Pass::new();
    pass.run(&states[1]);
    pass.repaired = 0;
    let mut turn = 0;
    let outcome = batches(host, SAMPLES, 1, || {
        pass.run(&states[turn % 2]);
        turn += 1;
    });
    match outcome {
        Outcome::Measured(mut figures) => {
            figures.note =
                (pass.repaired > 0).then(|| format!("{} of {turn} boards had arbitrage to repair", pass.repaired));
            Outcome::Measured(figures)
        }
        other => other,
    }
}

/// The bid and ask volatilities of that board's out-of-the-money sides.
pub fn band(host: &mut Host) -> Outcome {
    let state = board(3.0, &mut Dice(11));
    let (mut wanted, mut vols) = (Wanted::default(), Vols::default());
    batches(host, SAMPLES, 1, || {
        for quoted in &state {
            let expiry = Expiry::new(3.0 * (0.01 * quoted.years).exp(), quoted.years, RATE);
            wanted.clear();
            for pair in &quoted.pairs {
                let option_type = out_of_the_money(expiry.forward, pair.strike);
                let (bid, ask) = side(pair, option_type);
                wanted.push(option_type, pair.strike, bid);
                wanted.push(option_type, pair.strike, ask);
            }
            wanted.invert(expiry, &mut vols);
            black_box(&vols);
        }
    })
}

/// A scenario ladder of 21 spots and 11 volatilities over a book of 1,000 options, with all Greeks in every cell.
pub fn ladder(host: &mut Host) -> Outcome {
    let years = [0.02_f64, 0.06, 0.12, 0.2, 0.35, 0.6, 1.0, 1.5];
    let expiries = years.map(|years| Expiry::new(3.0 * (0.01 * years).exp(), years, RATE));
    let legs: Vec<Leg> = (0..OPTIONS)
        .map(|i| {
            let strike = 2.5 + (i / EXPIRIES) as f64 * 0.008;
            let option_type = if i % 2 == 0 { OptionType::Call } else { OptionType::Put };
            let contract = Contract::Option { option_type, strike, vol: 0.2, style: OptionStyle::European };
            Leg { contract, expiry: i % EXPIRIES, lots: i as f64 % 7.0 - 3.0, unit: 10_000.0 }
        })
        .collect();
    let steps = |count: i32, step: f64| (-count..=count).map(|i| f64::from(i) * step).collect::<Vec<f64>>();
    let (spots, vols) = (steps(10, 0.01), steps(5, 0.01));
    batches(host, SAMPLES / 20, 1, || {
        let own = |leg: &Leg, _: &Expiry| match leg.contract {
            Contract::Option { vol, .. } => Some(vol),
            Contract::Underlying => None,
        };
        black_box(Ladder::new(&legs, &expiries, &spots, &vols, &[(0.0, 0.0)], own));
    })
}
