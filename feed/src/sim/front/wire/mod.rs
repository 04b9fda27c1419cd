//! What a front and its clients say to each other over a stream of bytes: frames of a length and a body, the same on both
//! sides because both are this file. Numbers are little-endian, texts keep their bytes, fixed-point values stay whole.
//! A body that does not read to its end exactly is refused; nothing here panics on bytes from outside.

mod bytes;

use crate::ctp::callback::{Callback, CancelFacts, OrderFacts, Symbol};
use shrike_core::codes::Exchange;
use shrike_core::event::DepthTick;

/// The version of these frames; both sides must have the same.
pub const PROTOCOL: u32 = 2;
/// Bytes of the length before a frame.
pub const PREFIX: usize = 4;
/// Longest frame: a subscription of some thousand contracts.
pub const FRAME_MAX: usize = 1 << 20;

/// Something with a form in bytes.
pub trait Wire: Sized {
    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);
    /// Takes it off the front of `input`; `None` when the bytes are not one.
    fn get(input: &mut &[u8]) -> Option<Self>;
}

/// Which library a client plays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    /// Market data.
    Market,
    /// Trading.
    Trading,
}

/// From where the private flow is told after a login (CTP `THOST_TE_RESUME_TYPE`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resume {
    /// All of the day.
    Restart,
    /// From behind so many messages, which the client had.
    From(u64),
    /// Only what comes from now on.
    Quick,
    /// Nothing at all.
    Never,
}

/// The first frame of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hello {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// Which library it plays.
    pub channel: Channel,
    /// The API's version, for the log.
    pub version: String,
    /// What it wants of the private flow.
    pub resume: Resume,
}

/// Who authenticates or logs in.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// The broker's number.
    pub broker_id: String,
    /// The user's name.
    pub user_id: String,
    /// The password of a login, the authentication code of an authentication.
    pub secret: String,
    /// The terminal's name; empty in a login.
    pub app_id: String,
}

impl std::fmt::Debug for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{} {}", self.broker_id, self.user_id, self.app_id)
    }
}

/// What a query asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueryKind {
    /// Contracts.
    Instruments,
    /// Orders of the day.
    Orders,
    /// Trades of the day.
    Trades,
    /// Position lines.
    Positions,
    /// The funds.
    Funds,
    /// Margin rates.
    Margin,
    /// Commission rates.
    Commission,
    /// Margin of written options.
    OptionCost,
    /// Commission rates of options.
    OptionCommission,
}

/// A query; an empty filter asks for all (for rates: of what is held).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ask {
    /// What for.
    pub kind: QueryKind,
    /// Only this contract.
    pub symbol: Symbol,
    /// Only this exchange.
    pub exchange: Option<Exchange>,
}

/// A client's frame. The number is the request's.
#[derive(Clone, PartialEq, Debug)]
pub enum FromClient {
    /// The first.
    Hello(Hello),
    /// `ReqUserLogout`.
    Logout(i32),
    /// `ReqAuthenticate`.
    Authenticate(i32, Who),
    /// `ReqUserLogin`.
    Login(i32, Who),
    /// `ReqSettlementInfoConfirm`.
    Confirm(i32),
    /// A `ReqQry...`.
    Query(i32, Ask),
    /// `ReqOrderInsert`; what the vendor's field holds that is no known code is `None`.
    Insert(i32, OrderFacts),
    /// `ReqOrderAction` that deletes.
    Cancel(i32, CancelFacts),
    /// `SubscribeMarketData`.
    Subscribe(Vec<Symbol>),
    /// `UnSubscribeMarketData`.
    Unsubscribe(Vec<Symbol>),
    /// So many frames of the front have been taken to their end.
    Ack(u32),
}

/// A snapshot, with what its vendor's struct says besides.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Snapshot {
    /// The contract.
    pub symbol: Symbol,
    /// Its exchange.
    pub exchange: Exchange,
    /// Units per lot: all exchanges but CZCE tell the day's average times it.
    pub multiplier: i64,
    /// The snapshot.
    pub tick: DepthTick,
}

/// A front's frame.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant, reason = "reports are the rule, and boxing each would allocate")]
pub enum FromFront {
    /// The first: queries that the client's library lets pass in a second; zero: any number.
    Limits(u32),
    /// A callback.
    Callback(Callback),
    /// `OnRtnDepthMarketData`.
    Tick(Snapshot),
}

/// Appends a whole frame: length and body.
pub fn put_frame<T: Wire>(frame: &T, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX]);
    frame.put(out);
    let len = u32::try_from(out.len() - start - PREFIX).unwrap_or(u32::MAX);
    if let Some(prefix) = out.get_mut(start..start + PREFIX) {
        prefix.copy_from_slice(&len.to_le_bytes());
    }
}

/// Bytes that are no frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "these bytes are no frame of protocol {PROTOCOL}: client and exchange are of different builds, or it is no client"
)]
pub struct BadFrame;

/// The first frame of `input` and how many bytes it took; `None` when it is not whole yet.
///
/// # Errors
/// When the bytes can be no frame; then nothing that follows can be read.
pub fn get_frame<T: Wire>(input: &[u8]) -> Result<Option<(T, usize)>, BadFrame> {
    let Some((prefix, rest)) = input.split_first_chunk::<PREFIX>() else { return Ok(None) };
    let len = u32::from_le_bytes(*prefix) as usize;
    if len > FRAME_MAX {
        return Err(BadFrame);
    }
    let Some(mut body) = rest.get(..len) else { return Ok(None) };
    let frame = T::get(&mut body).filter(|_| body.is_empty()).ok_or(BadFrame)?;
    Ok(Some((frame, PREFIX + len)))
}
