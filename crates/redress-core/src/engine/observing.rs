//! What observers sent along with one call.
//!
//! Owns that they hear of it, that the operation runs within their scopes, and that no panic of theirs gets out. Does not know
//! what they are told: that is `emit.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::hooks::contained;
use crate::observer::CallObserver;

/// The observers of one call. Boxed twice, since nearly no call has any and this is part of every call's future.
#[derive(Default)]
pub(super) struct Observing(Option<Box<Vec<Box<dyn CallObserver>>>>);

impl Observing {
    pub(super) fn add(&mut self, observer: Option<Box<dyn CallObserver>>) {
        if let Some(observer) = observer {
            self.0.get_or_insert_default().push(observer);
        }
    }

    pub(super) fn each(&self, tell: impl Fn(&dyn CallObserver)) {
        for observer in self.0.iter().flat_map(|observers| observers.iter()) {
            contained(|| tell(&**observer));
        }
    }

    /// Runs a piece of the operation within the scope of every observer, the first one outermost.
    #[inline]
    pub(super) fn within<R>(&self, step: impl FnOnce() -> R) -> R {
        match &self.0 {
            None => step(),
            Some(observers) => within(observers, step),
        }
    }
}

#[cold]
fn within<R>(observers: &[Box<dyn CallObserver>], step: impl FnOnce() -> R) -> R {
    let (mut waiting, mut done) = (Some(step), None);
    // A panic of the operation is kept from the observers, so that what is caught around them is theirs alone.
    let mut run = || {
        if let Some(step) = waiting.take() {
            done = Some(catch_unwind(AssertUnwindSafe(step)));
        }
    };
    contained(|| enter(observers, &mut run));
    run();
    match done {
        Some(Ok(answer)) => answer,
        Some(Err(payload)) => resume_unwind(payload),
        None => unreachable!("a step that did not run within the scopes ran after them"),
    }
}

fn enter(observers: &[Box<dyn CallObserver>], step: &mut dyn FnMut()) {
    match observers {
        [] => step(),
        [outermost, rest @ ..] => outermost.enter(&mut || enter(rest, step)),
    }
}

impl Drop for Observing {
    fn drop(&mut self) {
        // Each by itself: a destructor may panic, and the call may be unwinding already.
        for observer in self.0.take().into_iter().flat_map(|observers| *observers) {
            contained(|| drop(observer));
        }
    }
}
