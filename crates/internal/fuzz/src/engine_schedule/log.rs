//! The notes on one call, written by its operation, its observers and its timer, with the virtual
//! instant of each.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redress_core::driver::Timer;
use redress_core::observe::AttemptContext;
use redress_core::{Attempt, ErrorClass, Event, EventName, Observer};
use redress_testing::{VirtualClock, VirtualSleep, VirtualTimer};

use super::operation::{Answer, panic_on_purpose};

/// A failed attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) at: Duration,
    pub(super) class: ErrorClass,
    pub(super) hint: Option<Duration>,
    /// Whether the driver cut the attempt.
    pub(super) is_cut: bool,
}

/// An attempt that has started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) number: u32,
    pub(super) at: Duration,
    /// The time left that the operation received.
    pub(super) time_left: Option<Duration>,
}

/// A wait of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) at: Duration,
    pub(super) duration: Duration,
    /// Whether an attempt was under way, so that this is its limit.
    pub(super) is_timeout: bool,
    /// How many attempts had failed.
    pub(super) failures: usize,
}

/// An event that an observer received.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) at: Duration,
    pub(super) name: EventName,
    pub(super) sleep: Duration,
    pub(super) elapsed: Option<Duration>,
}

/// The notes of one call.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) began: Option<Duration>,
    pub(super) answers: VecDeque<Answer>,
    pub(super) starts: Vec<Start>,
    pub(super) is_running: bool,
    /// Whether the call is being driven, and not dropped.
    pub(super) is_driven: bool,
    pub(super) failures: Vec<Failure>,
    /// Whether the last note on an attempt is its failure.
    pub(super) has_just_failed: bool,
    pub(super) waits: Vec<Wait>,
    pub(super) events: Vec<Heard>,
    pub(super) hooks_at_start: usize,
    pub(super) hooks_at_end: usize,
    pub(super) wants_abort: bool,
}

/// The notes of one call, shared by their writers.
#[derive(Clone, Debug)]
pub(super) struct Log {
    clock: VirtualClock,
    notes: Arc<Mutex<Notes>>,
    /// Whether the observers panic after writing.
    is_rude: bool,
}

impl Log {
    pub(super) fn new(clock: &VirtualClock, is_rude: bool) -> Self {
        Self { clock: clock.clone(), notes: Arc::default(), is_rude }
    }

    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next_answer(&self) -> Option<Answer> {
        self.notes().answers.pop_front()
    }

    pub(super) fn attempt_starts(&self, attempt: Attempt) {
        let at = self.clock.elapsed();
        let mut notes = self.notes();
        notes.starts.push(Start { number: attempt.number(), at, time_left: attempt.time_left() });
        notes.is_running = true;
        notes.has_just_failed = false;
    }

    pub(super) fn attempt_ends(&self, answer: Answer) {
        let at = self.clock.elapsed();
        let mut notes = self.notes();
        notes.is_running = false;
        if let Some((class, hint)) = answer.failure() {
            notes.failures.push(Failure { at, class, hint, is_cut: false });
            notes.has_just_failed = true;
        }
    }

    /// An attempt dropped while the call is driven has reached its limit; otherwise it was dropped
    /// with its call.
    pub(super) fn attempt_is_dropped(&self) {
        let at = self.clock.elapsed();
        let mut notes = self.notes();
        notes.is_running = false;
        if notes.is_driven {
            notes.failures.push(Failure { at, class: ErrorClass::Transient, hint: None, is_cut: true });
            notes.has_just_failed = true;
        }
    }

    pub(super) fn waits(&self, duration: Duration) {
        let at = self.clock.elapsed();
        let mut notes = self.notes();
        let wait = Wait { at, duration, is_timeout: notes.is_running, failures: notes.failures.len() };
        notes.waits.push(wait);
    }

    fn is_rude(&self) {
        if self.is_rude {
            panic_on_purpose();
        }
    }
}

impl Observer for Log {
    fn on_event(&self, event: &Event<'_>) {
        let Event { name, delay, elapsed, .. } = *event;
        let heard = Heard { at: self.clock.elapsed(), name, sleep: delay, elapsed };
        self.notes().events.push(heard);
        self.is_rude();
    }

    fn on_attempt_start(&self, _: &AttemptContext<'_>) {
        self.notes().hooks_at_start += 1;
        self.is_rude();
    }

    fn on_attempt_end(&self, _: &AttemptContext<'_>) {
        self.notes().hooks_at_end += 1;
        self.is_rude();
    }
}

/// The log of the call being driven. All calls share one thread, one clock and one timer.
#[derive(Clone, Debug, Default)]
pub(super) struct Turn(Arc<Mutex<Option<Log>>>);

impl Turn {
    /// Runs `drive` and writes its waits to `log`.
    pub(super) fn of<R>(&self, log: &Log, drive: impl FnOnce() -> R) -> R {
        log.notes().is_driven = true;
        let before = self.put(Some(log.clone()));
        let result = drive();
        self.put(before);
        log.notes().is_driven = false;
        result
    }

    pub(super) fn waits(&self, duration: Duration) {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(log) = log {
            log.waits(duration);
        }
    }

    fn put(&self, log: Option<Log>) -> Option<Log> {
        mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), log)
    }
}

/// The virtual timer, which writes each wait to the log of the call being driven.
#[derive(Clone, Debug)]
pub(crate) struct OverheardTimer {
    pub(super) timer: VirtualTimer,
    pub(super) turn: Turn,
}

impl Timer for OverheardTimer {
    type Sleep = VirtualSleep;

    fn sleep(&self, duration: Duration) -> VirtualSleep {
        self.turn.waits(duration);
        self.timer.sleep(duration)
    }

    fn now(&self) -> Instant {
        self.timer.now()
    }
}
