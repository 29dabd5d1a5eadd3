//! Reads cases from bytes. They have few values, so that instants coincide, windows end on the
//! nanosecond and limits are reached.
//!
//! Every case is a valid configuration. Its parts have fixed lengths, so that a change within one
//! leaves the others as they are.

mod breaker;

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::breaker::ProbeLease;
use redress_core::budget::Priority;

use self::breaker::more_rules;
pub(crate) use self::breaker::{breaker, mode};
use crate::bytes::Bytes;
use crate::world::{
    AbortIf, Act, Answer, AttemptSpec, Awaited, BeforeSleep, BreakerSpec, BudgetSpec, CallSpec, Capture, EarnedSpec,
    End, Habit, Handler, Hooks, OwnDeadline, Pace, PolicySpec, RetrySpec, Sleeper, StrategySpec, TimeoutAs, Times, Way,
    World,
};

/// The lengths of the parts in bytes.
pub(crate) const POLICY: usize = 192;
pub(crate) const CALL: usize = 96;
pub(crate) const ACT: usize = 3;
pub(crate) const BREAKER: usize = 64;

/// The most calls, and the most acts.
pub(crate) const CALLS: u8 = 10;
pub(crate) const ACTS: usize = 64;

const TICK: Duration = Duration::from_nanos(1);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const TEN_LESS_A_TICK: Duration = Duration::from_nanos(9_999_999_999);

impl World {
    /// The case that these bytes describe: the number of calls and its kind, the policy, the calls,
    /// and what happens to them.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut bytes = Bytes::new(bytes);
        let (count, is_crowd) = (bytes.below(CALLS) + 1, bytes.flag());
        let (policy, call): (_, fn(&mut Bytes<'_>) -> CallSpec) = if is_crowd {
            (crowd_policy(&mut bytes.part(POLICY)), crowd_call)
        } else {
            (policy(&mut bytes.part(POLICY)), call)
        };
        let calls = (0..count).map(|_| call(&mut bytes.part(CALL))).collect();
        let mut acts = Vec::new();
        while !bytes.is_at_end() && acts.len() < ACTS {
            let mut bytes = bytes.part(ACT);
            acts.push(if is_crowd { crowd_act(&mut bytes) } else { act(&mut bytes) });
        }
        Self { policy, calls, acts }
    }
}

/// How long things take: often nothing.
fn time(bytes: &mut Bytes<'_>) -> Duration {
    match bytes.below(13) {
        0..4 => Duration::ZERO,
        4..12 => bytes.one_of(&[TICK, secs(1), secs(2), secs(5), TEN_LESS_A_TICK, secs(10), secs(10) + TICK]),
        _ => bytes.one_of(&[YEAR, YEAR * 100, YEAR * 600]),
    }
}

/// A time that is nothing more often.
fn seldom(bytes: &mut Bytes<'_>) -> Duration {
    bytes.maybe(3, time).unwrap_or_default()
}

/// The same without durations above 584 years, which `fixed` refuses.
fn countable(bytes: &mut Bytes<'_>) -> Duration {
    time(bytes).min(YEAR * 500)
}

/// A limit: never zero.
fn limit(bytes: &mut Bytes<'_>) -> Duration {
    match bytes.below(9) {
        0..8 => bytes.one_of(&[secs(1), TICK, secs(2), secs(5), TEN_LESS_A_TICK, secs(10), secs(20)]),
        _ => bytes.one_of(&[YEAR, YEAR * 500]),
    }
}

fn short(bytes: &mut Bytes<'_>) -> Duration {
    bytes.one_of(&[secs(1), TICK, secs(2)])
}

fn class(bytes: &mut Bytes<'_>) -> ErrorClass {
    match bytes.below(13) {
        0..5 => ErrorClass::Transient,
        5..8 => ErrorClass::RateLimit,
        8 | 9 => ErrorClass::Unknown,
        _ => bytes.one_of(ErrorClass::ALL),
    }
}

fn class_and(bytes: &mut Bytes<'_>, end: u8) -> (ErrorClass, u32) {
    (class(bytes), bytes.below(end).into())
}

/// The run of a hook in which something happens.
fn nth(bytes: &mut Bytes<'_>) -> u32 {
    1 + u32::from(bytes.below(5))
}

fn delay(bytes: &mut Bytes<'_>) -> Duration {
    if bytes.below(13) == 12 { Duration::MAX } else { time(bytes) }
}

fn strategy(bytes: &mut Bytes<'_>) -> StrategySpec {
    match bytes.below(12) {
        0..3 => StrategySpec::Fixed(countable(bytes)),
        3 | 4 => StrategySpec::Hinted { or: countable(bytes) },
        5..8 => StrategySpec::Closure { delays: bytes.some(3, delay), panics_at: None },
        8 => StrategySpec::Closure { panics_at: Some(nth(bytes)), delays: bytes.some(3, delay) },
        9 => StrategySpec::Doubling(delay(bytes)),
        _ => StrategySpec::Learner { id: bytes.below(2), delay: bytes.one_of(&[Duration::ZERO, secs(1)]) },
    }
}

fn budget(bytes: &mut Bytes<'_>) -> BudgetSpec {
    BudgetSpec {
        limit: bytes.below(4).into(),
        window: limit(bytes),
        own_clock: bytes.flag(),
        earned: bytes.maybe(5, earned),
    }
}

fn earned(bytes: &mut Bytes<'_>) -> EarnedSpec {
    EarnedSpec {
        share: bytes.one_of(&[0.5, 0.1, 1.0, 1.0 / 3.0]),
        capacity: bytes.one_of(&[2.0, 1.0, 0.3, 3.5]),
        reserve: bytes.one_of(&[0.0, 0.0, 1.0]),
        cost: (class(bytes), 1 + u32::from(bytes.below(3))),
        seed: bytes.next().into(),
    }
}

fn priority(bytes: &mut Bytes<'_>) -> Priority {
    bytes.one_of(&[Priority::Normal, Priority::Critical, Priority::Normal, Priority::Background])
}

fn retry(bytes: &mut Bytes<'_>) -> RetrySpec {
    RetrySpec {
        max_attempts: nth(bytes),
        class_caps: bytes.several(3, |bytes| class_and(bytes, 4)),
        unknown_cap: bytes.maybe(5, |bytes| bytes.below(3).into()),
        strategy: bytes.maybe(8, strategy),
        strategies: bytes.several(3, |bytes| (class(bytes), strategy(bytes))),
        budget: bytes.maybe(4, budget),
        ignores_hints: bytes.flag(),
        longest_hint: bytes.maybe(3, limit),
    }
}

fn times(bytes: &mut Bytes<'_>) -> Times {
    Times { deadline: bytes.maybe(6, limit), attempt_timeout: bytes.maybe(4, limit), may_finish: bytes.flag() }
}

/// Often one that has passed when the call begins.
fn own_deadline(bytes: &mut Bytes<'_>) -> OwnDeadline {
    match bytes.below(11) {
        0..6 => OwnDeadline::After(time(bytes)),
        6 => OwnDeadline::After(Duration::MAX),
        _ => OwnDeadline::At(time(bytes)),
    }
}

fn habit(bytes: &mut Bytes<'_>) -> Habit {
    Habit { takes: seldom(bytes), panics_at: bytes.maybe(2, nth) }
}

fn awaited(bytes: &mut Bytes<'_>) -> Awaited {
    Awaited { yields: bytes.below(3), waits: seldom(bytes), panics: bytes.often(2) }
}

fn answer(bytes: &mut Bytes<'_>) -> Answer {
    bytes.one_of(&[Answer::Sleep, Answer::Defer, Answer::Sleep, Answer::Abort])
}

/// Often none at all, which is another way through the engine.
fn hooks(bytes: &mut Bytes<'_>) -> Hooks {
    if !bytes.flag() {
        return Hooks::default();
    }
    Hooks {
        observers: bytes.several(3, habit),
        on_attempt_start: bytes.maybe(3, habit),
        on_attempt_end: bytes.maybe(3, habit),
        sleep: bytes.maybe(4, |bytes| Handler { habit: habit(bytes), answers: bytes.several(4, answer) }),
        before_sleep: bytes.maybe(4, |bytes| BeforeSleep { habit: habit(bytes), future: bytes.maybe(5, awaited) }),
        sleeper: bytes.maybe(3, |bytes| Sleeper {
            habit: habit(bytes),
            is_lazy: bytes.flag(),
            oversleeps: seldom(bytes),
            future: awaited(bytes),
        }),
    }
}

fn end(bytes: &mut Bytes<'_>) -> End {
    match bytes.below(25) {
        0..4 => End::Good,
        4 | 5 => End::Bad(class(bytes)),
        6..18 => End::Fails(class(bytes), bytes.maybe(3, time)),
        18 | 19 => End::FailsForGood(class(bytes)),
        20 => End::FailsUnclaimed,
        21 => End::Aborts,
        22 => End::AbortsByValue,
        23 => End::Panics,
        _ => End::ClassifierPanics,
    }
}

fn pace(bytes: &mut Bytes<'_>) -> Pace {
    match bytes.below(11) {
        0..4 => Pace::AtOnce,
        4 | 5 => Pace::Busy(time(bytes)),
        6 | 7 => Pace::Waits(time(bytes)),
        8 | 9 => Pace::Yields(1 + bytes.below(3)),
        _ => Pace::Hangs,
    }
}

fn call(bytes: &mut Bytes<'_>) -> CallSpec {
    CallSpec {
        script: bytes.some(5, |bytes| AttemptSpec { pace: pace(bytes), end: end(bytes) }),
        way: bytes.one_of(&[Way::Call, Way::Execute]),
        is_once: bytes.often(2),
        blocks: bytes.often(2),
        name: bytes.maybe(3, |bytes| bytes.one_of(&["", "sync_user"])),
        hooks: hooks(bytes),
        abort_if: bytes.maybe(2, |bytes| AbortIf {
            habit: habit(bytes),
            from: bytes.maybe(7, |bytes| 1 + u32::from(bytes.below(6))),
        }),
        timeline: bytes.one_of(&[
            Capture::Off,
            Capture::Off,
            Capture::Off,
            Capture::Off,
            Capture::Fresh,
            Capture::Shared,
        ]),
        deadline: bytes.maybe(2, own_deadline),
        priority: priority(bytes),
    }
}

fn act(bytes: &mut Bytes<'_>) -> Act {
    let choice = bytes.below(15);
    match choice {
        10..=13 => Act::Advance(time(bytes)),
        14 => Act::Mode(mode(bytes)),
        _ => act_on(choice, bytes.next().into(), bytes),
    }
}

fn act_on(choice: u8, call: usize, bytes: &mut Bytes<'_>) -> Act {
    match choice {
        0..3 => Act::Run(call),
        3..7 => Act::Poll(call),
        7 | 8 => Act::Steps(call, 1 + bytes.below(3)),
        _ => Act::Drop(call),
    }
}

/// Any policy.
fn policy(bytes: &mut Bytes<'_>) -> PolicySpec {
    PolicySpec {
        retry: bytes.maybe(8, retry),
        times: times(bytes),
        once: times(bytes),
        breaker: bytes.maybe(6, breaker),
        hooks: hooks(bytes),
        timeout_as: match bytes.below(8) {
            0..6 => TimeoutAs::NoOpinion,
            6 => TimeoutAs::Class(class(bytes)),
            _ => TimeoutAs::Abort,
        },
    }
}

/// A policy about shared state: a breaker that trips soon, and no hooks that take time.
fn crowd_policy(bytes: &mut Bytes<'_>) -> PolicySpec {
    let retry = RetrySpec {
        max_attempts: 1 + u32::from(bytes.below(2)),
        budget: bytes.maybe(5, |bytes| BudgetSpec {
            limit: 1 + u32::from(bytes.below(2)),
            window: short(bytes),
            own_clock: false,
            earned: bytes.maybe(5, earned),
        }),
        strategy: Some(StrategySpec::Fixed(Duration::ZERO)),
        ..RetrySpec::default()
    };
    let breaker = BreakerSpec {
        threshold: 1 + u32::from(bytes.below(2)),
        window: bytes.one_of(&[YEAR, secs(2), TICK, YEAR]),
        recovery: short(bytes),
        lease: match bytes.below(3) {
            0 => ProbeLease::RecoveryTimeout,
            1 => ProbeLease::Lasts(short(bytes)),
            _ => ProbeLease::Endless,
        },
        trip_on: vec![ErrorClass::Transient],
        class_thresholds: vec![(ErrorClass::RateLimit, 2)],
        own_clock: false,
        is_watched: bytes.flag(),
        more: bytes.maybe(5, more_rules),
    };
    let hooks = Hooks { observers: bytes.several(2, |_| Habit::default()), ..Hooks::default() };
    PolicySpec { retry: Some(retry), breaker: Some(breaker), hooks, ..PolicySpec::default() }
}

fn crowd_call(bytes: &mut Bytes<'_>) -> CallSpec {
    let script = bytes.some(2, |bytes| AttemptSpec {
        pace: match bytes.below(7) {
            0 | 1 => Pace::AtOnce,
            2..6 => Pace::Yields(1 + bytes.below(3)),
            _ => Pace::Hangs,
        },
        end: match bytes.below(18) {
            0..6 => End::Good,
            6..12 => End::Fails(ErrorClass::Transient, None),
            12 | 13 => End::Fails(ErrorClass::RateLimit, None),
            14 | 15 => End::Fails(ErrorClass::Auth, None),
            16 => End::Aborts,
            _ => End::Panics,
        },
    });
    CallSpec {
        script,
        blocks: bytes.often(1),
        is_once: bytes.often(1),
        priority: priority(bytes),
        ..CallSpec::default()
    }
}

fn crowd_act(bytes: &mut Bytes<'_>) -> Act {
    match bytes.below(16) {
        0..6 => Act::Poll(bytes.next().into()),
        6..12 => Act::Run(bytes.next().into()),
        12..15 if bytes.below(8) == 7 => Act::Mode(mode(bytes)),
        12..15 => Act::Advance(short(bytes)),
        _ => Act::Drop(bytes.next().into()),
    }
}
