//! The shapes of calls to drop: every combination of points at which an asynchronous call can be
//! pending.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use redress_core::breaker::BreakerSource;
use redress_core::driver::{NoTimer, Timer};
use redress_core::strategy::BackoffContext;
use redress_core::{
    AsyncPolicy, Budget, CallContext, CallError, CircuitBreaker, ErrorClass, Retry, RetryTimeline, SleepDecision,
    StopReason,
};
use redress_testing::{Recorder, VirtualClock, VirtualTimer};

use crate::circuit::End;
use crate::lab::{Attempted, ByClass, Counter, Failed, GOOD, fails, secs};
use crate::polled::operation_fn;

pub(super) type Subject = AsyncPolicy<ByClass, VirtualTimer>;
pub(super) type Call<'a> = Pin<Box<dyn Future<Output = Option<StopReason>> + Send + 'a>>;

pub(super) const ATTEMPTS: u32 = 3;
pub(super) const LIMIT: u32 = 9;
pub(super) const BUDGET_WINDOW: Duration = secs(2);

/// How each attempt is pending. Every wait in a shape is one second long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempting {
    Ready,
    /// Twice, alone.
    Yields,
    /// Once, on the clock, raced with the attempt's timeout.
    Races,
    /// Once, until the timeout. The last attempt, which must have a result, races with its timeout.
    TimesOut,
}

/// The hook before each wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    None,
    Yields,
    OnClock,
}

/// What each wait is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// A delay of zero.
    None,
    Timer,
    /// A sleeper that yields and then waits on the clock.
    Sleeper,
    /// A sleeper that yields and then panics, so that the timer has to wait after all.
    PanickingSleeper,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Call,
    Execute,
    /// Polled manually.
    Driven,
}

/// What else the call carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dress {
    /// Nothing: no context and no deadline. Hooks and sleeper are those of the policy.
    Plain,
    Timeline,
    Observed,
    /// An abort predicate and a sleep handler.
    Steered,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) attempting: Attempting,
    pub(super) hook: Hook,
    pub(super) waiting: Waiting,
    /// How the last attempt ends; those before it fail.
    pub(super) end: End,
    pub(super) way: Way,
    pub(super) dress: Dress,
}

/// All shapes.
pub(super) fn every_shape() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for attempting in [Attempting::Ready, Attempting::Yields, Attempting::Races, Attempting::TimesOut] {
        for hook in [Hook::None, Hook::Yields, Hook::OnClock] {
            for waiting in [Waiting::None, Waiting::Timer, Waiting::Sleeper, Waiting::PanickingSleeper] {
                for end in [End::Succeeds, End::Fails, End::Answers, End::Gone] {
                    for way in [Way::Call, Way::Execute, Way::Driven] {
                        for dress in [Dress::Plain, Dress::Timeline, Dress::Observed, Dress::Steered] {
                            shapes.push(Shape { attempting, hook, waiting, end, way, dress });
                        }
                    }
                }
            }
        }
    }
    shapes
}

/// One shape for each kind of await point, with all hooks and observers.
pub(super) fn one_of_each_await() -> Vec<Shape> {
    let same = |shape: &Shape| shape.end == End::Succeeds && shape.way == Way::Call && shape.dress == Dress::Observed;
    every_shape().into_iter().filter(same).collect()
}

impl Shape {
    /// How often an admitted call is pending before its end: once more is the number of its polls.
    pub(super) fn await_points(self) -> usize {
        let attempt = match self.attempting {
            Attempting::Ready => 0,
            Attempting::Yields => 2,
            Attempting::Races | Attempting::TimesOut => 1,
        };
        let hook = match self.hook {
            Hook::None => 0,
            Hook::Yields => 2,
            Hook::OnClock => 1,
        };
        let wait = match self.waiting {
            Waiting::None => 0,
            Waiting::Timer => 1,
            Waiting::Sleeper | Waiting::PanickingSleeper => 2,
        };
        let attempts = ATTEMPTS as usize;
        attempts * attempt + (attempts - 1) * (hook + wait)
    }

    /// Why an admitted call of this shape stops.
    pub(super) fn stop_reason(self) -> Option<StopReason> {
        match self.end {
            End::Succeeds => None,
            End::Fails => Some(StopReason::MaxAttempts),
            End::Answers => Some(StopReason::NonRetryableClass),
            End::Gone => Some(StopReason::Aborted),
        }
    }

    /// A policy for calls of this shape.
    pub(super) fn policy(self, watch: &Arc<Watch>, budget: &Budget, breaker: impl Into<BreakerSource>) -> Subject {
        let delay = if self.waiting == Waiting::None { Duration::ZERO } else { secs(1) };
        let noting = Arc::clone(watch);
        let strategy = move |_: &BackoffContext<'_>| {
            noting.retries.lock().unwrap().push(noting.clock.elapsed());
            delay
        };
        let retry = Retry::builder().strategy(strategy).max_attempts(ATTEMPTS).budget(budget.clone());
        let mut builder = AsyncPolicy::<_, NoTimer>::builder()
            .timer(watch.clock.timer())
            .classifier(ByClass)
            .retry(retry)
            .circuit_breaker(breaker);
        builder = if self.dress == Dress::Plain { builder.no_deadline() } else { builder };
        builder = match self.attempting {
            Attempting::Ready | Attempting::Yields => builder,
            Attempting::Races => builder.attempt_timeout(secs(3)),
            Attempting::TimesOut => builder.attempt_timeout(secs(1)),
        };
        if self.dress == Dress::Plain {
            if self.hook != Hook::None {
                let watch = Arc::clone(watch);
                builder = builder.before_sleep_async(move |_, _| self.hook(&watch));
            }
            if matches!(self.waiting, Waiting::Sleeper | Waiting::PanickingSleeper) {
                let watch = Arc::clone(watch);
                builder = builder.sleep_with(move |_| self.sleeper(&watch));
            }
        }
        builder.build().expect("valid")
    }

    /// The call, as one boxed future.
    pub(super) fn call<'a>(self, policy: &'a Subject, watch: &'a Arc<Watch>) -> Call<'a> {
        let operation = move || self.attempt(watch);
        match (self.dress, self.way) {
            (Dress::Plain, Way::Call) => Box::pin(async move { reason(policy.call(operation).await) }),
            (Dress::Plain, Way::Execute) => Box::pin(async move { policy.execute(operation).await.stop_reason() }),
            (Dress::Plain, Way::Driven) => Box::pin(async move {
                let operation = operation_fn(move |_| operation());
                policy.poll_call().run(operation).await.stop_reason()
            }),
            (_, Way::Driven) => Box::pin(async move {
                let operation = operation_fn(move |_| operation());
                self.context(policy, watch).poll_call().run(operation).await.stop_reason()
            }),
            (_, Way::Call) => Box::pin(async move {
                let context = self.context(policy, watch);
                reason(context.call(operation).await)
            }),
            (_, Way::Execute) => Box::pin(async move {
                let context = self.context(policy, watch);
                context.execute(operation).await.stop_reason()
            }),
        }
    }

    fn context<'a>(self, policy: &'a Subject, watch: &'a Arc<Watch>) -> CallContext<'a, Subject> {
        let mut context = policy.operation("dropped");
        if self.hook != Hook::None {
            context = context.before_sleep_async(move |_, _| self.hook(watch));
        }
        if matches!(self.waiting, Waiting::Sleeper | Waiting::PanickingSleeper) {
            context = context.sleep_with(move |_| self.sleeper(watch));
        }
        match self.dress {
            Dress::Plain => context,
            Dress::Timeline => context.capture_timeline_into(&watch.timeline),
            Dress::Observed => context.observer(watch.recorder.clone()).capture_timeline_into(&watch.timeline),
            Dress::Steered => context.abort_if(|| false).sleep_handler(|_, _| SleepDecision::Sleep),
        }
    }

    fn attempt(self, watch: &Arc<Watch>) -> impl Future<Output = Attempted> + Send + use<> {
        let number = watch.attempts.count();
        let result = match (number < ATTEMPTS, self.end) {
            (true, _) | (false, End::Fails) => fails(ErrorClass::Transient),
            (false, End::Succeeds) => GOOD,
            (false, End::Answers) => fails(ErrorClass::Permanent),
            (false, End::Gone) => Err(Failed::Abort),
        };
        let never = self.attempting == Attempting::TimesOut && (number < ATTEMPTS || self.end == End::Fails);
        let (yields, on_clock) = match self.attempting {
            Attempting::Ready => (0, None),
            Attempting::Yields => (2, None),
            Attempting::Races => (0, Some(secs(1))),
            // A timeout at the same time does not count.
            Attempting::TimesOut => (0, Some(if never { secs(1_000) } else { secs(1) })),
        };
        let guard = Guard::new(watch, |watch| &watch.live_attempts);
        pending_for(guard, yields, on_clock, move || result)
    }

    fn hook(self, watch: &Arc<Watch>) -> impl Future<Output = ()> + Send + use<> {
        let (yields, on_clock) = if self.hook == Hook::Yields { (2, None) } else { (0, Some(secs(1))) };
        pending_for(Guard::new(watch, |watch| &watch.live_hooks), yields, on_clock, || ())
    }

    fn sleeper(self, watch: &Arc<Watch>) -> impl Future<Output = ()> + Send + use<> {
        let panics = self.waiting == Waiting::PanickingSleeper;
        let on_clock = if panics { None } else { Some(secs(1)) };
        pending_for(Guard::new(watch, |watch| &watch.live_hooks), 1, on_clock, move || {
            if panics {
                // As a panic, without its message.
                resume_unwind(Box::new("in a sleeper"));
            }
        })
    }
}

fn reason<T, E>(result: Result<T, CallError<E>>) -> Option<StopReason> {
    result.err().map(|error| error.stop_reason())
}

/// Pending so often, woken at once; then for so long on the clock; then done.
fn pending_for<R>(
    guard: Guard,
    yields: u32,
    on_clock: Option<Duration>,
    then: impl FnOnce() -> R + Send,
) -> impl Future<Output = R> + Send {
    let timer = guard.watch.clock.timer();
    let future = Box::pin(async move {
        for _ in 0..yields {
            Yield(false).await;
        }
        if let Some(duration) = on_clock {
            timer.sleep(duration).await;
        }
        then()
    });
    Guarded { future, _guard: guard }
}

/// A future that is counted until it is dropped, even if it has already completed.
struct Guarded<F> {
    future: Pin<Box<F>>,
    _guard: Guard,
}

impl<F: Future> Future for Guarded<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.future.as_mut().poll(cx)
    }
}

struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The observations of a call.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) clock: VirtualClock,
    pub(super) breaker: CircuitBreaker,
    pub(super) recorder: Recorder,
    pub(super) timeline: RetryTimeline,
    /// When each retry was announced: the strategy is called last before the token is taken.
    pub(super) retries: Mutex<Vec<Duration>>,
    pub(super) attempts: Counter,
    pub(super) live_attempts: Mutex<u32>,
    pub(super) live_hooks: Mutex<u32>,
    /// Calls that the breaker admitted while an attempt or a hook of this call was still there.
    pub(super) let_in: Counter,
}

/// Part of a future of the caller. Counts the future while it lives, and requests admission from
/// the breaker when it is dropped.
struct Guard {
    watch: Arc<Watch>,
    live: fn(&Watch) -> &Mutex<u32>,
}

impl Guard {
    fn new(watch: &Arc<Watch>, live: fn(&Watch) -> &Mutex<u32>) -> Self {
        *live(watch).lock().unwrap() += 1;
        Self { watch: Arc::clone(watch), live }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        *(self.live)(&self.watch).lock().unwrap() -= 1;
        if self.watch.breaker.try_acquire().is_ok() {
            self.watch.let_in.note();
        }
    }
}
