//! [`Lab`], the environment of a test: a driver, a call method, and virtual time.
//!
//! A test is written once, against [`Lab`], and runs in each: on the blocking and on the
//! asynchronous driver, through `call` and through `execute`.

use std::error::Error;
use std::fmt;
use std::future::ready;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Wake;
use std::time::Duration;

use redress_core::breaker::{BreakerSource, CircuitState};
use redress_core::driver::{NoTimer, PollCall};
use redress_core::observe::AttemptContext;
use redress_core::policy::{CallDeadline, PolicyBuilder, RetryBuilder};
use redress_core::strategy::BackoffContext;
use redress_core::{
    AbortHandle, AsyncPolicy, Attempt, CallContext, CallError, Classification, Classifier, ErrorClass, Event, Observer,
    Policy, RetryOutcome, RetryTimeline, SleepDecision, StopReason,
};
use redress_testing::{Script, VirtualClock, VirtualTimer};

use crate::polled::operation_fn;

type Driven<'a> = PollCall<'a, Answer, Failed, ByClass, VirtualTimer>;

pub(crate) const TICK: Duration = Duration::from_nanos(1);

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The values of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Good,
    Bad(ErrorClass),
}

/// The errors of operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    Of(ErrorClass),
    Hinted(ErrorClass, Duration),
    /// The operation aborts the call.
    Abort,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed: {self:?}")
    }
}

impl Error for Failed {}

/// Classifies the values above by their contents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByClass;

impl Classifier<Answer, Failed> for ByClass {
    fn classify(&self, result: &Result<Answer, Failed>) -> Option<Classification> {
        match result {
            Ok(Answer::Good) => None,
            Ok(Answer::Bad(class)) | Err(Failed::Of(class)) => Some(Classification::new(*class)),
            Err(Failed::Hinted(class, wait)) => Some(Classification::new(*class).with_retry_after(*wait)),
            Err(Failed::Abort) => Some(Classification::abort()),
        }
    }
}

pub(crate) type Attempted = Result<Answer, Failed>;
pub(crate) type Steps = Script<Answer, Failed>;

pub(crate) const GOOD: Attempted = Ok(Answer::Good);

/// An attempt that fails so.
pub(crate) const fn fails(class: ErrorClass) -> Attempted {
    Err(Failed::Of(class))
}

/// Attempts with these results.
pub(crate) fn script(results: impl IntoIterator<Item = Attempted>) -> Steps {
    results.into_iter().fold(Script::new(), |script, result| match result {
        Ok(answer) => script.ok(answer),
        Err(failed) => script.err(failed),
    })
}

/// Attempts that all fail so.
pub(crate) fn failing(class: ErrorClass) -> Steps {
    Script::new().forever(move || fails(class))
}

/// Attempts that all succeed.
pub(crate) fn succeeding() -> Steps {
    Script::new().forever(|| GOOD)
}

/// Counts; clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter(Arc<AtomicU32>);

impl Counter {
    /// Counts one more, and returns the count.
    pub(crate) fn count(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn note(&self) {
        self.count();
    }

    pub(crate) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A waker that counts its wakes.
#[derive(Default)]
pub(crate) struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Wakes {
    pub(crate) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What happened, in order. Clones write into the same.
#[derive(Clone, Default)]
pub(crate) struct Story(Arc<Mutex<Vec<String>>>);

impl Story {
    pub(crate) fn add(&self, line: impl Into<String>) {
        self.0.lock().expect("whole").push(line.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("whole"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    Blocking,
    /// Blocking without a sleeper, so that nothing steers the call: for delays of zero.
    Bare,
    Async,
    /// The asynchronous one, polled manually.
    Driven,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Call,
    Execute,
}

#[derive(Clone, Debug)]
pub(crate) struct Lab {
    pub(crate) driver: Driver,
    pub(crate) way: Way,
    pub(crate) clock: VirtualClock,
}

/// How a call ended, as both ways can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) reason: Option<StopReason>,
    /// The attempts made, counted by the operation.
    pub(crate) attempts: usize,
}

pub(crate) const fn ok_after(attempts: usize) -> Ended {
    Ended { reason: None, attempts }
}

pub(crate) const fn stopped(reason: StopReason, attempts: usize) -> Ended {
    Ended { reason: Some(reason), attempts }
}

fn in_labs(drivers: &[Driver], ways: &[Way], test: impl Fn(Lab)) {
    for driver in drivers {
        for way in ways {
            // Shown when the test fails.
            println!("lab: {driver:?}, {way:?}");
            test(Lab { driver: *driver, way: *way, clock: VirtualClock::new() });
        }
    }
}

/// In every lab. Delays have to be zero, because one lab waits in real time.
pub(crate) fn everywhere(test: impl Fn(Lab)) {
    in_labs(&[Driver::Blocking, Driver::Bare, Driver::Async, Driver::Driven], &[Way::Call, Way::Execute], test);
}

/// In every lab that waits in virtual time.
pub(crate) fn wherever_time_is_virtual(test: impl Fn(Lab)) {
    in_labs(&[Driver::Blocking, Driver::Async, Driver::Driven], &[Way::Call, Way::Execute], test);
}

/// On every driver, for tests that look at the whole outcome or error.
pub(crate) fn on_every_driver(test: impl Fn(Lab)) {
    in_labs(&[Driver::Blocking, Driver::Async, Driver::Driven], &[Way::Execute], test);
}

impl Lab {
    pub(crate) fn policy(&self) -> Builder {
        match self.driver {
            Driver::Blocking => {
                Builder::Blocking(self.blocking().sleep_with(self.clock.sleeper()).classifier(ByClass), self.clone())
            }
            Driver::Bare => Builder::Blocking(self.blocking().classifier(ByClass), self.clone()),
            Driver::Async | Driver::Driven => {
                let builder = AsyncPolicy::<_, NoTimer>::builder().timer(self.clock.timer()).classifier(ByClass);
                Builder::Async(builder, self.clone())
            }
        }
    }

    fn blocking(&self) -> PolicyBuilder<redress_core::classify::DefaultClassifier, redress_core::policy::Blocking> {
        Policy::builder().clock(self.clock.clone())
    }

    /// A policy with this retry component and nothing else.
    #[track_caller]
    pub(crate) fn retrying(&self, retry: impl Into<RetryBuilder>) -> Subject {
        self.policy().retry(retry).build()
    }

    fn drive(&self, call: Driven<'_>, steps: &Steps) -> RetryOutcome<Answer, Failed> {
        let run = steps.run_async();
        self.clock.block_on(call.run(operation_fn(|_| run())))
    }

    fn outcome_ended(outcome: &RetryOutcome<Answer, Failed>, steps: usize) -> Ended {
        assert_eq!(outcome.attempts() as usize, steps, "the outcome counts the attempts that were made");
        assert_eq!(outcome.is_ok(), outcome.stop_reason().is_none());
        Ended { reason: outcome.stop_reason(), attempts: steps }
    }

    fn result_ended(result: &Result<Answer, CallError<Failed>>, steps: usize) -> Ended {
        if let Err(error) = result {
            assert_eq!(error.attempts() as usize, steps, "the error counts the attempts that were made");
        }
        Ended { reason: result.as_ref().err().map(CallError::stop_reason), attempts: steps }
    }
}

/// A policy's builder, of either driver.
pub(crate) enum Builder {
    Blocking(PolicyBuilder<ByClass, redress_core::policy::Blocking>, Lab),
    Async(PolicyBuilder<ByClass, redress_core::policy::Async<VirtualTimer>>, Lab),
}

/// A policy, of either driver.
pub(crate) enum Subject {
    Blocking(Policy<ByClass>, Lab),
    Async(AsyncPolicy<ByClass, VirtualTimer>, Lab),
}

/// A call's context, of either driver.
pub(crate) enum Context<'a> {
    Blocking(CallContext<'a, Policy<ByClass>>, Lab),
    Async(CallContext<'a, AsyncPolicy<ByClass, VirtualTimer>>, Lab),
}

/// Methods that both drivers have under the same name.
macro_rules! on_either {
    ($(fn $method:ident($($argument:ident: $of:ty),*);)*) => {
        $(pub(crate) fn $method(self, $($argument: $of),*) -> Self {
            match self {
                Self::Blocking(inner, lab) => Self::Blocking(inner.$method($($argument),*), lab),
                Self::Async(inner, lab) => Self::Async(inner.$method($($argument),*), lab),
            }
        })*
    };
}

impl Builder {
    on_either! {
        fn name(name: &'static str);
        fn retry(retry: impl Into<RetryBuilder>);
        fn circuit_breaker(breaker: impl Into<BreakerSource>);
        fn deadline(deadline: Duration);
        fn no_deadline();
        fn attempt_timeout(timeout: Duration);
        fn finish_running_attempt();
        fn judge_attempts();
        fn observer(observer: impl Observer + 'static);
        fn abort_if(predicate: impl Fn() -> bool + Send + Sync + 'static);
        fn abort_on(handle: &AbortHandle);
        fn capture_timeline();
        fn capture_timeline_into(timeline: &RetryTimeline);
        fn sleep_handler(handler: impl Fn(&BackoffContext<'_>, Duration) -> SleepDecision + Send + Sync + 'static);
        fn before_sleep(hook: impl Fn(&BackoffContext<'_>, Duration) + Send + Sync + 'static);
        fn on_attempt_start(hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'static);
        fn on_attempt_end(hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'static);
    }

    /// The sleeper: calls `sleeper` with the delay, and lets the time pass that it returns.
    pub(crate) fn sleep_with(self, sleeper: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        match self {
            Self::Blocking(inner, lab) => Self::Blocking(inner.sleep_with(sleeper), lab),
            Self::Async(inner, lab) => Self::Async(
                inner.sleep_with(move |delay| {
                    sleeper(delay);
                    ready(())
                }),
                lab,
            ),
        }
    }

    #[track_caller]
    pub(crate) fn build(self) -> Subject {
        match self {
            Self::Blocking(inner, lab) => Subject::Blocking(inner.build().expect("a valid configuration"), lab),
            Self::Async(inner, lab) => Subject::Async(inner.build().expect("a valid configuration"), lab),
        }
    }
}

impl Subject {
    pub(crate) fn context(&self) -> Context<'_> {
        match self {
            Self::Blocking(policy, lab) => Context::Blocking(policy.context(), lab.clone()),
            Self::Async(policy, lab) => Context::Async(policy.context(), lab.clone()),
        }
    }

    pub(crate) fn operation(&self, name: &'static str) -> Context<'_> {
        match self {
            Self::Blocking(policy, lab) => Context::Blocking(policy.operation(name), lab.clone()),
            Self::Async(policy, lab) => Context::Async(policy.operation(name), lab.clone()),
        }
    }

    pub(crate) fn circuit_state(&self) -> Option<CircuitState> {
        match self {
            Self::Blocking(policy, _) => policy.circuit_state(),
            Self::Async(policy, _) => policy.circuit_state(),
        }
    }

    /// Makes a call in the lab's way.
    #[track_caller]
    pub(crate) fn run(&self, steps: &Steps) -> Ended {
        let before = steps.calls();
        match self.lab().way {
            Way::Call => {
                let result = self.call(steps);
                Lab::result_ended(&result, steps.calls() - before)
            }
            Way::Execute => {
                let outcome = self.execute(steps);
                Lab::outcome_ended(&outcome, steps.calls() - before)
            }
        }
    }

    pub(crate) fn execute(&self, steps: &Steps) -> RetryOutcome<Answer, Failed> {
        match self {
            Self::Blocking(policy, _) => policy.execute(steps.run()),
            Self::Async(policy, lab) if lab.driver == Driver::Driven => lab.drive(policy.poll_call(), steps),
            Self::Async(policy, lab) => lab.clock.block_on(policy.execute(steps.run_async())),
        }
    }

    pub(crate) fn call(&self, steps: &Steps) -> Result<Answer, CallError<Failed>> {
        match self {
            Self::Blocking(policy, _) => policy.call(steps.run()),
            Self::Async(policy, lab) if lab.driver == Driver::Driven => {
                lab.drive(policy.poll_call(), steps).into_result()
            }
            Self::Async(policy, lab) => lab.clock.block_on(policy.call(steps.run_async())),
        }
    }

    /// In the lab's way, for an operation that looks at its attempt.
    pub(crate) fn run_with(&self, mut operation: impl FnMut(Attempt) -> Attempted) -> Option<StopReason> {
        let lab = self.lab();
        match (self, lab.way) {
            (Self::Blocking(policy, _), Way::Call) => {
                policy.call_with(operation).err().map(|error| error.stop_reason())
            }
            (Self::Blocking(policy, _), Way::Execute) => policy.execute_with(operation).stop_reason(),
            (Self::Async(policy, lab), _) if lab.driver == Driver::Driven => {
                let operation = operation_fn(|attempt| ready(operation(attempt)));
                lab.clock.block_on(policy.poll_call().run(operation)).stop_reason()
            }
            (Self::Async(policy, _), Way::Call) => {
                let result = lab.clock.block_on(policy.call_with(|attempt| ready(operation(attempt))));
                result.err().map(|error| error.stop_reason())
            }
            (Self::Async(policy, _), Way::Execute) => {
                lab.clock.block_on(policy.execute_with(|attempt| ready(operation(attempt)))).stop_reason()
            }
        }
    }

    fn lab(&self) -> &Lab {
        match self {
            Self::Blocking(_, lab) | Self::Async(_, lab) => lab,
        }
    }
}

impl<'a> Context<'a> {
    on_either! {
        fn operation(name: &'a str);
        fn on_metric(hook: impl Fn(&Event<'_>) + Send + Sync + 'a);
        fn on_log(hook: impl Fn(&Event<'_>) + Send + Sync + 'a);
        fn observer(observer: impl Observer + 'a);
        fn abort_if(predicate: impl Fn() -> bool + Send + Sync + 'a);
        fn abort_on(handle: &AbortHandle);
        fn sleep_handler(handler: impl Fn(&BackoffContext<'_>, Duration) -> SleepDecision + Send + Sync + 'a);
        fn before_sleep(hook: impl Fn(&BackoffContext<'_>, Duration) + Send + Sync + 'a);
        fn on_attempt_start(hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'a);
        fn on_attempt_end(hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'a);
        fn deadline(deadline: impl Into<CallDeadline>);
        fn capture_timeline();
        fn capture_timeline_into(timeline: &RetryTimeline);
    }

    /// The sleeper: calls `sleeper` with the delay, and lets the time pass that it returns.
    pub(crate) fn sleep_with(self, sleeper: impl Fn(Duration) + Send + Sync + 'a) -> Self {
        match self {
            Self::Blocking(inner, lab) => Self::Blocking(inner.sleep_with(sleeper), lab),
            Self::Async(inner, lab) => Self::Async(
                inner.sleep_with(move |delay| {
                    sleeper(delay);
                    ready(())
                }),
                lab,
            ),
        }
    }

    /// Makes a call in the lab's way.
    #[track_caller]
    pub(crate) fn run(&self, steps: &Steps) -> Ended {
        let before = steps.calls();
        let (Self::Blocking(_, lab) | Self::Async(_, lab)) = self;
        match lab.way {
            Way::Call => {
                let result = self.call(steps);
                Lab::result_ended(&result, steps.calls() - before)
            }
            Way::Execute => {
                let outcome = self.execute(steps);
                Lab::outcome_ended(&outcome, steps.calls() - before)
            }
        }
    }

    pub(crate) fn execute(&self, steps: &Steps) -> RetryOutcome<Answer, Failed> {
        match self {
            Self::Blocking(context, _) => context.execute(steps.run()),
            Self::Async(context, lab) => lab.clock.block_on(context.execute(steps.run_async())),
        }
    }

    pub(crate) fn call(&self, steps: &Steps) -> Result<Answer, CallError<Failed>> {
        match self {
            Self::Blocking(context, _) => context.call(steps.run()),
            Self::Async(context, lab) => lab.clock.block_on(context.call(steps.run_async())),
        }
    }
}
