//! A breaker in every state that a call can find, the expected next states, and the checks of the
//! actual state. The expectations are independent of the core's own table.

use std::time::Duration;

use redress_core::breaker::{CircuitState, Permit, Transition};
use redress_core::error::CircuitOpenError;
use redress_core::{CircuitBreaker, ErrorClass, StopReason};
use redress_testing::VirtualClock;

use crate::lab::{TICK, secs};

pub(crate) const THRESHOLD: u32 = 2;
pub(crate) const RECOVERY: Duration = secs(30);

/// What a call finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Closed,
    /// One failure short of opening.
    Counted,
    /// The same after it was open and a probe closed it: an era that is not the first.
    Reclosed,
    /// Open, with recovery some seconds away.
    Open,
    /// Open for so long that this call is the probe.
    Recovered,
    /// Half-open, since an earlier probe released its place.
    HalfOpen,
    /// Half-open, with another call's probe in flight.
    Probed,
    /// The same for so long that the lease of that probe is over: this call supersedes it.
    Kept,
}

impl Start {
    pub(crate) const ALL: [Self; 8] = [
        Self::Closed,
        Self::Counted,
        Self::Reclosed,
        Self::Open,
        Self::Recovered,
        Self::HalfOpen,
        Self::Probed,
        Self::Kept,
    ];

    /// Creates a breaker in this state. The permit belongs to the other probe.
    #[track_caller]
    pub(crate) fn reach<'b>(self, breaker: &'b CircuitBreaker, clock: &VirtualClock) -> (Standing, Option<Permit<'b>>) {
        if self == Self::Closed {
            return (Standing::Closed { counted: 0 }, None);
        }
        fail(breaker);
        if self == Self::Counted {
            return (Standing::Closed { counted: 1 }, None);
        }
        fail(breaker);
        let open = Standing::Open { until: clock.elapsed() + RECOVERY };
        clock.advance(if self == Self::Open { secs(7) } else { RECOVERY });
        match self {
            Self::Closed | Self::Counted | Self::Open | Self::Recovered => (open, None),
            Self::Reclosed => {
                breaker.try_acquire().expect("recovered").success();
                fail(breaker);
                (Standing::Closed { counted: 1 }, None)
            }
            Self::HalfOpen => {
                drop(breaker.try_acquire().expect("recovered"));
                (Standing::Free, None)
            }
            Self::Probed | Self::Kept => {
                let probe = breaker.try_acquire().expect("recovered");
                let taken = Standing::Taken { until: clock.elapsed() + RECOVERY };
                if self == Self::Kept {
                    clock.advance(RECOVERY);
                }
                (taken, Some(probe))
            }
        }
    }
}

/// How a call ends, as far as a breaker cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Succeeds,
    /// In a class that trips.
    Fails,
    /// In a class that does not.
    Answers,
    /// Without a result: dropped, panicked or aborted.
    Gone,
}

/// The expected state of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Closed {
        counted: u32,
    },
    Open {
        until: Duration,
    },
    /// Half-open, and the next call is the probe.
    Free,
    /// Half-open, with a probe in flight that can be superseded from this instant on.
    Taken {
        until: Duration,
    },
}

impl Standing {
    /// The state after a call is admitted; `None` if the call is rejected.
    pub(crate) fn admits(self, now: Duration) -> Option<Self> {
        let taken = Self::Taken { until: now + RECOVERY };
        match self {
            Self::Closed { .. } => Some(self),
            Self::Open { until } | Self::Taken { until } if now >= until => Some(taken),
            Self::Free => Some(taken),
            Self::Open { .. } | Self::Taken { .. } => None,
        }
    }

    /// The state after the end of a call that was admitted in this state and not overtaken since.
    pub(crate) fn ends(self, end: End, now: Duration) -> Self {
        let open = Self::Open { until: now + RECOVERY };
        match (self, end) {
            (Self::Closed { counted }, End::Fails) if counted + 1 == THRESHOLD => open,
            (Self::Closed { counted }, End::Fails) => Self::Closed { counted: counted + 1 },
            (Self::Taken { .. }, End::Fails) => open,
            (Self::Taken { .. }, End::Succeeds | End::Answers) => Self::Closed { counted: 0 },
            (Self::Taken { .. }, End::Gone) => Self::Free,
            (Self::Closed { .. } | Self::Open { .. } | Self::Free, _) => self,
        }
    }

    fn state(self) -> CircuitState {
        match self {
            Self::Closed { .. } => CircuitState::Closed,
            Self::Open { .. } => CircuitState::Open,
            Self::Free | Self::Taken { .. } => CircuitState::HalfOpen,
        }
    }
}

/// A breaker with these settings that uses the caller's time.
pub(crate) fn breaker(clock: &VirtualClock) -> CircuitBreaker {
    let breaker = CircuitBreaker::builder().failure_threshold(THRESHOLD).window(secs(3_600)).recovery_timeout(RECOVERY);
    breaker.clock(clock.clone()).build().expect("valid")
}

/// Reports one failure that counts.
#[track_caller]
pub(crate) fn fail(breaker: &CircuitBreaker) {
    breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
}

/// Checks that the breaker is where it should be, and goes on from there until a call has closed
/// it: it counts, rejects, recovers, admits one probe at a time, lets a probe be superseded when
/// its lease is over, and is never stuck. `call` makes a call that would succeed; `other` is the
/// probe in flight, if there should be one.
#[track_caller]
pub(crate) fn check_onwards(
    expected: Standing,
    breaker: &CircuitBreaker,
    clock: &VirtualClock,
    other: Option<Permit<'_>>,
    call: &dyn Fn() -> Option<StopReason>,
) {
    assert_eq!(breaker.state(), expected.state());
    match expected {
        Standing::Closed { counted } => {
            assert_eq!(call(), None, "closed, it admits");
            for count in counted + 1..=THRESHOLD {
                assert_eq!(breaker.state(), CircuitState::Closed, "{count} of {THRESHOLD}");
                fail(breaker);
            }
            check_onwards(Standing::Open { until: clock.elapsed() + RECOVERY }, breaker, clock, other, call);
        }
        Standing::Open { until } => {
            let left = until.saturating_sub(clock.elapsed());
            if let Some(almost) = left.checked_sub(TICK) {
                let rejected = breaker.try_acquire().expect_err("open");
                assert_eq!(rejected, CircuitOpenError::new(CircuitState::Open, Some(left)));
                clock.advance(almost);
                assert_eq!(call(), Some(StopReason::CircuitOpen), "a tick early");
                clock.advance(TICK);
            }
            let probe = breaker.try_acquire().expect("recovered");
            assert_eq!(probe.transition(), Some(Transition::HalfOpened));
            drop(probe);
            check_onwards(Standing::Free, breaker, clock, other, call);
        }
        Standing::Free => {
            let probe = breaker.try_acquire().expect("the place is free");
            assert_eq!(probe.transition(), None, "half-open already");
            check_taken(breaker, RECOVERY, call);
            drop(probe);
            assert_eq!(call(), None, "the place is free, and the call is the probe");
            check_closed_afresh(breaker);
        }
        Standing::Taken { until } if clock.elapsed() >= until => {
            let probe = breaker.try_acquire().expect("the lease of the probe before is over");
            assert_eq!(probe.transition(), None, "half-open all along");
            let ignored = other.expect("a probe has the place").failure(ErrorClass::Transient);
            assert_eq!(ignored, None, "it is superseded");
            check_taken(breaker, RECOVERY, call);
            assert_eq!(probe.success(), Some(Transition::Closed));
            check_closed_afresh(breaker);
        }
        Standing::Taken { until } => {
            check_taken(breaker, until - clock.elapsed(), call);
            let closed = other.expect("a probe has the place").success();
            assert_eq!(closed, Some(Transition::Closed), "no other call settled the probe");
            assert_eq!(call(), None);
            check_closed_afresh(breaker);
        }
    }
}

#[track_caller]
fn check_taken(breaker: &CircuitBreaker, left: Duration, call: &dyn Fn() -> Option<StopReason>) {
    let rejected = breaker.try_acquire().expect_err("one probe at a time");
    assert_eq!(rejected, CircuitOpenError::new(CircuitState::HalfOpen, Some(left)));
    assert_eq!(call(), Some(StopReason::CircuitOpen), "one probe at a time");
}

#[track_caller]
fn check_closed_afresh(breaker: &CircuitBreaker) {
    for _ in 0..THRESHOLD {
        assert_eq!(breaker.state(), CircuitState::Closed);
        fail(breaker);
    }
    assert_eq!(breaker.state(), CircuitState::Open);
}
