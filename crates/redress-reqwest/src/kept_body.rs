//! The body of a response that will be retried: frames that were read ahead, then the rest, which
//! can be dropped from outside while the response is kept.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Extensions;
use http_body::{Body as _, Frame, SizeHint};
use redress_http::KeptFrames;
use reqwest::{Body, Response, ResponseBuilderExt as _};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type BodyFrame = Result<Frame<Bytes>, BoxError>;

/// The rest of a body was dropped, to release its connection before a wait.
#[derive(Debug, thiserror::Error)]
#[error("the rest of the body was dropped before a retry")]
struct Discarded;

/// The frames that were read ahead and the rest, shared by the body and an extension of its
/// response.
#[derive(Clone)]
struct Kept(Arc<Mutex<State>>);

struct State {
    read: VecDeque<BodyFrame>,
    rest: Option<Body>,
}

/// Makes the body of this response one that can be read ahead and discarded. Everything else stays
/// as it is.
pub(crate) fn keep(response: Response) -> Response {
    let url = response.url().clone();
    let (mut parts, rest) = http::Response::from(response).into_parts();
    let kept = Kept(Arc::new(Mutex::new(State { read: VecDeque::new(), rest: Some(rest) })));
    parts.extensions.insert(kept.clone());
    add_url(&mut parts.extensions, url);
    Response::from(http::Response::from_parts(parts, Body::wrap(kept)))
}

/// Adds the extension by which reqwest finds the URL of a response that is made of an
/// `http::Response`. Only a builder makes it, which holds the others meanwhile, so that no second
/// map is allocated.
fn add_url(extensions: &mut Extensions, url: reqwest::Url) {
    let mut carrier = http::Response::builder();
    if let Some(held) = carrier.extensions_mut() {
        *held = mem::take(extensions);
    }
    if let Ok(carrier) = carrier.url(url).body(()) {
        *extensions = carrier.into_parts().0.extensions;
    }
}

/// Reads the body ahead until its end, until about `most` bytes, or until `limit` ends.
pub(crate) async fn read_ahead(response: &mut Response, most: usize, limit: impl Future<Output = ()>) {
    let Some(kept) = response.extensions().get::<Kept>().cloned() else { return };
    if kept.size_hint().lower() > most as u64 {
        return;
    }
    let mut limit = pin!(limit);
    let mut frames = KeptFrames::at_most(most, size_of::<BodyFrame>());
    poll_fn(|cx| kept.with(|state| state.poll_ahead(&mut frames, limit.as_mut(), cx))).await;
}

/// Drops the rest of the body if it has not arrived, which closes its connection.
pub(crate) fn discard_rest(response: &mut Response) {
    let Some(kept) = response.extensions_mut().remove::<Kept>() else { return };
    // ORDER: the body is dropped without the lock.
    let rest = kept.with(|state| {
        let rest = state.rest.take_if(|rest| !rest.is_end_stream());
        if rest.is_some() {
            state.read.push_back(Err(Discarded.into()));
        }
        rest
    });
    drop(rest);
}

impl Kept {
    fn with<A>(&self, change: impl FnOnce(&mut State) -> A) -> A {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn poll_ahead(
        &mut self,
        frames: &mut KeptFrames,
        limit: Pin<&mut impl Future<Output = ()>>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        while frames.is_within() && self.rest.is_some() {
            match self.poll_rest(cx) {
                Poll::Ready(Some(frame)) => {
                    frames.keep(length(&frame));
                    self.read.push_back(frame);
                }
                Poll::Ready(None) => {}
                Poll::Pending => return limit.poll(cx),
            }
        }
        Poll::Ready(())
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Option<BodyFrame>> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(rest).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.rest = None;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }
}

fn length(frame: &BodyFrame) -> usize {
    frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len)
}

impl http_body::Body for Kept {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<BodyFrame>> {
        self.with(|state| match state.read.pop_front() {
            Some(frame) => Poll::Ready(Some(frame)),
            None => state.poll_rest(cx),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.with(|state| state.read.is_empty() && state.rest.as_ref().is_none_or(http_body::Body::is_end_stream))
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|state| {
            let read = state.read.iter().map(|frame| length(frame) as u64).sum::<u64>();
            let is_cut = state.read.back().is_some_and(Result::is_err);
            let mut hint = match &state.rest {
                Some(rest) => rest.size_hint(),
                // The length of the missing rest is unknown.
                None if is_cut => SizeHint::new(),
                None => SizeHint::with_exact(0),
            };
            if let Some(upper) = hint.upper() {
                hint.set_upper(upper.saturating_add(read));
            }
            hint.set_lower(hint.lower().saturating_add(read));
            hint
        })
    }
}
