//! What records say of each other: times, causes, outputs and their inputs, runs and their configurations. One pass over
//! each journal, then a look at what the journals say of each other.

use super::fnv1a;
use shrike_core::codes::StageId;
use shrike_core::event::{Event, Header, Seq, flags};
use shrike_core::units::Nanos;
use std::collections::BTreeMap;

/// Problems: how many, and the first of them in words.
#[derive(Default, Debug)]
pub struct Problems {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Vec<String>,
}

/// Most problems told of a journal.
const TOLD_MAX: usize = 20;

impl Problems {
    fn add(&mut self, at: Seq, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < TOLD_MAX {
            self.first.push(format!("{at}: {}", what()));
        }
    }
}

/// The numbers that a journal holds and those that it names, by stage and epoch.
#[derive(Default, Debug)]
pub struct JournalLinks {
    /// The last number held, by stage and epoch.
    held: BTreeMap<(u8, u8), u64>,
    /// The last number named as a cause of an input, and the record that names it.
    named: BTreeMap<(u8, u8), (u64, Seq)>,
}

/// Follows the records of one journal.
pub struct Follow {
    /// Whether a stage of the engine writes the journal, whose outputs name their inputs.
    is_stage: bool,
    taken_ns: Nanos,
    input: Option<Header>,
    config: Option<(Seq, u64)>,
    began: bool,
    /// What contradicts itself.
    pub problems: Problems,
    /// What is remarkable and allowed.
    pub notes: Vec<String>,
    /// What must exist elsewhere.
    pub links: JournalLinks,
    cut_starts: u64,
}

impl Follow {
    /// Follows the journal of that name.
    pub fn new(journal: &str) -> Self {
        Self {
            is_stage: matches!(journal, "signal" | "order"),
            taken_ns: Nanos::ABSENT,
            input: None,
            config: None,
            began: false,
            problems: Problems::default(),
            notes: Vec::new(),
            links: JournalLinks::default(),
            cut_starts: 0,
        }
    }

    /// Takes the next record.
    pub fn record(&mut self, header: &Header, event: Event<'_>) {
        let seq = header.seq;
        self.links.held.insert((stage_code(seq), seq.epoch()), seq.n());
        if header.taken_ns < self.taken_ns {
            let before = self.taken_ns;
            self.problems.add(seq, || format!("taken at {}, before the record ahead of it, {before}", header.taken_ns));
        }
        self.taken_ns = self.taken_ns.max(header.taken_ns);
        if self.is_stage {
            self.of_stage(header, event);
        }
    }

    fn of_stage(&mut self, header: &Header, event: Event<'_>) {
        let seq = header.seq;
        if header.has(flags::OUTPUT) {
            match &self.input {
                None => self.problems.add(seq, || "an output before any input".to_owned()),
                Some(input) if header.cause != input.seq => {
                    let (cause, last) = (header.cause, input.seq);
                    self.problems.add(seq, || format!("an output of {cause}, but the input ahead of it is {last}"));
                }
                Some(input) if header.taken_ns != input.taken_ns || header.recv_ns != input.recv_ns => {
                    self.problems.add(seq, || "an output whose times are not those of its input".to_owned());
                }
                Some(_) => {}
            }
            return;
        }
        self.input = Some(*header);
        let cause = header.cause;
        if !cause.is_absent() {
            let named = self.links.named.entry((stage_code(cause), cause.epoch())).or_default();
            if cause.n() >= named.0 {
                *named = (cause.n(), seq);
            }
        }
        match event {
            Event::Config(text) => {
                if let Some((before, _)) = self.config.replace((seq, fnv1a(text))) {
                    self.cut_starts += 1;
                    self.notes.push(format!("{before}: a start that came no further than its configuration"));
                }
                self.began = true;
            }
            Event::RunStart(start) => match self.config.take() {
                None => self.problems.add(seq, || "a run without its configuration before it".to_owned()),
                Some((_, hash)) if hash != start.config_hash => {
                    let told = start.config_hash;
                    self.problems.add(seq, || format!("its configuration is {told:016x}, the text is {hash:016x}"));
                }
                Some(_) => {}
            },
            _ if !self.began => {
                self.began = true;
                self.problems.add(seq, || "a record before the first configuration".to_owned());
            }
            _ => {}
        }
    }
}

/// What the journals say of each other.
#[derive(Default, Debug)]
pub struct Links {
    journals: BTreeMap<&'static str, JournalLinks>,
}

impl Links {
    /// Takes what a journal says.
    pub fn add(&mut self, journal: &'static str, links: JournalLinks) {
        self.journals.insert(journal, links);
    }

    /// Takes a number that a journal holds by now.
    pub fn extend(&mut self, seq: Seq) {
        let stage = stage_code(seq);
        for links in self.journals.values_mut() {
            if links.held.keys().any(|(held, _)| *held == stage) {
                links.held.insert((stage, seq.epoch()), seq.n());
            }
        }
    }

    /// Causes that a journal names and no journal of the home holds, in words; then those that a crash explains: their
    /// producer lost them and opened a later epoch.
    pub fn broken(&self, journal: &str) -> (Vec<String>, Vec<String>) {
        let (mut broken, mut lost) = (Vec::new(), Vec::new());
        let Some(links) = self.journals.get(journal) else { return (broken, lost) };
        for (&(stage, epoch), &(n, by)) in &links.named {
            let holder = self.journals.values().find(|links| links.held.keys().any(|(held, _)| *held == stage));
            // What comes from outside the home has no journal in it.
            let Some(holder) = holder else { continue };
            let last = holder.held.get(&(stage, epoch)).copied().unwrap_or(0);
            if n <= last {
                continue;
            }
            let name = StageId::of(stage).map_or("?", StageId::name);
            let text = format!("{by}: its cause {name}/{epoch}:{n} does not exist, the journal ends at {last}");
            match holder.held.keys().any(|(held, later)| *held == stage && *later > epoch) {
                true => lost.push(format!("{text}; a crash lost it, and a later epoch follows")),
                false => broken.push(text),
            }
        }
        (broken, lost)
    }
}

fn stage_code(seq: Seq) -> u8 {
    (seq.raw() >> 56) as u8
}
