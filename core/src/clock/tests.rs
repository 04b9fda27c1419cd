//! No clock goes back; the counter keeps the host's pace; jumps only go forward.
#![allow(clippy::disallowed_types, reason = "clocks are compared with the system's")]

use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[test]
fn the_counter_starts_at_wall_time_and_keeps_its_pace() {
    let clock = Tsc::calibrate();
    let wall = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let (start, real) = (clock.now(), Instant::now());
    assert!(start.get().abs_diff(wall()) < 100 * Nanos::PER_MILLI, "within what a busy host delays this thread");
    while real.elapsed() < Duration::from_millis(20) {
        std::hint::spin_loop();
    }
    let (ours, elapsed) = (clock.now().since(start), real.elapsed().as_nanos() as u64);
    assert!(ours.abs_diff(elapsed) < elapsed / 2, "{ours} ns against {elapsed} ns");
}

#[test]
fn no_thread_sees_time_go_back_while_the_line_is_redrawn() {
    let clock = Tsc::calibrate();
    let reading = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (clock, reading) = (clock.clone(), &reading);
            scope.spawn(move || {
                let mut last = clock.now();
                while reading.load(std::sync::atomic::Ordering::Relaxed) {
                    let now = clock.now();
                    assert!(now >= last);
                    assert!(now.since(last) < 60 * Nanos::PER_SECOND, "no half-written line");
                    last = now;
                }
            });
        }
        for _ in 0..20_000 {
            clock.discipline();
        }
        reading.store(false, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn simulated_time_stands_until_it_is_set() {
    let time = Arc::new(SimTime::new(Nanos::new(5)));
    let clock = Clock::Simulated(Arc::clone(&time));
    assert!(clock.is_simulated());
    assert_eq!((clock.now(), clock.now()), (Nanos::new(5), Nanos::new(5)));
    time.advance_to(Nanos::new(9));
    time.advance_to(Nanos::new(7));
    assert_eq!(clock.now(), Nanos::new(9));
}

#[test]
fn scaled_time_runs_faster_and_jumps_over_breaks() {
    let start = Nanos::new(1_000 * Nanos::PER_SECOND);
    let time = ScaledTime::new(Tsc::calibrate(), start, 1_000);
    let (real, first) = (Instant::now(), time.now());
    while real.elapsed() < Duration::from_millis(2) {
        std::hint::spin_loop();
    }
    assert!(time.now().since(first) >= 1_900 * Nanos::PER_MILLI, "2 ms at 1000 times, less the calibration's error");
    let open = start.after(3_600 * Nanos::PER_SECOND);
    let wait = time.real_ns_until(open);
    assert!(wait > 0 && wait <= 3_600 * Nanos::PER_MILLI);
    let other = time.clone();
    time.jump_to(open);
    assert!(time.now() >= open && other.now() >= open);
    assert_eq!(time.real_ns_until(open), 0);
    let before = time.now();
    time.jump_to(start);
    assert!(time.now() >= before);
    assert!(time.now().since(open) < 1_800 * Nanos::PER_SECOND, "a past time moves nothing");
}

proptest! {
    /// However the host's clock steps, the line goes on: it never goes back and stays within 500 ppm of real time.
    #[test]
    fn the_line_follows_steps_without_going_back(
        steps in prop::collection::vec((1..5_000_000_000_u64, any::<i32>()), 1..40)
    ) {
        let line = super::tsc::Line::for_test(1 << 60);
        let (mut ticks, mut last, mut wall) = (0, line.at(0), 1_i128 << 60);
        for (pass, step) in steps {
            for at in [ticks, ticks + pass / 2, ticks + pass] {
                let now = line.at(at);
                prop_assert!(now >= last);
                last = now;
            }
            let passed = line.at(ticks + pass) - line.at(ticks);
            prop_assert!(passed.abs_diff(pass) <= pass / 1_999 + 2, "{} against {}", passed, pass);
            ticks += pass;
            wall += i128::from(pass) + i128::from(step);
            let behind = line.bend(ticks, wall as u64);
            prop_assert_eq!(i128::from(behind), wall - i128::from(last));
            prop_assert!(line.at(ticks) == last, "the line is continuous");
        }
    }
}
