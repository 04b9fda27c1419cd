//! What goes wrong, when: a script of one fault a line, read from a file or a control connection. Each fault happens once,
//! at its place, is counted and told. `README.md` of the stand-in library has the table.
//!
//! ```text
//! drop before login 2          # the second login from now on is not looked at: its connection is closed
//! drop during query-orders     # half of the answer is sent, then the connection is closed
//! drop after update 3          # the third order or trade report is sent, then every connection of the account closed
//! drop market at 2018-10-08T21:05:00
//! slow 500 at confirm          # what follows on that connection waits for 500 ms
//! refuse 8 at authenticate     # answered with this error
//! lose insert 2                # never answered, and never done
//! restart after update 2       # the counter's clean restart
//! ```

use super::wire::{Channel, QueryKind};
use shrike_core::units::{Nanos, TradingDay};

/// Where a fault may happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A trading client connects.
    Connect,
    /// A market-data client connects.
    ConnectMarket,
    /// `ReqAuthenticate`.
    Authenticate,
    /// `ReqUserLogin` of a trading client.
    Login,
    /// `ReqUserLogin` of a market-data client.
    LoginMarket,
    /// `ReqSettlementInfoConfirm`.
    Confirm,
    /// A query of this kind.
    Query(QueryKind),
    /// `ReqOrderInsert`.
    Insert,
    /// `ReqOrderAction`.
    Cancel,
    /// A live report of the private flow: an order or a trade.
    Update,
    /// A moment of the exchange's time; without a date, of any day.
    Time(Option<TradingDay>, u32),
}

const PLACES: [(&str, Place); 18] = [
    ("connect", Place::Connect),
    ("connect-market", Place::ConnectMarket),
    ("authenticate", Place::Authenticate),
    ("login", Place::Login),
    ("login-market", Place::LoginMarket),
    ("confirm", Place::Confirm),
    ("query-instruments", Place::Query(QueryKind::Instruments)),
    ("query-orders", Place::Query(QueryKind::Orders)),
    ("query-trades", Place::Query(QueryKind::Trades)),
    ("query-positions", Place::Query(QueryKind::Positions)),
    ("query-funds", Place::Query(QueryKind::Funds)),
    ("query-margin", Place::Query(QueryKind::Margin)),
    ("query-commission", Place::Query(QueryKind::Commission)),
    ("query-option-cost", Place::Query(QueryKind::OptionCost)),
    ("query-option-commission", Place::Query(QueryKind::OptionCommission)),
    ("insert", Place::Insert),
    ("cancel", Place::Cancel),
    ("update", Place::Update),
];

/// When, of the moment that a place is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum When {
    /// Nothing of it is done.
    Before,
    /// It is done, and not or half answered.
    During,
    /// It is done and answered.
    After,
}

/// Whose connections are closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// The one that the moment is of; for an update or a time, every trading one.
    Own,
    /// Every one of a kind.
    Every(Channel),
    /// All.
    All,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Action {
    Drop(Whose),
    Restart,
    Refuse(i32),
    Slow(u64),
    Lose,
}

#[derive(Clone, PartialEq, Debug)]
struct Fault {
    text: String,
    action: Action,
    when: When,
    place: Place,
    /// At which occurrence, from one.
    nth: u64,
    seen: u64,
    done: bool,
}

/// What happens at a place now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Struck {
    /// Connections are closed.
    pub close: Option<(When, Whose)>,
    /// The counter restarts.
    pub restart: Option<When>,
    /// The request is refused.
    pub refuse: Option<i32>,
    /// What follows waits, in milliseconds.
    pub slow_ms: Option<u64>,
    /// The request is lost.
    pub lose: bool,
}

impl Struck {
    /// Whose connections are closed at this point.
    pub(super) fn closes(&self, when: When) -> Option<Whose> {
        self.close.filter(|(at, _)| *at == when).map(|(_, whose)| whose)
    }
}

/// A script and how far it has come.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Faults {
    faults: Vec<Fault>,
    struck: u64,
    log: Vec<String>,
}

impl Faults {
    /// Adds the faults of a script. Empty lines and what follows a `#` say nothing. All or none are added.
    ///
    /// # Errors
    /// Which line is none, and what would be.
    pub fn add(&mut self, script: &str) -> Result<usize, String> {
        let mut faults = Vec::new();
        for (number, line) in script.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if !line.is_empty() {
                faults.push(parse(line).map_err(|reason| format!("line {}: `{line}`: {reason}", number + 1))?);
            }
        }
        let added = faults.len();
        self.faults.append(&mut faults);
        Ok(added)
    }

    /// How many faults have happened.
    pub const fn struck(&self) -> u64 {
        self.struck
    }

    /// How many have not.
    pub fn waiting(&self) -> usize {
        self.faults.iter().filter(|fault| !fault.done).count()
    }

    /// What has happened since the last call, for people.
    pub fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    pub(super) fn log(&mut self, line: String) {
        self.log.push(line);
    }

    /// A place is reached once more.
    pub(super) fn meet(&mut self, place: Place) -> Struck {
        self.strike(|fault| fault.place == place)
    }

    /// The exchange's time goes from one moment to another.
    pub(super) fn pass(&mut self, from: Nanos, to: Nanos) -> Struck {
        self.strike(|fault| match fault.place {
            Place::Time(day, second) => {
                let at = Nanos::china(day.unwrap_or(to.china_date()), second, 0);
                from < at && at <= to
            }
            _ => false,
        })
    }

    fn strike(&mut self, is_here: impl Fn(&Fault) -> bool) -> Struck {
        let mut struck = Struck::default();
        for fault in self.faults.iter_mut().filter(|fault| !fault.done && is_here(fault)) {
            fault.seen += 1;
            if fault.seen != fault.nth {
                continue;
            }
            fault.done = true;
            self.struck += 1;
            self.log.push(format!("fault {}: {}", self.struck, fault.text));
            match fault.action {
                Action::Drop(whose) => struck.close = Some((fault.when, whose)),
                Action::Restart => struck.restart = Some(fault.when),
                Action::Refuse(code) => struck.refuse = Some(code),
                Action::Slow(ms) => struck.slow_ms = Some(ms),
                Action::Lose => struck.lose = true,
            }
        }
        struck
    }
}

fn parse(line: &str) -> Result<Fault, String> {
    let mut words = line.split_whitespace().peekable();
    let action = match words.next() {
        Some("drop") => {
            let whose = match words.peek() {
                Some(&"all") => Whose::All,
                Some(&"market") => Whose::Every(Channel::Market),
                Some(&"trading") => Whose::Every(Channel::Trading),
                _ => Whose::Own,
            };
            if whose != Whose::Own {
                words.next();
            }
            Action::Drop(whose)
        }
        Some("restart") => Action::Restart,
        Some("refuse") => Action::Refuse(number(words.next(), "an error code")?),
        Some("slow") => Action::Slow(number(words.next(), "milliseconds")?),
        Some("lose") => Action::Lose,
        _ => return Err("a fault begins with drop, restart, refuse CODE, slow MS or lose".to_owned()),
    };
    let when = match words.peek() {
        Some(&"at" | &"before") => Some(When::Before),
        Some(&"during") => Some(When::During),
        Some(&"after") => Some(When::After),
        _ => None,
    };
    if when.is_some() {
        words.next();
    }
    let word = words.next().ok_or("where? connect, login, update, ... or 21:05:00")?;
    let known = PLACES.iter().find(|(name, _)| *name == word).map(|&(_, place)| place);
    let place = known.or_else(|| time(word)).ok_or_else(|| {
        let names: Vec<&str> = PLACES.iter().map(|(name, _)| *name).collect();
        format!("`{word}` is no place; there are {}, 21:05:00 and 2018-10-08T21:05:00", names.join(", "))
    })?;
    let nth = match words.next() {
        Some(word) => number(Some(word), "the occurrence, from 1")?,
        None => 1,
    };
    let is_request = !matches!(place, Place::Update | Place::Time(..) | Place::Connect | Place::ConnectMarket);
    match action {
        Action::Refuse(_) | Action::Lose if !is_request => return Err("only a request can be refused or lost".into()),
        _ if words.next().is_some() => return Err("words after the end".into()),
        _ if nth == 0 => return Err("occurrences count from 1".into()),
        _ => {}
    }
    let when = when.unwrap_or(When::Before);
    Ok(Fault { text: line.to_owned(), action, when, place, nth, seen: 0, done: false })
}

fn number<T: std::str::FromStr>(word: Option<&str>, what: &str) -> Result<T, String> {
    word.and_then(|word| word.parse().ok()).ok_or_else(|| format!("expected {what}"))
}

/// `21:05:00` or `2018-10-08T21:05:00`.
fn time(word: &str) -> Option<Place> {
    let (day, time) = match word.split_once('T') {
        Some((date, time)) => (Some(TradingDay::new(date.replace('-', "").parse().ok()?)?), time),
        None => (None, word),
    };
    let mut parts = time.split(':').map(str::parse::<u32>);
    let mut part = |most: u32| parts.next()?.ok().filter(|part| *part < most);
    let second = part(24)? * 3600 + part(60)? * 60 + part(60)?;
    parts.next().is_none().then_some(Place::Time(day, second))
}
