//! Cancellation at every await point of the asynchronous driver, in every state of the breaker, by
//! enumeration.
//!
//! A call of every shape is polled manually and dropped after poll n, for every n from 0 to its
//! last poll. The shapes are in `shape.rs`, the breaker's states in `circuit.rs`. An ordinary run
//! tries each shape in some of the states, see `sample.rs`.
//!
//! Attacks R3, R4, B1, C1, C2, C3, C4, C5.
#![expect(clippy::unwrap_used, reason = "a lock that is poisoned has failed the test already")]

mod shape;

use std::future::{Future, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use redress_core::breaker::{CircuitState, Permit};
use redress_core::driver::NoTimer;
use redress_core::{
    AsyncPolicy, Budget, CircuitBreaker, ErrorClass, EventName, Policy, Retry, RetryTimeline, StopReason, fixed,
};
use redress_testing::{BreakerDecision, FakeCircuitBreaker, Recorder, VirtualClock};

use self::shape::{BUDGET_WINDOW, Call, Dress, LIMIT, Shape, Watch, Way, every_shape, one_of_each_await};
use crate::circuit::{End, RECOVERY, Standing, Start, breaker, check_onwards, fail};
use crate::lab::{Attempted, ByClass, Counter, GOOD, Wakes, fails, secs};
use crate::sample::is_tried;

/// What other calls do to the breaker between the last poll and the drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overtaken {
    Not,
    /// They open it.
    ByOpening,
    /// They open it, and their probe is in flight.
    ByProbe,
    /// They open it, and their probe closes it again.
    ByRound,
}

/// Where the call is when it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the function that polled it.
    Here,
    OnAnotherThread,
    /// In the poll of another task.
    InAnotherTask,
    /// In an operation of another call.
    InAnotherCall,
    /// In a frame that a panic unwinds.
    Unwinding,
}

/// What happens to the call after its last manual poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Dropped(Place),
    /// It runs to its end.
    GoesOn,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    shape: Shape,
    start: Start,
    overtaken: Overtaken,
    fate: Fate,
    polls: usize,
}

fn watch() -> Arc<Watch> {
    let clock = VirtualClock::new();
    Arc::new(Watch {
        breaker: breaker(&clock),
        clock,
        recorder: Recorder::new(),
        timeline: RetryTimeline::new(),
        retries: Mutex::default(),
        attempts: Counter::default(),
        live_attempts: Mutex::default(),
        live_hooks: Mutex::default(),
        let_in: Counter::default(),
    })
}

/// Polls once. A call that stays pending has to be woken: at once, or by the clock.
#[track_caller]
fn poll(call: &mut Call<'_>, wakes: &Arc<Wakes>, clock: &VirtualClock) -> Poll<Option<StopReason>> {
    let before = wakes.get();
    let polled = call.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(wakes))));
    if polled.is_pending() && wakes.get() == before {
        clock.advance(secs(1));
        assert!(wakes.get() > before, "pending, and nothing will wake it");
    }
    polled
}

fn drop_at(call: Call<'_>, place: Place) {
    match place {
        Place::Here => drop(call),
        Place::OnAnotherThread => thread::scope(|scope| {
            scope.spawn(move || drop(call));
        }),
        Place::InAnotherTask => {
            let mut call = Some(call);
            let task = poll_fn(|_| {
                drop(call.take());
                Poll::Ready(())
            });
            VirtualClock::new().block_on(task);
        }
        Place::InAnotherCall => {
            let mut call = Some(call);
            let policy = Policy::builder().classifier(ByClass).build().expect("valid");
            let dropping = policy.call(|| {
                drop(call.take());
                GOOD
            });
            assert!(dropping.is_ok());
        }
        Place::Unwinding => {
            let unwound = catch_unwind(AssertUnwindSafe(move || {
                let _call = call;
                // As a panic, without its message.
                resume_unwind(Box::new("in the task"));
            }));
            assert!(unwound.is_err());
        }
    }
}

/// Runs the case and checks every property. Returns whether the call ended within its polls.
fn check(case: Case) -> bool {
    let Case { shape, start, polls, .. } = case;
    let watch = watch();
    let (clock, breaker) = (&watch.clock, &watch.breaker);
    let budget = Budget::with_clock(LIMIT, BUDGET_WINDOW, clock.clone()).expect("valid");
    let policy = shape.policy(&watch, &budget, breaker);
    let (found, mut other) = start.reach(breaker, clock);
    let admitted = found.admits(clock.elapsed());
    let is_probe = matches!(admitted, Some(Standing::Taken { .. }));

    let wakes = Arc::new(Wakes::default());
    let mut call = shape.call(&policy, &watch);
    let mut ended = None;
    for polled in 1..=polls {
        if let Poll::Ready(reason) = poll(&mut call, &wakes, clock) {
            assert_eq!(polled, polls, "ended before");
            ended = Some(reason);
        } else if is_probe {
            let beside = breaker.try_acquire().expect_err("a probe is in flight");
            assert_eq!(beside.state(), CircuitState::HalfOpen);
        }
    }
    if ended.is_some() && case.overtaken != Overtaken::Not {
        return true;
    }

    let mut expected = match (polls, admitted, ended) {
        (0, ..) | (_, None, _) => found,
        (_, Some(standing), None) => standing.ends(End::Gone, clock.elapsed()),
        (_, Some(standing), Some(_)) => standing.ends(shape.end, clock.elapsed()),
    };
    if case.overtaken != Overtaken::Not {
        (expected, other) = overtake(case.overtaken, breaker, clock);
    }
    let live_attempts = *watch.live_attempts.lock().unwrap();
    let has_ended = ended.is_some();
    match case.fate {
        Fate::Dropped(place) => drop_at(call, place),
        Fate::GoesOn => ended = Some(run_on(call, &wakes, clock)),
    }

    if let Some(reason) = ended {
        let expected = if admitted.is_some() { shape.stop_reason() } else { Some(StopReason::CircuitOpen) };
        assert_eq!(reason, expected);
        let awaits = if admitted.is_some() { shape.await_points() } else { 0 };
        assert!(case.fate == Fate::GoesOn || polls == awaits + 1, "{awaits} await points, {polls} polls");
    }
    if admitted.is_some() && polls > 0 {
        // Superseded, unless the case is about another call's probe after this one.
        other = other.and_then(|other| ghost(other, start, breaker));
    }
    check_futures(&watch, is_probe);
    let terminal = match ended {
        Some(_) if admitted.is_none() => Some(EventName::CircuitRejected),
        Some(reason) => Some(reason.map_or(EventName::Success, StopReason::event)),
        None => (polls > 0).then_some(EventName::Cancelled),
    };
    check_events(&watch, shape.dress, terminal, live_attempts);
    check_budget(&watch, &budget);
    let woken = wakes.get();
    let next = || clock.block_on(policy.call(|| ready(GOOD))).err().map(|error| error.stop_reason());
    check_onwards(expected, breaker, clock, other, &next);
    clock.advance(secs(1_000_000));
    assert_eq!(wakes.get(), woken, "an alarm of the dropped call is still on the clock");
    has_ended
}

fn overtake<'b>(by: Overtaken, breaker: &'b CircuitBreaker, clock: &VirtualClock) -> (Standing, Option<Permit<'b>>) {
    while breaker.state() == CircuitState::Closed {
        fail(breaker);
    }
    if by == Overtaken::ByOpening {
        return (Standing::Open { until: clock.elapsed() + RECOVERY }, None);
    }
    clock.advance(RECOVERY);
    let probe = breaker.try_acquire().expect("recovered");
    if by == Overtaken::ByRound {
        probe.success();
        return (Standing::Closed { counted: 0 }, None);
    }
    (Standing::Taken { until: clock.elapsed() + RECOVERY }, Some(probe))
}

/// Reports the result of a superseded probe, which must change nothing. Any other permit is
/// returned as it was.
#[track_caller]
fn ghost<'b>(other: Permit<'b>, start: Start, breaker: &CircuitBreaker) -> Option<Permit<'b>> {
    if start != Start::Kept {
        return Some(other);
    }
    let before = breaker.state();
    assert_eq!(other.success(), None, "it was superseded");
    assert_eq!(breaker.state(), before, "it was superseded");
    None
}

fn run_on(mut call: Call<'_>, wakes: &Arc<Wakes>, clock: &VirtualClock) -> Option<StopReason> {
    loop {
        if let Poll::Ready(reason) = poll(&mut call, wakes, clock) {
            return reason;
        }
    }
}

/// Every future of the caller is dropped, and a probe held its place until then.
#[track_caller]
fn check_futures(watch: &Watch, probed: bool) {
    let live = (*watch.live_attempts.lock().unwrap(), *watch.live_hooks.lock().unwrap());
    assert_eq!(live, (0, 0), "attempts and hooks that outlive their call");
    assert!(!probed || watch.let_in.get() == 0, "admitted while something of the probe was still there");
}

/// R3: each started call has one terminal event, which is its last event, and of the started
/// attempts only the dropped one has no end.
#[track_caller]
fn check_events(watch: &Watch, dress: Dress, terminal: Option<EventName>, live_attempts: u32) {
    let retries = watch.retries.lock().unwrap().len();
    if matches!(dress, Dress::Timeline | Dress::Observed) {
        let events: Vec<_> = watch.timeline.events().iter().map(|entry| entry.event).collect();
        // A rejected call has no timeline.
        check_told(&events, retries, terminal.filter(|name| *name != EventName::CircuitRejected));
    }
    if dress == Dress::Observed {
        check_told(&watch.recorder.event_names(), retries, terminal);
        let cancelled = watch.recorder.events().into_iter().filter(|event| event.name == EventName::Cancelled);
        for event in cancelled {
            assert!(event.elapsed.is_some(), "{event:?}");
            assert_eq!((event.attempt, event.stop_reason), (watch.attempts.get(), None), "{event:?}");
        }
        let attempts = watch.recorder.attempts();
        let starts = attempts.iter().filter(|attempt| attempt.decision.is_none()).count();
        let unended = starts - (attempts.len() - starts);
        assert_eq!(starts, watch.attempts.get() as usize, "one start for each attempt");
        let dropped = if terminal == Some(EventName::Cancelled) { live_attempts as usize } else { 0 };
        assert_eq!(unended, dropped, "one end for each attempt that ended");
    }
}

#[track_caller]
fn check_told(events: &[EventName], retries: usize, terminal: Option<EventName>) {
    assert_eq!(events.iter().filter(|name| **name == EventName::Retry).count(), retries, "{events:?}");
    let ends: Vec<_> = events.iter().copied().filter(|name| name.is_terminal()).collect();
    assert_eq!(ends, Vec::from_iter(terminal), "{events:?}");
}

/// B1: a token for each retry announced within the window, even if the retry did not run.
#[track_caller]
fn check_budget(watch: &Watch, budget: &Budget) {
    let now = watch.clock.elapsed();
    let within = |at: &&Duration| now - **at < BUDGET_WINDOW;
    let taken = watch.retries.lock().unwrap().iter().filter(within).count();
    assert_eq!(budget.remaining() as usize, LIMIT as usize - taken, "tokens taken stay taken");
}

/// The row of a state in the sample: every shape is tried in one of the first five states.
fn row(start: Start) -> usize {
    match start {
        Start::Closed | Start::Open => 0,
        Start::Counted | Start::Probed => 1,
        Start::Reclosed | Start::Kept => 2,
        Start::Recovered => 3,
        Start::HalfOpen => 4,
    }
}

/// The cases of these shapes, each for every number of polls until the call ends.
#[track_caller]
fn after_every_poll(shapes: &[Shape], start: Start, overtaken: Overtaken, fate: Fate) {
    let fates = match fate {
        Fate::Dropped(place) => place as usize,
        Fate::GoesOn => 3,
    };
    let row = row(start) + overtaken as usize + fates;
    let mut cases = 0;
    for (_, shape) in shapes.iter().enumerate().filter(|(column, _)| is_tried(row, *column)) {
        // A call that goes on unpolled would begin after it was overtaken.
        let first = usize::from(fate == Fate::GoesOn);
        for polls in first.. {
            let case = Case { shape: *shape, start, overtaken, fate, polls };
            let checked = catch_unwind(AssertUnwindSafe(|| check(case)));
            let ended = checked.unwrap_or_else(|panic| {
                println!("in {case:?}");
                resume_unwind(panic)
            });
            cases += 1;
            if ended {
                break;
            }
            assert!(polls <= shape.await_points(), "{case:?} never ends");
        }
    }
    println!("{cases} cases");
}

fn dropped_after_every_poll(start: Start) {
    after_every_poll(&every_shape(), start, Overtaken::Not, Fate::Dropped(Place::Here));
}

/// Attacks R3, C4.
#[test]
fn a_call_dropped_anywhere_while_closed_leaves_everything_sound() {
    dropped_after_every_poll(Start::Closed);
}

/// Attacks R3, C4.
#[test]
fn a_call_dropped_anywhere_one_failure_short_of_opening_leaves_everything_sound() {
    dropped_after_every_poll(Start::Counted);
}

/// Attacks R3, C4, C5.
#[test]
fn a_call_dropped_anywhere_in_a_later_era_leaves_everything_sound() {
    dropped_after_every_poll(Start::Reclosed);
}

/// Attacks R3.
#[test]
fn a_call_dropped_before_or_after_its_rejection_leaves_an_open_circuit_as_it_is() {
    dropped_after_every_poll(Start::Open);
}

/// Attacks R4, C2, C3.
#[test]
fn a_call_dropped_anywhere_as_the_first_probe_leaves_everything_sound() {
    dropped_after_every_poll(Start::Recovered);
}

/// Attacks R4, C2, C3, C5.
#[test]
fn a_call_dropped_anywhere_that_superseded_a_probe_leaves_everything_sound() {
    dropped_after_every_poll(Start::Kept);
}

/// Attacks R4, C2, C3.
#[test]
fn a_call_dropped_anywhere_as_a_later_probe_leaves_everything_sound() {
    dropped_after_every_poll(Start::HalfOpen);
}

/// Attacks C2.
#[test]
fn a_call_dropped_before_or_after_its_rejection_leaves_anothers_probe_alone() {
    dropped_after_every_poll(Start::Probed);
}

/// Attacks C2, C5.
#[test]
fn a_call_dropped_after_others_opened_the_circuit_changes_nothing() {
    for overtaken in [Overtaken::ByOpening, Overtaken::ByProbe, Overtaken::ByRound] {
        after_every_poll(&overtakable(), Start::Counted, overtaken, Fate::Dropped(Place::Here));
    }
}

/// Attacks C2, C5.
#[test]
fn a_call_that_ends_after_others_opened_the_circuit_changes_nothing() {
    for overtaken in [Overtaken::ByOpening, Overtaken::ByProbe, Overtaken::ByRound] {
        after_every_poll(&overtakable(), Start::Counted, overtaken, Fate::GoesOn);
    }
}

/// Observers do not affect the permit, so not every combination of them is tried.
fn overtakable() -> Vec<Shape> {
    let chosen = |shape: &Shape| shape.way == Way::Call && matches!(shape.dress, Dress::Plain | Dress::Observed);
    every_shape().into_iter().filter(chosen).collect()
}

fn dropped_elsewhere(place: Place) {
    for start in Start::ALL {
        after_every_poll(&one_of_each_await(), start, Overtaken::Not, Fate::Dropped(place));
    }
}

/// Attacks R4, C3.
#[test]
fn a_call_moved_to_another_thread_and_dropped_there_leaves_everything_sound() {
    dropped_elsewhere(Place::OnAnotherThread);
}

/// Attacks R4, C3.
#[test]
fn a_call_dropped_by_another_task_leaves_everything_sound() {
    dropped_elsewhere(Place::InAnotherTask);
}

/// Attacks R4, C3.
#[test]
fn a_call_dropped_by_another_calls_operation_leaves_everything_sound() {
    dropped_elsewhere(Place::InAnotherCall);
}

/// Attacks R4, C3.
#[test]
fn a_call_dropped_by_a_panic_around_it_leaves_everything_sound() {
    dropped_elsewhere(Place::Unwinding);
}

/// With a breaker that counts admissions and has no generations: each admission is reported once or
/// released once.
///
/// Attacks R4, C4.
#[test]
fn every_permit_is_accounted_for_wherever_a_call_is_dropped() {
    let mut cases = 0;
    for (row, decision) in [BreakerDecision::Admit, BreakerDecision::Probe].into_iter().enumerate() {
        for (_, shape) in every_shape().into_iter().enumerate().filter(|(column, _)| is_tried(row, *column)) {
            let mut polls = 0;
            while !check_account(shape, &decision, polls) {
                polls += 1;
            }
            assert_eq!(polls, shape.await_points() + 1, "{shape:?}");
            cases += polls + 1;
        }
    }
    println!("{cases} cases");
}

fn check_account(shape: Shape, decision: &BreakerDecision, polls: usize) -> bool {
    let watch = watch();
    let budget = Budget::new(LIMIT, BUDGET_WINDOW).expect("valid");
    let account = Arc::new(FakeCircuitBreaker::new().otherwise(decision.clone()));
    let policy = shape.policy(&watch, &budget, Arc::clone(&account));
    let mut call = shape.call(&policy, &watch);
    let wakes = Arc::default();
    let ended = (0..polls).any(|_| poll(&mut call, &wakes, &watch.clock).is_ready());
    drop(call);

    let settled = (account.successes(), account.failures().len(), account.releases());
    let expected = match (polls, ended, shape.end) {
        (0, ..) => (0, 0, 0),
        (_, false, _) | (_, true, End::Gone) => (0, 0, 1),
        (_, true, End::Succeeds) => (1, 0, 0),
        (_, true, End::Fails | End::Answers) => (0, 1, 0),
    };
    assert_eq!((settled, account.pending()), (expected, 0), "{shape:?} after {polls} polls");
    ended
}

/// The enumeration has the intended size.
#[test]
fn the_shapes_are_pending_wherever_a_call_can_be() {
    let shapes = every_shape();
    assert_eq!(shapes.len(), 4 * 3 * 4 * 4 * 3 * 4);
    let longest = shapes.iter().map(|shape| shape.await_points()).max();
    assert_eq!(longest, Some(3 * 2 + 2 * (2 + 2)), "three attempts, two hooks, two waits, each pending twice");
    assert!(shapes.iter().any(|shape| shape.await_points() == 0));
    assert_eq!(one_of_each_await().len(), 4 * 3 * 4);
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        // As a panic, without its message; a second one would end the process of a test that fails.
        if !thread::panicking() {
            resume_unwind(Box::new("in a destructor"));
        }
    }
}

async fn armed<T>() -> T {
    let _bomb = Bomb;
    pending().await
}

/// Attacks R4, C3.
#[test]
fn a_probe_whose_futures_panic_when_dropped_gives_its_place_back() {
    let clock = VirtualClock::new();
    let breaker = breaker(&clock);
    let retry = Retry::builder().strategy(fixed(secs(1)));
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass).retry(retry);
    let policy = policy.circuit_breaker(&breaker).build().expect("valid");
    let failing = || ready(fails(ErrorClass::Transient));
    let hooked = policy.context().before_sleep_async(|_, _| armed());
    let slept = policy.context().sleep_with(|_| armed());
    Start::HalfOpen.reach(&breaker, &clock);

    let calls: [Pin<Box<dyn Future<Output = _>>>; 3] =
        [Box::pin(policy.call(armed::<Attempted>)), Box::pin(hooked.call(failing)), Box::pin(slept.call(failing))];
    for mut call in calls {
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(breaker.try_acquire().is_err(), "the probe is in flight");
        // Whether the panic propagates is not checked here.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(call)));
        assert!(breaker.try_acquire().is_ok(), "the place is free");
    }
    let next = || clock.block_on(policy.call(|| ready(GOOD))).err().map(|error| error.stop_reason());
    check_onwards(Standing::Free, &breaker, &clock, None, &next);
}
