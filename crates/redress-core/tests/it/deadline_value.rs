//! `Deadline` as a value: what is left of it, which is earlier, and what no clock can say.

use std::time::{Duration, Instant};

use redress_core::policy::{CallDeadline, Deadline};
use redress_core::{CallContext, StopReason};

use crate::lab::{GOOD, TICK, ok_after, script, secs, stopped, wherever_time_is_virtual};

#[test]
fn the_time_left_is_zero_at_the_deadline_and_after_it() {
    let now = Instant::now();
    let deadline = Deadline::from_left(secs(5), now);
    let rows =
        [(Duration::ZERO, secs(5)), (secs(5) - TICK, TICK), (secs(5), Duration::ZERO), (secs(9), Duration::ZERO)];
    for (passed, left) in rows {
        assert_eq!(deadline.left(now + passed), left, "{passed:?}");
        assert_eq!(deadline.is_expired(now + passed), left.is_zero(), "{passed:?}");
    }
    assert_eq!((deadline.instant(), deadline), (Some(now + secs(5)), Deadline::at(now + secs(5))));
    assert_eq!(Deadline::from(now), Deadline::at(now));
    assert!(Deadline::at(now).is_expired(now), "at its instant, too");
}

#[test]
fn a_time_that_no_clock_can_say_never_ends() {
    let now = Instant::now();
    for never in [Deadline::after(Duration::MAX), Deadline::from_left(Duration::MAX, now)] {
        assert_eq!((never.instant(), never.left(now), never.is_expired(now)), (None, Duration::MAX, false));
        let soon = Deadline::at(now);
        assert_eq!((never.earlier(soon), soon.earlier(never)), (soon, soon));
        assert_eq!(never.earlier(never), never);
        assert!(soon < never);
    }
}

#[test]
fn a_time_that_begins_now_is_over_after_it() {
    let before = Instant::now();
    let deadline = Deadline::after(secs(5));
    let after = Instant::now();
    assert!(Deadline::from_left(secs(5), before) <= deadline && deadline <= Deadline::from_left(secs(5), after));
}

#[test]
fn the_earlier_of_two_is_the_smaller() {
    let now = Instant::now();
    let (soon, late) = (Deadline::at(now), Deadline::at(now + TICK));
    for earlier in [soon.earlier(late), late.earlier(soon)] {
        assert_eq!(earlier, soon);
    }
    assert!(soon < late);
}

#[test]
fn settings_keep_a_time_for_each_call_apart_from_an_instant() {
    let now = Instant::now();
    let rows = [
        (CallDeadline::from(secs(5)), CallDeadline::After(secs(5)), secs(3)),
        (CallDeadline::from(now), CallDeadline::At(Deadline::at(now)), Duration::ZERO),
        (CallDeadline::from(Deadline::at(now + secs(9))), CallDeadline::At(Deadline::at(now + secs(9))), secs(9)),
    ];
    for (converted, expected, left) in rows {
        assert_eq!((converted, converted.left(secs(2), now)), (expected, left));
        assert_eq!(CallContext::new().deadline(converted).settings().deadline(), Some(expected));
    }
    assert_eq!(CallDeadline::After(TICK).left(secs(1), now), Duration::ZERO);
}

#[test]
fn a_time_begins_with_each_call_and_an_instant_does_not() {
    wherever_time_is_virtual(|lab| {
        let fixed = Deadline::from_left(secs(5), lab.clock.now());
        let of_each = lab.policy().build();
        let until = lab.policy().build();
        let late = stopped(StopReason::DeadlineExceeded, 0);
        for (passed, expected) in [(secs(4), ok_after(1)), (TICK, ok_after(1)), (secs(1), late)] {
            lab.clock.advance(passed);
            assert_eq!(of_each.context().deadline(secs(5)).run(&script([GOOD])), ok_after(1), "{passed:?}");
            assert_eq!(until.context().deadline(fixed).run(&script([GOOD])), expected, "{passed:?}");
        }
    });
}
