//! Sends every event and calls every attempt hook. Nothing here changes the course of a call.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::flags::Flags;
use super::run::{FailureView, Run};
use crate::breaker::{CircuitState, Transition, Trip};
use crate::classify::class::ErrorClass;
use crate::outcome::event::{Event, EventName};
use crate::outcome::observer::{AttemptContext, AttemptDecision, CallStart, Observer};
use crate::outcome::stop_reason::StopReason;
use crate::outcome::timeline::TimelineEvent;
use crate::policy::hooks::contained;

impl Run<'_> {
    /// Sends an event to all observers and to the timeline. Events of the breaker are not in the
    /// timeline, and have no elapsed time, except a rejection between two attempts.
    fn emit(&self, event: &Event<'_>) {
        self.each_observer(|observer| observer.on_event(event));
        self.state.observers.each(|observer| observer.on_event(event));
        if event.state.is_none() || event.elapsed.is_some() {
            self.note(event);
        }
    }

    fn note(&self, event: &Event<'_>) {
        let Some(timeline) = self.state.observers.timeline() else { return };
        timeline.add(TimelineEvent {
            attempt: event.attempt,
            event: event.name,
            elapsed: event.elapsed.unwrap_or_else(|| timeline.last_elapsed()),
            delay: event.delay,
            error_class: event.class,
            stop_reason: event.stop_reason,
            cause: event.cause,
        });
    }

    pub(super) fn tell_retry(&self, failed: &FailureView<'_>, elapsed: Duration, delay: Duration) {
        self.emit(&Event { delay, elapsed: Some(elapsed), ..self.event(EventName::Retry, Some(failed)) });
    }

    /// Sends the terminal event of the call: a success if `reason` is `None`.
    pub(super) fn tell_terminal(
        &self,
        reason: Option<StopReason>,
        failed: Option<&FailureView<'_>>,
        elapsed: Duration,
        delay: Duration,
    ) {
        if !self.is_observed() {
            return;
        }
        let name = reason.map_or(EventName::Success, StopReason::event);
        let mut event = Event { stop_reason: reason, delay, elapsed: Some(elapsed), ..self.event(name, failed) };
        // The last failure did not cause the abort, so the event does not carry its class.
        if reason == Some(StopReason::Aborted) {
            event = Event { class: None, cause: None, classification: None, error_type: None, ..event };
        }
        if reason == Some(StopReason::CircuitOpen) {
            let state = self.plan.breaker.as_ref().map(|breaker| breaker.as_dyn().state());
            event = Event { state, retry_in: self.state.wait.get(), ..event };
        }
        self.emit(&event);
    }

    /// Sends the terminal event of a call that is dropped or unwound before it has ended.
    pub(crate) fn tell_cancelled(&self, now: Option<Instant>) {
        let has_ended = self.state.stop_reason.is_some() || self.state.flags.has(Flags::SUCCEEDED);
        if self.is_observed() && !has_ended {
            let elapsed = now.map(|now| self.elapsed(now));
            self.emit(&Event { elapsed, ..self.event(EventName::Cancelled, None) });
        }
    }

    pub(super) fn tell_transition(&self, transition: Option<Transition>, class: Option<ErrorClass>, now: Instant) {
        if let (Some(transition), true) = (transition, self.is_observed()) {
            let opened = transition == Transition::Opened;
            let (open_for, trip) = if opened { (self.open_for(now), self.last_trip()) } else { (None, None) };
            let event = Event { class, open_for, trip, ..self.breaker_event(transition.event(), transition.state()) };
            self.emit(&event);
        }
    }

    pub(super) fn tell_rejection(&self, state: CircuitState, retry_in: Option<Duration>) {
        if self.is_observed() {
            let stop_reason = Some(StopReason::CircuitOpen);
            self.emit(&Event { stop_reason, retry_in, ..self.breaker_event(EventName::CircuitRejected, state) });
        }
    }

    /// Sends the event of a call that a watching breaker would have rejected.
    pub(super) fn tell_would_reject(&self, now: Instant) {
        if self.is_observed() {
            let state = self.plan.breaker.as_ref().map_or(CircuitState::Open, |breaker| breaker.as_dyn().state());
            let retry_in = self.open_for(now);
            self.emit(&Event { retry_in, ..self.breaker_event(EventName::CircuitWouldReject, state) });
        }
    }

    /// Calls the observers at the start of the call, and keeps the call observers that they return.
    pub(super) fn tell_call_start(&mut self) {
        let mut sent = Vec::new();
        let (operation, policy, breaker) = (self.operation_label(), self.policy_label(), self.breaker_label());
        let call = CallStart { operation, policy, breaker };
        self.each_observer(|observer| sent.extend(observer.on_call_start(&call)));
        self.state.observers.add(sent);
    }

    pub(super) fn tell_start(&self, elapsed: Duration) {
        let attempt = self.attempt_context(elapsed);
        self.each_observer(|observer| observer.on_attempt_start(&attempt));
        self.state.observers.each(|observer| observer.on_attempt_start(&attempt));
        if let Some(hook) = self.hook(|hooks| hooks.on_attempt_start.as_deref()) {
            contained(|| hook(&attempt));
        }
    }

    pub(super) fn tell_end(
        &self,
        decision: AttemptDecision,
        elapsed: Duration,
        failed: Option<&FailureView<'_>>,
        stop_reason: Option<StopReason>,
        delay: Option<Duration>,
    ) {
        let attempt = AttemptContext {
            classification: failed.map(|failed| Cow::Borrowed(failed.classification)),
            decision: Some(decision),
            stop_reason,
            cause: failed.map(|failed| failed.cause),
            delay,
            error_type: failed.and_then(FailureView::deciding_type),
            ..self.attempt_context(elapsed)
        };
        self.each_observer(|observer| observer.on_attempt_end(&attempt));
        self.state.observers.each(|observer| observer.on_attempt_end(&attempt));
        if let Some(hook) = self.hook(|hooks| hooks.on_attempt_end.as_deref()) {
            contained(|| hook(&attempt));
        }
    }

    fn each_observer(&self, mut tell: impl FnMut(&dyn Observer)) {
        let of_call = self.call.map_or(&[][..], |call| &call.hooks.observers);
        for observer in &self.plan.hooks.observers {
            contained(|| tell(&**observer));
        }
        for observer in of_call {
            contained(|| tell(&**observer));
        }
    }

    fn operation(&self) -> Option<&str> {
        self.hook(|hooks| hooks.operation.as_deref())
    }

    /// The operation's name in events; `None` if it is empty.
    pub(super) fn operation_label(&self) -> Option<&str> {
        self.operation().filter(|name| !name.is_empty())
    }

    fn policy_label(&self) -> Option<&str> {
        self.plan.name()
    }

    fn breaker_label(&self) -> Option<&str> {
        let breaker = self.plan.breaker.as_ref()?;
        breaker.as_dyn().name().filter(|name| !name.is_empty())
    }

    /// How long the breaker stays open. A panic of a custom breaker is caught, and the event has no
    /// duration then.
    fn open_for(&self, now: Instant) -> Option<Duration> {
        let breaker = self.plan.breaker.as_ref()?;
        contained(|| breaker.as_dyn().open_for(now)).flatten()
    }

    /// What the breaker saw when it opened. A panic of a custom breaker is caught.
    fn last_trip(&self) -> Option<Trip> {
        let breaker = self.plan.breaker.as_ref()?;
        contained(|| breaker.as_dyn().last_trip()).flatten()
    }

    /// An event with the names that all events of this call carry.
    fn named(&self, name: EventName) -> Event<'_> {
        Event {
            policy: self.policy_label().map(Cow::Borrowed),
            breaker: self.breaker_label().map(Cow::Borrowed),
            operation: self.operation_label().map(Cow::Borrowed),
            ..Event::new(name)
        }
    }

    /// An event about the latest attempt, with the details of its failure if there is one.
    fn event<'e>(&'e self, name: EventName, failed: Option<&FailureView<'e>>) -> Event<'e> {
        Event {
            attempt: self.state.attempts,
            class: self.state.last_class,
            cause: self.state.cause,
            error_type: failed.and_then(FailureView::deciding_type),
            classification: failed.map(|failed| Cow::Borrowed(failed.classification)),
            ..self.named(name)
        }
    }

    fn breaker_event(&self, name: EventName, state: CircuitState) -> Event<'_> {
        Event { state: Some(state), ..self.named(name) }
    }

    fn attempt_context(&self, elapsed: Duration) -> AttemptContext<'_> {
        AttemptContext {
            attempt: self.state.attempts,
            operation: self.operation().map(Cow::Borrowed),
            policy: self.policy_label().map(Cow::Borrowed),
            breaker: self.breaker_label().map(Cow::Borrowed),
            elapsed,
            classification: None,
            decision: None,
            stop_reason: None,
            cause: None,
            delay: None,
            error_type: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, Instant};

    use crate::engine::{FastPath, Flags, Run, RunState};
    use crate::observe::CallOutcome;
    use crate::{Event, EventName, Policy, RetryTimeline};

    #[test]
    fn a_dropped_call_sends_its_event_with_the_fields_it_knows() {
        let received: Arc<Mutex<Vec<Event<'static>>>> = Arc::default();
        let sink = Arc::clone(&received);
        let observer = move |event: &Event<'_>| sink.lock().expect("whole").push(event.clone().into_owned());
        let policy = Policy::builder().name("orders").observer(observer).build().expect("valid");
        let timeline = RetryTimeline::new();
        let context = policy.operation("load").capture_timeline_into(&timeline);
        let (began, later) = (Instant::now(), Duration::from_secs(3));

        let start = FastPath::new(&policy.plan, Some(&context.settings), Flags::NONE, || began);
        let mut state = RunState::new(&start, 0);
        let mut run = Run::of(&policy.plan, Some(&context.settings), &mut state);
        assert!(run.begin(began).is_some());
        run.tell_cancelled(Some(began + later));
        run.tell_cancelled(None);

        let received = received.lock().expect("whole");
        let [timed, untimed] = &received[..] else { panic!("two events expected: {received:?}") };
        assert_eq!((timed.name, timed.outcome()), (EventName::Cancelled, Some(CallOutcome::Cancelled)));
        assert_eq!((timed.attempt, timed.stop_reason), (1, None));
        assert_eq!((timed.elapsed, untimed.elapsed), (Some(later), None));
        assert_eq!((timed.policy.as_deref(), timed.operation.as_deref()), (Some("orders"), Some("load")));
        // An entry without an instant has that of the entry before it.
        let times: Vec<_> = timeline.events().iter().map(|entry| (entry.event, entry.elapsed)).collect();
        assert_eq!(times, [(EventName::Cancelled, later), (EventName::Cancelled, later)]);
    }
}
