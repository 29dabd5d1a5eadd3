//! The configuration of a schedule, and its policies: an asynchronous and a blocking one with the
//! same retry, and the same two without retry and with other time limits, all on one breaker, one
//! budget and one clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redress_core::breaker::BreakerSource;
use redress_core::driver::NoTimer;
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::{
    AsyncPolicy, Budget, CircuitBreaker, ErrorClass, Policy, Retry, SleepDecision, fixed, retry_after_or,
};
use redress_testing::VirtualClock;

use super::counted::Counted;
use super::log::{Failure, OverheardTimer, Turn};
use super::operation::ByAnswer;
use crate::breaker_model::Settings;
use crate::reader::Reader;

/// The configuration of a schedule.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) max_attempts: u32,
    /// Time limits of the policies with retry.
    retrying: Times,
    /// Time limits of the policies without retry.
    once: Times,
    /// The cap on retries for each class.
    pub(super) cap: Option<(ErrorClass, u32)>,
    pub(super) unknown_cap: Option<u32>,
    /// The delay of classes that have no strategy; `None` if there is no default strategy.
    delay: Option<Duration>,
    delay_of: (ErrorClass, Duration),
    hints: Hints,
    pub(super) budget: Option<(u32, Duration)>,
    pub(super) breaker: Option<Settings>,
    is_counted: bool,
    pub(super) sleep_handler: Option<SleepDecision>,
    /// The time by which each sleep of the blocking policy is too long.
    oversleep: Duration,
}

/// The time limits of a policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) deadline: Option<Duration>,
    attempt_timeout: Option<Duration>,
    /// Whether an attempt without timeout may finish after the deadline.
    finishes_attempts: bool,
}

impl Times {
    /// The time left that an attempt receives; `left` is the time until the deadline.
    pub(super) fn time_left(self, left: Option<Duration>) -> Option<Duration> {
        self.attempt_timeout.into_iter().chain(left).min()
    }

    /// The time that an asynchronous attempt may take; `left` is the time until the deadline.
    pub(super) fn attempt_limit(self, left: Option<Duration>) -> Option<Duration> {
        self.time_left(left.filter(|_| self.attempt_timeout.is_some() || !self.finishes_attempts))
    }

    fn limit<C, K>(self, builder: PolicyBuilder<C, K>) -> PolicyBuilder<C, K> {
        let mut builder = match self.deadline {
            Some(deadline) => builder.deadline(deadline),
            None => builder.no_deadline(),
        };
        if let Some(timeout) = self.attempt_timeout {
            builder = builder.attempt_timeout(timeout);
        }
        if self.finishes_attempts { builder.finish_running_attempt() } else { builder }
    }
}

/// The handling of a failure's hint.
#[derive(Clone, Copy, Debug)]
struct Hints {
    /// Whether the strategies wait for the hint instead of their delay.
    are_read: bool,
    /// Whether a hint does not act as a floor.
    are_ignored: bool,
    /// The highest floor.
    longest: Option<Duration>,
}

impl Hints {
    /// Reads it from one byte.
    fn read(reader: &mut Reader<'_>) -> Self {
        let byte = reader.u8();
        let longest = Duration::from_secs(u64::from(byte >> 3) % 8).max(A_TICK);
        Self { are_read: byte & 1 != 0, are_ignored: byte & 2 != 0, longest: (byte & 4 != 0).then_some(longest) }
    }

    /// The shortest wait that a hint allows.
    fn floor(self, hint: Option<Duration>) -> Duration {
        hint.filter(|_| !self.are_ignored).map(|hint| self.heeded(hint)).unwrap_or_default()
    }

    /// The part of a hint that counts.
    fn heeded(self, hint: Duration) -> Duration {
        hint.min(self.longest.unwrap_or(Duration::MAX))
    }
}

/// The policies, and the parts that they share.
pub(super) struct Policies {
    pub(super) clock: VirtualClock,
    pub(super) turn: Turn,
    pub(super) asynchronous: Pair<AsyncPolicy<ByAnswer, OverheardTimer>>,
    pub(super) blocking: Pair<Policy<ByAnswer>>,
    pub(super) breaker: Option<CircuitBreaker>,
    pub(super) counted: Option<Arc<Counted>>,
    pub(super) budget: Option<Budget>,
}

impl Policies {
    /// The origin of virtual time.
    pub(super) fn origin(&self) -> Instant {
        self.clock.now() - self.clock.elapsed()
    }
}

/// A policy with retry and one without, which never waits and takes the quiet path.
pub(super) struct Pair<P> {
    retrying: P,
    once: P,
}

impl<P> Pair<P> {
    pub(super) const fn of(&self, retries: bool) -> &P {
        if retries { &self.retrying } else { &self.once }
    }
}

impl Setup {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let max_attempts = u32::from(reader.below(5)) + 1;
        let (deadline, attempt_timeout) = (reader.maybe(at_least_a_tick), reader.maybe(at_least_a_tick));
        let times = Times { deadline, attempt_timeout, finishes_attempts: false };
        let mut setup = Self {
            max_attempts,
            retrying: times,
            once: times,
            cap: reader.maybe(|reader| (reader.class(), reader.below(3).into())),
            unknown_cap: reader.maybe(|reader| reader.below(3).into()),
            delay: reader.maybe(Reader::ticks),
            delay_of: (reader.class(), reader.ticks()),
            hints: Hints::read(reader),
            budget: reader.maybe(|reader| (reader.below(4).into(), at_least_a_tick(reader))),
            breaker: reader.maybe(Settings::read),
            is_counted: false,
            sleep_handler: None,
            oversleep: Duration::ZERO,
        };
        // One byte holds the other times and a flag.
        let flags = reader.u8();
        setup.is_counted = flags & 1 != 0;
        let finishes_attempts = flags & 2 != 0;
        setup.retrying.finishes_attempts = finishes_attempts;
        setup.once = Times { deadline: span(flags >> 2), attempt_timeout: span(flags >> 5), finishes_attempts };
        setup.sleep_handler =
            reader.maybe(|reader| reader.one_of(&[SleepDecision::Sleep, SleepDecision::Defer, SleepDecision::Abort]));
        setup.oversleep = reader.one_of(&[Duration::ZERO, A_TICK, Duration::from_secs(1)]);
        setup
    }

    /// The time limits of the policy with or without retry.
    pub(super) const fn times(&self, retries: bool) -> Times {
        if retries { self.retrying } else { self.once }
    }

    /// The delay after this failure, if its class has a strategy.
    pub(super) fn delay_after(&self, failure: &Failure) -> Option<Duration> {
        let own = (self.delay_of.0 == failure.class).then_some(self.delay_of.1);
        let delay = own.or(self.delay)?;
        let hint = failure.hint.map(|hint| self.hints.heeded(hint));
        let delay = hint.filter(|hint| self.hints.are_read && !hint.is_zero()).unwrap_or(delay);
        Some(delay.max(self.hints.floor(failure.hint)))
    }

    /// The part of a hint that counts.
    pub(super) fn heeded(&self, hint: Duration) -> Duration {
        self.hints.heeded(hint)
    }

    /// The cap on retries for this class.
    pub(super) fn cap_of(&self, class: ErrorClass) -> u32 {
        let own = self.cap.filter(|(of, _)| *of == class).map(|(_, cap)| cap);
        let unknown = self.unknown_cap.filter(|_| class == ErrorClass::Unknown);
        own.into_iter().chain(unknown).min().unwrap_or(u32::MAX)
    }

    pub(super) fn policies(&self) -> Policies {
        let (clock, turn) = (VirtualClock::new(), Turn::default());
        let budget = self.budget.map(|(limit, window)| Budget::new(limit, window).expect("a budget that is taken"));
        let breaker = self.breaker.as_ref().map(|settings| settings.builder().build().expect("one that is taken"));
        let counted = breaker.clone().filter(|_| self.is_counted).map(|breaker| Arc::new(Counted::new(breaker)));
        let source = || match (&counted, &breaker) {
            (Some(counted), _) => Some(BreakerSource::from(Arc::clone(counted))),
            (None, breaker) => breaker.as_ref().map(BreakerSource::from),
        };
        let timer = OverheardTimer { timer: clock.timer(), turn: turn.clone() };
        let asynchronous = |times: Times| {
            let builder = AsyncPolicy::<_, NoTimer>::builder().timer(timer.clone());
            guarded(times.limit(builder), source())
        };
        let blocking = |times: Times| guarded(times.limit(Policy::builder().clock(clock.clone())), source());
        let retry = || self.retry(budget.as_ref());
        let sleeper = self.sleeper(&clock, &turn);
        Policies {
            asynchronous: Pair {
                retrying: asynchronous(self.retrying).retry(retry()).build().expect("a policy that is taken"),
                once: asynchronous(self.once).build().expect("a policy that is taken"),
            },
            blocking: Pair {
                retrying: blocking(self.retrying)
                    .retry(retry())
                    .sleep_with(sleeper)
                    .build()
                    .expect("a policy that is taken"),
                once: blocking(self.once).build().expect("a policy that is taken"),
            },
            clock,
            turn,
            breaker,
            counted,
            budget,
        }
    }

    fn retry(&self, budget: Option<&Budget>) -> RetryBuilder {
        let mut retry = Retry::builder().max_attempts(self.max_attempts);
        if let Some((class, cap)) = self.cap {
            retry = retry.max_retries_for(class, cap);
        }
        retry = match self.unknown_cap {
            Some(cap) => retry.max_unknown_retries(cap),
            None => retry.unlimited_unknown_retries(),
        };
        if let Some(budget) = budget {
            retry = retry.budget(budget.clone());
        }
        self.waits(retry)
    }

    /// Sets the strategies and the handling of hints.
    fn waits(&self, mut retry: RetryBuilder) -> RetryBuilder {
        if self.hints.are_ignored {
            retry = retry.ignore_retry_after();
        }
        if let Some(longest) = self.hints.longest {
            retry = retry.max_retry_after(longest);
        }
        let (class, delay_of) = self.delay_of;
        if self.hints.are_read {
            let waits = |delay| retry_after_or(fixed(delay)).jitter(Duration::ZERO);
            retry = retry.strategy_for(class, waits(delay_of));
            self.delay.into_iter().fold(retry, |retry, delay| retry.strategy(waits(delay)))
        } else {
            retry = retry.strategy_for(class, fixed(delay_of));
            self.delay.into_iter().fold(retry, |retry, delay| retry.strategy(fixed(delay)))
        }
    }

    fn sleeper(&self, clock: &VirtualClock, turn: &Turn) -> impl Fn(Duration) + Send + Sync + 'static {
        let (clock, turn, oversleep) = (clock.clone(), turn.clone(), self.oversleep);
        move |delay| {
            turn.waits(delay);
            clock.advance(delay + oversleep);
        }
    }
}

/// The shortest valid duration of a setting.
const A_TICK: Duration = Duration::from_nanos(1);

fn at_least_a_tick(reader: &mut Reader<'_>) -> Duration {
    reader.ticks().max(A_TICK)
}

/// Reads a setting from the lowest three bits: none, a tick, or up to six seconds.
fn span(bits: u8) -> Option<Duration> {
    let seconds = (bits % 8).checked_sub(1)?;
    Some(Duration::from_secs(seconds.into()).max(A_TICK))
}

fn guarded<C, K>(builder: PolicyBuilder<C, K>, breaker: Option<BreakerSource>) -> PolicyBuilder<ByAnswer, K> {
    let builder = builder.classifier(ByAnswer);
    match breaker {
        Some(breaker) => builder.circuit_breaker(breaker),
        None => builder,
    }
}
