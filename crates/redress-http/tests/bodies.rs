//! Which bodies can be sent again, and how often they are cloned or made.

#![cfg(feature = "body")]

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{Empty, Full};
use redress_http::ReplayBody;

/// An empty body that counts its clones.
#[derive(Debug, Default)]
struct Counted(Arc<AtomicU32>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }
}

#[test]
fn a_body_is_cloned_for_each_attempt_but_the_last() {
    let clones = Arc::new(AtomicU32::new(0));
    let mut body = ReplayBody::from(Counted(Arc::clone(&clones)));
    let clones_after = [false, false, true].map(|is_last| {
        assert!(body.is_replayable() && body.next(is_last).is_some());
        clones.load(Ordering::Relaxed)
    });
    assert_eq!(clones_after, [1, 2, 2]);
    assert!(!body.is_replayable() && body.next(true).is_none(), "the last attempt had the body itself");
}

#[test]
fn a_factory_makes_a_body_for_each_attempt() {
    let made = Arc::new(AtomicU32::new(0));
    let makes = Arc::clone(&made);
    let mut body = ReplayBody::factory(move || makes.fetch_add(1, Ordering::Relaxed));
    assert!(body.is_replayable());
    assert_eq!([false, true, false].map(|is_last| body.next(is_last)), [Some(0), Some(1), Some(2)]);
    let mut boxed: ReplayBody<BoxBody<Bytes, Infallible>> = "an order".into();
    assert!(boxed.is_replayable() && boxed.next(true).is_some() && boxed.next(true).is_some());
    assert!(ReplayBody::<Empty<Bytes>>::empty().is_replayable());
}

#[test]
fn a_stream_is_sent_once() {
    let mut upload = ReplayBody::once(7);
    assert!(!upload.is_replayable());
    assert_eq!([upload.next(false), upload.next(false)], [Some(7), None]);
}

#[test]
fn debug_output_tells_whether_a_body_can_be_sent_again() {
    let body = |body: &ReplayBody<Full<Bytes>>| format!("{body:?}");
    assert_eq!(body(&"an order".into()), "ReplayBody { is_replayable: true, .. }");
    assert_eq!(body(&ReplayBody::once(Full::default())), "ReplayBody { is_replayable: false, .. }");
}
