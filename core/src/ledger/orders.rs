//! The orders of the trading day: rows in the order they became known, found by (front, session, number) and by the
//! exchange's number, and two lists of the live ones: all, and by contract. Nothing is removed before the day roll.

use super::index::{Index, NONE, mix};
use super::order::Order;
use crate::codes::{Exchange, Offset, Side};
use crate::event::OrderReport;
use crate::instrument::InstrumentId;
use crate::units::{Text, TradingDay};
use bytemuck::{Pod, Zeroable};

/// A row of the order table, valid until the day roll.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrderIndex(pub(super) u32);

impl OrderIndex {
    /// The row number: dense, counting from zero each trading day, for tables kept beside the ledger's.
    #[inline]
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

/// Neighbours in a list of live orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Link {
    prev: u32,
    next: u32,
}

impl Link {
    pub(super) const NONE: Self = Self { prev: NONE, next: NONE };
}

/// First and last of a list of live orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Ends {
    first: u32,
    last: u32,
}

impl Ends {
    pub(super) const NONE: Self = Self { first: NONE, last: NONE };
}

/// Every live order.
const ALL: usize = 0;
/// The live orders of one contract.
const OF_CONTRACT: usize = 1;

#[derive(Clone, Debug)]
pub(super) struct Orders {
    rows: Vec<Order>,
    capacity: usize,
    by_ref: Index,
    by_sys_id: Index,
    all: Ends,
    of_contract: Vec<Ends>,
    live: u32,
    /// Wild rows whose session is not known yet, because a fill told of them first.
    unplaced: u32,
}

fn ref_hash(order: &Order) -> u64 {
    key_hash(order.wild, order.front_id, order.session_id, order.order_ref)
}

/// Ours are found by number alone (it is ours alone over the trading day); wild ones need their session too.
#[inline]
fn key_hash(wild: bool, front_id: i32, session_id: i32, order_ref: u64) -> u64 {
    // Our numbers rise one by one: as they are, neighbours in time are neighbours in the table, and none collide.
    if wild { mix(&[(front_id as u32 as u64) << 32 | session_id as u32 as u64, order_ref]) } else { order_ref }
}

#[inline]
fn sys_hash(exchange: Exchange, sys_id: &Text<24>) -> u64 {
    let [a, b, c]: [u64; 3] = bytemuck::cast(*sys_id);
    mix(&[a, b, c, exchange.code() as u64])
}

impl Orders {
    pub(super) fn with_capacity(orders: usize, instruments: usize) -> Self {
        // Every page is written once here, so that none is faulted in on the hot path.
        let (instrument, day) = (InstrumentId::NONE, TradingDay::ABSENT);
        let mut rows = vec![Order::blank(instrument, day, Side::Buy, Offset::Open, Exchange::Shfe); orders];
        rows.clear();
        Self {
            rows,
            capacity: orders,
            by_ref: Index::with_capacity(orders),
            by_sys_id: Index::with_capacity(orders),
            all: Ends::NONE,
            of_contract: Vec::with_capacity(instruments),
            live: 0,
            unplaced: 0,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.rows.len() < self.capacity
    }
    pub(super) fn rows(&self) -> &[Order] {
        &self.rows
    }
    pub(super) fn live(&self) -> usize {
        self.live as usize
    }
    /// Makes room for the lists of a new contract.
    pub(super) fn add_contract(&mut self) {
        self.of_contract.push(Ends::NONE);
    }
    #[inline]
    pub(super) fn get(&self, index: OrderIndex) -> Option<&Order> {
        self.rows.get(index.get())
    }
    #[inline]
    fn row(&self, row: u32) -> Option<&Order> {
        self.rows.get(row as usize)
    }

    /// Our order of this number.
    #[inline]
    pub(super) fn ours(&self, order_ref: u64) -> Option<OrderIndex> {
        let is_key = |row| self.row(row).is_some_and(|order| !order.wild && order.order_ref == order_ref);
        self.by_ref.find(key_hash(false, 0, 0, order_ref), is_key).map(OrderIndex)
    }

    /// The order of this session and number, ours or wild.
    #[inline]
    pub(super) fn of_session(&self, front_id: i32, session_id: i32, order_ref: u64) -> Option<OrderIndex> {
        if order_ref == 0 {
            return None;
        }
        let same = |order: &Order| order.front_id == front_id && order.session_id == session_id;
        if let Some(index) = self.ours(order_ref).filter(|&index| self.get(index).is_some_and(same)) {
            return Some(index);
        }
        let is_key = |row| self.row(row).is_some_and(|o| o.wild && o.order_ref == order_ref && same(o));
        self.by_ref.find(key_hash(true, front_id, session_id, order_ref), is_key).map(OrderIndex)
    }

    /// The order of this number of the exchange.
    #[inline]
    pub(super) fn of_sys_id(&self, exchange: Exchange, sys_id: &Text<24>) -> Option<OrderIndex> {
        if sys_id.is_empty() {
            return None;
        }
        let is_key = |row| self.row(row).is_some_and(|o| o.order_sys_id == *sys_id && o.exchange == exchange);
        self.by_sys_id.find(sys_hash(exchange, sys_id), is_key).map(OrderIndex)
    }

    /// A wild order that a fill told of before its session was known, for the report that now names the session.
    pub(super) fn unplaced(&self, instrument: InstrumentId, side: Side, order_ref: u64) -> Option<OrderIndex> {
        if self.unplaced == 0 || order_ref == 0 {
            return None;
        }
        let fits = |o: &Order| o.known_by_fill_only && o.order_ref == order_ref && o.is_of(instrument, side);
        self.rows.iter().position(fits).map(|row| OrderIndex(row as u32))
    }

    /// A live wild order without the exchange's number, for the fill that now brings it.
    pub(super) fn unnumbered(&self, instrument: InstrumentId, side: Side, order_ref: u64) -> Option<OrderIndex> {
        if order_ref == 0 {
            return None;
        }
        let fits =
            |o: &Order| o.wild && o.order_sys_id.is_empty() && o.order_ref == order_ref && o.is_of(instrument, side);
        self.live_of(instrument).find(|(_, order)| fits(order)).map(|(index, _)| index)
    }

    /// Our live order that a restarted counter names otherwise: sent on a session before this one, not numbered by the
    /// exchange when last told of, and of the same terms.
    pub(super) fn renamed(&self, report: &OrderReport, side: Side, session: (i32, i32)) -> Option<OrderIndex> {
        let fits = |o: &Order| {
            // On the same front sessions are counted up, until the counter restarts.
            let restarted = o.front_id != session.0 || o.session_id > session.1;
            let sender = (o.front_id, o.session_id);
            !o.wild
                && o.order_sys_id.is_empty()
                && restarted
                && sender != (report.front_id, report.session_id)
                && (o.side, o.offset.code(), o.price, o.lots) == (side, report.offset, report.price, report.lots)
        };
        self.live_of(report.instrument).find(|(_, order)| fits(order)).map(|(index, _)| index)
    }

    /// Adds a row and indexes what is known of it. Rows beyond the capacity allocate: none is dropped.
    pub(super) fn add(&mut self, order: &Order) -> OrderIndex {
        debug_assert_eq!(order.links, [Link::NONE; 2]);
        let row = self.rows.len() as u32;
        self.rows.push(*order);
        self.unplaced += order.known_by_fill_only as u32;
        self.index_ref(row);
        self.index_sys_id(row);
        if order.is_live() {
            self.enlist(row);
        }
        OrderIndex(row)
    }

    fn index_ref(&mut self, row: u32) {
        let Self { rows, by_ref, .. } = self;
        if let Some(order) = rows.get(row as usize).filter(|order| order.order_ref != 0) {
            by_ref.insert(ref_hash(order), row, |row| rows.get(row as usize).map_or(0, ref_hash));
        }
    }

    fn index_sys_id(&mut self, row: u32) {
        let Self { rows, by_sys_id, .. } = self;
        let hash_of = |row: u32| rows.get(row as usize).map_or(0, |o| sys_hash(o.exchange, &o.order_sys_id));
        if let Some(order) = rows.get(row as usize).filter(|order| !order.order_sys_id.is_empty()) {
            by_sys_id.insert(sys_hash(order.exchange, &order.order_sys_id), row, hash_of);
        }
    }

    /// Changes a row and keeps indexes and live lists true. Returns the row before and after.
    pub(super) fn change(&mut self, index: OrderIndex, with: impl FnOnce(&mut Order)) -> Option<(Order, Order)> {
        let order = self.rows.get_mut(index.get())?;
        let before = *order;
        with(order);
        let after = *order;
        if before.known_by_fill_only && !after.known_by_fill_only {
            self.unplaced -= 1;
        }
        if (before.front_id, before.session_id, before.order_ref) != (after.front_id, after.session_id, after.order_ref)
        {
            self.index_ref(index.0);
        }
        if before.order_sys_id != after.order_sys_id {
            self.index_sys_id(index.0);
        }
        match (before.is_live(), after.is_live()) {
            (false, true) => self.enlist(index.0),
            (true, false) => self.delist(index.0),
            _ => {}
        }
        Some((before, after))
    }

    fn ends(&mut self, list: usize, row: u32) -> Option<&mut Ends> {
        if list == ALL {
            return Some(&mut self.all);
        }
        let contract = self.row(row)?.instrument.index();
        self.of_contract.get_mut(contract)
    }

    fn link(&mut self, list: usize, row: u32) -> Option<&mut Link> {
        self.rows.get_mut(row as usize)?.links.get_mut(list)
    }

    fn enlist(&mut self, row: u32) {
        self.live += 1;
        for list in [ALL, OF_CONTRACT] {
            let Some(ends) = self.ends(list, row) else { continue };
            let last = std::mem::replace(&mut ends.last, row);
            if last == NONE {
                ends.first = row;
            } else if let Some(link) = self.link(list, last) {
                link.next = row;
            }
            if let Some(link) = self.link(list, row) {
                *link = Link { prev: last, next: NONE };
            }
        }
    }

    fn delist(&mut self, row: u32) {
        self.live -= 1;
        for list in [ALL, OF_CONTRACT] {
            let Some(link) = self.link(list, row) else { continue };
            let Link { prev, next } = std::mem::replace(link, Link::NONE);
            match self.link(list, prev) {
                Some(link) => link.next = next,
                None => {
                    if let Some(ends) = self.ends(list, row) {
                        ends.first = next;
                    }
                }
            }
            match self.link(list, next) {
                Some(link) => link.prev = prev,
                None => {
                    if let Some(ends) = self.ends(list, row) {
                        ends.last = prev;
                    }
                }
            }
        }
    }

    fn walk(&self, first: u32, list: usize) -> impl Iterator<Item = (OrderIndex, &Order)> {
        let mut at = first;
        std::iter::from_fn(move || {
            let (row, order) = (at, self.row(at)?);
            at = order.links.get(list)?.next;
            Some((OrderIndex(row), order))
        })
    }

    /// The live orders, in the order they became live.
    pub(super) fn all_live(&self) -> impl Iterator<Item = (OrderIndex, &Order)> {
        self.walk(self.all.first, ALL)
    }

    /// The live orders of a contract, in the order they became live.
    pub(super) fn live_of(&self, instrument: InstrumentId) -> impl Iterator<Item = (OrderIndex, &Order)> {
        self.walk(self.of_contract.get(instrument.index()).map_or(NONE, |ends| ends.first), OF_CONTRACT)
    }

    /// A new session. An order that the answers to an earlier one lacked may have been on its way to that, and have
    /// arrived since: only answers to this session count.
    pub(super) fn forget_absences(&mut self) {
        for order in self.rows.iter_mut().filter(|order| order.is_live()) {
            order.absent_restatements = 0;
        }
    }

    /// Forgets the day's orders and keeps the room.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.by_ref.clear();
        self.by_sys_id.clear();
        self.all = Ends::NONE;
        self.of_contract.fill(Ends::NONE);
        (self.live, self.unplaced) = (0, 0);
    }

    /// Replaces every row, and lists the live ones in the order given.
    pub(super) fn restore(&mut self, rows: impl Iterator<Item = Order>, live: impl Iterator<Item = u64>) {
        self.clear();
        for order in rows {
            let row = self.rows.len() as u32;
            self.rows.push(Order { links: [Link::NONE; 2], ..order });
            self.unplaced += order.known_by_fill_only as u32;
            self.index_ref(row);
            self.index_sys_id(row);
        }
        for row in live.map(|row| row as u32) {
            let unlisted = |o: &Order| o.is_live() && o.links == [Link::NONE; 2] && self.all.last != row;
            if self.row(row).is_some_and(unlisted) {
                self.enlist(row);
            }
        }
    }
}

impl Order {
    #[inline]
    pub(super) fn is_of(&self, instrument: InstrumentId, side: Side) -> bool {
        self.instrument == instrument && self.side == side
    }
}
