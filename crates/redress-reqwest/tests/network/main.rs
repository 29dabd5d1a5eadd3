//! Calls that are dropped at each of their polls and that panic at each seam: of the middleware
//! over a simulated network, in virtual time, and of the client over real sockets.
//!
//! The laws of the middleware are those of `redress-fixtures`. A failing world is shrunk and its
//! seed written below `regressions/`: commit it, every run begins with those.
//! `PROPTEST_CASES=100000` makes a long run of it.

#![cfg(feature = "middleware")]
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod client;
mod middleware;

use std::sync::Once;

use proptest::proptest;
use proptest::test_runner::TestCaseError;
use redress_fixtures::{Flavour, Point, at_every_poll, at_every_seam, corpus, draw, play};

use redress_reqwest::client_builder;

use crate::middleware::Stack;

/// A builder of reqwest's client for plain HTTP. The client needs a provider for TLS, and would
/// load the system's certificates.
fn plain() -> reqwest::ClientBuilder {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
    client_builder().no_proxy().tls_certs_only([])
}

proptest! {
    #![proptest_config(draw::config())]

    /// Attacks R1, R2, R3, R4, B1, C4, L1, N1, N2.
    #[test]
    fn the_middleware_keeps_the_laws(world in draw::world()) {
        play::<Stack>(&world, Flavour::Http1, None).map(drop).map_err(TestCaseError::fail)?;
    }
}

/// Attacks R3, R4, C4, N2.
#[test]
fn a_drop_at_every_poll_of_the_middleware() {
    at_every_poll::<Stack>(&corpus::worlds(), Flavour::Http1);
}

/// Attacks R3, R4, C4, N2.
#[test]
fn a_panic_at_every_seam_of_the_middleware() {
    let expected = [
        Point::Namer,
        Point::Bypass,
        Point::Context,
        Point::Provider,
        Point::Headers,
        Point::Classifier,
        Point::Timeout,
        Point::Observer,
        Point::Hook,
        Point::Call,
        Point::Attempt,
        Point::Response,
    ];
    at_every_seam::<Stack>(&corpus::worlds(), Flavour::Http1, |_| false, &expected);
}
