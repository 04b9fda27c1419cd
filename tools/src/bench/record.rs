//! What `shrike record` sustains: a market as fast as it comes into a journal on the disk, in segments that roll and are
//! synced meanwhile.

use crate::{compose, record};
use shrike_bench::{Host, Outcome};
use shrike_config::tables::Tables;
use shrike_config::{Config, Source};
use shrike_core::event::MarketSlot;
use shrike_core::units::Nanos;
use shrike_core::venue::{MarketFeed, Next};
use std::sync::atomic::AtomicBool;

/// Trading days of the generated market.
const DAYS: u64 = 8;

/// A generated market of some days, recorded. Making it costs time too, which the note says.
pub fn generated(host: &mut Host) -> Outcome {
    recorded(host).unwrap_or_else(Outcome::Absent)
}

fn recorded(host: &Host) -> Result<Outcome, String> {
    let home = tempfile::tempdir().map_err(|error| error.to_string())?;
    let days = if host.short { 1 } else { DAYS };
    let products = if host.short { "[\"ru\"]" } else { "[\"rb\", \"IF\", \"ru\", \"m\", \"TA\"]" };
    let overrides = vec![
        String::from("market.kind=generated"),
        String::from("run.speed=max"),
        format!("generator.days={days}"),
        format!("generator.products={products}"),
        format!("run.home={}", home.path().display()),
    ];
    let loaded = Config::load(&Source { overrides, ..Source::default() }).map_err(|error| error.to_string())?;
    let tables = Tables::builtin().map_err(|error| error.to_string())?;

    let mut feed = compose::market(&loaded.config, &tables).map_err(|error| error.to_string())?;
    let (mut slot, mut made) = (Box::<MarketSlot>::default(), 0_u64);
    let start = host.clock.now();
    while matches!(feed.next(), Next::At(_)) && feed.take(&mut slot) {
        made += 1;
    }
    let making = host.clock.now().since(start);

    let start = host.clock.now();
    let counts = record::record(&loaded, &tables, &AtomicBool::new(false)).map_err(|error| error.to_string())?;
    let elapsed = host.clock.now().since(start);
    let rate = |ns: u64| counts.taken as f64 * 1e3 / ns as f64;
    let seconds = elapsed as f64 / Nanos::PER_SECOND as f64;
    let making = making as f64 / made.max(1) as f64;
    let note = format!(
        "{} events in {seconds:.1} s, {} written; {making:.0} ns each make the market",
        counts.taken, counts.written
    );
    Ok(Outcome::Rate(rate(elapsed), note))
}
