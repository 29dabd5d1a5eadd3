//! What observers, hooks and timelines of the model receive.

use std::borrow::Cow;
use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::observe::AttemptDecision;
use redress_core::{Event, EventName, StopReason};

use super::{Failed, Life, Naive};
use crate::note::{Entry, Hook, HookKind, Seen};
use crate::world::{Capture, Owner};

impl Naive {
    fn observers(&self, call: usize) -> Vec<Hook> {
        let of = |owner| {
            let count = self.stage.world.hooks(owner).observers.len();
            (0..count).map(move |index| Hook { owner, kind: HookKind::Observer(index) })
        };
        of(Owner::Policy).chain(of(Owner::Call(call))).collect()
    }

    /// An event of the call: all observers receive it, and the timeline records it.
    pub(super) fn tell(&self, life: &mut Life<'_>, mut event: Event<'static>, now: Duration) {
        event.elapsed = Some(now - life.began);
        self.tell_observers(life, &event);
        let entry = Entry {
            attempt: event.attempt,
            event: event.name,
            elapsed: now - life.began,
            sleep: event.delay,
            class: event.class,
            stop_reason: event.stop_reason,
            cause: event.cause,
        };
        match (&mut life.timeline, self.stage.world.calls[life.call].timeline) {
            (Some(_), Capture::Shared) => {
                let mut shared = self.shared_timeline.lock().expect("whole");
                shared.push(entry);
                life.timeline = Some(shared.clone());
            }
            (Some(timeline), _) => timeline.push(entry),
            (None, _) => {}
        }
    }

    /// The event with which the call ends.
    pub(super) fn tell_last(&self, life: &mut Life<'_>, event: Event<'static>, now: Duration) {
        life.has_ended = true;
        self.tell(life, event, now);
    }

    pub(super) fn tell_observers(&self, life: &Life<'_>, event: &Event<'static>) {
        for hook in self.observers(life.call) {
            let _ = self.stage.tell(hook, event.clone());
        }
    }

    fn event(&self, name: EventName, life: &Life<'_>) -> Event<'static> {
        let mut event = Event::new(name);
        let operation = self.stage.world.calls[life.call].name;
        event.operation = operation.filter(|name| !name.is_empty()).map(Cow::Borrowed);
        event
    }

    /// An event of the breaker: it has no place in the timeline.
    pub(super) fn event_of_breaker(&self, name: EventName, state: CircuitState, life: &Life<'_>) -> Event<'static> {
        let mut event = self.event(name, life);
        event.state = Some(state);
        event
    }

    pub(super) fn event_of_attempt(&self, name: EventName, life: &Life<'_>) -> Event<'static> {
        let mut event = self.event(name, life);
        event.attempt = life.attempts;
        event
    }

    /// An event about the last failure; `failed` if it was made just now.
    pub(super) fn event_of_failure(&self, name: EventName, life: &Life<'_>, failed: Option<&Failed>) -> Event<'static> {
        let mut event = self.event_of_attempt(name, life);
        event.class = life.last.as_ref().map(|last| last.classification.class());
        event.cause = life.last.as_ref().map(|last| last.failure.cause());
        event.error_type = failed.and_then(Failed::error_type);
        event.classification = failed.map(|failed| Cow::Owned(failed.classification.clone()));
        event
    }

    pub(super) fn tell_start(&self, life: &Life<'_>, elapsed: Duration) {
        let seen = self.seen(life, elapsed);
        for hook in self.observers(life.call) {
            let _ = self.stage.start(hook, seen.clone());
        }
        if let Some(owner) = self.owner(life.call, |hooks| hooks.on_attempt_start.is_some()) {
            let _ = self.stage.start(Hook { owner, kind: HookKind::AttemptStart }, seen);
        }
    }

    pub(super) fn tell_end(
        &self,
        life: &Life<'_>,
        decision: AttemptDecision,
        now: Duration,
        failed: Option<&Failed>,
        stop_reason: Option<StopReason>,
        sleep: Option<Duration>,
    ) {
        let seen = Seen {
            decision: Some(decision),
            classification: failed.map(|failed| failed.classification.clone()),
            stop_reason,
            cause: failed.map(|failed| failed.failure.cause()),
            sleep,
            error_type: failed.and_then(Failed::error_type),
            ..self.seen(life, now - life.began)
        };
        for hook in self.observers(life.call) {
            let _ = self.stage.end(hook, seen.clone());
        }
        if let Some(owner) = self.owner(life.call, |hooks| hooks.on_attempt_end.is_some()) {
            let _ = self.stage.end(Hook { owner, kind: HookKind::AttemptEnd }, seen);
        }
    }

    fn seen(&self, life: &Life<'_>, elapsed: Duration) -> Seen {
        Seen {
            attempt: life.attempts,
            operation: self.stage.world.calls[life.call].name.map(str::to_owned),
            elapsed,
            classification: None,
            decision: None,
            stop_reason: None,
            cause: None,
            sleep: None,
            error_type: None,
        }
    }
}
