//! Events no venue would send: the books hold together whatever arrives.

use super::*;
use crate::event::{Body, Kind};

/// A body of random bytes, each field likely small: random words are mostly zero, small or an extreme.
fn noise<B: Body>(dice: &mut Dice) -> B {
    let mut body = B::zeroed();
    for byte in bytemuck::bytes_of_mut(&mut body) {
        *byte = match dice.below(8) {
            0 => 1 + dice.below(9) as u8,
            1 if dice.below(30) == 0 => dice.pick(&[0xFF, 0x80, 0x7F]),
            _ => 0,
        };
    }
    body
}

fn lots(dice: &mut Dice) -> Lots {
    Lots::new(dice.pick(&[1, 1, 2, 3, 5, 0, -1, 1_000_000_000, i64::MAX, i64::MIN]))
}

fn price(dice: &mut Dice) -> Price {
    let extreme = [Price::ABSENT, Price::from_raw(i64::MAX), Price::from_raw(i64::MIN + 1), Price::ZERO];
    if dice.below(6) == 0 { dice.pick(&extreme) } else { Price::whole(dice.below(200) as i64) }
}

/// One event; instruments, days, numbers and codes are likely to meet those of other events.
fn tell_noise(desk: &mut Desk, dice: &mut Dice) {
    let instrument = InstrumentId::new(dice.pick(&[0, 1, 2, 2, 3, 9, u32::MAX]));
    let trading_day = dice.pick(&[day(2), day(2), day(2), day(2), day(3), TradingDay::ABSENT]);
    let order_ref = dice.pick(&[0, 1, 2, 3, 4, 5, 6, u64::MAX, 1 << 40]);
    let exchange = 1 + dice.below(5) as u8;
    let (side, offset) = (dice.below(4) as u8, dice.below(6) as u8);
    let sys_id = Text::new(&[b'0' + dice.below(6) as u8][..dice.below(2) as usize]).unwrap();
    let session_id = dice.pick(&[SESSION, SESSION, 0, 3]);
    let front_id = if session_id == 0 { 0 } else { FRONT };
    match dice.below(40) {
        0 => desk.tell(&Login { trading_day, session_id, max_order_ref: order_ref, ..noise(dice) }),
        1 if dice.below(10) == 0 => desk.tell(&DayRoll { to: trading_day, ..noise(dice) }),
        2 => desk.tell(&Settlement { instrument, trading_day, settlement: price(dice), ..noise(dice) }),
        3 => desk.tell(&Rates { instrument, ..noise(dice) }),
        4 => desk.tell(&PositionReport {
            instrument,
            trading_day,
            side,
            today: lots(dice),
            yesterday: lots(dice),
            ..noise(dice)
        }),
        5 => desk.tell(&FundsReport { trading_day, ..noise(dice) }),
        6 => desk.tell(&ResyncEnd { trading_day, session_id, ..noise(dice) }),
        7 => desk.tell(&InstrumentDef {
            instrument,
            exchange,
            multiplier: dice.pick(&[10, 300, 0, i64::MAX]),
            class: 1,
            tick: Price::whole(1),
            ..noise(dice)
        }),
        8 => desk.tell(&OrderUpdate { order_ref, state: dice.below(11) as u8, ..noise(dice) }),
        9 => desk.tell(&crate::event::Gap { instrument, ..noise(dice) }),
        10 => desk.tell(&crate::event::Phase { instrument, ..noise(dice) }),
        11..=13 => desk.tell(&Quote { instrument, last: price(dice), upper_limit: price(dice), ..noise(dice) }),
        14..=19 => desk.tell(&OrderRequest {
            instrument,
            trading_day,
            order_ref,
            lots: lots(dice),
            price: price(dice),
            kind: dice.pick(&[1, 1, 1, 2, 2, 3, 4, 0, 9]),
            side,
            offset,
            order_type: dice.below(4) as u8,
            tif: 1,
            exchange,
            session_id,
            front_id,
            order_sys_id: sys_id,
            strategy: dice.pick(&[0, 1, 2, 3, 4, 50, u32::MAX]),
            ..noise(dice)
        }),
        20..=29 => desk.tell(&Fill {
            instrument,
            trading_day,
            order_ref,
            order_sys_id: sys_id,
            lots: lots(dice),
            price: price(dice),
            side,
            offset,
            exchange,
            ..noise(dice)
        }),
        _ => desk.tell(&OrderReport {
            instrument,
            trading_day,
            order_ref,
            order_sys_id: sys_id,
            lots: lots(dice),
            traded: lots(dice),
            price: price(dice),
            status: dice.below(11) as u8,
            submit: dice.below(7) as u8,
            source: dice.pick(&[1, 1, 1, 2, 3, 4, 5, 6, 0, 9]),
            side,
            offset,
            exchange,
            session_id,
            front_id,
            ..noise(dice)
        }),
    };
}

#[test]
fn noise_never_breaks_the_books() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let mut desk = if seed % 3 == 0 { Desk::without_login() } else { Desk::new() };
        for _ in 0..200 {
            tell_noise(&mut desk, &mut dice);
            check(&desk.ledger, seed);
        }
        desk.ledger.differences(|_| {});
        let mut bytes = Vec::new();
        desk.ledger.snapshot(&mut bytes);
        let restored = Ledger::restore(&bytes, ROOM).expect("our own bytes");
        assert_eq!(restored.digest(), desk.ledger.digest(), "seed {seed}");
        check(&restored, seed);
    }
}

#[test]
fn every_kind_and_every_length_is_taken() {
    let mut dice = Dice(7);
    let mut desk = Desk::new();
    // Bodies lie as records lie, 16-byte aligned.
    let mut body = [0u128; 24];
    for _ in 0..20 {
        for &kind in Kind::ALL {
            for word in &mut body {
                let small = dice.below(9) as u128;
                *word = dice.pick(&[0, 1, u128::MAX, small]);
            }
            let len = dice.pick(&[0, 7, 80, 144, 208, 336, 384]);
            let bytes: &[u8] = bytemuck::cast_slice(&body);
            desk.tell(Event::read(kind as u16, &bytes[..len]));
            check(&desk.ledger, 7);
        }
    }
}
