//! Events: everything that happens, in fixed layouts that are the same in rings, in journals and on every machine.
//!
//! A record is a [`Header`] of 48 bytes and a body; bodies are `#[repr(C)]` without padding, little-endian, and only
//! ever grow at the end. Sizes are 16 + 64k bytes, so that records fill cache lines. Layouts are pinned by tests.
//!
//! To add a kind: declare its body with `body!` in the file of its family, name it in the `pub use` of that file and in
//! `kinds!` below, and pin its layout in `layout_tests`. `shrike tail` asks for its fields and words (tools/README.md).
#![deny(clippy::float_arithmetic)]

mod account;
mod header;
mod market;
mod order;
mod run;
mod slot;

#[cfg(test)]
mod layout_tests;

pub use account::{Connection, Difference, FundsReport, Login, PositionReport, ResyncEnd};
pub use header::{Header, Seq, flags};
pub use market::{Bar, DepthTick, Gap, InstrumentDef, MarketTrade, Phase, Quote, Rates, Settlement, Unchanged};
pub use order::{Fill, Holding, OrderReport, OrderRequest, OrderUpdate, Refusal, TargetPosition, TargetQuote};
pub use run::{Alarm, Command, DayRoll, Resync, RunEnd, RunStart, Timer, TimerRequest};
pub use slot::{FeedbackSlot, IntentSlot, MarketSlot, ReportSlot, RequestSlot, Slot, StageSlot, read_body};

/// A body of an event: plain bytes with a kind and a layout version.
pub trait Body: bytemuck::Pod {
    /// Its kind.
    const KIND: Kind;
    /// The version of its layout.
    const VERSION: u16 = 1;
}

/// Declares a body: its fields, size and kind. The size is asserted, so padding or a forgotten reserve cannot compile.
macro_rules! body {
    ($(#[$doc:meta])* $name:ident = $kind:literal, $size:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Debug, bytemuck::Pod, bytemuck::Zeroable)]
        #[repr(C)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)+
        }

        impl Default for $name {
            /// All bytes zero.
            fn default() -> Self {
                bytemuck::Zeroable::zeroed()
            }
        }

        const _: () = assert!(size_of::<$name>() == $size);
        const _: () = assert!($name::SIZE % 64 == 16, "records fill whole cache lines");

        impl $name {
            /// Bytes of the body.
            pub const SIZE: usize = $size;
        }

        impl $crate::event::Body for $name {
            const KIND: $crate::event::Kind = $crate::event::Kind::$name;
        }

        const _: () = assert!($crate::event::Kind::$name as u16 == $kind);
    };
}
use body;

macro_rules! kinds {
    ($($name:ident = $code:literal,)+) => {
        /// The kinds of events. Codes are never reused.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u16)]
        pub enum Kind {
            $(#[doc = concat!("[`", stringify!($name), "`].")] $name = $code,)+
            /// The configuration's text (UTF-8 TOML), of any length; journals only.
            Config = 127,
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+ Self::Config];

            /// The kind of a code; `None` when this version does not know it.
            #[inline]
            pub const fn of(code: u16) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)+
                    127 => Some(Self::Config),
                    _ => None,
                }
            }

            /// The name, as [`Self::parse`] reads it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                    Self::Config => "Config",
                }
            }

            /// The kind of a name (any letter case).
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name().eq_ignore_ascii_case(text))
            }
        }

        /// A typed view of an event's body.
        #[derive(Clone, Copy, PartialEq, Debug)]
        pub enum Event<'a> {
            $(#[doc = concat!("A [`", stringify!($name), "`].")] $name(&'a $name),)+
            /// The configuration's text.
            Config(&'a [u8]),
            /// A kind, or a body shorter than its kind's, that this version cannot read.
            Unknown {
                /// The kind's code.
                kind: u16,
                /// The body.
                body: &'a [u8],
            },
        }

        impl<'a> Event<'a> {
            /// Reads a body. Bytes beyond the known layout (a later version's) are ignored; too few, or bytes that do
            /// not lie as records lie (16-byte aligned), give [`Event::Unknown`].
            #[inline]
            pub fn read(kind: u16, body: &'a [u8]) -> Self {
                match kind {
                    $($code => {
                        match body.get(..size_of::<$name>()).map(bytemuck::try_from_bytes) {
                            Some(Ok(event)) => Self::$name(event),
                            _ => Self::Unknown { kind, body },
                        }
                    })+
                    127 => Self::Config(body),
                    _ => Self::Unknown { kind, body },
                }
            }

            /// The kind's code.
            #[inline]
            pub const fn kind(&self) -> u16 {
                match self {
                    $(Self::$name(_) => $code,)+
                    Self::Config(_) => 127,
                    Self::Unknown { kind, .. } => *kind,
                }
            }

            /// The body's bytes.
            #[inline]
            pub fn bytes(&self) -> &'a [u8] {
                match self {
                    $(Self::$name(body) => bytemuck::bytes_of(*body),)+
                    Self::Config(body) | Self::Unknown { body, .. } => body,
                }
            }
        }

        $(impl<'a> From<&'a $name> for Event<'a> {
            fn from(body: &'a $name) -> Self {
                Self::$name(body)
            }
        })+
    };
}

kinds! {
    DepthTick = 1,
    Quote = 2,
    MarketTrade = 3,
    Bar = 4,
    Timer = 5,
    Phase = 6,
    InstrumentDef = 7,
    Gap = 8,
    Settlement = 9,
    Rates = 10,
    Unchanged = 11,
    TargetPosition = 16,
    TargetQuote = 17,
    OrderRequest = 32,
    OrderReport = 33,
    Fill = 34,
    OrderUpdate = 35,
    Refusal = 36,
    Holding = 37,
    Command = 48,
    Login = 49,
    Connection = 50,
    PositionReport = 51,
    FundsReport = 52,
    ResyncEnd = 53,
    Difference = 54,
    TimerRequest = 64,
    RunStart = 65,
    RunEnd = 66,
    Resync = 67,
    Alarm = 68,
    DayRoll = 69,
}

impl DepthTick {
    /// Level 1 of the snapshot.
    #[inline]
    pub fn quote(&self) -> Quote {
        let [bid, ..] = self.bids;
        let [ask, ..] = self.asks;
        let [bid_qty, ..] = self.bid_qtys;
        let [ask_qty, ..] = self.ask_qtys;
        Quote {
            instrument: self.instrument,
            trading_day: self.trading_day,
            exch_ns: self.exch_ns,
            bid,
            bid_qty,
            ask,
            ask_qty,
            last: self.last,
            volume: self.volume,
            upper_limit: self.upper_limit,
            lower_limit: self.lower_limit,
        }
    }
}
