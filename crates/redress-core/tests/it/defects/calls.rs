//! Defects of what surrounds a call: hooks that change it, limits that mean something else, and
//! ends that do not say why.

use std::error::Error;
use std::fmt;

use redress_core::driver::NoTimer;
use redress_core::policy::RetryBuilder;
use redress_core::{AsyncPolicy, Classification, Classifier, ErrorClass, EventName, Policy, Retry, fixed};
use redress_testing::{Recorder, VirtualClock};

use crate::lab::{Answer, Attempted, ByClass, Counter, Failed, GOOD, failing, fails, on_every_driver, script, secs};

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(secs(0))).max_attempts(3)
}

/// Counts the results it classifies.
struct Counting(Counter);

impl Classifier<Answer, Failed> for Counting {
    fn classify(&self, result: &Attempted) -> Option<Classification> {
        self.0.note();
        ByClass.classify(result)
    }
}

/// Stands for redress-py's R11, double classification: of two readings of one failure the second
/// may be another.
#[test]
fn an_attempt_is_classified_once() {
    let (clock, asked) = (VirtualClock::new(), Counter::default());
    let steps = || script([fails(ErrorClass::Transient), Ok(Answer::Bad(ErrorClass::ServerError)), GOOD]);
    let all = |counted: u32| assert_eq!(asked.get(), counted, "once for each attempt");
    let breaker = redress_core::CircuitBreaker::builder;

    let policy = Policy::builder().retry(retry()).circuit_breaker(breaker()).observer(Recorder::new());
    let policy = policy.classifier(Counting(asked.clone())).build().expect("valid");
    assert!(policy.call(steps().run()).is_ok());
    all(3);
    assert!(policy.context().capture_timeline().execute(steps().run()).is_ok());
    all(6);
    assert!(policy.call(failing(ErrorClass::Transient).run()).is_err());
    all(9);

    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).retry(retry()).circuit_breaker(breaker());
    let policy = policy.observer(Recorder::new()).classifier(Counting(asked.clone())).build().expect("valid");
    assert!(clock.block_on(policy.call(steps().run_async())).is_ok());
    all(12);
    assert!(clock.block_on(policy.context().capture_timeline().execute(steps().run_async())).is_ok());
    all(15);
    assert!(clock.block_on(policy.call(failing(ErrorClass::Transient).run_async())).is_err());
    all(18);
}

const SECRET: &str = "user 4711 of tenant 42";

/// An error whose text is different every time.
#[derive(Debug)]
struct Chatty;

impl fmt::Display for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SECRET)
    }
}

impl Error for Chatty {}

/// tidb 68351: the text of an error became a label of a metric. Stands for redress-py's R6 and R7,
/// telemetry.
#[test]
fn events_carry_no_text_of_the_error() {
    let recorder = Recorder::new();
    let policy = Policy::builder().retry(retry().max_unknown_retries(1)).observer(recorder.clone());
    let policy = policy.build().expect("valid");
    let outcome = policy.operation("lookup").capture_timeline().execute(|| Err::<(), _>(Chatty));
    assert_eq!(recorder.event_names(), [EventName::Retry, EventName::MaxUnknownAttemptsExceeded]);
    let told = format!("{:?}{:?}{:?}", recorder.events(), recorder.attempts(), outcome.timeline());
    assert!(!told.contains(SECRET), "{told}");
    assert!(recorder.events().iter().all(|event| event.error_type.is_some_and(|name| name.ends_with("Chatty"))));
}

/// Stands for redress-py's R6 and R7, telemetry: hooks and events do not depend on which way a call
/// is made.
///
/// Attacks R3.
#[test]
fn call_and_execute_tell_the_same() {
    on_every_driver(|lab| {
        let calls = [
            || script([GOOD]),
            || script([fails(ErrorClass::Transient), GOOD]),
            || script([fails(ErrorClass::Auth)]),
            || script([fails(ErrorClass::Transient), Err(Failed::Abort)]),
            || {
                script([
                    Ok(Answer::Bad(ErrorClass::Transient)),
                    fails(ErrorClass::Unknown),
                    fails(ErrorClass::RateLimit),
                ])
            },
        ];
        for steps in calls {
            let recorder = Recorder::new();
            let policy = lab.policy().retry(retry()).observer(recorder.clone()).build();
            let _ = policy.call(&steps());
            let of_call = (recorder.events(), recorder.attempts());
            recorder.clear();
            let _ = policy.execute(&steps());
            assert_eq!((recorder.events(), recorder.attempts()), of_call);
            assert_eq!(of_call.0.iter().filter(|event| event.name.is_terminal()).count(), 1);
        }
    });
}
