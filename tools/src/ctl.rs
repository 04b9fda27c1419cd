//! `shrike ctl`: appends an operator's command to the home's command journal, which the engine polls. The command is on
//! the disk before this returns; with `--wait` the order journal tells what came of it.

use crate::console;
use crate::error::{Error, Outcome};
use crate::home::HomeArgs;
use crate::names::Names;
use crate::words::What;
use clap::{Args as ClapArgs, ValueEnum};
use serde::Serialize;
use shrike_core::codes::{CommandKind, StageId};
use shrike_core::event::{Body, Command, Header, Kind, Seq, flags};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, Text};
use shrike_engine::runtime::journal_dir;
use shrike_journal::{OpenError, Reader, Syncing, Writer, WriterOptions};
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Command the engine of a home: observe, resume, flatten, cancel-all, halt, stop.
///
/// observe: pull working orders, send none. halt: the same, until resume. flatten: bring every position to zero.
/// cancel-all: cancel what works now, and go on. stop: end the engine in order. A command that no engine takes within
/// ten seconds is dropped; observe, halt and flatten last over restarts, until resume.
#[derive(ClapArgs, Clone, Debug)]
#[command(after_help = "\
Examples:
  shrike ctl halt --home H --who lin --why 'quotes look wrong'
  shrike ctl resume --home H --who lin --why checked --wait
Exit codes: 0 written (with --wait: taken); 1 with --wait: not taken; 2 not written.")]
pub struct Args {
    /// What to do.
    #[arg(value_enum)]
    pub command: Order,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub home: HomeArgs,
    /// Who commands, at most 32 bytes; else the variable USER.
    #[arg(long, value_name = "NAME")]
    pub who: Option<String>,
    /// Why, at most 64 bytes.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub why: String,
    /// Wait until the engine has taken the command, and print what it did at once.
    #[arg(long)]
    pub wait: bool,
}

/// The commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Order {
    /// Watch; pull working orders and send none.
    Observe,
    /// Trade again.
    Resume,
    /// Bring every position to zero.
    Flatten,
    /// Cancel every working order of ours.
    CancelAll,
    /// Cancel all and send nothing more until resumed.
    Halt,
    /// Stop the engine in order.
    Stop,
}

impl Order {
    const fn kind(self) -> CommandKind {
        match self {
            Self::Observe => CommandKind::Observe,
            Self::Resume => CommandKind::Resume,
            Self::Flatten => CommandKind::Flatten,
            Self::CancelAll => CommandKind::CancelAll,
            Self::Halt => CommandKind::Halt,
            Self::Stop => CommandKind::Stop,
        }
    }
}

/// What became of a command.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// Its number.
    pub number: u64,
    /// What it is.
    pub command: &'static str,
    /// Who runs the engine; null: nobody.
    pub engine: Option<String>,
    /// With `--wait`: whether it was taken.
    pub taken: Option<bool>,
    /// What the order stage gave at once, in words.
    pub effects: Vec<String>,
}

/// Bytes of a segment: each command begins one, and its file is cut to what it holds.
const SEGMENT_BYTES: u32 = 1 << 20;
/// How long another `ctl` may hold the journal.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a command lives, and a little for the engine's own pace.
const TAKEN_WITHIN: Duration = Duration::from_secs(12);
const POLL: Duration = Duration::from_millis(10);
/// So many polls without a record after the command was taken: everything it led to is in the journal.
const PAUSES: u32 = 5;

/// Runs the command.
///
/// # Errors
/// See [`Error`].
pub fn run(args: &Args) -> Result<Outcome, Error> {
    args.home.check()?;
    let who = args.who.clone().or_else(|| std::env::var("USER").ok()).unwrap_or_else(|| "operator".to_owned());
    let now = wall_now();
    let command = Command {
        who: text(&who, "--who")?,
        why: text(&args.why, "--why")?,
        written_ns: now,
        instrument: InstrumentId::NONE,
        kind: args.command.kind().code(),
        ..Command::default()
    };
    // Stand at the order journal's end first: what comes after is the engine's answer.
    let mut answers = match args.home.journal_if("order").filter(|_| args.wait) {
        Some(dir) => {
            let mut reader = Reader::open(&dir)?;
            reader.seek(Seq::new(StageId::Order, u8::MAX, u64::MAX))?;
            Some((dir, reader))
        }
        None => None,
    };
    let seq = append(&journal_dir(&args.home.home, "commands"), now, &command)?;
    let engine = args.home.holder()?;
    let mut written =
        Written { number: seq.n(), command: args.command.kind().name(), engine, taken: None, effects: Vec::new() };
    if args.wait && written.engine.is_some() {
        written.taken = Some(false);
        if let Some((dir, reader)) = &mut answers
            && let Some(effects) = effects_of(seq, reader, &Names::of_journal(dir)?)?
        {
            written.taken = Some(true);
            written.effects = effects;
        }
    } else if args.wait {
        written.taken = Some(false);
    }
    console::print(&written, args.home.json)?;
    Ok(Outcome::found_if(written.taken == Some(false)))
}

/// Appends the command and makes it durable.
fn append(dir: &Path, now: Nanos, command: &Command) -> Result<Seq, Error> {
    let options = WriterOptions { live_dir: None, syncing: Syncing::OnClose, ..WriterOptions::new(StageId::Commands) }
        .with_segment_bytes(SEGMENT_BYTES);
    let began = Instant::now();
    let (mut writer, _) = loop {
        match Writer::create_or_resume(dir, options.clone()) {
            Err(OpenError::Locked { .. }) if began.elapsed() < PATIENCE => std::thread::sleep(POLL),
            opened => break opened?,
        }
    };
    let header = Header {
        kind: Kind::Command as u16,
        version: Command::VERSION,
        recv_ns: now,
        taken_ns: now,
        ..Header::default()
    };
    let appended = writer.append(&header, bytemuck::bytes_of(command));
    let seq = appended.map_err(|source| Error::Full { dir: dir.to_path_buf(), source })?;
    writer.flush_and_close().map_err(|source| Error::File { file: dir.to_path_buf(), source })?;
    Ok(seq)
}

/// Waits for the order stage to take the command: what it gave for it; `None` when it does not come.
fn effects_of(command: Seq, reader: &mut Reader, names: &Names) -> Result<Option<Vec<String>>, Error> {
    let began = Instant::now();
    let mut taken: Option<Seq> = None;
    let mut effects = Vec::new();
    let mut pauses = 0;
    loop {
        let Some(record) = reader.next()? else {
            // The outputs of an input follow it at once: a journal that then pauses has no more of them.
            if taken.is_some() && pauses == PAUSES {
                return Ok(Some(effects));
            }
            if taken.is_none() && began.elapsed() > TAKEN_WITHIN {
                return Ok(None);
            }
            pauses += u32::from(taken.is_some());
            std::thread::sleep(POLL);
            continue;
        };
        match taken {
            None if !record.header.has(flags::OUTPUT) && record.header.cause == command => {
                taken = Some(record.header.seq);
            }
            None => {}
            Some(input) if record.header.has(flags::OUTPUT) && record.header.cause == input => {
                effects.push(What { event: record.event(), names }.to_string());
            }
            Some(_) => return Ok(Some(effects)),
        }
    }
}

fn text<const N: usize>(text: &str, option: &str) -> Result<Text<N>, Error> {
    let too_long = || Error::Usage(format!("{option} has {} bytes; at most {N} are kept: shorten it", text.len()));
    Text::new(text.as_bytes()).ok_or_else(too_long)
}

fn wall_now() -> Nanos {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos::new(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "command {}: {} written", self.number, self.command)?;
        if self.engine.is_none() {
            writeln!(f, "no engine is running on this home: one that starts within ten seconds takes it")?;
        }
        match (self.taken, &self.engine) {
            (Some(true), _) => writeln!(f, "taken; at once: {} outputs", self.effects.len())?,
            (Some(false), Some(holder)) => writeln!(f, "not taken within {TAKEN_WITHIN:?} by {holder}")?,
            _ => {}
        }
        for effect in &self.effects {
            writeln!(f, "  {effect}")?;
        }
        Ok(())
    }
}
