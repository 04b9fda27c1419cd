//! The built-in tables against facts from elsewhere: exchange notices, JoinQuant's trading days, WonderTrader's holidays,
//! and the properties every trading day must have.

use super::*;
use shrike_core::calendar::{CalendarError, PhaseSpan};
use shrike_core::codes::{Exchange, OptionStyle, OptionType, OrderType, PhaseKind, ProductClass, TimeInForce};
use shrike_core::instrument::InstrumentId;
use shrike_core::pricing::margin::Short;
use shrike_core::units::{Lots, Money, Nanos, Price, TradingDay};

fn tables() -> Tables {
    Tables::builtin().unwrap_or_else(|error| panic!("{error}"))
}

fn day(yyyymmdd: u32) -> TradingDay {
    TradingDay::new(yyyymmdd).unwrap()
}

fn at(yyyymmdd: u32, hour: u32, minute: u32) -> Nanos {
    Nanos::china(day(yyyymmdd), hour * 3600 + minute * 60, 0)
}

#[test]
fn trading_days_of_each_year() {
    // The exchanges' own counts; 2026 from JoinQuant's list.
    let counts = [
        (2018, 243),
        (2019, 244),
        (2020, 243),
        (2021, 243),
        (2022, 242),
        (2023, 242),
        (2024, 242),
        (2025, 243),
        (2026, 242),
    ];
    let tables = tables();
    for (year, count) in counts {
        let days =
            tables.sessions.calendar().trading_days(day(year * 10_000 + 101), day(year * 10_000 + 1231)).unwrap();
        assert_eq!(days.len(), count, "{year}");
    }
}

#[test]
fn the_trading_days_around_every_long_gap() {
    // Last day before, first day after; JoinQuant's trading days.
    let gaps = [
        (20_180_214, 20_180_222),
        (20_180_404, 20_180_409),
        (20_180_427, 20_180_502),
        (20_180_615, 20_180_619),
        (20_180_921, 20_180_925),
        (20_180_928, 20_181_008),
        (20_181_228, 20_190_102),
        (20_190_201, 20_190_211),
        (20_190_404, 20_190_408),
        (20_190_430, 20_190_506),
        (20_190_606, 20_190_610),
        (20_190_912, 20_190_916),
        (20_190_930, 20_191_008),
        (20_191_231, 20_200_102),
        (20_200_123, 20_200_203),
        (20_200_403, 20_200_407),
        (20_200_430, 20_200_506),
        (20_200_624, 20_200_629),
        (20_200_930, 20_201_009),
        (20_201_231, 20_210_104),
        (20_210_210, 20_210_218),
        (20_210_402, 20_210_406),
        (20_210_430, 20_210_506),
        (20_210_611, 20_210_615),
        (20_210_917, 20_210_922),
        (20_210_930, 20_211_008),
        (20_211_231, 20_220_104),
        (20_220_128, 20_220_207),
        (20_220_401, 20_220_406),
        (20_220_429, 20_220_505),
        (20_220_602, 20_220_606),
        (20_220_909, 20_220_913),
        (20_220_930, 20_221_010),
        (20_221_230, 20_230_103),
        (20_230_120, 20_230_130),
        (20_230_404, 20_230_406),
        (20_230_428, 20_230_504),
        (20_230_621, 20_230_626),
        (20_230_928, 20_231_009),
        (20_231_229, 20_240_102),
        (20_240_208, 20_240_219),
        (20_240_403, 20_240_408),
        (20_240_430, 20_240_506),
        (20_240_607, 20_240_611),
        (20_240_913, 20_240_918),
        (20_240_930, 20_241_008),
        (20_241_231, 20_250_102),
        (20_250_127, 20_250_205),
        (20_250_403, 20_250_407),
        (20_250_430, 20_250_506),
        (20_250_530, 20_250_603),
        (20_250_930, 20_251_009),
        (20_251_231, 20_260_105),
        (20_260_213, 20_260_224),
        (20_260_403, 20_260_407),
        (20_260_430, 20_260_506),
        (20_260_618, 20_260_622),
        (20_260_924, 20_260_928),
        (20_260_930, 20_261_008),
    ];
    let tables = tables();
    let calendar = tables.sessions.calendar();
    let days = calendar.trading_days(day(20_180_101), day(20_261_231)).unwrap();
    let ordinary = |pair: &[TradingDay]| {
        let gap = pair[1].days_since_epoch() - pair[0].days_since_epoch();
        gap == 1 || gap == 3 && pair[0].weekday() == 4
    };
    let long: Vec<_> =
        days.windows(2).filter(|pair| !ordinary(pair)).map(|pair| (pair[0].get(), pair[1].get())).collect();
    assert_eq!(long, gaps);
    for (eve, after) in gaps {
        assert_eq!(calendar.night_eve(day(after)), Ok(None), "no night on the evening of {eve}");
    }
}

#[test]
fn wondertrader_has_the_same_holidays() {
    let data = std::env::var("SHRIKE_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").into());
    let path = format!("{data}/sessions/holidays.json");
    let Ok(bytes) = std::fs::read(&path) else {
        return println!("skipped: {path} is absent; set SHRIKE_DATA to the folder of test data");
    };
    let text: Vec<u8> = bytes.into_iter().filter(|byte| byte.is_ascii_digit() || *byte == b'"').collect();
    let text = String::from_utf8(text).unwrap();
    let theirs: Vec<u32> =
        text.split('"').filter_map(|word| word.parse().ok()).filter(|&date| date >= 20_180_101).collect();
    assert!(theirs.len() > 80, "the file lists the days of 2018 to 2022");
    let tables = tables();
    let calendar = tables.sessions.calendar();
    let mut date = day(20_180_101);
    while date <= day(20_221_007) {
        let shut = date.weekday() >= 5 || theirs.contains(&date.get());
        assert_eq!(calendar.is_trading_day(date), Ok(!shut), "{date}");
        date = date.plus_days(1);
    }
}

#[test]
fn outside_the_table_nothing_is_guessed() {
    let tables = tables();
    let calendar = tables.sessions.calendar();
    let uncovered = |result| matches!(result, Err(CalendarError::Uncovered { .. }));
    assert!(uncovered(calendar.is_trading_day(day(20_171_229)).map(|_| ())));
    assert!(uncovered(calendar.is_trading_day(day(20_270_104)).map(|_| ())));
    assert!(uncovered(calendar.next_trading_day(day(20_261_231)).map(|_| ())));
}

/// When a product's night of a trading day ends, if it has one.
fn night_end(tables: &Tables, exchange: Exchange, product: &str, date: u32) -> Option<Nanos> {
    let spans = tables.sessions.phases_of(exchange, product, day(date)).unwrap_or_else(|error| panic!("{error}"));
    let night = |span: &&PhaseSpan| span.kind == PhaseKind::Continuous && span.start.china_second() == 21 * 3600;
    spans.iter().find(night).map(|span| span.end)
}

#[test]
fn nights_by_product_and_year() {
    use Exchange::{Cffex, Czce, Dce, Gfex, Ine, Shfe};
    let tables = tables();
    let cases = [
        (Shfe, "ru", 20_181_015, Some(at(20_181_012, 23, 0)), "the Friday night of the recording belongs to Monday"),
        (Shfe, "ru", 20_181_008, None, "first day after National Day 2018"),
        (Shfe, "ru", 20_181_009, Some(at(20_181_008, 23, 0)), "recorded: nights resume on 8 October"),
        (Shfe, "au", 20_181_015, Some(at(20_181_013, 2, 30)), "gold ends on Saturday"),
        (Shfe, "cu", 20_260_106, Some(at(20_260_106, 1, 0)), "copper"),
        (Shfe, "cu", 20_260_105, None, "first day of 2026"),
        (Shfe, "wr", 20_181_015, None, "wire rod never"),
        (Shfe, "sp", 20_181_127, None, "listed in the morning"),
        (Shfe, "sp", 20_181_128, Some(at(20_181_127, 23, 0)), "its first night"),
        (Ine, "sc", 20_181_016, Some(at(20_181_016, 2, 30)), "crude oil"),
        (Ine, "ec", 20_240_306, None, "freight never"),
        (Dce, "m", 20_190_329, Some(at(20_190_328, 23, 30)), "DCE notice of March 2019"),
        (Dce, "m", 20_190_401, Some(at(20_190_329, 23, 0)), "DCE notice of March 2019"),
        (Dce, "pp", 20_190_329, None, "DCE notice of March 2019"),
        (Dce, "pp", 20_190_401, Some(at(20_190_329, 23, 0)), "DCE notice of March 2019"),
        (Dce, "jd", 20_200_804, None, "eggs never"),
        (Dce, "pg", 20_200_506, None, "listed during the suspension"),
        (Dce, "pg", 20_200_507, Some(at(20_200_506, 23, 0)), "nights resume"),
        (Dce, "l_f", 20_251_029, Some(at(20_251_028, 23, 0)), "listed at 21:00 on 28 October 2025"),
        (Czce, "TA", 20_191_211, Some(at(20_191_210, 23, 30)), "CZCE in 2019"),
        (Czce, "TA", 20_191_212, Some(at(20_191_211, 23, 0)), "CZCE in 2019"),
        (Czce, "SA", 20_191_206, None, "CZCE notice: listed in the morning of 6 December 2019"),
        (Czce, "SA", 20_191_209, Some(at(20_191_206, 23, 30)), "CZCE notice: night from 6 December to 23:30"),
        (Czce, "AP", 20_200_804, None, "apples never"),
        (Czce, "SRC", 20_191_212, Some(at(20_191_211, 23, 0)), "options as their underlying"),
        (Cffex, "IF", 20_210_105, None, "no nights at CFFEX"),
        (Gfex, "lc", 20_260_106, None, "no nights at GFEX"),
        (Shfe, "ru", 20_200_123, Some(at(20_200_122, 23, 0)), "the last night before the suspension"),
        (Shfe, "ru", 20_200_507, Some(at(20_200_506, 23, 0)), "SHFE notice of 24 April 2020"),
    ];
    for (exchange, product, date, end, why) in cases {
        assert_eq!(night_end(&tables, exchange, product, date), end, "{product} {date}: {why}");
    }
    for &date in tables.sessions.calendar().trading_days(day(20_200_203), day(20_200_506)).unwrap() {
        assert_eq!(night_end(&tables, Exchange::Shfe, "au", date.get()), None, "{date}: suspended");
    }
}

#[test]
fn phases_of_the_day() {
    use Exchange::{Cffex, Czce, Shfe, Sse};
    use PhaseKind::*;
    let tables = tables();
    let cases = [
        (Cffex, "IF", at(20_210_104, 9, 24), Shut),
        (Cffex, "IF", at(20_210_104, 9, 25), AuctionOrders),
        (Cffex, "IF", at(20_210_104, 9, 29), AuctionMatch),
        (Cffex, "IF", at(20_210_104, 9, 30), Continuous),
        (Cffex, "IF", at(20_210_104, 11, 30), Break),
        (Cffex, "IF", at(20_210_104, 15, 0), Shut),
        (Cffex, "T", at(20_200_717, 9, 15), Continuous),
        (Cffex, "T", at(20_200_720, 9, 15), Shut),
        (Cffex, "T", at(20_200_720, 15, 14), Continuous),
        (Czce, "AP", at(20_200_803, 8, 59), AuctionMatch),
        (Czce, "AP", at(20_200_803, 10, 20), Break),
        (Czce, "AP", at(20_200_803, 13, 30), Continuous),
        (Shfe, "ru", at(20_181_008, 8, 55), AuctionOrders),
        (Shfe, "ru", at(20_181_009, 8, 55), Shut),
        (Shfe, "ru", at(20_230_525, 8, 55), Shut),
        (Shfe, "ru", at(20_230_526, 8, 55), AuctionOrders),
        (Czce, "TA", at(20_230_526, 8, 55), CancelOnly),
        (Czce, "TA", at(20_240_219, 8, 55), AuctionOrders),
        (Sse, "510300_O", at(20_240_219, 9, 22), AuctionNoCancel),
        (Sse, "510300_O", at(20_240_219, 14, 58), ClosingAuction),
    ];
    for (exchange, product, at, kind) in cases {
        assert_eq!(tables.sessions.phase_at(exchange, product, at).unwrap().kind, kind, "{product} {at}");
    }
}

#[test]
fn orders_by_exchange_and_phase() {
    use Exchange::{Cffex, Czce, Dce, Shfe, Szse};
    use OrderType::{Limit, Market};
    use PhaseKind::*;
    use TimeInForce::{Day, Fak, Fok};
    let rules = tables().rules;
    let cases = [
        (Shfe, Continuous, Limit, Fok, true),
        (Shfe, Continuous, Market, Day, false),
        (Shfe, AuctionOrders, Limit, Day, true),
        (Shfe, AuctionOrders, Limit, Fak, false),
        (Shfe, AuctionMatch, Limit, Day, false),
        (Shfe, Break, Limit, Day, false),
        (Czce, Continuous, Limit, Fok, false),
        (Czce, CancelOnly, Limit, Day, false),
        (Cffex, AuctionOrders, Market, Fak, false),
        (Dce, Continuous, Market, Fok, true),
        (Szse, AuctionNoCancel, Limit, Day, true),
    ];
    for (exchange, phase, kind, life, allowed) in cases {
        assert_eq!(rules.order_allowed(exchange, phase, kind, life), allowed, "{exchange} {phase} {kind} {life}");
    }
    for &exchange in Exchange::ALL {
        assert!(rules.cancel_allowed(exchange, Continuous), "{exchange}");
        assert!(!rules.cancel_allowed(exchange, Shut), "{exchange}");
        assert!(!rules.cancel_allowed(exchange, AuctionMatch), "{exchange}");
        assert!(!rules.cancel_allowed(exchange, AuctionNoCancel), "{exchange}");
    }
    assert!(rules.cancel_allowed(Czce, CancelOnly));
}

#[test]
fn every_day_of_every_product_is_whole() {
    let tables = tables();
    let calendar = tables.sessions.calendar();
    let days = calendar.trading_days(day(20_180_103), day(20_261_231)).unwrap();
    let products: Vec<_> = tables.sessions.products().collect();
    assert_eq!(products.len(), tables.products.as_slice().len());
    for (exchange, product) in products {
        let listed = tables.products.get(exchange, product.as_str()).unwrap().listed;
        let mut closed = Nanos::ABSENT;
        for &date in days.iter().filter(|&&date| date >= listed) {
            let spans = tables.sessions.phases_of(exchange, product.as_str(), date).unwrap();
            assert!(spans.start() > closed, "{product} {date}: opens after the day before closed");
            closed = spans.end();
            assert_eq!(spans.end().china_date(), date);
            for pair in spans.windows(2) {
                assert_eq!(pair[0].end, pair[1].start, "{product} {date}: no gap, no overlap");
                assert_ne!(pair[0].kind, pair[1].kind, "{product} {date}: a span ends where something changes");
            }
            for span in &spans {
                assert!(span.start < span.end);
                for moment in [span.start, Nanos::new(span.end.get() - 1)] {
                    let natural = calendar.natural_date(date, moment.china_second()).unwrap();
                    if span.kind != PhaseKind::Shut {
                        assert_eq!(calendar.trading_day_at(moment), Ok(date), "{product} {moment}");
                        assert_eq!(natural, moment.china_date(), "{product} {moment}");
                    }
                }
            }
        }
        if !listed.is_absent() {
            let before = calendar.previous_trading_day(listed).unwrap();
            let unlisted = tables.sessions.phases_of(exchange, product.as_str(), before);
            assert!(matches!(unlisted, Err(CalendarError::NoSession { .. })), "{product} {before}");
            assert_eq!(calendar.is_trading_day(listed), Ok(true), "{product} was listed on a trading day");
        }
    }
}

#[test]
fn the_recorded_products() {
    let tables = tables();
    let product = |symbol: &str| *tables.products.of_symbol(symbol).unwrap();
    let index = product("IF2101");
    assert_eq!((index.exchange, index.multiplier, index.tick), (Exchange::Cffex, 300, Price::parse("0.2").unwrap()));
    assert_eq!((index.max_limit_lots, index.max_market_lots, index.daily_cancels), (Lots::new(20), Lots::new(10), 400));
    assert_eq!(index.rates.open.ratio, 2_300);
    let rubber = product("ru1901");
    assert_eq!((rubber.exchange, rubber.multiplier, rubber.tick), (Exchange::Shfe, 10, Price::parse("5").unwrap()));
    assert_eq!(rubber.max_market_lots, Lots::ZERO, "SHFE takes no market orders");
    let apples = product("AP010");
    assert_eq!((apples.exchange, apples.multiplier, apples.daily_cancels), (Exchange::Czce, 10, 500));
    assert_eq!(apples.rates.open.per_lot, Money::parse("0.5").unwrap());
    assert_eq!(apples.rates.close_today.per_lot, Money::ZERO);

    let def = rubber.instrument(InstrumentId::new(3), "ru1901").unwrap();
    assert_eq!((def.symbol.as_str(), def.product.as_str(), def.exchange()), ("ru1901", "ru", Some(Exchange::Shfe)));
    assert_eq!((def.class(), def.strike.is_absent(), def.tradable), (Some(ProductClass::Future), true, 1));
    assert_eq!((rubber.rates(def.instrument).close_today_ratio, rubber.rates(def.instrument).assumed), (4_500, 1));
}

#[test]
fn symbols_lead_to_products() {
    let tables = tables();
    let cases = [
        ("T2009", "T"),
        ("TA009", "TA"),
        ("m1905", "m"),
        ("m1905-C-2700", "m_o"),
        ("cu2006C47000", "cu_o"),
        ("SR703C5300", "SRC"),
        ("SR703P5300", "SRP"),
        ("IO2503-C-3900", "IO"),
        ("l2602F", "l_f"),
        ("lc2401", "lc"),
    ];
    for (symbol, code) in cases {
        let product = tables.products.of_symbol(symbol).unwrap_or_else(|| panic!("{symbol}"));
        assert_eq!(product.code.as_str(), code, "{symbol}");
    }
    assert_eq!(tables.products.of_symbol("IO2503-C-3900").unwrap().option_style, Some(OptionStyle::European));
    for symbol in ["", "ru", "1901", "xx1901", "BTCUSDT", "PX401C9000", "ru1901X"] {
        assert!(tables.products.of_symbol(symbol).is_none(), "{symbol}");
    }
    let mut codes: Vec<_> = tables.products.as_slice().iter().map(|product| product.code).collect();
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), tables.products.as_slice().len(), "codes are unique across exchanges");
}

/// The message for the built-in tables with one file replaced by an edited copy.
fn refusal(file: &str, from: &str, to: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let text = builtin(file);
    assert!(text.contains(from), "{file} holds {from:?}");
    std::fs::write(directory.path().join(file), text.replacen(from, to, 1)).unwrap();
    let message = Tables::with_directory(directory.path()).unwrap_err().to_string();
    assert!(message.contains(file), "the message names the file: {message}");
    message
}

#[test]
fn bad_tables_are_refused_with_their_place() {
    let cases = [
        (HOLIDAYS, "last = 2026-12-31", "lsat = 2026-12-31", "lsat"),
        (HOLIDAYS, "last = 2026-12-31", "last = 2017-12-31", "last = 2017-12-31: expected a date not before `first`"),
        (HOLIDAYS, "2018-02-15", "2018-02-17", "2018-02-17: expected a day from Monday to Friday"),
        (HOLIDAYS, "2018-02-15", "2018-02-16", "expected each day once"),
        (HOLIDAYS, "2018-02-15", "2018-02-15T09:00:00", "expected a date like"),
        (SESSIONS, "21:00-23:00 continuous", "21:00-23:00 continous", "night 2300.slots[2] = 21:00-23:00 continous"),
        (SESSIONS, "21:00-23:00", "21:00-28:00", "night 2300.slots[2] = 21:00-28:00 continuous: expected a slot"),
        (SESSIONS, "20:59-21:00", "20:50-21:00", "slot 1 must begin at or after the end"),
        (SESSIONS, "night = \"0230\"", "night = \"0330\"", "session.night = 0330: expected the name of a template"),
        (SESSIONS, "\"au\", \"ag\"", "\"au\", \"agg\"", "session.products of SHFE = agg: expected a product"),
        (SESSIONS, "\"au\", \"ag\"", "\"au\"", "SHFE ag: expected a row for every product"),
        (SESSIONS, "\"limit fok\"", "\"limit gtc\"", "rule.orders = limit gtc"),
        (SESSIONS, "cancels = true", "cancel = true", "cancel"),
        (PRODUCTS, "[SHFE]", "[SHFX]\ndaily_cancels = 1\n\n[SHFE]", "[exchange] = SHFX: expected one of SHFE"),
        (PRODUCTS, "tick = \"10\"", "tick = \"ten\"", "SHFE.futures.cu.tick = ten: expected a positive decimal"),
        (PRODUCTS, "multiplier = 5", "multiplier = 0", "SHFE.futures.cu.multiplier = 0"),
        (PRODUCTS, "fee = \"0.0001\"", "fee = \"-1\"", "SHFE.futures.cu.fee = -1"),
        (PRODUCTS, "style = \"american\"", "style = \"bermudan\"", "SHFE.options.cu_o.style = bermudan"),
        (PRODUCTS, "{ of = \"etf\"", "{ of = \"eft\"", "eft"),
        (PRODUCTS, "ratio = \"0.12\", floor", "ratio = \"x\", floor", "CFFEX.options.HO.option_margin.ratio = x"),
        (
            PRODUCTS,
            "relief = \"0.5\", floor = \"0.5\"",
            "relief = \"0.5\", floor = \"0.5\", broker = \"0.9\"",
            "broker = 0.9: expected a factor of at least 1",
        ),
        (
            PRODUCTS,
            "name = \"copper\",",
            "name = \"copper\", option_margin = { of = \"etf\", ratio = \"0.1\", floor = \"0.1\" },",
            "SHFE.futures.cu.option_margin = given: expected nothing",
        ),
        (PRODUCTS, "name = \"copper\"", "nmae = \"copper\"", "nmae"),
    ];
    for (file, from, to, expected) in cases {
        let message = refusal(file, from, to);
        assert!(message.contains(expected), "{to:?} gives: {message}");
    }
}

#[test]
fn every_option_has_its_exchanges_margin_formula() {
    let tables = tables();
    for product in tables.products.as_slice() {
        assert_eq!(product.option_margin.is_some(), product.class == ProductClass::Option, "{}", product.code.as_str());
    }
    let price = |text| Price::parse(text).unwrap();
    let margin = |exchange, code: &str, settlement, underlying, strike, option_type| {
        let product = tables.products.get(exchange, code).unwrap();
        let future = tables.products.get(exchange, product.underlying.as_str());
        let short = Short {
            option_type,
            strike: price(strike),
            settlement: price(settlement),
            underlying: price(underlying),
            unit: product.multiplier,
            future_ratio: future.map_or(0, |future| future.rates.margin_ratio),
        };
        product.option_margin.unwrap().per_lot(&short)
    };
    let call = OptionType::Call;
    // SSE, 21 May 2019: a published worked example.
    let etf = margin(Exchange::Sse, "510050_O", "0.0056", "2.699", "2.75", call);
    assert_eq!(etf, Money::parse("2784.8").unwrap());
    let index = margin(Exchange::Cffex, "IO", "30", "4000", "3700", OptionType::Put);
    assert_eq!(index, Money::parse("25200").unwrap());
    // Copper: 10 % of 50,000 x 5, less half of 5,000 out of the money, and the option.
    let copper = margin(Exchange::Shfe, "cu_o", "200", "50000", "51000", call);
    assert_eq!(copper, Money::parse("23500").unwrap());
}

#[test]
fn a_directory_replaces_single_files_and_misspelt_ones_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let edited =
        builtin(PRODUCTS).replacen("ru = { name = \"natural rubber\", multiplier = 10", "ru = { multiplier = 20", 1);
    std::fs::write(directory.path().join(PRODUCTS), edited).unwrap();
    let tables = Tables::with_directory(directory.path()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(tables.products.get(Exchange::Shfe, "ru").unwrap().multiplier, 20);

    std::fs::write(directory.path().join("holiday.toml"), "").unwrap();
    let message = Tables::with_directory(directory.path()).unwrap_err().to_string();
    assert!(message.contains("holiday.toml: unknown table"), "{message}");
    let absent = Tables::with_directory(&directory.path().join("none")).unwrap_err().to_string();
    assert!(absent.contains("none"), "{absent}");
}
