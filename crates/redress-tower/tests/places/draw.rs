//! The distribution of cases: few places, short queues, and calls that arrive close together. Times
//! are multiples of ten.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use crate::world::{CallSpec, End, Part, PolicySpec, World};

fn time(longest: u64) -> impl Strategy<Value = u64> {
    (0..=longest / 10).prop_map(|time| time * 10)
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        (1_u64..20).prop_map(|time| Part::Timeout(time * 10)),
        Just(Part::LoadShed),
        (1_usize..=2).prop_map(Part::Buffer),
        Just(Part::Filter),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        4 => time(150).prop_map(End::Succeeds),
        3 => time(150).prop_map(End::Fails),
        1 => Just(End::Aborts),
        3 => time(300).prop_map(End::StallsInReadiness),
        3 => Just(End::StallsInCall),
        1 => Just(End::FailsInReadiness),
        1 => Just(End::PanicsInReadiness),
        1 => Just(End::PanicsInCall),
        1 => time(150).prop_map(End::PanicsInPoll),
    ]
}

fn policy() -> impl Strategy<Value = PolicySpec> {
    let numbers = (1_u32..=3, 1_u64..=20, time(500));
    let rest = (any::<bool>(), any::<bool>(), weighted(0.3, 1_u64..=60));
    (numbers, rest).prop_map(|((attempts, timeout, wait), (has_hook, has_breaker, deadline))| PolicySpec {
        attempts,
        attempt_timeout: timeout * 10,
        wait,
        has_hook,
        has_breaker,
        deadline: deadline.map(|deadline| deadline * 10),
    })
}

fn call() -> impl Strategy<Value = CallSpec> {
    let is_polled = prop_oneof![9 => Just(true), 1 => Just(false)];
    (time(500), is_polled, weighted(0.2, time(400)), vec(end(), 1..=3))
        .prop_map(|(arrives, is_polled, dropped_after, ends)| CallSpec { arrives, is_polled, dropped_after, ends })
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let parts = (vec(part(), 0..=3), vec(part(), 0..=2));
    let closed = vec((time(800), time(300)), 0..=2);
    (1_usize..=3, parts, closed, policy(), vec(call(), 1..=8)).prop_map(
        |(places, (above, below), closed, policy, calls)| World { places, above, below, closed, policy, calls },
    )
}
