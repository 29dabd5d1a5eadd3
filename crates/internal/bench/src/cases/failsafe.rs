//! The cases of failsafe: a breaker behind a lock.

use std::hint::black_box;
use std::time::Duration;

use failsafe::{CircuitBreaker as _, Config, Error, StateMachine, backoff, failure_policy};

use crate::case::{Batch, Case, Kind, Who, repeat, repeat_while};
use crate::operation::{fail, succeed};

pub(super) const CASES: &[Case] =
    &[case("breaker", success), case("ratio", ratio), case("rejected", rejected), case("failure-recorded", failure)];

const DAY: Duration = Duration::from_secs(86_400);

const fn case(row: &'static str, prepare: fn() -> Batch) -> Case {
    Case::new(row, Who::Peer, Kind::Blocking, "failsafe", prepare)
}

fn success() -> Batch {
    let policy = failure_policy::consecutive_failures(100, backoff::constant(DAY));
    let breaker = Config::new().failure_policy(policy).build();
    repeat(move || black_box(&breaker).call(succeed))
}

fn ratio() -> Batch {
    let window = Duration::from_secs(30);
    let policy = failure_policy::success_rate_over_time_window(0.5, 20, window, backoff::constant(DAY));
    let breaker = Config::new().failure_policy(policy).build();
    repeat(move || black_box(&breaker).call(succeed))
}

fn rejected() -> Batch {
    let policy = failure_policy::consecutive_failures(1, backoff::constant(DAY));
    let breaker = Config::new().failure_policy(policy).build();
    let _ = breaker.call(fail);
    assert!(matches!(breaker.call(succeed), Err(Error::Rejected)));
    repeat(move || black_box(&breaker).call(succeed))
}

fn failure() -> Batch {
    // A success rate that is always met: the breaker records each failure and stays closed.
    let window = Duration::from_secs(60);
    let policy = failure_policy::success_rate_over_time_window(0.0, 5, window, backoff::constant(DAY));
    let breaker = Config::new().failure_policy(policy).build();
    repeat_while(breaker, |breaker| breaker.call(fail), StateMachine::is_call_permitted)
}
