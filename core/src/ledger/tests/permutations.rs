//! Whatever order reports and fills come in, and however often: the same final books, and at no moment a worst case
//! short of what comes true.

use super::*;

/// What the venue does with one order, in its own callback order.
struct Fate {
    ticket: Ticket,
    ours: bool,
    traded: i64,
    said: Vec<Word>,
}

#[derive(Clone, Copy)]
enum Word {
    Report(OrderReport),
    Fill(Fill),
}

fn fate(dice: &mut Dice, ticket: Ticket, ours: bool, trade: &mut u64) -> Fate {
    let session_id = if ours { SESSION } else { SESSION + 1 };
    let report = |status, traded| Word::Report(OrderReport { session_id, ..ticket.report(status, traded) });
    let mut said = vec![report(OrderStatus::Unknown, 0)];
    let ends = dice.below(6);
    if ends == 0 {
        let Word::Report(refused) = report(OrderStatus::Cancelled, 0) else { unreachable!() };
        said.push(Word::Report(OrderReport { submit: SubmitStatus::InsertRejected.code(), ..refused }));
        return Fate { ticket, ours, traded: 0, said };
    }
    let mut traded = 0;
    let target = if ends == 1 { dice.below(ticket.lots as u64) as i64 } else { ticket.lots };
    let shfe_kill = ends == 1 && ticket.instrument == SHFE && dice.below(2) == 0;
    if !shfe_kill {
        said.push(report(OrderStatus::Queued, 0));
    }
    let mut fills = Vec::new();
    while traded < target {
        let lots = 1 + dice.below((target - traded) as u64) as i64;
        traded += lots;
        *trade += 1;
        fills.push((traded, Word::Fill(ticket.fill_at(*trade, lots, 95 + dice.below(11) as i64))));
    }
    if shfe_kill {
        // SHFE tells the end of a fill and kill before its trades.
        said.push(report(OrderStatus::Cancelled, traded));
        said.extend(fills.into_iter().map(|(_, fill)| fill));
        return Fate { ticket, ours, traded, said };
    }
    for (so_far, fill) in fills {
        let status = if so_far == ticket.lots { OrderStatus::AllTraded } else { OrderStatus::PartTraded };
        said.extend([report(status, so_far), fill]);
    }
    if traded < ticket.lots && ends == 1 {
        said.push(report(OrderStatus::Cancelled, traded));
    }
    Fate { ticket, ours, traded, said }
}

/// A day of orders over positions that allow every close.
fn fates(dice: &mut Dice) -> Vec<Fate> {
    let mut trade = 0;
    (1..=8)
        .map(|n| {
            let instrument = InstrumentId::new(dice.below(3) as u32);
            let offset = dice.pick(&[Offset::Open, Offset::Open, Offset::Close, Offset::CloseYesterday]);
            let ticket = Ticket {
                order_ref: n,
                instrument,
                side: dice.pick(Side::ALL),
                offset,
                price: 95 + dice.below(11) as i64,
                lots: 1 + dice.below(5) as i64,
                strategy: dice.below(4) as u32,
            };
            let ours = dice.below(4) != 0;
            fate(dice, ticket, ours, &mut trade)
        })
        .collect()
}

fn desk(fates: &[Fate]) -> Desk {
    let mut desk = Desk::without_login();
    desk.login(day(2));
    let lines: Vec<_> = [SHFE, DCE, CFFEX]
        .into_iter()
        .flat_map(|instrument| Side::ALL.iter().map(move |&side| (instrument, side, 0, 50)))
        .collect();
    desk.restate(&lines);
    for fate in fates.iter().filter(|fate| fate.ours) {
        desk.tell(&fate.ticket.insert());
    }
    desk
}

fn hear(desk: &mut Desk, word: &Word) {
    match word {
        Word::Report(report) => desk.tell(report),
        Word::Fill(fill) => desk.tell(fill),
    };
}

/// The books without times and row numbers. Close and position profit are one number: which of two lots of today a
/// close took depends on what was told first, their sum does not.
fn books(desk: &mut Desk) -> String {
    for instrument in [SHFE, DCE, CFFEX] {
        desk.last(instrument, 103);
    }
    let ledger = &desk.ledger;
    let mut orders: Vec<_> = ledger
        .orders()
        .map(|(_, o)| (o.order_ref, o.session_id, o.order_sys_id, o.state, o.lots, o.filled, o.venue_traded, o.wild))
        .map(|order| format!("{order:?}"))
        .collect();
    orders.sort();
    let contracts: Vec<_> = [SHFE, DCE, CFFEX]
        .into_iter()
        .map(|id| {
            let position = desk.position(id);
            let strategies: Vec<_> = (0..4).map(|s| ledger.strategy_position(s, id)).collect();
            let result = position.close_profit().plus(position.position_profit());
            let worst = (position.worst_case_long(), position.worst_case_short());
            (desk.held(id), worst, result, position.commission(), strategies)
        })
        .collect();
    format!("{orders:#?} {contracts:#?} {:?} {:?}", ledger.funds().equity, ledger.funds().frozen)
}

#[test]
fn any_order_and_any_repeats_give_the_same_books() {
    for seed in 0..400 {
        let mut dice = Dice(seed);
        let fates = fates(&mut dice);
        let told: Vec<Word> = fates.iter().flat_map(|fate| fate.said.iter().copied()).collect();
        let mut plain = desk(&fates);
        told.iter().for_each(|word| hear(&mut plain, word));
        for fate in fates.iter().filter(|fate| fate.ours) {
            assert_eq!(plain.order(&fate.ticket).filled.get(), fate.traded, "seed {seed}");
        }
        let expected = books(&mut plain);
        for _ in 0..4 {
            let mut mixed = told.clone();
            let repeats = dice.below(told.len() as u64) as usize;
            mixed.extend_from_slice(&told[..repeats]);
            dice.shuffle(&mut mixed);
            let mut other = desk(&fates);
            for word in &mixed {
                hear(&mut other, word);
                check(&other.ledger, seed);
            }
            assert_eq!(books(&mut other), expected, "seed {seed}");
        }
    }
}

#[test]
fn the_worst_case_covers_what_comes_true() {
    for seed in 0..400 {
        let mut dice = Dice(seed ^ 0xABCD);
        let fates: Vec<Fate> = fates(&mut dice).into_iter().filter(|fate| fate.ours).collect();
        let mut told: Vec<Word> = fates.iter().flat_map(|fate| fate.said.iter().copied()).collect();
        dice.shuffle(&mut told);
        let mut desk = desk(&fates);
        let lots_told = |told: &[Word], instrument: InstrumentId, side: Side| -> i64 {
            let fills = told.iter().filter_map(|word| match word {
                Word::Fill(fill) if fill.instrument == instrument && fill.side == side.code() => Some(fill.lots.get()),
                _ => None,
            });
            fills.sum()
        };
        for heard in 0..=told.len() {
            for instrument in [SHFE, DCE, CFFEX] {
                let position = desk.position(instrument);
                let coming = |side| lots_told(&told[heard..], instrument, side);
                let net = position.net().get();
                assert!(position.worst_case_long().get() >= net + coming(Side::Buy), "seed {seed}, {heard} heard");
                assert!(position.worst_case_short().get() <= net - coming(Side::Sell), "seed {seed}, {heard} heard");
            }
            if let Some(word) = told.get(heard) {
                hear(&mut desk, word);
            }
        }
        for instrument in [SHFE, DCE, CFFEX] {
            let live = desk.ledger.live_orders_of(instrument).count();
            assert_eq!(live, 0, "seed {seed}: every order has ended");
        }
    }
}
