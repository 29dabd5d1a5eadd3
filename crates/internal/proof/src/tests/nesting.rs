//! Calls within calls: random trees of them do what a list of the calls around says.
//!
//! The model has no frames and no marks. It is given the calls around each call, outermost first.
//!
//! Attacks E1, E4.

use std::cell::{Cell, RefCell};
use std::io;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, any, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy;
use proptest::test_runner::Config;
use redress_core::driver::Frame;
use redress_core::policy::Nested;
use redress_core::{Event, Policy, Retry, StopReason, fixed};
use redress_testing::VirtualClock;

fn config() -> Config {
    super::config(concat!(env!("CARGO_MANIFEST_DIR"), "/regressions/nesting.txt"))
}

/// A call that each attempt of the call around it makes. Times are seconds.
#[derive(Clone, Debug)]
struct Node {
    attempts: u32,
    deadline: Option<u64>,
    /// `None` for a policy that knows nothing of other calls.
    nested: Option<Nested>,
    ignores_deadline: bool,
    wait: u64,
    takes: u64,
    /// So many attempts fail after the calls inside have succeeded.
    fails: u32,
    inside: Vec<Self>,
}

fn nested() -> impl Strategy<Value = Option<Nested>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(Nested::Allow)),
        2 => Just(Some(Nested::Warn)),
        2 => Just(Some(Nested::RetryOutermost)),
        3 => Just(Some(Nested::RetryInnermost)),
    ]
}

fn trees() -> impl Strategy<Value = Node> {
    let leaf = (1_u32..4, option::of(1_u64..12), nested(), any::<bool>(), 0_u64..3, 0_u64..3, 0_u32..4).prop_map(
        |(attempts, deadline, nested, ignores, wait, takes, fails)| {
            let ignores_deadline = ignores && takes == 0;
            Node { attempts, deadline, nested, ignores_deadline, wait, takes, fails, inside: Vec::new() }
        },
    );
    leaf.prop_recursive(4, 10, 2, |inner| {
        (inner.clone(), vec(inner, 1..3)).prop_map(|(node, inside)| Node { inside, ..node })
    })
}

/// What is seen: an attempt with its number, the calls around it and its start; an event; an end.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sight {
    Attempt { number: u32, depth: u32, at: u64, until: Option<u64> },
    Nested { depth: u32, attempts: u32 },
    End { reason: Option<StopReason>, attempts: u32 },
}

// The model.

/// A call around another one.
struct Around<'n> {
    node: &'n Node,
    attempts: u32,
    until: Option<u64>,
    retried_inside: Cell<bool>,
}

impl Around<'_> {
    fn yields(&self) -> bool {
        self.attempts > 1 && self.node.nested == Some(Nested::RetryInnermost)
    }
}

#[derive(Default)]
struct Model {
    now: Cell<u64>,
    seen: RefCell<Vec<Sight>>,
    /// The policies that have sent their event.
    told: RefCell<Vec<*const Node>>,
}

impl Model {
    fn see(&self, sight: Sight) {
        self.seen.borrow_mut().push(sight);
    }

    /// Whether the call succeeds.
    fn call<'n>(&self, node: &'n Node, around: &mut Vec<Around<'n>>) -> bool {
        let mut attempts = node.attempts;
        let mut until = node.deadline.map(|deadline| self.now.get() + deadline);
        if let Some(nested) = node.nested {
            let product: u32 = around.iter().filter(|call| !call.yields()).map(|call| call.attempts).product();
            let multiplies = attempts > 1 && product > 1;
            if multiplies && nested == Nested::RetryOutermost {
                attempts = 1;
            }
            if attempts > 1 {
                let marked = around.iter().rev().find(|call| call.yields());
                marked.iter().for_each(|call| call.retried_inside.set(true));
            }
            if !node.ignores_deadline {
                let inherited = around.last().and_then(|call| call.until);
                until = until.into_iter().chain(inherited).min();
            }
            let is_new = !self.told.borrow().contains(&std::ptr::from_ref(node));
            if multiplies && nested != Nested::Allow && is_new {
                self.told.borrow_mut().push(node);
                self.see(Sight::Nested { depth: around.len() as u32 + 1, attempts: product * attempts });
            }
        }
        let (made, reason) = self.attempts(node, around, attempts, until);
        self.see(Sight::End { reason, attempts: made });
        reason.is_none()
    }

    fn attempts<'n>(
        &self,
        node: &'n Node,
        around: &mut Vec<Around<'n>>,
        attempts: u32,
        until: Option<u64>,
    ) -> (u32, Option<StopReason>) {
        let is_late = |at: u64| until.is_some_and(|until| at >= until);
        if is_late(self.now.get()) {
            return (0, Some(StopReason::DeadlineExceeded));
        }
        let own = Around { node, attempts, until, retried_inside: Cell::new(false) };
        let has_frame = node.nested.is_some();
        if has_frame {
            around.push(own);
        }
        let mut made = 0;
        let reason = loop {
            made += 1;
            // No time is left from then on, however long ago it was.
            let seen_until = around.last().and_then(|call| call.until).map(|until| until.max(self.now.get()));
            self.see(Sight::Attempt {
                number: made,
                depth: around.len() as u32,
                at: self.now.get(),
                until: seen_until,
            });
            self.now.set(self.now.get() + node.takes);
            let is_good = node.inside.iter().all(|inner| self.call(inner, around)) && made > node.fails;
            let yields = has_frame && around.last().is_some_and(|own| own.yields() && own.retried_inside.get());
            let next = self.now.get() + node.wait;
            break match () {
                () if is_good => None,
                () if is_late(self.now.get()) => Some(StopReason::DeadlineExceeded),
                () if made >= attempts => Some(StopReason::MaxAttempts),
                () if yields => Some(StopReason::RetryForbidden),
                () if is_late(next) => Some(StopReason::DeadlineExceeded),
                () => {
                    self.now.set(next);
                    continue;
                }
            };
        };
        if has_frame {
            around.pop();
        }
        (made, reason)
    }
}

// The engine.

/// A call with its policy.
struct Real {
    node: Node,
    policy: Policy,
    inside: Vec<Self>,
}

struct Stage {
    clock: VirtualClock,
    seen: RefCell<Vec<Sight>>,
}

type Told = std::sync::Arc<std::sync::Mutex<Vec<Sight>>>;

impl Real {
    fn new(node: &Node, clock: &VirtualClock, told: &Told) -> Self {
        let told_too = std::sync::Arc::clone(told);
        let observer = move |event: &Event<'_>| {
            if let Some(nesting) = event.nesting {
                let sight = Sight::Nested { depth: nesting.depth, attempts: nesting.attempts };
                told_too.lock().expect("whole").push(sight);
            }
        };
        let retry = Retry::builder().strategy(fixed(Duration::from_secs(node.wait))).max_attempts(node.attempts);
        let builder = Policy::builder().retry(retry).clock(clock.clone()).sleep_with(clock.sleeper());
        let builder = match node.deadline {
            Some(deadline) => builder.deadline(Duration::from_secs(deadline)),
            None => builder.no_deadline(),
        };
        let builder = match node.nested {
            Some(nested) => builder.nested(nested),
            None => builder,
        };
        let policy = builder.observer(observer).build().expect("the data is valid");
        let inside = node.inside.iter().map(|inner| Self::new(inner, clock, told)).collect();
        Self { node: Node { inside: Vec::new(), ..node.clone() }, policy, inside }
    }

    fn call(&self, stage: &Stage, told: &Told) -> Result<(), io::Error> {
        let now = || stage.clock.elapsed().as_secs();
        let hear = || stage.seen.borrow_mut().append(&mut told.lock().expect("whole"));
        let mut made = 0;
        let operation = || {
            hear();
            made += 1;
            let frame = Frame::current();
            let until = frame.time_left(stage.clock.now()).map(|left| now() + left.as_secs());
            let attempt = Sight::Attempt { number: made, depth: frame.depth(), at: now(), until };
            stage.seen.borrow_mut().push(attempt);
            stage.clock.advance(Duration::from_secs(self.node.takes));
            for inner in &self.inside {
                inner.call(stage, told)?;
            }
            if made > self.node.fails { Ok(()) } else { Err(io::Error::from(io::ErrorKind::ConnectionReset)) }
        };
        let context = self.policy.context();
        let context = if self.node.ignores_deadline { context.ignore_inherited_deadline() } else { context };
        let outcome = context.execute(operation);
        hear();
        let end = Sight::End { reason: outcome.stop_reason(), attempts: outcome.attempts() };
        stage.seen.borrow_mut().push(end);
        if outcome.is_ok() { Ok(()) } else { Err(io::ErrorKind::ConnectionReset.into()) }
    }
}

proptest! {
    #![proptest_config(config())]

    /// The instant of each attempt, what it sees of the calls around it, the events, and the ends.
    #[test]
    fn calls_within_calls_do_what_the_list_of_calls_says(tree in trees()) {
        let (clock, told) = (VirtualClock::new(), Told::default());
        let stage = Stage { clock: clock.clone(), seen: RefCell::default() };
        let _ = Real::new(&tree, &clock, &told).call(&stage, &told);
        prop_assert_eq!(Frame::current().depth(), 0);
        let model = Model::default();
        model.call(&tree, &mut Vec::new());
        prop_assert_eq!(stage.seen.into_inner(), model.seen.into_inner());
    }
}
