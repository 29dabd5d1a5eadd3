//! Call observers: each is notified of one call only, lives until that call is over, and its scope
//! encloses the operation and nothing else.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

use std::future::{Future, ready};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use redress_core::driver::InstantTimer;
use redress_core::observe::{AttemptContext, CallObserver, CallStart};
use redress_core::policy::RetryBuilder;
use redress_core::{AsyncPolicy, CircuitBreaker, ErrorClass, Event, EventName, Observer, Policy, Retry, fixed};

use crate::lab::{
    Answer, Attempted, ByClass, Failed, GOOD, Story, failing, fails, script, secs, wherever_time_is_virtual,
};
use crate::polled::operation_fn;

/// Returns a numbered call observer for each call.
struct Tellers {
    story: Story,
    calls: AtomicU32,
}

struct Teller {
    story: Story,
    call: u32,
}

impl Tellers {
    fn new(story: &Story) -> Self {
        Self { story: story.clone(), calls: AtomicU32::new(0) }
    }
}

impl Observer for Tellers {
    fn on_event(&self, _: &Event<'_>) {}

    fn on_call_start(&self, call: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        self.story.add(format!("{number} begins {}", call.operation.unwrap_or("unnamed")));
        Some(Box::new(Teller { story: self.story.clone(), call: number }))
    }
}

impl CallObserver for Teller {
    fn on_event(&self, event: &Event<'_>) {
        self.story.add(format!("{} {}", self.call, event.name));
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        self.story.add(format!("{} starts {}", self.call, attempt.attempt));
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        self.story.add(format!("{} ends {}", self.call, attempt.attempt));
    }

    fn enter(&self, step: &mut dyn FnMut()) {
        self.story.add(format!("{} in", self.call));
        step();
        self.story.add(format!("{} out", self.call));
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.story.add(format!("{} over", self.call));
    }
}

fn twice() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2)
}

#[test]
fn it_is_notified_of_its_call_from_before_the_breaker_until_the_end() {
    wherever_time_is_virtual(|lab| {
        let story = Story::default();
        let policy = lab
            .policy()
            .retry(Retry::builder().strategy(fixed(secs(1))).max_attempts(2))
            .circuit_breaker(CircuitBreaker::builder().failure_threshold(1))
            .observer(Tellers::new(&story))
            .build();
        policy.run(&failing(ErrorClass::Transient));
        let told: Vec<_> =
            story.take().into_iter().filter(|line| !line.ends_with(" in") && !line.ends_with(" out")).collect();
        let expected = [
            "1 begins unnamed",
            "1 starts 1",
            "1 retry",
            "1 ends 1",
            "1 starts 2",
            "1 ends 2",
            "1 max_attempts_exceeded",
            "1 circuit_opened",
            "1 over",
        ];
        assert_eq!(told, expected);
        policy.operation("named").run(&failing(ErrorClass::Transient));
        assert_eq!(story.take(), ["2 begins named", "2 circuit_rejected", "2 over"]);
        policy.context().abort_if(|| true).run(&failing(ErrorClass::Transient));
        assert_eq!(story.take(), ["3 begins unnamed", "3 aborted", "3 over"]);
    });
}

#[test]
fn the_policys_and_the_calls_observers_nest_in_the_order_they_were_added() {
    wherever_time_is_virtual(|lab| {
        let (outer, story) = (Story::default(), Story::default());
        let policy = lab.policy().observer(Tellers::new(&outer)).observer(Tellers::new(&story)).build();
        let shared = story.clone();
        policy.run_with(|_| {
            shared.add("runs");
            GOOD
        });
        assert!(outer.take().contains(&"1 in".to_owned()));
        let told = story.take();
        let around: Vec<_> = told.iter().skip_while(|line| *line != "1 in").take(3).collect();
        assert!(around.len() == 3 && around[0] == "1 in", "{told:?}");
    });
}

/// Pending once.
#[derive(Default)]
struct Once(bool, Option<Attempted>);

impl Future for Once {
    type Output = Attempted;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Attempted> {
        if mem::replace(&mut self.0, true) {
            return Poll::Ready(self.1.take().expect("polled once after that"));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn once(result: Attempted) -> Once {
    Once(false, Some(result))
}

type Subject = AsyncPolicy<ByClass, InstantTimer>;

fn polled(story: &Story, retry: RetryBuilder) -> Subject {
    AsyncPolicy::<_, InstantTimer>::builder()
        .classifier(ByClass)
        .retry(retry)
        .observer(Tellers::new(story))
        .build()
        .expect("valid")
}

/// The same call awaited and polled manually.
fn in_both_ways(policy: &Subject, story: &Story, test: impl Fn(Pin<&mut dyn Future<Output = bool>>)) {
    let results = || {
        let story = story.clone();
        let mut results = [fails(ErrorClass::Transient), GOOD].into_iter();
        move || {
            story.add("made");
            once(results.next().expect("two attempts"))
        }
    };
    let mut make = results();
    test(pin!(async move { policy.call(&mut make).await.is_ok() }));
    let mut make = results();
    test(pin!(async move { policy.poll_call().run(operation_fn(|_| make())).await.is_ok() }));
}

#[test]
fn each_poll_of_an_attempt_is_within_the_scope_and_the_waits_are_not() {
    let story = Story::default();
    let policy = polled(&story, twice());
    in_both_ways(&policy, &story, |mut call| {
        story.take();
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            assert!(call.as_mut().poll(&mut cx).is_pending());
            story.add("pending");
        }
        assert_eq!(call.as_mut().poll(&mut cx), Poll::Ready(true));
        let mut told = story.take();
        told.iter_mut().for_each(|line| *line = line.split_once(' ').map_or(&**line, |(_, rest)| rest).to_owned());
        let made = ["in", "made", "out", "in", "out", "pending", "in", "out"];
        let mut expected = vec!["begins unnamed", "starts 1"];
        expected.extend(made);
        expected.extend(["retry", "ends 1", "starts 2"]);
        expected.extend(made);
        expected.extend(["ends 2", "success", "over"]);
        assert_eq!(told, expected);
    });
}

#[test]
fn a_shared_observer_sends_something_along_as_well() {
    let story = Story::default();
    let policy = Policy::builder().classifier(ByClass).observer(Arc::new(Tellers::new(&story))).build().expect("valid");
    assert!(policy.call(|| GOOD).is_ok());
    assert_eq!(story.take().last().map(String::as_str), Some("1 over"));
}

fn is_end(line: &str, name: EventName) -> bool {
    name.is_terminal() && line.split_once(' ').is_some_and(|(_, told)| told == name.as_str())
}

#[test]
fn a_dropped_call_is_over_when_it_was_reported_as_cancelled() {
    let story = Story::default();
    let policy = polled(&story, twice());
    for polls in 0..3 {
        story.take();
        {
            let mut call = pin!(policy.call(|| once(fails(ErrorClass::Transient))));
            for _ in 0..polls {
                assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
        }
        let told = story.take();
        if polls == 0 {
            assert!(told.is_empty(), "nothing begins before the first poll: {told:?}");
        } else {
            let number = told[0].split_once(' ').expect("a line begins with the call's number").0;
            let last = [format!("{number} cancelled"), format!("{number} over")];
            assert!(told.ends_with(&last), "{told:?}");
            let ends = told.iter().filter(|line| EventName::ALL.iter().any(|name| is_end(line, *name))).count();
            assert_eq!(ends, 1, "{told:?}");
        }
    }
}

#[test]
fn concurrent_calls_are_distinguished() {
    let story = Story::default();
    let policy = polled(&story, twice());
    let mut cx = Context::from_waker(Waker::noop());
    let (mut first, mut second) = (pin!(policy.call(|| once(GOOD))), pin!(policy.call(|| once(GOOD))));
    assert!(first.as_mut().poll(&mut cx).is_pending() && second.as_mut().poll(&mut cx).is_pending());
    assert!(first.as_mut().poll(&mut cx).is_ready() && second.as_mut().poll(&mut cx).is_ready());
    let told = story.take();
    let of = |call: &str| told.iter().filter(|line| line.starts_with(call)).map(|line| &line[2..]).collect::<Vec<_>>();
    assert_eq!(of("1 "), of("2 "));
    assert!(of("1 ").contains(&"success"));
}

/// An observer that panics at one of its methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bad {
    Start,
    Event,
    AttemptStart,
    AttemptEnd,
    EnterBefore,
    EnterAfter,
    NeverEnters,
    EntersTwice,
    Drop,
}

const ALL_BAD: [Bad; 9] = [
    Bad::Start,
    Bad::Event,
    Bad::AttemptStart,
    Bad::AttemptEnd,
    Bad::EnterBefore,
    Bad::EnterAfter,
    Bad::NeverEnters,
    Bad::EntersTwice,
    Bad::Drop,
];

impl Bad {
    fn blow_at(self, here: Self) {
        if self == here {
            // As a panic, without its message.
            resume_unwind(Box::new("an observer"));
        }
    }
}

impl Observer for Bad {
    fn on_event(&self, _: &Event<'_>) {}

    fn on_call_start(&self, _: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        self.blow_at(Self::Start);
        Some(Box::new(BadTeller(*self)))
    }
}

struct BadTeller(Bad);

impl CallObserver for BadTeller {
    fn on_event(&self, _: &Event<'_>) {
        self.0.blow_at(Bad::Event);
    }

    fn on_attempt_start(&self, _: &AttemptContext<'_>) {
        self.0.blow_at(Bad::AttemptStart);
    }

    fn on_attempt_end(&self, _: &AttemptContext<'_>) {
        self.0.blow_at(Bad::AttemptEnd);
    }

    fn enter(&self, step: &mut dyn FnMut()) {
        self.0.blow_at(Bad::EnterBefore);
        if self.0 != Bad::NeverEnters {
            step();
        }
        if self.0 == Bad::EntersTwice {
            step();
        }
        self.0.blow_at(Bad::EnterAfter);
    }
}

impl Drop for BadTeller {
    fn drop(&mut self) {
        self.0.blow_at(Bad::Drop);
    }
}

#[test]
fn a_panic_in_it_changes_neither_the_call_nor_other_observers() {
    for bad in ALL_BAD {
        wherever_time_is_virtual(|lab| {
            println!("{bad:?}");
            let story = Story::default();
            let policy = lab.policy().retry(twice()).observer(bad).observer(Tellers::new(&story)).build();
            let steps = script([fails(ErrorClass::Transient), GOOD]);
            assert_eq!(policy.run(&steps).reason, None);
            assert_eq!(steps.calls(), 2, "each attempt runs once");
            let told = story.take();
            assert!(told.contains(&"1 retry".to_owned()) && told.contains(&"1 success".to_owned()), "{told:?}");
            assert_eq!(told.last().map(String::as_str), Some("1 over"));
        });
    }
}

#[test]
fn a_panic_of_the_operation_comes_out_through_every_scope() {
    let story = Story::default();
    let builder = || Policy::builder().classifier(ByClass).observer(Bad::EnterAfter).observer(Tellers::new(&story));
    let policy = builder().build().expect("valid");
    let blown =
        catch_unwind(AssertUnwindSafe(|| policy.call(|| -> Attempted { resume_unwind(Box::new("operation")) })));
    assert_eq!(blown.unwrap_err().downcast_ref(), Some(&"operation"));
    assert_eq!(story.take().last().map(String::as_str), Some("1 over"));

    let policy = polled(&story, twice());
    let blown = catch_unwind(AssertUnwindSafe(|| {
        let call = pin!(policy.call(|| -> std::future::Ready<Attempted> { resume_unwind(Box::new("operation")) }));
        let _ = call.poll(&mut Context::from_waker(Waker::noop()));
    }));
    assert_eq!(blown.unwrap_err().downcast_ref(), Some(&"operation"));
    assert_eq!(story.take().last().map(String::as_str), Some("1 over"));
}

#[test]
fn a_call_observer_that_panics_when_dropped_does_not_keep_the_permit() {
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(1)).build().expect("valid");
    let policy = AsyncPolicy::<_, InstantTimer>::builder()
        .classifier(ByClass)
        .circuit_breaker(&breaker)
        .observer(Bad::Drop)
        .build()
        .expect("valid");
    let call = pin!(policy.call(|| ready(Err::<Answer, _>(Failed::Of(ErrorClass::Transient)))));
    assert!(call.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    assert_eq!(breaker.state(), redress_core::breaker::CircuitState::Open);
}
