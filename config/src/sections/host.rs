//! `[threads]`, `[rings]` and `[journal]`: what the host gives: cores, memory, disk.

use crate::values::{core_id, power_of_two, within};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where threads run and how they wait.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Threads {
    /// Core of the edge's thread: market data and venue; of everything when inline.
    #[serde(with = "core_id")]
    pub feed: Option<usize>,
    /// Core of the signal stage.
    #[serde(with = "core_id")]
    pub signal: Option<usize>,
    /// Core of the order stage.
    #[serde(with = "core_id")]
    pub order: Option<usize>,
    /// SCHED_FIFO priority of the hot threads, 1 to 99; 0 leaves them to the ordinary scheduler.
    #[serde(deserialize_with = "within::<0, 99, _, _>")]
    pub fifo_priority: u8,
    /// How a hot thread waits for work.
    pub wait: Wait,
    /// Whether the engine's memory is locked at the start of a run in real time, so that no page of it is taken away.
    pub lock_memory: bool,
}

/// How a hot thread waits for work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wait {
    /// Spin where there are cores enough for every spinning thread, else back off.
    Auto,
    /// Spin always.
    Spin,
    /// Yield, then sleep for short bounded times.
    Backoff,
}

/// Capacities of the rings between threads, in messages: powers of two.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rings {
    /// Feed to signal stage.
    #[serde(deserialize_with = "power_of_two::<64, 16_777_216, _>")]
    pub market: u32,
    /// Signal stage to order stage.
    #[serde(deserialize_with = "power_of_two::<64, 16_777_216, _>")]
    pub intents: u32,
    /// Order stage to gateway.
    #[serde(deserialize_with = "power_of_two::<64, 16_777_216, _>")]
    pub requests: u32,
    /// Gateway to order stage.
    #[serde(deserialize_with = "power_of_two::<64, 16_777_216, _>")]
    pub reports: u32,
    /// Order stage to signal stage.
    #[serde(deserialize_with = "power_of_two::<64, 16_777_216, _>")]
    pub feedback: u32,
    /// Messages parked beside each ring when it is full.
    #[serde(deserialize_with = "power_of_two::<64, 16_777_216, _>")]
    pub overflow: u32,
}

/// How journals are written.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// Size of a segment in MiB.
    #[serde(deserialize_with = "within::<1, 4_096, _, _>")]
    pub segment_mib: u32,
    /// Milliseconds between two copies to disk: the most that a crash of the host loses.
    #[serde(deserialize_with = "within::<1, 60_000, _, _>")]
    pub sync_every_ms: u32,
    /// Directory on tmpfs for live segments; empty maps the disk file itself.
    pub live_dir: PathBuf,
    /// Whether an order waits until its record is on disk before it is sent.
    pub orders_sync: bool,
}
