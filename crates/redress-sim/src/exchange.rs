//! The operation of a simulated call: each attempt is a request to the server, and its answer.

use std::task::{Context, Poll};
use std::time::Duration;

use redress_core::driver::PollOperation;
use redress_core::{Attempt, Classification, Classify, ErrorClass};

use crate::clock::{Nanos, nanos};
use crate::events::{CallId, Events};
use crate::report::Report;
use crate::shard::{Job, Receipt, Shard};
use crate::world::Event;

/// One attempt of a call, as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) call: CallId,
    pub(crate) attempt: u32,
    /// When the attempt's time limit passes, if it has one.
    pub(crate) expires: Option<Nanos>,
}

/// The server's answer to a request that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) class: ErrorClass,
    pub(crate) retry_after: Option<Duration>,
}

impl Classify for Failure {
    fn classification(&self) -> Classification {
        Classification::new(self.class).with_retry_after(self.retry_after)
    }
}

/// The attempt that a call waits for.
#[derive(Debug, Default)]
pub(crate) enum Exchange {
    #[default]
    Idle,
    Awaits {
        attempt: u32,
    },
    Answered(Option<Failure>),
}

impl Exchange {
    /// Hands over the answer to an attempt. Returns whether the call still waits for it.
    pub(crate) fn answer(&mut self, to: u32, failure: Option<Failure>) -> bool {
        let is_awaited = matches!(self, Self::Awaits { attempt } if *attempt == to);
        if is_awaited {
            *self = Self::Answered(failure);
        }
        is_awaited
    }
}

/// A call's connection to its shard, for the length of one poll.
pub(crate) struct Link<'w, 's> {
    pub(crate) call: CallId,
    pub(crate) now: Nanos,
    pub(crate) shard_number: u32,
    pub(crate) exchange: &'w mut Exchange,
    pub(crate) shard: &'w mut Shard<'s>,
    pub(crate) events: &'w mut Events<Event>,
    pub(crate) report: &'w mut Report,
}

impl PollOperation<(), Failure> for Link<'_, '_> {
    fn start(&mut self, attempt: Attempt) {
        let (number, now) = (attempt.number(), self.now);
        let expires = attempt.time_left().map(|left| now.saturating_add(nanos(left)));
        let request = Request { call: self.call, attempt: number, expires };
        let second = self.report.at(now);
        second.attempts += 1;
        *self.exchange = match self.shard.receive(request, now) {
            Receipt::Queued => Exchange::Awaits { attempt: number },
            Receipt::Begun(job) => {
                schedule_end(self.events, self.shard_number, job);
                Exchange::Awaits { attempt: number }
            }
            Receipt::Refused(failure) => {
                second.refused += 1;
                Exchange::Answered(Some(failure))
            }
            Receipt::Limited(failure) => {
                second.limited += 1;
                Exchange::Answered(Some(failure))
            }
            Receipt::Down(failure) => {
                second.reset += 1;
                Exchange::Answered(Some(failure))
            }
        };
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        match self.exchange {
            Exchange::Answered(failure) => Poll::Ready(failure.map_or(Ok(()), Err)),
            _ => Poll::Pending,
        }
    }

    fn stop(&mut self) {
        *self.exchange = Exchange::Idle;
    }
}

pub(crate) fn schedule_end(events: &mut Events<Event>, shard: u32, job: Job) {
    let Job { worker, serial, ends } = job;
    events.schedule(ends, Event::Served { shard, worker, serial });
}
