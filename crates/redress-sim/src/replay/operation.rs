//! The operation of a call that is played: each attempt ends as the log says, or as is drawn.

use std::task::{Context, Poll};

use fastrand::Rng;
use redress_core::driver::PollOperation;
use redress_core::{AbortHandle, Attempt};

use super::attempt::{End, Ran};
use super::call::RecordedCall;
use super::counts::Tally;
use super::log::Replay;
use super::play::Event;
use super::pools::{Among, Drawn, Place};
use crate::clock::{Nanos, SECOND};
use crate::events::{CallId, Events};
use crate::exchange::Failure;

/// How far from its recorded time an attempt may start without being counted as moved.
const NEAR: Nanos = 60 * SECOND;

/// What becomes of the attempts that a log lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Drawn,
    Fail,
    Succeed,
}

impl Missing {
    const fn among(self) -> Among {
        match self {
            Self::Drawn => Among::All,
            Self::Fail => Among::Failures,
            Self::Succeed => Among::Successes,
        }
    }
}

/// What a run keeps of a call.
pub(crate) struct Kept {
    /// Its index in the log.
    pub(crate) index: u32,
    pub(crate) made: Nanos,
    pub(crate) abort: Option<AbortHandle>,
    pub(crate) state: AttemptState,
    /// Whether the failure of the last attempt that started must not be retried.
    forbids_retry: bool,
    is_drawn: bool,
}

/// The attempt that a call waits for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum AttemptState {
    #[default]
    Idle,
    Runs {
        number: u32,
        begun: Nanos,
        ran: Ran,
    },
    Ended(Result<(), Failure>),
}

impl Kept {
    pub(crate) const fn new(index: u32, made: Nanos, abort: Option<AbortHandle>) -> Self {
        Self { index, made, abort, state: AttemptState::Idle, forbids_retry: false, is_drawn: false }
    }

    /// When the attempt of this number began, how long it runs and how it ends, if the call still
    /// waits for it.
    pub(crate) fn running(&self, attempt: u32) -> Option<(Nanos, Ran)> {
        match self.state {
            AttemptState::Runs { number, begun, ran } if number == attempt => Some((begun, ran)),
            _ => None,
        }
    }
}

/// What the calls of a run share.
pub(crate) struct Stage<'r> {
    pub(crate) replay: &'r Replay,
    pub(crate) missing: Missing,
    /// The seed of what is drawn.
    pub(crate) seed: u64,
    pub(crate) events: Events<Event>,
    pub(crate) tally: Tally,
}

/// A call of a run, for the length of one poll.
pub(crate) struct Playing<'p, 'r> {
    pub(crate) id: CallId,
    pub(crate) now: Nanos,
    pub(crate) kept: &'p mut Kept,
    pub(crate) stage: &'p mut Stage<'r>,
}

impl<'r> Playing<'_, 'r> {
    fn call(&self) -> &'r RecordedCall {
        &self.stage.replay.calls[self.kept.index as usize]
    }

    /// Of the log if it has the attempt, else drawn.
    fn ran(&mut self, number: u32) -> Ran {
        let recorded = self.call().attempts.get(number as usize - 1).copied();
        let Some(recorded) = recorded else {
            self.kept.is_drawn = true;
            self.stage.tally.counts.drawn += 1;
            return self.draw(number);
        };
        let start = self.now - self.kept.made;
        self.stage.tally.counts.moved += u64::from(start.abs_diff(recorded.start) > NEAR);
        recorded.ran
    }

    /// Draws an attempt. In the bounds, an attempt of the wrong kind gets the other end if there is
    /// none of the right kind in the whole log.
    fn draw(&mut self, number: u32) -> Ran {
        let (place, mut rng) = (self.place(), self.rng(number, 0));
        let (replay, missing) = (self.stage.replay, self.stage.missing);
        let pools = &replay.pools;
        let drawn = pools.draw(missing.among(), place, &mut rng);
        let drawn = drawn.or_else(|| pools.draw(Among::All, place, &mut rng));
        let Some(Drawn { mut ran, is_elsewhere }) = drawn else {
            unreachable!("a replay without attempts to draw from is refused")
        };
        self.stage.tally.counts.drawn_elsewhere += u64::from(is_elsewhere);
        match (missing, ran.end) {
            (Missing::Fail, End::Succeeds) => ran.end = End::Fails(Failure::of_timeout(replay)),
            (Missing::Succeed, End::Fails(_) | End::Cut(_)) => ran.end = End::Succeeds,
            _ => {}
        }
        ran
    }

    /// Lets an attempt go on, whose end the log does not know. `is_limited` says that the policy
    /// cuts it at some time.
    pub(crate) fn go_on(&mut self, number: u32, begun: Nanos, ran: Ran, is_limited: bool) {
        if !std::mem::replace(&mut self.kept.is_drawn, true) {
            self.stage.tally.counts.drawn += 1;
        }
        let (place, mut rng) = (self.place(), self.rng(number, ran.time.wrapping_add(1)));
        let longer = self.stage.replay.pools.draw_longer(self.stage.missing.among(), place, ran.time, &mut rng);
        match (longer, ran.end) {
            (Some(Drawn { ran, .. }), _) => self.run(number, begun, ran),
            (None, _) if self.stage.missing == Missing::Succeed => self.kept.state = AttemptState::Ended(Ok(())),
            (None, End::Cut(failure)) if !is_limited => self.kept.state = AttemptState::Ended(Err(failure)),
            // It runs until it is cut.
            (None, _) => {}
        }
    }

    fn run(&mut self, number: u32, begun: Nanos, ran: Ran) {
        self.kept.forbids_retry = ran.forbids_retry;
        self.kept.state = AttemptState::Runs { number, begun, ran };
        let ends = begun.saturating_add(ran.time);
        let (at, event) = match ran.end {
            // One instant later: a time limit of the same length cuts it, as it did.
            End::Cut(_) => (ends.saturating_add(1), Event::GoesOn { call: self.id, attempt: number }),
            _ => (ends, Event::Ends { call: self.id, attempt: number }),
        };
        self.stage.events.schedule(at.max(self.now), event);
    }

    fn place(&self) -> Place {
        let call = self.call();
        Place { operation: call.operation, breaker: call.breaker, at: self.now }
    }

    /// The same for the same attempt under every policy.
    fn rng(&self, number: u32, nth: u64) -> Rng {
        let attempt = (u64::from(self.kept.index) << 32) | u64::from(number);
        let mut rng =
            Rng::with_seed(self.stage.seed ^ attempt.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ nth.rotate_left(32));
        rng.fork()
    }
}

impl Failure {
    /// The failure of an attempt that fails although no attempt of the log does.
    fn of_timeout(replay: &Replay) -> Self {
        let class = replay.timeout.unwrap_or(redress_core::ErrorClass::Transient);
        Self { class, retry_after: None }
    }
}

impl PollOperation<(), Failure> for Playing<'_, '_> {
    fn start(&mut self, attempt: Attempt) {
        let (number, now) = (attempt.number(), self.now);
        self.stage.tally.start(now);
        self.stage.tally.counts.retries += u64::from(number > 1);
        self.kept.is_drawn = false;
        let ran = self.ran(number);
        match ran.end {
            // An attempt that takes no time is never pending.
            End::Succeeds if ran.time == 0 => self.kept.state = AttemptState::Ended(Ok(())),
            End::Fails(failure) if ran.time == 0 => {
                self.kept.forbids_retry = ran.forbids_retry;
                self.kept.state = AttemptState::Ended(Err(failure));
            }
            _ => self.run(number, now, ran),
        }
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        match self.kept.state {
            AttemptState::Ended(result) => Poll::Ready(result),
            _ => Poll::Pending,
        }
    }

    fn stop(&mut self) {
        self.kept.state = AttemptState::Idle;
    }

    fn retry_forbidden(
        &mut self,
        _: &redress_core::error::Failure<(), Failure>,
        _: &redress_core::Classification,
    ) -> Option<&'static str> {
        self.kept.forbids_retry.then_some("recorded")
    }
}
