//! What Shrike costs, measured: rows of one table, each beside its budget (DESIGN) and the core-to-core floor of the same
//! run. `shrike bench` and `cargo bench -p shrike-benches` print it. To add a row, write a function from [`Host`] to
//! [`Outcome`] and list it in [`rows`]; one that needs the commands goes to `rows` of `tools/src/bench.rs`.
#![deny(missing_docs)]

mod decode;
mod figures;
mod host;
mod journal;
mod mechanics;
mod one_hop;
mod order_path;
pub mod pingpong;
pub mod place;
pub mod plot;
mod pricing;
pub mod replay;
pub mod run;
mod schedule;
mod stages;
pub mod steps;
mod surface;
pub mod table;
mod venue;

pub use figures::{Figures, Samples};
pub use host::{Backtest, Host};

/// The name of the floor's row.
pub const FLOOR: &str = "core-to-core floor, one way";

/// One line of the table.
pub struct Row {
    /// What is measured; unique.
    pub name: &'static str,
    /// What it may cost.
    pub budget: Budget,
    /// Measures it.
    pub measure: fn(&mut Host) -> Outcome,
}

/// What a row may cost.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Budget {
    /// Shown only.
    None,
    /// Half of all take at most so many nanoseconds.
    P50(f64),
    /// All but one in a thousand take at most so many nanoseconds.
    P999(f64),
    /// Half of all take at most so many times the floor.
    TimesFloor(f64),
    /// Half of all take at most the inline figure of the same run and so many ring hops of 1.6 times the floor.
    InlineAndHops(f64),
    /// At least so many million a second.
    MillionsPerSecond(f64),
}

/// What a row gave.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// A distribution of nanoseconds.
    Measured(Figures),
    /// A distribution of nanoseconds that this host cannot judge, and why.
    Unjudged(Figures, String),
    /// A rate, in millions a second, and what was done.
    Rate(f64, String),
    /// Why there is nothing: the host has too few cores, a directory cannot be written.
    Absent(String),
}

/// The rows, in the order of the table. The floor comes first: later rows are judged by it.
pub fn rows() -> Vec<Row> {
    let row = |name, budget, measure| Row { name, budget, measure };
    vec![
        row(FLOOR, Budget::None, pingpong::floor),
        row("ring hop 64 B, one way", Budget::TimesFloor(1.6), pingpong::ring_one_way),
        row("ring hop 64 B, round trip", Budget::None, pingpong::ring_round_trip),
        row("ring hop 384 B, one way", Budget::None, pingpong::ring_tick),
        row("clock", Budget::P50(20.0), mechanics::clock),
        row("latency recorder", Budget::P50(10.0), mechanics::recorder),
        row("journal append 128 B, closed loop", Budget::P50(30.0), journal::closed_128),
        row("journal append 384 B, closed loop", Budget::P50(60.0), journal::closed_384),
        row("journal append 128 B, 200 k/s, syncing", Budget::P999(300.0), journal::open_128),
        row("journal append 384 B, 200 k/s, syncing", Budget::P999(300.0), journal::open_384),
        row("hiccups of the host, 100 k/s", Budget::None, schedule::hiccups),
        row("CTP decode into a ring slot", Budget::None, decode::decode),
        row("CTP callback to the ring", Budget::P50(60.0), decode::callback),
        row("CTP callbacks and their ticks, one core", Budget::MillionsPerSecond(1.0), decode::throughput),
        row("signal stage alone, EMA cross", Budget::None, stages::signal),
        row("order stage alone, quote of a held contract", Budget::None, stages::quote_of_held),
        row("order stage alone, an order's life of 4 inputs", Budget::None, stages::order),
        row("report to state, inline", Budget::None, order_path::reports),
        row("tick to order, inline", Budget::P50(350.0), order_path::inline),
        row("tick to order, one hop", Budget::InlineAndHops(1.0), one_hop::one_hop),
        row("tick to order, pipeline", Budget::InlineAndHops(3.0), order_path::pipeline),
        row("tick to rest, 1 k/s", Budget::None, schedule::at_1k),
        row("tick to rest, 10 k/s", Budget::None, schedule::at_10k),
        row("tick to rest, 100 k/s", Budget::None, schedule::at_100k),
        row("tick to rest, 1 M/s", Budget::None, schedule::at_1m),
        row("tick to rest, bursts of 100 each 10 ms", Budget::None, schedule::bursts),
        row("burst of 500 contracts, the last one's order", Budget::P50(100_000.0), schedule::burst_of_one_order),
        row("burst of 500 contracts, 500 orders", Budget::None, schedule::burst_of_orders),
        row("replay, generated market, verified", Budget::MillionsPerSecond(10.0), replay::generated),
        row("replay, recordings, verified", Budget::MillionsPerSecond(10.0), replay::recorded),
        row("back-test, generated market, journals written", Budget::None, replay::backtest),
        row("option price and Greeks", Budget::P50(100.0), pricing::greeks),
        row("option price and Greeks, in a chain of 125", Budget::None, pricing::chain),
        row("implied volatility", Budget::None, pricing::implied),
        row("implied volatility, in a chain", Budget::P50(110.0), pricing::implied_chain),
        row("American option price", Budget::P50(12_000.0), pricing::american),
        row("American option price, boundary kept", Budget::P50(2_000.0), pricing::american_kept),
        row("American Greeks, boundary kept", Budget::None, pricing::american_greeks),
        row("American implied volatility", Budget::None, pricing::american_implied),
        row("smile of 25 strikes, fitted again", Budget::P50(20_000.0), surface::slice),
        row("board of 1,000 options, 8 expiries", Budget::P50(1_000_000.0), surface::whole_board),
        row("the same board's bid and ask volatilities", Budget::None, surface::band),
        row("scenario ladder, 231 cells, 1,000 options", Budget::None, surface::ladder),
        row("recovery, 128 B records", Budget::MillionsPerSecond(5.0), replay::recovery),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_gives_an_outcome_in_short_mode() {
        let mut host = Host::new(true, |_, _| Err(String::from("nothing makes homes here")));
        for row in rows() {
            match (row.measure)(&mut host) {
                Outcome::Measured(figures) | Outcome::Unjudged(figures, _) => {
                    assert!(
                        0.0 < figures.p50 && figures.p50 <= figures.p99 && figures.p99 <= figures.p999,
                        "{}",
                        row.name
                    );
                }
                Outcome::Rate(rate, _) => assert!(rate > 0.0, "{}", row.name),
                Outcome::Absent(why) => assert!(!why.is_empty(), "{}", row.name),
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = rows().iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rows().len());
    }
}
