//! One run: the calls of a log through the engine, in virtual time.

use redress_core::ConfigError;
use redress_core::driver::BoxedContext;
use redress_core::policy::PolicySpec;
use redress_core::{AbortHandle, CallContext, RetryOutcome};

use super::attempt::End;
use super::call::Leaving;
use super::circuits::{AsRecorded, Circuits};
use super::counts::{Counts, Tally};
use super::log::Replay;
use super::operation::{AttemptState, Kept, Missing, Playing, Stage};
use crate::calls::{Calls, Polled};
use crate::clock::{Nanos, SimTimer};
use crate::events::{CallId, Events};
use crate::exchange::Failure;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// The call of this index begins.
    Begins(u32),
    /// A wait or a timeout of a call may be over.
    Wakes(CallId),
    /// An attempt ends, unless it was cut.
    Ends { call: CallId, attempt: u32 },
    /// An attempt goes on that was cut in the log, unless it was cut here too.
    GoesOn { call: CallId, attempt: u32 },
    /// The caller leaves the call.
    Leaves(CallId),
}

pub(crate) struct Play<'r, W> {
    stage: Stage<'r>,
    circuits: Circuits,
    timer: SimTimer,
    calls: Calls<Failure, AsRecorded, Kept>,
    /// When something happened to a call last.
    end: Nanos,
    /// Called as each call begins.
    watch: W,
}

impl<'r, W: FnMut()> Play<'r, W> {
    pub(crate) fn new(
        replay: &'r Replay,
        policy: &PolicySpec,
        missing: Missing,
        seed: u64,
        watch: W,
    ) -> Result<Self, ConfigError> {
        let timer = SimTimer::new();
        Ok(Self {
            circuits: Circuits::new(policy, replay.timeout, &timer, replay.breakers)?,
            stage: Stage { replay, missing, seed, events: Events::sparse(), tally: Tally::new(&replay.facts) },
            timer,
            calls: Calls::default(),
            end: 0,
            watch,
        })
    }

    pub(crate) fn run(mut self) -> Result<Counts, ConfigError> {
        self.schedule_call(0);
        while let Some((now, event)) = self.stage.events.pop_before(Nanos::MAX) {
            self.timer.set(now);
            match event {
                Event::Begins(index) => self.begin(index, now)?,
                Event::Wakes(id) => self.wake(id, now),
                Event::Ends { call, attempt } => self.end_attempt(call, attempt, now),
                Event::GoesOn { call, attempt } => self.go_on(call, attempt, now),
                Event::Leaves(id) => self.leave(id, now),
            }
        }
        let counts = &mut self.stage.tally.counts;
        counts.open = Some(self.circuits.open_until(self.end));
        let ended = counts.good + counts.failed + counts.cancelled + counts.panicked;
        counts.unfinished = self.stage.replay.calls.len() as u64 - ended;
        Ok(self.stage.tally.finish())
    }

    fn schedule_call(&mut self, index: u32) {
        if let Some(call) = self.stage.replay.calls.get(index as usize) {
            self.stage.events.schedule(call.begins, Event::Begins(index));
        }
    }

    fn begin(&mut self, index: u32, now: Nanos) -> Result<(), ConfigError> {
        self.schedule_call(index + 1);
        let call = &self.stage.replay.calls[index as usize];
        let leaves = call.leaves();
        let abort = leaves.filter(|(_, how)| *how == Leaving::Aborts).map(|_| AbortHandle::new());
        let context = abort.as_ref().map(|handle| BoxedContext::from(CallContext::new().abort_on(handle)));
        let policy = self.circuits.policy(call.breaker)?;
        let id = self.calls.insert(policy.clone().into_poll_call(context), Kept::new(index, now, abort));
        self.stage.tally.begin(now);
        (self.watch)();
        if let Some((after, _)) = leaves {
            self.stage.events.schedule(now.saturating_add(after), Event::Leaves(id));
        }
        self.poll(id, now);
        Ok(())
    }

    fn wake(&mut self, id: CallId, now: Nanos) {
        if self.calls.get(id).is_some_and(|call| call.running.is_due()) {
            self.poll(id, now);
        }
    }

    fn end_attempt(&mut self, id: CallId, attempt: u32, now: Nanos) {
        let Some(call) = self.calls.get(id) else { return };
        let Some((_, ran)) = call.kept.running(attempt) else { return };
        call.kept.state = match ran.end {
            End::Succeeds => AttemptState::Ended(Ok(())),
            End::Fails(failure) | End::Cut(failure) => AttemptState::Ended(Err(failure)),
            End::Panics => {
                self.stage.tally.counts.panicked += 1;
                self.drop_call(id, now);
                return;
            }
        };
        self.poll(id, now);
    }

    fn go_on(&mut self, id: CallId, attempt: u32, now: Nanos) {
        let Some(call) = self.calls.get(id) else { return };
        let Some((begun, ran)) = call.kept.running(attempt) else { return };
        let is_limited = call.running.is_timed();
        Playing { id, now, kept: &mut call.kept, stage: &mut self.stage }.go_on(attempt, begun, ran, is_limited);
        if matches!(call.kept.state, AttemptState::Ended(_)) {
            self.poll(id, now);
        }
    }

    fn leave(&mut self, id: CallId, now: Nanos) {
        let Some(call) = self.calls.get(id) else { return };
        match &call.kept.abort {
            Some(handle) => {
                handle.abort();
                self.poll(id, now);
            }
            None => {
                self.stage.tally.counts.cancelled += 1;
                self.drop_call(id, now);
            }
        }
    }

    /// Drops a call that has not ended. Its breaker may take that for a slow result.
    fn drop_call(&mut self, id: CallId, now: Nanos) {
        if let Some(kept) = self.calls.remove(id) {
            self.note_circuit(kept.index, now);
        }
    }

    /// Notes the state of the circuit of a call of this index, after something happened to it.
    fn note_circuit(&mut self, index: u32, now: Nanos) {
        self.end = now;
        self.circuits.note(self.stage.replay.calls[index as usize].breaker, now);
    }

    /// Polls a call, and schedules the next poll or counts its end.
    fn poll(&mut self, id: CallId, now: Nanos) {
        let Some(call) = self.calls.get(id) else { return };
        let mut playing = Playing { id, now, kept: &mut call.kept, stage: &mut self.stage };
        let polled = call.running.poll(&mut playing);
        let index = call.kept.index;
        match polled {
            Polled::Ended(outcome) => {
                if let Some(kept) = self.calls.remove(id) {
                    self.end(&outcome, &kept, now);
                }
            }
            Polled::Wakes(at) => self.stage.events.schedule(at, Event::Wakes(id)),
            // It yields, and goes on at once.
            Polled::Untimed if matches!(call.kept.state, AttemptState::Idle) => {
                self.stage.events.schedule(now, Event::Wakes(id));
            }
            Polled::Waits | Polled::Untimed => {}
        }
        self.note_circuit(index, now);
    }

    fn end(&mut self, outcome: &RetryOutcome<(), Failure>, kept: &Kept, now: Nanos) {
        match outcome.stop_reason() {
            None => self.stage.tally.succeed(kept.made, Some(now - kept.made)),
            reason => self.stage.tally.fail(reason, outcome.attempts()),
        }
    }
}
