//! Boards, whole, as `shrike surface` fits them: the S&P 500 chain of 30 January 2026 against the forwards, discount factors
//! and volatilities that were published with it, and a generated board against the smile it was quoted from.

use flate2::read::GzDecoder;
use shrike_config::tables::Tables;
use shrike_core::event::{DepthTick, Event, InstrumentDef, MarketSlot};
use shrike_core::pricing::forward::{ParityFitter, ParityPair};
use shrike_core::pricing::implied::{black_vol, out_of_the_money};
use shrike_core::pricing::smile::{Smile, durrleman};
use shrike_core::pricing::{Expiry, OptionType};
use shrike_core::units::{Nanos, Price, TradingDay};
use shrike_core::venue::{MarketFeed, Next};
use shrike_feed::sim::market::{Generated, MarketBoard, MarketOptions};
use shrike_tests::shared_data;
use shrike_tools::clock::QuoteClock;
use shrike_tools::surface::{Board, Chain};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

fn chain(dir: &Path, root: Option<&str>) -> Chain {
    let file = GzDecoder::new(File::open(dir.join("SPX_all.csv.gz")).unwrap());
    let close = Nanos::china(TradingDay::new(20_260_130).unwrap(), 15 * 3_600, 0);
    let clock = QuoteClock::new(close, None).unwrap();
    Chain::read(BufReader::new(file), Some(&clock), root).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_spx_board_is_fitted_without_arbitrage() {
    let Some(dir) = shared_data("the SPX board", "options/spx") else { return };
    let board = Board::fit(&chain(&dir, None), None).unwrap_or_else(|error| panic!("{error}"));
    println!("{board}");
    let slices = board.surface.slices();
    assert!(slices.len() >= 45, "{} expiries", slices.len());
    // The rate of those days, as the options say together.
    assert!((0.03..0.045).contains(&board.rate), "{}", board.rate);
    for (index, slice) in slices.iter().enumerate() {
        let deviation = slice.svi.total(0.0).sqrt();
        for i in 0..=4_000 {
            let k = (f64::from(i) / 200.0 - 10.0) * deviation;
            let at = slice.svi.variance(k);
            assert!(durrleman(k, at) >= -1e-10, "butterfly at {k} of expiry {index}");
            assert!(index == 0 || at.w - slices[index - 1].svi.total(k) >= -1e-12, "calendar at {k} of {index}");
        }
    }
    for slice in &board.slices {
        let Some(forward) = slice.forward else { continue };
        // The forward lies where it can be traded, but for deep strikes whose quotes are old.
        if let ([Some(bid), Some(ask)], false) = (slice.band, slice.crossed) {
            let stale = 1e-4 * forward;
            assert!(bid - stale <= forward && forward <= ask + stale, "{}: {bid} {forward} {ask}", slice.expiry);
        }
    }
}

/// The published expiry whose rows mix two roots: a third Friday, on whose morning one of them expires.
const MIXED: &str = "2026-02-20";

/// The pairs from which that expiry's forward was published: call and put of a strike of whichever root is listed, traded
/// that day, with open interest, at half a point or more, quoted no wider than a tenth of the price.
fn mixed_pairs(dir: &Path) -> Vec<ParityPair> {
    let file = BufReader::new(GzDecoder::new(File::open(dir.join("SPX_all.csv.gz")).unwrap()));
    let mut lines = file.lines().map(Result::unwrap);
    let header = lines.next().unwrap();
    let column = |name: &str| header.split(',').position(|column| column == name).unwrap();
    let names = ["strike", "bid", "ask", "volume", "openInterest"].map(column);
    let (expiry, right) = (column("expiration"), column("option_type"));
    let mut quotes = BTreeMap::<u64, [Option<(f64, f64)>; 2]>::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let [strike, bid, ask, volume, interest] = names.map(|at| cells[at].parse::<f64>().unwrap_or(0.0));
        let mid = (bid + ask) / 2.0;
        if cells[expiry] == MIXED && mid >= 0.5 && bid > 0.0 && ask - bid <= 0.1 * mid && volume.min(interest) >= 1.0 {
            let quote = &mut quotes.entry(strike as u64).or_default()[usize::from(cells[right] == "put")];
            assert!(quote.replace((bid, ask)).is_none(), "{strike} has one root a side");
        }
    }
    let pair = |(strike, quotes): (u64, [Option<(f64, f64)>; 2])| {
        let [Some((call_bid, call_ask)), Some((put_bid, put_ask))] = quotes else { return None };
        Some(ParityPair { strike: strike as f64, call_bid, call_ask, put_bid, put_ask })
    };
    quotes.into_iter().filter_map(pair).collect()
}

#[test]
fn forwards_discounts_and_volatilities_are_the_published_ones() {
    let Some(dir) = shared_data("SPX forwards", "options/spx") else { return };
    let published = std::fs::read_to_string(dir.join("spx_implied_vols.txt")).unwrap();
    let chain = chain(&dir, Some("SPXW"));
    let mut section: Option<Expiry> = None;
    let mut ratios: Vec<Vec<f64>> = Vec::new();
    let mut scatter: Vec<(String, f64, f64)> = Vec::new();
    for line in published.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["expiry:", day, "forward:", forward, "df:", discount] = words[..] {
            let (forward, discount): (f64, f64) = (forward.parse().unwrap(), discount.parse().unwrap());
            let group = chain.groups.iter().find(|group| group.expiry == day).unwrap();
            let free = ParityFitter::default().fit_free(&group.pairs).unwrap();
            assert!((free.forward - forward).abs() <= 0.15, "{day}: {free:?} is not {forward}");
            // From the quotes of which it was made. Their tick at the money is a tenth: Cboe's specification, three and above.
            let (pairs, tick) = if day == MIXED { (&mixed_pairs(&dir), 0.10) } else { (&group.pairs, 0.05) };
            let found = [
                ParityFitter::default().fit_free(pairs).unwrap().forward,
                ParityFitter::default().fit(pairs, discount).unwrap().forward,
            ];
            println!("{day}: {found:?}, of one root {free:?}, published {forward} {discount}");
            assert!(found.iter().all(|ours| (ours - forward).abs() <= tick), "{day}: {found:?} are not {forward}");
            // Published with four digits, from unweighted quotes; by then a strike 1 % from the money is a tick off.
            assert!((free.discount - discount).abs() * 0.01 * forward <= 0.05, "{day}: {}", free.discount);
            ratios.push(Vec::new());
            scatter.push((day.to_owned(), f64::INFINITY, f64::NEG_INFINITY));
            section = Some(Expiry { forward, years: group.years, rate: -discount.ln(), discount_years: 1.0 });
        } else if let ([strike, call, call_vol, put, put_vol, _], Some(expiry)) = (&words[..], section) {
            let Ok(strike) = strike.parse::<f64>() else { continue };
            if let (Ok(call), Ok(put), Some((_, low, high))) =
                (call.parse::<f64>(), put.parse::<f64>(), scatter.last_mut())
                && (strike / expiry.forward - 1.0).abs() < 0.01
                && (call - put).is_finite()
            {
                let says = strike + (call - put) / expiry.discount();
                (*low, *high) = (low.min(says), high.max(says));
            }
            let (price, vol) = match out_of_the_money(expiry.forward, strike) {
                OptionType::Call => (call, call_vol),
                OptionType::Put => (put, put_vol),
            };
            let (Ok(price), Ok(vol)) = (price.parse::<f64>(), vol.parse::<f64>()) else { continue };
            if !(price * vol).is_finite() {
                continue;
            }
            let ours = black_vol(&expiry, out_of_the_money(expiry.forward, strike), strike, price).unwrap();
            ratios.last_mut().unwrap().push(100.0 * ours / vol);
        }
    }
    // What the published prices of a strike say of the forward agrees where one root is quoted, and does not where two are.
    for (day, low, high) in &scatter {
        println!("{day}: strikes near the money say forwards from {low:.2} to {high:.2}");
        assert_eq!(high - low > 4.0, day == MIXED);
        assert!(day == MIXED || high - low < 0.5);
    }
    // Theirs run by another clock, about a day shorter; by whichever it is, all strikes of an expiry agree on it.
    for of_expiry in &mut ratios {
        of_expiry.sort_by(f64::total_cmp);
        let (low, middle) = (of_expiry[0], of_expiry[of_expiry.len() / 2]);
        let high = of_expiry[of_expiry.len() - 1];
        println!("{} volatilities, ours {middle:.4} times theirs, {low:.4} to {high:.4}", of_expiry.len());
        assert!(of_expiry.len() > 100 && (0.9..1.0).contains(&middle), "{middle}");
        assert!(high / middle < 1.002 && low / middle > 0.998, "{low} {middle} {high}");
    }
}

/// The quotes of a generated board at a moment, by instrument.
fn generated(until: Nanos) -> (Generated, Vec<(InstrumentDef, DepthTick)>) {
    let options = MarketOptions {
        first_day: until.china_date(),
        days: 1,
        products: Vec::new(),
        boards: vec![MarketBoard::named("SSE50").unwrap()],
        ..MarketOptions::default()
    };
    let tables = Tables::builtin().unwrap();
    let mut market = Generated::new(&options, &tables.sessions, tables.products.as_slice()).unwrap();
    let mut slot = MarketSlot::default();
    let mut seen = Vec::new();
    while let Next::At(at) = market.next()
        && at < until
    {
        market.take(&mut slot);
        match slot.event() {
            Event::InstrumentDef(def) => seen.push((*def, DepthTick::default())),
            Event::DepthTick(tick) => seen[tick.instrument.index()].1 = *tick,
            _ => {}
        }
    }
    (market, seen)
}

/// Whoever sees only quotes, expiries and the hour finds forwards, the rate and smiles again.
#[test]
fn a_generated_board_is_fitted_back_to_its_smile() {
    let now = Nanos::china(TradingDay::new(20_240_603).unwrap(), 14 * 3_600, 0);
    let (market, seen) = generated(now);
    for (product, tick) in [("HO", 0.2), ("510050_O", 0.0001)] {
        let mut rows = String::from("type,strike,bid,ask,expiry\n");
        for (def, last) in seen.iter().filter(|(def, _)| def.product.as_str() == product) {
            let right = if def.option_type() == Some(OptionType::Call) { "C" } else { "P" };
            let price = |price: Price| price.some().map_or(String::new(), |price| price.to_string());
            let (bid, ask) = (price(last.bids[0]), price(last.asks[0]));
            rows += &format!("{right},{},{bid},{ask},{}\n", def.strike, def.expiry);
        }
        let clock = QuoteClock::new(now, Some(product)).unwrap();
        let chain = Chain::read(rows.as_bytes(), Some(&clock), None).unwrap();
        let board = Board::fit(&chain, None).unwrap();
        println!("{product}\n{board}");
        assert!(board.is_clean() && (board.rate - 0.02).abs() < 0.005, "{}", board.rate);
        let truth: Vec<_> = market.smiles().filter(|smile| smile.product.as_str() == product).collect();
        assert_eq!(truth.len(), board.slices.len());
        for (smile, slice) in truth.iter().zip(&board.slices) {
            // The index options settle at an average of two hours, which varies less: a third of a trading day's half.
            let average = if product == "HO" { 0.5 / 300.0 } else { 1e-12 };
            assert!((0.0..average).contains(&(slice.years - smile.years)), "{} of {}", slice.years, smile.years);
            let forward = slice.forward.unwrap();
            // Quotes at the money are renewed when they are off by three quarters of half a spread, and a forward moves them
            // by half.
            let spread = |(def, last): &(InstrumentDef, DepthTick)| {
                let off = (def.strike.raw() as f64 * 1e-8 - smile.forward).abs();
                let [bid, ask] = [last.bids[0], last.asks[0]].map(|price| price.some().map(Price::raw));
                Some((off, (ask? - bid?) as f64 * 1e-8))
            };
            let of = seen.iter().filter(|(def, _)| def.product.as_str() == product && def.expiry == smile.expiry);
            let (_, spread) = of.filter_map(spread).min_by(|one, other| one.0.total_cmp(&other.0)).unwrap();
            let allowed = 0.75 * spread + 2.0 * tick;
            let off = (forward - smile.forward).abs();
            println!("{product} {}: forward {off:.5} off, {allowed:.5} allowed", smile.expiry);
            assert!(off < allowed, "{}: {forward} of {}", slice.expiry, smile.forward);
            let [a, b, rho, m, s] = slice.svi.unwrap();
            let fitted = shrike_core::pricing::smile::Svi { a, b, rho, m, s };
            let deviation = smile.svi.total(0.0).sqrt();
            for i in -8..=8 {
                let k = f64::from(i) * 0.2 * deviation;
                let (found, made) = (fitted.vol(k, smile.years), smile.svi.vol(k, smile.years));
                assert!((found - made).abs() < 0.006, "{} at {k}: {found} of {made}", slice.expiry);
            }
        }
    }
}
