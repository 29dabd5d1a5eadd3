//! Detached attempts of blocking calls: each runs on a new thread, and the call stops waiting for
//! it when its time is up or the call is aborted.

use std::panic;
use std::sync::Arc;
use std::thread;

use super::attempt::Attempt;
use super::failed_attempt::{FailedAttempt, classify};
use super::rendezvous::{Arrival, Rendezvous};
use crate::classify::classifier::Classifier;
use crate::nesting::Frame;
use crate::policy::policies::Policy;
use crate::policy::settings::CallSettings;

/// Runs each attempt on a new thread, and waits for it until its time limit.
pub(super) fn detached<T, E, C, F>(
    policy: &Policy<C>,
    settings: Option<&CallSettings<'_>>,
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
        let meeting = Rendezvous::new();
        let (operation, end) = (Arc::clone(&operation), End { meeting: Arc::clone(&meeting), result: None });
        let frame = Frame::current();
        let thread = thread::spawn(move || {
            let mut end = end;
            end.result = Some(frame.run(|| operation(attempt)));
        });
        let of_call = settings.map_or(&[][..], |settings| &settings.hooks.aborts);
        let limit = attempt.time_left().filter(|_| plan.cuts_attempts());
        match meeting.wait(plan.hooks.aborts.iter().chain(of_call), limit) {
            Arrival::Result(Some(result)) => classify(classifier, result),
            Arrival::Abort => Err(FailedAttempt::aborted()),
            Arrival::Nothing => Err(FailedAttempt::timed_out(classifier)),
            Arrival::Result(None) => match thread.join() {
                Err(payload) => panic::resume_unwind(payload),
                // Unreachable: the thread delivers a result unless it panics.
                Ok(()) => Err(FailedAttempt::timed_out(classifier)),
            },
        }
    }
}

/// Delivers an attempt's result, or that it panicked, when the thread ends. If the call has stopped
/// waiting, the result is dropped.
struct End<R: Send + 'static> {
    meeting: Arc<Rendezvous<R>>,
    result: Option<R>,
}

impl<R: Send + 'static> Drop for End<R> {
    fn drop(&mut self) {
        self.meeting.bring(self.result.take());
    }
}
