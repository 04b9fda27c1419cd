//! `shrike option` as people run it: against prices by others, with reasons where there is no answer, over bad files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn option(args: &[&str], input: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_shrike"))
        .arg("option")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = program.stdin.take().unwrap();
    let input = input.to_owned();
    // The program answers while it reads: a pipe that nobody empties would stop both.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = program.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// The answers, by the names of their columns.
fn answers(output: &Output) -> Vec<BTreeMap<String, String>> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut lines = text.lines();
    let names: Vec<String> = lines.next().unwrap().split(',').map(str::to_owned).collect();
    lines.map(|line| names.iter().cloned().zip(line.split(',').map(str::to_owned)).collect()).collect()
}

fn number(answer: &BTreeMap<String, String>, name: &str) -> f64 {
    answer[name].parse().unwrap_or_else(|_| panic!("{name} of {answer:?}"))
}

/// The rows of a table by the names of its header.
fn table(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines.map(|line| names.iter().copied().zip(line.split(',')).collect()).collect()
}

#[test]
fn american_prices_are_the_reference() {
    let table = table(include_str!("../../core/oracles/american.csv"));
    let mut input = String::from("style,type,strike,years,vol,rate,forward\n");
    for row in &table {
        let years = row["days"].parse::<f64>().unwrap() / 365.0;
        input += &format!("american,{},{},{years:?},{},{},100\n", row["type"], row["strike"], row["vol"], row["rate"]);
    }
    let output = option(&[], &input);
    assert_eq!(output.status.code(), Some(0));
    let answers = answers(&output);
    assert_eq!(answers.len(), 840);
    for (row, answer) in table.iter().zip(&answers) {
        let expected: f64 = row["price"].parse().unwrap();
        assert!((number(answer, "price") - expected).abs() < 1e-5, "{row:?}: {answer:?}");
    }
}

#[test]
fn prices_and_volatilities_agree_with_quantlib() {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let data = std::env::var_os("SHRIKE_DATA").map_or(beside, PathBuf::from);
    let path = data.join("pricing/golden_black76_bachelier.csv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return eprintln!("skipped: {} is absent; set SHRIKE_DATA to the folder of test data", path.display());
    };
    let golden = table(&text);
    assert_eq!(golden.len(), 2_000);
    for (model, price, vol, delta) in [
        ("black", "black_price", "sigma", "black_delta_fwd"),
        ("bachelier", "bach_price", "bach_sigma", "bach_delta_fwd"),
    ] {
        let rate = |row: &BTreeMap<&str, &str>| {
            let [years, discount] = ["T", "df"].map(|name| row[name].parse::<f64>().unwrap());
            (row["T"].to_owned(), -discount.ln() / years)
        };
        let mut priced = String::from("type,forward,strike,years,rate,vol\n");
        let mut found = String::from("type,forward,strike,years,rate,price\n");
        for row in &golden {
            let (years, rate) = rate(row);
            let start = format!("{},{},{},{years},{rate:?}", row["type"], row["F"], row["K"]);
            priced += &format!("{start},{}\n", row[vol]);
            found += &format!("{start},{}\n", row[price]);
        }
        let by_vol = answers(&option(&["--model", model], &priced));
        let by_price = answers(&option(&["--model", model], &found));
        let mut unanswered = 0;
        for ((row, priced), found) in golden.iter().zip(&by_vol).zip(&by_price) {
            let told = |name: &str| row[name].parse::<f64>().unwrap();
            let forward = told("F");
            assert!((number(priced, "price") - told(price)).abs() < 1e-12 * forward, "{row:?}: {priced:?}");
            assert!((number(priced, "delta") - told(delta)).abs() < 1e-12, "{row:?}: {priced:?}");
            if model == "black" {
                assert!((number(priced, "vega") - told("black_vega")).abs() < 1e-11 * forward, "{row:?}: {priced:?}");
                let gamma = number(priced, "gamma");
                assert!((gamma - told("black_gamma_fwd")).abs() < 1e-9 * (1.0 + gamma), "{row:?}: {priced:?}");
            }
            if found["vol"].is_empty() {
                unanswered += 1;
                // Only where the price holds no time value: all of it is in the last digits of the forward.
                assert!(matches!(found["reason"].as_str(), "below_intrinsic" | "unresolved"), "{found:?}");
                let lost = number(priced, "vega") * told(vol) < 1e-12 * forward;
                assert!(lost, "{row:?}: {found:?}");
            } else {
                // What the price's own digits allow: QuantLib's prices in the wings have far fewer than sixteen.
                let attainable = 1e-13 * forward / (number(priced, "vega") * told(vol)) + 1e-12;
                let error = (number(found, "vol") - told(vol)).abs() / told(vol);
                assert!(error < attainable, "{error:e}, {attainable:e}: {row:?}: {found:?}");
            }
        }
        assert!(unanswered < 150, "{model}: {unanswered} without a volatility");
    }
}

#[test]
fn a_quote_has_a_band_and_a_missing_answer_a_reason() {
    let input = "\
id,type,forward,strike,expiry,rate,bid,ask
both,C,100,105,2027-02-19,0.02,2.1,2.3
no bid,C,100,105,2027-02-19,0.02,0,2.3
crossed,P,100,105,2027-02-19,0.02,9,8
none,P,100,105,2027-02-19,0.02,,
deep,C,100,60,2027-02-19,0.02,39,41
over,C,100,60,2027-02-19,0.02,101,102
\"a,b\",call,100,105,2026-11-20,0.02,1,2
";
    let output = option(&["--at", "2026-11-20T15:00"], input);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let answers = answers(&output);
    let both = &answers[0];
    let [bid, mid, ask] = ["bid_vol", "vol", "ask_vol"].map(|name| number(both, name));
    assert!(bid < mid && mid < ask && both["reason"].is_empty());
    assert!((number(both, "price") - 2.2).abs() < 1e-12, "the price at the middle volatility is the middle");
    let reasons: Vec<&str> = answers[1..6].iter().map(|answer| answer["reason"].as_str()).collect();
    assert_eq!(reasons, ["one_sided", "crossed", "absent", "bid:below_intrinsic", "above_bound"]);
    assert!(answers[1]["vol"].is_empty() && !answers[1]["ask_vol"].is_empty());
    assert!(!answers[4]["vol"].is_empty());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("\"a,b\",,,,,,,,,,,,,,expired\n"), "{text}");
}

#[test]
fn bad_rows_are_named_and_the_rest_answered() {
    let input = "\
id,type,forward,strike,years,rate,vol,style
1,C,100,105,0.25,0.02,0.3,european
2,X,100,105,0.25,0.02,0.3,
3,C,abc,105,0.25,0.02,0.3,
4,C,100,105,0.25
5,C,100,-105,0.25,0.02,0.3,
6,C,100,105,0.25,,0.3,

7,P,100,105,0.25,0.02,0.3,a
";
    let output = option(&[], input);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("4 of 7 rows") && said.contains("line 3") && said.contains("`X`"), "{said}");
    let answers = answers(&output);
    let reasons: Vec<&str> = answers.iter().map(|answer| answer["reason"].as_str()).collect();
    assert_eq!(
        reasons,
        [
            "",
            "row: type `X` is neither C nor P",
            "row: forward `abc` is no number",
            "row: 5 fields where the header has 8",
            "input",
            "row: no rate",
            "",
        ]
    );

    let json = option(&["--json"], input);
    let lines: Vec<serde_json::Value> =
        json.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    assert_eq!(lines.len(), 7);
    assert_eq!(lines[0]["price"].as_f64(), Some(number(&answers[0], "price")), "to the last bit");
    assert!(lines[1]["price"].is_null());
}

#[test]
fn a_file_that_cannot_be_used_is_said() {
    for (args, input, expected) in [
        (&["no such file.csv"][..], "", "no such file.csv"),
        (&[], "", "no column `forward`"),
        (&[], "forward,strike,rate,type,expiry,vol\n", "--at"),
        (&["--at", "soon"], "", "soon"),
    ] {
        let output = option(args, input);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected) && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn margins_are_the_published_examples() {
    // 50ETF call on 21 May 2019, and CFFEX's worked examples of IO at 12 % and a half.
    for (product, rows, expected) in [
        ("510050_O", "C,2.75,2.70,0.1,0.2,0.0056,2.699,,0\n", vec![2_784.8]),
        ("510050_O", "C,2.75,2.70,0.1,0.2,0.0056,2.699,10220,0\n", vec![2_784.8 * 1.022]),
        ("IO", "C,4200,4000,0.1,0.2,50,4000,,0\nP,3700,4000,0.1,0.2,30,4000,,0\n", vec![33_000.0, 25_200.0]),
    ] {
        let input = format!("type,strike,forward,years,vol,settlement,underlying,unit,rate\n{rows}");
        let output = option(&["--margin", product], &input);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let margins: Vec<f64> = answers(&output).iter().map(|answer| number(answer, "margin")).collect();
        assert_eq!(margins.len(), expected.len());
        for (margin, expected) in margins.iter().zip(&expected) {
            assert!((margin - expected).abs() < 1e-6, "{product}: {margin} of {expected}");
        }
    }
    let output = option(&["--margin", "rb"], "type,strike,forward,years,vol,rate\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no option product"));
}

#[test]
fn a_trading_clock_counts_sessions() {
    let input = "type,strike,forward,expiry,vol,rate\nC,2.5,2.5,2024-06-26,0.2,0.02\n";
    let value = |args: &[&str]| number(&answers(&option(args, input))[0], "vega");
    // Over a night little time passes by the sessions, much by the calendar.
    let [shut, open] = ["2024-06-05T15:00", "2024-06-06T09:30"];
    let by = |at: &str| value(&["--at", at, "--clock", "510050_O"]);
    assert!((by(shut) / by(open) - 1.0).abs() < 0.015, "{} {}", by(shut), by(open));
    assert!(value(&["--at", shut]) / value(&["--at", open]) > 1.015);
    assert_eq!(option(&["--clock", "XY", "--at", shut], input).status.code(), Some(2));
}
