//! Implements [`Observer`] for tuples and vectors. A panic in one observer does not affect the
//! others.

use super::observer::{AttemptContext, CallObserver, CallStart, Observer};
use crate::outcome::event::Event;
use crate::policy::hooks::contained;

/// The call observers that several observers returned for one call.
struct Several(Vec<Box<dyn CallObserver>>);

impl Several {
    /// Avoids the wrapper if there is only one.
    fn of(mut parts: Vec<Box<dyn CallObserver>>) -> Option<Box<dyn CallObserver>> {
        if parts.len() > 1 { Some(Box::new(Self(parts))) } else { parts.pop() }
    }

    fn each(&self, tell: impl Fn(&dyn CallObserver)) {
        for part in &self.0 {
            contained(|| tell(&**part));
        }
    }
}

impl CallObserver for Several {
    fn on_event(&self, event: &Event<'_>) {
        self.each(|part| part.on_event(event));
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        self.each(|part| part.on_attempt_start(attempt));
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        self.each(|part| part.on_attempt_end(attempt));
    }

    fn enter(&self, step: &mut dyn FnMut()) {
        enter(&self.0, step);
    }
}

impl Drop for Several {
    fn drop(&mut self) {
        for part in self.0.drain(..) {
            contained(|| drop(part));
        }
    }
}

/// Runs `step` in the scopes of all observers, the first one outermost.
pub(crate) fn enter(observers: &[Box<dyn CallObserver>], step: &mut dyn FnMut()) {
    match observers {
        [] => step(),
        [outermost, rest @ ..] => outermost.enter(&mut || enter(rest, step)),
    }
}

impl<O: Observer> Observer for Vec<O> {
    fn on_event(&self, event: &Event<'_>) {
        for observer in self {
            contained(|| observer.on_event(event));
        }
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        for observer in self {
            contained(|| observer.on_attempt_start(attempt));
        }
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        for observer in self {
            contained(|| observer.on_attempt_end(attempt));
        }
    }

    fn on_call_start(&self, call: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        let mut parts = Vec::new();
        for observer in self {
            parts.extend(contained(|| observer.on_call_start(call)).flatten());
        }
        Several::of(parts)
    }
}

macro_rules! tuple_of_observers {
    ($($observer:ident $place:tt),+) => {
        impl<$($observer: Observer),+> Observer for ($($observer,)+) {
            fn on_event(&self, event: &Event<'_>) {
                $(contained(|| self.$place.on_event(event));)+
            }

            fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
                $(contained(|| self.$place.on_attempt_start(attempt));)+
            }

            fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
                $(contained(|| self.$place.on_attempt_end(attempt));)+
            }

            fn on_call_start(&self, call: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
                let mut parts = Vec::new();
                $(parts.extend(contained(|| self.$place.on_call_start(call)).flatten());)+
                Several::of(parts)
            }
        }
    };
}

tuple_of_observers!(A 0);
tuple_of_observers!(A 0, B 1);
tuple_of_observers!(A 0, B 1, C 2);
tuple_of_observers!(A 0, B 1, C 2, D 3);
tuple_of_observers!(A 0, B 1, C 2, D 3, E 4);
tuple_of_observers!(A 0, B 1, C 2, D 3, E 4, F 5);
