//! What a call is polled with: everything that lies with its owner, and comes to the machine at
//! each poll.

use std::pin::Pin;

use super::poll_call::PollOperation;
use super::timer::Timer;

/// What a call is polled with; the same at every poll.
pub(crate) struct PollContext<'p, C, Tm: Timer, O> {
    pub(crate) classifier: &'p C,
    pub(crate) timer: &'p Tm,
    pub(crate) operation: O,
    /// Holds an attempt's timeout or the wait after it, never both.
    pub(crate) sleep: Pin<&'p mut Option<Tm::Sleep>>,
    /// The attempts that this poll has started after the first.
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

    /// Ends the attempt, and its timeout.
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

    /// The same at another place: what is handed out of line has an address, and what stays in line
    /// is kept in registers.
    #[inline(always)]
    pub(super) fn moved(self) -> Self {
        let Self { classifier, timer, operation, sleep, resumed } = self;
        Self { classifier, timer, operation, sleep, resumed }
    }
}
