//! Generators of cases. They draw from few values, so that instants coincide, windows end on the
//! nanosecond and limits are reached.
//!
//! Every drawn case is a valid configuration. The parts are boxed: unboxed, a case would not fit on
//! a test thread's stack.

use std::time::Duration;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use redress_core::ErrorClass;
use redress_core::breaker::ProbeLease;

use crate::world::{
    AbortIf, Act, Answer, AttemptSpec, Awaited, BeforeSleep, BreakerSpec, BudgetSpec, CallSpec, Capture, End, Habit,
    Handler, Hooks, OwnDeadline, Pace, PolicySpec, RetrySpec, Sleeper, StrategySpec, TimeoutAs, Times, Way, World,
};

const TICK: Duration = Duration::from_nanos(1);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const TEN_LESS_A_TICK: Duration = Duration::from_nanos(9_999_999_999);

/// How long things take: often nothing.
fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => Just(Duration::ZERO),
        8 => select(vec![TICK, secs(1), secs(2), secs(5), TEN_LESS_A_TICK, secs(10), secs(10) + TICK]),
        1 => select(vec![YEAR, YEAR * 100, YEAR * 600]),
    ]
}

/// The same without durations above 584 years, which `fixed` refuses.
fn countable() -> impl Strategy<Value = Duration> {
    time().prop_map(|time| time.min(YEAR * 500))
}

/// A limit: never zero.
fn limit() -> impl Strategy<Value = Duration> {
    prop_oneof![
        8 => select(vec![TICK, secs(1), secs(2), secs(5), TEN_LESS_A_TICK, secs(10), secs(20)]),
        1 => select(vec![YEAR, YEAR * 500]),
    ]
}

fn class() -> impl Strategy<Value = ErrorClass> {
    prop_oneof![
        5 => Just(ErrorClass::Transient),
        3 => Just(ErrorClass::RateLimit),
        2 => Just(ErrorClass::Unknown),
        3 => select(ErrorClass::ALL.to_vec()),
    ]
}

/// The run of a hook in which something happens.
fn nth() -> impl Strategy<Value = u32> {
    1_u32..6
}

fn delay() -> impl Strategy<Value = Duration> {
    prop_oneof![12 => time(), 1 => Just(Duration::MAX)]
}

fn strategy() -> BoxedStrategy<StrategySpec> {
    prop_oneof![
        3 => countable().prop_map(StrategySpec::Fixed),
        2 => countable().prop_map(|or| StrategySpec::Hinted { or }),
        3 => vec(delay(), 1..4).prop_map(|delays| StrategySpec::Closure { delays, panics_at: None }),
        1 => (vec(delay(), 1..4), nth())
            .prop_map(|(delays, nth)| StrategySpec::Closure { delays, panics_at: Some(nth) }),
        1 => delay().prop_map(StrategySpec::Doubling),
        2 => (0_u8..2, select(vec![Duration::ZERO, secs(1)])).prop_map(|(id, delay)| StrategySpec::Learner { id, delay }),
    ]
    .boxed()
}

fn budget() -> BoxedStrategy<BudgetSpec> {
    (0_u32..4, limit(), any::<bool>())
        .prop_map(|(limit, window, own_clock)| BudgetSpec { limit, window, own_clock })
        .boxed()
}

fn retry() -> BoxedStrategy<RetrySpec> {
    let limits = (1_u32..6, vec((class(), 0_u32..4), 0..3), weighted(0.5, 0_u32..3));
    let strategies = (weighted(0.8, strategy()), vec((class(), strategy()), 0..3));
    let hints = (any::<bool>(), weighted(0.3, limit()));
    (limits, strategies, weighted(0.4, budget()), hints)
        .prop_map(|(limits, (strategy, strategies), budget, (ignores_hints, longest_hint))| {
            let (max_attempts, class_caps, unknown_cap) = limits;
            RetrySpec {
                max_attempts,
                class_caps,
                unknown_cap,
                strategy,
                strategies,
                budget,
                ignores_hints,
                longest_hint,
            }
        })
        .boxed()
}

fn times() -> BoxedStrategy<Times> {
    (weighted(0.6, limit()), weighted(0.4, limit()), any::<bool>())
        .prop_map(|(deadline, attempt_timeout, may_finish)| Times { deadline, attempt_timeout, may_finish })
        .boxed()
}

/// Often one that has passed when the call begins.
fn own_deadline() -> BoxedStrategy<OwnDeadline> {
    prop_oneof![
        6 => time().prop_map(OwnDeadline::After),
        1 => Just(OwnDeadline::After(Duration::MAX)),
        4 => time().prop_map(OwnDeadline::At),
    ]
    .boxed()
}

fn lease() -> impl Strategy<Value = ProbeLease> {
    prop_oneof![
        2 => Just(ProbeLease::RecoveryTimeout),
        2 => limit().prop_map(ProbeLease::Lasts),
        1 => Just(ProbeLease::Endless),
    ]
}

fn breaker() -> BoxedStrategy<BreakerSpec> {
    let classes = (vec(class(), 0..4), vec((class(), 1_u32..3), 0..3));
    let flags = (any::<bool>(), any::<bool>());
    (1_u32..4, limit(), (limit(), lease()), classes, flags)
        .prop_map(|(threshold, window, (recovery, lease), (trip_on, class_thresholds), flags)| BreakerSpec {
            threshold,
            window,
            recovery,
            lease,
            trip_on,
            class_thresholds,
            own_clock: flags.0,
            is_watched: flags.1,
        })
        .boxed()
}

fn habit() -> impl Strategy<Value = Habit> {
    let takes = prop_oneof![3 => Just(Duration::ZERO), 1 => time()];
    (takes, weighted(0.2, nth())).prop_map(|(takes, panics_at)| Habit { takes, panics_at })
}

fn handler() -> BoxedStrategy<Handler> {
    let answer = prop_oneof![3 => Just(Answer::Sleep), 1 => Just(Answer::Defer), 1 => Just(Answer::Abort)];
    (habit(), vec(answer, 0..4)).prop_map(|(habit, answers)| Handler { habit, answers }).boxed()
}

fn awaited() -> impl Strategy<Value = Awaited> {
    let waits = prop_oneof![3 => Just(Duration::ZERO), 1 => time()];
    (0_u8..3, waits, weighted(0.2, Just(()))).prop_map(|(yields, waits, panics)| Awaited {
        yields,
        waits,
        panics: panics.is_some(),
    })
}

fn before_sleep() -> BoxedStrategy<BeforeSleep> {
    (habit(), weighted(0.5, awaited())).prop_map(|(habit, future)| BeforeSleep { habit, future }).boxed()
}

fn sleeper() -> BoxedStrategy<Sleeper> {
    let oversleeps = prop_oneof![3 => Just(Duration::ZERO), 1 => time()];
    (habit(), any::<bool>(), oversleeps, awaited())
        .prop_map(|(habit, is_lazy, oversleeps, future)| Sleeper { habit, is_lazy, oversleeps, future })
        .boxed()
}

/// Often none at all, which is another way through the engine.
fn hooks() -> BoxedStrategy<Hooks> {
    let some = (
        vec(habit(), 0..3),
        weighted(0.3, habit()),
        weighted(0.3, habit()),
        weighted(0.3, handler()),
        weighted(0.3, before_sleep()),
        weighted(0.3, sleeper()),
    );
    let some = some.prop_map(|(observers, on_attempt_start, on_attempt_end, sleep, before_sleep, sleeper)| Hooks {
        observers,
        on_attempt_start,
        on_attempt_end,
        sleep,
        before_sleep,
        sleeper,
    });
    prop_oneof![1 => Just(Hooks::default()), 1 => some].boxed()
}

fn end() -> BoxedStrategy<End> {
    prop_oneof![
        4 => Just(End::Good),
        2 => class().prop_map(End::Bad),
        12 => (class(), weighted(0.3, time())).prop_map(|(class, hint)| End::Fails(class, hint)),
        2 => class().prop_map(End::FailsForGood),
        1 => Just(End::FailsUnclaimed),
        1 => select(vec![End::Aborts, End::AbortsByValue]),
        1 => select(vec![End::Panics, End::ClassifierPanics]),
    ]
    .boxed()
}

fn pace() -> BoxedStrategy<Pace> {
    prop_oneof![
        4 => Just(Pace::AtOnce),
        2 => time().prop_map(Pace::Busy),
        2 => time().prop_map(Pace::Waits),
        2 => (1_u8..4).prop_map(Pace::Yields),
        1 => Just(Pace::Hangs),
    ]
    .boxed()
}

fn call() -> BoxedStrategy<CallSpec> {
    let attempt = (pace(), end()).prop_map(|(pace, end)| AttemptSpec { pace, end });
    let abort_if = (habit(), weighted(0.7, 1_u32..7)).prop_map(|(habit, from)| AbortIf { habit, from });
    let settings = (
        select(vec![Way::Call, Way::Execute]),
        weighted(0.3, select(vec!["", "sync_user"])),
        hooks(),
        weighted(0.2, abort_if),
        prop_oneof![4 => Just(Capture::Off), 1 => Just(Capture::Fresh), 1 => Just(Capture::Shared)],
        weighted(0.25, own_deadline()),
    );
    (vec(attempt, 1..6), settings)
        .prop_map(|(script, (way, name, hooks, abort_if, timeline, deadline))| CallSpec {
            script,
            way,
            name,
            hooks,
            abort_if,
            timeline,
            deadline,
        })
        .boxed()
}

fn act() -> BoxedStrategy<Act> {
    let call = 0_usize..6;
    prop_oneof![
        3 => call.clone().prop_map(Act::Run),
        4 => call.clone().prop_map(Act::Poll),
        2 => (call.clone(), 1_u8..4).prop_map(|(call, times)| Act::Steps(call, times)),
        4 => time().prop_map(Act::Advance),
        1 => call.prop_map(Act::Drop),
    ]
    .boxed()
}

/// Any case.
pub(crate) fn worlds() -> BoxedStrategy<World> {
    let timeout_as = prop_oneof![
        6 => Just(TimeoutAs::NoOpinion),
        1 => class().prop_map(TimeoutAs::Class),
        1 => Just(TimeoutAs::Abort),
    ];
    let policy = (weighted(0.8, retry()), times(), weighted(0.6, breaker()), hooks(), timeout_as);
    let policy = policy.prop_map(|(retry, times, breaker, hooks, timeout_as)| PolicySpec {
        retry,
        times,
        breaker,
        hooks,
        timeout_as,
    });
    (policy, vec(call(), 1..7), vec(act(), 0..12))
        .prop_map(|(policy, calls, acts)| World { policy, calls, acts })
        .boxed()
}

/// Cases about shared state: several concurrent calls, a breaker that trips soon, and no hooks that
/// take time.
pub(crate) fn crowds() -> BoxedStrategy<World> {
    let short = || select(vec![TICK, secs(1), secs(2)]);
    let retry = (1_u32..3, weighted(0.5, (1_u32..3, short()))).prop_map(|(max_attempts, budget)| {
        let budget = budget.map(|(limit, window)| BudgetSpec { limit, window, own_clock: false });
        RetrySpec { max_attempts, budget, strategy: Some(StrategySpec::Fixed(Duration::ZERO)), ..RetrySpec::default() }
    });
    let window = select(vec![TICK, secs(2), YEAR, YEAR]);
    let leases =
        prop_oneof![Just(ProbeLease::RecoveryTimeout), short().prop_map(ProbeLease::Lasts), Just(ProbeLease::Endless)];
    let breaker = (1_u32..3, window, short(), leases, any::<bool>());
    let breaker = breaker.prop_map(|(threshold, window, recovery, lease, is_watched)| {
        let (trip_on, class_thresholds) = (vec![ErrorClass::Transient], vec![(ErrorClass::RateLimit, 2)]);
        BreakerSpec { threshold, window, recovery, lease, trip_on, class_thresholds, own_clock: false, is_watched }
    });
    let pace = prop_oneof![
        2 => Just(Pace::AtOnce),
        4 => (1_u8..4).prop_map(Pace::Yields),
        1 => Just(Pace::Hangs),
    ];
    let end = prop_oneof![
        6 => Just(End::Good),
        6 => Just(End::Fails(ErrorClass::Transient, None)),
        2 => Just(End::Fails(ErrorClass::RateLimit, None)),
        2 => Just(End::Fails(ErrorClass::Auth, None)),
        1 => Just(End::Aborts),
        1 => Just(End::Panics),
    ];
    let attempt = (pace, end).prop_map(|(pace, end)| AttemptSpec { pace, end });
    let call = vec(attempt, 1..3).prop_map(|script| CallSpec { script, ..CallSpec::default() });
    let act = prop_oneof![
        6 => (0_usize..10).prop_map(Act::Poll),
        6 => (0_usize..10).prop_map(Act::Run),
        3 => short().prop_map(Act::Advance),
        1 => (0_usize..10).prop_map(Act::Drop),
    ];
    let policy = (retry, breaker, weighted(0.5, Just(Habit::default())));
    (policy, vec(call, 4..10), vec(act, 8..40))
        .prop_map(|((retry, breaker, observer), calls, acts)| {
            let hooks = Hooks { observers: observer.into_iter().collect(), ..Hooks::default() };
            let policy = PolicySpec { retry: Some(retry), breaker: Some(breaker), hooks, ..PolicySpec::default() };
            World { policy, calls, acts }
        })
        .boxed()
}
