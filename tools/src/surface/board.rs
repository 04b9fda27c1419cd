//! From a chain to a surface: the discount of the whole board, a forward and a band for each expiry, the volatilities of
//! the out-of-the-money sides, the fit.

use super::{Chain, Group};
use serde::Serialize;
use shrike_core::codes::OptionStyle;
use shrike_core::pricing::american::Boundaries;
use shrike_core::pricing::forward::{ParityFitter, american_band, executable_band};
use shrike_core::pricing::implied::{black_vol, out_of_the_money};
use shrike_core::pricing::smile::{Filter, Point, Rejection, Smile, SmileQuote};
use shrike_core::pricing::surface::{BoardSlice, Surface, SurfaceFitter};
use shrike_core::pricing::{Expiry, OptionType};
use std::collections::BTreeMap;
use std::fmt;

/// A fitted chain.
#[derive(Clone, Debug, Serialize)]
pub struct Board {
    /// The continuously compounded rate a year it is discounted with.
    pub rate: f64,
    /// Whether the quotes implied the rate.
    pub rate_implied: bool,
    /// The expiries, in order of time.
    pub slices: Vec<FittedSlice>,
    /// Whether free fits had arbitrage and were fitted again within bounds.
    pub repaired: bool,
    /// The surface of the expiries that have a smile.
    #[serde(skip)]
    pub surface: Surface,
}

/// One expiry of a fitted chain.
#[derive(Clone, Debug, Serialize)]
pub struct FittedSlice {
    /// Root of its symbols.
    pub root: String,
    /// The expiry as the file writes it.
    pub expiry: String,
    /// Years of variance to it.
    pub years: f64,
    /// The discount factor.
    pub discount: f64,
    /// The discount factor that its own quotes say, as a diagnostic of funding.
    pub discount_free: Option<f64>,
    /// Standard error of that.
    pub discount_free_error: Option<f64>,
    /// The forward; absent when there is none.
    pub forward: Option<f64>,
    /// Standard error of an implied forward.
    pub forward_error: Option<f64>,
    /// The best synthetic bid and ask.
    pub band: [Option<f64>; 2],
    /// Whether the band is crossed.
    pub crossed: bool,
    /// Strikes fitted.
    pub fitted: usize,
    /// Strikes not fitted, by reason.
    pub rejected: BTreeMap<String, usize>,
    /// Volatility at the money.
    pub vol: Option<f64>,
    /// Its slope by log-moneyness.
    pub skew: Option<f64>,
    /// Root of the mean square of residuals, in half spreads.
    pub error: Option<f64>,
    /// SVI: `a, b, rho, m, s`.
    pub svi: Option<[f64; 5]>,
    /// Why there is no smile.
    pub reason: Option<String>,
    /// The quotes of the out-of-the-money sides: log-moneyness, volatility of bid and ask.
    #[serde(skip)]
    pub quotes: Vec<SmileQuote>,
}

/// Why nothing could be fitted.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// No expiry says what the discount is.
    #[error("no expiry has six strikes with call and put quoted on both sides to imply a discount: give --rate")]
    NoRate,
    /// No expiry has a smile.
    #[error("no expiry has a smile: {0}")]
    NoSmile(String),
}

impl Board {
    /// Fits a chain, with a given rate or the one that its quotes imply.
    ///
    /// # Errors
    /// When there is no rate, or no expiry has a smile.
    pub fn fit(chain: &Chain, rate: Option<f64>) -> Result<Self, BoardError> {
        let mut parity = ParityFitter::default();
        let free: Vec<_> = chain.groups.iter().map(|group| parity.fit_free(&group.pairs).ok()).collect();
        let implied = || {
            // Through the origin: a discount of one today. By how sure each expiry is.
            let (mut xy, mut xx) = (0.0, 0.0);
            for (group, free) in chain.groups.iter().zip(&free) {
                if let Some(free) = free
                    && free.discount > 0.0
                    && group.style == OptionStyle::European
                {
                    let weight = (free.discount / free.discount_error.max(1e-6)).powi(2);
                    xy -= weight * group.discount_years * free.discount.ln();
                    xx += weight * group.discount_years * group.discount_years;
                }
            }
            (xx > 0.0).then(|| xy / xx)
        };
        let rate_implied = rate.is_none();
        let rate = rate.or_else(implied).ok_or(BoardError::NoRate)?;
        let mut boundaries = Boundaries::new();
        let mut slices = Vec::new();
        let mut points = Vec::new();
        for (group, free) in chain.groups.iter().zip(free) {
            let (mut slice, fit) = quoted(group, rate, &mut parity, &mut boundaries);
            slice.discount_free = free.map(|free| free.discount);
            slice.discount_free_error = free.map(|free| free.discount_error);
            slices.push(slice);
            points.push(fit);
        }
        keep_one_root(&mut slices, &mut points);
        let mut board = Self { rate, rate_implied, slices, repaired: false, surface: Surface::default() };
        board.smiles(&points)?;
        Ok(board)
    }

    /// Fits the smiles.
    fn smiles(&mut self, points: &[Vec<Point>]) -> Result<(), BoardError> {
        let places: Vec<usize> = (0..points.len()).filter(|&i| self.slices[i].forward.is_some()).collect();
        let board: Vec<BoardSlice<'_>> = places
            .iter()
            .map(|&i| BoardSlice {
                years: self.slices[i].years,
                forward: self.slices[i].forward.unwrap_or(f64::NAN),
                discount: self.slices[i].discount,
                points: &points[i],
            })
            .collect();
        let fit = SurfaceFitter::default().fit(&board).map_err(|error| BoardError::NoSmile(error.to_string()))?;
        let mut fitted = fit.surface.slices().iter();
        for (&place, result) in places.iter().zip(&fit.slices) {
            let slice = &mut self.slices[place];
            match result {
                Ok(found) => {
                    let Some(surface) = fitted.next() else { break };
                    slice.fitted = points[place].len() - found.outliers;
                    if found.outliers > 0 {
                        slice.rejected.insert(Rejection::Outlier.to_string(), found.outliers);
                    }
                    let svi = surface.svi;
                    slice.vol = Some(svi.vol(0.0, slice.years));
                    slice.skew = Some(svi.skew(0.0, slice.years));
                    slice.error = Some(found.error);
                    slice.svi = Some([svi.a, svi.b, svi.rho, svi.m, svi.s]);
                }
                Err(error) => slice.reason = Some(error.to_string()),
            }
        }
        self.repaired = fit.repaired;
        self.surface = fit.surface;
        if self.surface.slices().is_empty() {
            let reasons: Vec<&str> = self.slices.iter().filter_map(|slice| slice.reason.as_deref()).collect();
            return Err(BoardError::NoSmile(reasons.first().map_or(String::from("no quotes"), |&one| one.to_owned())));
        }
        Ok(())
    }

    /// Whether every expiry has a smile and no band is crossed.
    pub fn is_clean(&self) -> bool {
        self.slices.iter().all(|slice| slice.svi.is_some() && !slice.crossed)
    }
}

/// An expiry's forward, band and quotes, and the points to fit.
fn quoted(
    group: &Group,
    rate: f64,
    parity: &mut ParityFitter,
    boundaries: &mut Boundaries,
) -> (FittedSlice, Vec<Point>) {
    let discount = (-rate * group.discount_years).exp();
    let american = group.style == OptionStyle::American;
    let implied = parity.fit(&group.pairs, discount);
    let band = if american { american_band(&group.pairs, discount) } else { executable_band(&group.pairs, discount) };
    let forward = match (group.forward, american) {
        (Some(listed), _) => Ok((listed, None)),
        (None, true) => Err(String::from("American options need the future's price: a column `forward`")),
        (None, false) => implied.map(|fit| (fit.forward, Some(fit.error))).map_err(|error| error.to_string()),
    };
    let mut slice = FittedSlice {
        root: group.root.clone(),
        expiry: group.expiry.clone(),
        years: group.years,
        discount,
        discount_free: None,
        discount_free_error: None,
        forward: forward.as_ref().ok().map(|&(forward, _)| forward),
        forward_error: forward.as_ref().ok().and_then(|&(_, error)| error),
        band: [band.bid.map(|edge| edge.forward), band.ask.map(|edge| edge.forward)],
        crossed: band.is_crossed(),
        fitted: 0,
        rejected: BTreeMap::new(),
        vol: None,
        skew: None,
        error: None,
        svi: None,
        reason: forward.as_ref().err().cloned(),
        quotes: Vec::new(),
    };
    let Ok((forward, _)) = forward else { return (slice, Vec::new()) };
    let expiry = Expiry { forward, years: group.years, rate, discount_years: group.discount_years };
    let mut vol = |option_type, strike, price: f64| {
        let vol = if american {
            boundaries.implied_vol(&expiry, option_type, strike, price)
        } else {
            black_vol(&expiry, option_type, strike, price)
        };
        vol.unwrap_or(f64::NAN)
    };
    for pair in &group.pairs {
        let option_type = out_of_the_money(forward, pair.strike);
        let (bid, ask) = match option_type {
            OptionType::Call => (pair.call_bid, pair.call_ask),
            OptionType::Put => (pair.put_bid, pair.put_ask),
        };
        let k = (pair.strike / forward).ln();
        let (bid, ask) = (vol(option_type, pair.strike, bid), vol(option_type, pair.strike, ask));
        slice.quotes.push(SmileQuote { k, bid, ask, age_s: 0.0 });
    }
    let quotes = slice.quotes.iter().filter(|quote| quote.bid > 0.0 && quote.ask > 0.0);
    let nearest = quotes.min_by(|one, other| one.k.abs().total_cmp(&other.k.abs()));
    let money = nearest.map_or(f64::NAN, |quote| 0.5 * (quote.bid + quote.ask));
    let filter = Filter::default();
    let mut points = Vec::new();
    for quote in &slice.quotes {
        match filter.admit(quote, money, group.years) {
            Ok(point) => points.push(point),
            Err(reason) => *slice.rejected.entry(reason.to_string()).or_default() += 1,
        }
    }
    (slice, points)
}

/// Of several roots that expire on one date the one with most strikes stays; the others say so.
fn keep_one_root(slices: &mut [FittedSlice], points: &mut [Vec<Point>]) {
    for i in 1..slices.len() {
        if slices[i].years > slices[i - 1].years {
            continue;
        }
        let loser = if points[i].len() > points[i - 1].len() { i - 1 } else { i };
        let winner = slices[i + i - 1 - loser].root.clone();
        slices[loser].reason = Some(format!("root {winner} has more strikes of this expiry; choose with --root"));
        slices[loser].forward = None;
        points[loser].clear();
        if loser == i {
            slices.swap(i, i - 1);
            points.swap(i, i - 1);
        }
    }
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.rate_implied { "implied" } else { "given" };
        writeln!(
            f,
            "rate {:.4} % ({how}){}",
            self.rate * 100.0,
            if self.repaired { ", arbitrage repaired" } else { "" }
        )?;
        writeln!(
            f,
            "{:>12} {:>8} {:>10} {:>7} {:>8} {:>8} {:>6} {:>6} {:>7} {:>7} {:>6}  note",
            "expiry", "years", "forward", "+-", "disc.", "own d.", "strikes", "out", "vol %", "skew", "error"
        )?;
        let number = |value: Option<f64>, places: usize| value.map_or(String::from("-"), |x| format!("{x:.places$}"));
        for slice in &self.slices {
            let out: usize = slice.rejected.values().sum();
            let mut note = slice.reason.clone().unwrap_or_default();
            if slice.crossed {
                note = format!("quotes cross at {} > {} {note}", number(slice.band[0], 2), number(slice.band[1], 2));
            }
            writeln!(
                f,
                "{:>12} {:>8.4} {:>10} {:>7} {:>8.5} {:>8} {:>6} {:>6} {:>7} {:>7} {:>6}  {note}",
                slice.expiry,
                slice.years,
                number(slice.forward, 3),
                number(slice.forward_error, 3),
                slice.discount,
                number(slice.discount_free, 5),
                slice.fitted,
                out,
                number(slice.vol.map(|vol| vol * 100.0), 2),
                number(slice.skew, 3),
                number(slice.error, 2),
            )?;
        }
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for (reason, count) in self.slices.iter().flat_map(|slice| &slice.rejected) {
            *reasons.entry(reason).or_default() += count;
        }
        for (reason, count) in reasons {
            writeln!(f, "{count} strikes left out: {reason}")?;
        }
        Ok(())
    }
}
