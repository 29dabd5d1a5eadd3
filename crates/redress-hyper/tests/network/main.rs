//! The client over a simulated network: peers that stall, reset, refuse and go away, in random
//! order, in virtual time.
//!
//! The laws are those of `redress-fixtures`. A failing world is shrunk and its seed written below
//! `regressions/`: commit it, every run begins with those. `PROPTEST_CASES=100000` makes a long run
//! of it.

#![cfg(feature = "http2")]

mod clients;

use proptest::proptest;
use proptest::test_runner::TestCaseError;
use redress_fixtures::{Caller, Flavour, Point, at_every_poll, at_every_seam, corpus, draw, play};

use crate::clients::{Plain1, Plain2, Pooled};

fn laws_hold<C: Caller>(world: &redress_fixtures::World, flavour: Flavour) -> Result<(), TestCaseError> {
    play::<C>(world, flavour, None).map(drop).map_err(TestCaseError::fail)
}

proptest! {
    #![proptest_config(draw::config())]

    /// Attacks R1, R2, R3, R4, B1, C4, L1, N1, N2, N3.
    #[test]
    fn pooled_connections_keep_the_laws(world in draw::world()) {
        laws_hold::<Pooled>(&world, Flavour::Http1)?;
    }

    /// Attacks R1, R2, R3, R4, B1, C4, L1, N1, N2, N3.
    #[test]
    fn pooled_connections_of_http2_keep_the_laws(world in draw::world()) {
        laws_hold::<Pooled>(&world, Flavour::Http2)?;
    }

    /// Attacks R1, R2, R3, R4, B1, C4, L1, N1, N2, N3.
    #[test]
    fn plain_connections_keep_the_laws(world in draw::world()) {
        laws_hold::<Plain1>(&world, Flavour::Http1)?;
    }

    /// Attacks R1, R2, R3, R4, B1, C4, L1, N1, N2, N3.
    #[test]
    fn plain_connections_of_http2_keep_the_laws(world in draw::world()) {
        laws_hold::<Plain2>(&world, Flavour::Http2)?;
    }
}

fn every_poll<C: Caller>(flavour: Flavour) {
    at_every_poll::<C>(&corpus::worlds(), flavour);
}

/// Attacks R3, R4, C4, N2, N3.
#[test]
fn a_drop_at_every_poll_over_pooled_connections() {
    every_poll::<Pooled>(Flavour::Http1);
}

#[test]
fn a_drop_at_every_poll_over_pooled_connections_of_http2() {
    every_poll::<Pooled>(Flavour::Http2);
}

#[test]
fn a_drop_at_every_poll_over_plain_connections() {
    every_poll::<Plain1>(Flavour::Http1);
}

#[test]
fn a_drop_at_every_poll_over_plain_connections_of_http2() {
    every_poll::<Plain2>(Flavour::Http2);
}

/// Checks that the enumeration reached every hook point of the client.
fn every_seam<C: Caller>(flavour: Flavour) {
    let expected = [
        Point::Namer,
        Point::Bypass,
        Point::Context,
        Point::BodyMade,
        Point::Body,
        Point::Classifier,
        Point::Timeout,
        Point::Observer,
        Point::Hook,
        Point::Call,
        Point::Attempt,
        Point::Response,
        Point::Connector,
        Point::Connecting,
    ];
    at_every_seam::<C>(&corpus::worlds(), flavour, |_| false, &expected);
}

/// Attacks R3, R4, C4, N2, N3.
#[test]
fn a_panic_at_every_seam_over_pooled_connections() {
    every_seam::<Pooled>(Flavour::Http1);
}

#[test]
fn a_panic_at_every_seam_over_pooled_connections_of_http2() {
    every_seam::<Pooled>(Flavour::Http2);
}

#[test]
fn a_panic_at_every_seam_over_plain_connections() {
    every_seam::<Plain1>(Flavour::Http1);
}

#[test]
fn a_panic_at_every_seam_over_plain_connections_of_http2() {
    every_seam::<Plain2>(Flavour::Http2);
}
