//! The setting that an explanation names lets its gate pass: random policies and calls in virtual
//! time, made again with the changed setting, do not end at that gate there.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use redress_core::breaker::{BreakerSpec, ProbeLease};
use redress_core::budget::{BudgetSpec, EarnedBudgetSpec};
use redress_core::driver::{NoTimer, Timer as _};
use redress_core::observe::{Change, DeadlineOf, Decision, Explanation, Gate, NewValue};
use redress_core::policy::{PolicyBreaker, PolicyBuilder, PolicySpec, RetryBuilder, RetrySpec};
use redress_core::resume::ResumeToken;
use redress_core::strategy::{BackoffContext, StrategySpec};
use redress_core::{
    AsyncPolicy, Budget, CallContext, CircuitBreaker, Classification, Classifier, ErrorClass, Policy, Retry,
    RetryOutcome, SleepDecision, fixed,
};
use redress_testing::VirtualClock;

use crate::secs;

/// Random numbers that a seed repeats.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        // Splitmix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    /// Whether one of `of` equally likely things happens.
    fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(2).then(|| make(self))
    }

    fn small(&mut self, end: u64) -> u32 {
        u32::try_from(self.below(end)).expect("small")
    }

    /// Up to ten seconds, often none or whole ones, so that times meet.
    fn time(&mut self) -> Duration {
        match self.below(4) {
            0 => Duration::ZERO,
            1 => Duration::from_nanos(self.below(10_000_000_000)),
            _ => secs(self.below(10)),
        }
    }

    fn class(&mut self) -> ErrorClass {
        let all = ErrorClass::ALL;
        all[usize::try_from(self.below(all.len() as u64)).expect("small")]
    }
}

/// How one attempt ends.
#[derive(Clone, Debug)]
enum End {
    Good,
    Fails(Classification),
}

#[derive(Clone, Copy, Debug)]
enum CallDeadline {
    After(Duration),
    /// This long after the start of the call, as an instant; before it if negative.
    At {
        later: Duration,
        earlier: Duration,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum History {
    None,
    /// The breaker opened this long ago.
    Opened(Duration),
    /// Its probe is running.
    Probing,
}

/// A policy and one call.
#[derive(Clone, Debug)]
struct Case {
    spec: PolicySpec,
    deadlines: Vec<CallDeadline>,
    attempts: Vec<(Duration, End)>,
    oversleep: Duration,
    hook_takes: Duration,
    answers: Vec<SleepDecision>,
    abort_at: Option<Duration>,
    tokens_taken: u32,
    history: History,
    token: Option<ResumeToken>,
    is_async: bool,
}

impl Case {
    fn draw(dice: &mut Dice) -> Self {
        let spec = policy_spec(dice);
        let budget = spec.retry.as_ref().and_then(|retry| retry.budget.as_ref());
        Self {
            // Of a budget that never granted more, before the change and after it.
            tokens_taken: dice.small(4).min(budget.map_or(0, most_tokens)),
            spec,
            deadlines: (0..dice.below(3)).map(|_| call_deadline(dice)).collect(),
            attempts: (0..=dice.below(6)).map(|_| (dice.time(), end(dice))).collect(),
            oversleep: if dice.one_in(4) { dice.time() } else { Duration::ZERO },
            hook_takes: if dice.one_in(4) { dice.time() } else { Duration::ZERO },
            answers: if dice.one_in(4) { (0..3).map(|_| answer(dice)).collect() } else { Vec::new() },
            abort_at: dice.one_in(8).then(|| dice.time()),
            history: match dice.below(3) {
                0 => History::Opened(dice.time()),
                1 => History::Probing,
                _ => History::None,
            },
            token: dice.one_in(4).then(|| token(dice)),
            is_async: dice.one_in(2),
        }
    }

    /// Makes the change that an explanation names; `false` if it names none.
    fn apply(&mut self, change: Option<Change>) -> bool {
        let Some(change) = change else { return false };
        match (change.field, change.value) {
            ("call.deadline", NewValue::LaterBy(time)) => {
                for deadline in &mut self.deadlines {
                    *deadline = later(*deadline, time);
                }
                // The deadline of a resumed call is one of its token.
                !self.deadlines.is_empty()
            }
            _ => change.apply_to(&mut self.spec),
        }
    }

    fn run(&self) -> Explanation {
        let clock = VirtualClock::new();
        // A deadline may lie before the start of the call.
        clock.advance(secs(100));
        let breaker = self.breaker(&clock);
        let permit = breaker.as_ref().and_then(|breaker| self.prepare(breaker, &clock));
        let retry = self.spec.retry.as_ref().map(|retry| self.retry(retry, &clock));
        let outcome = if self.is_async {
            self.run_async(&clock, retry, breaker.as_ref())
        } else {
            self.run_blocking(&clock, retry, breaker.as_ref())
        };
        drop(permit);
        outcome.explain()
    }

    fn breaker(&self, clock: &VirtualClock) -> Option<CircuitBreaker> {
        let Some(PolicyBreaker::Circuit(spec)) = &self.spec.breaker else { return None };
        Some(CircuitBreaker::from_spec(spec.clone()).clock(clock.clone()).build().expect("a valid breaker"))
    }

    /// Brings the breaker into the state of its history.
    fn prepare<'b>(
        &self,
        breaker: &'b CircuitBreaker,
        clock: &VirtualClock,
    ) -> Option<redress_core::breaker::Permit<'b>> {
        match self.history {
            History::None => None,
            History::Opened(age) => {
                trip(breaker);
                clock.advance(age);
                None
            }
            History::Probing => {
                trip(breaker);
                clock.advance(breaker.spec().recovery_timeout);
                breaker.try_acquire().ok()
            }
        }
    }

    fn retry(&self, spec: &RetrySpec, clock: &VirtualClock) -> RetryBuilder {
        let builder = Retry::from_spec(spec.clone());
        let budget = match &spec.budget {
            None => return builder,
            Some(BudgetSpec::Window { max_retries, window }) => {
                Budget::with_clock(*max_retries, *window, clock.clone()).expect("a valid budget")
            }
            Some(earned) => Budget::from_spec(earned.clone()).expect("a valid budget"),
        };
        for _ in 0..self.tokens_taken {
            let _ = budget.consume();
        }
        builder.budget(budget)
    }

    /// The hooks and deadlines of the call.
    fn context<'a, P>(&'a self, mut context: CallContext<'a, P>, clock: &'a VirtualClock) -> CallContext<'a, P> {
        let start = clock.now();
        for deadline in &self.deadlines {
            let outer = match *deadline {
                CallDeadline::After(time) => CallContext::new().deadline(time),
                CallDeadline::At { later, earlier } => CallContext::new().deadline(start + later - earlier),
            };
            context = context.within(outer.settings());
        }
        if !self.hook_takes.is_zero() {
            context = context.before_sleep(|_, _| clock.advance(self.hook_takes));
        }
        if !self.answers.is_empty() {
            let asked = Mutex::new(0);
            context = context.sleep_handler(move |_: &BackoffContext<'_>, _| {
                let mut asked = asked.lock().expect("whole");
                *asked += 1;
                self.answers[(*asked - 1) % self.answers.len()]
            });
        }
        if let Some(at) = self.abort_at {
            context = context.abort_if(move || clock.now() >= start + at);
        }
        context
    }

    fn run_blocking(
        &self,
        clock: &VirtualClock,
        retry: Option<RetryBuilder>,
        breaker: Option<&CircuitBreaker>,
    ) -> RetryOutcome<(), Failed> {
        let (sleeper, oversleep) = (clock.clone(), self.oversleep);
        let builder = Policy::from_spec(bare(&self.spec)).clock(clock.clone()).classifier(ByFailed);
        let builder = builder.sleep_with(move |wait| sleeper.advance(wait + oversleep));
        let policy = with_parts(builder, retry, breaker).build().expect("a valid policy");
        let context = self.token.map_or_else(|| policy.context(), |token| policy.resume(token));
        self.context(context, clock).execute_with(|attempt| {
            let (takes, end) = self.attempt(attempt.number());
            clock.advance(takes);
            result(end)
        })
    }

    fn run_async(
        &self,
        clock: &VirtualClock,
        retry: Option<RetryBuilder>,
        breaker: Option<&CircuitBreaker>,
    ) -> RetryOutcome<(), Failed> {
        let (timer, oversleep) = (clock.timer(), self.oversleep);
        let mut builder =
            AsyncPolicy::<_, NoTimer>::from_spec(bare(&self.spec)).timer(clock.timer()).classifier(ByFailed);
        if !oversleep.is_zero() {
            let timer = timer.clone();
            builder = builder.sleep_with(move |wait| timer.sleep(wait + oversleep));
        }
        let policy = with_parts(builder, retry, breaker).build().expect("a valid policy");
        let context = self.token.map_or_else(|| policy.context(), |token| policy.resume(token));
        let context = self.context(context, clock);
        clock.block_on(context.execute_with(|attempt| {
            let (takes, end) = self.attempt(attempt.number());
            let sleep = timer.sleep(takes);
            async move {
                sleep.await;
                result(end)
            }
        }))
    }

    fn attempt(&self, number: u32) -> (Duration, End) {
        let index = usize::try_from(number).expect("small").saturating_sub(1);
        self.attempts[index % self.attempts.len()].clone()
    }
}

fn with_parts<C, K>(
    mut builder: PolicyBuilder<C, K>,
    retry: Option<RetryBuilder>,
    breaker: Option<&CircuitBreaker>,
) -> PolicyBuilder<C, K> {
    if let Some(retry) = retry {
        builder = builder.retry(retry);
    }
    if let Some(breaker) = breaker {
        builder = builder.circuit_breaker(breaker);
    }
    builder
}

/// The policy without the parts that are built apart.
fn bare(spec: &PolicySpec) -> PolicySpec {
    let mut bare = spec.clone();
    bare.breaker = None;
    bare.retry = None;
    bare
}

fn trip(breaker: &CircuitBreaker) {
    while let (Ok(permit), true) =
        (breaker.try_acquire(), breaker.state() == redress_core::breaker::CircuitState::Closed)
    {
        permit.failure(ErrorClass::Transient);
    }
}

fn later(deadline: CallDeadline, by: Duration) -> CallDeadline {
    match deadline {
        CallDeadline::After(time) => CallDeadline::After(time + by),
        CallDeadline::At { later, earlier } => CallDeadline::At { later: later + by, earlier },
    }
}

fn call_deadline(dice: &mut Dice) -> CallDeadline {
    match dice.below(8) {
        0..5 => CallDeadline::After(dice.time() + dice.time()),
        5..7 => CallDeadline::At { later: dice.time() + dice.time(), earlier: Duration::ZERO },
        _ => CallDeadline::At { later: Duration::ZERO, earlier: dice.time() },
    }
}

fn policy_spec(dice: &mut Dice) -> PolicySpec {
    let mut spec = PolicySpec::default();
    spec.deadline = dice.maybe(|dice| dice.time() + dice.time() + Duration::from_nanos(1));
    spec.attempt_timeout = dice.one_in(4).then(|| dice.time() + Duration::from_nanos(1));
    spec.finish_running_attempt = dice.one_in(4);
    spec.retry = (!dice.one_in(8)).then(|| retry_spec(dice));
    spec.breaker = dice.one_in(4).then(|| {
        let mut breaker = BreakerSpec::default();
        breaker.failure_threshold = Some(1);
        breaker.recovery_timeout = dice.time() + Duration::from_nanos(1);
        breaker.probe_lease = if dice.one_in(2) { ProbeLease::Endless } else { ProbeLease::RecoveryTimeout };
        PolicyBreaker::Circuit(breaker)
    });
    spec
}

fn retry_spec(dice: &mut Dice) -> RetrySpec {
    let mut retry = RetrySpec::default();
    retry.max_attempts = 1 + dice.small(6);
    retry.max_unknown_retries = dice.maybe(|dice| dice.small(4));
    for class in ErrorClass::ALL.iter().copied() {
        retry.max_retries_for[class] = dice.one_in(4).then(|| dice.small(4));
        retry.strategies[class] = dice.one_in(3).then(|| StrategySpec::Fixed { delay: dice.time() });
    }
    retry.strategy = (!dice.one_in(3)).then(|| StrategySpec::Fixed { delay: dice.time() });
    retry.strategies[ErrorClass::Unknown] = Some(StrategySpec::Fixed { delay: dice.time() });
    retry.budget = match dice.below(4) {
        0 => Some(BudgetSpec::new(dice.small(5), secs(1_000))),
        1 => Some(earned_budget(dice)),
        _ => None,
    };
    retry.ignore_retry_after = dice.one_in(4);
    retry.max_retry_after = dice.one_in(4).then(|| dice.time() + Duration::from_nanos(1));
    retry
}

/// How many tokens a caller of normal priority can take from it at most.
fn most_tokens(budget: &BudgetSpec) -> u32 {
    match budget {
        BudgetSpec::Window { max_retries, .. } => *max_retries,
        BudgetSpec::Earned(earned) => (earned.capacity - earned.reserve) as u32,
        _ => 0,
    }
}

/// A budget without chances, by its reserve: a refusal by chance spends what was left.
fn earned_budget(dice: &mut Dice) -> BudgetSpec {
    let mut budget = EarnedBudgetSpec::new(1.0);
    budget.capacity = f64::from(1 + dice.small(5));
    budget.reserve = f64::from(1 + dice.small(2));
    budget.costs[ErrorClass::Transient] = 1 + dice.small(3);
    BudgetSpec::Earned(budget)
}

fn end(dice: &mut Dice) -> End {
    let classification = match dice.below(16) {
        0 => return End::Good,
        1 => Classification::abort(),
        2 => Classification::new(dice.class()).forbid_retry("dice"),
        3..6 => Classification::new(dice.class()).with_retry_after(dice.time() + dice.time()),
        6 => Classification::new(dice.class()).with_exact_delay(dice.time()),
        7..12 => Classification::new(ErrorClass::Transient),
        _ => Classification::new(dice.class()),
    };
    End::Fails(classification)
}

fn answer(dice: &mut Dice) -> SleepDecision {
    match dice.below(8) {
        0 => SleepDecision::Defer,
        1 => SleepDecision::Abort,
        _ => SleepDecision::Sleep,
    }
}

/// The token of a call that failed up to four times in up to 40 seconds.
fn token(dice: &mut Dice) -> ResumeToken {
    let clock = VirtualClock::new();
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(9).unlimited_unknown_retries();
    let policy = Policy::builder().clock(clock.clone()).classifier(ByFailed).retry(retry).no_deadline();
    let policy = policy.build().expect("valid");
    let class = if dice.one_in(2) { ErrorClass::Unknown } else { ErrorClass::Transient };
    let failures = 1 + dice.below(4);
    let mut token = None;
    for _ in 0..failures {
        let takes = dice.time();
        let context = token.map_or_else(|| policy.context(), |token| policy.resume(token));
        let outcome = context.sleep_handler(|_, _| SleepDecision::Defer).execute(|| {
            clock.advance(takes);
            result(End::Fails(Classification::new(class)))
        });
        token = outcome.resume_token();
    }
    token.expect("deferred")
}

#[derive(Debug)]
struct Failed(Classification);

fn result(end: End) -> Result<(), Failed> {
    match end {
        End::Good => Ok(()),
        End::Fails(classification) => Err(Failed(classification)),
    }
}

#[derive(Clone, Copy)]
struct ByFailed;

impl Classifier<(), Failed> for ByFailed {
    fn classify(&self, result: &Result<(), Failed>) -> Option<Classification> {
        result.as_ref().err().map(|failed| failed.0.clone())
    }
}

/// Where a call ended: the gate, whose deadline, and after how many attempts.
fn place(explanation: &Explanation) -> Option<(Gate, Option<DeadlineOf>, u32)> {
    let decision: Decision = explanation.decision?;
    Some((decision.gate(), decision.deadline_of(), explanation.attempts))
}

/// The change that falls short of this one by as little as possible. A count that is one less, of
/// which zero attempts are no setting; a deadline that is a nanosecond shorter; a recovery timeout
/// that is a nanosecond longer.
fn almost(mut change: Change) -> Option<Change> {
    let tick = Duration::from_nanos(1);
    change.value = match change.value {
        NewValue::Count(count) => NewValue::Count(count - 1),
        NewValue::Time(time) if change.field == "circuit_breaker.recovery_timeout" => NewValue::Time(time + tick),
        NewValue::Time(time) => NewValue::Time(time - tick),
        NewValue::LaterBy(time) => NewValue::LaterBy(time - tick),
        NewValue::Tokens { millionths } => NewValue::Tokens { millionths: millionths - 1 },
        _ => return None,
    };
    Some(change)
}

/// Attacks X4.
#[test]
fn the_setting_that_is_named_lets_the_gate_pass() {
    let mut seen: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for seed in 0..CASES {
        let mut case = Case::draw(&mut Dice(seed));
        let first = case.run();
        assert_eq!(first.decision.is_some(), first.stop_reason.is_some(), "seed {seed}");
        let Some(ended) = place(&first) else { continue };
        let counts = seen.entry(ended.0.as_str()).or_default();
        counts.0 += 1;
        let unchanged = case.clone();
        if !case.apply(first.change) {
            continue;
        }
        counts.1 += 1;
        if let Some(less) = first.change.and_then(almost) {
            let mut case = unchanged;
            assert!(case.apply(Some(less)), "seed {seed}");
            let second = case.run();
            // The deadline of the other owner may be the earlier one then. A resumed call counts no
            // more attempts than are allowed.
            let gate = |(gate, _, attempts)| (gate, attempts * u32::from(gate != Gate::MaxAttempts));
            let same = place(&second).map(gate) == Some(gate(ended));
            assert!(same, "not the nearest, seed {seed}\n{case:#?}\n{first}\n\n{second}");
        }
        let second = case.run();
        assert_ne!(place(&second), Some(ended), "seed {seed}\n{case:#?}\n{first}\n\n{second}");
    }
    println!("{seen:#?}");
    for gate in Gate::ALL.iter().filter(|gate| !ELSEWHERE.contains(gate)) {
        let (ended, changed) = seen.get(gate.as_str()).copied().unwrap_or_default();
        assert!(ended > 10, "{gate}: {ended}");
        assert_eq!(changed > 5, HAS_SETTING.contains(gate), "{gate}: {changed} of {ended}");
    }
}

/// The gates that none of these calls meets: one cuts attempts, one needs a call around the call,
/// and one a breaker that is forced open.
const ELSEWHERE: &[Gate] = &[Gate::AttemptTimeout, Gate::Nested, Gate::CircuitForcedOpen];

const CASES: u64 = 10_000;

/// The gates that a setting lets pass.
const HAS_SETTING: &[Gate] = &[
    Gate::MaxAttempts,
    Gate::ClassRetries,
    Gate::UnknownRetries,
    Gate::Strategy,
    Gate::Deadline,
    Gate::DeadlineAtStart,
    Gate::DeadlineWait,
    Gate::DeadlineAfterHooks,
    Gate::Budget,
    Gate::EarnedBudget,
    Gate::CircuitOpen,
];
