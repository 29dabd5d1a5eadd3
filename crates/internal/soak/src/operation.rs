//! The random choices of callers, and the operation of all calls: it does as drawn, and its results
//! count when they are made and dropped.

use std::future::pending;
use std::thread;
use std::time::Duration;

use redress_core::{Attempt, Classification, Classifier, ErrorClass};
use redress_proof::Law;
use tokio::task::yield_now;

use crate::call::{Census, Count, Trace};
use crate::panics;

/// The longest time that a blocking operation hangs.
const LONGEST_HANG: Duration = Duration::from_micros(300);

/// The hint on which strategies panic.
pub(crate) const SPOILER: Duration = Duration::from_nanos(66_666);

/// The random generator of one caller.
#[derive(Debug)]
pub(crate) struct Dice(fastrand::Rng);

/// The work of one attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    deed: Deed,
    /// The number of times that an asynchronous operation yields.
    yields: u32,
    /// The time that a blocking operation takes.
    nap: Duration,
}

/// The end of one attempt.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Succeed,
    /// Returns a value that the classifier counts as a failure.
    BadValue(ErrorClass),
    Fail(ErrorClass, Option<Duration>),
    /// Returns an error, or a value, that asks to abort.
    Abort,
    AbortValue,
    Panic,
    /// Returns an error on which the classifier panics.
    SpoilClassifier,
    /// Runs until it is cut.
    Hang,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// A separate generator for a part that makes its own choices.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.0.fork())
    }

    pub(crate) fn one_in(&mut self, many: u32) -> bool {
        self.0.u32(0..many) == 0
    }

    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.0.u32(0..limit)
    }

    pub(crate) fn micros(&mut self, up_to: u64) -> Duration {
        Duration::from_micros(self.0.u64(0..=up_to))
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.0.usize(0..of.len())]
    }

    pub(crate) fn class(&mut self) -> ErrorClass {
        let class = *self.pick(ErrorClass::ALL);
        // Most failures are retried.
        if class.is_retryable() || self.one_in(3) { class } else { ErrorClass::Transient }
    }

    /// Draws the work of an attempt, of which this share fails.
    pub(crate) fn effort(&mut self, failing_percent: u32, may_hang: bool) -> Effort {
        let deed = if self.below(100) < failing_percent { self.misdeed(may_hang) } else { Deed::Succeed };
        let yields = if self.one_in(4) { self.below(4) } else { 0 };
        let nap = if self.one_in(64) { self.micros(40) } else { Duration::ZERO };
        Effort { deed, yields, nap }
    }

    fn misdeed(&mut self, may_hang: bool) -> Deed {
        match self.below(64) {
            0 => Deed::Panic,
            1 => Deed::SpoilClassifier,
            2 => Deed::Fail(ErrorClass::Transient, Some(SPOILER)),
            3 => Deed::Abort,
            4 => Deed::AbortValue,
            5 if may_hang => Deed::Hang,
            6..=12 => Deed::BadValue(self.class()),
            13..=20 => Deed::Fail(self.class(), Some(self.micros(60))),
            _ => Deed::Fail(self.class(), None),
        }
    }
}

/// What an operation returns, as a value or as an error.
pub(crate) struct Product {
    deed: Deed,
    _trace: Trace,
}

/// One run of an operation: it returns, panics, or is dropped.
struct Running {
    census: &'static Census,
    has_returned: bool,
}

impl Running {
    fn begin(census: &'static Census, attempt: Option<Attempt>) -> Self {
        census.add(Count::Begun);
        if let Some(attempt) = attempt {
            let (left, most) = (attempt.time_left(), census.terms.time());
            let holds = most.is_none_or(|most| left.is_some_and(|left| !left.is_zero() && left <= most));
            census.laws.require(Law::TimeLeft, holds, || format!("{}: {attempt:?} of {most:?}", census.terms.name));
        }
        Self { census, has_returned: false }
    }

    fn result(mut self, deed: Deed) -> Result<Product, Product> {
        if matches!(deed, Deed::Panic) {
            panics::throw();
        }
        let product = Product { deed, _trace: Trace::leave(self.census) };
        self.has_returned = true;
        match deed {
            Deed::Succeed | Deed::BadValue(_) | Deed::AbortValue => Ok(product),
            _ => Err(product),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.census.add(if self.has_returned { Count::Returned } else { Count::CutShort });
    }
}

/// The operation of a blocking call. A detached one hangs past its time limit.
pub(crate) fn run(census: &'static Census, effort: Effort, attempt: Attempt) -> Result<Product, Product> {
    let running = Running::begin(census, Some(attempt));
    if !effort.nap.is_zero() {
        thread::sleep(effort.nap);
    }
    if matches!(effort.deed, Deed::Hang) {
        let left = attempt.time_left().unwrap_or_default();
        thread::sleep(if census.terms.detaches { left + LONGEST_HANG } else { left.min(LONGEST_HANG) });
    }
    running.result(effort.deed)
}

/// The operation of an asynchronous call. It begins at its first poll.
pub(crate) async fn run_async(census: &'static Census, effort: Effort) -> Result<Product, Product> {
    let running = Running::begin(census, None);
    for _ in 0..effort.yields {
        yield_now().await;
    }
    if matches!(effort.deed, Deed::Hang) {
        pending::<()>().await;
    }
    running.result(effort.deed)
}

/// Classifies results by their content.
#[derive(Clone, Copy)]
pub(crate) struct Reader(pub(crate) &'static Census);

impl Classifier<Product, Product> for Reader {
    fn classify(&self, result: &Result<Product, Product>) -> Option<Classification> {
        let (Ok(product) | Err(product)) = result;
        match product.deed {
            Deed::Succeed | Deed::Panic => None,
            Deed::BadValue(class) => Some(Classification::new(class)),
            Deed::Fail(class, hint) => Some(Classification::new(class).with_retry_after(hint)),
            Deed::Hang => Some(Classification::new(ErrorClass::Transient)),
            Deed::Abort | Deed::AbortValue => Some(Classification::abort()),
            Deed::SpoilClassifier => {
                self.0.add(Count::Spoilt);
                panics::throw()
            }
        }
    }
}
