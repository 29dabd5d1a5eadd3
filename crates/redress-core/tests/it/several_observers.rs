//! Tuples and vectors of observers: each receives everything, even if another one panics.

use std::sync::{Arc, Mutex};

use redress_core::observe::{AttemptContext, CallObserver, CallStart};
use redress_core::{ErrorClass, Event, EventName, Observer};
use redress_testing::Recorder;

use crate::lab::{everywhere, failing, succeeding};

/// Records its notifications in a list under its name, and returns a call observer for each call.
#[derive(Clone)]
struct Named(&'static str, Arc<Mutex<Vec<String>>>);

impl Named {
    fn say(&self, what: &str) {
        self.1.lock().expect("whole").push(format!("{} {what}", self.0));
    }
}

impl Observer for Named {
    fn on_event(&self, event: &Event<'_>) {
        self.say(event.name.as_str());
    }

    fn on_attempt_start(&self, _: &AttemptContext<'_>) {
        self.say("start");
    }

    fn on_attempt_end(&self, _: &AttemptContext<'_>) {
        self.say("end");
    }

    fn on_call_start(&self, _: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        Some(Box::new(Part(self.clone())))
    }
}

struct Part(Named);

impl CallObserver for Part {
    fn on_event(&self, event: &Event<'_>) {
        self.0.say(&format!("part {}", event.name));
    }

    fn on_attempt_start(&self, _: &AttemptContext<'_>) {
        self.0.say("part start");
    }

    fn on_attempt_end(&self, _: &AttemptContext<'_>) {
        self.0.say("part end");
    }

    fn enter(&self, step: &mut dyn FnMut()) {
        self.0.say("enters");
        step();
        self.0.say("leaves");
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.0.say("over");
    }
}

/// Panics at everything.
struct Panics;

impl Observer for Panics {
    fn on_event(&self, _: &Event<'_>) {
        panic!("on purpose");
    }

    fn on_attempt_start(&self, _: &AttemptContext<'_>) {
        panic!("on purpose");
    }

    fn on_attempt_end(&self, _: &AttemptContext<'_>) {
        panic!("on purpose");
    }

    fn on_call_start(&self, _: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        panic!("on purpose");
    }
}

fn expected(first: &str, second: &str) -> Vec<String> {
    let both = |what: &str| [first, second].map(|name| format!("{name} {what}"));
    let inside = [format!("{first} enters"), format!("{second} enters"), format!("{second} leaves")];
    let told = ["start", "part start"].map(both).into_iter().flatten();
    let rest = ["end", "part end", "success", "part success", "over"].map(both).into_iter().flatten();
    told.chain(inside).chain([format!("{first} leaves")]).chain(rest).collect()
}

/// What was said, with an attempt that is polled several times entered once.
fn take(said: &Mutex<Vec<String>>) -> Vec<String> {
    let mut said = std::mem::take(&mut *said.lock().expect("whole"));
    while let Some(again) = said.windows(8).position(|polls| polls[0].ends_with("enters") && polls[..4] == polls[4..]) {
        said.drain(again..again + 4);
    }
    said
}

#[test]
fn each_of_a_tuple_receives_everything_in_order() {
    everywhere(|lab| {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let named = |name| Named(name, Arc::clone(&said));
        let policy = lab.policy().observer((named("a"), Panics, named("b"))).build();
        policy.run(&succeeding());
        assert_eq!(take(&said), expected("a", "b"));
    });
}

#[test]
fn each_of_a_vector_receives_everything_in_order() {
    everywhere(|lab| {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let named = |name| Arc::new(Named(name, Arc::clone(&said))) as Arc<dyn Observer>;
        let policy = lab.policy().observer(vec![named("a"), Arc::new(Panics), named("b")]).build();
        policy.run(&succeeding());
        assert_eq!(take(&said), expected("a", "b"));
    });
}

#[test]
fn up_to_six_of_any_kind_are_one() {
    everywhere(|lab| {
        let recorders = [(); 6].map(|()| Recorder::new());
        let [a, b, c, d, e, f] = recorders.clone();
        let policy = lab.policy().observer((a, b, c, d, e, f)).build();
        policy.run(&failing(ErrorClass::Auth));
        for recorder in &recorders {
            assert_eq!(recorder.event_names(), [EventName::PermanentFail]);
            assert_eq!(recorder.attempts().len(), 2);
        }
    });
}
