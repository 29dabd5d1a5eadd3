//! The virtual clock, alone and with policies.

use std::time::{Duration, Instant};

use redress_core::driver::Clock;
use redress_core::{Policy, Retry, StopReason, fixed};
use redress_testing::{Script, VirtualClock, assert_outcome};

use crate::{reset, secs};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

#[test]
fn it_stands_still_until_it_is_moved() {
    let clock = VirtualClock::new();
    let before = clock.now();
    assert_eq!(clock.now(), before);
    clock.advance(secs(3));
    clock.advance(Duration::from_nanos(1));
    assert_eq!(clock.elapsed(), secs(3) + Duration::from_nanos(1));
    assert_eq!(clock.now() - before, clock.elapsed());
    assert!(clock.slept().is_empty(), "being moved is not a wait");
}

#[test]
fn clones_are_the_same_clock_and_others_are_not() {
    let clock = VirtualClock::new();
    let (same, other) = (clock.clone(), VirtualClock::default());
    clock.advance(YEAR);
    assert_eq!(same.now(), clock.now());
    assert_eq!(same.elapsed(), YEAR);
    assert_eq!(other.elapsed(), Duration::ZERO);
}

#[test]
fn it_saturates_where_redress_does() {
    let clock = VirtualClock::new();
    let before = clock.now();
    clock.advance(Duration::MAX);
    let furthest = Duration::from_nanos(u64::MAX);
    assert_eq!(clock.elapsed(), furthest);
    clock.advance(Duration::MAX);
    assert_eq!(clock.now(), before + furthest);
}

#[test]
fn it_is_a_clock_by_name_and_as_an_object() {
    let clock = VirtualClock::new();
    let object: &dyn Clock = &clock;
    clock.advance(secs(1));
    assert_eq!(object.now(), clock.now());
}

#[test]
fn the_sleeper_moves_it_and_keeps_every_wait() {
    let clock = VirtualClock::new();
    let sleeper = clock.sleeper();
    sleeper(secs(2));
    sleeper(Duration::ZERO);
    sleeper(YEAR);
    assert_eq!(clock.slept(), [secs(2), Duration::ZERO, YEAR]);
    assert_eq!(clock.elapsed(), YEAR + secs(2));
}

#[test]
fn a_year_of_backoff_takes_no_time() {
    let started = Instant::now();
    let clock = VirtualClock::new();
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(fixed(secs(86_400))).max_attempts(1_000))
        .deadline(YEAR)
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .build()
        .expect("a valid configuration");
    let script = Script::<(), _>::new().forever(|| Err(reset()));

    let outcome = policy.execute(script.run());
    // The delay that would end at the deadline is not waited.
    assert_outcome(&outcome).stopped_for(StopReason::DeadlineExceeded).after_attempts(365).in_time(YEAR - secs(86_400));
    assert_eq!(clock.slept(), vec![secs(86_400); 364]);
    assert!(started.elapsed() < secs(10));
}
