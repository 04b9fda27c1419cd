//! When trading happens: trading days ([`Calendar`]), the phases of a product's trading day ([`Sessions`]), what each
//! phase allows ([`OrderRules`]) and the clock that turns them into events ([`PhaseClock`]). The facts are data with
//! sources (`config/tables`); here is the logic, on the edge's thread except for [`OrderRules`], which the order stage
//! reads. All times are natural times; China Standard Time is UTC+8 without daylight saving.
#![deny(clippy::float_arithmetic)]

mod clock;
mod days;
mod rules;
mod sessions;
mod template;

#[cfg(test)]
mod tests;

pub use clock::PhaseClock;
pub use days::{Calendar, NIGHT_END_SECOND, ROLL_SECOND};
pub use rules::{OrderRules, Rule};
pub use sessions::{SessionRow, Sessions, SessionsSource};
pub use template::{DayTemplate, NightTemplate, PhaseSpan, PhaseSpans, Slot, TemplateError};

use crate::codes::Exchange;
use crate::units::{Text, TradingDay};

/// Why the calendar gives no answer. It never guesses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CalendarError {
    /// The day, or the trading day next to it, is outside the holiday table.
    #[error("no calendar for {day}: the holiday table covers {first} to {last}; extend holidays.toml")]
    Uncovered {
        /// The day asked about.
        day: TradingDay,
        /// First day of the table.
        first: TradingDay,
        /// Last day of the table.
        last: TradingDay,
    },
    /// Phases were asked for a day without trading.
    #[error("{day} is no trading day")]
    NotTradingDay {
        /// The day asked about.
        day: TradingDay,
    },
    /// The session table does not know the product.
    #[error("no sessions for product {product} of {exchange}; add it to sessions.toml")]
    UnknownProduct {
        /// Its exchange.
        exchange: Exchange,
        /// Its code.
        product: Text<16>,
    },
    /// The product is known, but has no sessions on that day: not yet listed, or no longer.
    #[error("no sessions for product {product} of {exchange} on {day}; see its rows in sessions.toml")]
    NoSession {
        /// Its exchange.
        exchange: Exchange,
        /// Its code.
        product: Text<16>,
        /// The trading day asked about.
        day: TradingDay,
    },
}
