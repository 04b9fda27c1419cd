//! What the engine does as its journals run out of room: with one segment left it only reduces; with none it cancels all
//! and halts, and takes no more market data. The last records go into the reserve of the last segment.

use shrike_core::clock::Clock;
use shrike_core::codes::{AlarmKind, CommandKind};
use shrike_core::event::{Alarm, Command, Event, Header, Kind};
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Nanos, Text};
use shrike_journal::Pressure;

/// Watches the room that is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Room {
    told: Pressure,
}

impl Room {
    /// Room enough, as far as is known.
    pub(super) const fn new() -> Self {
        Self { told: Pressure::Normal }
    }

    /// Whether market data may still be taken.
    #[inline]
    pub(super) const fn takes_market(self) -> bool {
        !matches!(self.told, Pressure::Full)
    }

    /// Gives what the order stage must take when the pressure changed; a halt lasts until the operator resumes. The
    /// clock is read only then.
    #[inline]
    pub(super) fn changed(&mut self, clock: &Clock, pressure: Pressure, take: impl FnOnce(Nanos, &Header, Event<'_>)) {
        if pressure != self.told {
            self.told = pressure;
            Self::tell(clock.now(), pressure, take);
        }
    }

    #[cold]
    fn tell(now: Nanos, pressure: Pressure, take: impl FnOnce(Nanos, &Header, Event<'_>)) {
        let header = |kind: Kind| Header { kind: kind as u16, version: 1, recv_ns: now, ..Header::default() };
        match pressure {
            Pressure::Full => {
                let command = Command {
                    who: Text::new(b"engine").unwrap_or_default(),
                    why: Text::new(b"a journal has no room left").unwrap_or_default(),
                    written_ns: now,
                    instrument: InstrumentId::NONE,
                    kind: CommandKind::Halt.code(),
                    ..Command::default()
                };
                take(now, &header(Kind::Command), Event::Command(&command));
            }
            Pressure::Normal | Pressure::Low => {
                let alarm = Alarm {
                    instrument: InstrumentId::NONE,
                    kind: AlarmKind::JournalLow.code(),
                    cleared: u8::from(pressure == Pressure::Normal),
                    ..Alarm::default()
                };
                take(now, &header(Kind::Alarm), Event::Alarm(&alarm));
            }
        }
    }
}

/// The worse of two.
#[inline]
pub(super) const fn worse(one: Pressure, other: Pressure) -> Pressure {
    match (one, other) {
        (Pressure::Full, _) | (_, Pressure::Full) => Pressure::Full,
        (Pressure::Low, _) | (_, Pressure::Low) => Pressure::Low,
        (Pressure::Normal, Pressure::Normal) => Pressure::Normal,
    }
}
