//! The observer of one call, which fills in its record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use redress_core::Event;
use redress_core::observe::{AttemptContext, CallObserver, CallOutcome, CallStart};

use crate::micros;
use crate::queue::Queue;
use crate::record::{AttemptRecord, CallRecord, VERSION};

/// The most attempts in a record, so that an endless call has a line of bounded length.
const MOST_ATTEMPTS: usize = 100;
/// The longest name in a record, in bytes.
const LONGEST_NAME: usize = 256;

pub(crate) struct Call {
    queue: Arc<Queue>,
    record: Mutex<CallRecord>,
}

impl Call {
    pub(crate) fn start(queue: Arc<Queue>, call: &CallStart<'_>, now: SystemTime) -> Self {
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let record = CallRecord {
            version: VERSION,
            at_us: micros::of(since_epoch),
            policy: call.policy.map(cut),
            operation: call.operation.map(cut),
            breaker: call.breaker.map(cut),
            outcome: CallOutcome::Cancelled,
            stop_reason: None,
            elapsed: None,
            made: 0,
            attempts: Vec::new(),
        };
        Self { queue, record: Mutex::new(record) }
    }

    fn record(&self) -> MutexGuard<'_, CallRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallObserver for Call {
    fn on_event(&self, event: &Event<'_>) {
        let Some(outcome) = event.outcome() else { return };
        let mut record = self.record();
        record.outcome = if outcome == CallOutcome::Cancelled { CallOutcome::of_unfinished() } else { outcome };
        record.stop_reason = event.stop_reason;
        record.elapsed = event.elapsed;
        self.queue.write(&record);
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        let mut record = self.record();
        record.made = attempt.attempt;
        if record.attempts.len() < MOST_ATTEMPTS {
            record.attempts.push(AttemptRecord { start: attempt.elapsed, ..AttemptRecord::default() });
        }
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        let mut record = self.record();
        // Beyond the limit, the last record belongs to an earlier attempt.
        let Some(last) = record.attempts.last_mut().filter(|last| last.took.is_none()) else { return };
        let failure = attempt.classification.as_deref();
        last.took = Some(attempt.elapsed.saturating_sub(last.start));
        last.class = failure.map(redress_core::Classification::class);
        last.cause = attempt.cause;
        last.detail = attempt.detail().map(cut);
        last.hint = failure.and_then(redress_core::Classification::retry_after);
        last.retry_forbidden = failure.and_then(redress_core::Classification::retry_forbidden).map(cut);
        last.wait = attempt.delay;
    }
}

/// A name of bounded length, cut between two characters.
fn cut(name: &str) -> String {
    let mut end = name.len().min(LONGEST_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}
