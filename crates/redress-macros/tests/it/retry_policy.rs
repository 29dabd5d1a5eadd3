//! Which policy a function uses, and how long it lives.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redress::classify::own_classifier;
use redress::testing::{FakePolicy, Recorder, Script, VirtualClock};
use redress::{
    AsyncCaller, CallContext, CallError, Caller, CircuitBreaker, Classify, ErrorClass, EventName, Policy, Retry,
    StopReason, error_classifier, fixed, retry,
};

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

static RUNS: AtomicU32 = AtomicU32::new(0);

#[retry(max_attempts = 1, circuit_breaker = CircuitBreaker::builder().failure_threshold(3))]
fn guarded() -> Result<(), CallError<io::Error>> {
    RUNS.fetch_add(1, Ordering::Relaxed);
    Err(refused())
}

#[test]
fn the_breaker_of_a_function_lasts_over_its_calls() {
    for _ in 0..3 {
        assert_eq!(guarded().unwrap_err().stop_reason(), StopReason::MaxAttempts);
    }
    assert_eq!(guarded().unwrap_err().stop_reason(), StopReason::CircuitOpen);
    assert_eq!(RUNS.load(Ordering::Relaxed), 3);
}

#[retry(max_attempts = 1, circuit_breaker = CircuitBreaker::builder().failure_threshold(2))]
fn generic<T: Default>(fails: bool) -> Result<T, CallError<io::Error>> {
    if fails { Err(refused()) } else { Ok(T::default()) }
}

#[test]
fn a_generic_function_has_one_policy() {
    assert!(generic::<u8>(false).is_ok());
    assert!(generic::<u8>(true).is_err() && generic::<u16>(true).is_err());
    assert_eq!(generic::<String>(false).unwrap_err().stop_reason(), StopReason::CircuitOpen);
}

static BUILT: AtomicU32 = AtomicU32::new(0);

fn attempts() -> u32 {
    BUILT.fetch_add(1, Ordering::Relaxed);
    2
}

#[retry(max_attempts = attempts())]
fn built_once() -> Result<(), CallError<io::Error>> {
    Ok(())
}

#[test]
fn settings_are_evaluated_at_the_first_call() {
    assert_eq!(BUILT.load(Ordering::Relaxed), 0);
    assert!(built_once().is_ok() && built_once().is_ok());
    assert_eq!(BUILT.load(Ordering::Relaxed), 1);
}

#[retry(max_attempts = 0)]
fn invalid() -> Result<(), CallError<io::Error>> {
    Ok(())
}

#[test]
#[should_panic(expected = "`#[retry]` of `invalid`: ")]
fn an_invalid_setting_panics_at_the_first_call() {
    let _ = invalid();
}

struct Client<P> {
    policy: P,
}

impl Client<Policy> {
    #[retry(policy = self.policy)]
    fn get(&self, script: &mut dyn FnMut() -> io::Result<u8>) -> Result<u8, CallError<io::Error>> {
        script()
    }

    #[retry(policy = self.policy().context().deadline(left))]
    fn get_within(&self, left: Duration) -> Result<u8, CallError<io::Error>> {
        Ok(7)
    }

    fn policy(&self) -> &Policy {
        &self.policy
    }
}

#[test]
fn a_policy_in_a_field_is_observed_and_shared() {
    let (clock, recorder) = (VirtualClock::new(), Recorder::new());
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(fixed(Duration::from_secs(3600))))
        .no_deadline()
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .observer(recorder.clone())
        .build()
        .unwrap();
    let client = Client { policy };
    let script = Script::new().err(refused()).ok(7);
    assert_eq!(client.get(&mut script.run()).unwrap(), 7);
    assert_eq!(recorder.event_names(), [EventName::Retry, EventName::Success]);
    let late = client.get_within(Duration::ZERO).unwrap_err();
    assert_eq!((late.stop_reason(), late.attempts()), (StopReason::DeadlineExceeded, 0));
    assert_eq!(client.get_within(Duration::from_secs(1)).unwrap(), 7);
}

impl<P: Caller<u8, io::Error>> Client<P> {
    #[retry(policy = CallContext::of(&self.policy))]
    fn count(&self) -> Result<u8, CallError<io::Error>> {
        Err(refused())
    }
}

impl<P: AsyncCaller<u8, io::Error>> Client<P> {
    #[retry(policy = CallContext::of(&self.policy))]
    async fn count_later(&self) -> Result<u8, CallError<io::Error>> {
        Err(refused())
    }
}

#[test]
fn a_fake_can_stand_in_for_the_policy() {
    let client = Client { policy: FakePolicy::new().always_value(7) };
    assert_eq!(client.count().unwrap(), 7);
    assert_eq!(VirtualClock::new().block_on(client.count_later()).unwrap(), 7);
    let operations = client.policy.calls().into_iter().map(|call| call.operation);
    assert_eq!(operations.collect::<Vec<Option<String>>>(), [Some("count".into()), Some("count_later".into())]);
}

#[derive(Debug, Classify)]
enum StoreError {
    #[classify(Concurrency)]
    Busy,
    #[classify(Permanent)]
    Gone,
}

#[retry(classifier = own_classifier(), strategy = fixed(Duration::ZERO), max_attempts = 2)]
fn own(gone: bool) -> Result<(), CallError<StoreError>> {
    Err(if gone { StoreError::Gone } else { StoreError::Busy })
}

#[retry(policy = policy, classifier = error_classifier(move |_: &StoreError| class))]
fn given(policy: &Policy, class: ErrorClass) -> Result<(), CallError<StoreError>> {
    Err(StoreError::Busy)
}

#[retry(
    runtime = tokio, strategy = fixed(Duration::ZERO), max_attempts = 2,
    classifier = error_classifier(|_: &StoreError| ErrorClass::ServerError),
)]
async fn own_later() -> Result<(), CallError<StoreError>> {
    Err(StoreError::Busy)
}

#[tokio::test]
async fn a_classifier_replaces_that_of_the_policy() {
    let class = |result: Result<(), CallError<StoreError>>| {
        let failed = result.unwrap_err();
        (failed.last_class().unwrap(), failed.attempts())
    };
    assert_eq!(class(own(false)), (ErrorClass::Concurrency, 2));
    assert_eq!(class(own(true)), (ErrorClass::Permanent, 1));
    assert_eq!(class(own_later().await), (ErrorClass::ServerError, 2));
    assert_eq!(class(given(&Policy::default(), ErrorClass::Auth)), (ErrorClass::Auth, 1));
}
