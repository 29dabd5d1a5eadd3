//! [`PollContext`]: the parts of a call that its owner stores and passes to the machine at each
//! poll.

use std::pin::Pin;

use super::poll_call::PollOperation;
use super::timer::Timer;

/// The parts of a call that its owner passes in at each poll. They must be the same at every poll.
pub(crate) struct PollContext<'p, C, Tm: Timer, O> {
    pub(crate) classifier: &'p C,
    pub(crate) timer: &'p Tm,
    pub(crate) operation: O,
    /// The timer's future for an attempt's timeout or for the wait after it, never both.
    pub(crate) sleep: Pin<&'p mut Option<Tm::Sleep>>,
    /// How many attempts this poll has started after its first one.
    pub(super) resumed: u32,
}

impl<'p, C, Tm: Timer, O> PollContext<'p, C, Tm, O> {
    #[inline]
    pub(crate) const fn new(
        classifier: &'p C,
        timer: &'p Tm,
        operation: O,
        sleep: Pin<&'p mut Option<Tm::Sleep>>,
    ) -> Self {
        Self { classifier, timer, operation, sleep, resumed: 0 }
    }

    /// Ends the attempt and its timeout.
    #[inline(always)]
    pub(super) fn stop_attempt<T, E>(&mut self)
    where
        O: PollOperation<T, E>,
    {
        self.operation.stop();
        if self.sleep.is_some() {
            self.sleep.set(None);
        }
    }

    /// Copies the value for a function that is not inlined. Passing the original would take its
    /// address, and inlined code could not keep it in registers.
    #[inline(always)]
    pub(super) fn moved(self) -> Self {
        let Self { classifier, timer, operation, sleep, resumed } = self;
        Self { classifier, timer, operation, sleep, resumed }
    }
}
