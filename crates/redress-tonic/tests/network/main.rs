//! The layer around a channel over a simulated network: peers that stall, reset, refuse and go
//! away, in random order, in virtual time.
//!
//! The laws are those of `redress-fixtures`. A failing world is shrunk and its seed written below
//! `regressions/`: commit it, every run begins with those. `PROPTEST_CASES=100000` makes a long run
//! of it.

mod client;

use proptest::proptest;
use proptest::test_runner::TestCaseError;
use redress_fixtures::{Flavour, Point, at_every_poll, at_every_seam, corpus, draw, play};

use crate::client::Grpc;

proptest! {
    #![proptest_config(draw::config())]

    /// Attacks R1, R2, R3, R4, B1, C4, L1, N1, N2, W1, W2.
    #[test]
    fn the_layer_keeps_the_laws(world in draw::world()) {
        play::<Grpc>(&world, Flavour::Grpc, None).map(drop).map_err(TestCaseError::fail)?;
    }
}

/// Attacks R3, R4, C4, W1, W2, N2.
#[test]
fn a_drop_at_every_poll() {
    at_every_poll::<Grpc>(&corpus::worlds(), Flavour::Grpc);
}

/// Attacks R3, R4, C4, W2, N2.
#[test]
fn a_panic_at_every_seam() {
    every_seam(0);
}

/// In the other half of the worlds, so that the halves run side by side.
#[test]
fn a_panic_at_every_seam_of_the_other_half() {
    every_seam(1);
}

fn every_seam(half: usize) {
    let worlds = corpus::worlds().into_iter().enumerate().filter(|(index, _)| index / 2 % 2 == half);
    let worlds: Vec<_> = worlds.map(|(_, named)| named).collect();
    // What panics in the connector, or in the body of a request, panics in the worker of the
    // channel or in the task of its connection, which are tonic's.
    let is_tonics = |point: Point| matches!(point, Point::Connector | Point::Connecting);
    let expected = [
        Point::Namer,
        Point::Bypass,
        Point::Context,
        Point::Provider,
        Point::Told,
        Point::Body,
        Point::Classifier,
        Point::Observer,
        Point::Hook,
        Point::Readiness,
        Point::Call,
        Point::Attempt,
        Point::Response,
    ];
    at_every_seam::<Grpc>(&worlds, Flavour::Grpc, is_tonics, &expected);
}
