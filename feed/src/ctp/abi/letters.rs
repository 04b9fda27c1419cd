//! CTP's characters for codes, as tables that are read both ways: by the binding, and by the stand-in the other way round.
//! Of several characters for a code the first is written, of several codes for a character the first is read.

use super::structs::text;
use shrike_core::codes::{
    Exchange, Offset, OptionType, OrderStatus, OrderType, PhaseKind, ProductClass, Side, SubmitStatus, TimeInForce,
};

/// CTP's characters of codes.
pub type Letters<T> = &'static [(T, u8)];
/// Sides.
pub const SIDES: Letters<Side> = &[(Side::Buy, b'0'), (Side::Sell, b'1')];
/// Offsets.
pub const OFFSETS: Letters<Offset> = &[
    (Offset::Open, b'0'),
    (Offset::Close, b'1'),
    (Offset::CloseToday, b'3'),
    (Offset::CloseYesterday, b'4'),
    // The counter's forced closes.
    (Offset::Close, b'2'),
    (Offset::Close, b'5'),
    (Offset::Close, b'6'),
];
/// Price types.
pub const PRICE_TYPES: Letters<OrderType> = &[(OrderType::Limit, b'2'), (OrderType::Market, b'1')];
/// Order statuses.
pub const STATUSES: Letters<OrderStatus> = &[
    (OrderStatus::Unknown, b'a'),
    (OrderStatus::Queued, b'3'),
    (OrderStatus::PartTraded, b'1'),
    (OrderStatus::AllTraded, b'0'),
    (OrderStatus::Cancelled, b'5'),
    (OrderStatus::PartTradedDead, b'2'),
    (OrderStatus::NotQueued, b'4'),
    (OrderStatus::NotTouched, b'b'),
    (OrderStatus::Touched, b'c'),
];
/// Submission statuses; modifications (`2`, `6`) are no exchange's.
pub const SUBMITS: Letters<SubmitStatus> = &[
    (SubmitStatus::InsertSubmitted, b'0'),
    (SubmitStatus::CancelSubmitted, b'1'),
    (SubmitStatus::Accepted, b'3'),
    (SubmitStatus::InsertRejected, b'4'),
    (SubmitStatus::CancelRejected, b'5'),
];
/// CTP knows fewer phases: auctions in which orders may be entered are one, and no trading within the day is a break, for
/// before the first session (`0`) and after the last (`6`) have their own. Price discovery of an auction (`4`) takes no
/// orders, as its matching (`5`).
pub const PHASES: Letters<PhaseKind> = &[
    (PhaseKind::Shut, b'6'),
    (PhaseKind::AuctionOrders, b'3'),
    (PhaseKind::AuctionNoCancel, b'3'),
    (PhaseKind::ClosingAuction, b'3'),
    (PhaseKind::AuctionMatch, b'5'),
    (PhaseKind::Continuous, b'2'),
    (PhaseKind::Break, b'1'),
    (PhaseKind::Halted, b'1'),
    (PhaseKind::CancelOnly, b'1'),
    (PhaseKind::Shut, b'0'),
    (PhaseKind::AuctionMatch, b'4'),
];
/// Product classes.
pub const CLASSES: Letters<ProductClass> = &[
    (ProductClass::Future, b'1'),
    (ProductClass::Option, b'2'),
    (ProductClass::Combination, b'3'),
    (ProductClass::Spot, b'4'),
    // On spot goods.
    (ProductClass::Option, b'6'),
];
/// Rights of options.
pub const OPTION_TYPES: Letters<OptionType> = &[(OptionType::Call, b'1'), (OptionType::Put, b'2')];

/// The character of a code; zero when there is none.
pub fn letter<T: Copy + PartialEq>(letters: Letters<T>, code: Option<T>) -> u8 {
    letters.iter().find(|&&(known, _)| Some(known) == code).map_or(0, |&(_, letter)| letter)
}

/// The code of a character.
pub fn code<T: Copy>(letters: Letters<T>, letter: u8) -> Option<T> {
    letters.iter().find(|&&(_, known)| known == letter).map(|&(code, _)| code)
}

/// Times in force, as time condition and volume condition.
const TIFS: &[(TimeInForce, (u8, u8))] = &[
    (TimeInForce::Day, (b'3', b'1')),
    (TimeInForce::Fak, (b'1', b'1')),
    (TimeInForce::Fok, (b'1', b'3')),
    // With a least volume, which is one.
    (TimeInForce::Fak, (b'1', b'2')),
];

/// Time and volume condition; zeros when there is none.
pub fn tif_letters(tif: Option<TimeInForce>) -> (u8, u8) {
    TIFS.iter().find(|&&(known, _)| Some(known) == tif).map_or((0, 0), |&(_, letters)| letters)
}

/// The time in force of a time and a volume condition.
pub fn tif(time: u8, volume: u8) -> Option<TimeInForce> {
    TIFS.iter().find(|&&(_, known)| known == (time, volume)).map(|&(tif, _)| tif)
}

/// The exchange named in a field.
pub fn exchange(field: &[u8]) -> Option<Exchange> {
    Exchange::parse(std::str::from_utf8(text(field)).ok()?)
}
