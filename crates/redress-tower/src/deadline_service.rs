//! The service that refuses and ends work whose caller has stopped waiting, and its future.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use ::http::{Extensions, HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use redress_core::driver::{Frame, Scoped, Timer};
use redress_core::policy::Deadline;
use redress_http::{AttemptNumber, time_left_from_now};
use tower_service::Service;

use crate::deadline_layer::Limits;
use crate::refusal::{Late, Refusal, Stage};

/// A service that ends work when its caller stops waiting. Made by
/// [`DeadlineLayer`](crate::http::DeadlineLayer).
///
/// - **At arrival** it reads how long the caller waits, and which attempt the request is. Both go
///   into the request's extensions, as a [`Deadline`] and an [`AttemptNumber`]. A `Deadline` that
///   is there already, from a layer outside, counts instead of the headers.
/// - **Inheritance**: the service below runs in a [`Frame`] with the deadline, so that calls inside
///   it end by then if their policies are built with
///   [`nested`](redress_core::policy::PolicyBuilder::nested).
/// - **Refusal**: a request whose time is up is answered without the service below, at arrival and
///   again when that service has become ready.
/// - **At the deadline** the handler is dropped, and the request answered. The body of a response
///   that has begun is not cut.
/// - **Trust**: headers can only shorten. Malformed values are ignored, and no value reaches beyond
///   [`longest`](crate::http::DeadlineLayer::longest).
/// - **Readiness**: the service is always ready. Each request waits for a clone of the service
///   below, within its deadline.
///
/// **Invariant E3**: the service below is not called for a request whose time is up.
#[derive(Clone)]
pub struct DeadlineService<S, Tm, R> {
    inner: S,
    timer: Tm,
    limits: Limits,
    refusal: R,
}

impl<S, Tm, R> DeadlineService<S, Tm, R> {
    pub(crate) const fn new(inner: S, timer: Tm, limits: Limits, refusal: R) -> Self {
        Self { inner, timer, limits, refusal }
    }

    /// Returns the inner service.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl Limits {
    /// Reads the caller's time from the headers.
    fn time_left(&self, headers: &HeaderMap) -> Option<Duration> {
        let own = self.headers.iter().flat_map(|own| own.iter()).filter_map(|header| header.read(headers));
        own.chain(time_left_from_now(headers)).min()
    }

    /// Returns when the work of a request ends, if anything limits it.
    fn read<B>(&self, request: &Request<B>, now: Instant) -> Option<Term> {
        let read = || self.time_left(request.headers()).map(|left| Deadline::from_left(left, now));
        let caller = request.extensions().get().copied().or_else(read);
        let longest = self.longest.map(|longest| Deadline::from_left(longest, now));
        // A deadline beyond the clock's range limits nothing.
        let end = caller.into_iter().chain(longest).min().filter(|end| end.instant().is_some())?;
        Some(Term { end, caller })
    }

    /// Whether the caller waits too short a time.
    fn is_up(&self, end: Deadline, now: Instant) -> bool {
        end.is_expired(now) || end.left(now) < self.refuse_below
    }
}

/// When the work of a request ends.
#[derive(Clone, Copy)]
struct Term {
    /// The earlier of the caller's deadline and the server's limit.
    end: Deadline,
    caller: Option<Deadline>,
}

impl Term {
    /// Whether a request that would begin now is refused.
    fn is_refused(self, limits: &Limits, now: Instant) -> bool {
        self.end.is_expired(now) || self.caller.is_some_and(|end| limits.is_up(end, now))
    }
}

/// Puts what was read into the request's extensions.
fn note(extensions: &mut Extensions, number: Option<AttemptNumber>, term: Option<Term>) {
    if let Some(term) = term {
        extensions.insert(term.end);
    }
    if let Some(number) = number {
        extensions.insert(number);
    }
}

impl<S, B, D, Tm, R> Service<Request<B>> for DeadlineService<S, Tm, R>
where
    S: Service<Request<B>, Response = Response<D>> + Clone,
    Tm: Timer + Clone,
    R: Refusal<D> + Clone,
{
    type Response = Response<D>;
    type Error = S::Error;
    type Future = DeadlineFuture<S, Request<B>, Tm, R>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let now = self.timer.now();
        let term = self.limits.read(&request, now);
        let late = term.map(|_| Late::new(Stage::Arrival, request.headers()));
        let state = if term.is_some_and(|term| term.is_refused(&self.limits, now)) {
            State::Refused
        } else {
            let number = AttemptNumber::of(request.headers());
            note(request.extensions_mut(), number, term);
            State::Waiting { service: self.inner.clone(), request: Some(request) }
        };
        let left = term.map(|term| term.end.left(now)).filter(|left| !left.is_zero());
        let sleep = left.and_then(|left| self.timer.timeout(left));
        let (timer, limits, refusal) = (self.timer.clone(), self.limits.clone(), self.refusal.clone());
        DeadlineFuture { state, sleep, term, late, timer, limits, refusal }
    }
}

impl<S: fmt::Debug, Tm, R> fmt::Debug for DeadlineService<S, Tm, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlineService")
            .field("inner", &self.inner)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// One request through a [`DeadlineService`].
    ///
    /// # Panics
    ///
    /// If it is polled after completion, or if the service below or the refusal panics.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the handler.
    #[must_use = "a request is not handled unless its future is polled"]
    pub struct DeadlineFuture<S, Req, Tm, R>
    where
        S: Service<Req>,
        Tm: Timer,
    {
        #[pin]
        state: State<S, Req, S::Future>,
        #[pin]
        sleep: Option<Tm::Sleep>,
        term: Option<Term>,
        // Present if the request has a deadline.
        late: Option<Late>,
        timer: Tm,
        limits: Limits,
        refusal: R,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, Req, F> {
        // The time was up at arrival.
        Refused,
        Waiting { service: S, request: Option<Req> },
        Running { #[pin] handler: Scoped<F> },
        Over,
    }
}

/// The result of the service, or the stage at which the deadline ended the request.
type Ended<D, E> = Result<Result<Response<D>, E>, Stage>;

impl<S, Req, D, Tm, R> DeadlineFuture<S, Req, Tm, R>
where
    S: Service<Req, Response = Response<D>>,
    Tm: Timer,
    R: Refusal<D>,
{
    /// Polls the service, or the wait for it.
    fn poll_work(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended<D, S::Error>> {
        loop {
            let mut this = self.as_mut().project();
            let stage = match this.state.as_mut().project() {
                StateProjection::Refused => return Poll::Ready(Err(Stage::Arrival)),
                StateProjection::Running { handler } => match handler.poll(cx) {
                    Poll::Ready(result) => return Poll::Ready(Ok(result)),
                    Poll::Pending => Stage::Work,
                },
                StateProjection::Waiting { service, request } => match service.poll_ready(cx) {
                    Poll::Ready(Err(error)) => return Poll::Ready(Ok(Err(error))),
                    Poll::Ready(Ok(())) => {
                        // E3. The wait may have taken the rest of the time.
                        if this.term.as_ref().is_some_and(|term| term.is_refused(this.limits, this.timer.now())) {
                            return Poll::Ready(Err(Stage::Wait));
                        }
                        let request = request.take().expect("a request is taken once");
                        let frame = this.term.map_or_else(Frame::current, |term| Frame::current().until(term.end));
                        let handler = frame.clone().run(|| service.call(request));
                        this.state.set(State::Running { handler: frame.scope(handler) });
                        continue;
                    }
                    Poll::Pending => Stage::Wait,
                },
                StateProjection::Over => panic!("a request was polled after its end"),
            };
            let Some(sleep) = this.sleep.as_pin_mut() else { return Poll::Pending };
            ready!(sleep.poll(cx));
            return Poll::Ready(Err(stage));
        }
    }
}

impl<S, Req, D, Tm, R> Future for DeadlineFuture<S, Req, Tm, R>
where
    S: Service<Req, Response = Response<D>>,
    Tm: Timer,
    R: Refusal<D>,
{
    type Output = Result<Response<D>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = ready!(self.as_mut().poll_work(cx));
        let mut this = self.project();
        // The handler is dropped before the response is made.
        this.state.set(State::Over);
        this.sleep.set(None);
        Poll::Ready(ended.unwrap_or_else(|stage| {
            let late = this.late.as_mut().expect("a request that can be late has it");
            Ok(this.refusal.response(late.at(stage)))
        }))
    }
}

impl<S, Req, Tm, R> fmt::Debug for DeadlineFuture<S, Req, Tm, R>
where
    S: Service<Req>,
    Tm: Timer,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlineFuture").field("late", &self.late).finish_non_exhaustive()
    }
}
