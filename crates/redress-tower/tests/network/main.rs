//! Layers over hyper-util's client over a simulated network: peers that stall, reset, refuse and go
//! away, in random order, in virtual time.
//!
//! The laws are those of `redress-fixtures`. A failing world is shrunk and its seed written below
//! `regressions/`: commit it, every run begins with those. `PROPTEST_CASES=100000` makes a long run
//! of it.

mod clients;

use proptest::proptest;
use proptest::test_runner::TestCaseError;
use redress_fixtures::{Caller, Flavour, Point, World, at_every_poll, at_every_seam, corpus, draw, play};

use crate::clients::{ForAny, ForHttp};

fn laws_hold<C: Caller>(world: &World, flavour: Flavour) -> Result<(), TestCaseError> {
    play::<C>(world, flavour, None).map(drop).map_err(TestCaseError::fail)
}

/// The layer for any service retries every request, with any method.
fn all_idempotent(mut world: World) -> World {
    world.calls.iter_mut().for_each(|call| call.is_idempotent = true);
    world
}

proptest! {
    #![proptest_config(draw::config())]

    /// Attacks R1, R2, R3, R4, B1, C4, L1, N1, W1, W2.
    #[test]
    fn the_layer_for_http_keeps_the_laws(world in draw::world()) {
        laws_hold::<ForHttp>(&world, Flavour::Http1)?;
    }

    /// Attacks R1, R2, R3, R4, B1, C4, L1, N1, W1, W2.
    #[test]
    fn the_layer_for_http_keeps_the_laws_over_http2(world in draw::world()) {
        laws_hold::<ForHttp>(&world, Flavour::Http2)?;
    }

    /// Attacks R1, R2, R3, R4, B1, C4, L1, W1, W2.
    #[test]
    fn the_layer_for_any_service_keeps_the_laws(world in draw::world()) {
        laws_hold::<ForAny>(&all_idempotent(world), Flavour::Http1)?;
    }
}

/// Attacks R3, R4, C4, W1, W2.
#[test]
fn a_drop_at_every_poll_of_the_layer_for_http() {
    for flavour in [Flavour::Http1, Flavour::Http2] {
        at_every_poll::<ForHttp>(&corpus::worlds(), flavour);
    }
}

#[test]
fn a_drop_at_every_poll_of_the_layer_for_any_service() {
    at_every_poll::<ForAny>(&idempotent_worlds(), Flavour::Http1);
}

fn idempotent_worlds() -> Vec<corpus::Named> {
    let mut worlds = corpus::worlds();
    worlds.retain(|named| named.world.calls.iter().all(|call| call.is_idempotent));
    worlds
}

/// The hook points of each layer.
const OF_ANY: [Point; 9] = [
    Point::Context,
    Point::Provider,
    Point::Classifier,
    Point::Timeout,
    Point::Observer,
    Point::Hook,
    Point::Readiness,
    Point::Call,
    Point::Attempt,
];

/// Attacks R3, R4, C4, W2.
#[test]
fn a_panic_at_every_seam_of_the_layer_for_http() {
    let expected = [&OF_ANY[..], &[Point::Namer, Point::Bypass, Point::BodyMade]].concat();
    at_every_seam::<ForHttp>(&corpus::worlds(), Flavour::Http1, |_| false, &expected);
}

#[test]
fn a_panic_at_every_seam_of_the_layer_for_http_over_http2() {
    at_every_seam::<ForHttp>(&corpus::worlds(), Flavour::Http2, |_| false, &OF_ANY);
}

#[test]
fn a_panic_at_every_seam_of_the_layer_for_any_service() {
    at_every_seam::<ForAny>(&idempotent_worlds(), Flavour::Http1, |_| false, &OF_ANY);
}
