//! The circuit breaker that calls share: its state in one atomic word, and the counts behind a lock.
//! The state transitions are in `state.rs`, the ends of calls in `cell/settle.rs`.

use std::fmt;
use std::time::Instant;

use super::builder::{CircuitBreakerBuilder, Counts};
use super::interface::Admission;
use super::mode::Mode;
use super::opening::{OpenWaits, Openings};
use super::permit::Permit;
use super::ramp::RampCounts;
use super::rules::{Rules, Windows};
use super::share::Share;
use super::spec::BreakerSpec;
use super::state::{Arrival, CircuitState, Input, Phase, Step, step};
use super::trial::{PAUSE_DIVISOR, Room, TrialCounts};
use super::trip::Trip;
use super::wait::Wait;
use super::word::Word;
use crate::classify::class::PerClass;
use crate::drive::clock::{ClockChoice, nanos};
use crate::drive::epoch::Epoch;
use crate::outcome::circuit_open_error::{BreakerName, CircuitOpenError};
use crate::policy::config_error::ConfigIssue;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};

mod blank;
mod rejection;
mod seam;
mod settle;

pub(super) use self::settle::End;

/// Stops calls to a dependency that keeps failing, and probes it until it has recovered.
///
/// A closed circuit admits every call and counts bad results in a rolling window: failures in the
/// classes that trip, and slow calls if [`slow_call`](CircuitBreakerBuilder::slow_call) is set. When
/// one of its rules holds it opens, and rejects every call until the recovery time has passed. Then
/// it is half-open and admits one call, the probe. A probe that fails in a class that trips re-opens
/// the circuit, and any other result closes it. A probe that ends without a result frees its place
/// for the next call. A [`Trial`](super::Trial) sets how many probes there are and how they decide.
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
/// **Invariant C4**: permits issued = reported + released. A [`Permit`] is reported once or
/// releases itself when dropped. **Invariant C5**: every permit carries the generation in which it
/// was admitted, and the result of a call admitted before the last change of state or mode is
/// ignored. **Invariant C6**: every result of the present generation is counted once, and no other.
///
/// While the circuit is closed, admission is one atomic load, and a success takes no lock, no
/// atomic write and no clock reading, unless the breaker has a rule that successes matter to: then
/// it is counted without a lock. A rejection takes one clock reading and no lock, except in a ramp.
/// The breaker takes eight bytes for each failure that a threshold counts, allocated when it is
/// built.
///
/// ```
/// use std::time::Duration;
/// use redress::{CircuitBreaker, ErrorClass};
/// use redress::breaker::CircuitState;
///
/// let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_secs(5)).build()?;
/// let permit = breaker.try_acquire().expect("closed");
/// permit.failure(ErrorClass::ServerError);
/// assert_eq!(breaker.state(), CircuitState::Open);
/// let rejection = breaker.try_acquire().unwrap_err();
/// assert!(rejection.retry_in().unwrap() <= Duration::from_secs(5));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct CircuitBreaker {
    cell: Arc<Cell>,
}

struct Cell {
    /// Generation, mode and phase in one word, so that a reader sees them together. Written only
    /// under the lock.
    word: AtomicU64,
    waits: Waits,
    /// The [`Room`] of the present trial, for arrivals without the lock. Written under the lock.
    room: AtomicU64,
    rules: Rules,
    guarded: Mutex<Guarded>,
    epoch: Epoch,
    /// Shared with every rejection.
    name: Option<BreakerName>,
    clock: ClockChoice,
    counts: PerClass<Counts>,
    /// In ticks.
    slow_call: Option<u64>,
    open_waits: OpenWaits,
    warnings: Vec<ConfigIssue>,
    spec: BreakerSpec,
}

/// The waits of phases that time ends.
struct Waits {
    /// How long an open circuit rejects.
    recovery: Wait,
    /// How long a probe keeps its place; `None` without a limit.
    lease: Option<Wait>,
    /// How far probes are apart once too many were released.
    pause: Wait,
    ramp: Option<Wait>,
}

/// The part of the state behind the lock.
struct Guarded {
    windows: Windows,
    trial: TrialCounts,
    ramp: RampCounts,
    openings: Openings,
    last_trip: Option<Trip>,
    /// The first reading that put the start of the present wait in doubt; see [`Wait`].
    doubted_since: Option<u64>,
}

impl Waits {
    fn new(spec: &BreakerSpec, open_waits: &OpenWaits) -> Self {
        Self {
            recovery: Wait::new(open_waits.longest()),
            lease: spec.lease().map(|lease| Wait::new(nanos(lease))),
            pause: Wait::new(nanos(spec.recovery_timeout) / PAUSE_DIVISOR),
            ramp: spec.ramp.map(|ramp| Wait::new(nanos(ramp.length))),
        }
    }

    /// The wait after which an arriving call ends the phase, or in a trial takes a place.
    #[inline]
    const fn of(&self, phase: Phase, room: Room) -> Option<&Wait> {
        match (phase, room) {
            (Phase::Open, _) => Some(&self.recovery),
            (Phase::Trial, Room::Full) => self.lease.as_ref(),
            (Phase::Trial, Room::Paused) => Some(&self.pause),
            (Phase::Ramp, _) => self.ramp.as_ref(),
            (Phase::Closed, _) | (Phase::Trial, Room::Free) => None,
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

    /// Builds a validated breaker. A small one is one of many, and saves memory.
    pub(super) fn from_builder(builder: CircuitBreakerBuilder, is_small: bool) -> Self {
        let (counts, warnings) = (builder.counts(), builder.warnings());
        let CircuitBreakerBuilder { spec, clock } = builder;
        let open_waits = OpenWaits::new(&spec);
        let rules = Rules::new(&spec, 0, is_small);
        let guarded = Guarded {
            windows: Windows::new(&spec),
            trial: TrialCounts::default(),
            ramp: RampCounts::default(),
            openings: Openings::default(),
            last_trip: None,
            doubted_since: None,
        };
        let cell = Cell {
            word: AtomicU64::new(Word::first(rules.hear_successes() || spec.slow_call.is_some()).0),
            waits: Waits::new(&spec, &open_waits),
            room: AtomicU64::new(Room::Free.code()),
            rules,
            guarded: Mutex::new(guarded),
            epoch: Epoch::default(),
            name: spec.name.as_deref().map(BreakerName::from),
            clock,
            counts,
            slow_call: spec.slow_call.map(nanos),
            open_waits,
            warnings,
            spec,
        };
        Self { cell: Arc::new(cell) }
    }

    /// The breaker's configuration.
    #[must_use]
    pub fn spec(&self) -> &BreakerSpec {
        &self.cell.spec
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
        let now = self.cell.epoch.ticks(self.cell.clock.now());
        let word = word.in_mode(mode);
        guarded.windows.clear();
        guarded.trial = TrialCounts::default();
        guarded.ramp = RampCounts::default();
        self.set_room(Room::Free);
        self.cell.rules.begin(word.era(), now);
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
        self.cell.guarded.lock().last_trip
    }

    /// The breaker's name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.cell.spec.name.as_deref()
    }

    pub(super) fn shared_name(&self) -> Option<BreakerName> {
        self.cell.name.clone()
    }

    /// Warnings about settings that have no effect.
    #[must_use]
    pub fn warnings(&self) -> &[ConfigIssue] {
        &self.cell.warnings
    }

    /// Admits one call now, on the breaker's clock. For use without a policy.
    ///
    /// # Errors
    ///
    /// If the circuit is open, or half-open without a place for the call.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, CircuitOpenError> {
        match self.admit_closed() {
            Some(generation) if !Word(generation).is_judged() => {
                Ok(Permit::new(self, Admission { generation, transition: None }, 0))
            }
            _ => self.acquire_at(self.cell.epoch.ticks(self.cell.clock.now())),
        }
    }

    /// Like [`try_acquire`](Self::try_acquire), at `now`.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    pub fn try_acquire_at(&self, now: Instant) -> Result<Permit<'_>, CircuitOpenError> {
        match self.admit_closed() {
            Some(generation) if !Word(generation).is_judged() => {
                Ok(Permit::new(self, Admission { generation, transition: None }, 0))
            }
            _ => self.acquire_at(self.cell.epoch.ticks(self.cell.clock.now_or(now))),
        }
    }

    #[inline(never)]
    fn acquire_at(&self, now: u64) -> Result<Permit<'_>, CircuitOpenError> {
        let admission = match self.admit_closed() {
            Some(generation) => Admission { generation, transition: None },
            None => self.admit_at(now)?,
        };
        Ok(Permit::new(self, admission, now))
    }

    /// The generation, if the circuit is closed and decides. Admission then needs nothing else, and
    /// no instant.
    #[inline]
    pub(crate) fn admit_closed(&self) -> Option<u64> {
        let word = self.word();
        word.is_plainly_closed().then_some(word.0)
    }

    /// Whether the end of a call of this generation has to be told to the breaker, even if it is a
    /// success or a release.
    #[inline]
    pub(crate) const fn is_judged(generation: u64) -> bool {
        Word(generation).is_judged()
    }

    /// Whether a call of this generation holds a place, which its end gives back.
    #[inline]
    pub(crate) const fn is_probe(generation: u64) -> bool {
        let word = Word(generation);
        word.is_judged() && !matches!(word.phase(), Phase::Closed)
    }

    #[inline]
    fn word(&self) -> Word {
        Word(self.cell.word.load(Ordering::Acquire))
    }

    fn room(&self) -> Room {
        Room::of_code(self.cell.room.load(Ordering::Relaxed))
    }

    fn set_room(&self, room: Room) {
        self.cell.room.store(room.code(), Ordering::Relaxed);
    }

    #[cold]
    #[inline(never)]
    fn enter(&self, word: Word, guarded: &mut Guarded, now: u64) {
        let phase = word.phase();
        let waits = &self.cell.waits;
        guarded.doubted_since = None;
        match phase {
            // Started by `trip`, which knows its length.
            Phase::Open => {}
            Phase::Trial => self.take_place(guarded, now),
            Phase::Ramp => guarded.ramp = RampCounts::default(),
            Phase::Closed => guarded.openings.close(now),
        }
        if let (Phase::Ramp, Some(ramp)) = (phase, &waits.ramp) {
            ramp.start(now);
        }
        guarded.windows.clear();
        self.cell.rules.begin(word.era(), now);
        // Release pairs with the Acquire in `word`: a thread that reads a phase also reads the end
        // of its wait, or of a later one.
        self.cell.word.store(word.0, Ordering::Release);
    }

    /// Starts the waits of a trial after an admission, and stores whether there is room for more.
    fn take_place(&self, guarded: &mut Guarded, now: u64) {
        self.renew_lease(guarded, now);
        self.cell.waits.pause.start(now);
        self.set_room(guarded.trial.room(&self.cell.spec.trial));
    }

    fn renew_lease(&self, guarded: &mut Guarded, now: u64) {
        guarded.doubted_since = None;
        if let Some(lease) = &self.cell.waits.lease {
            lease.start(now);
        }
    }

    /// Admission after [`admit_closed`](Self::admit_closed) has found the circuit not closed.
    #[inline]
    fn admit_at(&self, now: u64) -> Result<Admission, CircuitOpenError> {
        match self.rejects_open(now) {
            Some(rejection) => Err(rejection),
            None => self.admit_rarely(now),
        }
    }

    /// Admission when the circuit is not plainly closed and a call may be admitted.
    #[cold]
    #[inline(never)]
    fn admit_rarely(&self, now: u64) -> Result<Admission, CircuitOpenError> {
        let word = self.word();
        match word.mode() {
            Mode::ForcedClosed => return Ok(Admission { generation: word.0, transition: None }),
            Mode::ForcedOpen => return Err(self.forced_rejection()),
            Mode::Watching => return Ok(self.admit_under_lock(now).unwrap_or(Admission::UNJUDGED)),
            Mode::Enforcing => {}
        }
        match self.rejects_rarely(now) {
            Some(rejection) => Err(rejection),
            None => self.admit_under_lock(now),
        }
    }

    fn admit_under_lock(&self, now: u64) -> Result<Admission, CircuitOpenError> {
        let mut guarded = self.cell.guarded.lock();
        let word = self.word();
        match word.mode() {
            Mode::ForcedClosed => return Ok(Admission { generation: word.0, transition: None }),
            Mode::ForcedOpen => return Err(self.forced_rejection()),
            Mode::Enforcing | Mode::Watching => {}
        }
        let (arrival, left) = self.arrival(word.phase(), &mut guarded, now);
        match step(word.phase(), Input::Arrives(arrival)) {
            Step::Stay => {
                if word.phase() == Phase::Trial {
                    guarded.trial.take();
                    self.take_place(&mut guarded, now);
                }
                Ok(Admission { generation: word.0, transition: None })
            }
            Step::Reject => Err(CircuitOpenError::after_nanos(word.phase().state(), left, self.shared_name())),
            Step::Go(phase, transition) => {
                match word.phase() {
                    Phase::Trial => guarded.trial.supersede(),
                    _ => guarded.trial = TrialCounts::first(),
                }
                let word = word.next(phase);
                self.enter(word, &mut guarded, now);
                Ok(Admission { generation: word.0, transition })
            }
        }
    }

    /// What a call finds that arrives now, and the time left of the wait for the next admission.
    fn arrival(&self, phase: Phase, guarded: &mut Guarded, now: u64) -> (Arrival, Option<u64>) {
        let spec = &self.cell.spec;
        let room = guarded.trial.room(&spec.trial);
        let wait = self.cell.waits.of(phase, room);
        let left = wait.map(|wait| wait.weigh(now, &mut guarded.doubted_since));
        let arrival = match (phase, left) {
            (Phase::Trial, left) => room.arrival(left),
            (Phase::Open | Phase::Ramp, Some(0)) => Arrival::Due,
            (Phase::Ramp, Some(left)) => self.arrival_in_ramp(guarded, left),
            _ => Arrival::Early,
        };
        (arrival, left)
    }

    fn arrival_in_ramp(&self, guarded: &mut Guarded, left: u64) -> Arrival {
        let Some(ramp) = &self.cell.spec.ramp else { return Arrival::Due };
        let length = nanos(ramp.length);
        let admits = guarded.ramp.admits(Share::of(ramp.from), length.saturating_sub(left), length);
        if admits { Arrival::Room } else { Arrival::Early }
    }

    fn forced_rejection(&self) -> CircuitOpenError {
        CircuitOpenError::after_nanos(CircuitState::Open, None, self.shared_name()).forced()
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
