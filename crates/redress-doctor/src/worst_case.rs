//! [`WorstCase`]: how long a call may take, and how many attempts it may make.

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::policy::{PolicySpec, RetrySpec};
use redress_core::strategy::StrategySpec;

use crate::frontier::{Course, Frontier, Step};
use crate::waits::{WaitRange, longest_hint};

/// How many retries are followed one by one. Beyond, each takes as long as the longest.
const FOLLOWED: u32 = 256;

/// The longest time and the most attempts of one call, for all answers of the dependency.
///
/// **Invariant**: no call takes longer or makes more attempts. Unless a call makes more than 257
/// attempts, or has many strategies with caps, some call comes within a microsecond of both.
///
/// Classes, hints, draws of jitter and the lengths of attempts are the worst ones. Not counted are
/// the time that hooks take, attempts of blocking calls that overrun their time, delays that
/// a classifier orders exactly (as gRPC's pushback does), and what a budget or a breaker prevents.
///
/// ```
/// use std::time::Duration;
/// use redress::doctor::WorstCase;
/// use redress::{Policy, Retry, fixed};
///
/// let retry = Retry::builder().max_attempts(3).strategy(fixed(Duration::from_millis(500)));
/// let retry = retry.max_retry_after(Duration::from_secs(1));
/// let policy = Policy::builder().retry(retry).attempt_timeout(Duration::from_secs(2)).no_deadline().build()?;
/// let mut spec = policy.spec();
///
/// let worst = WorstCase::of(&spec);
/// assert_eq!((worst.time, worst.calls), (Some(Duration::from_secs(3 * 2 + 2 * 1)), 3));
/// spec.deadline = Some(Duration::from_secs(5));
/// assert_eq!(WorstCase::of(&spec).time, Some(Duration::from_secs(5)));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorstCase {
    /// The longest time from the start of a call to its end; `None` if nothing limits it.
    pub time: Option<Duration>,
    /// The most attempts of a call, the first one included.
    pub calls: u32,
}

impl WorstCase {
    /// The worst case of the calls of a policy with these settings.
    #[must_use]
    pub fn of(spec: &PolicySpec) -> Self {
        Self::search(spec, Hints::Any)
    }

    /// The same for a dependency that gives no hints.
    #[must_use]
    pub fn without_hints(spec: &PolicySpec) -> Self {
        Self::search(spec, Hints::None)
    }

    fn search(spec: &PolicySpec, hints: Hints) -> Self {
        let limits = Limits::of(spec);
        let ways = spec.retry.as_ref().map(|retry| ways(retry, hints)).unwrap_or_default();
        let retries = retries(spec, &ways);
        let mut worst = Self { time: Some(Duration::ZERO), calls: 1 };
        let mut frontier = Frontier::new(ways.len());
        for done in 0..=retries.min(FOLLOWED) {
            frontier.retain(|course| limits.may_start(course.least));
            let Some(longest) = frontier.courses().map(|course| limits.end(course, done)).max() else { break };
            worst.time = worst.time.map(|time| time.max(longest));
            worst.calls = done + 1;
            if done < retries.min(FOLLOWED) {
                frontier.advance(|course, take| steps(&ways, course, done + 1, take));
            }
        }
        if let Some(more) = retries.checked_sub(FOLLOWED) {
            worst.extend(&frontier, &ways, &limits, more);
        }
        worst.time = worst.time.filter(|time| *time < Duration::MAX);
        worst
    }

    /// Adds the retries that are not followed: each waits at least as long as the last one that is,
    /// and at most as long as any. Nothing is added once no course goes on.
    fn extend(&mut self, frontier: &Frontier, ways: &[Way], limits: &Limits, more: u32) {
        let longest = ways.iter().flat_map(|way| way.waits(u32::MAX, Some(Duration::MAX)));
        let most = longest.map(|(range, _)| range.most).max().unwrap_or_default();
        let shortest = ways.iter().flat_map(|way| way.waits(FOLLOWED, None));
        let least = shortest.map(|(range, _)| range.least).min().unwrap_or_default();
        for course in frontier.courses() {
            let fit = limits.deadline.map_or(more, |deadline| {
                let left = deadline.saturating_sub(course.least).as_nanos();
                left.checked_div(least.as_nanos()).map_or(more, |fit| u32::try_from(fit).unwrap_or(more).min(more))
            });
            self.calls = self.calls.max((FOLLOWED + 1).saturating_add(fit));
            let longer = Course { most: course.most.saturating_add(most.saturating_mul(more)), ..course.clone() };
            self.time = self.time.map(|time| time.max(limits.end(&longer, FOLLOWED + more)));
        }
    }
}

/// Whether the dependency gives hints.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hints {
    Any,
    None,
}

/// What ends attempts and calls.
struct Limits {
    attempt: Duration,
    deadline: Option<Duration>,
    /// Whether the deadline leaves a running attempt alone. One with a timeout is cut at both.
    finishes: bool,
}

impl Limits {
    fn of(spec: &PolicySpec) -> Self {
        let attempt = spec.attempt_timeout.unwrap_or(Duration::MAX);
        Self {
            attempt,
            deadline: spec.deadline,
            finishes: spec.finish_running_attempt && spec.attempt_timeout.is_none(),
        }
    }

    /// Whether an attempt may start after waits that take at least `least`.
    fn may_start(&self, least: Duration) -> bool {
        self.deadline.is_none_or(|deadline| least < deadline)
    }

    /// The latest end of the attempt after `retries` waits of this course.
    fn end(&self, course: &Course, retries: u32) -> Duration {
        let end = self.attempt.saturating_mul(retries.saturating_add(1)).saturating_add(course.most);
        self.deadline.filter(|_| !self.finishes).map_or(end, |deadline| end.min(deadline))
    }
}

/// The classes that wait alike, and how many retries they may have together.
struct Way {
    strategy: StrategySpec,
    cap: Option<u32>,
    /// The longest hint that is a floor of waits; zero if hints are ignored or not given.
    floor: Duration,
    /// The longest hint that the strategy sees; `None` if none is given.
    hint: Option<Duration>,
}

impl Way {
    /// The waits that may follow this attempt, each with the longest delay that it leaves for the
    /// next one: a computed delay, one of zero if jitter may draw it, and one derived from a hint.
    fn waits(&self, attempt: u32, prev: Option<Duration>) -> impl Iterator<Item = (WaitRange, Option<Duration>)> {
        let computed = WaitRange::of(&self.strategy, attempt, prev);
        let derived = self.hint.and_then(|longest| WaitRange::of_hint(&self.strategy, longest));
        // A strategy that reads hints computes a delay only without one, so no hint is its floor.
        let floor = if derived.is_some() { Duration::ZERO } else { self.floor };
        let floored = |most: Duration| WaitRange { most: most.max(floor), ..computed };
        // After a delay of zero, decorrelated jitter starts over from its base.
        let drawn_zero = (computed.least.is_zero() && !computed.most.is_zero()).then(|| floored(Duration::ZERO));
        [
            Some((floored(computed.most), Some(computed.most).filter(|most| !most.is_zero()))),
            drawn_zero.map(|range| (range, None)),
            derived.map(|range| (range, prev)),
        ]
        .into_iter()
        .flatten()
    }
}

fn steps(ways: &[Way], course: &Course, attempt: u32, take: &mut dyn FnMut(Step)) {
    for (way, settings) in ways.iter().enumerate() {
        if settings.cap.is_some_and(|cap| course.used[way] >= cap) {
            continue;
        }
        for (range, prev) in settings.waits(attempt, course.prev) {
            take(Step { way, capped: settings.cap.is_some(), range, prev });
        }
    }
}

/// The ways of a retry: classes with the same strategy and no cap are one way, those with caps
/// another.
fn ways(retry: &RetrySpec, hints: Hints) -> Vec<Way> {
    let hint = (hints == Hints::Any).then(|| longest_hint(retry));
    let floor = if retry.ignore_retry_after { Duration::ZERO } else { hint.unwrap_or_default() };
    let mut ways: Vec<Way> = Vec::new();
    for class in ErrorClass::ALL.iter().copied().filter(|class| class.is_retryable()) {
        let Some(strategy) = retry.strategy_of(class) else { continue };
        let cap = cap_of(retry, class);
        let alike = |way: &&mut Way| way.cap.is_some() == cap.is_some() && way.strategy == *strategy;
        match ways.iter_mut().find(alike) {
            Some(way) => way.cap = way.cap.zip(cap).map(|(of_way, cap)| of_way.saturating_add(cap)),
            None => ways.push(Way { strategy: strategy.into_owned(), cap, floor, hint }),
        }
    }
    ways
}

/// How many failures of a class may be retried, if fewer than the attempts allow.
pub(crate) fn cap_of(retry: &RetrySpec, class: ErrorClass) -> Option<u32> {
    let of_unknown = retry.max_unknown_retries.filter(|_| class == ErrorClass::Unknown);
    let cap = [retry.max_retries_for[class], of_unknown].into_iter().flatten().min();
    cap.filter(|cap| *cap < retry.max_attempts.saturating_sub(1))
}

fn retries(spec: &PolicySpec, ways: &[Way]) -> u32 {
    let allowed = spec.retry.as_ref().map_or(0, |retry| retry.max_attempts.saturating_sub(1));
    let capped = ways.iter().try_fold(0_u32, |sum, way| way.cap.map(|cap| sum.saturating_add(cap)));
    capped.map_or(allowed, |capped| allowed.min(capped))
}
