//! Defects of backoff, deadlines, clocks and budgets: waits that are too long, missing, or not
//! asked for.

use std::future::{Future, Ready, poll_fn, ready};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use redress_core::driver::{Clock, NoTimer, Timer};
use redress_core::strategy::{BackoffContext, Strategy, adaptive, equal_jitter};
use redress_core::{AsyncPolicy, Budget, CircuitBreaker, ErrorClass, Policy, Retry, StopReason, fixed, retry_after_or};
use redress_testing::VirtualClock;

use crate::lab::{
    Attempted, ByClass, Failed, GOOD, failing, fails, millis, ok_after, script, secs, stopped, wherever_time_is_virtual,
};

/// redress-py: `Retry-After: 60` with a deadline of 0.5 s sleeps the full 0.5 s and then stops,
/// after one attempt.
///
/// Attacks R2.
#[test]
fn a_hint_longer_than_the_deadline_is_not_slept() {
    wherever_time_is_virtual(|lab| {
        let retry = Retry::builder().strategy(retry_after_or(fixed(millis(1))));
        let policy = lab.policy().retry(retry).deadline(millis(500)).build();
        let asked_for_a_minute = script([Err(Failed::Hinted(ErrorClass::RateLimit, secs(60)))]);
        assert_eq!(policy.run(&asked_for_a_minute), stopped(StopReason::DeadlineExceeded, 1));
        assert_eq!((lab.clock.elapsed(), lab.clock.slept()), (Duration::ZERO, vec![]));
    });
}

/// redress-py: a strategy that returns infinity is coerced to zero, three attempts in 0.3 ms. kube
/// 1488: an instant and a long delay overflow.
///
/// Attacks R2.
#[test]
fn an_endless_delay_is_not_no_delay() {
    wherever_time_is_virtual(|lab| {
        let endless = || Retry::builder().strategy(|_: &BackoffContext<'_>| Duration::MAX).max_attempts(3);
        let policy = lab.retrying(endless());
        assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::DeadlineExceeded, 1));
        assert_eq!(lab.clock.elapsed(), Duration::ZERO);

        let policy = lab.policy().retry(endless()).no_deadline().build();
        assert_eq!(policy.run(&script([fails(ErrorClass::Transient), GOOD])), ok_after(2));
        assert!(lab.clock.elapsed() >= Duration::from_nanos(u64::MAX - 1), "{:?}", lab.clock.elapsed());
    });
}

/// redress-py: `equal_jitter` overflows near attempt 1024. App-Store-Connect-CLI 2165: the overflow
/// became a delay of zero. The strategies alone are in `strategies.rs`, up to attempt 2^32.
///
/// Attacks R1.
#[test]
fn a_call_of_more_than_1024_attempts_goes_on_waiting() {
    wherever_time_is_virtual(|lab| {
        let policy =
            lab.policy().retry(Retry::builder().strategy(equal_jitter()).max_attempts(1_100)).no_deadline().build();
        assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 1_100));
        let slept = lab.clock.slept();
        assert_eq!(slept.len(), 1_099);
        for (index, delay) in slept.iter().enumerate().skip(7) {
            assert!((secs(15)..=secs(30)).contains(delay), "after attempt {}: {delay:?}", index + 1);
        }
    });
}

/// ihrwein/backoff 42: a cap on time that was never configured.
#[test]
fn a_call_without_a_deadline_has_no_hidden_one() {
    wherever_time_is_virtual(|lab| {
        let retry = Retry::builder().strategy(fixed(secs(3_600))).max_attempts(1_000);
        let policy = lab.policy().retry(retry).no_deadline().build();
        assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 1_000));
        assert_eq!(lab.clock.elapsed(), secs(3_600) * 999);
    });
}

/// A clock, or timer, each reading of which is a second before the last.
#[derive(Clone)]
struct Backwards(Arc<Mutex<Instant>>);

impl Backwards {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now() + secs(1_000_000))))
    }

    fn step(&self) -> Instant {
        let mut now = self.0.lock().expect("no panic");
        *now -= secs(1);
        *now
    }
}

impl Clock for Backwards {
    fn now(&self) -> Instant {
        self.step()
    }
}

impl Timer for Backwards {
    type Sleep = Ready<()>;

    fn sleep(&self, _: Duration) -> Self::Sleep {
        ready(())
    }

    fn now(&self) -> Instant {
        self.step()
    }
}

/// tower 633 and tikv 10544 panic when time goes back; smithy's adaptive limiter computes its
/// refill from wall time with no floor at zero, and a call's elapsed time turns negative.
///
/// Attacks B1.
#[test]
fn a_clock_that_goes_back_neither_panics_nor_grants_more() {
    let clock = Backwards::new();
    let own = Budget::with_clock(3, secs(60), clock.clone()).expect("valid");
    assert_eq!((0..100).filter(|_| own.consume()).count(), 3);
    assert_eq!(own.remaining(), 0);

    let budget = || Budget::new(2, secs(60)).expect("valid");
    let retry = |budget: &Budget| {
        let strategy = adaptive(retry_after_or(fixed(Duration::ZERO)));
        Retry::builder().strategy(strategy).max_attempts(9).budget(budget.clone())
    };
    let breaker = || CircuitBreaker::builder().failure_threshold(2).recovery_timeout(secs(30));
    let steps = failing(ErrorClass::Transient);

    let shared = budget();
    let policy = Policy::builder().clock(clock.clone()).classifier(ByClass);
    let policy = policy.retry(retry(&shared)).circuit_breaker(breaker()).build().expect("valid");
    let outcomes = [policy.execute(steps.run()), policy.execute(steps.run()), policy.execute(steps.run())];
    check_backwards(&outcomes);

    let shared = budget();
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(clock).classifier(ByClass);
    let policy = policy.retry(retry(&shared)).circuit_breaker(breaker()).build().expect("valid");
    let run = || VirtualClock::new().block_on(policy.execute(steps.run_async()));
    check_backwards(&[run(), run(), run()]);
}

#[track_caller]
fn check_backwards<T, E>(outcomes: &[redress_core::RetryOutcome<T, E>]) {
    let ends: Vec<_> = outcomes.iter().map(|outcome| (outcome.stop_reason(), outcome.attempts())).collect();
    let exhausted = Some(StopReason::BudgetExhausted);
    assert_eq!(ends, [(exhausted, 3), (exhausted, 1), (Some(StopReason::CircuitOpen), 0)]);
    assert!(outcomes.iter().all(|outcome| outcome.elapsed() == Duration::ZERO), "time that goes back stands still");
    let rejection = outcomes.last().and_then(redress_core::RetryOutcome::rejection).expect("rejected");
    assert_eq!(rejection.retry_in(), Some(secs(30)), "and so does the recovery");
}

type Seen = Arc<Mutex<Vec<(ErrorClass, u32, Option<Duration>)>>>;

/// Records its calls, and waits one second per attempt so far, five for rate limits.
fn noting(seen: &Seen) -> impl Strategy + 'static {
    let seen = Arc::clone(seen);
    move |context: &BackoffContext<'_>| {
        seen.lock().expect("no panic").push((context.class(), context.attempt, context.prev_delay));
        let factor = if context.class() == ErrorClass::RateLimit { 5 } else { 1 };
        secs(factor) * context.attempt
    }
}

fn told(seen: &Seen, class: ErrorClass) -> Vec<(u32, Option<Duration>)> {
    let seen = seen.lock().expect("no panic");
    seen.iter().filter(|told| told.0 == class).map(|told| (told.1, told.2)).collect()
}

/// smithy keeps one permit slot on a strategy object that a client's calls share, so that
/// concurrent retries replace and forget each other's permits.
///
/// Attacks B1.
#[test]
fn two_calls_sharing_a_strategy_and_a_budget_keep_their_own_places() {
    let (clock, seen) = (VirtualClock::new(), Seen::default());
    let budget = Budget::with_clock(9, secs(3_600), clock.clone()).expect("valid");
    let retry = Retry::builder().strategy(noting(&seen)).max_attempts(4).budget(budget.clone());
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass).retry(retry);
    let policy = policy.build().expect("valid");

    let (slow, fast) = (failing(ErrorClass::RateLimit), failing(ErrorClass::Transient));
    let mut one = pin!(policy.execute(slow.run_async()));
    let mut two = pin!(policy.execute(fast.run_async()));
    let (mut of_one, mut of_two) = (None, None);
    clock.block_on(poll_fn(|cx| {
        if of_one.is_none() {
            of_one = ready_or_none(one.as_mut().poll(cx));
        }
        if of_two.is_none() {
            of_two = ready_or_none(two.as_mut().poll(cx));
        }
        if of_one.is_some() && of_two.is_some() { Poll::Ready(()) } else { Poll::Pending }
    }));

    assert_eq!(of_one.map(|outcome| (outcome.attempts(), outcome.elapsed())), Some((4, secs(5 + 10 + 15))));
    assert_eq!(of_two.map(|outcome| (outcome.attempts(), outcome.elapsed())), Some((4, secs(1 + 2 + 3))));
    assert_eq!(told(&seen, ErrorClass::RateLimit), [(1, None), (2, Some(secs(5))), (3, Some(secs(10)))]);
    assert_eq!(told(&seen, ErrorClass::Transient), [(1, None), (2, Some(secs(1))), (3, Some(secs(2)))]);
    assert_eq!(budget.remaining(), 9 - 3 - 3, "each retry takes one token");
}

fn ready_or_none<T>(polled: Poll<T>) -> Option<T> {
    match polled {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// The same on every driver: each attempt of the one call makes a whole other call.
///
/// Attacks R1, B1.
#[test]
fn a_call_within_a_call_keeps_its_own_place() {
    wherever_time_is_virtual(|lab| {
        let seen = Seen::default();
        let budget = Budget::with_clock(9, secs(3_600), lab.clock.clone()).expect("valid");
        let retry = Retry::builder().strategy(noting(&seen)).max_attempts(3).budget(budget.clone());
        let policy = lab.policy().retry(retry).no_deadline().build();
        let reason = policy.run_with(|_| -> Attempted {
            let inner = policy.run(&failing(ErrorClass::RateLimit));
            assert_eq!(inner, stopped(StopReason::MaxAttempts, 3));
            fails(ErrorClass::Transient)
        });
        assert_eq!(reason, Some(StopReason::MaxAttempts));
        assert_eq!(told(&seen, ErrorClass::Transient), [(1, None), (2, Some(secs(1)))]);
        assert_eq!(told(&seen, ErrorClass::RateLimit), [(1, None), (2, Some(secs(5)))].repeat(3));
        assert_eq!(budget.remaining(), 9 - 2 - 3 * 2);
    });
}
