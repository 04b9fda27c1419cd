//! Placement reports what it cannot do and never fails; waiting is bounded.

use super::*;

#[test]
fn a_thread_runs_named_and_pinned_where_it_may() {
    let core = cores().first().copied();
    let plan = ThreadPlan { name: "signal".into(), core, fifo_priority: None };
    let started = spawn(plan, || (std::thread::current().name().map(String::from), cores())).unwrap();
    let (name, seen) = started.handle.join().unwrap();
    assert_eq!(name.as_deref(), Some("signal"));
    if started.denied.is_empty() {
        assert_eq!(seen, Vec::from_iter(core), "the pinned thread sees its core only");
    }
}

#[test]
fn what_is_not_possible_is_reported_and_the_thread_runs() {
    let plan = ThreadPlan { name: "order".into(), core: Some(1_000_000), fifo_priority: Some(200) };
    let started = spawn(plan, || 42).unwrap();
    assert_eq!(started.handle.join().unwrap(), 42);
    assert!(matches!(
        started.denied.as_slice(),
        [Denied::Core { core: 1_000_000, .. }, Denied::Priority { priority: 200, errno: libc::EINVAL | libc::EPERM }]
    ));
    assert!(started.denied[1].to_string().contains("CAP_SYS_NICE"));
}

#[test]
fn threads_spin_only_where_each_has_a_core() {
    assert_eq!(Waiting::choose(3, 3), Waiting::BusySpin);
    assert_eq!(Waiting::choose(3, 2), Waiting::BACK_OFF);
    assert_eq!(Waiting::choose(1, 0), Waiting::BACK_OFF);
    assert_eq!(Waiting::BACK_OFF.to_string(), "back-off (64 spins, 256 yields, then 50 us parks)");
    assert!(free_cores() < std::thread::available_parallelism().unwrap().get());
}

#[test]
fn a_backed_off_thread_wakes_by_itself_and_by_unpark() {
    let mut waiter = Waiter::new(Waiting::BackOff { spins: 1, yields: 1, park_us: 10 });
    for _ in 0..10 {
        waiter.idle();
    }
    let long = Waiting::BackOff { spins: 0, yields: 0, park_us: 3_600_000_000 };
    std::thread::current().unpark();
    Waiter::new(long).idle();
}
