//! The cases of seatbelt: a breaker by the share of failures in a window of time, and a timeout.

use std::hint::black_box;

use layered::{Execute, Service, Stack};
use seatbelt::breaker::{Breaker, BreakerLayer, RecoveryArgs};
use seatbelt::timeout::Timeout;
use seatbelt::{RecoveryInfo, ResilienceContext};
use tick::Clock;

use super::DEADLINE;
use crate::case::{Batch, Case, Kind, Who, repeat};
use crate::operation::{OperationError, OperationResult, finish, poll_once, succeed};

pub(super) const CASES: &[Case] = &[case("breaker", "seatbelt", success), case("ratio", "seatbelt, timeout", timed)];

const fn case(row: &'static str, name: &'static str, prepare: fn() -> Batch) -> Case {
    Case::new(row, Who::Peer, Kind::Async, name, prepare)
}

fn context() -> ResilienceContext<(), OperationResult> {
    ResilienceContext::new(Clock::new_tokio())
}

fn breaker() -> BreakerLayer<(), OperationResult> {
    let breaker = Breaker::layer("breaker", &context()).recovery_with(recovery);
    breaker.rejected_input_error(|(), _| OperationError::Refused)
}

fn success() -> Batch {
    calls((breaker(), Execute::new(async |()| succeed())).into_service())
}

fn timed() -> Batch {
    let timeout = Timeout::layer("timeout", &context());
    let timeout = timeout.timeout_error(|_| OperationError::TimedOut).timeout(DEADLINE);
    calls((timeout, breaker(), Execute::new(async |()| succeed())).into_service())
}

fn recovery(result: &OperationResult, _: RecoveryArgs<'_>) -> RecoveryInfo {
    if result.is_ok() { RecoveryInfo::never() } else { RecoveryInfo::retry() }
}

fn calls(service: impl Service<(), Out = OperationResult> + 'static) -> Batch {
    assert_eq!(finish(service.execute(())), succeed());
    repeat(move || poll_once(black_box(&service).execute(())))
}
