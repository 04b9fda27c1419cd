//! Taking up a simulated venue where a killed run left it. The in-process exchange and the recorded or generated market
//! are functions of their seed and of the requests, and the requests are in the order journal: so the venue is brought
//! to its place by giving it the same market and the same requests again, without the stages.

use super::start::Folded;
use shrike_core::event::{Event, Header, Kind, MarketSlot, OrderRequest, ReportSlot, flags};
use shrike_core::units::Nanos;
use shrike_core::venue::{Gateway, MarketFeed, Next};
use shrike_journal::{ReadError, Reader};
use std::path::Path;

/// Brings a fresh feed and gateway to where the journals end; the time reached.
///
/// # Errors
/// When the order journal cannot be read.
pub fn rejoin(
    feed: &mut dyn MarketFeed,
    gateway: &mut dyn Gateway,
    order_journal: &Path,
    folded: &Folded,
) -> Result<Nanos, ReadError> {
    let (ticks, reports) = (folded.signal.last_feed.n(), folded.order.last_gateway.n());
    let (mut market, mut report) = (Box::<MarketSlot>::default(), Box::<ReportSlot>::default());
    let mut requests = Requests { reader: Reader::open(order_journal)?, next: None };
    requests.advance()?;
    let (mut ticks_seen, mut reports_seen, mut now) = (0, 0, Nanos::ABSENT);
    while ticks_seen < ticks || reports_seen < reports || requests.next.is_some() {
        let from_gateway = match (gateway.next(), feed.next()) {
            (Next::At(report_ns), Next::At(tick_ns)) => Some((report_ns.min(tick_ns), report_ns <= tick_ns)),
            (Next::At(at), _) => Some((at, true)),
            (_, Next::At(at)) => Some((at, false)),
            _ => None,
        };
        // A request was sent after every event of its moment, and arrives later than that.
        match (&requests.next, from_gateway) {
            (Some((header, request)), due) if due.is_none_or(|(at, _)| header.taken_ns < at) => {
                gateway.request(header.taken_ns, header, Event::OrderRequest(request));
                now = now.max(header.taken_ns);
                requests.advance()?;
            }
            (_, Some((at, true))) => {
                now = now.max(at);
                reports_seen += u64::from(gateway.take(&mut report));
            }
            (_, Some((at, false))) if ticks_seen < ticks => {
                now = now.max(at);
                if feed.take(&mut market) {
                    ticks_seen += 1;
                    gateway.on_market(market.header(), market.event());
                }
            }
            _ => break,
        }
    }
    Ok(now)
}

/// The requests of an order journal, one ahead.
struct Requests {
    reader: Reader,
    next: Option<(Header, OrderRequest)>,
}

impl Requests {
    fn advance(&mut self) -> Result<(), ReadError> {
        self.next = None;
        while let Some(record) = self.reader.next()? {
            if record.header.kind == Kind::OrderRequest as u16
                && record.header.has(flags::OUTPUT)
                && let Event::OrderRequest(request) = record.event()
            {
                self.next = Some((*record.header, *request));
                break;
            }
        }
        Ok(())
    }
}
