//! The scene of a storm: every budget, breaker and policy in it, which parts they share, and how
//! tight their limits are.
//!
//! All of it lives until the program ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use redress_core::policy::RetryBuilder;
use redress_core::strategy::{Strategy, adaptive, equal_jitter, token_backoff};
use redress_core::{CircuitBreaker, ErrorClass, Retry, decorrelated_jitter, fixed, retry_after_or};
use redress_proof::Laws;

use crate::arguments::Arguments;
use crate::breakers::{Circuit, Edges};
use crate::budgets::Purse;
use crate::call::{Census, Terms};
use crate::clock::{NotedClock, WildClock};
use crate::subject::{Guard, Pupil, Recipe, Subject};
use crate::witness::Witness;

pub(crate) struct Scene {
    pub(crate) laws: &'static Laws,
    pub(crate) arguments: Arguments,
    pub(crate) seed: u64,
    pub(crate) wild: &'static WildClock,
    pub(crate) purses: Vec<&'static Purse>,
    pub(crate) circuits: Vec<&'static Circuit>,
    pub(crate) witness: Arc<Witness>,
    /// The transitions of the witness that observers received.
    pub(crate) witness_told: &'static Edges,
    pub(crate) subjects: Vec<Subject>,
    /// The percentage of attempts that fail at present.
    pub(crate) failing_percent: AtomicU32,
    is_over: AtomicBool,
}

impl Scene {
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    pub(crate) fn call_it_over(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn set(arguments: &Arguments) -> &'static Self {
        let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
        let laws: &'static Laws = forever(Laws::default());
        let wild: &'static WildClock = forever(WildClock::new());
        let parts = Parts::make(laws, wild, seed);
        forever(Self {
            laws,
            arguments: arguments.clone(),
            seed,
            wild,
            purses: vec![parts.ticking, parts.timed, parts.plain, parts.jumping],
            circuits: vec![parts.mixed, parts.told, parts.jumpy, parts.north, parts.south],
            subjects: parts.subjects(),
            witness: parts.witness,
            witness_told: parts.witness_told,
            failing_percent: AtomicU32::new(10),
            is_over: AtomicBool::new(false),
        })
    }
}

/// Leaks a value so that threads and tasks can borrow it; called once for each part of the scene.
fn forever<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

const MILLI: Duration = Duration::from_millis(1);
const MICRO: Duration = Duration::from_micros(1);

struct Parts {
    laws: &'static Laws,
    wild: &'static WildClock,
    seed: u64,
    /// On a logical clock: each reading is a nanosecond.
    ticking: &'static Purse,
    /// On a real clock that remembers its readings.
    timed: &'static Purse,
    /// On the clocks of its policies.
    plain: &'static Purse,
    /// On the wild clock of its policies.
    jumping: &'static Purse,
    /// Shared by quiet and loud calls.
    mixed: &'static Circuit,
    /// All its users report its transitions.
    told: &'static Circuit,
    /// On the wild clock.
    jumpy: &'static Circuit,
    /// Two breakers of policies that share everything else.
    north: &'static Circuit,
    south: &'static Circuit,
    witness: Arc<Witness>,
    witness_told: &'static Edges,
}

impl Parts {
    fn make(laws: &'static Laws, wild: &'static WildClock, seed: u64) -> Self {
        let tight = CircuitBreaker::builder().window(5 * MILLI).class_threshold(ErrorClass::RateLimit, 2);
        let wide = CircuitBreaker::builder().window(Duration::from_secs(5));
        let witnessed = tight.clone().failure_threshold(2).recovery_timeout(400 * MICRO).build();
        Self {
            laws,
            wild,
            seed,
            ticking: forever(Purse::noted("ticking", 64, Duration::from_nanos(2_000), NotedClock::logical())),
            timed: forever(Purse::noted("timed", 100, 2 * MILLI, NotedClock::real())),
            plain: forever(Purse::plain("plain", 500, 2 * MILLI, None)),
            jumping: forever(Purse::plain("jumping", 50, Duration::from_secs(10), Some(wild))),
            mixed: forever(Circuit::new("mixed", tight.clone(), (3, 300 * MICRO), false, None)),
            told: forever(Circuit::new("told", tight.clone(), (2, 200 * MICRO), true, None)),
            north: forever(Circuit::new("north", tight.clone(), (2, 200 * MICRO), true, None)),
            south: forever(Circuit::new("south", tight, (4, 300 * MICRO), true, None)),
            jumpy: forever(Circuit::new("jumpy", wide, (3, Duration::from_secs(1)), true, Some(wild))),
            witness: Arc::new(Witness::new(witnessed.expect("a valid configuration"), laws)),
            witness_told: forever(Edges::default()),
        }
    }

    fn subjects(&self) -> Vec<Subject> {
        let mut subjects = self.on_real_time();
        subjects.extend(self.on_the_witness());
        subjects.extend(self.with_learners_and_leaps());
        subjects
    }

    fn on_real_time(&self) -> Vec<Subject> {
        let quiet = Terms { quiet: true, ..Terms::default() };
        let timed = Terms { attempt_timeout: Some(MILLI), ..Terms::default() };
        let jitter = decorrelated_jitter().base(5 * MICRO).max(60 * MICRO).seed(self.seed);
        let limited = Terms { deadline: Some(4 * MILLI), ..timed };
        let (mixed, told) = (vec![Guard::Circuit(self.mixed)], vec![Guard::Circuit(self.told)]);
        let siblings = vec![Guard::Circuit(self.north), Guard::Circuit(self.south)];
        vec![
            // Shares nothing.
            self.subject(Terms { name: "bare", cap: 3, ..quiet }, Vec::new(), None, at_once),
            // No observers, so calls take the quiet path.
            self.subject(Terms { name: "quiet", cap: 4, ..quiet }, mixed.clone(), Some(self.plain), at_once),
            // The same breaker, with observers, and a deadline that is often too close.
            self.subject(Terms { name: "guarded", cap: 5, ..limited }, mixed, Some(self.timed), |census| {
                waits(jitter, census)
            }),
            // A breaker whose transitions are all reported; caps, and classes without a strategy.
            self.subject(Terms { name: "told", cap: 4, ..timed }, told.clone(), Some(self.ticking), |census| {
                let at_once = || Pupil { inner: fixed(Duration::ZERO), census };
                let classes =
                    [ErrorClass::ServerError, ErrorClass::Transient, ErrorClass::RateLimit, ErrorClass::Unknown];
                let retry = classes.into_iter().fold(Retry::builder(), |retry, of| retry.strategy_for(of, at_once()));
                Some(retry.max_retries_for(ErrorClass::RateLimit, 1).max_unknown_retries(1))
            }),
            // No retry, on the same breaker, which receives reports of attempts that hang.
            self.subject(Terms { name: "once", cap: 1, ..timed }, told.clone(), None, |_| None),
            // A deadline that many attempts exceed, and that cuts none.
            self.subject(
                Terms { name: "finishing", cap: 4, deadline: Some(100 * MICRO), may_finish: true, ..Terms::default() },
                told,
                None,
                at_once,
            ),
            // Policies that share everything but their breakers.
            self.subject(Terms { name: "siblings", cap: 3, ..limited }, siblings, Some(self.timed), |census| {
                waits(fixed(5 * MICRO), census)
            }),
        ]
    }

    fn on_the_witness(&self) -> Vec<Subject> {
        let timed = Terms { attempt_timeout: Some(MILLI), ..Terms::default() };
        let witness = || vec![Guard::Witness(Arc::clone(&self.witness))];
        let hurried = Terms { name: "hurried", cap: 1, deadline: Some(800 * MICRO), ..timed };
        vec![
            self.subject(Terms { name: "witnessed", cap: 3, ..timed }, witness(), Some(self.ticking), at_once),
            // Attempts on separate threads, which overrun.
            self.subject(Terms { name: "detached", cap: 2, detaches: true, ..timed }, witness(), None, at_once),
            // No retry, and a deadline before the timeout.
            self.subject(hurried, witness(), None, |_| None),
        ]
    }

    fn with_learners_and_leaps(&self) -> Vec<Subject> {
        let learning = Terms { name: "learning", cap: 4, deadline: Some(6 * MILLI), learns: true, ..Terms::default() };
        let jumping = Terms {
            name: "jumping",
            cap: 6,
            deadline: Some(Duration::from_secs(3)),
            attempt_timeout: Some(MILLI),
            wild: true,
            ..Terms::default()
        };
        let jitter = equal_jitter().base(50 * MILLI).max(Duration::from_secs(2)).seed(self.seed);
        vec![
            // A learning strategy around one that honours hints, around one with a seed; attempts
            // that hang do so until the deadline.
            self.subject(learning, Vec::new(), Some(self.timed), |census| {
                let backoff = token_backoff().base(5 * MICRO).max(30 * MICRO).seed(self.seed);
                let hinted = retry_after_or(backoff).jitter(5 * MICRO).seed(self.seed);
                waits(adaptive(hinted).max_multiplier(3.0), census)
            }),
            // On the wild clock: time stands still, jumps and steps back; waits are virtual and
            // long.
            self.subject(jumping, vec![Guard::Circuit(self.jumpy)], Some(self.jumping), |census| waits(jitter, census)),
        ]
    }

    fn subject(
        &self,
        terms: Terms,
        guards: Vec<Guard>,
        purse: Option<&'static Purse>,
        retry: impl FnOnce(&'static Census) -> Option<RetryBuilder>,
    ) -> Subject {
        let edges = |guard: &Guard| match guard {
            Guard::Circuit(circuit) => &circuit.edges,
            Guard::Witness(_) => self.witness_told,
        };
        let breakers = guards.iter().map(|guard| (guard.name(), edges(guard))).collect();
        let census = forever(Census::new(terms, self.laws, breakers, purse));
        let limited = |retry: RetryBuilder| {
            let retry = retry.max_attempts(terms.cap);
            let retry = purse.into_iter().fold(retry, |retry, purse| retry.budget(purse.budget.clone()));
            retry.build().expect("a valid configuration")
        };
        let retry = retry(census).map(limited);
        Subject::make(&Recipe { census, retry, guards, clock: terms.wild.then_some(self.wild) })
    }
}

/// A retry component with this strategy.
fn waits(inner: impl Strategy + 'static, census: &'static Census) -> Option<RetryBuilder> {
    Some(Retry::builder().strategy(Pupil { inner, census }))
}

fn at_once(census: &'static Census) -> Option<RetryBuilder> {
    waits(fixed(Duration::ZERO), census)
}
