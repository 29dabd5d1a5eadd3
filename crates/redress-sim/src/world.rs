//! The event loop: takes the next event, sets the clock, and polls the call that it concerns.

use std::time::Duration;

use fastrand::Rng;
use redress_core::classify::OwnClassifier;
use redress_core::{ConfigError, RetryOutcome, StopReason};

use crate::calls::{Calls, Polled};
use crate::clients::Clients;
use crate::clock::{Nanos, SECOND, SimTimer};
use crate::error::SimulationError;
use crate::events::{CallId, Events};
use crate::exchange::{Exchange, Failure, Link, Request, schedule_end};
use crate::fleet::{Circuits, Fleet};
use crate::progress::Progress;
use crate::random::SeededThread;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::shard::{RESET, Shard};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// A call of the open loop arrives.
    Arrives,
    /// A user of the closed loop has thought enough.
    Returns { user: u32 },
    /// A wait or a timeout of a call may be over.
    Wakes(CallId),
    /// A worker has ended a request, unless it has lost it.
    Served { shard: u32, worker: u32, serial: u32 },
    /// Workers stop or start.
    Restarts,
}

/// Stands for a call of the open loop.
const NO_USER: u32 = u32::MAX;

/// Who makes a call, and where it leads.
#[derive(Clone, Copy, Debug)]
struct Origin {
    client: u32,
    user: u32,
    shard: u32,
    made: Nanos,
}

/// What is kept of a call.
struct Kept {
    exchange: Exchange,
    origin: Origin,
}

/// One run.
pub(crate) struct World<'s, 'p, W> {
    scenario: &'s Scenario,
    fleet: Fleet<'p>,
    timer: SimTimer,
    arrivals: Rng,
    events: Events<Event>,
    calls: Calls<Failure, OwnClassifier, Kept>,
    shards: Vec<Shard<'s>>,
    report: Report,
    /// The seconds whose end was noted.
    noted: u64,
    watch: W,
    // Restores the thread's generator.
    _seeded: SeededThread,
}

impl<'s, 'p, W: FnMut(Progress)> World<'s, 'p, W> {
    pub(crate) fn new(scenario: &'s Scenario, clients: Clients<'p>, watch: W) -> Self {
        let mut seeds = Rng::with_seed(scenario.seed_value());
        let (arrivals, first_shard) = (seeds.fork(), seeds.fork());
        let policies = seeds.u64(..);
        let mut first_shard = Some(first_shard);
        let mut shard_seed = || first_shard.take().unwrap_or_else(|| seeds.fork());
        let shard = |number| Shard::new(number, scenario.server(), scenario.faults(), shard_seed());
        Self {
            scenario,
            report: Report::new(scenario.outline(clients.count())),
            fleet: Fleet::new(clients),
            timer: SimTimer::new(),
            arrivals,
            events: Events::default(),
            calls: Calls::default(),
            shards: (0..scenario.server().shard_count()).map(shard).collect(),
            noted: 0,
            watch,
            _seeded: SeededThread::new(policies),
        }
    }

    pub(crate) fn run(mut self) -> Result<Report, SimulationError> {
        // Reports a policy that cannot be built, even if no call arrives.
        self.fleet.check(&self.timer)?;
        self.schedule_restarts();
        self.schedule_arrival(0);
        for user in 0..self.scenario.load().user_count() {
            self.schedule_return(user, 0);
        }
        let horizon = self.scenario.horizon_nanos();
        while let Some((now, event)) = self.events.pop_before(horizon) {
            self.note_seconds(now / SECOND);
            self.timer.set(now);
            match event {
                Event::Arrives => {
                    self.schedule_arrival(now);
                    let client = self.arrivals.u32(..self.fleet.count());
                    self.make_call(client, NO_USER, now)?;
                }
                Event::Returns { user } => self.make_call(user % self.fleet.count(), user, now)?,
                Event::Wakes(call) => self.wake(call, now),
                Event::Served { shard, worker, serial } => self.serve(shard, worker, serial, now),
                Event::Restarts => self.restart(now),
            }
        }
        self.note_seconds(horizon / SECOND);
        self.report.set_events(self.events.scheduled());
        Ok(self.report)
    }

    /// Notes the ends of the seconds before this one.
    fn note_seconds(&mut self, second: u64) {
        while self.noted < second {
            let Circuits { open, half_open } = self.fleet.circuits();
            let ended = self.report.at(self.noted * SECOND);
            (ended.open, ended.half_open) = (open, half_open);
            self.noted += 1;
            (self.watch)(Progress {
                simulated: Duration::from_secs(self.noted),
                horizon: Duration::from_nanos(self.scenario.horizon_nanos()),
                events: self.events.scheduled(),
            });
        }
    }

    fn schedule_arrival(&mut self, now: Nanos) {
        if let Some(next) = self.scenario.load().next(now, &mut self.arrivals) {
            self.events.schedule(next, Event::Arrives);
        }
    }

    fn schedule_return(&mut self, user: u32, now: Nanos) {
        let at = self.scenario.load().returns(now, &mut self.arrivals);
        self.events.schedule(at, Event::Returns { user });
    }

    fn schedule_restarts(&mut self) {
        let workers = self.scenario.server().worker_count();
        let mut changes: Vec<Nanos> = self.scenario.faults().iter().flat_map(|fault| fault.changes(workers)).collect();
        changes.sort_unstable();
        changes.dedup();
        for change in changes {
            self.events.schedule(change, Event::Restarts);
        }
    }

    fn make_call(&mut self, client: u32, user: u32, now: Nanos) -> Result<(), ConfigError> {
        let shard = match self.scenario.server().shard_count() {
            1 => 0,
            shards => self.arrivals.u32(..shards),
        };
        let call = self.fleet.begin(client, &self.timer)?.poll_call();
        self.report.at(now).offered += 1;
        let origin = Origin { client, user, shard, made: now };
        let call = self.calls.insert(call, Kept { exchange: Exchange::default(), origin });
        self.poll(call, now);
        Ok(())
    }

    fn wake(&mut self, id: CallId, now: Nanos) {
        if self.calls.get(id).is_some_and(|call| call.running.is_due()) {
            self.poll(id, now);
        }
    }

    fn serve(&mut self, number: u32, worker: u32, serial: u32, now: Nanos) {
        let shard = &mut self.shards[number as usize];
        let Some((request, failure)) = shard.end(worker, serial) else { return };
        // The worker is free before the caller acts on the answer.
        let (next, dropped) = shard.take_next(worker, now);
        self.report.at(now).dropped += u64::from(dropped);
        if let Some(job) = next {
            schedule_end(&mut self.events, number, job);
        }
        if !self.answer(request, failure, now) {
            self.report.at(now).unheard += 1;
        }
    }

    fn restart(&mut self, now: Nanos) {
        for number in 0..self.scenario.server().shard_count() {
            let restart = self.shards[number as usize].restart(now);
            for job in restart.begun {
                schedule_end(&mut self.events, number, job);
            }
            let second = self.report.at(now);
            second.dropped += u64::from(restart.dropped);
            second.reset += restart.lost.len() as u64;
            for request in restart.lost {
                self.answer(request, Some(RESET), now);
            }
        }
    }

    /// Hands an answer to the call that waits for it. Returns whether there is one.
    fn answer(&mut self, request: Request, failure: Option<Failure>, now: Nanos) -> bool {
        let Request { call: id, attempt, .. } = request;
        let is_heard = self.calls.get(id).is_some_and(|call| call.kept.exchange.answer(attempt, failure));
        if is_heard {
            self.poll(id, now);
        }
        is_heard
    }

    /// Polls a call, and schedules the next poll or counts its end.
    fn poll(&mut self, id: CallId, now: Nanos) {
        let Some(call) = self.calls.get(id) else { return };
        let origin = call.kept.origin;
        let mut link = Link {
            call: id,
            now,
            shard_number: origin.shard,
            exchange: &mut call.kept.exchange,
            shard: &mut self.shards[origin.shard as usize],
            events: &mut self.events,
            report: &mut self.report,
        };
        match call.running.poll(&mut link) {
            Polled::Ended(outcome) => {
                self.calls.remove(id);
                self.end(&outcome, origin, now);
                return;
            }
            Polled::Wakes(at) => self.events.schedule(at, Event::Wakes(id)),
            // It yields, and goes on at once.
            Polled::Untimed if matches!(call.kept.exchange, Exchange::Idle) => {
                self.events.schedule(now, Event::Wakes(id));
            }
            Polled::Waits | Polled::Untimed => {}
        }
        self.fleet.note_circuit(origin.client);
    }

    fn end(&mut self, outcome: &RetryOutcome<(), Failure>, origin: Origin, now: Nanos) {
        let Origin { client, user, made, .. } = origin;
        match outcome.stop_reason() {
            None => self.report.count_good(made, now - made),
            Some(reason) => {
                let second = self.report.at(made);
                second.failed += 1;
                second.rejected += u64::from(reason == StopReason::CircuitOpen && outcome.attempts() == 0);
                self.report.count_stop(reason);
            }
        }
        self.fleet.note_circuit(client);
        self.fleet.end(client, outcome.attempts() != 1 || !outcome.is_ok());
        if user != NO_USER {
            self.schedule_return(user, now);
        }
    }
}
