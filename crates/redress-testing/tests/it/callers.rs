//! Code under test with real, recording and fake policies.

use std::future::{Future, ready};
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use redress_core::driver::NoTimer;
use redress_core::error::Failure;
use redress_core::policy::{CallDeadline, RetryNotice};
use redress_core::{
    AbortHandle, AsyncCaller, AsyncPolicy, Attempt, CallContext, CallError, Caller, Cause, ErrorClass, Policy, Retry,
    RetryOutcome, SleepDecision, StopReason, fixed,
};
use redress_testing::{FakePolicy, Recorder, RecordingPolicy, Script, VirtualClock, assert_outcome};

use crate::{reset, secs};

/// Code under test that accepts any caller.
struct Users<P> {
    policy: P,
}

impl<P: Caller<u32, io::Error>> Users<P> {
    fn fetch(&self, run: impl FnMut() -> io::Result<u32>) -> Result<u32, CallError<io::Error>> {
        self.policy.operation("fetch_user").call(run)
    }
}

/// The asynchronous equivalent; its futures can be spawned.
struct AsyncUsers<P> {
    policy: P,
}

impl<P: AsyncCaller<u32, io::Error>> AsyncUsers<P> {
    fn fetch(&self, script: &Script<u32, io::Error>) -> impl Future<Output = RetryOutcome<u32, io::Error>> + Send {
        let run = script.run_async();
        async move { self.policy.operation("fetch_user").execute(run).await }
    }
}

fn policy(clock: &VirtualClock, recorder: &Recorder) -> Policy {
    Policy::builder()
        .retry(Retry::builder().strategy(fixed(secs(2))).max_attempts(3))
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .observer(recorder.clone())
        .build()
        .expect("a valid configuration")
}

#[test]
fn code_under_test_takes_a_real_policy() {
    let (clock, recorder) = (VirtualClock::new(), Recorder::new());
    let users = Users { policy: policy(&clock, &recorder) };
    assert_eq!(users.fetch(Script::new().err(reset()).ok(7).run()).ok(), Some(7));
    assert_eq!(recorder.events()[0].operation.as_deref(), Some("fetch_user"));
}

/// Makes a call in every way.
fn calls_of_every_kind(caller: &impl Caller<u32, io::Error>) {
    assert_eq!(caller.call(|| Ok(7)).ok(), Some(7));
    assert_eq!(caller.execute(|| Ok(7)).into_value(), Some(7));
    assert_eq!(caller.operation("a").call(|| Ok(7)).ok(), Some(7));
    assert_eq!(caller.operation("b").execute(|| Ok(7)).into_value(), Some(7));
    let numbered = |attempt: Attempt| Ok(attempt.number());
    assert_eq!(caller.call_with(numbered).ok(), Some(1));
    assert_eq!(caller.context().operation("c").execute_with(numbered).into_value(), Some(1));
}

#[test]
fn a_name_reaches_the_policy_through_every_caller() {
    let (clock, recorder) = (VirtualClock::new(), Recorder::new());
    let policy = policy(&clock, &recorder);
    calls_of_every_kind(&policy);
    calls_of_every_kind(&&policy);
    calls_of_every_kind(&(Box::new(policy.clone()) as Box<dyn Caller<u32, io::Error>>));
    calls_of_every_kind(&(Arc::new(policy.clone()) as Arc<dyn Caller<u32, io::Error>>));
    calls_of_every_kind(&RecordingPolicy::new(policy.clone()));
    calls_of_every_kind(&policy.operation("d"));

    let events = recorder.events();
    let names: Vec<_> = events.iter().map(|event| event.operation.as_deref()).collect();
    let mut expected = [None, None, Some("a"), Some("b"), None, Some("c")].repeat(5);
    expected.extend([Some("d"), Some("d"), Some("a"), Some("b"), Some("d"), Some("c")]);
    assert_eq!(names, expected);
}

/// Code under test that sets every option, for any caller.
fn read(
    policy: &impl Caller<u32, io::Error>,
    hooks: &Hooks,
    mut run: impl FnMut() -> io::Result<u32>,
) -> Option<StopReason> {
    let outcome = policy
        .operation("read")
        .deadline(secs(9))
        .abort_if(|| hooks.abort_if.load(Ordering::Relaxed))
        .abort_on(&hooks.abort_on)
        .on_metric(|event| hooks.notes.lock().expect("whole").push(event.name.to_string()))
        .before_sleep(|_, _| hooks.notes.lock().expect("whole").push("before_sleep".into()))
        .on_retry(|retry: &RetryNotice<'_, io::Error>| {
            assert!(retry.error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset));
            hooks.notes.lock().expect("whole").push(format!("{retry}"));
        })
        .capture_timeline()
        .execute_with(|attempt| {
            assert!(attempt.time_left().is_some_and(|left| left <= secs(9)));
            run()
        });
    outcome.stop_reason()
}

#[derive(Default)]
struct Hooks {
    abort_if: AtomicBool,
    abort_on: AbortHandle,
    notes: Mutex<Vec<String>>,
}

#[test]
fn everything_that_a_context_sets_reaches_the_policy_through_every_caller() {
    fn check(caller: &impl Caller<u32, io::Error>) {
        let hooks = Hooks::default();
        assert_eq!(read(caller, &hooks, Script::new().err(reset()).ok(7).run()), None);
        let notes = hooks.notes.lock().expect("whole").join(", ");
        assert_eq!(notes, "retry, before_sleep, connection reset; again in 2 s, success");
        assert_eq!(read(caller, &hooks, || Err(reset())), Some(StopReason::MaxAttempts));
        hooks.abort_if.store(true, Ordering::Relaxed);
        assert_eq!(read(caller, &hooks, || Ok(7)), Some(StopReason::Aborted));
        hooks.abort_if.store(false, Ordering::Relaxed);
        assert_eq!(read(caller, &hooks, || Ok(7)), None);
        hooks.abort_on.abort();
        assert_eq!(read(caller, &hooks, || Ok(7)), Some(StopReason::Aborted));
    }
    let (clock, recorder) = (VirtualClock::new(), Recorder::new());
    let policy = policy(&clock, &recorder);
    check(&policy);
    check(&&policy);
    check(&(Box::new(policy.clone()) as Box<dyn Caller<u32, io::Error>>));
    check(&(Arc::new(policy.clone()) as Arc<dyn Caller<u32, io::Error>>));
    check(&policy.operation("around").deadline(secs(3_600)));
    let recording = RecordingPolicy::new(policy);
    check(&recording);
    let [first, ..] = &recording.executions()[..] else { panic!("it was called") };
    assert_eq!((first.operation.as_deref(), first.deadline), (Some("read"), Some(CallDeadline::After(secs(9)))));

    let fake = FakePolicy::new();
    assert_eq!(read(&fake, &Hooks::default(), || Ok(7)), None);
    let [record] = &fake.executions()[..] else { panic!("one call") };
    assert_eq!((record.operation.as_deref(), record.deadline), (Some("read"), Some(CallDeadline::After(secs(9)))));
}

#[test]
fn what_is_set_within_a_context_comes_before_what_it_sets_and_both_observe_abort_and_limit() {
    let (clock, recorder) = (VirtualClock::new(), Recorder::new());
    let policy = policy(&clock, &recorder);
    let notes = Mutex::new(Vec::new());
    let note = |text: &'static str| notes.lock().expect("whole").push(text);
    let (abort_if, aborts) = (AtomicBool::new(false), [AbortHandle::new(), AbortHandle::new()]);
    let outer = policy
        .operation("outer")
        .deadline(secs(3))
        .abort_if(|| abort_if.load(Ordering::Relaxed))
        .abort_on(&aborts[0])
        .on_metric(|_| note("outer metric"))
        .before_sleep(|_, _| note("outer sleep"))
        .on_attempt_start(|_| note("outer start"))
        .on_retry(|_: &RetryNotice<'_, io::Error>| note("outer retry"));
    fn within<'a, P>(outer: &'a P, abort: &AbortHandle) -> CallContext<'a, P> {
        CallContext::of(outer).abort_if(|| false).abort_on(abort)
    }
    let plain = within(&outer, &aborts[1]);
    assert_eq!(plain.execute(|| Ok::<_, io::Error>(1)).into_value(), Some(1));
    assert_eq!(mem::take(&mut *notes.lock().expect("whole")), ["outer start", "outer metric"]);

    let inner = within(&outer, &aborts[1]).operation("inner").deadline(secs(60));
    let inner = inner.on_metric(|_| note("inner metric")).before_sleep(|_, _| note("inner sleep"));
    let inner = inner.on_retry(|_: &RetryNotice<'_, io::Error>| note("inner retry"));
    let outcome = Caller::execute(&inner, || Err::<(), _>(reset()));
    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded), "the earlier deadline");
    let expected = ["outer start", "outer metric", "inner metric", "inner sleep", "outer retry", "inner retry"];
    assert_eq!(notes.lock().expect("whole")[..6], expected);
    assert!(recorder.events().iter().any(|event| event.operation.as_deref() == Some("inner")));

    abort_if.store(true, Ordering::Relaxed);
    assert_eq!(Caller::execute(&inner, || Ok::<_, io::Error>(1)).stop_reason(), Some(StopReason::Aborted));
    abort_if.store(false, Ordering::Relaxed);
    assert!(Caller::execute(&inner, || Ok::<_, io::Error>(1)).is_ok());
    aborts[0].abort();
    assert_eq!(Caller::execute(&inner, || Ok::<_, io::Error>(1)).stop_reason(), Some(StopReason::Aborted));
}

#[test]
fn code_under_test_takes_callers_of_any_type() {
    let (clock, recorder) = (VirtualClock::new(), Recorder::new());
    let boxed: Box<dyn Caller<u32, io::Error>> = Box::new(policy(&clock, &recorder));
    assert_eq!(boxed.execute(|| Ok(1)).into_value(), Some(1));
    let users = Users { policy: boxed };
    assert_eq!(users.fetch(|| Ok(1)).ok(), Some(1));
    let shared: Arc<dyn Caller<u32, io::Error>> = Arc::new(FakePolicy::new().always_value(2));
    let users = Users { policy: &shared };
    assert_eq!(users.fetch(|| Ok(1)).ok(), Some(2));
}

#[test]
fn a_recording_policy_keeps_calls() {
    let (clock, recorder) = (VirtualClock::new(), Recorder::new());
    let recording = RecordingPolicy::new(policy(&clock, &recorder));
    let users = Users { policy: recording.clone() };
    assert_eq!(users.fetch(Script::new().err(reset()).ok(7).run()).ok(), Some(7));
    assert!(users.fetch(Script::new().forever(|| Err(reset())).run()).is_err());
    assert!(recording.call(|| Ok::<_, io::Error>("another type")).is_ok());

    let [retried, failed, plain] = &recording.calls()[..] else { panic!("three calls") };
    assert_eq!(retried.operation.as_deref(), Some("fetch_user"));
    assert!(retried.is_ok());
    assert_eq!((retried.attempts, retried.elapsed), (2, secs(2)));
    assert!(!failed.is_ok());
    assert_eq!(failed.stop_reason, Some(StopReason::MaxAttempts));
    assert_eq!((failed.attempts, failed.elapsed, failed.last_class), (3, secs(4), Some(ErrorClass::Transient)));
    assert_eq!((plain.operation.as_deref(), plain.attempts), (None, 1));
    assert!(recording.executions().is_empty());
    recording.clear();
    assert!(recording.calls().is_empty());
}

#[test]
fn a_recording_policy_keeps_executions() {
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(fixed(secs(2))))
        .sleep_handler(|_, _| SleepDecision::Defer)
        .build()
        .expect("a valid configuration");
    let recording = RecordingPolicy::new(policy);
    let outcome = recording.operation("later").execute(|| Err::<(), _>(reset()));
    assert_outcome(&outcome).deferred_for(secs(2));
    let [record] = &recording.executions()[..] else { panic!("one execution") };
    assert_eq!((record.operation.as_deref(), record.next_delay), (Some("later"), Some(secs(2))));
    assert_eq!((record.stop_reason, record.cause), (Some(StopReason::Scheduled), Some(Cause::Error)));
    assert_eq!((record.attempts, record.is_ok()), (1, false));
    assert!(recording.calls().is_empty());
    assert!(recording.policy().warnings().is_empty());
}

#[test]
fn a_call_that_panics_leaves_no_record() {
    let recording = RecordingPolicy::new(Policy::builder().build().expect("a valid configuration"));
    let call = AssertUnwindSafe(|| recording.call(|| -> Result<(), io::Error> { panic!("on purpose") }));
    assert!(catch_unwind(call).is_err());
    assert!(recording.calls().is_empty());
}

#[test]
fn a_recording_policy_wraps_an_asynchronous_one() {
    let clock = VirtualClock::new();
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .retry(Retry::builder().strategy(fixed(secs(2))).max_attempts(3))
        .timer(clock.timer())
        .build()
        .expect("a valid configuration");
    let recording = RecordingPolicy::new(policy);
    let users = AsyncUsers { policy: recording.clone() };
    let outcome = clock.block_on(users.fetch(&Script::new().err(reset()).ok(7)));
    assert_outcome(&outcome).has_value(7).in_time(secs(2));
    let value = clock.block_on(recording.call(|| ready(Ok::<_, io::Error>(1))));
    assert_eq!(value.ok(), Some(1));

    assert_eq!(recording.executions()[0].operation.as_deref(), Some("fetch_user"));
    assert_eq!((recording.executions()[0].attempts, recording.executions()[0].elapsed), (2, secs(2)));
    assert_eq!((recording.calls()[0].operation.as_deref(), recording.calls()[0].attempts), (None, 1));
}

#[test]
fn asynchronous_callers_work_behind_pointers_and_bare() {
    let clock = VirtualClock::new();
    let recorder = Recorder::new();
    let builder = AsyncPolicy::<_, NoTimer>::builder().observer(recorder.clone());
    let policy = Arc::new(builder.timer(clock.timer()).build().expect("a valid configuration"));
    let users = AsyncUsers { policy: Arc::clone(&policy) };
    assert!(clock.block_on(users.fetch(&Script::new().ok(7))).is_ok());
    let users = AsyncUsers { policy: &*policy };
    assert!(clock.block_on(users.fetch(&Script::new().ok(7))).is_ok());
    assert!(clock.block_on(AsyncCaller::call(&*policy, || ready(Ok::<_, io::Error>(1)))).is_ok());
    let named = CallContext::of(&policy).operation("named");
    assert!(clock.block_on(named.call(|| ready(Ok::<_, io::Error>(1)))).is_ok());
    let names: Vec<_> = recorder.events().into_iter().map(|event| event.operation).collect();
    let [fetch, named] = ["fetch_user", "named"].map(|name| Some(name.into()));
    assert_eq!(names, [fetch.clone(), fetch, None, named]);
}

#[test]
fn everything_that_a_context_sets_reaches_an_asynchronous_policy() {
    /// The future can be spawned.
    fn read(
        policy: &impl AsyncCaller<u32, io::Error>,
        hooks: &Hooks,
        script: &Script<u32, io::Error>,
    ) -> impl Future<Output = Option<StopReason>> + Send {
        let run = script.run_async();
        async move {
            let context = policy.operation("read").deadline(secs(9)).abort_on(&hooks.abort_on).on_retry(
                |retry: &RetryNotice<'_, io::Error>| hooks.notes.lock().expect("whole").push(retry.to_string()),
            );
            let outcome = context.execute_with(|attempt| {
                assert!(attempt.time_left().is_some_and(|left| left <= secs(9)));
                run()
            });
            outcome.await.stop_reason()
        }
    }
    let (clock, recorder) = (VirtualClock::new(), Recorder::new());
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .retry(Retry::builder().strategy(fixed(secs(2))).max_attempts(3))
        .timer(clock.timer())
        .observer(recorder.clone())
        .build()
        .expect("a valid configuration");
    let (recording, fake) = (RecordingPolicy::new(policy.clone()), FakePolicy::new());
    let hooks = Hooks::default();
    let script = || Script::new().err(reset()).ok(7);
    assert_eq!(clock.block_on(read(&policy, &hooks, &script())), None);
    assert_eq!(clock.block_on(read(&Arc::new(policy.clone()), &hooks, &script())), None);
    assert_eq!(clock.block_on(read(&recording, &hooks, &script())), None);
    assert_eq!(clock.block_on(read(&policy.operation("around"), &hooks, &script())), None);
    assert_eq!(*hooks.notes.lock().expect("whole"), ["connection reset; again in 2 s"; 4]);
    assert_eq!(clock.block_on(read(&fake, &hooks, &Script::new().ok(7))), None);
    let names: Vec<_> = recorder.events().into_iter().filter_map(|event| event.operation).collect();
    assert_eq!(names, ["read"; 8]);
    for records in [recording.executions(), fake.executions()] {
        assert_eq!(
            (records[0].operation.as_deref(), records[0].deadline),
            (Some("read"), Some(CallDeadline::After(secs(9))))
        );
    }
    hooks.abort_on.abort();
    assert_eq!(clock.block_on(read(&policy, &hooks, &script())), Some(StopReason::Aborted));
}

#[test]
fn a_fake_told_nothing_runs_the_operation_once() {
    let fake = FakePolicy::new();
    let users = Users { policy: fake.clone() };
    let script = Script::new().ok(7).err(reset());
    assert_eq!(users.fetch(script.run()).ok(), Some(7));
    let failed = users.fetch(script.run()).expect_err("the fake returns an error");
    assert_eq!((failed.stop_reason(), failed.attempts()), (StopReason::MaxAttempts, 1));
    assert_eq!(failed.error().map(io::Error::kind), Some(io::ErrorKind::ConnectionReset));
    assert_eq!(script.calls(), 2);
    assert_eq!(fake.calls().len(), 2);
    assert_eq!(fake.calls()[1].last_class, Some(ErrorClass::Unknown));
    assert_eq!(fake.calls()[0].operation.as_deref(), Some("fetch_user"));
}

#[test]
fn a_fake_answers_pushed_outcomes_first() {
    let fake = FakePolicy::new().always_value(1);
    let error = Failure::Error(reset());
    fake.push_outcome(RetryOutcome::from_failure(StopReason::BudgetExhausted, 4, ErrorClass::RateLimit, error));
    fake.push_outcome(RetryOutcome::from_value(2));
    let users = Users { policy: fake.clone() };
    let never = || -> io::Result<u32> { panic!("the operation is not run") };
    assert_eq!(users.fetch(never).expect_err("the fake returns an error").stop_reason(), StopReason::BudgetExhausted);
    assert_eq!(
        [users.fetch(never).ok(), users.fetch(never).ok(), users.fetch(never).ok()],
        [Some(2), Some(1), Some(1)]
    );
    assert_eq!(fake.calls()[0].attempts, 4);
    fake.clear();
    assert!(fake.calls().is_empty());
    assert_eq!(users.fetch(never).ok(), Some(1), "the answers stay");
}

#[test]
fn a_fake_answers_errors() {
    let fake = FakePolicy::<(), _>::new().always_error("gone");
    let outcome = Caller::execute(&fake, || panic!("the operation is not run"));
    assert_outcome(&outcome).stopped_for(StopReason::MaxAttempts).after_attempts(1);
    assert_eq!(outcome.last_error(), Some(&"gone"));
    assert_eq!(fake.executions()[0].stop_reason, Some(StopReason::MaxAttempts));
    assert!(fake.calls().is_empty());
}

#[test]
fn a_fake_is_an_asynchronous_caller_too() {
    let clock = VirtualClock::new();
    let fake = FakePolicy::new();
    let users = AsyncUsers { policy: fake.clone() };
    let script = Script::new().after(&clock, secs(3)).ok(7);
    assert_outcome(&clock.block_on(users.fetch(&script))).has_value(7);
    assert_eq!((script.calls(), clock.elapsed()), (1, secs(3)));

    fake.push_outcome(RetryOutcome::from_value(8));
    assert_outcome(&clock.block_on(users.fetch(&Script::new()))).has_value(8);
    fake.push_outcome(RetryOutcome::from_value(9));
    let run = || ready(Err(reset()));
    assert_eq!(clock.block_on(AsyncCaller::call(&fake, run)).ok(), Some(9));
    assert_eq!((fake.executions().len(), fake.calls().len()), (2, 1));
    assert_eq!(fake.executions()[0].operation.as_deref(), Some("fetch_user"));
}
