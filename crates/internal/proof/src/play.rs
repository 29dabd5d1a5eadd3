//! Plays a case twice, in lockstep: once with the real policy, once with the model, each on its own
//! clock.
//!
//! It determines the order in which calls are polled and time passes, and compares the notes. Time
//! advances to the model's next alarm, so a policy that waits for a different instant is detected.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::laws::case::broken_by;
use crate::naive::Naive;
use crate::note::{Ending, Note, What};
use crate::stage::{Planned, Stage};
use crate::subject::{Calling, Line, Subject};
use crate::world::{Act, Driver, World};

/// No case comes near it: a call that goes on for so long never ends.
const MOST_POLLS: u32 = 10_000;

pub(crate) const DRIVERS: [Driver; 3] = [Driver::Blocking, Driver::Bare, Driver::Async];

/// What was seen.
pub(crate) struct Played {
    pub(crate) subject: Vec<Note>,
    pub(crate) model: Vec<Note>,
    /// The account of a watched breaker.
    pub(crate) ledger: Vec<Line>,
}

/// One side of the play.
struct Side<'a> {
    stage: &'a Arc<Stage>,
    /// `None` once a call has ended.
    calls: Vec<Option<Calling<'a>>>,
}

impl Side<'_> {
    /// Polls the call once; whether it has ended.
    fn poll(&mut self, call: usize) -> bool {
        let Some(calling) = &mut self.calls[call] else { return true };
        self.stage.turn_to(call);
        let mut cx = Context::from_waker(Waker::noop());
        let ending = match catch_unwind(AssertUnwindSafe(|| calling.as_mut().poll(&mut cx))) {
            Ok(Poll::Pending) => return false,
            Ok(Poll::Ready(ending)) => ending,
            Err(payload) if payload.is::<Planned>() => Ending::Panicked,
            Err(payload) => resume_unwind(payload),
        };
        self.calls[call] = None;
        self.stage.note(What::Ended(Box::new(ending)));
        true
    }

    fn drop_call(&mut self, call: usize) {
        if let Some(calling) = self.calls[call].take() {
            self.stage.turn_to(call);
            drop(calling);
            self.stage.note(What::Ended(Box::new(Ending::Dropped)));
        }
    }
}

/// Both sides.
struct Both<'a> {
    subject: Side<'a>,
    model: Side<'a>,
}

impl Both<'_> {
    fn advance(&self, by: Duration) {
        self.subject.stage.clock.advance(by);
        self.model.stage.clock.advance(by);
    }

    /// Polls the call on both sides; whether it has ended on one of them at least.
    fn poll(&mut self, call: usize) -> bool {
        let ended = [self.subject.poll(call), self.model.poll(call)];
        ended.contains(&true)
    }

    /// Polls, and moves time to the next alarm if the call waits for time; whether there is more to
    /// come.
    fn step(&mut self, call: usize) -> bool {
        self.model.stage.has_yielded();
        if self.poll(call) {
            return false;
        }
        if !self.model.stage.has_yielded() {
            let Some(by) = self.model.stage.next_alarm() else { return false };
            self.advance(by);
        }
        true
    }

    fn run(&mut self, call: usize) {
        for _ in 0..MOST_POLLS {
            if !self.step(call) {
                return;
            }
        }
        panic!("call {call} does not end");
    }

    fn act(&mut self, act: Act) {
        let named = |call: usize| call % self.model.calls.len();
        match act {
            Act::Advance(by) => self.advance(by),
            Act::Poll(call) => {
                self.poll(named(call));
            }
            Act::Steps(call, times) => {
                let call = named(call);
                for _ in 0..times {
                    self.step(call);
                }
            }
            Act::Run(call) => self.run(named(call)),
            Act::Drop(call) => {
                let call = named(call);
                self.subject.drop_call(call);
                self.model.drop_call(call);
            }
            Act::Mode(_) => {}
        }
    }
}

/// Plays the case with this driver.
pub(crate) fn play(world: &World, driver: Driver) -> Played {
    let world = Arc::new(if driver == Driver::Bare { world.without_delays() } else { world.clone() });
    let (subject, model) = (Subject::new(&Stage::new(&world, driver), driver), Naive::new(&Stage::new(&world, driver)));
    let count = world.calls.len();
    let mut both = Both {
        subject: Side {
            stage: &subject.stage,
            calls: (0..count).map(|call| Some(subject.call(call, driver))).collect(),
        },
        model: Side {
            stage: &model.stage,
            calls: (0..count).map(|call| Some(Box::pin(model.call(call)) as Calling<'_>)).collect(),
        },
    };
    let runs = (0..count).map(Act::Run);
    let drops = (0..count).map(Act::Drop);
    for act in world.acts.iter().copied().chain(runs).chain(drops) {
        match act {
            Act::Mode(mode) => {
                subject.set_mode(mode);
                model.set_mode(mode);
            }
            act => both.act(act),
        }
        subject.stage.note(subject.state());
        model.stage.note(model.state());
    }
    if let Some(breaker) = &world.policy.breaker {
        both.advance(breaker.recovery);
        subject.stage.note(What::Readmits(subject.readmits()));
        model.stage.note(What::Readmits(model.readmits()));
    }
    if let Some(budget) = world.policy.retry.as_ref().and_then(|retry| retry.budget) {
        // All tokens are back.
        both.advance(budget.window);
        subject.stage.note(subject.state());
        model.stage.note(model.state());
    }
    subject.stage.note(subject.shared_timeline());
    model.stage.note(model.shared_timeline());
    drop(both);
    let ledger = subject.ledger.lock().expect("whole").clone();
    Played { subject: subject.stage.into_notes(), model: model.stage.into_notes(), ledger }
}

impl Played {
    /// The first difference between the two, with what led to it.
    pub(crate) fn difference(&self) -> Option<String> {
        let length = self.subject.len().max(self.model.len());
        let at = (0..length).find(|index| self.subject.get(*index) != self.model.get(*index))?;
        let mut text = String::from("the engine and the model differ. Both:\n");
        for note in &self.model[at.saturating_sub(12)..at] {
            let _ = writeln!(text, "  {note:?}");
        }
        for (side, notes) in [("engine", &self.subject), ("model", &self.model)] {
            let _ = writeln!(text, "{side}:");
            for note in notes.iter().skip(at).take(3) {
                let _ = writeln!(text, "  {note:?}");
            }
        }
        Some(text)
    }
}

/// Reads a case from bytes and plays it. The first byte chooses the driver, and whether the case is
/// watched, which its laws need.
///
/// # Panics
///
/// If the engine and the model differ, or a law is broken.
pub fn engine_schedule(bytes: &[u8]) {
    let (choice, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let (world, driver) = (World::read(bytes), DRIVERS[usize::from(choice % 3)]);
    let breach = if choice / 3 % 2 == 0 { play(&world, driver).difference() } else { broken_by(&world, driver) };
    assert!(breach.is_none(), "{}\n{world:?}", breach.unwrap_or_default());
}
