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

use crate::arguments::Arguments;
use crate::census::{Census, Terms};
use crate::circuit::Circuit;
use crate::clock::{NotedClock, WildClock};
use crate::edges::Edges;
use crate::law::Laws;
use crate::pupil::{CensusSlot, Pupil};
use crate::purse::Purse;
use crate::subject::{Guard, Recipe, Subject};
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
    failing_percent: AtomicU32,
    is_over: AtomicBool,
}

impl Scene {
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    pub(crate) fn call_it_over(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn failing_percent(&self) -> u32 {
        self.failing_percent.load(Ordering::Relaxed)
    }

    pub(crate) fn set_failing_percent(&self, percent: u32) {
        self.failing_percent.store(percent, Ordering::Relaxed);
    }

    pub(crate) fn set(arguments: &Arguments) -> &'static Self {
        let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
        let laws: &'static Laws = forever(Laws::default());
        let wild: &'static WildClock = forever(WildClock::new());
        let parts = Parts::make(laws, wild, seed);
        let subjects = parts.recipes().iter().map(Subject::make).collect();
        forever(Self {
            laws,
            arguments: arguments.clone(),
            seed,
            wild,
            purses: vec![parts.ticking, parts.timed, parts.plain, parts.jumping],
            circuits: vec![parts.mixed, parts.told, parts.jumpy, parts.north, parts.south],
            witness: parts.witness,
            witness_told: parts.witness_told,
            subjects,
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

/// The differences between recipes.
struct Sketch {
    name: &'static str,
    retry: Option<RetryBuilder>,
    /// The most attempts of a call.
    cap: u32,
    deadline: Option<Duration>,
    /// Whether attempts have a timeout; without one, the deadline cuts them, if there is one.
    times_out: bool,
    /// Whether attempts may run past the deadline.
    may_finish: bool,
    guards: Vec<Guard>,
    purse: Option<&'static Purse>,
    quiet: bool,
    detaches: bool,
    wild: bool,
    learns: bool,
}

impl Sketch {
    const fn of(name: &'static str) -> Self {
        Self {
            name,
            retry: None,
            cap: 1,
            deadline: None,
            times_out: false,
            may_finish: false,
            guards: Vec::new(),
            purse: None,
            quiet: false,
            detaches: false,
            wild: false,
            learns: false,
        }
    }
}

impl Parts {
    fn make(laws: &'static Laws, wild: &'static WildClock, seed: u64) -> Self {
        let tight = CircuitBreaker::builder().window(5 * MILLI).class_threshold(ErrorClass::RateLimit, 2);
        let wide = CircuitBreaker::builder().window(Duration::from_secs(5));
        let witnessed = tight.clone().failure_threshold(2).recovery_timeout(400 * MICRO).build();
        let ticking = NotedClock::logical();
        Self {
            laws,
            wild,
            seed,
            ticking: forever(Purse::noted(laws, "ticking", 64, Duration::from_nanos(2_000), ticking)),
            timed: forever(Purse::noted(laws, "timed", 100, 2 * MILLI, NotedClock::real())),
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

    fn recipes(&self) -> Vec<Recipe> {
        let sketches: [fn(&Self, &'static CensusSlot) -> Sketch; 12] = [
            Self::bare,
            Self::quiet,
            Self::guarded,
            Self::told,
            Self::once,
            Self::witnessed,
            Self::learning,
            Self::jumping,
            Self::detached,
            Self::hurried,
            Self::finishing,
            Self::siblings,
        ];
        sketches.iter().map(|sketch| self.recipe(sketch)).collect()
    }

    fn recipe(&self, sketch: &fn(&Self, &'static CensusSlot) -> Sketch) -> Recipe {
        let slot: &'static CensusSlot = forever(CensusSlot::new());
        let sketch = sketch(self, slot);
        let Sketch { name, retry, cap, deadline, times_out, may_finish, guards, purse, .. } = sketch;
        let terms = Terms {
            name,
            cap,
            deadline,
            may_finish,
            attempt_timeout: times_out.then_some(MILLI),
            watched: !sketch.quiet,
            detaches: sketch.detaches,
            wild: sketch.wild,
            learns: sketch.learns,
        };
        let breakers = guards.iter().map(|guard| (guard.name(), self.edges_of(guard))).collect();
        let census = slot.get_or_init(|| forever(Census::new(terms, self.laws, breakers, purse)));
        let retry = retry.map(|retry| limited(retry, &terms, purse).build().expect("a valid configuration"));
        Recipe { census, retry, guards, clock: terms.wild.then_some(self.wild) }
    }

    /// The counts of a breaker's reported transitions.
    const fn edges_of(&self, guard: &Guard) -> &'static Edges {
        match guard {
            Guard::Circuit(circuit) => &circuit.edges,
            Guard::Witness(_) => self.witness_told,
        }
    }

    /// Shares nothing.
    fn bare(&self, slot: &'static CensusSlot) -> Sketch {
        Sketch { retry: retry(fixed(Duration::ZERO), slot), cap: 3, quiet: true, ..Sketch::of("bare") }
    }

    /// No observers, so calls take the quiet path.
    fn quiet(&self, slot: &'static CensusSlot) -> Sketch {
        Sketch {
            retry: retry(fixed(Duration::ZERO), slot),
            cap: 4,
            guards: vec![Guard::Circuit(self.mixed)],
            purse: Some(self.plain),
            quiet: true,
            ..Sketch::of("quiet")
        }
    }

    /// The same breaker, with observers, and a deadline that is often too close.
    fn guarded(&self, slot: &'static CensusSlot) -> Sketch {
        let jitter = decorrelated_jitter().base(5 * MICRO).max(60 * MICRO).seed(self.seed);
        Sketch {
            retry: retry(jitter, slot),
            cap: 5,
            deadline: Some(4 * MILLI),
            times_out: true,
            guards: vec![Guard::Circuit(self.mixed)],
            purse: Some(self.timed),
            ..Sketch::of("guarded")
        }
    }

    /// A breaker whose transitions are all reported; caps, and a class without a strategy.
    fn told(&self, slot: &'static CensusSlot) -> Sketch {
        let at_once = || Pupil { inner: fixed(Duration::ZERO), census: slot };
        let retry = Retry::builder()
            .strategy_for(ErrorClass::ServerError, at_once())
            .strategy_for(ErrorClass::Transient, at_once())
            .strategy_for(ErrorClass::RateLimit, at_once())
            .strategy_for(ErrorClass::Unknown, at_once())
            .max_retries_for(ErrorClass::RateLimit, 1)
            .max_unknown_retries(1);
        Sketch {
            retry: Some(retry),
            cap: 4,
            times_out: true,
            guards: vec![Guard::Circuit(self.told)],
            purse: Some(self.ticking),
            ..Sketch::of("told")
        }
    }

    /// No retry, on the same breaker, which receives reports of attempts that hang.
    fn once(&self, _: &'static CensusSlot) -> Sketch {
        Sketch { times_out: true, guards: vec![Guard::Circuit(self.told)], ..Sketch::of("once") }
    }

    fn witness(&self) -> Guard {
        Guard::Witness(Arc::clone(&self.witness))
    }

    /// The witness as the breaker.
    fn witnessed(&self, slot: &'static CensusSlot) -> Sketch {
        Sketch {
            retry: retry(fixed(Duration::ZERO), slot),
            cap: 3,
            times_out: true,
            guards: vec![self.witness()],
            purse: Some(self.ticking),
            ..Sketch::of("witnessed")
        }
    }

    /// A learning strategy around one that honours hints, around one with a seed; attempts that
    /// hang do so until the deadline.
    fn learning(&self, slot: &'static CensusSlot) -> Sketch {
        let backoff = token_backoff().base(5 * MICRO).max(30 * MICRO).seed(self.seed);
        let hinted = retry_after_or(backoff).jitter(5 * MICRO).seed(self.seed);
        Sketch {
            retry: retry(adaptive(hinted).max_multiplier(3.0), slot),
            cap: 4,
            deadline: Some(6 * MILLI),
            purse: Some(self.timed),
            learns: true,
            ..Sketch::of("learning")
        }
    }

    /// On the wild clock: time stands still, jumps and steps back; waits are virtual and long.
    fn jumping(&self, slot: &'static CensusSlot) -> Sketch {
        let jitter = equal_jitter().base(50 * MILLI).max(Duration::from_secs(2)).seed(self.seed);
        Sketch {
            retry: retry(jitter, slot),
            cap: 6,
            deadline: Some(Duration::from_secs(3)),
            times_out: true,
            guards: vec![Guard::Circuit(self.jumpy)],
            purse: Some(self.jumping),
            wild: true,
            ..Sketch::of("jumping")
        }
    }

    /// Attempts on separate threads, which overrun, on the witness.
    fn detached(&self, slot: &'static CensusSlot) -> Sketch {
        Sketch {
            retry: retry(fixed(Duration::ZERO), slot),
            cap: 2,
            times_out: true,
            guards: vec![self.witness()],
            detaches: true,
            ..Sketch::of("detached")
        }
    }

    /// No retry, and a deadline before the timeout, on the witness.
    fn hurried(&self, _: &'static CensusSlot) -> Sketch {
        Sketch { deadline: Some(800 * MICRO), times_out: true, guards: vec![self.witness()], ..Sketch::of("hurried") }
    }

    /// A deadline that many attempts exceed, and that cuts none.
    fn finishing(&self, slot: &'static CensusSlot) -> Sketch {
        Sketch {
            retry: retry(fixed(Duration::ZERO), slot),
            cap: 4,
            deadline: Some(100 * MICRO),
            may_finish: true,
            guards: vec![Guard::Circuit(self.told)],
            ..Sketch::of("finishing")
        }
    }

    /// Policies that share everything but their breakers.
    fn siblings(&self, slot: &'static CensusSlot) -> Sketch {
        Sketch {
            retry: retry(fixed(5 * MICRO), slot),
            cap: 3,
            deadline: Some(4 * MILLI),
            times_out: true,
            guards: vec![Guard::Circuit(self.north), Guard::Circuit(self.south)],
            purse: Some(self.timed),
            ..Sketch::of("siblings")
        }
    }
}

/// A retry component with this strategy.
fn retry(inner: impl Strategy + 'static, census: &'static CensusSlot) -> Option<RetryBuilder> {
    Some(Retry::builder().strategy(Pupil { inner, census }))
}

/// Sets the limits of the terms on the retry component.
fn limited(retry: RetryBuilder, terms: &Terms, purse: Option<&'static Purse>) -> RetryBuilder {
    let retry = retry.max_attempts(terms.cap);
    match purse {
        Some(purse) => retry.budget(purse.budget.clone()),
        None => retry,
    }
}
