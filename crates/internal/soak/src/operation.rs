//! The operation of all calls: it does as drawn, and its values count when they are made and
//! dropped.
//!
//! Also holds the errors and their classifier.

use std::future::pending;
use std::thread;
use std::time::Duration;

use redress_core::{Attempt, Classification, Classifier, ErrorClass};
use tokio::task::yield_now;

use crate::census::{Census, Trace};
use crate::dice::{Deed, Effort, SPOILER};
use crate::panics;

/// The longest time that a blocking operation hangs.
const LONGEST_HANG: Duration = Duration::from_micros(300);

/// The value that an operation returns.
pub(crate) struct Value {
    meaning: Meaning,
    _trace: Trace,
}

/// The error of an operation.
pub(crate) struct Fault {
    meaning: Meaning,
    _trace: Trace,
}

#[derive(Clone, Copy)]
enum Meaning {
    Good,
    Bad(ErrorClass, Option<Duration>),
    Abort,
    Spoilt,
}

/// One run of an operation: it returns, panics, or is dropped.
struct Running {
    census: &'static Census,
    has_returned: bool,
}

impl Running {
    fn begin(census: &'static Census) -> Self {
        census.begun.add_one();
        Self { census, has_returned: false }
    }

    fn result(mut self, deed: Deed) -> Result<Value, Fault> {
        let result = result_of(deed, self.census);
        self.has_returned = true;
        result
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.has_returned { self.census.returned.add_one() } else { self.census.cut_short.add_one() }
    }
}

fn result_of(deed: Deed, census: &'static Census) -> Result<Value, Fault> {
    let value = |meaning| Ok(Value { meaning, _trace: Trace::leave(census) });
    let fault = |meaning| Err(Fault { meaning, _trace: Trace::leave(census) });
    match deed {
        Deed::Succeed => value(Meaning::Good),
        Deed::BadValue(class) => value(Meaning::Bad(class, None)),
        Deed::AbortValue => value(Meaning::Abort),
        Deed::Fail(class) => fault(Meaning::Bad(class, None)),
        Deed::Hint(class, wait) => fault(Meaning::Bad(class, Some(wait))),
        Deed::SpoilStrategy => fault(Meaning::Bad(ErrorClass::Transient, Some(SPOILER))),
        Deed::Abort => fault(Meaning::Abort),
        Deed::SpoilClassifier => fault(Meaning::Spoilt),
        Deed::Hang => fault(Meaning::Bad(ErrorClass::Transient, None)),
        Deed::Panic => panics::throw(),
    }
}

/// The operation of a blocking call.
pub(crate) fn run(census: &'static Census, effort: Effort, attempt: Attempt) -> Result<Value, Fault> {
    let running = Running::begin(census);
    census.check_time_left(attempt);
    if let Some(nap) = effort.nap {
        thread::sleep(nap);
    }
    if matches!(effort.deed, Deed::Hang) {
        thread::sleep(attempt.time_left().unwrap_or_default().min(LONGEST_HANG));
    }
    running.result(effort.deed)
}

/// The operation of a detached call: it hangs past its time limit.
pub(crate) fn run_detached(census: &'static Census, effort: Effort, attempt: Attempt) -> Result<Value, Fault> {
    let running = Running::begin(census);
    census.check_time_left(attempt);
    if matches!(effort.deed, Deed::Hang) {
        thread::sleep(attempt.time_left().unwrap_or_default() + LONGEST_HANG);
    }
    running.result(effort.deed)
}

/// The operation of an asynchronous call. It begins at its first poll.
pub(crate) async fn run_async(census: &'static Census, effort: Effort) -> Result<Value, Fault> {
    let running = Running::begin(census);
    for _ in 0..effort.yields {
        yield_now().await;
    }
    if matches!(effort.deed, Deed::Hang) {
        pending::<()>().await;
    }
    running.result(effort.deed)
}

/// Classifies values and errors by their content.
#[derive(Clone, Copy)]
pub(crate) struct Reader(pub(crate) &'static Census);

impl Classifier<Value, Fault> for Reader {
    fn classify(&self, result: &Result<Value, Fault>) -> Option<Classification> {
        let meaning = match result {
            Ok(value) => value.meaning,
            Err(fault) => fault.meaning,
        };
        match meaning {
            Meaning::Good => None,
            Meaning::Bad(class, hint) => Some(Classification::new(class).with_retry_after(hint)),
            Meaning::Abort => Some(Classification::abort()),
            Meaning::Spoilt => {
                self.0.spoilt.add_one();
                panics::throw()
            }
        }
    }
}
