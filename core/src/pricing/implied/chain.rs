//! Implied volatilities of many options at once, as columns: the same search as for one option, in blocks that become
//! vector code. Rows that it does not find, and prices without a volatility, are given to the function for one option, so
//! that results and reasons are bit for bit those of one option at a time.

use super::search::Search;
use super::{NoVol, TIME_VALUE_MIN, black_vol, found};
use crate::pricing::{Expiry, OptionType};

/// What the options of a chain have for an expiry.
#[derive(Clone, Copy, Debug)]
pub enum Expiries<'a> {
    /// All the same.
    Same(Expiry),
    /// Each its own.
    Each(&'a [Expiry]),
}

impl Expiries<'_> {
    fn of(&self, row: usize) -> Expiry {
        match self {
            Self::Same(expiry) => *expiry,
            Self::Each(expiries) => expiries[row],
        }
    }
}

/// Options and their prices; the columns are equally long.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    /// When they expire.
    pub expiries: Expiries<'a>,
    /// Calls and puts.
    pub types: &'a [OptionType],
    /// Strikes, in the units of the forward.
    pub strikes: &'a [f64],
    /// Prices now, of one unit of the underlying.
    pub prices: &'a [f64],
}

/// Volatilities by columns, one row an option.
#[derive(Clone, Default, Debug)]
pub struct Vols {
    /// Not a number where there is none.
    pub vols: Vec<f64>,
    /// Why there is none.
    pub reasons: Vec<Option<NoVol>>,
}

impl Vols {
    /// Room for `options` rows, so that filling them allocates nothing.
    pub fn with_capacity(options: usize) -> Self {
        Self { vols: Vec::with_capacity(options), reasons: Vec::with_capacity(options) }
    }

    /// The row of one option.
    ///
    /// # Errors
    /// The reason why there is none.
    pub fn row(&self, option: usize) -> Result<f64, NoVol> {
        self.reasons[option].map_or(Ok(self.vols[option]), Err)
    }
}

/// Options a block.
const LANES: usize = 8;
type Lanes = [f64; LANES];

/// [`super::black_vol`] of each row of `chain`, in its order; rows end with the shortest column. No allocation where `vols`
/// has room. Cost: about 50 ns an option.
pub fn black_vols(chain: &Chain<'_>, vols: &mut Vols) {
    invert(chain, vols);
}

/// Says how many rows were given to the function for one option.
pub(super) fn invert(chain: &Chain<'_>, vols: &mut Vols) -> usize {
    vols.vols.clear();
    vols.reasons.clear();
    let mut rows = chain.types.len().min(chain.strikes.len()).min(chain.prices.len());
    if let Expiries::Each(expiries) = chain.expiries {
        rows = rows.min(expiries.len());
    }
    if rows == 0 {
        return 0;
    }
    let mut terms = Terms::of([chain.expiries.of(0); LANES]);
    let mut alone = 0;
    for first in (0..rows).step_by(LANES) {
        let end = rows.min(first + LANES);
        let (mut signs, mut strikes, mut prices) = ([1.0; LANES], [1.0; LANES], [0.0; LANES]);
        for (lane, row) in (first..end).enumerate() {
            signs[lane] = chain.types[row].sign();
            strikes[lane] = chain.strikes[row];
            prices[lane] = chain.prices[row];
        }
        if let Expiries::Each(expiries) = chain.expiries {
            terms = Terms::of(std::array::from_fn(|lane| expiries[(first + lane).min(rows - 1)]));
        }
        let searched = block(&terms, &signs, &strikes, &prices);
        for (row, vol) in (first..end).zip(searched) {
            let (vol, reason) = if found(vol) {
                (vol, None)
            } else {
                alone += 1;
                match black_vol(&chain.expiries.of(row), chain.types[row], chain.strikes[row], chain.prices[row]) {
                    Ok(vol) => (vol, None),
                    Err(reason) => (f64::NAN, Some(reason)),
                }
            };
            vols.vols.push(vol);
            vols.reasons.push(reason);
        }
    }
    alone
}

/// What a block needs of its expiries.
struct Terms {
    forwards: Lanes,
    discounts: Lanes,
    roots: Lanes,
}

impl Terms {
    #[inline(always)]
    fn of(expiries: [Expiry; LANES]) -> Self {
        let forwards = expiries.map(|expiry| expiry.forward);
        let (mut discounts, mut roots) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            discounts[lane] = expiries[lane].discount();
            roots[lane] = expiries[lane].years.sqrt();
        }
        Self { forwards, discounts, roots }
    }
}

/// Volatilities of a block; zero or not a number where not certain. Loop after loop, because only a loop without a branch
/// becomes vector code.
#[inline(always)]
fn block(terms: &Terms, signs: &Lanes, strikes: &Lanes, prices: &Lanes) -> Lanes {
    let (mut out, mut total, mut h, mut growth) = ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for lane in 0..LANES {
        let (forward, strike) = (terms.forwards[lane], strikes[lane]);
        let price = prices[lane] / terms.discounts[lane];
        let gain = signs[lane] * (forward - strike);
        let value = price - if gain > 0.0 { gain } else { 0.0 };
        let value = if value >= TIME_VALUE_MIN * price { value } else { 0.0 };
        let (low, high) = if forward < strike { (forward, strike) } else { (strike, forward) };
        let search = Search::new(value, low, high);
        (out[lane], total[lane], h[lane], growth[lane]) = (search.out, search.total, search.h, search.growth);
    }
    let search = |lane: usize| Search { out: out[lane], total: total[lane], h: h[lane], growth: growth[lane] };
    let mut ratios = [0.0; LANES];
    for (lane, ratio) in ratios.iter_mut().enumerate() {
        *ratio = search(lane).ratio_near();
    }
    if (0..LANES).any(|lane| search(lane).is_far()) {
        for (lane, ratio) in ratios.iter_mut().enumerate() {
            let far = search(lane).ratio_far();
            *ratio = if search(lane).is_far() { far } else { *ratio };
        }
    }
    let mut vols = [0.0; LANES];
    for lane in 0..LANES {
        vols[lane] = search(lane).step(ratios[lane]) / terms.roots[lane];
    }
    vols
}
