//! Puts a market together: looks the options' products up in the tables, names and dates their contracts and plans
//! their days. Runs once, at the start.

use super::board::{Board, nth_weekday};
use super::contract::{Contract, Tuning, limits};
use super::rng::Rng;
use super::sums::TURNOVER_STEP;
use super::{Generated, MarketError, MarketOptions, MarketProduct, plan};
use shrike_core::calendar::Sessions;
use shrike_core::codes::{Exchange, ProductClass};
use shrike_core::event::{InstrumentDef, Rates};
use shrike_core::instrument::InstrumentId;
use shrike_core::product::Product;
use shrike_core::units::{Nanos, Price, TradingDay};

/// Streams of randomness of boards; those of contracts are below.
const BOARD_STREAMS: u64 = 1 << 32;
/// A contract is delivered in a later month than that of so many days after the last day.
const LIFE_LEFT_DAYS: i64 = 20;
/// Fewer ticks than this make no price to move in.
const PRICE_TICKS_MIN: i64 = 200;

impl Generated {
    /// The market of `options` on the days of `sessions` with the contracts of `products`.
    pub fn new(options: &MarketOptions, sessions: &Sessions, products: &[Product]) -> Result<Self, MarketError> {
        options.check()?;
        let (mut defs, mut rates, mut contracts) = (Vec::new(), Vec::new(), Vec::new());
        for (index, wanted) in options.products.iter().enumerate() {
            let find = |product: &&Product| {
                product.class == ProductClass::Future && product.code.as_bytes() == wanted.product.as_bytes()
            };
            let unknown = || MarketError::UnknownProduct { product: wanted.product.clone() };
            let product = products.iter().find(find).ok_or_else(unknown)?;
            let tuning = tuning(options, wanted, product)?;
            let mut rng = Rng::new(options.seed, 2 * index as u64);
            let days = plan::days(options, sessions, product.exchange, &wanted.product, &mut rng)?;
            let last_day = days.last().map_or(options.first_day, |day| day.day);
            let id = InstrumentId::new(index as u32);
            let def = define(id, wanted, product, last_day, &tuning).ok_or_else(unknown)?;
            contracts.push(Contract::new(def, tuning, days, Rng::new(options.seed, 2 * index as u64 + 1)));
            defs.push(def);
            rates.push(product.rates(id));
        }
        let mut boards = Vec::new();
        for (index, wanted) in options.boards.iter().enumerate() {
            if options.products.iter().any(|product| product.product == wanted.future) {
                let (board, product) = (wanted.name.clone(), wanted.future.clone());
                return Err(MarketError::Twice { board, product });
            }
            let mut board = Board::new(wanted, options, sessions, products, BOARD_STREAMS + index as u64)?;
            for def in board.begin(defs.len() as u32) {
                let assumed = Rates { instrument: def.instrument, assumed: 1, ..Rates::default() };
                rates.push(board.product_of(&def).map_or(assumed, |product| product.rates(def.instrument)));
                defs.push(def);
            }
            boards.push(board);
        }
        Ok(Self::of(defs, rates, contracts, boards))
    }
}

/// How a contract trades, when its numbers stay in range.
fn tuning(options: &MarketOptions, wanted: &MarketProduct, product: &Product) -> Result<Tuning, MarketError> {
    let refuse = |reason| Err(MarketError::Product { product: wanted.product.clone(), reason });
    let tick_raw = product.tick.raw();
    if tick_raw <= 0 || tick_raw % TURNOVER_STEP != 0 || product.multiplier <= 0 {
        return refuse("its tick must be a multiple of 0.0001 and its multiplier positive");
    }
    let first_price_ticks = wanted.first_price.raw() / tick_raw;
    if !(PRICE_TICKS_MIN..1 << 31).contains(&first_price_ticks) {
        return refuse("first_price must be at least 200 ticks");
    }
    if wanted.limit_per_mille > 500 || first_price_ticks * i64::from(wanted.limit_per_mille) < 20_000 {
        return refuse("limit_per_mille must be at most 500 and leave at least 20 ticks to each side");
    }
    if wanted.depth_lots == 0 || wanted.depth_lots > 1_000_000 {
        return refuse("depth_lots must be 1 to 1000000");
    }
    if wanted.months.is_empty() || wanted.months.iter().any(|month| !(1..=12).contains(month)) {
        return refuse("months must name delivery months, 1 to 12");
    }
    // A day of twenty times the usual lots at four times the price still fits.
    let worst = (wanted.first_price.raw() / TURNOVER_STEP)
        .checked_mul(product.multiplier)
        .and_then(|value| value.checked_mul(i64::from(wanted.lots_per_day) * 80));
    if worst.is_none() {
        return refuse("lots_per_day x price x multiplier is beyond any turnover");
    }
    let snapshot_ns = u64::from(options.snapshot_ms) * Nanos::PER_MILLI;
    Ok(Tuning {
        snapshot_ns,
        phase_ns: phase_ms(product.exchange) * Nanos::PER_MILLI % snapshot_ns,
        annual_vol_ppm: options.annual_vol_ppm,
        jumps_per_day: options.jumps_per_day,
        limit_per_mille: wanted.limit_per_mille,
        lots_per_day: wanted.lots_per_day,
        first_price_ticks,
        open_interest: wanted.open_interest.into(),
        depth_lots: wanted.depth_lots.into(),
    })
}

/// Milliseconds within the half second at which an exchange stamps: SHFE and CZCE on it, CFFEX .400 and .900 as recorded;
/// the others in between, so that a market is not all at once.
const fn phase_ms(exchange: Exchange) -> u64 {
    match exchange {
        Exchange::Cffex => 400,
        Exchange::Dce => 150,
        Exchange::Gfex => 300,
        _ => 0,
    }
}

/// The contract: its name as the exchange spells it, its last trading day, and what is known before the first snapshot.
fn define(
    id: InstrumentId,
    wanted: &MarketProduct,
    product: &Product,
    last_day: TradingDay,
    tuning: &Tuning,
) -> Option<InstrumentDef> {
    let (year, month) = delivery(&wanted.months, last_day)?;
    // CZCE writes one digit of the year.
    let symbol = match product.exchange {
        Exchange::Czce => format!("{}{}{month:02}", wanted.product, year % 10),
        _ => format!("{}{:02}{month:02}", wanted.product, year % 100),
    };
    let (lower, upper) = limits(tuning.first_price_ticks, tuning.limit_per_mille);
    let price = |ticks: i64| Price::from_raw(ticks * product.tick.raw());
    Some(InstrumentDef {
        expiry: expiry(product.exchange, year, month)?,
        pre_settlement: price(tuning.first_price_ticks),
        upper_limit: price(upper),
        lower_limit: price(lower),
        ..product.instrument(id, &symbol)?
    })
}

/// Year and month of the first contract that is delivered late enough after the last day.
fn delivery(months: &[u32], last_day: TradingDay) -> Option<(u32, u32)> {
    let (year, from, _) = last_day.plus_days(LIFE_LEFT_DAYS).ymd();
    let later = months.iter().copied().filter(|&month| month > from).min().map(|month| (year, month));
    later.or_else(|| months.iter().copied().min().map(|month| (year + 1, month)))
}

/// Last trading day, holidays aside: the third Friday at CFFEX; elsewhere the 15th, near enough for a contract that is
/// gone from the market long before.
fn expiry(exchange: Exchange, year: u32, month: u32) -> Option<TradingDay> {
    match exchange {
        Exchange::Cffex => Some(nth_weekday(year, month, 4, 3)).filter(|day| !day.is_absent()),
        _ => TradingDay::new(year * 10_000 + month * 100 + 15),
    }
}
