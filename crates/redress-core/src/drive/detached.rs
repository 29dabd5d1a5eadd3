//! Attempts of blocking calls on threads of their own, which the call stops waiting for when their time is over.

use std::panic;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use super::attempt::Attempt;
use super::failed_attempt::{FailedAttempt, classify};
use crate::classify::classifier::Classifier;
use crate::policy::policies::Policy;

/// Runs each attempt on a thread of its own, for no longer than the attempt has.
pub(super) fn detached<T, E, C, F>(
    policy: &Policy<C>,
    operation: F,
) -> impl FnMut(Attempt) -> Result<T, FailedAttempt<T, E>>
where
    C: Classifier<T, E>,
    F: Fn(Attempt) -> Result<T, E> + Send + Sync + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let operation = Arc::new(operation);
    let Policy { plan, classifier } = policy;
    move |attempt| {
        let (sender, receiver) = mpsc::sync_channel(1);
        let operation = Arc::clone(&operation);
        let thread = thread::spawn(move || {
            // Err means that the call no longer waits; the late result is dropped.
            let _ = sender.send(operation(attempt));
        });
        let received = match attempt.time_left().filter(|_| plan.cuts_attempts()) {
            Some(limit) => receiver.recv_timeout(limit),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match received {
            Ok(result) => classify(classifier, result),
            Err(RecvTimeoutError::Timeout) => Err(FailedAttempt::timed_out(classifier)),
            Err(RecvTimeoutError::Disconnected) => match thread.join() {
                Err(payload) => panic::resume_unwind(payload),
                // The thread sends before it ends, so it cannot hang up without a result or a panic.
                Ok(()) => Err(FailedAttempt::timed_out(classifier)),
            },
        }
    }
}
