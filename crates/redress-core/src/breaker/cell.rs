//! The breaker that calls share: one word that says who may pass, and the failure windows behind a
//! lock.
//!
//! Owns concurrency. What follows from what is `state.rs`; this file never decides an edge itself.

use std::fmt;
use std::time::{Duration, Instant};

use super::builder::{CircuitBreakerBuilder, Counts};
use super::interface::{Admission, Breaker, Report};
use super::permit::Permit;
use super::spec::BreakerSpec;
use super::state::{CircuitState, Input, Phase, Step, Transition, step};
use super::wait::Wait;
use super::windows::Windows;
use super::word::Word;
use crate::classify::class::{ErrorClass, PerClass};
use crate::drive::clock::{ClockChoice, nanos};
use crate::drive::epoch::Epoch;
use crate::outcome::circuit_open_error::{BreakerName, CircuitOpenError};
use crate::policy::config_error::ConfigIssue;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};

mod rejection;

/// Stops calls to a dependency that keeps failing, and probes it until it answers again.
///
/// Closed, it admits every call and counts failures in a rolling window. When a threshold is
/// reached it opens and rejects every call until the recovery time has passed; then it is half-open
/// and admits one call, the probe, whose result decides: a failure in a class that trips re-opens
/// it, anything else closes it.
///
/// A probe has a lease, as long as the recovery time unless set otherwise. When it is over, the
/// next call supersedes the probe, whose result is then ignored: a call that hangs cannot keep the
/// circuit from closing.
///
/// Small steps back of the clock are read as standing still: they make waits longer, never shorter.
/// A wait or a failure from a reading of the clock that was too far ahead, by more than the wait or
/// the window, is given up once the clock has run for as long behind it.
///
/// A handle: clones share the state, so one breaker can guard a dependency for many policies. A
/// policy reports one result for each *call*: the class of its last failure, however many attempts
/// it made.
///
/// **Invariant C4**: permits admitted = reported + released. A [`Permit`] is reported once or
/// releases itself when dropped. **Invariant C5**: every permit carries the generation it was
/// admitted in, and the result of a call admitted before the last change of state is ignored. The
/// other invariants stand at the state table.
///
/// Closed, admission is one atomic load and a success costs nothing: no lock, no read-modify-write
/// and no clock. A rejection takes one clock reading and no lock. The memory is fixed when the
/// breaker is built: eight bytes for each failure that a threshold counts.
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
    /// Generation and phase in one word, so that a reader sees them together. Written under the
    /// lock only.
    word: AtomicU64,
    /// How long an open circuit rejects.
    recovery: Wait,
    /// How long a probe keeps its place, if not for ever.
    lease: Option<Wait>,
    guarded: Mutex<Guarded>,
    epoch: Epoch,
    /// Shared with every rejection.
    name: Option<BreakerName>,
    clock: ClockChoice,
    counts: PerClass<Counts>,
    warnings: Vec<ConfigIssue>,
    spec: BreakerSpec,
}

/// What only a holder of the lock touches.
struct Guarded {
    windows: Windows,
    /// The first reading that put the beginning of the present wait in doubt; see [`Wait`].
    doubted_since: Option<u64>,
}

impl Cell {
    /// What ends the phase for a call that arrives, if time does.
    #[inline]
    const fn wait(&self, phase: Phase) -> Option<&Wait> {
        match phase {
            Phase::Open => Some(&self.recovery),
            Phase::Probing => self.lease.as_ref(),
            Phase::Closed | Phase::HalfOpen => None,
        }
    }
}

impl CircuitBreaker {
    /// A builder with the defaults.
    pub fn builder() -> CircuitBreakerBuilder {
        Self::from_spec(BreakerSpec::default())
    }

    /// A builder that goes on from this configuration.
    pub fn from_spec(spec: BreakerSpec) -> CircuitBreakerBuilder {
        CircuitBreakerBuilder::new(spec)
    }

    pub(super) fn from_builder(builder: CircuitBreakerBuilder) -> Self {
        let (counts, warnings) = (builder.counts(), builder.warnings());
        let CircuitBreakerBuilder { spec, clock } = builder;
        let cell = Cell {
            word: AtomicU64::new(Word::CLOSED.0),
            recovery: Wait::new(nanos(spec.recovery_timeout)),
            lease: spec.lease().map(|lease| Wait::new(nanos(lease))),
            guarded: Mutex::new(Guarded { windows: Windows::new(&spec), doubted_since: None }),
            epoch: Epoch::default(),
            name: spec.name.as_deref().map(BreakerName::from),
            clock,
            counts,
            warnings,
            spec,
        };
        Self { cell: Arc::new(cell) }
    }

    /// The configuration it was built from.
    #[must_use]
    pub fn spec(&self) -> &BreakerSpec {
        &self.cell.spec
    }

    /// The state. An open circuit whose recovery time has passed stays open until a call comes to
    /// be the probe.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        self.word().phase().state()
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.cell.spec.name.as_deref()
    }

    pub(super) fn shared_name(&self) -> Option<BreakerName> {
        self.cell.name.clone()
    }

    /// What is legal but odd about its configuration.
    #[must_use]
    pub fn warnings(&self) -> &[ConfigIssue] {
        &self.cell.warnings
    }

    /// Asks to make one call now, on the breaker's clock. For use without a policy.
    ///
    /// # Errors
    ///
    /// The rejection, if the circuit is open or a probe is under way whose lease is not over.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, CircuitOpenError> {
        match self.admit_closed() {
            Some(generation) => Ok(Permit::new(self, Admission { generation, transition: None })),
            None => self.try_acquire_now(),
        }
    }

    /// Out of line, so that the way through a closed circuit is short enough to be inlined.
    #[inline(never)]
    fn try_acquire_now(&self) -> Result<Permit<'_>, CircuitOpenError> {
        let now = self.cell.epoch.ticks(self.cell.clock.now());
        // Not `admit_at(now).map(..)`, which moves the rejection.
        match self.rejects_open(now) {
            Some(rejection) => Err(rejection),
            None => self.admit_rarely(now).map(|admission| Permit::new(self, admission)),
        }
    }

    /// The same at `now`.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    pub fn try_acquire_at(&self, now: Instant) -> Result<Permit<'_>, CircuitOpenError> {
        self.admit(now).map(|admission| Permit::new(self, admission))
    }

    /// The generation, if the circuit is closed: the whole of admission then, and no time is needed
    /// for it.
    #[inline]
    pub(crate) fn admit_closed(&self) -> Option<u64> {
        let word = self.word();
        (word.phase() == Phase::Closed).then_some(word.0)
    }

    /// Whether an admission of this generation is the probe, the only kind whose success or release
    /// does anything.
    #[inline]
    pub(crate) const fn is_probe(generation: u64) -> bool {
        matches!(Word(generation).phase(), Phase::Probing)
    }

    #[inline]
    fn word(&self) -> Word {
        Word(self.cell.word.load(Ordering::Acquire))
    }

    /// Reports the success of a probe now, on the breaker's clock.
    #[cold]
    #[inline(never)]
    pub(super) fn succeed_now(&self, generation: u64) -> Option<Transition> {
        self.settle_rarely(generation, Some(Report::Success), self.cell.epoch.ticks(self.cell.clock.now()))
    }

    /// Reports a failure now, on the breaker's clock.
    #[inline(never)]
    pub(super) fn fail_now(&self, generation: u64, class: ErrorClass) -> Option<Transition> {
        self.fail(generation, class, self.cell.epoch.ticks(self.cell.clock.now()))
    }

    /// A failure of a class that never counts trips nothing, and nothing else comes of a failure
    /// while the circuit is closed.
    #[inline(always)]
    fn fail(&self, generation: u64, class: ErrorClass, now: u64) -> Option<Transition> {
        if Word(generation).phase() != Phase::Closed {
            return self.settle_rarely(generation, Some(Report::Failure(class)), now);
        }
        let counts = self.cell.counts[class];
        self.settle(generation, now, |windows| Input::Fails { tripped: windows.record(class, counts, now) })
    }

    /// The end of an admission through a circuit that was not closed: a report, or none.
    #[cold]
    #[inline(never)]
    fn settle_rarely(&self, generation: u64, report: Option<Report>, now: u64) -> Option<Transition> {
        self.settle(generation, now, |windows| match report {
            None => Input::Releases,
            Some(Report::Success) => Input::Succeeds,
            Some(Report::Failure(class)) => match self.cell.counts[class] {
                Counts::Never => Input::Answers,
                counts => Input::Fails { tripped: windows.record(class, counts, now) },
            },
        })
    }

    /// Settles a permit: applies the input that its end makes, unless its generation is over.
    #[inline(always)]
    fn settle(&self, generation: u64, now: u64, input: impl FnOnce(&mut Windows) -> Input) -> Option<Transition> {
        let mut guarded = self.cell.guarded.lock();
        if self.word().0 != generation {
            return None;
        }
        let word = Word(generation);
        match step(word.phase(), input(&mut guarded.windows)) {
            Step::Stay | Step::Reject => None,
            Step::Go(phase, transition) => {
                self.enter(word.next(phase), &mut guarded, now);
                transition
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn enter(&self, word: Word, guarded: &mut Guarded, now: u64) {
        let phase = word.phase();
        if phase == Phase::Open {
            // Nothing is counted between opening and closing, so a closed circuit starts with empty
            // windows.
            guarded.windows.clear();
        }
        guarded.doubted_since = None;
        if let Some(wait) = self.cell.wait(phase) {
            wait.start(now);
        }
        // Release pairs with the Acquire in `word`: who reads a phase reads the end of its wait or
        // of a later one.
        self.cell.word.store(word.0, Ordering::Release);
    }

    /// Admission when the circuit was not closed a moment ago.
    #[inline]
    fn admit_at(&self, now: u64) -> Result<Admission, CircuitOpenError> {
        match self.rejects_open(now) {
            Some(rejection) => Err(rejection),
            None => self.admit_rarely(now),
        }
    }

    /// Admission when the circuit is not closed and a probe may be due.
    #[cold]
    #[inline(never)]
    fn admit_rarely(&self, now: u64) -> Result<Admission, CircuitOpenError> {
        if let Some(rejection) = self.rejects_rarely(now) {
            return Err(rejection);
        }
        let mut guarded = self.cell.guarded.lock();
        let word = self.word();
        let left = self.cell.wait(word.phase()).map(|wait| wait.weigh(now, &mut guarded.doubted_since));
        match step(word.phase(), Input::Arrives { due: left == Some(0) }) {
            Step::Stay => Ok(Admission { generation: word.0, transition: None }),
            Step::Reject => Err(CircuitOpenError::after_nanos(word.phase().state(), left, self.shared_name())),
            Step::Go(phase, transition) => {
                let word = word.next(phase);
                self.enter(word, &mut guarded, now);
                Ok(Admission { generation: word.0, transition })
            }
        }
    }
}

impl Breaker for CircuitBreaker {
    fn admit(&self, now: Instant) -> Result<Admission, CircuitOpenError> {
        match self.admit_closed() {
            Some(generation) => Ok(Admission { generation, transition: None }),
            None => self.admit_at(self.cell.epoch.ticks(self.cell.clock.now_or(now))),
        }
    }

    fn report(&self, admission: Admission, report: Report, now: Instant) -> Option<Transition> {
        let generation = admission.generation;
        if report == Report::Success && !Self::is_probe(generation) {
            return None;
        }
        let now = self.cell.epoch.ticks(self.cell.clock.now_or(now));
        match report {
            Report::Success => self.settle_rarely(generation, Some(report), now),
            Report::Failure(class) => self.fail(generation, class, now),
        }
    }

    #[inline]
    fn release(&self, admission: Admission) {
        if Self::is_probe(admission.generation) {
            self.settle_rarely(admission.generation, None, 0);
        }
    }

    fn state(&self) -> CircuitState {
        Self::state(self)
    }

    fn name(&self) -> Option<&str> {
        Self::name(self)
    }

    fn open_for(&self, now: Instant) -> Option<Duration> {
        let now = self.cell.epoch.ticks(self.cell.clock.now_or(now));
        let is_open = self.word().phase() == Phase::Open;
        is_open.then(|| self.cell.recovery.left(now)).flatten().map(Duration::from_nanos)
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("CircuitBreaker");
        if let Some(name) = self.name() {
            shown.field("name", &name);
        }
        shown.field("state", &self.state()).finish_non_exhaustive()
    }
}
