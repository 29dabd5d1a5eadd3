//! Calls within calls: the frame that a call sets around its operation, what it inherits from the
//! frame that it begins in, and the event about retries that multiply.

use std::time::Instant;

use super::flags::Flags;
use super::run::Run;
use crate::deadline::Deadline;
use crate::drive::attempt::Attempt;
use crate::nesting::{Frame, Inner, Nested, Nesting, with_current};
use crate::sync::OnceLock;

/// How many operation names a policy sends the event about. The memory for them is bounded, because
/// a name may contain an id by mistake.
const NAMES: usize = 32;

/// What a policy keeps to act on calls within calls.
pub(crate) struct Guard {
    pub(crate) nested: Nested,
    pub(crate) ignores_deadline: bool,
    /// The operation names that the event was sent about, in order. Without a lock, because later
    /// calls only read.
    told: [OnceLock<Box<str>>; NAMES],
}

impl Guard {
    pub(crate) fn new(nested: Nested, ignores_deadline: bool) -> Self {
        Self { nested, ignores_deadline, told: [const { OnceLock::new() }; NAMES] }
    }

    /// Whether the event is sent about this operation: the first time, for the first names.
    fn tells_of(&self, operation: &str) -> bool {
        for place in &self.told {
            let mut is_new = false;
            let name = place.get_or_init(|| {
                is_new = true;
                operation.into()
            });
            if is_new || **name == *operation {
                return is_new;
            }
        }
        false
    }
}

impl Run<'_> {
    /// Reads the frame that the call begins in, and makes its own.
    #[inline]
    pub(super) fn begin_frame(&mut self) {
        if let (Some(guard), true) = (&self.plan.guard, self.state.flags.has(Flags::FRAMED)) {
            self.begin_guarded(guard);
        }
    }

    #[inline(never)]
    fn begin_guarded(&mut self, guard: &Guard) {
        let (nested, retries) = (guard.nested, self.plan.max_attempts > 1);
        let ignores_deadline = guard.ignores_deadline || self.call.is_some_and(|call| call.ignores_inherited_deadline);
        let begin = |around: &Frame| {
            let multiplies = retries && around.product() > 1;
            let is_single = multiplies && nested == Nested::RetryOutermost;
            let max_attempts = if is_single { 1 } else { self.plan.max_attempts };
            let frame = around.inner(&Inner { nested, operation: self.operation_label(), max_attempts });
            let inherited = around.deadline().filter(|_| !ignores_deadline);
            let attempts = around.product().saturating_mul(max_attempts);
            (frame, inherited, is_single, multiplies.then_some(attempts))
        };
        // A thread that ends has no frame any more; the call is an outermost one there.
        let begun = with_current(begin).unwrap_or_else(|| begin(&Frame::default()));
        let (frame, inherited, is_single, multiplied) = begun;
        let depth = frame.depth();
        self.state.observers.set_frame(frame, inherited);
        if is_single {
            self.state.flags = self.state.flags.with(Flags::SINGLE);
        }
        if inherited.is_some() {
            self.state.flags = self.state.flags.with(Flags::DEADLINE);
        }
        let tells = nested != Nested::Allow && self.state.flags.has(Flags::WATCHED);
        if let (Some(attempts), true) = (multiplied, tells) {
            if guard.tells_of(self.operation_label().unwrap_or_default()) {
                self.tell_nested(Nesting::new(depth, attempts));
            }
        }
    }

    /// Whether a call around this one retries in its place.
    #[inline]
    pub(super) fn is_single(&self) -> bool {
        self.state.flags.has(Flags::SINGLE)
    }

    /// Notes the attempt that starts at `now` in the call's frame.
    #[inline]
    pub(super) fn in_frame(&mut self, attempt: Attempt, now: Instant) -> Attempt {
        if self.state.flags.has(Flags::FRAMED) {
            let deadline = attempt.time_left().map(|left| Deadline::from_left(left, now));
            self.state.observers.begin_attempt(attempt.number(), deadline);
        }
        attempt
    }

    /// Whether the call is not retried, because a call inside its operation may have retried.
    #[inline]
    pub(crate) fn yields(&self) -> bool {
        self.state.flags.has(Flags::FRAMED) && self.state.observers.yields()
    }
}
