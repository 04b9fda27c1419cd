//! What to do about an error of the venue. Codes are CTP's (`error.xml` of the API distribution).

/// What a rejected intent may do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// Send again.
    RetryNow,
    /// Send again at another price.
    NewPrice,
    /// Wait: the session, a breaker or a rate limit is in the way.
    Wait,
    /// Do not try again for this intent.
    GiveUp,
}

/// The remedy of an error code. What is not listed is given up: an unknown error must not loop.
pub const fn remedy(code: i32) -> Remedy {
    match code {
        // The counter saw the number already (the order stage takes the next one), or is busy.
        22 | 68 | 90 => Remedy::RetryNow,
        // Price not on a tick (95 by the counter, 48 by the exchange), outside the day's limits (37).
        37 | 48 | 95 => Remedy::NewPrice,
        // Too many requests (40, 41, 116), not in a trading session (8, 23, 103), auction (49); below zero, the library
        // did not send it: no connection (-1), or too many requests (-2, -3).
        -3..=-1 | 8 | 23 | 40 | 41 | 49 | 103 | 116 => Remedy::Wait,
        // Funds (31, 36), positions (30, 50, 51), instrument (16, 15), rights (28, 29, 42) and everything else.
        _ => Remedy::GiveUp,
    }
}
