//! The settings of single calls: name, observers, abort and timeline, and how they combine with the
//! policy's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use redress_core::breaker::CircuitState;
use redress_core::error::Failure;
use redress_core::observe::{AttemptContext, AttemptDecision};
use redress_core::policy::RetryBuilder;
use redress_core::{
    Cause, CircuitBreaker, ErrorClass, Event, EventName, Observer, Retry, RetryTimeline, SleepDecision, StopReason,
    fixed,
};
use redress_testing::{Recorder, assert_timeline};

use crate::lab::{
    Answer, Counter, Failed, GOOD, Way, everywhere, failing, fails, ok_after, on_every_driver, script, secs, stopped,
    succeeding, wherever_time_is_virtual,
};

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(secs(0))).max_attempts(3)
}

#[test]
fn the_operations_name_is_on_every_event_and_attempt() {
    everywhere(|lab| {
        let recorder = Recorder::new();
        let policy = lab.policy().retry(retry()).observer(recorder.clone()).build();
        let rows = [
            (policy.context(), None, None),
            (policy.operation("sync_user"), Some("sync_user"), Some("sync_user")),
            (policy.context().operation("sync_user"), Some("sync_user"), Some("sync_user")),
            (policy.operation("first").operation("second"), Some("second"), Some("second")),
            // An empty name is no label, but hooks see what was given.
            (policy.operation(""), None, Some("")),
        ];
        for (context, on_events, on_attempts) in rows {
            recorder.clear();
            context.run(&script([fails(ErrorClass::Transient), GOOD]));
            assert_eq!(recorder.events().len(), 2);
            assert!(recorder.events().iter().all(|event| event.operation.as_deref() == on_events));
            assert_eq!(recorder.attempts().len(), 4);
            assert!(recorder.attempts().iter().all(|attempt| attempt.operation.as_deref() == on_attempts));
        }
    });
}

#[test]
fn breaker_events_carry_the_operations_name() {
    everywhere(|lab| {
        let recorder = Recorder::new();
        let policy = lab.policy().circuit_breaker(CircuitBreaker::builder().failure_threshold(1)).build();
        let context = policy.operation("sync_user").observer(recorder.clone());
        context.run(&failing(ErrorClass::Transient));
        context.run(&succeeding());
        let events = [EventName::MaxAttemptsExceeded, EventName::CircuitOpened, EventName::CircuitRejected];
        assert_eq!(recorder.event_names(), events);
        assert!(recorder.events().iter().all(|event| event.operation.as_deref() == Some("sync_user")));
    });
}

#[test]
fn metric_and_log_hooks_and_observers_all_hear_every_event_in_order() {
    everywhere(|lab| {
        let policy = lab.retrying(retry());
        let heard = Mutex::new(Vec::new());
        let hear = |who| {
            let heard = &heard;
            move |event: &Event<'_>| heard.lock().expect("whole").push((who, event.name))
        };
        let context = policy.context().on_metric(hear("metric")).on_log(hear("log"));
        let context = context.on_metric(hear("second metric")).observer(hear("observer"));
        context.run(&script([fails(ErrorClass::Transient), GOOD]));
        let everybody = ["metric", "log", "second metric", "observer"];
        let retry = everybody.map(|who| (who, EventName::Retry));
        let success = everybody.map(|who| (who, EventName::Success));
        assert_eq!(*heard.lock().expect("whole"), [retry, success].concat());
    });
}

#[test]
fn observers_of_the_policy_and_of_the_call_both_hear_everything() {
    everywhere(|lab| {
        let (of_policy, second, of_call) = (Recorder::new(), Recorder::new(), Recorder::new());
        let builder = lab.policy().retry(retry()).observer(of_policy.clone()).observer(second.clone());
        let policy = builder.build();
        policy.context().observer(of_call.clone()).run(&script([fails(ErrorClass::Transient), GOOD]));
        assert_eq!(of_policy.event_names(), [EventName::Retry, EventName::Success]);
        assert_eq!(of_policy.decisions(), [AttemptDecision::Retry, AttemptDecision::Success]);
        for other in [second, of_call] {
            assert_eq!((of_policy.events(), of_policy.attempts()), (other.events(), other.attempts()));
        }
    });
}

#[test]
fn the_abort_predicate_is_checked_at_four_moments() {
    use EventName::{Aborted, Retry as Again};
    // The check that returns `true`, and: attempts, waits, events.
    let rows: [(u32, usize, usize, &[EventName]); 7] = [
        (1, 0, 0, &[Aborted]),        // before the breaker is touched
        (2, 1, 0, &[Aborted]),        // after a failed attempt
        (3, 1, 0, &[Again, Aborted]), // after the `retry` event
        (4, 1, 1, &[Again, Aborted]), // before the next attempt
        (5, 2, 1, &[Again, Aborted]),
        (6, 2, 1, &[Again, Again, Aborted]),
        (7, 2, 2, &[Again, Again, Aborted]),
    ];
    for (question, attempts, waits, events) in rows {
        wherever_time_is_virtual(|lab| {
            let recorder = Recorder::new();
            let policy = lab.policy().retry(retry().strategy(fixed(secs(1)))).observer(recorder.clone()).build();
            let asked = Counter::default();
            let context = policy.context().abort_if(|| asked.count() % question == 0);
            let steps = failing(ErrorClass::Transient);
            assert_eq!(context.run(&steps), stopped(StopReason::Aborted, attempts), "question {question}");
            assert_eq!(recorder.event_names(), events, "question {question}");
            assert_eq!(lab.clock.slept().len(), waits, "question {question}");
            assert_eq!(asked.get(), question, "no check follows a yes");

            let failed = attempts > 0;
            let outcome = context.execute(&steps);
            assert_eq!(outcome.last_failure().is_some(), failed, "the one just made included");
            assert_eq!(outcome.last_class(), failed.then_some(ErrorClass::Transient));
        });
    }
}

#[test]
fn a_success_is_no_reason_to_ask_again() {
    everywhere(|lab| {
        let policy = lab.retrying(retry());
        let asked = Counter::default();
        assert_eq!(policy.context().abort_if(|| asked.count() > 1).run(&succeeding()), ok_after(1));
        assert_eq!(asked.get(), 1);
    });
}

#[test]
fn an_abort_leaves_the_breaker_as_it_is() {
    everywhere(|lab| {
        let breaker = CircuitBreaker::builder().failure_threshold(1).build().expect("valid");
        let policy = lab.policy().retry(retry()).circuit_breaker(&breaker).build();
        for question in 1..=7 {
            let asked = Counter::default();
            let context = policy.context().abort_if(|| asked.count() == question);
            assert_eq!(context.run(&failing(ErrorClass::Transient)).reason, Some(StopReason::Aborted));
            assert_eq!(breaker.state(), CircuitState::Closed, "question {question}");
        }
    });
}

#[test]
fn an_operation_that_aborts_keeps_the_failure_before_it() {
    on_every_driver(|lab| {
        let policy = lab.retrying(retry());
        let outcome = policy.execute(&script([fails(ErrorClass::RateLimit), Err(Failed::Abort)]));
        assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::Aborted), 2));
        assert_eq!(outcome.last_class(), Some(ErrorClass::RateLimit));
        assert_eq!(outcome.last_failure(), Some(&Failure::Error(Failed::Of(ErrorClass::RateLimit))));
        assert_eq!(outcome.abort_error(), Some(&Failed::Abort));

        let outcome = policy.execute(&script([Err(Failed::Abort)]));
        assert_eq!((outcome.last_class(), outcome.last_failure()), (None, None));
        assert_eq!(outcome.abort_error(), Some(&Failed::Abort));
    });
}

#[test]
fn a_timeline_is_captured_when_asked_for_and_only_then() {
    on_every_driver(|lab| {
        let policy = lab.retrying(retry());
        let steps = || script([fails(ErrorClass::Transient), GOOD]);
        assert!(policy.execute(&steps()).timeline().is_none());
        let context = policy.context().capture_timeline();
        for _ in 0..2 {
            let outcome = context.execute(&steps());
            let timeline = outcome.timeline().expect("captured");
            assert_timeline(timeline).has_events([EventName::Retry, EventName::Success]);
        }
    });
}

#[test]
fn each_entry_of_a_timeline_says_what_its_event_said_and_when() {
    on_every_driver(|lab| {
        let policy = lab.policy().retry(retry().strategy(fixed(secs(5)))).deadline(secs(9)).build();
        let steps = script([]).after(&lab.clock, secs(2)).err(Failed::Of(ErrorClass::RateLimit));
        let steps = steps.after(&lab.clock, secs(1)).ok(Answer::Bad(ErrorClass::ServerError));
        let outcome = policy.context().capture_timeline().execute(&steps);
        let timeline = outcome.timeline().expect("captured");
        let [retry, end] = &timeline.events()[..] else { panic!("two events: {timeline}") };
        assert_eq!((retry.attempt, retry.event, retry.elapsed), (1, EventName::Retry, secs(2)));
        assert_eq!((retry.delay, retry.error_class), (secs(5), Some(ErrorClass::RateLimit)));
        assert_eq!((retry.stop_reason, retry.cause), (None, Some(Cause::Error)));
        assert_eq!((end.attempt, end.event, end.elapsed), (2, EventName::DeadlineExceeded, secs(8)));
        assert_eq!((end.delay, end.error_class), (secs(0), Some(ErrorClass::ServerError)));
        assert_eq!(end.stop_reason, Some(StopReason::DeadlineExceeded));
        assert_eq!(end.cause, Some(Cause::Result));
        let text = "    2.000s  #1 retry RATE_LIMIT (exception) wait 5.000s\n    \
                    8.000s  #2 deadline_exceeded SERVER_ERROR (result) -> DEADLINE_EXCEEDED\n";
        assert_eq!(timeline.to_string(), text);
    });
}

#[test]
fn one_timeline_can_take_the_events_of_many_calls() {
    everywhere(|lab| {
        let timeline = RetryTimeline::new();
        let policy = lab.retrying(retry());
        let context = policy.context().capture_timeline_into(&timeline);
        context.run(&script([fails(ErrorClass::Transient), GOOD]));
        context.run(&failing(ErrorClass::Auth));
        policy.context().capture_timeline_into(&timeline.clone()).run(&succeeding());
        let all = [EventName::Retry, EventName::Success, EventName::PermanentFail, EventName::Success];
        assert_timeline(&timeline).has_events(all);
        if lab.way == Way::Execute {
            let outcome = context.execute(&succeeding());
            assert_eq!(outcome.timeline().expect("captured").events().len(), 5, "the outcome has the same one");
        }
    });
}

#[test]
fn a_timeline_has_no_breaker_events_and_a_rejected_call_none_at_all() {
    on_every_driver(|lab| {
        let policy = lab.policy().circuit_breaker(CircuitBreaker::builder().failure_threshold(1)).build();
        let context = policy.context().capture_timeline();
        let opens = context.execute(&failing(ErrorClass::Transient));
        assert_timeline(opens.timeline().expect("captured")).has_events([EventName::MaxAttemptsExceeded]);
        assert!(context.execute(&succeeding()).timeline().is_none());
    });
}

#[test]
fn a_context_serves_many_calls_each_counted_afresh() {
    wherever_time_is_virtual(|lab| {
        let policy = lab.policy().retry(retry().strategy(fixed(secs(4)))).deadline(secs(9)).build();
        let (starts, stop) = (Counter::default(), AtomicBool::new(false));
        let context = policy
            .operation("sync_user")
            .abort_if(|| stop.load(Ordering::Relaxed))
            .on_attempt_start(|attempt| {
                // A panic of the hook is caught, and then it notes nothing.
                assert!(attempt.attempt <= 3 && attempt.elapsed <= secs(8));
                starts.note();
            })
            .sleep_handler(|_, _| SleepDecision::Sleep);
        for calls in 1..=3 {
            assert_eq!(context.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 3));
            assert_eq!(starts.get(), 3 * calls);
        }
        stop.store(true, Ordering::Relaxed);
        assert_eq!(context.run(&succeeding()), stopped(StopReason::Aborted, 0));
        stop.store(false, Ordering::Relaxed);
        assert_eq!(context.run(&succeeding()), ok_after(1));
    });
}

#[test]
fn a_context_changes_nothing_for_calls_made_without_it() {
    everywhere(|lab| {
        let policy = lab.retrying(retry());
        let aborting = policy.context().abort_if(|| true);
        assert_eq!(policy.run(&succeeding()), ok_after(1));
        assert_eq!(aborting.run(&succeeding()), stopped(StopReason::Aborted, 0));
        assert_eq!(policy.run(&succeeding()), ok_after(1));
    });
}

#[test]
fn events_and_hooks_have_times_also_without_a_deadline() {
    wherever_time_is_virtual(|lab| {
        let recorder = Recorder::new();
        let policy = lab.policy().retry(retry().strategy(fixed(secs(3)))).no_deadline().build();
        policy.context().observer(recorder.clone()).run(&script([fails(ErrorClass::Transient), GOOD]));
        let elapsed: Vec<_> = recorder.attempts().iter().map(|attempt| attempt.elapsed).collect();
        assert_eq!(elapsed, [0, 0, 3, 3].map(secs));

        let timeline = RetryTimeline::new();
        policy.context().capture_timeline_into(&timeline).run(&script([fails(ErrorClass::Transient), GOOD]));
        let elapsed: Vec<_> = timeline.events().iter().map(|event| event.elapsed).collect();
        assert_eq!(elapsed, [0, 3].map(secs));
    });
}

/// Only the three methods of an observer, so that a pointer to it is one through its own
/// implementation.
#[derive(Default)]
struct Tally {
    events: Counter,
    starts: Counter,
    ends: Counter,
}

impl Observer for Tally {
    fn on_event(&self, _: &Event<'_>) {
        self.events.note();
    }

    fn on_attempt_start(&self, _: &AttemptContext<'_>) {
        self.starts.note();
    }

    fn on_attempt_end(&self, _: &AttemptContext<'_>) {
        self.ends.note();
    }
}

#[test]
fn an_observer_may_be_shared_in_an_arc() {
    everywhere(|lab| {
        let tally = Arc::new(Tally::default());
        let policy = lab.policy().retry(retry()).observer(Arc::clone(&tally)).build();
        policy.run(&script([fails(ErrorClass::Transient), GOOD]));
        assert_eq!([&tally.events, &tally.starts, &tally.ends].map(Counter::get), [2, 2, 2]);
    });
}
