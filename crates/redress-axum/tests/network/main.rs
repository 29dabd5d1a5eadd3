//! The layer around a gateway's handler over a simulated network: peers that stall, reset, refuse
//! and go away, in random order, in virtual time.
//!
//! The laws are those of `redress-fixtures`. A failing world is shrunk and its seed written below
//! `regressions/`: commit it, every run begins with those. `PROPTEST_CASES=100000` makes a long run
//! of it.

mod server;

use proptest::proptest;
use proptest::test_runner::TestCaseError;
use redress_fixtures::{Flavour, Point, at_every_poll, at_every_seam, corpus, draw, play};

use crate::server::Gateway;

proptest! {
    #![proptest_config(draw::config())]

    /// Attacks R1, R2, R3, R4, B1, C4, L1, N1, W1, W2.
    #[test]
    fn the_layer_keeps_the_laws(world in draw::world()) {
        play::<Gateway>(&world, Flavour::Http1, None).map(drop).map_err(TestCaseError::fail)?;
    }
}

/// Attacks R3, R4, C4, W1, W2.
#[test]
fn a_drop_at_every_poll() {
    at_every_poll::<Gateway>(&corpus::worlds(), Flavour::Http1);
}

/// Attacks R3, R4, C4, W2.
#[test]
fn a_panic_at_every_seam() {
    let expected = [
        Point::Namer,
        Point::Bypass,
        Point::Context,
        Point::Provider,
        Point::Told,
        Point::Headers,
        Point::Classifier,
        Point::Timeout,
        Point::Observer,
        Point::Hook,
        Point::Readiness,
        Point::Call,
        Point::Attempt,
        Point::Response,
    ];
    at_every_seam::<Gateway>(&corpus::worlds(), Flavour::Http1, |_| false, &expected);
}
