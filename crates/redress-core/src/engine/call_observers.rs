//! What surrounds the operation of a single call: its timeline, the call observers that its policy's
//! observers returned, and its frame. The operation runs within the scopes of the observers, whose
//! panics are caught, and inside of them in the frame.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::deadline::Deadline;
use crate::nesting::Frame;
use crate::outcome::observer::CallObserver;
use crate::outcome::observers::enter;
use crate::outcome::timeline::RetryTimeline;
use crate::policy::hooks::contained;

/// The observers of one call. Behind a pointer, because most calls have none and this is part of
/// every call's future.
#[derive(Default)]
pub(super) struct CallObservers(Option<Box<Present>>);

#[derive(Default)]
struct Present {
    timeline: Option<RetryTimeline>,
    observers: Vec<Box<dyn CallObserver>>,
    frame: Option<Frame>,
    /// The deadline of the frame that the call began in.
    inherited: Option<Deadline>,
}

impl CallObservers {
    pub(super) fn set_timeline(&mut self, timeline: Option<RetryTimeline>) {
        if timeline.is_some() || self.0.is_some() {
            self.0.get_or_insert_default().timeline = timeline;
        }
    }

    pub(super) fn add(&mut self, observers: Vec<Box<dyn CallObserver>>) {
        if !observers.is_empty() {
            self.0.get_or_insert_default().observers = observers;
        }
    }

    pub(super) fn timeline(&self) -> Option<&RetryTimeline> {
        self.0.as_ref()?.timeline.as_ref()
    }

    pub(super) fn each(&self, tell: impl Fn(&dyn CallObserver)) {
        for observer in self.0.iter().flat_map(|present| &present.observers) {
            contained(|| tell(&**observer));
        }
    }

    pub(super) fn set_frame(&mut self, frame: Frame, inherited: Option<Deadline>) {
        let present = self.0.get_or_insert_default();
        present.frame = Some(frame);
        present.inherited = inherited;
    }

    pub(super) fn begin_attempt(&mut self, number: u32, deadline: Option<Deadline>) {
        if let Some(frame) = self.0.as_mut().and_then(|present| present.frame.as_mut()) {
            frame.begin_attempt(number, deadline);
        }
    }

    #[inline]
    pub(super) fn inherited(&self) -> Option<Deadline> {
        self.0.as_ref()?.inherited
    }

    pub(super) fn yields(&self) -> bool {
        self.0.as_ref().and_then(|present| present.frame.as_ref()).is_some_and(Frame::yields)
    }

    /// Runs a step of the operation in the call's frame, within the scope of every observer, the
    /// first one outermost.
    #[inline(always)]
    pub(super) fn within<R>(&mut self, step: impl FnOnce() -> R) -> R {
        match &mut self.0 {
            None => step(),
            Some(present) => present.within(step),
        }
    }
}

impl Present {
    #[inline(never)]
    fn within<R>(&mut self, step: impl FnOnce() -> R) -> R {
        let Self { observers, frame, .. } = self;
        match frame {
            None => within(observers, step),
            Some(frame) if observers.is_empty() => frame.during(step),
            Some(frame) => within(observers, || frame.during(step)),
        }
    }
}

fn within<R>(observers: &[Box<dyn CallObserver>], step: impl FnOnce() -> R) -> R {
    let (mut waiting, mut done) = (Some(step), None);
    // A panic of the operation is caught before it reaches the observers, so every panic caught
    // around them is theirs.
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

/// Drops each observer separately: a destructor may panic, and the call may already be unwinding.
impl Drop for Present {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        for observer in self.observers.drain(..) {
            contained(|| drop(observer));
        }
    }
}
