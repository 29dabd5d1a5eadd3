//! The fake transport, with its script and the requests it received. `exchange.rs` carries out the
//! steps.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::pending;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;

use super::exchange;
use super::fake_body::FakeBody;
use super::fault::Fault;
use super::recorded::{Recorded, RecordedBody};
use crate::error::HyperError;
use crate::progress::Progress;
use crate::transport::Transport;

/// A [`Transport`] that follows a script, one step for each request: it responds, fails with a
/// [`Fault`], or never responds.
///
/// Its errors are those of a real transport, because each request goes over a hyper connection to
/// an in-memory server. It needs no runtime and no socket, and takes no time, so it works with a
/// paused or a virtual clock.
///
/// Each step is used once. A request after the last step panics, so that a test notices requests it
/// did not expect. End the script with [`always_respond`](Self::always_respond) or
/// [`always_fail`](Self::always_fail) if any number of requests is right. Clones share the script:
/// keep one to inspect the requests. `B` is the body of requests.
///
/// ```
/// use std::time::Duration;
/// use http::StatusCode;
/// use redress::{Retry, StopReason, fixed};
/// use redress::integration::hyper::testing::{FakeTransport, Fault};
/// use redress::integration::hyper::{RetryingClient, hyper_classifier};
/// use redress::runtime::tokio::AsyncPolicy;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), redress::ConfigError> {
/// let policy = AsyncPolicy::builder()
///     .classifier(hyper_classifier())
///     .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3))
///     .build()?;
/// let transport = FakeTransport::new()
///     .fail(Fault::Reset)
///     .status(StatusCode::SERVICE_UNAVAILABLE)
///     .respond(http::Response::new("fine"));
/// let client = RetryingClient::new(transport.clone(), policy);
///
/// let outcome = client.get("http://orders/7").execute().await;
/// assert_eq!((outcome.is_ok(), outcome.attempts()), (true, 3));
/// assert_eq!(transport.requests()[0].uri(), "http://orders/7");
/// # Ok(())
/// # }
/// ```
pub struct FakeTransport<B = Full<Bytes>> {
    state: Arc<Mutex<State>>,
    bodies: PhantomData<fn(B)>,
}

#[derive(Default)]
struct State {
    steps: VecDeque<Step>,
    forever: Option<Step>,
    requests: Vec<Recorded>,
}

#[derive(Clone)]
enum Step {
    Respond { response: Response<Bytes>, is_whole: bool },
    Fail(Fault),
    Hang,
    HangConnecting,
}

impl FakeTransport {
    /// Creates a transport without steps, for requests whose bodies are `Full<Bytes>`. Use
    /// `default()` for other bodies.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<B> FakeTransport<B> {
    /// Adds a step that returns this response. Its `Content-Length` is always its body's length.
    #[must_use]
    pub fn respond<D: Into<Bytes>>(self, response: Response<D>) -> Self {
        self.then(Step::Respond { response: response.map(Into::into), is_whole: true })
    }

    /// Adds a step that returns this status, without content.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        self.respond(with_status(status))
    }

    /// Adds a step that returns this response, and closes the connection before the last byte of
    /// its body.
    #[must_use]
    pub fn respond_cut_off<D: Into<Bytes>>(self, response: Response<D>) -> Self {
        self.then(Step::Respond { response: response.map(Into::into), is_whole: false })
    }

    /// Adds a step that fails with this fault.
    #[must_use]
    pub fn fail(self, fault: Fault) -> Self {
        self.then(Step::Fail(fault))
    }

    /// Adds a step that takes the request and never responds: the attempt runs into its timeout, or
    /// the call into its deadline.
    #[must_use]
    pub fn hang(self) -> Self {
        self.then(Step::Hang)
    }

    /// Adds a step that never makes a connection: the attempt runs into its timeout, and the
    /// request was certainly not acted on.
    #[must_use]
    pub fn hang_connecting(self) -> Self {
        self.then(Step::HangConnecting)
    }

    /// Returns this response for every request after the last step.
    #[must_use]
    pub fn always_respond<D: Into<Bytes>>(self, response: Response<D>) -> Self {
        self.forever(Step::Respond { response: response.map(Into::into), is_whole: true })
    }

    /// Fails every request after the last step with this fault.
    #[must_use]
    pub fn always_fail(self, fault: Fault) -> Self {
        self.forever(Step::Fail(fault))
    }

    /// Returns the requests so far, one for each attempt, as the transport received them: with the
    /// [`Repetition`](crate::Repetition) in their extensions, and the part of the body that was
    /// read.
    #[must_use]
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.state().requests.iter().map(Recorded::request).collect()
    }

    /// Returns how many steps are left, without an `always_` step.
    #[must_use]
    pub fn steps_left(&self) -> usize {
        self.state().steps.len()
    }

    fn then(self, step: Step) -> Self {
        self.state().steps.push_back(step);
        self
    }

    fn forever(self, step: Step) -> Self {
        self.state().forever = Some(step);
        self
    }

    /// Records the request and takes its step.
    fn next(&self, recorded: &Recorded) -> Option<Step> {
        let mut state = self.state();
        state.requests.push(recorded.clone());
        state.steps.pop_front().or_else(|| state.forever.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn with_status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// # Panics
///
/// If a request has no step left.
impl<B> Transport for FakeTransport<B>
where
    B: Body + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type RequestBody = B;
    type ResponseBody = FakeBody;

    async fn send(self, mut request: Request<B>) -> Result<Response<FakeBody>, HyperError> {
        let progress = Progress::take(request.extensions_mut());
        let (parts, body) = request.into_parts();
        let recorded = Recorded::new(parts.clone());
        let Some(step) = self.next(&recorded) else {
            panic!(
                "the script has no step for request {}: {} {}",
                self.requests().len(),
                parts.method,
                parts.uri.path()
            )
        };
        let request = Request::from_parts(parts, RecordedBody::new(body, recorded.clone()));
        progress.connects();
        let connects = match &step {
            Step::HangConnecting => return pending().await,
            Step::Fail(fault) => fault.of_connecting().is_none(),
            Step::Respond { .. } | Step::Hang => true,
        };
        if connects {
            progress.sends();
        }
        match step {
            Step::Respond { response, is_whole } => exchange::answer(response, is_whole, request, recorded).await,
            Step::Fail(fault) => exchange::fail(fault, request, recorded).await,
            Step::Hang | Step::HangConnecting => exchange::hang(request, recorded).await,
        }
    }
}

impl<B> Clone for FakeTransport<B> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), bodies: PhantomData }
    }
}

impl<B> Default for FakeTransport<B> {
    fn default() -> Self {
        Self { state: Arc::default(), bodies: PhantomData }
    }
}

impl<B> fmt::Debug for FakeTransport<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("FakeTransport")
            .field("requests", &state.requests.len())
            .field("steps_left", &state.steps.len())
            .finish_non_exhaustive()
    }
}
