//! The event loop: takes the next event, sets the clock, and polls the call that it concerns.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fastrand::Rng;
use redress_core::classify::OwnClassifier;
use redress_core::driver::PollCall;
use redress_core::{ConfigError, ErrorClass, RetryOutcome, StopReason};

use crate::clients::Clients;
use crate::clock::{Nanos, SimTimer, Wake};
use crate::events::{CallId, Event, Events};
use crate::exchange::{Exchange, Link, ServerAnswer, schedule_end};
use crate::random::SeededThread;
use crate::report::Report;
use crate::scenario::{Scenario, SimulationError};
use crate::server::Backlog;

/// One run.
pub(crate) struct World<'s, 'p> {
    scenario: &'s Scenario,
    clients: Clients<'p>,
    timer: SimTimer,
    arrivals: Rng,
    events: Events,
    calls: Calls,
    server: Backlog<'s>,
    report: Report,
    // Restores the thread's generator.
    _seeded: SeededThread,
}

impl<'s, 'p> World<'s, 'p> {
    pub(crate) fn new(scenario: &'s Scenario, clients: Clients<'p>) -> Self {
        let mut seeds = Rng::with_seed(scenario.seed_value());
        let (arrivals, server) = (seeds.fork(), seeds.fork());
        let healthy_from = scenario.faults().iter().map(crate::fault::Fault::until).max().unwrap_or(0);
        Self {
            scenario,
            clients,
            timer: SimTimer::new(),
            arrivals,
            events: Events::default(),
            calls: Calls::default(),
            server: Backlog::new(scenario.server(), scenario.faults(), server),
            report: Report::new(scenario.horizon_nanos(), healthy_from),
            _seeded: SeededThread::new(seeds.u64(..)),
        }
    }

    pub(crate) fn run(mut self) -> Result<Report, SimulationError> {
        // Reports a policy that cannot be built, even if no call arrives.
        self.clients.policy(0, &self.timer)?;
        self.schedule_arrival(0);
        while let Some((now, event)) = self.events.pop_before(self.scenario.horizon_nanos()) {
            self.timer.set(now);
            match event {
                Event::Arrives => self.arrive(now)?,
                Event::Wakes(call) => self.wake(call, now),
                Event::Served { call, attempt, error } => self.serve(call, attempt, error, now),
            }
        }
        self.report.set_events(self.events.scheduled());
        Ok(self.report)
    }

    fn schedule_arrival(&mut self, now: Nanos) {
        if let Some(next) = self.scenario.load().next(now, &mut self.arrivals) {
            self.events.schedule(next, Event::Arrives);
        }
    }

    fn arrive(&mut self, now: Nanos) -> Result<(), ConfigError> {
        self.schedule_arrival(now);
        let client = self.arrivals.u32(..self.clients.count());
        let call = self.clients.policy(client, &self.timer)?.poll_call();
        self.report.at(now).offered += 1;
        let call = self.calls.insert(call, now);
        self.poll(call, now);
        Ok(())
    }

    fn wake(&mut self, id: CallId, now: Nanos) {
        // A call that waits for something later was woken by an event of an earlier wait.
        if self.calls.get(id).is_some_and(|call| call.sleep.as_ref().is_none_or(Wake::is_due)) {
            self.poll(id, now);
        }
    }

    fn serve(&mut self, id: CallId, attempt: u32, error: Option<ErrorClass>, now: Nanos) {
        // The worker is free before the caller acts on the answer.
        let (next, dropped) = self.server.take_next(now);
        self.report.at(now).dropped += u64::from(dropped);
        if let Some(job) = next {
            schedule_end(&mut self.events, job);
        }
        if self.calls.get(id).is_some_and(|call| call.exchange.answer(attempt, error)) {
            self.poll(id, now);
        } else {
            self.report.at(now).unheard += 1;
        }
    }

    /// Polls a call, and schedules the next poll or counts its end.
    fn poll(&mut self, id: CallId, now: Nanos) {
        let Some(call) = self.calls.get(id) else { return };
        let mut link = Link {
            call: id,
            now,
            exchange: &mut call.exchange,
            server: &mut self.server,
            events: &mut self.events,
            report: &mut self.report,
        };
        let polled = call.call.poll(&mut link, Pin::new(&mut call.sleep), &mut Context::from_waker(Waker::noop()));
        match (polled, &call.sleep) {
            (Poll::Ready(outcome), _) => {
                let made = call.made;
                self.calls.remove(id);
                self.count_end(&outcome, made, now);
            }
            (Poll::Pending, Some(wake)) if call.wakes_at != Some(wake.at) => {
                call.wakes_at = Some(wake.at);
                self.events.schedule(wake.at, Event::Wakes(id));
            }
            // A call that yields after many attempts without a wait goes on at once.
            (Poll::Pending, None) if matches!(call.exchange, Exchange::Idle) => {
                self.events.schedule(now, Event::Wakes(id));
            }
            (Poll::Pending, _) => {}
        }
    }

    fn count_end(&mut self, outcome: &RetryOutcome<(), ServerAnswer>, made: Nanos, now: Nanos) {
        let second = self.report.at(made);
        match outcome.stop_reason() {
            None => {
                second.good += 1;
                second.time += Duration::from_nanos(now - made);
            }
            Some(reason) => {
                second.failed += 1;
                second.rejected += u64::from(reason == StopReason::CircuitOpen && outcome.attempts() == 0);
                self.report.count_stop(reason);
            }
        }
    }
}

/// A call that is not over.
struct Call {
    call: PollCall<'static, (), ServerAnswer, OwnClassifier, SimTimer>,
    sleep: Option<Wake>,
    exchange: Exchange,
    made: Nanos,
    /// The instant of the last event that was scheduled to wake it.
    wakes_at: Option<Nanos>,
    serial: u32,
}

/// The calls that are not over, in places that are used again.
#[derive(Default)]
struct Calls {
    places: Vec<Option<Call>>,
    free: Vec<u32>,
    serial: u32,
}

impl Calls {
    fn insert(&mut self, call: PollCall<'static, (), ServerAnswer, OwnClassifier, SimTimer>, made: Nanos) -> CallId {
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let call = Some(Call { call, sleep: None, exchange: Exchange::default(), made, wakes_at: None, serial });
        let slot = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            u32::try_from(self.places.len() - 1).expect("more than 2^32 calls at once do not fit into memory")
        });
        self.places[slot as usize] = call;
        CallId { slot, serial }
    }

    fn get(&mut self, id: CallId) -> Option<&mut Call> {
        self.places.get_mut(id.slot as usize)?.as_mut().filter(|call| call.serial == id.serial)
    }

    fn remove(&mut self, id: CallId) {
        if let Some(place) = self.places.get_mut(id.slot as usize) {
            *place = None;
            self.free.push(id.slot);
        }
    }
}
