//! What a generated market is made from: its options, checked against the tables, and the contracts they name.

use shrike_core::calendar::CalendarError;
use shrike_core::units::{Price, TradingDay};
use std::ops::RangeInclusive;

/// A market to generate. `Default` is a lively demonstration of five products.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarketOptions {
    /// The same seed (with the same options and tables) gives the same market, byte for byte.
    pub seed: u64,
    /// First trading day; the next one when it does not trade.
    pub first_day: TradingDay,
    /// How many trading days.
    pub days: u32,
    /// One contract of each, in the order of their ids.
    pub products: Vec<MarketProduct>,
    /// Option boards, behind the products.
    pub boards: Vec<MarketBoard>,
    /// Interval of snapshots, milliseconds; CTP's is 500.
    pub snapshot_ms: u32,
    /// Volatility of the diffusion per year, millionths. Trends and jumps come on top.
    pub annual_vol_ppm: u32,
    /// Jumps per contract and day, on average.
    pub jumps_per_day: u32,
    /// Chance that a contract runs into its upper limit, of a thousand days.
    pub limit_up_per_mille: u32,
    /// The same for the lower limit.
    pub limit_down_per_mille: u32,
    /// Chance that a circuit breaker halts a contract, of a thousand days.
    pub breaker_per_mille: u32,
}

impl Default for MarketOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            first_day: TradingDay::new(20_250_303).unwrap_or(TradingDay::ABSENT),
            days: 2,
            products: ["rb", "IF", "ru", "m", "TA"].into_iter().filter_map(MarketProduct::named).collect(),
            boards: Vec::new(),
            snapshot_ms: 500,
            annual_vol_ppm: 250_000,
            jumps_per_day: 4,
            limit_up_per_mille: 50,
            limit_down_per_mille: 30,
            breaker_per_mille: 100,
        }
    }
}

impl MarketOptions {
    /// Whether every number is in its range.
    pub(super) fn check(&self) -> Result<(), MarketError> {
        let (products, boards) = (self.products.len() as u64, self.boards.len() as u64);
        let fewest = u64::from(boards == 0);
        let rows: [(&str, u64, RangeInclusive<u64>, &str); 9] = [
            ("days", self.days.into(), 1..=10_000, "1 to 10000"),
            ("products", products, fewest..=1_000, "1 to 1000 products"),
            ("boards", boards, 0..=4, "at most 4 boards"),
            ("snapshot_ms", self.snapshot_ms.into(), 1..=60_000, "1 to 60000"),
            ("annual_vol_ppm", self.annual_vol_ppm.into(), 0..=2_000_000, "at most 2000000 (200 %)"),
            ("jumps_per_day", self.jumps_per_day.into(), 0..=1_000, "at most 1000"),
            ("limit_up_per_mille", self.limit_up_per_mille.into(), 0..=1_000, "at most 1000"),
            ("limit_down_per_mille", self.limit_down_per_mille.into(), 0..=1_000, "at most 1000"),
            ("breaker_per_mille", self.breaker_per_mille.into(), 0..=1_000, "at most 1000"),
        ];
        match rows.into_iter().find(|(_, value, range, _)| !range.contains(value)) {
            Some((key, value, _, expected)) => Err(MarketError::Option { key, value, expected }),
            None => Ok(()),
        }
    }
}

/// Why a market cannot be generated.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MarketError {
    /// An option is out of its range.
    #[error("market.{key} is {value}; it must be {expected}")]
    Option {
        /// Its name.
        key: &'static str,
        /// Its value.
        value: u64,
        /// What it may be.
        expected: &'static str,
    },
    /// The product table has no such future.
    #[error("market.products names {product}, which is no future of the product table; add it to products.toml")]
    UnknownProduct {
        /// The product's code.
        product: String,
    },
    /// The product's numbers make no market.
    #[error("market.products: {product} cannot be generated: {reason}")]
    Product {
        /// The product's code.
        product: String,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A board makes a product's futures already.
    #[error("the board {board} has all futures of {product}: leave {product} out of the products, or the board")]
    Twice {
        /// The board.
        board: String,
        /// The product.
        product: String,
    },
    /// The calendar has no answer for one of the days.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
}

/// A product of the market and how its contract trades.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarketProduct {
    /// The product's code (`rb`), as the tables spell it.
    pub product: String,
    /// Settlement price before the first day; rounded to a tick.
    pub first_price: Price,
    /// Lots of a usual day.
    pub lots_per_day: u32,
    /// Open interest before the first day, lots.
    pub open_interest: u32,
    /// Lots of a usual level of the book.
    pub depth_lots: u32,
    /// Price limit on each side of the previous settlement price, in thousandths.
    pub limit_per_mille: u32,
    /// Delivery months that trade; the first one far enough behind the last day is taken.
    pub months: Vec<u32>,
}

/// A row of [`KNOWN`]: code, price, lots a day, open interest, depth, limit and months.
type Known = (&'static str, i64, u32, u32, u32, u32, &'static [u32]);

const EVERY_MONTH: &[u32] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/// Liquid products with numbers of the size of 2024.
#[rustfmt::skip]
const KNOWN: &[Known] = &[
    ("rb",  3_500, 1_500_000, 2_000_000, 300,  70, &[1, 5, 10]),
    ("ru", 15_000,   300_000,   200_000,  20,  80, &[1, 5, 9]),
    ("au",    600,   200_000,   200_000,  12,  80, &[2, 4, 6, 8, 10, 12]),
    ("m",   3_000, 1_000_000, 1_800_000, 400,  60, &[1, 5, 9]),
    ("i",     800,   400_000,   450_000,  60, 110, &[1, 5, 9]),
    ("TA",  5_500,   800_000, 1_200_000, 250,  70, &[1, 5, 9]),
    ("IF",  3_900,   100_000,   150_000,   4, 100, EVERY_MONTH),
    ("IC",  5_800,    90_000,   130_000,   3, 100, EVERY_MONTH),
];

impl MarketProduct {
    /// A product this file knows (`rb`, `ru`, `au`, `m`, `i`, `TA`, `IF`, `IC`).
    pub fn named(product: &str) -> Option<Self> {
        let &(_, price, lots_per_day, open_interest, depth_lots, limit_per_mille, months) =
            KNOWN.iter().find(|row| row.0 == product)?;
        Some(Self {
            product: product.to_owned(),
            first_price: Price::whole(price),
            lots_per_day,
            open_interest,
            depth_lots,
            limit_per_mille,
            months: months.to_vec(),
        })
    }
}

/// An index, its ETF and futures, and the options on both: a board.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarketBoard {
    /// What it is called in options: the index's name.
    pub name: String,
    /// Symbol of the index (`000016`).
    pub index: String,
    /// Product of its futures (`IH`).
    pub future: String,
    /// Product of the options on the index (`HO`).
    pub index_option: String,
    /// Product of the options on the ETF (`510050_O`), which stands at a thousandth of the index.
    pub etf_option: String,
    /// Level of the index before the first day.
    pub first_index: Price,
    /// How far the index went while the months of the first day were listed, each way, in thousandths: strikes were added.
    pub history_per_mille: u32,
    /// Day of the run, from one, on which the ETF goes ex dividend; zero: none.
    pub ex_dividend_day: u32,
    /// Its dividends, in thousandths of its price: that one, and the last before the run.
    pub dividend_per_mille: u32,
}

/// A row of [`BOARDS`]: name, index, futures, index options, ETF options, level of the index.
type KnownBoard = (&'static str, &'static str, &'static str, &'static str, &'static str, i64);

/// The indices with options on both sides, at levels of 2024.
const BOARDS: &[KnownBoard] =
    &[("SSE50", "000016", "IH", "HO", "510050_O", 2_450), ("CSI300", "000300", "IF", "IO", "510300_O", 3_600)];

impl MarketBoard {
    /// A board this file knows (`SSE50`, `CSI300`).
    pub fn named(name: &str) -> Option<Self> {
        let &(name, index, future, index_option, etf_option, level) = BOARDS.iter().find(|row| row.0 == name)?;
        Some(Self {
            name: name.to_owned(),
            index: index.to_owned(),
            future: future.to_owned(),
            index_option: index_option.to_owned(),
            etf_option: etf_option.to_owned(),
            first_index: Price::whole(level),
            history_per_mille: 200,
            ex_dividend_day: 3,
            dividend_per_mille: 15,
        })
    }
}
