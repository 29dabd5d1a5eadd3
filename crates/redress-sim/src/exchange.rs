//! The operation of a simulated call: each attempt is a request to the server, and its answer.

use std::task::{Context, Poll};

use redress_core::driver::PollOperation;
use redress_core::{Attempt, Classification, Classify, ErrorClass};

use crate::clock::{Nanos, nanos};
use crate::events::{CallId, Event, Events};
use crate::report::Report;
use crate::server::{Backlog, Job, Receipt, Request};

/// The server's answer to a request that failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerAnswer(pub(crate) ErrorClass);

impl Classify for ServerAnswer {
    fn classification(&self) -> Classification {
        self.0.into()
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
    Answered(Option<ErrorClass>),
}

impl Exchange {
    /// Hands over the answer to an attempt. Returns whether the call still waits for it.
    pub(crate) fn answer(&mut self, to: u32, error: Option<ErrorClass>) -> bool {
        let is_awaited = matches!(self, Self::Awaits { attempt } if *attempt == to);
        if is_awaited {
            *self = Self::Answered(error);
        }
        is_awaited
    }
}

/// A call's connection to the server, for the length of one poll.
pub(crate) struct Link<'w, 's> {
    pub(crate) call: CallId,
    pub(crate) now: Nanos,
    pub(crate) exchange: &'w mut Exchange,
    pub(crate) server: &'w mut Backlog<'s>,
    pub(crate) events: &'w mut Events,
    pub(crate) report: &'w mut Report,
}

impl PollOperation<(), ServerAnswer> for Link<'_, '_> {
    fn start(&mut self, attempt: Attempt) {
        let (number, now) = (attempt.number(), self.now);
        let expires = attempt.time_left().map(|left| now.saturating_add(nanos(left)));
        let request = Request { call: self.call, attempt: number, expires };
        let second = self.report.at(now);
        second.attempts += 1;
        *self.exchange = match self.server.receive(request, now) {
            Receipt::Refused => {
                second.refused += 1;
                Exchange::Answered(Some(ErrorClass::ServerError))
            }
            Receipt::Queued => Exchange::Awaits { attempt: number },
            Receipt::Begun(job) => {
                schedule_end(self.events, job);
                Exchange::Awaits { attempt: number }
            }
        };
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ServerAnswer>> {
        match self.exchange {
            Exchange::Answered(error) => Poll::Ready(error.map_or(Ok(()), |class| Err(ServerAnswer(class)))),
            _ => Poll::Pending,
        }
    }

    fn stop(&mut self) {
        *self.exchange = Exchange::Idle;
    }
}

pub(crate) fn schedule_end(events: &mut Events, job: Job) {
    let Job { request: Request { call, attempt, .. }, ends, error } = job;
    events.schedule(ends, Event::Served { call, attempt, error });
}
