//! What end-to-end tests share: configurations, runs in a temporary home, and where the recordings are.

pub mod books;

use shrike_config::tables::Tables;
use shrike_config::{Config, Loaded, Source};
use shrike_core::clock::SimTime;
use shrike_core::event::Seq;
use shrike_core::units::Nanos;
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_engine::runtime::{Engine, Pace, Quarantine, Run, RunReport, journal_dir, rejoin};
use shrike_engine::{replay, setup};
use shrike_journal::Reader;
use shrike_tools::compose::{self, Counter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The recordings, where they are: `SHRIKE_DATA`, else `../shared/data` beside the workspace. Prints why a test that
/// needs them skips.
pub fn recordings(test: &str) -> Option<PathBuf> {
    shared_data(test, "ctp")
}

/// A folder of the test data, in the same way.
pub fn shared_data(test: &str, folder: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let dir = std::env::var_os("SHRIKE_DATA").map_or(beside, PathBuf::from).join(folder);
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!("{test} skips: no data at {} (set SHRIKE_DATA)", dir.display());
    None
}

/// A profile with overrides over a home.
pub fn configured(profile: &str, home: &Path, overrides: &[&str]) -> Loaded {
    // Hundreds of option quotes beside what a test looks at would only take time; who wants a board asks for it.
    let mut all = vec![format!("run.home={}", home.display()), "generator.boards=[]".to_owned()];
    all.extend(overrides.iter().map(|text| (*text).to_owned()));
    let source = Source { profile: Some(profile.into()), overrides: all, ..Source::default() };
    Config::load(&source).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a configuration in process, as fast as possible, to the end of its market. Returns the report and the exchange.
pub fn run(loaded: &Loaded) -> (RunReport, Counter) {
    let tables = Tables::builtin().unwrap();
    let config = &loaded.config;
    let mut feed = compose::market(config, &tables).unwrap_or_else(|error| panic!("{error}"));
    let mut counter = Counter::new(config, &tables);
    let options = setup::engine_options(loaded, true, "test");
    let engine = Engine::open(&config.run.home, || setup::stages(config, &tables), options).unwrap();
    let folded = *engine.folded();
    let rejoined = rejoin(&mut feed, &mut counter, &engine.home().journal("order"), &folded).unwrap();
    let start = match (feed.next(), counter.next()) {
        (Next::At(tick), Next::At(report)) => tick.min(report).max(rejoined),
        (Next::At(at), _) | (_, Next::At(at)) => at.max(rejoined),
        _ => rejoined,
    };
    let report = engine
        .run(Run {
            feed: &mut feed,
            gateway: &mut counter,
            pace: Pace::Max(Arc::new(SimTime::new(start))),
            told: &AtomicBool::new(false),
            commands: None,
            catchup_before: Nanos::ABSENT,
            days: config.run.days,
            progress: &mut |_, _| {},
            say: &mut |text| println!("{text}"),
            config_text: &loaded.text,
        })
        .unwrap_or_else(|error| panic!("{error}"));
    (report, counter)
}

/// Decides every output of a home again, run by run; differences by journal: signal, order. The first few are printed.
pub fn verify(home: &Path) -> [replay::VerifyReport; 2] {
    let tables = Tables::builtin().unwrap();
    let set_aside = Quarantine::of(home).unwrap();
    ["signal", "order"].map(|name| {
        let dir = journal_dir(home, name);
        let runs = replay::runs(Reader::open(&dir).unwrap()).unwrap();
        let mut total = replay::VerifyReport::default();
        for (index, span) in runs.iter().enumerate() {
            let config = Config::from_text(&span.config).unwrap();
            let (mut signal, mut order) = setup::stages(&config, &tables);
            let to = runs.get(index + 1).map_or(Seq::ABSENT, |next| next.first);
            let mut shown = 0;
            let mut differs = |mismatch: replay::Mismatch| {
                shown += 1;
                if shown <= 5 {
                    eprintln!("{name}: {mismatch:?}");
                }
            };
            let span = (span.first, to);
            let report = match name {
                "signal" => replay::verify(
                    Reader::open(&dir).unwrap(),
                    &mut signal,
                    span,
                    &set_aside,
                    &mut differs,
                    &mut |_| {},
                ),
                _ => {
                    replay::verify(Reader::open(&dir).unwrap(), &mut order, span, &set_aside, &mut differs, &mut |_| {})
                }
            }
            .unwrap();
            total.inputs += report.inputs;
            total.outputs += report.outputs;
            total.differences += report.differences;
            total.cut += report.cut;
        }
        total
    })
}
