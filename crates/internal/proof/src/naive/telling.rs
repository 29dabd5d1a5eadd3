//! What observers, hooks and timelines of the model receive.

use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::observe::AttemptDecision;
use redress_core::{ErrorClass, EventName, StopReason};

use super::{Failed, Life, Naive};
use crate::note::{Entry, Hook, HookKind, Seen, Told};
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
    pub(super) fn tell(&self, life: &mut Life<'_>, event: &Told, now: Duration) {
        self.tell_observers(life, &Told { elapsed: Some(now - life.began), ..event.clone() });
        let entry = Entry {
            attempt: event.attempt,
            event: event.name,
            elapsed: now - life.began,
            sleep: event.sleep,
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
    pub(super) fn tell_last(&self, life: &mut Life<'_>, event: &Told, now: Duration) {
        life.has_ended = true;
        self.tell(life, event, now);
    }

    /// An event of the breaker: it has no place in the timeline.
    pub(super) fn tell_breaker(
        &self,
        life: &Life<'_>,
        name: EventName,
        state: CircuitState,
        class: Option<ErrorClass>,
    ) {
        self.tell_observers(life, &Told { state: Some(state), class, ..self.nothing_but(name, life.call) });
    }

    pub(super) fn tell_rejection(&self, life: &Life<'_>, state: CircuitState) {
        let event = self.nothing_but(EventName::CircuitRejected, life.call);
        self.tell_observers(life, &Told { state: Some(state), stop_reason: Some(StopReason::CircuitOpen), ..event });
    }

    fn tell_observers(&self, life: &Life<'_>, event: &Told) {
        for hook in self.observers(life.call) {
            let _ = self.stage.tell(hook, event.clone());
        }
    }

    pub(super) fn nothing_but(&self, name: EventName, call: usize) -> Told {
        let operation = self.stage.world.calls[call].name.filter(|name| !name.is_empty());
        Told {
            name,
            attempt: 0,
            sleep: Duration::ZERO,
            class: None,
            stop_reason: None,
            cause: None,
            state: None,
            elapsed: None,
            operation: operation.map(str::to_owned),
            error_type: None,
            classification: None,
        }
    }

    /// An event about the last failure; `failed` if it was made just now.
    pub(super) fn event_of_failure(&self, name: EventName, life: &Life<'_>, failed: Option<&Failed>) -> Told {
        Told {
            attempt: life.attempts,
            class: life.last.as_ref().map(|last| last.classification.class()),
            cause: life.last.as_ref().map(|last| last.failure.cause()),
            error_type: failed.and_then(Failed::error_type),
            classification: failed.map(|failed| failed.classification.clone()),
            ..self.nothing_but(name, life.call)
        }
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
