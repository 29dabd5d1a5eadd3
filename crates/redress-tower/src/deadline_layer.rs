//! The server's layer for deadlines that travel, and its settings.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redress_http::{Answers, DeadlineHeader};
use tower_layer::Layer;

use crate::deadline_service::DeadlineService;

/// Ends work in a server when its caller stops waiting. See [`DeadlineService`] for what the result
/// does.
///
/// A server that is overloaded spends its time on requests whose callers have given up, so their
/// retries wait longer, and the overload stays after its cause has gone. This layer ends that: the
/// server works only on requests that a caller still waits for.
///
/// | setting | default |
/// |---|---|
/// | [`header`](Self::header) | the headers that [`time_left`](redress_http::time_left) reads |
/// | [`refuse_below`](Self::refuse_below) | zero: only requests whose time is up are refused |
/// | [`longest`](Self::longest) | none: a request without a deadline may take any time |
/// | [`respond_with`](Self::respond_with) | 504 with a problem or plain text; `DEADLINE_EXCEEDED` for gRPC |
///
/// # Where to put it
///
/// Outermost, so that the time in the server's queues counts:
///
/// - Queues that work by readiness, such as tower's `ConcurrencyLimit`, and a `LoadShed` around
///   them, go inside: the layer accepts a request at once, waits for the service below, and checks
///   the deadline again when that is ready.
/// - `Buffer`, and any queue of your own that hides the wait inside its `call`, needs the layer on
///   both sides: outside to note the arrival, inside to check when the work begins. The inner layer
///   finds the deadline in the request's extensions, and does not read the headers again.
///
/// ```
/// use std::time::Duration;
/// use axum::Router;
/// use axum::routing::get;
/// use redress::integration::tower::http::DeadlineLayer;
/// use redress::runtime::tokio::TokioTimer;
///
/// let deadlines = DeadlineLayer::new(TokioTimer)
///     .refuse_below(Duration::from_millis(5))
///     .longest(Duration::from_secs(30));
/// let router: Router = Router::new().route("/orders", get(async || "orders")).layer(deadlines);
/// # let _ = router;
/// ```
#[derive(Clone)]
pub struct DeadlineLayer<Tm, R = Answers> {
    timer: Tm,
    limits: Limits,
    refusal: R,
}

/// The settings that do not depend on the response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    /// Headers besides the known ones.
    pub(crate) headers: Option<Arc<Vec<DeadlineHeader>>>,
    pub(crate) refuse_below: Duration,
    pub(crate) longest: Option<Duration>,
}

impl<Tm> DeadlineLayer<Tm> {
    /// Creates a layer with the default settings, which measures time with this timer.
    #[must_use]
    pub fn new(timer: Tm) -> Self {
        Self { timer, limits: Limits::default(), refusal: Answers::new() }
    }
}

impl<Tm, R> DeadlineLayer<Tm, R> {
    /// Reads this header as well as the known ones. May be called several times. Of all headers,
    /// the shortest time counts.
    ///
    /// ```
    /// use http::HeaderName;
    /// use redress::integration::http::{DeadlineHeader, TimeFormat};
    /// use redress::integration::tower::http::DeadlineLayer;
    /// use redress::runtime::tokio::TokioTimer;
    ///
    /// let own = DeadlineHeader::new(HeaderName::from_static("x-time-left"), TimeFormat::Seconds);
    /// let layer = DeadlineLayer::new(TokioTimer).header(own);
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn header(mut self, header: DeadlineHeader) -> Self {
        Arc::make_mut(self.limits.headers.get_or_insert_default()).push(header);
        self
    }

    /// Refuses requests whose caller waits less than this: work that would not be done in time.
    /// Compared with the caller's deadline at arrival, and again when the work begins. Default:
    /// zero, which refuses only requests whose time is up.
    #[must_use]
    pub const fn refuse_below(mut self, least: Duration) -> Self {
        self.limits.refuse_below = least;
        self
    }

    /// Ends work that takes longer than this, also if the caller would wait longer or does not say.
    /// Measured from the arrival. Default: none.
    #[must_use]
    pub const fn longest(mut self, longest: Duration) -> Self {
        self.limits.longest = Some(longest);
        self
    }

    /// Sets the responses to requests whose time is up: [`Answers`], or a function of a
    /// [`Late`](crate::http::Late), or another [`Refusal`](crate::http::Refusal). Default: 504 with
    /// a problem or plain text, by the request's `Accept`, and `DEADLINE_EXCEEDED` for gRPC.
    ///
    /// ```
    /// use axum::response::IntoResponse as _;
    /// use http::StatusCode;
    /// use redress::integration::tower::http::{DeadlineLayer, Late};
    /// use redress::runtime::tokio::TokioTimer;
    ///
    /// let layer = DeadlineLayer::new(TokioTimer)
    ///     .respond_with(|_: &Late| (StatusCode::GATEWAY_TIMEOUT, "too late").into_response());
    /// # drop(axum::Router::<()>::new().route("/", axum::routing::get(async || "")).layer(layer));
    /// ```
    #[must_use]
    pub fn respond_with<Q>(self, refusal: Q) -> DeadlineLayer<Tm, Q> {
        DeadlineLayer { timer: self.timer, limits: self.limits, refusal }
    }
}

impl<Tm, R> fmt::Debug for DeadlineLayer<Tm, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlineLayer").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl<S, Tm: Clone, R: Clone> Layer<S> for DeadlineLayer<Tm, R> {
    type Service = DeadlineService<S, Tm, R>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService::new(inner, self.timer.clone(), self.limits.clone(), self.refusal.clone())
    }
}
