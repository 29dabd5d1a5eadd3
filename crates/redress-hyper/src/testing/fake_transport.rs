//! The fake transport: its script, and the requests it was sent.
//!
//! Owns the order of steps. How a step is carried out is `exchange.rs`.

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

/// A [`Transport`] that does what each step of a script says, one step a request: it answers, fails
/// in one of the ways of a [`Fault`], or never answers.
///
/// The errors are those of a real transport, class by class: each request goes over a connection of
/// hyper's to a server in memory. No runtime and no socket is needed, and nothing takes time, so it
/// goes well with a paused or a virtual clock.
///
/// Steps are used up, and a request after the last of them panics, because a test that sends more
/// than it meant to should hear of it; end the script with [`always_respond`](Self::always_respond)
/// or [`always_fail`](Self::always_fail) where any number is right. Clones follow the same script:
/// keep one to ask it afterwards. `B` is the body of requests.
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
    /// A transport without steps, for requests whose bodies are `Full<Bytes>`. For others it is
    /// made by `default()`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<B> FakeTransport<B> {
    /// Adds a step that answers with this response. Its `Content-Length` is always its body's
    /// length.
    #[must_use]
    pub fn respond<D: Into<Bytes>>(self, response: Response<D>) -> Self {
        self.then(Step::Respond { response: response.map(Into::into), is_whole: true })
    }

    /// Adds a step that answers with this status, and no content.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        self.respond(with_status(status))
    }

    /// Adds a step that answers with this response, and closes before the end of its body: the last
    /// byte is missing.
    #[must_use]
    pub fn respond_cut_off<D: Into<Bytes>>(self, response: Response<D>) -> Self {
        self.then(Step::Respond { response: response.map(Into::into), is_whole: false })
    }

    /// Adds a step that fails in this way.
    #[must_use]
    pub fn fail(self, fault: Fault) -> Self {
        self.then(Step::Fail(fault))
    }

    /// Adds a step that takes the request and never answers it: the attempt runs into its timeout,
    /// or the call into its deadline.
    #[must_use]
    pub fn hang(self) -> Self {
        self.then(Step::Hang)
    }

    /// Adds a step in which no connection ever comes about: the attempt runs into its timeout, and
    /// the request was certainly not acted on.
    #[must_use]
    pub fn hang_connecting(self) -> Self {
        self.then(Step::HangConnecting)
    }

    /// Answers every request after the last step with this response.
    #[must_use]
    pub fn always_respond<D: Into<Bytes>>(self, response: Response<D>) -> Self {
        self.forever(Step::Respond { response: response.map(Into::into), is_whole: true })
    }

    /// Fails every request after the last step in this way.
    #[must_use]
    pub fn always_fail(self, fault: Fault) -> Self {
        self.forever(Step::Fail(fault))
    }

    /// The requests so far, one for each attempt, as they were handed over: with the
    /// [`Repetition`](crate::Repetition) among their extensions, and the body as far as it was
    /// read.
    #[must_use]
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.state().requests.iter().map(Recorded::request).collect()
    }

    /// How many steps are left, those that are for ever not counted.
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

    /// Notes the request, and takes the step that is for it.
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
/// If there is no step left for a request.
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
