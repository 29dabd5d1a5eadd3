//! The circuit breaker that calls share: its state in one atomic word, and the failure windows
//! behind a lock. The state transitions are in `state.rs`.

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

mod blank;
mod rejection;

/// Stops calls to a dependency that keeps failing, and probes it until it has recovered.
///
/// A closed circuit admits every call and counts failures in a rolling window. When a threshold is
/// reached it opens, and rejects every call until the recovery time has passed. Then it is
/// half-open and admits one call, the probe. A probe that fails in a class that trips re-opens the
/// circuit, and any other result closes it. A probe that ends without a result frees its place for
/// the next call.
///
/// A probe has a lease, by default as long as the recovery time. When the lease is over, the next
/// call becomes the probe and the result of the first is ignored. So a call that hangs cannot keep
/// the circuit half-open.
///
/// A clock that steps back a little counts as standing still: waits become longer, never shorter. A
/// wait that began, or a failure that was counted, at a reading too far ahead, by more than the
/// wait or the window, is dropped after the clock has run for as long behind it.
///
/// A handle: clones share the state, so one breaker can guard a dependency for many policies. A
/// policy reports one result for each *call*, not for each attempt: a success, or the class of the
/// last failure.
///
/// **Invariant C4**: permits issued = reported + released. A [`Permit`] is reported once or
/// releases itself when dropped. **Invariant C5**: every permit carries the generation in which it
/// was admitted, and the result of a call admitted before the last change of state is ignored.
///
/// While the circuit is closed, admission is one atomic load, and a success takes no lock, no
/// atomic write and no clock reading. A rejection takes one clock reading and no lock. The breaker
/// takes eight bytes for each failure that a threshold counts, allocated when it is built.
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
    /// Generation and phase in one word, so that a reader sees them together. Written only under
    /// the lock.
    word: AtomicU64,
    /// How long an open circuit rejects.
    recovery: Wait,
    /// How long a probe keeps its place; `None` without a limit.
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

/// The part of the state behind the lock.
struct Guarded {
    windows: Windows,
    /// The first reading that put the start of the present wait in doubt; see [`Wait`].
    doubted_since: Option<u64>,
}

impl Cell {
    /// The wait after which an arriving call ends the phase, for phases that time ends.
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
    /// Returns a builder with the defaults.
    pub fn builder() -> CircuitBreakerBuilder {
        Self::from_spec(BreakerSpec::default())
    }

    /// Returns a builder that starts from this configuration.
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

    /// The breaker's configuration.
    #[must_use]
    pub fn spec(&self) -> &BreakerSpec {
        &self.cell.spec
    }

    /// The current state. An open circuit whose recovery time has passed stays open until the next
    /// call arrives and becomes the probe.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        self.word().phase().state()
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
    /// If the circuit is open, or half-open with a probe whose lease is not over.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, CircuitOpenError> {
        match self.admit_closed() {
            Some(generation) => Ok(Permit::new(self, Admission { generation, transition: None })),
            None => self.try_acquire_now(),
        }
    }

    /// Out of line, so that the path through a closed circuit is short enough to be inlined.
    #[inline(never)]
    fn try_acquire_now(&self) -> Result<Permit<'_>, CircuitOpenError> {
        let now = self.cell.epoch.ticks(self.cell.clock.now());
        // Not `admit_at(now).map(..)`, which moves the rejection.
        match self.rejects_open(now) {
            Some(rejection) => Err(rejection),
            None => self.admit_rarely(now).map(|admission| Permit::new(self, admission)),
        }
    }

    /// Like [`try_acquire`](Self::try_acquire), at `now`.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    pub fn try_acquire_at(&self, now: Instant) -> Result<Permit<'_>, CircuitOpenError> {
        self.admit(now).map(|admission| Permit::new(self, admission))
    }

    /// The generation, if the circuit is closed. Admission then needs nothing else, and no instant.
    #[inline]
    pub(crate) fn admit_closed(&self) -> Option<u64> {
        let word = self.word();
        (word.phase() == Phase::Closed).then_some(word.0)
    }

    /// Whether an admission of this generation is the probe. Only a probe's success or release has
    /// an effect.
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

    /// Reports a failure. While the circuit is closed a failure of a class that never counts has no
    /// effect.
    #[inline(always)]
    fn fail(&self, generation: u64, class: ErrorClass, now: u64) -> Option<Transition> {
        if Word(generation).phase() != Phase::Closed {
            return self.settle_rarely(generation, Some(Report::Failure(class)), now);
        }
        let counts = self.cell.counts[class];
        self.settle(generation, now, |windows| Input::Fails { tripped: windows.record(class, counts, now) })
    }

    /// Settles an admission of a circuit that was not closed; `report` is `None` for a release.
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

    /// Applies the input of an ended permit to the state table, unless its generation is over.
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
            // No failure is counted between opening and closing, so a closed circuit starts with
            // empty windows.
            guarded.windows.clear();
        }
        guarded.doubted_since = None;
        if let Some(wait) = self.cell.wait(phase) {
            wait.start(now);
        }
        // Release pairs with the Acquire in `word`: a thread that reads a phase also reads the end
        // of its wait, or of a later one.
        self.cell.word.store(word.0, Ordering::Release);
    }

    /// Admission after [`admit_closed`](Self::admit_closed) has found the circuit not closed.
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
