//! Deadlines that calls inherit from the calls around them, and that they can ignore.
//!
//! Attacks E1.

use std::future::Future;
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;
use redress_core::classify::DefaultClassifier;
use redress_core::driver::{Frame, NoTimer, Timer};
use redress_core::policy::{Deadline, Nested};
use redress_core::{AsyncPolicy, CallContext, Policy, Retry, RetryOutcome, StopReason, fixed};
use redress_testing::{VirtualClock, VirtualTimer};

use crate::lab::{TICK, secs};

fn reset() -> Error {
    ErrorKind::ConnectionReset.into()
}

fn blocking(clock: &VirtualClock, deadline: Duration) -> Policy {
    let retry = Retry::builder().strategy(fixed(secs(1))).max_attempts(1_000);
    let builder = Policy::builder().clock(clock.clone()).sleep_with(clock.sleeper()).retry(retry);
    builder.deadline(deadline).nested(Nested::Allow).build().expect("valid")
}

fn failing(inner: &CallContext<'_, Policy>) -> RetryOutcome<(), Error> {
    inner.execute(|| Err(reset()))
}

#[test]
fn a_call_ends_by_the_deadline_of_the_call_around_it() {
    let clock = VirtualClock::new();
    let (outer, inner) = (blocking(&clock, secs(5)), blocking(&clock, secs(60)));
    let began = clock.elapsed();
    let attempts = outer.call(|| {
        clock.advance(secs(2));
        let outcome = failing(&inner.context());
        assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
        Ok::<_, Error>(outcome.attempts())
    });
    assert_eq!((attempts.expect("a success"), clock.elapsed() - began), (3, secs(4)));
}

#[test]
fn the_earliest_of_all_deadlines_holds() {
    // Of the outer call, its attempt, the inner policy, the inner call; and which the inner call
    // has.
    let rows = [(9, 8, 7, 6, 6), (9, 8, 6, 7, 6), (9, 6, 8, 7, 6), (6, 9, 8, 7, 6), (1, 9, 8, 7, 1)];
    for (of_call, of_attempt, of_policy, of_inner, expected) in rows {
        let clock = VirtualClock::new();
        let outer = Policy::builder().clock(clock.clone()).deadline(secs(of_call)).attempt_timeout(secs(of_attempt));
        let outer = outer.nested(Nested::Warn).build().expect("valid");
        let inner = blocking(&clock, secs(of_policy));
        let left = outer.call(|| {
            inner.context().deadline(secs(of_inner)).call_with(|attempt| {
                assert_eq!(Frame::current().time_left(clock.now()), attempt.time_left());
                Ok::<_, Error>(attempt.time_left())
            })
        });
        assert_eq!(left.expect("a success"), Some(secs(expected)));
    }
}

#[test]
fn a_call_that_begins_too_late_makes_no_attempt() {
    let clock = VirtualClock::new();
    let (outer, inner) = (blocking(&clock, secs(5)), blocking(&clock, secs(60)));
    for (passed, attempts) in [(secs(5) - TICK, 1), (secs(5), 0), (secs(6), 0)] {
        let _ = outer.call(|| {
            clock.advance(passed);
            let outcome = failing(&inner.context());
            assert_eq!((outcome.attempts(), outcome.stop_reason()), (attempts, Some(StopReason::DeadlineExceeded)));
            Ok::<_, Error>(())
        });
    }
}

#[test]
fn a_policy_or_a_call_may_ignore_what_it_would_inherit() {
    let clock = VirtualClock::new();
    let outer = blocking(&clock, secs(5));
    let (audit, other) = (blocking(&clock, secs(60)), blocking(&clock, secs(60)));
    let ignoring =
        Policy::from_spec(audit.spec()).clock(clock.clone()).ignore_inherited_deadline().build().expect("valid");
    let _ = outer.call(|| {
        clock.advance(secs(5));
        let of_policy = ignoring.call(|| {
            // What begins inside inherits from here on.
            Ok::<_, Error>((
                Frame::current().time_left(clock.now()),
                other.call_with(|attempt| Ok::<_, Error>(attempt.time_left())).expect("a success"),
            ))
        });
        assert_eq!(of_policy.expect("a success"), (Some(secs(60)), Some(secs(60))));
        let of_call = audit.context().ignore_inherited_deadline();
        assert_eq!(
            of_call.call_with(|attempt| Ok::<_, Error>(attempt.time_left())).expect("a success"),
            Some(secs(60))
        );
        let settings = CallContext::new().ignore_inherited_deadline();
        assert!(!settings.settings().are_empty());
        let within = audit.context().within(settings.settings());
        assert!(within.call(|| Ok::<_, Error>(())).is_ok());
        Ok::<_, Error>(())
    });
}

#[test]
fn a_policy_without_the_setting_inherits_nothing() {
    let clock = VirtualClock::new();
    let plain = Policy::builder().clock(clock.clone()).build().expect("valid");
    let late = Frame::current().until(Deadline::at(clock.now()));
    assert!(late.run(|| plain.call(|| Ok::<_, Error>(()))).is_ok());
}

#[test]
fn an_attempt_that_hangs_is_cut_at_the_inherited_deadline() {
    let clock = VirtualClock::new();
    let inner = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).nested(Nested::Warn).build().expect("valid");
    let scoped = Frame::current()
        .until(clock.now() + secs(3))
        .scope(async { inner.execute(std::future::pending::<Result<(), Error>>).await });
    let outcome = clock.block_on(scoped);
    assert_eq!((outcome.elapsed(), outcome.attempts()), (secs(3), 1));
}

type Virtual = AsyncPolicy<DefaultClassifier, VirtualTimer>;

/// One call of a random tree: its policy and what its operation does.
struct Node {
    policy: Virtual,
    is_ignoring: bool,
    deadline: Option<Duration>,
    takes: Duration,
    spawns: bool,
    children: Vec<Node>,
}

fn draw(rng: &mut Rng, clock: &VirtualClock, depth: u32) -> Node {
    let retry = Retry::builder().strategy(fixed(secs(rng.u64(0..4)))).max_attempts(rng.u32(1..4));
    let mut builder = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).retry(retry).no_deadline();
    let deadline = rng.bool().then(|| secs(rng.u64(1..20)));
    if let Some(deadline) = deadline {
        builder = builder.deadline(deadline);
    }
    if rng.u8(0..3) == 0 {
        builder = builder.attempt_timeout(secs(rng.u64(1..10)));
    }
    if rng.u8(0..4) == 0 {
        builder = builder.finish_running_attempt();
    }
    let nested = Nested::ALL[rng.usize(0..Nested::ALL.len())];
    let children = if depth == 0 { 0 } else { rng.usize(0..3) };
    Node {
        policy: builder.nested(nested).build().expect("valid"),
        is_ignoring: rng.u8(0..8) == 0,
        deadline,
        takes: secs(rng.u64(0..5)),
        spawns: rng.bool(),
        children: (0..children).map(|_| draw(rng, clock, depth - 1)).collect(),
    }
}

/// Runs a node's call within ancestors that end at `until`, the earliest of them. Counts attempts,
/// and those that started too late.
fn run<'n>(
    node: &'n Node,
    clock: &'n VirtualClock,
    until: Option<Duration>,
    seen: &'n Mutex<[u32; 2]>,
) -> Pin<Box<dyn Future<Output = ()> + 'n>> {
    Box::pin(async move {
        let inherited = until.filter(|_| !node.is_ignoring);
        let own = node.deadline.map(|deadline| clock.elapsed() + deadline);
        let until = own.into_iter().chain(inherited).min();
        let operation = move || async move {
            {
                let mut seen = seen.lock().expect("whole");
                seen[0] += 1;
                seen[1] += u32::from(until.is_some_and(|until| clock.elapsed() >= until));
            }
            clock.timer().sleep(node.takes).await;
            for child in &node.children {
                let call = run(child, clock, until, seen);
                if node.spawns { Frame::current().scope(call).await } else { call.await }
            }
            Err::<(), _>(reset())
        };
        let context = node.policy.context();
        let context = if node.is_ignoring { context.ignore_inherited_deadline() } else { context };
        let _ = context.execute(operation).await;
    })
}

#[test]
fn no_attempt_starts_after_the_deadline_of_a_call_around_it() {
    let seen = Mutex::new([0; 2]);
    for seed in 0..2_000 {
        let clock = VirtualClock::new();
        let mut rng = Rng::with_seed(seed);
        let root = draw(&mut rng, &clock, 3);
        clock.block_on(run(&root, &clock, None, &seen));
        assert_eq!(seen.lock().expect("whole")[1], 0, "seed {seed}");
        assert_eq!(Frame::current().depth(), 0);
    }
    let [attempts, _] = seen.into_inner().expect("whole");
    assert!(attempts > 10_000, "the trees have calls: {attempts}");
}
