//! The user code of a case: operations, hooks and strategies that follow the data, on a virtual
//! clock, and record notes.
//!
//! The policy runs on one stage and the model on another, so the hooks of both are recorded by the
//! same code.

use std::collections::BTreeMap;
use std::future::{Future, pending, poll_fn};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use redress_core::strategy::Feedback;
use redress_core::{Event, SleepDecision};
use redress_testing::VirtualClock;

use crate::note::{Backoff, Hook, HookKind, Note, Seen, What};
use crate::world::{
    Answer, AttemptSpec, Awaited, Broken, Driver, End, Habit, Hooks, Owner, Pace, StrategySpec, Value, World,
};

/// A panic that the data asks for. The model reads it; for the real policy it is made one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned;

/// Makes a planned panic one, without the panic hook's noise.
pub(crate) fn or_panic<T>(result: Result<T, Planned>) -> T {
    result.unwrap_or_else(|planned| resume_unwind(Box::new(planned)))
}

pub(crate) type Attempted = Result<Value, Broken>;

pub(crate) struct Stage {
    pub(crate) world: Arc<World>,
    driver: Driver,
    pub(crate) clock: VirtualClock,
    pub(crate) origin: Instant,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    current: usize,
    notes: Vec<Note>,
    runs: BTreeMap<Hook, u32>,
    alarms: BTreeMap<u64, Duration>,
    next_alarm: u64,
    has_yielded: bool,
}

impl Stage {
    pub(crate) fn new(world: &Arc<World>, driver: Driver) -> Arc<Self> {
        let clock = VirtualClock::new();
        let origin = clock.now();
        Arc::new(Self { world: Arc::clone(world), driver, clock, origin, inner: Mutex::default() })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nothing panics while it is held")
    }

    /// What follows belongs to this call.
    pub(crate) fn turn_to(&self, call: usize) {
        self.inner().current = call;
    }

    pub(crate) fn note(&self, what: What) {
        let at = self.clock.elapsed();
        let mut inner = self.inner();
        let call = inner.current;
        inner.notes.push(Note { call, at, what });
    }

    pub(crate) fn into_notes(self: &Arc<Self>) -> Vec<Note> {
        std::mem::take(&mut self.inner().notes)
    }

    /// Whether something was pending without waiting for time since the last call.
    pub(crate) fn has_yielded(&self) -> bool {
        std::mem::take(&mut self.inner().has_yielded)
    }

    /// How long until the next alarm.
    pub(crate) fn next_alarm(&self) -> Option<Duration> {
        let now = self.clock.elapsed();
        self.inner().alarms.values().filter(|due| **due > now).min().map(|due| *due - now)
    }

    fn current(&self) -> usize {
        self.inner().current
    }

    /// The driver of the present call.
    pub(crate) fn driver(&self) -> Driver {
        self.world.driver(self.current(), self.driver)
    }

    /// A hook's habit, after its note.
    fn perform(&self, owner: Owner, kind: HookKind, habit: Habit) -> Result<u32, Planned> {
        let run = {
            let mut inner = self.inner();
            let runs = inner.runs.entry(Hook { owner, kind }).or_default();
            *runs += 1;
            *runs
        };
        self.clock.advance(habit.takes);
        if habit.panics_at == Some(run) { Err(Planned) } else { Ok(run) }
    }

    fn hooks(&self, owner: Owner) -> &Hooks {
        self.world.hooks(owner)
    }

    fn habit(&self, Hook { owner, kind }: Hook) -> Habit {
        let hooks = self.hooks(owner);
        let habit = match kind {
            HookKind::Observer(index) => hooks.observers.get(index).copied(),
            HookKind::AttemptStart => hooks.on_attempt_start,
            HookKind::AttemptEnd => hooks.on_attempt_end,
            HookKind::Abort | HookKind::Handler | HookKind::BeforeSleep | HookKind::Sleeper => None,
        };
        habit.expect("only hooks that are there are run")
    }

    /// The decision is left out: explanations have a property of their own, X4.
    pub(crate) fn tell(&self, hook: Hook, mut event: Event<'static>) -> Result<(), Planned> {
        event.decision = None;
        self.note(What::Told(hook, event));
        self.perform(hook.owner, hook.kind, self.habit(hook)).map(drop)
    }

    pub(crate) fn start(&self, hook: Hook, seen: Seen) -> Result<(), Planned> {
        self.note(What::Start(hook, seen));
        self.perform(hook.owner, hook.kind, self.habit(hook)).map(drop)
    }

    pub(crate) fn end(&self, hook: Hook, seen: Seen) -> Result<(), Planned> {
        self.note(What::End(hook, seen));
        self.perform(hook.owner, hook.kind, self.habit(hook)).map(drop)
    }

    pub(crate) fn ask_abort(&self, call: usize) -> Result<bool, Planned> {
        let owner = Owner::Call(call);
        self.note(What::Abort(owner));
        let abort_if = self.world.calls[call].abort_if.expect("only hooks that are there are run");
        let asked = self.perform(owner, HookKind::Abort, abort_if.habit)?;
        Ok(abort_if.from.is_some_and(|from| asked >= from))
    }

    pub(crate) fn handle_sleep(
        &self,
        owner: Owner,
        backoff: Backoff,
        delay: Duration,
    ) -> Result<SleepDecision, Planned> {
        self.note(What::Handler(owner, backoff, delay));
        let handler = self.hooks(owner).sleep.as_ref().expect("only hooks that are there are run");
        let run = self.perform(owner, HookKind::Handler, handler.habit)?;
        Ok(match nth(&handler.answers, run) {
            Some(Answer::Defer) => SleepDecision::Defer,
            Some(Answer::Abort) => SleepDecision::Abort,
            Some(Answer::Sleep) | None => SleepDecision::Sleep,
        })
    }

    /// The hook before a wait, and what it wants awaited.
    pub(crate) fn before_sleep(
        self: &Arc<Self>,
        owner: Owner,
        backoff: Backoff,
        delay: Duration,
    ) -> Result<Option<Awaiting>, Planned> {
        self.note(What::BeforeSleep(owner, backoff, delay));
        let hook = self.hooks(owner).before_sleep.as_ref().expect("only hooks that are there are run");
        self.perform(owner, HookKind::BeforeSleep, hook.habit)?;
        let future = hook.future.filter(|_| self.driver() == Driver::Async);
        Ok(future.map(|awaited| self.awaited(awaited, Duration::ZERO)))
    }

    /// The hook instead of a wait. A blocking one waits here, an asynchronous one in the future.
    pub(crate) fn sleeper(self: &Arc<Self>, owner: Owner, delay: Duration) -> Result<Awaiting, Planned> {
        self.note(What::Sleeper(owner, delay));
        let sleeper = self.world.sleeper(owner, self.driver()).expect("only hooks that are there are run");
        self.perform(owner, HookKind::Sleeper, sleeper.habit)?;
        let slept = if sleeper.is_lazy { Duration::ZERO } else { delay };
        let slept = slept.saturating_add(sleeper.oversleeps);
        if self.driver() != Driver::Async {
            self.clock.advance(slept);
        }
        Ok(self.awaited(sleeper.future, slept))
    }

    fn awaited(self: &Arc<Self>, awaited: Awaited, waits: Duration) -> Awaiting {
        let stage = Arc::clone(self);
        Box::pin(async move {
            stage.yields(awaited.yields).await;
            stage.wait(waits.saturating_add(awaited.waits)).await;
            if awaited.panics { Err(Planned) } else { Ok(()) }
        })
    }

    /// What a strategy answers that is written here.
    pub(crate) fn delay(&self, strategy: &StrategySpec, backoff: Backoff) -> Result<Duration, Planned> {
        let (attempt, prev) = (backoff.attempt, backoff.prev_delay);
        self.note(What::Delay(backoff));
        match strategy {
            StrategySpec::Closure { panics_at, .. } if *panics_at == Some(attempt) => Err(Planned),
            StrategySpec::Closure { delays, .. } => Ok(nth(delays, attempt).copied().unwrap_or_default()),
            StrategySpec::Doubling(first) => Ok(prev.map_or(*first, |prev| prev.saturating_mul(2))),
            StrategySpec::Learner { delay, .. } => Ok(*delay),
            StrategySpec::Fixed(_) | StrategySpec::Hinted { .. } => unreachable!("the library's own"),
        }
    }

    pub(crate) fn learn(&self, id: u8, feedback: Feedback, now: Duration) {
        self.note(What::Learns(id, feedback, now));
    }

    /// A blocking run of the operation.
    pub(crate) fn run(&self, attempt: u32, time_left: Option<Duration>) -> Result<Attempted, Planned> {
        let call = self.current();
        self.note(What::Runs { attempt, time_left });
        let AttemptSpec { pace, end } = self.world.calls[call].attempt(attempt);
        if let Pace::Busy(takes) | Pace::Waits(takes) = pace {
            self.clock.advance(takes);
        }
        answer(call, attempt, end)
    }

    /// An asynchronous run of the operation. It is under way from here on.
    pub(crate) fn run_async(
        self: &Arc<Self>,
        attempt: u32,
        time_left: Option<Duration>,
    ) -> impl Future<Output = Result<Attempted, Planned>> + Send + use<> {
        let call = self.current();
        self.note(What::Runs { attempt, time_left });
        let mut unfinished = Unfinished { stage: Arc::clone(self), attempt, is_over: false };
        async move {
            let stage = Arc::clone(&unfinished.stage);
            let AttemptSpec { pace, end } = stage.world.calls[call].attempt(attempt);
            match pace {
                Pace::AtOnce => {}
                Pace::Busy(takes) => stage.clock.advance(takes),
                Pace::Waits(takes) => stage.wait(takes).await,
                Pace::Yields(times) => stage.yields(times).await,
                Pace::Hangs => pending().await,
            }
            unfinished.end();
            answer(call, attempt, end)
        }
    }

    /// Pending so often, without waiting for anything.
    fn yields(self: &Arc<Self>, times: u8) -> impl Future<Output = ()> + Send + use<> {
        let (stage, mut left) = (Arc::clone(self), times);
        poll_fn(move |_| match left.checked_sub(1) {
            None => Poll::Ready(()),
            Some(fewer) => {
                left = fewer;
                stage.inner().has_yielded = true;
                Poll::Pending
            }
        })
    }

    /// Ready when this time has passed from now on.
    pub(crate) fn wait(self: &Arc<Self>, duration: Duration) -> Wait {
        let mut inner = self.inner();
        let (id, due) = (inner.next_alarm, reachable(self.clock.elapsed(), duration));
        inner.next_alarm += 1;
        inner.alarms.insert(id, due);
        Wait { stage: Arc::clone(self), id, due }
    }
}

/// Where the virtual clock is after so long: it ends after 584 years.
fn reachable(now: Duration, by: Duration) -> Duration {
    now.saturating_add(by).min(Duration::from_nanos(u64::MAX))
}

/// The entry for the run counted from 1, the last one from there on.
fn nth<T>(list: &[T], run: u32) -> Option<&T> {
    list.get(run as usize - 1).or_else(|| list.last())
}

fn answer(call: usize, attempt: u32, end: End) -> Result<Attempted, Planned> {
    match end {
        End::Panics => Err(Planned),
        End::Good | End::Bad(_) | End::AbortsByValue | End::ClassifierPanics => Ok(Ok(Value { call, attempt, end })),
        End::Fails(..) | End::FailsForGood(_) | End::FailsUnclaimed | End::Aborts => {
            Ok(Err(Broken { call, attempt, end }))
        }
    }
}

/// What a hook wants awaited.
pub(crate) type Awaiting = Pin<Box<dyn Future<Output = Result<(), Planned>> + Send>>;

/// Notes that an operation's future was dropped before its end.
struct Unfinished {
    stage: Arc<Stage>,
    attempt: u32,
    is_over: bool,
}

impl Unfinished {
    fn end(&mut self) {
        self.is_over = true;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_over {
            self.stage.note(What::Cancelled { attempt: self.attempt });
        }
    }
}

/// A wait on a stage's clock.
pub(crate) struct Wait {
    stage: Arc<Stage>,
    id: u64,
    due: Duration,
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.stage.clock.elapsed() >= self.due { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.stage.inner().alarms.remove(&self.id);
    }
}
