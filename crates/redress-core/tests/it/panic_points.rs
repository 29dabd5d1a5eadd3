//! A panic in every callback that may panic, in every state of the breaker, on both drivers, by
//! enumeration.
//!
//! The callbacks of a call are counted, and the call is repeated with the panic one callback later,
//! until the call ends without one. Its future is either dropped by the panic or kept. Hooks are
//! not included: their panics are contained, see `panics.rs`. An ordinary run tries a sample of the
//! calls, see `sample.rs`.
//!
//! Attacks R4, B1, C1, C2, C3, C4.
#![expect(clippy::unwrap_used, reason = "a lock that is poisoned has failed the test already")]

use std::future::{Future, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use redress_core::breaker::{Admission, Breaker, BreakerSource, CircuitState, Report, Transition};
use redress_core::driver::{NoTimer, PollOperation, Timer};
use redress_core::error::{CircuitOpenError, Failure};
use redress_core::observe::{CallObserver, CallStart};
use redress_core::policy::RetryBuilder;
use redress_core::strategy::{BackoffContext, Feedback, Strategy};
use redress_core::{
    AsyncPolicy, Budget, CircuitBreaker, Classification, Classifier, ErrorClass, Event, EventName, Observer, Policy,
    Retry, StopReason,
};
use redress_testing::{Recorder, VirtualClock, VirtualSleep};

use crate::circuit::{End, RECOVERY, Standing, Start, THRESHOLD, check_onwards};
use crate::lab::{Answer, Attempted, ByClass, Counter, Failed, GOOD, Way, fails, secs};
use crate::sample::is_tried;

const LIMIT: u32 = 9;

/// Where the core calls user code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    Operation,
    AttemptPolled,
    AttemptDropped,
    /// The methods of a manually polled operation besides those of its attempts.
    Stopped,
    RetryForbidden,
    BeforeWait,
    Classifier,
    TimeoutClassifier,
    Strategy,
    Learning,
    PolicyClock,
    BreakerClock,
    BudgetClock,
    Timer,
    SleepPolled,
    SleepDropped,
    /// A custom breaker, before it does anything.
    Admit,
    Report,
    /// A custom breaker, after it has done everything.
    Reported,
    Released,
}

/// Keeps the callbacks of a call in order, and panics in the one it is set to.
#[derive(Clone, Debug, Default)]
struct Fuse(Arc<Mutex<Burning>>);

#[derive(Debug, Default)]
struct Burning {
    points: Vec<Point>,
    blows_at: Option<usize>,
}

struct Blown;

impl Fuse {
    fn arm(&self, at: usize) {
        *self.0.lock().unwrap() = Burning { points: Vec::new(), blows_at: Some(at) };
    }

    /// What was called since it was armed; from here on it never blows.
    fn disarm(&self) -> Vec<Point> {
        std::mem::take(&mut *self.0.lock().unwrap()).points
    }

    fn burn(&self, point: Point) {
        let blows = {
            let mut burning = self.0.lock().unwrap();
            burning.points.push(point);
            burning.blows_at == Some(burning.points.len())
        };
        if blows {
            // As a panic, without its message.
            resume_unwind(Box::new(Blown));
        }
    }

    fn clock(&self, clock: &VirtualClock, point: Point) -> impl Fn() -> Instant + Send + Sync + 'static {
        let (fuse, clock) = (self.clone(), clock.clone());
        move || {
            fuse.burn(point);
            clock.now()
        }
    }
}

#[derive(Clone)]
struct Fused<T>(T, Fuse);

impl Classifier<Answer, Failed> for Fused<ByClass> {
    fn classify(&self, result: &Attempted) -> Option<Classification> {
        self.1.burn(Point::Classifier);
        self.0.classify(result)
    }

    fn classify_timeout(&self) -> Option<Classification> {
        self.1.burn(Point::TimeoutClassifier);
        Some(Classification::new(ErrorClass::Transient))
    }
}

impl Strategy for Fused<Duration> {
    fn delay(&self, _: &BackoffContext<'_>) -> Duration {
        self.1.burn(Point::Strategy);
        self.0
    }

    fn learns(&self) -> bool {
        true
    }

    fn learn(&self, _: Feedback, _: Instant) {
        self.1.burn(Point::Learning);
    }
}

impl Timer for Fused<VirtualClock> {
    type Sleep = FusedSleep;

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.1.burn(Point::Timer);
        FusedSleep { sleep: self.0.timer().sleep(duration), fuse: self.1.clone() }
    }

    fn now(&self) -> Instant {
        self.1.burn(Point::PolicyClock);
        self.0.now()
    }
}

struct FusedSleep {
    sleep: VirtualSleep,
    fuse: Fuse,
}

impl Future for FusedSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.fuse.burn(Point::SleepPolled);
        Pin::new(&mut self.sleep).poll(cx)
    }
}

impl Drop for FusedSleep {
    fn drop(&mut self) {
        self.fuse.burn(Point::SleepDropped);
    }
}

/// A custom breaker that behaves like the real one until the fuse blows.
impl Breaker for Fused<CircuitBreaker> {
    fn admit(&self, now: Instant) -> Result<Admission, CircuitOpenError> {
        self.1.burn(Point::Admit);
        self.0.admit(now)
    }

    fn report(&self, admission: Admission, report: Report, now: Instant) -> Option<Transition> {
        self.1.burn(Point::Report);
        let transition = self.0.report(admission, report, now);
        self.1.burn(Point::Reported);
        transition
    }

    fn release(&self, admission: Admission) {
        self.0.release(admission);
        self.1.burn(Point::Released);
    }

    fn state(&self) -> CircuitState {
        self.0.state()
    }
}

/// One asynchronous attempt. The first of them waits on the clock for longer than it may.
struct Attempt {
    result: Option<Attempted>,
    waits: bool,
    fuse: Fuse,
}

impl Future for Attempt {
    type Output = Attempted;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Attempted> {
        self.fuse.burn(Point::AttemptPolled);
        if self.waits {
            return Poll::Pending;
        }
        self.result.take().map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.fuse.burn(Point::AttemptDropped);
    }
}

/// The same attempts for a call that is polled manually.
struct Attempts<F> {
    make: F,
    running: Option<Attempt>,
    fuse: Fuse,
}

impl<F: FnMut() -> Attempt> PollOperation<Answer, Failed> for Attempts<F> {
    fn start(&mut self, _: redress_core::Attempt) {
        self.running = Some((self.make)());
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Attempted> {
        self.running.as_mut().map_or(Poll::Pending, |running| Pin::new(running).poll(cx))
    }

    fn stop(&mut self) {
        self.running = None;
        self.fuse.burn(Point::Stopped);
    }

    fn retry_forbidden(&mut self, _: &Failure<Answer, Failed>, _: &Classification) -> Option<&'static str> {
        self.fuse.burn(Point::RetryForbidden);
        None
    }

    fn before_wait(&mut self, _: &mut Failure<Answer, Failed>) {
        self.fuse.burn(Point::BeforeWait);
    }
}

/// The kind of breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// The core's, on a custom clock.
    Ours,
    Theirs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Driver {
    Blocking,
    Async,
    /// The asynchronous one, polled manually.
    Driven,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    driver: Driver,
    way: Way,
    whose: Whose,
    start: Start,
    end: End,
    /// Whether the call has an observer.
    is_heard: bool,
    /// Whether the future of an asynchronous call is kept until everything is checked.
    is_kept: bool,
}

/// Counts the calls that begin, and keeps the events.
#[derive(Clone, Default)]
struct Ears {
    begun: Counter,
    recorder: Recorder,
}

impl Observer for Ears {
    fn on_event(&self, event: &Event<'_>) {
        self.recorder.on_event(event);
    }

    fn on_call_start(&self, _: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        self.begun.count();
        None
    }
}

impl Ears {
    /// Each started call has ended once: as without a panic, or as cancelled with its elapsed time.
    #[track_caller]
    fn check(&self, blown: Option<Point>) {
        let events = self.recorder.events();
        let ends: Vec<_> = events.iter().filter(|event| event.name.is_terminal()).collect();
        assert_eq!(ends.len(), self.begun.get() as usize, "a panic at {blown:?}: {events:?}");
        for end in ends {
            assert!(end.elapsed.is_some() || end.name == EventName::CircuitRejected, "{end:?}");
            if end.name == EventName::Cancelled {
                assert!(blown.is_some() && end.stop_reason.is_none(), "{end:?}");
            }
        }
    }
}

/// The world of one case.
struct Stage {
    clock: VirtualClock,
    fuse: Fuse,
    breaker: CircuitBreaker,
    budget: Budget,
    ears: Ears,
}

impl Stage {
    fn new(whose: Whose) -> Self {
        let (clock, fuse) = (VirtualClock::new(), Fuse::default());
        let breaker = CircuitBreaker::builder().failure_threshold(THRESHOLD).window(secs(3_600));
        let breaker = breaker.recovery_timeout(RECOVERY);
        let breaker = match whose {
            Whose::Ours => breaker.clock(fuse.clock(&clock, Point::BreakerClock)),
            Whose::Theirs => breaker.clock(clock.clone()),
        };
        let budget = Budget::with_clock(LIMIT, secs(3_600), fuse.clock(&clock, Point::BudgetClock));
        Self {
            breaker: breaker.build().expect("valid"),
            budget: budget.expect("valid"),
            clock,
            fuse,
            ears: Ears::default(),
        }
    }

    fn retry(&self) -> RetryBuilder {
        let strategy = Fused(secs(1), self.fuse.clone());
        Retry::builder().strategy(strategy).max_attempts(2).budget(self.budget.clone())
    }

    fn source(&self, whose: Whose) -> BreakerSource {
        match whose {
            Whose::Ours => (&self.breaker).into(),
            Whose::Theirs => Arc::new(Fused(self.breaker.clone(), self.fuse.clone())).into(),
        }
    }

    fn blocking(&self, case: Case) -> Policy<Fused<ByClass>> {
        let builder = Policy::builder().clock(self.fuse.clock(&self.clock, Point::PolicyClock));
        let builder = builder.sleep_with(self.clock.sleeper()).classifier(Fused(ByClass, self.fuse.clone()));
        let builder = if case.is_heard { builder.observer(self.ears.clone()) } else { builder };
        let builder = builder.retry(self.retry()).attempt_timeout(secs(1));
        builder.circuit_breaker(self.source(case.whose)).build().expect("valid")
    }

    fn asynchronous(&self, case: Case) -> AsyncPolicy<Fused<ByClass>, Fused<VirtualClock>> {
        let builder = AsyncPolicy::<_, NoTimer>::builder().timer(Fused(self.clock.clone(), self.fuse.clone()));
        let builder = builder.classifier(Fused(ByClass, self.fuse.clone()));
        let builder = if case.is_heard { builder.observer(self.ears.clone()) } else { builder };
        let builder = builder.retry(self.retry()).attempt_timeout(secs(1));
        builder.circuit_breaker(self.source(case.whose)).build().expect("valid")
    }
}

fn last(end: End) -> Attempted {
    match end {
        End::Succeeds => GOOD,
        End::Fails => fails(ErrorClass::Transient),
        End::Answers => fails(ErrorClass::Permanent),
        End::Gone => Err(Failed::Abort),
    }
}

/// Two attempts, of which the first fails.
fn run_blocking(case: Case, stage: &Stage, policy: &Policy<Fused<ByClass>>) {
    let mut results = [fails(ErrorClass::Transient), last(case.end)].into_iter();
    let operation = || {
        stage.fuse.burn(Point::Operation);
        results.next().expect("two attempts")
    };
    match case.way {
        Way::Call => drop(policy.call(operation)),
        Way::Execute => drop(policy.execute(operation)),
    }
}

/// Two attempts, of which the first runs into its timeout.
fn call_async<'a>(
    case: Case,
    stage: &'a Stage,
    policy: &'a AsyncPolicy<Fused<ByClass>, Fused<VirtualClock>>,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    let mut results = [(fails(ErrorClass::Transient), true), (last(case.end), false)].into_iter();
    let operation = move || {
        stage.fuse.burn(Point::Operation);
        let (result, waits) = results.next().expect("two attempts");
        Attempt { result: Some(result), waits, fuse: stage.fuse.clone() }
    };
    match (case.driver, case.way) {
        (Driver::Driven, way) => {
            let mut attempts = Attempts { make: operation, running: None, fuse: stage.fuse.clone() };
            let (mut call, mut sleep) = (policy.poll_call(), Box::pin(None));
            Box::pin(poll_fn(move |cx| match way {
                Way::Call => call.poll_last_value(&mut attempts, sleep.as_mut(), cx).map(drop),
                Way::Execute => call.poll(&mut attempts, sleep.as_mut(), cx).map(drop),
            }))
        }
        (_, Way::Call) => Box::pin(done(policy.call(operation))),
        (_, Way::Execute) => Box::pin(done(policy.execute(operation))),
    }
}

/// Without an answer. A panic leaves the future where it is, which an `async` block would drop.
fn done<F: Future>(future: F) -> impl Future<Output = ()> {
    let mut future = Box::pin(future);
    poll_fn(move |cx| future.as_mut().poll(cx).map(drop))
}

/// Panics in the callback of this number and checks the state. Returns the callbacks if there are
/// fewer.
fn check(case: Case, blows_at: usize) -> Option<Vec<Point>> {
    let stage = Stage::new(case.whose);
    let (blocking, asynchronous) = (stage.blocking(case), stage.asynchronous(case));
    let (found, other) = case.start.reach(&stage.breaker, &stage.clock);
    let admitted = found.admits(stage.clock.elapsed());

    let mut call = match case.driver {
        Driver::Blocking => None,
        Driver::Async | Driver::Driven => Some(call_async(case, &stage, &asynchronous)),
    };
    stage.fuse.arm(blows_at);
    let ended = catch_unwind(AssertUnwindSafe(|| match &mut call {
        None => run_blocking(case, &stage, &blocking),
        Some(kept) if case.is_kept => stage.clock.block_on(kept.as_mut()),
        Some(_) => stage.clock.block_on(call.take().expect("there")),
    }));
    let points = stage.fuse.disarm();
    let blown = points.get(blows_at - 1).copied();
    // A breaker that panics while it takes back the permit, its last step, does not affect the
    // call. Nor does its clock after the circuit has reopened: the event contains the time.
    let has_retried = points[..blows_at.min(points.len())].contains(&Point::Strategy);
    let tells_opening = case.is_heard && has_retried && stage.breaker.state() == CircuitState::Open;
    let panicked = match blown {
        None | Some(Point::Released) => false,
        Some(Point::BreakerClock) => !tells_opening,
        Some(_) => true,
    };
    assert_eq!(ended.is_err(), panicked, "a panic at {blown:?}");
    if let Err(payload) = ended {
        assert!(payload.is::<Blown>(), "the original panic propagates, at {blown:?}");
    }

    // What happened before the panic, and nothing of what would have followed.
    let done = if panicked { &points[..blows_at - 1] } else { &points[..] };
    let asked = |point| done.contains(&point);
    let is_admitted = match (admitted, case.whose) {
        (None, _) => None,
        // A closed breaker's clock is not read, and nothing depends on whether the call was
        // admitted.
        (Some(Standing::Closed { .. }), Whose::Ours) => admitted,
        (Some(_), Whose::Ours) => admitted.filter(|_| asked(Point::BreakerClock)),
        (Some(_), Whose::Theirs) => admitted.filter(|_| asked(Point::Admit)),
    };
    let now = stage.clock.elapsed();
    let has_ended = !panicked || blown == Some(Point::Reported);
    let expected = match is_admitted {
        None => found,
        Some(standing) if has_ended => standing.ends(case.end, now),
        Some(standing) => standing.ends(End::Gone, now),
    };
    stage.ears.check(blown);
    let taken = done.iter().filter(|point| **point == Point::BudgetClock).count();
    assert_eq!(stage.budget.remaining() as usize, LIMIT as usize - taken, "tokens taken stay taken");
    let next = || -> Option<StopReason> {
        match case.driver {
            Driver::Blocking => blocking.call(|| GOOD).err().map(|error| error.stop_reason()),
            Driver::Async | Driver::Driven => {
                let called = stage.clock.block_on(asynchronous.call(|| ready(GOOD)));
                called.err().map(|error| error.stop_reason())
            }
        }
    };
    check_onwards(expected, &stage.breaker, &stage.clock, other, &next);
    let (state, told) = (stage.breaker.state(), stage.ears.recorder.event_names());
    drop(call);
    assert_eq!((stage.breaker.state(), stage.ears.recorder.event_names()), (state, told), "it was over");
    blown.is_none().then_some(points)
}

/// Every case on this driver; the points at which there was a panic.
fn panic_everywhere(driver: Driver, is_heard: bool, is_kept: bool) -> Vec<Point> {
    let mut seen = Vec::new();
    for way in [Way::Call, Way::Execute] {
        for whose in [Whose::Ours, Whose::Theirs] {
            for start in Start::ALL {
                for end in [End::Succeeds, End::Fails, End::Answers, End::Gone] {
                    let case = Case { driver, way, whose, start, end, is_heard, is_kept };
                    let row = way as usize + 2 * usize::from(is_heard) + usize::from(is_kept);
                    let column = start as usize + end as usize + whose as usize;
                    if is_tried(row, column) {
                        seen.extend(panic_at_every_point(case));
                    }
                }
            }
        }
    }
    println!("{} panics", seen.len());
    seen
}

fn panic_at_every_point(case: Case) -> Vec<Point> {
    for blows_at in 1.. {
        let checked = catch_unwind(AssertUnwindSafe(|| check(case, blows_at)));
        let points = checked.unwrap_or_else(|panic| {
            println!("in {case:?} with a panic in callback {blows_at}");
            resume_unwind(panic)
        });
        if let Some(points) = points {
            return points;
        }
    }
    Vec::new()
}

#[track_caller]
fn check_seen(seen: &[Point], expected: &[Point]) {
    for point in expected {
        assert!(seen.contains(point), "no call ever came to {point:?}");
    }
}

/// Attacks C3, C4.
#[test]
fn a_blocking_call_that_panics_anywhere_leaves_everything_sound() {
    use Point::{
        Admit, BreakerClock, BudgetClock, Classifier, Learning, Operation, PolicyClock, Released, Report, Reported,
        Strategy,
    };
    for is_heard in [false, true] {
        let seen = panic_everywhere(Driver::Blocking, is_heard, false);
        let of_both = [Operation, Classifier, Strategy, Learning, PolicyClock, BreakerClock, BudgetClock];
        check_seen(&seen, &of_both);
        check_seen(&seen, &[Admit, Report, Reported, Released]);
    }
}

#[track_caller]
fn panic_everywhere_asynchronously(is_kept: bool) {
    use Point::{
        Admit, AttemptDropped, AttemptPolled, BeforeWait, BreakerClock, BudgetClock, Classifier, Learning, Operation,
        PolicyClock, Released, Report, Reported, RetryForbidden, SleepDropped, SleepPolled, Stopped, Strategy,
        TimeoutClassifier, Timer,
    };
    for (driver, is_heard) in [Driver::Async, Driver::Driven].into_iter().flat_map(|of| [(of, false), (of, true)]) {
        let seen = panic_everywhere(driver, is_heard, is_kept);
        check_seen(&seen, &[Operation, AttemptPolled, AttemptDropped, Classifier, TimeoutClassifier]);
        check_seen(&seen, &[Timer, SleepPolled, SleepDropped]);
        if driver == Driver::Driven {
            check_seen(&seen, &[Stopped, RetryForbidden, BeforeWait]);
        }
        check_seen(&seen, &[Strategy, Learning, PolicyClock, BreakerClock, BudgetClock]);
        check_seen(&seen, &[Admit, Report, Reported, Released]);
    }
}

/// Attacks C3, C4.
#[test]
fn an_asynchronous_call_that_panics_anywhere_leaves_everything_sound() {
    panic_everywhere_asynchronously(false);
}

/// A caller may catch the panic and keep the future forever.
///
/// Attacks C3, C4.
#[test]
fn an_asynchronous_call_that_panics_anywhere_is_over_although_its_future_is_kept() {
    panic_everywhere_asynchronously(true);
}

/// A breaker that panics whenever it takes a permit back.
struct Ungiving(CircuitBreaker);

impl Breaker for Ungiving {
    fn admit(&self, now: Instant) -> Result<Admission, CircuitOpenError> {
        self.0.admit(now)
    }

    fn report(&self, admission: Admission, report: Report, now: Instant) -> Option<Transition> {
        self.0.report(admission, report, now)
    }

    fn release(&self, admission: Admission) {
        self.0.release(admission);
        resume_unwind(Box::new("in the breaker"));
    }

    fn state(&self) -> CircuitState {
        self.0.state()
    }
}

/// A second panic while the first unwinds would end the process.
///
/// Attacks R4.
#[test]
fn the_panic_that_comes_out_is_the_operations_even_if_the_breaker_panics_at_the_permit() {
    let stage = Stage::new(Whose::Theirs);
    let (_, _) = Start::Recovered.reach(&stage.breaker, &stage.clock);
    let builder = Policy::builder().classifier(ByClass).clock(stage.clock.clone());
    let policy = builder.circuit_breaker(Arc::new(Ungiving(stage.breaker.clone()))).build().expect("valid");
    let panicked = catch_unwind(AssertUnwindSafe(|| policy.call(|| -> Attempted { resume_unwind(Box::new(Blown)) })));
    assert!(panicked.expect_err("it panicked").is::<Blown>());
    assert!(policy.call(|| GOOD).is_ok());
    assert_eq!(stage.breaker.state(), CircuitState::Closed);
}
