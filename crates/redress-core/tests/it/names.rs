//! Names of policies and breakers, in all events and attempts of their calls.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use redress_core::driver::InstantTimer;
use redress_core::observe::{CallObserver, CallStart};
use redress_core::{AsyncPolicy, CircuitBreaker, ErrorClass, Event, Observer, Policy};
use redress_testing::Recorder;

use crate::lab::{everywhere, failing, succeeding};

type Begun = (Option<String>, Option<String>, Option<String>);

/// The names that calls begin with.
#[derive(Clone, Default)]
struct Beginnings(Arc<Mutex<Vec<Begun>>>);

impl Observer for Beginnings {
    fn on_event(&self, _: &Event<'_>) {}

    fn on_call_start(&self, call: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        let [operation, policy, breaker] = [call.operation, call.policy, call.breaker].map(|name| name.map(Into::into));
        self.0.lock().expect("whole").push((operation, policy, breaker));
        None
    }
}

#[test]
fn events_and_attempts_name_their_policy_and_breaker() {
    everywhere(|lab| {
        let (recorder, beginnings) = (Recorder::new(), Beginnings::default());
        let breaker = CircuitBreaker::builder().name("orders-db").failure_threshold(1);
        let observer = (recorder.clone(), beginnings.clone());
        let policy = lab.policy().name("orders").circuit_breaker(breaker).observer(observer).build();
        policy.run(&failing(ErrorClass::Transient));
        policy.operation("load").run(&succeeding());

        let names = (Some("orders"), Some("orders-db"));
        assert_eq!((recorder.events().len(), recorder.attempts().len()), (3, 2));
        for event in recorder.events() {
            assert_eq!((event.policy.as_deref(), event.breaker.as_deref()), names, "{event:?}");
        }
        for attempt in recorder.attempts() {
            assert_eq!((attempt.policy.as_deref(), attempt.breaker.as_deref()), names, "{attempt:?}");
        }
        let (policy, breaker) = (Some("orders".to_owned()), Some("orders-db".to_owned()));
        let begun = [(None, policy.clone(), breaker.clone()), (Some("load".to_owned()), policy, breaker)];
        assert_eq!(*beginnings.0.lock().expect("whole"), begun);
    });
}

#[test]
fn no_name_and_an_empty_one_are_none() {
    everywhere(|lab| {
        for name in [None, Some("")] {
            let recorder = Recorder::new();
            let breaker = CircuitBreaker::builder().failure_threshold(1);
            let (builder, breaker) = match name {
                Some(name) => (lab.policy().name(name), breaker.name(name)),
                None => (lab.policy(), breaker),
            };
            let policy = builder.circuit_breaker(breaker).observer(recorder.clone()).build();
            policy.run(&failing(ErrorClass::Transient));
            assert!(recorder.events().iter().all(|event| event.policy.is_none() && event.breaker.is_none()));
        }
    });
}

#[test]
fn a_policy_says_the_name_it_was_given() {
    let blocking = Policy::builder().name("orders").build().expect("valid");
    let asynchronous = AsyncPolicy::<_, InstantTimer>::builder().name(String::from("orders")).build().expect("valid");
    assert_eq!((blocking.name(), asynchronous.name()), (Some("orders"), Some("orders")));
    assert_eq!(Policy::builder().build().expect("valid").name(), None);
}

#[test]
fn what_is_kept_of_an_event_owns_its_names() {
    let mut event = Event::new(redress_core::EventName::Retry);
    let (policy, operation) = (String::from("orders"), String::from("load"));
    (event.policy, event.operation) = (Some(policy.as_str().into()), Some(operation.as_str().into()));
    let kept: Event<'static> = event.clone().into_owned();
    assert_eq!(kept, event);
    assert!(matches!((&kept.policy, &kept.operation), (Some(Cow::Owned(_)), Some(Cow::Owned(_)))));
}
