//! Resumed calls: each call of the recorded scenarios, deferred after any of its attempts and
//! continued from the token, takes the same course as in one piece.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use redress_core::resume::ResumeToken;
use redress_core::{Budget, EventName, Policy, RetryOutcome, SleepDecision, StopReason};
use redress_testing::VirtualClock;

use crate::number::duration;
use crate::parts::{Raised, Returned, ScenarioClassifier, budget, configure, must_build, result_of};
use crate::scenario::{CallSpec, Scenario, recorded_scenarios};

/// The course of a call: when each attempt began, and how the call ended.
#[derive(Debug, PartialEq)]
struct Course {
    attempts: Vec<(u32, Duration)>,
    stop_reason: Option<StopReason>,
    made: u32,
    elapsed: Duration,
    ended_at: Duration,
    budget: Option<u32>,
}

/// The attempts after which a call is deferred.
type Cuts<'a> = &'a (dyn Fn(u32) -> bool + Sync);

struct World {
    clock: VirtualClock,
    policy: Policy<ScenarioClassifier>,
    budget: Option<Budget>,
}

impl World {
    /// Breakers are left out: they judge each delivery.
    fn of(scenario: &Scenario) -> Self {
        let mut scenario = scenario.clone();
        scenario.breaker = None;
        let (clock, budget) = (VirtualClock::new(), budget(&scenario));
        let builder = configure(Policy::builder().clock(clock.clone()), &scenario, budget.as_ref());
        Self { policy: must_build(&scenario, builder.build()), clock, budget }
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000) + self.clock.elapsed()
    }

    /// Makes a call, deferred after each attempt that `cuts` names.
    fn course(&self, spec: &CallSpec, cuts: Cuts<'_>) -> Course {
        self.clock.advance(duration(spec.advance_s));
        let (attempts, retries) = (Mutex::new(Vec::new()), AtomicU32::new(0));
        let mut token = None;
        loop {
            let outcome = self.deliver(spec, token, cuts, &attempts, &retries);
            match outcome.resume_token_at(self.wall()) {
                None => return self.ended(&outcome, attempts),
                Some(given) => {
                    let pause = outcome.next_delay().expect("deferred");
                    self.clock.advance(pause.saturating_add(duration(spec.oversleep_s)));
                    token = Some(read_again(given).with_pause_until(self.wall()));
                }
            }
        }
    }

    fn deliver(
        &self,
        spec: &CallSpec,
        token: Option<ResumeToken>,
        cuts: Cuts<'_>,
        attempts: &Mutex<Vec<(u32, Duration)>>,
        retries: &AtomicU32,
    ) -> RetryOutcome<Returned, Raised> {
        let context = token.map_or_else(|| self.policy.context(), |token| self.policy.resume(token));
        let wants_abort = || {
            let seen = retries.load(Ordering::Relaxed);
            let by_events = spec.abort_after_retry_events.is_some_and(|events| seen >= events);
            by_events || spec.abort_at_s.is_some_and(|at| self.clock.elapsed() >= duration(at))
        };
        let oversleep = duration(spec.oversleep_s);
        context
            .on_metric(|event| {
                retries.fetch_add(u32::from(event.name == EventName::Retry), Ordering::Relaxed);
            })
            .abort_if(wants_abort)
            // A wait that does not fit the deadline ends a call in one piece, and is not deferred
            // here.
            .sleep_handler(|failed, wait| {
                let fits = failed.remaining.is_none_or(|left| wait < left);
                if fits && cuts(failed.attempt) { SleepDecision::Defer } else { SleepDecision::Sleep }
            })
            .sleep_with(|delay| self.clock.advance(delay.saturating_add(oversleep)))
            .execute_with(|attempt| {
                let began = (attempt.number(), self.clock.elapsed());
                attempts.lock().expect("not poisoned").push(began);
                let spec = spec.attempt(attempt.number());
                self.clock.advance(duration(spec.takes_s));
                result_of(spec, attempt.number())
            })
    }

    fn ended(&self, outcome: &RetryOutcome<Returned, Raised>, attempts: Mutex<Vec<(u32, Duration)>>) -> Course {
        Course {
            attempts: attempts.into_inner().expect("not poisoned"),
            stop_reason: outcome.stop_reason(),
            made: outcome.attempts(),
            elapsed: outcome.elapsed(),
            ended_at: self.clock.elapsed(),
            budget: self.budget.as_ref().map(|budget| budget.remaining_at(self.clock.now())),
        }
    }
}

/// The token as another process receives it.
fn read_again(token: ResumeToken) -> ResumeToken {
    let text = token.to_string();
    assert!(text.len() <= 120, "{text}");
    assert_eq!(text.parse(), Ok(token));
    token
}

fn courses(scenario: &Scenario, cuts: Cuts<'_>) -> Vec<Course> {
    let world = World::of(scenario);
    let calls = scenario.calls.iter().filter(|spec| spec.sleep.is_none());
    calls.map(|spec| world.course(spec, cuts)).collect()
}

#[test]
fn a_call_in_deliveries_takes_the_course_of_a_call_in_one_piece() {
    let mut deferred = 0;
    for scenario in recorded_scenarios() {
        let whole = courses(&scenario, &|_| false);
        let longest = whole.iter().map(|course| course.made).max().unwrap_or(0);
        for cut in 1..=longest {
            assert_eq!(courses(&scenario, &|attempt| attempt == cut), whole, "{} cut after {cut}", scenario.id());
            deferred += usize::from(cut < longest);
        }
        assert_eq!(courses(&scenario, &|_| true), whole, "{} cut everywhere", scenario.id());
    }
    assert!(deferred > 300, "{deferred} scenarios with a cut");
}
