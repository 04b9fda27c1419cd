//! A board keeps the exchanges' rules and the market's: a checker that knows only those follows every instrument, and what
//! is quoted at a moment is held against parity, order in strike and order in time.

use super::super::tests::bytes;
use super::super::{Generated, MarketBoard, MarketError, MarketOptions};
use shrike_config::tables::Tables;
use shrike_core::codes::{Exchange, OptionType, PhaseKind, PhaseSource, ProductClass};
use shrike_core::event::{DepthTick, Event, InstrumentDef, MarketSlot, Phase, Settlement};
use shrike_core::pricing::forward::{ParityFitter, ParityPair, executable_band};
use shrike_core::pricing::implied::{black_vol, out_of_the_money};
use shrike_core::pricing::{Expiry, smile::Smile};
use shrike_core::units::{Nanos, Price, Qty, TradingDay};
use shrike_core::venue::{MarketFeed, Next};
use std::collections::BTreeMap;

fn day(yyyymmdd: u32) -> TradingDay {
    TradingDay::new(yyyymmdd).unwrap()
}

/// The SSE 50 board from a day on, with coarse snapshots: the same rules in a tenth of the time.
fn options(first_day: u32, days: u32, seed: u64) -> MarketOptions {
    MarketOptions {
        seed,
        first_day: day(first_day),
        days,
        snapshot_ms: 5_000,
        products: Vec::new(),
        boards: vec![MarketBoard::named("SSE50").unwrap()],
        annual_vol_ppm: 200_000,
        ..MarketOptions::default()
    }
}

fn market(options: &MarketOptions) -> Generated {
    let tables = Tables::builtin().unwrap();
    Generated::new(options, &tables.sessions, tables.products.as_slice()).unwrap()
}

/// An instrument as a follower knows it.
#[derive(Clone, Default)]
struct Seen {
    /// Its terms, each from the day of its announcement on.
    defs: Vec<InstrumentDef>,
    phase: Phase,
    last: DepthTick,
    ticks: u64,
    settlements: Vec<Settlement>,
    /// Lots of snapshots within a circuit breaker's auction, and how often one ended.
    breaker_lots: i64,
    breakers: u64,
}

impl Seen {
    fn def(&self) -> &InstrumentDef {
        self.defs.last().unwrap()
    }

    fn is_option(&self) -> bool {
        self.def().class() == Some(ProductClass::Option)
    }

    fn in_breaker(&self) -> bool {
        self.phase.kind() == PhaseKind::AuctionOrders && self.phase.source == PhaseSource::Exchange.code()
    }

    fn see_phase(&mut self, phase: &Phase) {
        if self.phase.trading_day == phase.trading_day {
            assert!(phase.start_ns > self.phase.start_ns, "phases go on");
        }
        assert!(phase.end_ns > phase.start_ns || phase.end_ns.is_absent());
        if self.in_breaker() {
            assert_eq!(phase.kind(), PhaseKind::Continuous, "a breaker ends in trading");
            let grid_ns = 5_000_000_000;
            assert!(phase.start_ns.since(self.phase.end_ns) < grid_ns, "after its three minutes");
            self.breakers += 1;
        }
        if phase.kind() == PhaseKind::AuctionOrders && phase.source == PhaseSource::Exchange.code() {
            assert_eq!(phase.end_ns.since(phase.start_ns), 180_000_000_000);
            assert_eq!((self.def().exchange(), self.is_option()), (Some(Exchange::Sse), true));
        }
        self.phase = *phase;
    }

    fn see_tick(&mut self, tick: &DepthTick) {
        let def = self.def();
        assert!(tick.exch_ns >= self.last.exch_ns && tick.action_day == tick.exch_ns.china_date());
        assert!(def.expiry.is_absent() || tick.trading_day <= def.expiry, "{} trades after its last day", def.symbol);
        let levels = |prices: [Price; 5], qtys: [Qty; 5]| -> Vec<i64> {
            let shown: Vec<i64> = prices.iter().filter(|price| price.is_present()).map(|price| price.raw()).collect();
            // Levels are full from the best one on.
            for (index, (price, qty)) in prices.iter().zip(qtys).enumerate() {
                assert_eq!((price.is_present(), qty > Qty::ZERO), (index < shown.len(), index < shown.len()));
            }
            shown
        };
        let (bids, asks) = (levels(tick.bids, tick.bid_qtys), levels(tick.asks, tick.ask_qtys));
        assert!(bids.is_sorted_by(|better, worse| better > worse) && asks.is_sorted_by(|better, worse| better < worse));
        if let (Some(bid), Some(ask)) = (bids.first(), asks.first()) {
            assert!(bid < ask, "{tick:?}");
        }
        let traded = [tick.last, tick.open, tick.high, tick.low, tick.close, tick.settlement];
        let (lower, upper) = (tick.lower_limit.some(), tick.upper_limit.some());
        for raw in
            bids.iter().chain(&asks).copied().chain(traded.iter().filter_map(|price| price.some()).map(Price::raw))
        {
            assert_eq!(raw % def.tick.raw(), 0);
            let expired = def.expiry == tick.trading_day && tick.settlement.is_present();
            assert!(expired || lower.is_none_or(|lower| raw >= lower.raw()), "{} {raw} of {tick:?}", def.symbol);
            assert!(expired || upper.is_none_or(|upper| raw <= upper.raw()), "{} {raw} of {tick:?}", def.symbol);
        }
        if tick.trading_day == self.last.trading_day {
            assert!(tick.volume >= self.last.volume && tick.turnover >= self.last.turnover);
            let lots = tick.volume.lots().get() - self.last.volume.lots().get();
            if self.in_breaker() {
                self.breaker_lots += lots;
            }
        } else if let Some(settled) = self.settlements.last()
            && def.effective_day < tick.trading_day
        {
            assert_eq!((tick.pre_settlement, tick.trading_day), (settled.settlement, settled.next_day));
        }
        assert!(tick.open_interest >= Qty::ZERO);
        self.ticks += 1;
        self.last = *tick;
    }
}

/// Follows a market until a moment (or its end); every instrument by id.
fn follow(market: &mut Generated, until: Nanos) -> Vec<Seen> {
    let mut slot = MarketSlot::default();
    let mut seen: Vec<Seen> = Vec::new();
    let mut now = Nanos::new(0);
    while let Next::At(at) = market.next()
        && at < until
    {
        assert!(at >= now, "a market's time never goes back");
        now = at;
        assert!(market.take(&mut slot));
        match slot.event() {
            Event::InstrumentDef(def) => {
                let index = def.instrument.index();
                assert!(index <= seen.len(), "ids are dense");
                if index == seen.len() {
                    seen.push(Seen::default());
                }
                seen[index].defs.push(*def);
            }
            Event::Phase(phase) => seen[phase.instrument.index()].see_phase(phase),
            Event::DepthTick(tick) => seen[tick.instrument.index()].see_tick(tick),
            Event::Settlement(settlement) => {
                let of = &mut seen[settlement.instrument.index()];
                assert_eq!(of.last.settlement, settlement.settlement);
                of.settlements.push(*settlement);
            }
            other => panic!("no market sends {other:?}"),
        }
    }
    seen
}

/// The options of each product and expiry, as pairs of one strike and unit; prices of one unit of the underlying.
fn chains(seen: &[Seen]) -> BTreeMap<(String, TradingDay), Vec<ParityPair>> {
    let mut pairs: BTreeMap<(String, TradingDay, i64), ParityPair> = BTreeMap::new();
    for one in seen.iter().filter(|one| one.is_option() && one.last.close.is_absent()) {
        let def = one.def();
        let price = |price: Price| price.some().map_or(f64::NAN, |price| price.raw() as f64 * 1e-8);
        let strike = def.strike.raw() as f64 * 1e-8;
        let (nan, [bid, ..], [ask, ..]) = (f64::NAN, one.last.bids, one.last.asks);
        let none = ParityPair { strike, call_bid: nan, call_ask: nan, put_bid: nan, put_ask: nan };
        let key = (def.product.as_str().to_owned(), def.expiry, def.strike.raw());
        let pair = pairs.entry(key).or_insert(none);
        match def.option_type().unwrap() {
            OptionType::Call => (pair.call_bid, pair.call_ask) = (price(bid), price(ask)),
            OptionType::Put => (pair.put_bid, pair.put_ask) = (price(bid), price(ask)),
        }
    }
    let mut chains: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ((product, expiry, _), pair) in pairs {
        chains.entry((product, expiry)).or_default().push(pair);
    }
    chains
}

/// Implied total variance by log-moneyness, from the middles of the out-of-the-money sides.
fn variances(pairs: &[ParityPair], expiry: &Expiry) -> Vec<(f64, f64)> {
    let of = |pair: &ParityPair| {
        let right = out_of_the_money(expiry.forward, pair.strike);
        let (bid, ask) = match right {
            OptionType::Call => (pair.call_bid, pair.call_ask),
            OptionType::Put => (pair.put_bid, pair.put_ask),
        };
        // Of a handful of ticks the middle says little.
        let sure = ask - bid < 0.15 * bid;
        let vol = black_vol(expiry, right, pair.strike, 0.5 * (bid + ask)).ok().filter(|_| sure)?;
        Some(((pair.strike / expiry.forward).ln(), vol * vol * expiry.years))
    };
    pairs.iter().filter_map(of).collect()
}

fn between(points: &[(f64, f64)], k: f64) -> Option<f64> {
    let above = points.partition_point(|point| point.0 < k);
    let (low, high) = (points.get(above.checked_sub(1)?)?, points.get(above)?);
    Some(low.1 + (high.1 - low.1) * (k - low.0) / (high.0 - low.0))
}

#[test]
fn quotes_have_no_arbitrage_at_any_hour() {
    let mut market = market(&options(20_240_603, 2, 5));
    let mut checked = 0;
    for (date, second) in [(20_240_603, 10 * 3_600), (20_240_603, 52_000), (20_240_604, 35_000), (20_240_604, 50_000)] {
        // A follower that begins late would miss the definitions: each hour from the start.
        let mut again = market.clone();
        let moment = Nanos::china(day(date), second, 0);
        let seen = follow(&mut again, moment);
        let mut before: BTreeMap<String, (f64, Vec<(f64, f64)>)> = BTreeMap::new();
        for ((product, last), pairs) in chains(&seen) {
            let smile = again.smiles().find(|smile| smile.product.as_str() == product && smile.expiry == last).unwrap();
            // Parity: the quotes say a forward, nobody can trade against it, and it is the one they were made from.
            let fit = ParityFitter::default().fit(&pairs, smile.discount).unwrap();
            let money = pairs.iter().min_by(|one, other| {
                (one.strike - smile.forward).abs().total_cmp(&(other.strike - smile.forward).abs())
            });
            let spreads = money.map(|pair| pair.call_ask - pair.call_bid + pair.put_ask - pair.put_bid).unwrap();
            assert!(
                (fit.forward - smile.forward).abs() < 0.5 * spreads,
                "{product} {last}: {fit:?} of {smile:?}, {spreads}"
            );
            let band = executable_band(&pairs, smile.discount);
            assert!(!band.is_crossed(), "{product} {last} at {moment}: {band:?}");
            // What nobody quotes exceeds nothing.
            let exceeds = |bid: f64, ask: f64| bid > ask;
            // In strike: a call never bids more than the next lower one asks, a put likewise upwards; and never more than
            // the strikes are apart.
            for two in pairs.windows(2) {
                let width = (two[1].strike - two[0].strike) * smile.discount;
                assert!(
                    !exceeds(two[1].call_bid, two[0].call_ask) && !exceeds(two[0].put_bid, two[1].put_ask),
                    "{two:?}"
                );
                assert!(!exceeds(two[0].call_bid - two[1].call_ask, width + 1e-9), "{two:?}");
                assert!(!exceeds(two[1].put_bid - two[0].put_ask, width + 1e-9), "{two:?}");
            }
            for three in pairs.windows(3) {
                let part = (three[2].strike - three[1].strike) / (three[2].strike - three[0].strike);
                let wings = part * three[0].call_ask + (1.0 - part) * three[2].call_ask;
                assert!(!exceeds(three[1].call_bid, wings + 1e-9), "a butterfly pays: {three:?}");
            }
            // In time: total variance does not fall at a log-moneyness, but for what the ticks leave open.
            let expiry =
                Expiry { forward: fit.forward, years: smile.years, rate: -smile.discount.ln(), discount_years: 1.0 };
            let points = variances(&pairs, &expiry);
            assert!(points.len() >= 6, "{product} {last}: {} points", points.len());
            for &(k, w) in &points {
                assert!(
                    (w / smile.svi.total(k) - 1.0).abs() < 0.08,
                    "{product} {last} {k}: {w} of {}",
                    smile.svi.total(k)
                );
            }
            if let Some((years, earlier)) = before.insert(product.clone(), (smile.years, points.clone())) {
                assert!(years < smile.years);
                for &(k, w) in &points {
                    if let Some(early) = between(&earlier, k) {
                        assert!(w > early * 0.98, "{product} {last} {k}: {w} after {early}");
                        checked += 1;
                    }
                }
            }
        }
    }
    assert!(checked > 200, "{checked} points between expiries");
    assert!(market.take(&mut MarketSlot::default()));
}

#[test]
fn a_board_quotes_five_hundred_contracts_and_trades_them() {
    let mut market = market(&options(20_240_603, 1, 1));
    let seen = follow(&mut market, Nanos::MAX);
    let two_sided = |one: &&Seen| one.last.bids[0].is_present() && one.last.asks[0].is_present();
    let quoted = seen.iter().filter(|one| one.is_option()).filter(two_sided).count();
    let deep = seen.iter().filter(|one| one.last.bids[4].is_present() && one.last.asks[4].is_present()).count();
    let traded = seen.iter().filter(|one| one.is_option() && one.last.volume > Qty::ZERO).count();
    println!("{} instruments, {quoted} options two-sided, {deep} with ten levels, {traded} traded", seen.len());
    let options = seen.iter().filter(|one| one.is_option()).count();
    assert!(options >= 500 && quoted >= 500 && deep >= 450 && traded >= 300);
    let futures = seen.iter().filter(|one| one.def().class() == Some(ProductClass::Future));
    assert_eq!(
        futures.map(|one| one.def().symbol.to_string()).collect::<Vec<_>>(),
        ["IH2406", "IH2407", "IH2409", "IH2412"]
    );
    // Months, and contracts of the last dividend among them.
    let expiries: std::collections::BTreeSet<_> = seen.iter().map(|one| one.def().expiry).collect();
    assert!(expiries.len() > 9, "{expiries:?}");
    assert!(seen.iter().any(|one| one.def().adjusted == 1 && one.def().multiplier != 10_000));
    // Open interest moves with what trades, and trade is where the money is.
    let moved = seen.iter().filter(|one| one.last.open_interest != one.last.pre_open_interest);
    assert!(moved.clone().all(|one| one.last.volume > Qty::ZERO));
    assert!(moved.count() > 250);
    assert_eq!(market.rates().len(), seen.len());
}

#[test]
fn months_and_strikes_come_and_go_and_a_dividend_adjusts() {
    // The index options' June ends on the 21st, the ETF's on the 26th; the dividend is on the third day, the 21st.
    let seen = follow(&mut market(&options(20_240_619, 7, 3)), Nanos::MAX);
    let of = |product: &str| seen.iter().filter(move |one| one.def().product.as_str() == product).collect::<Vec<_>>();
    for (product, expiry, next) in [("HO", 20_240_621, 20_241_018), ("510050_O", 20_240_626, 20_240_828)] {
        let gone: Vec<_> = of(product).into_iter().filter(|one| one.def().expiry == day(expiry)).collect();
        assert!(gone.len() >= 40);
        for one in gone {
            assert_eq!(one.last.trading_day, day(expiry));
            let settled = one.settlements.last().unwrap();
            assert_eq!(settled.trading_day, day(expiry));
        }
        // The next month is listed the day after, with strikes on both sides of the money.
        let listed: Vec<_> = of(product).into_iter().filter(|one| one.def().expiry == day(next)).collect();
        assert!(listed.len() >= 10 || product == "HO", "{product}: {}", listed.len());
        assert!(listed.iter().all(|one| one.def().effective_day > day(expiry)));
    }
    let listed = seen.iter().filter(|one| !one.def().effective_day.is_absent() && one.defs.len() == 1).count();
    assert!(listed > 30, "{listed} were listed on later days");
    // Calls and puts that end in the money settle at what exercise pays, at one price of the ETF.
    let june: Vec<_> = of("510050_O").into_iter().filter(|one| one.def().expiry == day(20_240_626)).collect();
    let fund = seen.iter().find(|one| one.def().symbol.as_str() == "510050").unwrap();
    assert_eq!(fund.def().tradable, 0);
    let mut paid = 0;
    for one in &june {
        let sign = one.def().option_type().unwrap().sign() as i64;
        let closes = one.settlements.last().unwrap().settlement.raw() * sign + one.def().strike.raw();
        paid += usize::from(one.settlements.last().unwrap().settlement > Price::ZERO);
        if one.settlements.last().unwrap().settlement > Price::ZERO {
            let nearest = june.iter().filter(|other| other.settlements.last().unwrap().settlement > Price::ZERO);
            let same = nearest.filter(|other| {
                let sign = other.def().option_type().unwrap().sign() as i64;
                other.settlements.last().unwrap().settlement.raw() * sign + other.def().strike.raw() == closes
            });
            assert!(same.count() > 10);
        }
    }
    assert!(paid > 10);
    // Adjusted: a larger unit, a lower strike, the same money at the strike and the same worth, and an A behind the name.
    let adjusted: Vec<_> = of("510050_O").into_iter().filter(|one| one.defs.len() == 2).collect();
    assert!(adjusted.len() > 150, "{}", adjusted.len());
    for one in &adjusted {
        let [old, new] = one.defs[..] else { panic!() };
        assert_eq!((new.effective_day, new.symbol, new.adjusted), (day(20_240_621), old.symbol, 1));
        assert!(new.multiplier > old.multiplier && new.strike < old.strike);
        let strikes = [old, new].map(|def| def.strike.raw() as f64 * 1e-8 * def.multiplier as f64);
        assert!((strikes[1] - strikes[0]).abs() <= 0.0005 * new.multiplier as f64, "{strikes:?}");
        let settled = one.settlements.iter().find(|settled| settled.next_day == day(20_240_621)).unwrap();
        let worth = [settled.settlement.raw() * old.multiplier, new.pre_settlement.raw() * new.multiplier];
        assert!((worth[0] - worth[1]).abs() <= old.tick.raw() * new.multiplier / 2 + 1, "{worth:?}");
        assert!(super::short_name(&new).unwrap().ends_with('A'));
    }
    // Beside them standard contracts are listed anew.
    let anew = of("510050_O").into_iter().filter(|one| {
        one.def().effective_day == day(20_240_621) && one.def().adjusted == 0 && one.def().multiplier == 10_000
    });
    assert!(anew.count() >= 4 * 2 * 9);
}

#[test]
fn on_its_last_day_an_option_goes_to_what_exercise_pays_and_ends() {
    // The index options' June ends on the 21st, the ETF's on the 26th.
    for (product, underlying, last) in [("HO", "000016", 20_240_621), ("510050_O", "510050", 20_240_626)] {
        let market = market(&options(last, 2, 11));
        let before_close = follow(&mut market.clone(), Nanos::china(day(last), 14 * 3_600 + 3_595, 0));
        let seen = follow(&mut market.clone(), Nanos::china(day(last), 20 * 3_600, 0));
        let fund = seen.iter().find(|one| one.def().symbol.as_str() == underlying).unwrap();
        let close = fund.last.close.raw() as f64;
        let ends: Vec<_> = (0..seen.len())
            .filter(|&at| seen[at].def().product.as_str() == product && seen[at].def().expiry == day(last))
            .collect();
        assert!(ends.len() >= 40);
        let (mut settles_at, mut quoted) = (Vec::new(), 0);
        for &at in &ends {
            let (def, settled) = (*seen[at].def(), seen[at].settlements.last().unwrap().settlement.raw());
            assert_eq!(settled, seen[at].last.settlement.raw());
            let sign = def.option_type().unwrap().sign();
            if settled > 0 {
                settles_at.push(def.strike.raw() as f64 + sign * settled as f64);
            }
            // What is quoted in the last seconds is that value, but for the spread.
            let [bid, ..] = before_close[at].last.bids;
            let [ask, ..] = before_close[at].last.asks;
            if let (Some(bid), Some(ask)) = (bid.some(), ask.some()) {
                let spread = (ask.raw() - bid.raw()).max(2 * def.tick.raw());
                let off = ((bid.raw() + ask.raw()) / 2 - settled).abs();
                // An ETF's close is drawn in an auction behind them.
                let auction = if product == "HO" { 0.0 } else { 0.002 * close };
                assert!(off as f64 <= spread as f64 + auction, "{}: {bid} {ask}, settled {settled}", def.symbol);
                quoted += 1;
            }
        }
        assert!(quoted > 20 && settles_at.len() > 15, "{quoted}, {}", settles_at.len());
        // All at one price of the underlying, rounded to each option's ticks: the ETF's close; of an index, the mean of the
        // last two hours, which is where its future settles too.
        let (low, high) = settles_at.iter().fold((f64::MAX, 0.0_f64), |(low, high), at| (low.min(*at), high.max(*at)));
        let tick = seen[ends[0]].def().tick.raw() as f64;
        assert!(high - low <= tick, "{low} to {high}");
        if product == "HO" {
            let future = seen.iter().find(|one| one.def().symbol.as_str() == "IH2406").unwrap();
            assert!((future.last.settlement.raw() as f64 - low).abs() <= tick);
            assert!(fund.last.low.raw() as f64 <= low && low <= fund.last.high.raw() as f64);
        } else {
            assert!((close - low).abs() <= tick, "{close}, not {low}");
        }
        // The next day knows it no more.
        let later = follow(&mut market.clone(), Nanos::MAX);
        assert!(later.len() >= seen.len() && ends.iter().all(|&at| later[at].ticks == seen[at].ticks));
        assert!(ends.iter().all(|&at| later[at].phase.trading_day == day(last)));
    }
}

#[test]
fn a_call_auction_shows_an_indicative_price_and_then_the_book() {
    let market = market(&options(20_240_603, 1, 4));
    let at = |hour: u32, minute: u32, second: u32| {
        follow(&mut market.clone(), Nanos::china(day(20_240_603), hour * 3_600 + minute * 60 + second, 0))
    };
    let options_of = |seen: &[Seen], product: &str| -> Vec<Seen> {
        seen.iter().filter(|one| one.def().product.as_str() == product).cloned().collect()
    };
    for (product, early, late, after) in
        [("510050_O", at(9, 16, 0), at(9, 24, 50), at(9, 26, 0)), ("HO", at(9, 26, 0), at(9, 28, 55), at(9, 29, 58))]
    {
        let [early, late, after] = [early, late, after].map(|seen| options_of(&seen, product));
        let told = |seen: &[Seen]| seen.iter().filter(|one| one.last.last.is_present()).count();
        assert!(told(&early) > early.len() * 9 / 10, "{product}: {} of {}", told(&early), early.len());
        let moved = early.iter().zip(&late).filter(|(one, other)| one.last.last != other.last.last).count();
        assert!(moved > 10, "{product}: {moved} moved");
        for one in early.iter().chain(&late).filter(|one| one.ticks > 0) {
            // Nothing trades, nothing is quoted, and the price that would be is within the limits.
            assert_eq!(
                (one.last.volume, one.last.bids[0], one.last.asks[0]),
                (Qty::ZERO, Price::ABSENT, Price::ABSENT)
            );
            let limits = one.last.lower_limit..=one.last.upper_limit;
            assert!(one.last.last.is_absent() || limits.contains(&one.last.last), "{}", one.last.last);
        }
        let (mut traded, mut shown, mut near) = (0, 0, 0);
        for (one, before) in after.iter().zip(&late) {
            shown += usize::from(one.last.bids[0].is_present() && one.last.asks[0].is_present());
            if one.last.volume > Qty::ZERO {
                traded += 1;
                assert_eq!((one.last.open, one.last.high, one.last.low), (one.last.last, one.last.last, one.last.last));
                let apart = (one.last.last.raw() - before.last.last.raw()).abs() as f64;
                near += usize::from(apart <= 0.1 * before.last.last.raw() as f64 + 2.0 * one.def().tick.raw() as f64);
            } else {
                assert!(one.last.last.is_absent(), "an indicative price is no trade");
            }
        }
        assert!(shown > after.len() * 9 / 10 && traded > 5, "{product}: {shown} shown, {traded} traded");
        assert!(near * 10 >= traded * 9, "{product}: {near} of {traded} near the last indicative price");
    }
}

#[test]
fn a_breaker_halts_an_option_and_trading_resumes_by_auction() {
    let wild = MarketOptions { annual_vol_ppm: 900_000, jumps_per_day: 40, ..options(20_240_618, 4, 2) };
    let seen = follow(&mut market(&wild), Nanos::MAX);
    let breakers: u64 = seen.iter().map(|one| one.breakers).sum();
    let lots: i64 = seen.iter().map(|one| one.breaker_lots).sum();
    println!("{breakers} breakers, {lots} lots in their auctions");
    assert!(breakers > 3 && lots > 0);
}

#[test]
fn a_seed_decides_every_byte_and_skipping_is_taking() {
    // Over a weekend after which a month is listed.
    let few = options(20_240_621, 2, 7);
    let first = bytes(market(&few), 60_000);
    assert!(first == bytes(market(&few), 60_000));
    assert!(first != bytes(market(&options(20_240_621, 2, 8)), 60_000));
    let (mut taken, mut skipping) = (market(&few), market(&few));
    let mut slot = MarketSlot::default();
    let until = Nanos::china(day(20_240_624), 11 * 3_600, 0);
    let (mut count, mut listed) = (0, 0);
    while matches!(taken.next(), Next::At(at) if at < until) {
        assert!(taken.take(&mut slot));
        count += 1;
        if let Event::InstrumentDef(def) = slot.event() {
            listed += u32::from(!def.effective_day.is_absent());
        }
    }
    assert!(listed > 20, "{listed} were listed");
    assert_eq!(skipping.skip(count), count);
    assert!(bytes(taken, 2_000) == bytes(skipping, 2_000));
}

#[test]
fn a_board_that_cannot_be_made_says_why() {
    let tables = Tables::builtin().unwrap();
    let refusal = |options: &MarketOptions| -> MarketError {
        Generated::new(options, &tables.sessions, tables.products.as_slice()).unwrap_err()
    };
    let mut twice = options(20_240_603, 1, 1);
    twice.products = vec![super::super::MarketProduct::named("IF").unwrap()];
    twice.boards = vec![MarketBoard::named("CSI300").unwrap()];
    assert!(refusal(&twice).to_string().contains("leave IF out"));
    let mut unknown = options(20_240_603, 1, 1);
    unknown.boards[0].etf_option = "510051_O".to_owned();
    assert!(refusal(&unknown).to_string().contains("510051_O"));
    let mut low = options(20_240_603, 1, 1);
    low.boards[0].first_index = Price::whole(10);
    assert!(refusal(&low).to_string().contains("first_index"));
    assert!(MarketBoard::named("SSE51").is_none());
}
