//! The circuit breaker that calls share: its state in one atomic word, and the counts behind a
//! lock. The state transitions are in `state.rs`, admissions in `cell/admit.rs`, the ends of calls
//! in `cell/settle.rs`.

use std::fmt;
use std::mem;
use std::sync::Arc as Shared;

use super::builder::CircuitBreakerBuilder;
use super::mode::Mode;
use super::opening::Openings;
use super::ramp::RampCounts;
use super::rules::{Counters, Windows};
use super::settings::{Base, Settings};
use super::spec::BreakerSpec;
use super::state::{CircuitState, Phase};
use super::trial::{Room, TrialCounts};
use super::trip::Trip;
use super::wait::Wait;
use super::word::Word;
use crate::outcome::circuit_open_error::BreakerName;
use crate::policy::config_error::ConfigIssue;
use crate::sync::{Arc, AtomicU64, Mutex, OnceLock, Ordering};

mod admit;
mod blank;
mod reconfigure;
mod rejection;
mod seam;
mod settle;

pub(super) use self::settle::End;

/// Stops calls to a dependency that keeps failing, and probes it until it has recovered.
///
/// A closed circuit admits every call and counts bad results in a rolling window: failures in the
/// classes that trip, and slow calls if [`slow_call`](CircuitBreakerBuilder::slow_call) is set.
/// When one of its rules holds it opens, and rejects every call until the recovery time has passed.
/// Then it is half-open and admits one call, the probe. A probe that fails in a class that trips
/// re-opens the circuit, and any other result closes it. A probe that ends without a result frees
/// its place for the next call. A [`Trial`](super::Trial) sets how many probes there are and how
/// they decide.
///
/// A probe has a lease, by default as long as the recovery time. When the lease is over, the next
/// call becomes the probe and the result of the first is ignored. So a call that hangs cannot keep
/// the circuit half-open.
///
/// # Rules that open the circuit
///
/// | rule | opens at | default |
/// |---|---|---|
/// | [`class_threshold`](CircuitBreakerBuilder::class_threshold) | so many failures of one class | none |
/// | [`failure_threshold`](CircuitBreakerBuilder::failure_threshold) | so many bad results | 5, unless one of the next two is set |
/// | [`consecutive_failures`](CircuitBreakerBuilder::consecutive_failures) | so many in a row | none |
/// | [`failure_ratio`](CircuitBreakerBuilder::failure_ratio) | this share of at least so many calls | none |
/// | [`open_on_retry_after`](CircuitBreakerBuilder::open_on_retry_after) | a hint at least so long | none |
///
/// They are a set, and any of them opens the circuit. They are asked only when a bad result is
/// recorded, in this order, and [`last_trip`](Self::last_trip) says which one held.
///
/// # Clocks
///
/// A clock that steps back a little counts as standing still: waits become longer, never shorter. A
/// wait that began, or a failure that was counted, at a reading too far ahead, by more than the
/// wait or the window, is dropped after the clock has run for as long behind it.
///
/// A handle: clones share the state, so one breaker can guard a dependency for many policies. A
/// policy reports one result for each *call*, not for each attempt: a success, or the class of the
/// last failure. With [`judge_attempts`](crate::policy::PolicyBuilder::judge_attempts) it asks and
/// reports for each attempt.
///
/// **Invariant C4**: permits issued = reported + released. A [`Permit`](super::Permit) is reported
/// once or releases itself when dropped. **Invariant C5**: every permit carries the generation in
/// which it was admitted, and the result of a call admitted before the last change of state, mode
/// or configuration is ignored. **Invariant C6**: every result of the present generation is counted
/// once, and no other.
///
/// While the circuit is closed, admission is one atomic load, and a success takes no lock, no
/// atomic write and no clock reading, unless the breaker has a rule that successes matter to: then
/// it is counted without a lock. A rejection takes one clock reading and no lock, except in a ramp.
/// The breaker takes eight bytes for each failure that a threshold counts, allocated when it is
/// built, or, of one in [keyed breakers](super::KeyedBreakers), when its first failure counts.
///
/// ```
/// use std::time::Duration;
/// use redress::{CircuitBreaker, ErrorClass};
/// use redress::breaker::CircuitState;
///
/// let breaker =
/// CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_secs(5)).build()?;
/// let permit = breaker.try_acquire().expect("closed"); permit.failure(ErrorClass::ServerError);
/// assert_eq!(breaker.state(), CircuitState::Open); let rejection =
/// breaker.try_acquire().unwrap_err(); assert!(rejection.retry_in().unwrap() <=
/// Duration::from_secs(5));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct CircuitBreaker {
    cell: Arc<Cell>,
}

struct Cell {
    /// Generation, mode, phase and traits in one word, so that a reader sees them together. Written
    /// only under the lock.
    word: AtomicU64,
    base: Shared<Base>,
    /// How long an open circuit rejects.
    recovery: Wait,
    counters: Counters,
    /// What a trial and a ramp need. Set before the word of the first phase that is not closed.
    away: OnceLock<Box<Away>>,
    guarded: Mutex<Guarded>,
    /// Shared with every rejection.
    name: Option<BreakerName>,
}

/// What is read without the lock in a trial and a ramp.
#[derive(Default)]
struct Away {
    /// How long a probe keeps its place; without a length, for as long as it likes.
    lease: Wait,
    /// How far probes are apart once too many were released.
    pause: Wait,
    ramp: Wait,
    /// The [`Room`] of the present trial. Written under the lock.
    room: AtomicU64,
}

/// The part of the state behind the lock.
struct Guarded {
    settings: Shared<Settings>,
    /// Made with the breaker, or with the first result that counts.
    windows: Option<Box<Windows>>,
    /// Made with the first opening.
    history: Option<Box<History>>,
}

/// What a breaker has been through.
#[derive(Default)]
struct History {
    trial: TrialCounts,
    ramp: RampCounts,
    openings: Openings,
    last_trip: Option<Trip>,
    /// The first reading that put the start of the present wait in doubt; see [`Wait`].
    doubted_since: Option<u64>,
}

impl Away {
    fn room(&self) -> Room {
        Room::of_code(self.room.load(Ordering::Relaxed))
    }

    /// The wait after which an arriving call takes a place in a trial.
    fn wait_for(&self, room: Room) -> Option<&Wait> {
        match room {
            Room::Free => None,
            Room::Paused => Some(&self.pause),
            Room::Full => Some(&self.lease).filter(|lease| lease.longest() > 0),
        }
    }
}

impl Guarded {
    fn new(settings: Shared<Settings>, is_small: bool) -> Self {
        let mut guarded = Self { settings, windows: None, history: None };
        if !is_small {
            guarded.windows();
        }
        guarded
    }

    /// The settings and the windows.
    #[inline]
    fn windows(&mut self) -> (&Settings, &mut Windows) {
        let Self { settings, windows, .. } = self;
        (settings, windows.get_or_insert_with(|| Windows::boxed(&settings.spec)))
    }

    /// The settings and the history.
    #[inline]
    fn history(&mut self) -> (&Settings, &mut History) {
        (&self.settings, self.history.get_or_insert_default())
    }

    /// Forgets the results that count, and the present trial.
    fn forget(&mut self) {
        if let Some(windows) = &mut self.windows {
            windows.clear();
        }
        if let Some(history) = &mut self.history {
            history.trial = TrialCounts::default();
        }
    }
}

impl CircuitBreaker {
    /// Returns a builder with the defaults.
    pub fn builder() -> CircuitBreakerBuilder {
        Self::from_spec(BreakerSpec::default())
    }

    /// Returns a builder that starts from this configuration.
    pub fn from_spec(spec: BreakerSpec) -> CircuitBreakerBuilder {
        CircuitBreakerBuilder::new(spec)
    }

    /// Builds a validated breaker.
    pub(super) fn from_builder(mut builder: CircuitBreakerBuilder) -> Self {
        let name = builder.spec.name.take().as_deref().map(BreakerName::from);
        let base = Base::new(mem::take(&mut builder.clock), false);
        Self::over(Shared::new(base), Shared::new(Settings::new(builder)), name)
    }

    /// Builds a breaker that shares these with others.
    pub(super) fn over(base: Shared<Base>, settings: Shared<Settings>, name: Option<BreakerName>) -> Self {
        let is_small = base.is_small;
        let cell = Cell {
            word: AtomicU64::new(Word::first(settings.traits).0),
            recovery: Wait::default(),
            counters: Counters::new(&settings, is_small),
            away: OnceLock::new(),
            guarded: Mutex::new(Guarded::new(settings, is_small)),
            base,
            name,
        };
        Self { cell: Arc::new(cell) }
    }

    /// Returns another breaker with the same settings, clock and name, for each of many tenants or
    /// clients in one process. It begins closed and enforcing, allocates what it needs when it
    /// first needs it, and counts the successes of all threads in one place.
    /// [`KeyedBreakers`](super::KeyedBreakers) are a bounded set of such breakers.
    #[must_use]
    pub fn alike(&self) -> Self {
        let Cell { base, name, guarded, .. } = &*self.cell;
        let base = if base.is_small { Shared::clone(base) } else { Shared::new(Base::new(base.clock.clone(), true)) };
        let settings = Shared::clone(&guarded.lock().settings);
        Self::over(base, settings, name.clone())
    }

    /// The breaker's configuration, of which a clone is made.
    #[must_use]
    pub fn spec(&self) -> BreakerSpec {
        let name = self.name().map(|name| name.to_owned().into());
        BreakerSpec { name, ..self.cell.guarded.lock().settings.spec.clone() }
    }

    /// The current state. An open circuit whose recovery time has passed stays open until the next
    /// call arrives and becomes the probe. A breaker that is forced open or closed has that state.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        let word = self.word();
        match word.mode() {
            Mode::ForcedOpen => CircuitState::Open,
            Mode::ForcedClosed => CircuitState::Closed,
            Mode::Enforcing | Mode::Watching => word.phase().state(),
        }
    }

    /// Whether the breaker decides, is forced open or closed, or only watches.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.word().mode()
    }

    /// Changes the mode, for all clones. See [`Mode`] for what a change forgets. To the same mode
    /// it changes nothing. No event is sent, because no call caused it.
    ///
    /// ```
    /// use redress::breaker::{CircuitState, Mode};
    /// use redress::{CircuitBreaker, ErrorClass};
    ///
    /// let breaker = CircuitBreaker::builder().failure_threshold(1).build()?;
    /// breaker.set_mode(Mode::ForcedOpen);
    /// assert!(breaker.try_acquire().unwrap_err().is_forced());
    ///
    /// breaker.set_mode(Mode::Watching);
    /// breaker.try_acquire()?.failure(ErrorClass::ServerError);
    /// assert_eq!(breaker.state(), CircuitState::Open);
    /// assert!(breaker.try_acquire()?.is_unjudged(), "it only watches");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_mode(&self, mode: Mode) {
        let mut guarded = self.cell.guarded.lock();
        let word = self.word();
        if word.mode() == mode {
            return;
        }
        let word = word.in_mode(mode);
        guarded.forget();
        if let Some(history) = &mut guarded.history {
            history.ramp = history.ramp.again();
        }
        self.free_places();
        self.cell.counters.begin_with_result(&guarded.settings, self.cell.base.is_small, word.era());
        self.cell.word.store(word.0, Ordering::Release);
    }

    /// What the breaker saw when it last opened; `None` if it never did.
    ///
    /// ```
    /// use redress::breaker::TripRule;
    /// use redress::{CircuitBreaker, ErrorClass};
    ///
    /// let breaker = CircuitBreaker::builder().consecutive_failures(1).build()?;
    /// breaker.try_acquire()?.failure(ErrorClass::ServerError);
    /// assert_eq!(breaker.last_trip().map(|trip| (trip.rule, trip.bad)), Some((TripRule::InARow, 1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn last_trip(&self) -> Option<Trip> {
        self.cell.guarded.lock().history.as_ref()?.last_trip
    }

    /// The breaker's name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.cell.name.as_deref()
    }

    pub(super) fn shared_name(&self) -> Option<BreakerName> {
        self.cell.name.clone()
    }

    /// Warnings about settings that have no effect.
    #[must_use]
    pub fn warnings(&self) -> Vec<ConfigIssue> {
        self.cell.guarded.lock().settings.warnings.clone()
    }

    #[inline]
    fn word(&self) -> Word {
        Word(self.cell.word.load(Ordering::Acquire))
    }

    /// Written under the lock only, and read in phases that are not closed.
    fn away(&self) -> &Away {
        self.cell.away.get_or_init(Box::default)
    }

    fn set_room(&self, room: Room) {
        self.away().room.store(room.code(), Ordering::Relaxed);
    }

    fn free_places(&self) {
        if self.cell.away.get().is_some() {
            self.set_room(Room::Free);
        }
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("CircuitBreaker");
        if let Some(name) = self.name() {
            shown.field("name", &name);
        }
        shown.field("state", &self.state());
        if self.mode() != Mode::Enforcing {
            shown.field("mode", &self.mode());
        }
        shown.finish_non_exhaustive()
    }
}
