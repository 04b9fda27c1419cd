//! What a session of either kind is told at its construction, from `[ctp]`.

use super::api::Credentials;
use super::session::SessionOptions;
use super::trader::queries::QueryOptions;
use super::trader::rates::Assumed;
use shrike_config::{Config, Ctp, Secret, Secrets};
use shrike_core::units::Nanos;

/// The patience and the policies of the sessions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CtpOptions {
    /// The session's steps and waits; each machine sets `authenticates` and `trades` as it needs them.
    pub session: SessionOptions,
    /// Flow control of queries.
    pub queries: QueryOptions,
    /// Between two questions for rates.
    pub rates_spacing_ns: u64,
    /// Rates where none is known.
    pub assumed: Assumed,
    /// The connection is made anew this long before each session; zero: never.
    pub restart_before_ns: u64,
    /// The most that the exchange's clock may differ from ours at a login.
    pub clock_offset_max_ms: u32,
    /// Whether time is real: the calendar gives phases and restarts, and clocks can be compared. Otherwise time is the
    /// events' own, and phases come from the exchange alone.
    pub live: bool,
}

impl CtpOptions {
    /// As configured. `authenticates`: there is an authentication code.
    pub fn of(ctp: &Ctp, authenticates: bool, live: bool) -> Self {
        let ns = |ms: u32| u64::from(ms) * Nanos::PER_MILLI;
        Self {
            session: SessionOptions {
                authenticates,
                trades: true,
                connect_timeout_ns: ns(ctp.connect_timeout_ms),
                backoff_min_ns: ns(ctp.backoff_min_ms),
                backoff_max_ns: ns(ctp.backoff_max_ms),
                password_attempts_max: ctp.password_attempts_max,
            },
            queries: QueryOptions {
                spacing_ns: ns(ctp.query_spacing_ms),
                timeout_ns: ns(ctp.query_timeout_ms),
                backoff_max_ns: ns(ctp.backoff_max_ms),
            },
            rates_spacing_ns: ns(ctp.rates_spacing_ms),
            assumed: Assumed { margin: ctp.margin_fallback.raw(), fee: ctp.fee_fallback.raw() },
            restart_before_ns: u64::from(ctp.restart_before_min) * 60 * Nanos::PER_SECOND,
            clock_offset_max_ms: ctp.clock_offset_max_ms,
            live,
        }
    }
}

impl Credentials {
    /// The names of `[login]` and `[ctp]`, and the secrets. What is missing is empty: the counter says what it needs.
    pub fn of(config: &Config, secrets: &Secrets) -> Self {
        let reveal =
            |secret: &Option<Secret>| secret.as_ref().map_or_else(String::new, |text| text.reveal().to_owned());
        Self {
            broker_id: config.login.broker_id.clone(),
            user_id: config.login.user_id.clone(),
            password: reveal(&secrets.password),
            app_id: config.ctp.app_id.clone(),
            auth_code: reveal(&secrets.auth_code),
            product_info: config.ctp.product_info.clone(),
        }
    }
}
