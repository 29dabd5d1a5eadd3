//! [`Frame`], what code inside an operation can know of the call around it, and [`Nested`], what a
//! policy does about calls within calls. `engine/frames.rs` makes the frames of calls.
//!
//! The frame of the running operation is in a thread-local. The drivers set it around each piece of
//! an operation, which is each poll of an asynchronous one, and put back the previous frame. So the
//! stack of frames is the thread's own stack, and works with any runtime and in blocking code.
//!
//! **Invariant E4**: after a piece of an operation, the thread has the frame from before it, even
//! if the piece panics or its future is dropped.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::closed_set::closed_set;
use crate::deadline::Deadline;
use crate::sync::{OnceLock, thread_local};

thread_local! {
    /// The frame of the operation that this thread runs.
    static CURRENT: RefCell<Frame> = RefCell::new(Frame::default());
}

/// What a policy does about calls within calls, whose retries multiply: 4 attempts of an outer call
/// and 3 of one inside send up to 12 requests. Set with
/// [`PolicyBuilder::nested`](crate::policy::PolicyBuilder::nested).
///
/// Two calls multiply if both may retry. A policy without a retry neither multiplies nor is acted
/// on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Nested {
    /// Retries may multiply, and no event tells of it.
    Allow,
    /// Retries may multiply. The inner call sends the event
    /// [`Nested`](crate::EventName::Nested), once for each operation name.
    #[default]
    Warn,
    /// A call of this policy makes a single attempt if a call around it may retry. It sends the
    /// event as well.
    RetryOutermost,
    /// A call of this policy is not retried once its operation has begun a call that may retry. The
    /// failure is [forbidden to be retried](crate::Classification::forbid_retry), by the reason
    /// `retried_inside`.
    RetryInnermost,
}

closed_set! {
    /// Every choice, in declaration order.
    Nested { Allow, Warn, RetryOutermost, RetryInnermost }
}

impl Nested {
    /// The choice in the text of a policy.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::Allow => "retries as well",
            Self::Warn => "retries as well, with a warning",
            Self::RetryOutermost => "leaves retries to the outermost",
            Self::RetryInnermost => "leaves retries to the innermost",
        }
    }

    /// The choice in configuration, such as `retry_outermost`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::RetryOutermost => "retry_outermost",
            Self::RetryInnermost => "retry_innermost",
        }
    }
}

impl fmt::Display for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How deep a call is within others, and how many attempts that may make. Part of the event
/// [`Nested`](crate::EventName::Nested).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Nesting {
    /// How many calls are around the operation, its own included: at least 2.
    pub depth: u32,
    /// The attempts that one outermost call may make of this operation: those of all calls around
    /// it and its own, multiplied. At most `u32::MAX`.
    pub attempts: u32,
}

impl Nesting {
    /// Creates a nesting, for tests of observers.
    #[must_use]
    pub const fn new(depth: u32, attempts: u32) -> Self {
        Self { depth, attempts }
    }
}

/// What code inside an operation can know of the call around it: deadline, attempt, depth, name.
///
/// Calls of policies that [ask for it](crate::policy::PolicyBuilder::nested) set a frame while
/// their operation runs, and inherit the deadline of the frame that they begin in. Without a call,
/// the frame is empty.
///
/// The frame belongs to the thread. To take it along to a spawned task or another thread, run the
/// task in its [`scope`](Self::scope) or the code in [`run`](Self::run). A server puts the deadline
/// of a request in place with [`until`](Self::until).
///
/// ```
/// use std::time::{Duration, Instant};
/// use redress::{Policy, Retry};
/// use redress::driver::Frame;
/// use redress::policy::Nested;
///
/// let policy = Policy::builder().retry(Retry::builder().max_attempts(4)).nested(Nested::Warn).build()?;
/// let left = policy.operation("load").deadline(Duration::from_secs(2)).call(|| {
///     let frame = Frame::current();
///     assert_eq!((frame.operation(), frame.attempt(), frame.depth()), (Some("load"), Some(1), 1));
///     let elsewhere = std::thread::spawn(move || frame.run(|| Frame::current().time_left(Instant::now())));
///     Ok::<_, std::io::Error>(elsewhere.join().unwrap())
/// });
/// assert!(left.unwrap().unwrap() <= Duration::from_secs(2));
/// assert_eq!(Frame::current().depth(), 0);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Default)]
pub struct Frame {
    deadline: Option<Deadline>,
    operation: Option<Arc<str>>,
    /// The running attempt and the largest number of them; zero outside of a call.
    attempt: u32,
    max_attempts: u32,
    depth: u32,
    /// The attempts of all calls around, multiplied; zero for none, which counts as one.
    product: u32,
    /// Set when a call begins inside that may retry. Shared by all copies of the frame, and by the
    /// frames of inner calls that do not yield.
    retried_inside: Option<Arc<OnceLock<()>>>,
    /// Whether the call is not retried once `retried_inside` is set.
    can_yield: bool,
}

impl Frame {
    /// Returns the frame that this thread is in: that of the innermost operation that runs, or of
    /// the [`scope`](Self::scope) or [`run`](Self::run) within it.
    #[must_use]
    pub fn current() -> Self {
        with_current(Self::clone).unwrap_or_default()
    }

    /// The instant at which the running attempt is no longer wanted: the earliest of its timeout,
    /// the call's deadlines, and those that the call inherited. `None` if it has no limit.
    #[must_use]
    pub const fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    /// The time left until the [`deadline`](Self::deadline), at `now` of the policy's clock.
    #[must_use]
    pub fn time_left(&self, now: Instant) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.left(now))
    }

    /// The number of the running attempt, from 1; `None` outside of a call.
    #[must_use]
    pub fn attempt(&self) -> Option<u32> {
        (self.depth > 0).then_some(self.attempt)
    }

    /// The largest number of attempts that the call makes; `None` outside of a call.
    #[must_use]
    pub fn max_attempts(&self) -> Option<u32> {
        (self.depth > 0).then_some(self.max_attempts)
    }

    /// How many calls are around the code: 0 outside of a call, 1 in the operation of an outermost
    /// one.
    #[must_use]
    pub const fn depth(&self) -> u32 {
        self.depth
    }

    /// The name of the call's operation, if the caller set one.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// Returns this frame with a deadline that is not later than this one, such as the one that
    /// came with a request. Calls that begin in the frame inherit it. A deadline can only be
    /// shortened.
    ///
    /// ```
    /// use std::io;
    /// use std::time::Duration;
    /// use redress::{Policy, StopReason};
    /// use redress::driver::Frame;
    /// use redress::policy::{Deadline, Nested};
    ///
    /// let database = Policy::builder().nested(Nested::Warn).build()?;
    /// let of_request = Deadline::after(Duration::ZERO);
    /// let late = Frame::current().until(of_request).run(|| database.execute(|| Ok::<_, io::Error>(())));
    /// assert_eq!((late.stop_reason(), late.attempts()), (Some(StopReason::DeadlineExceeded), 0));
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    #[must_use]
    pub fn until(self, deadline: impl Into<Deadline>) -> Self {
        let deadline = deadline.into();
        Self { deadline: Some(self.deadline.map_or(deadline, |own| own.earlier(deadline))), ..self }
    }

    /// Runs `future` in this frame, on any thread that polls it: for tasks that are spawned, and
    /// for handlers of servers. The default frame makes calls in it outermost ones.
    ///
    /// ```
    /// use redress::driver::Frame;
    ///
    /// # fn spawn(_: impl Future<Output = u32> + Send + 'static) {}
    /// # async fn load() -> u32 { 7 }
    /// spawn(Frame::current().scope(load()));
    /// ```
    pub const fn scope<Fut>(self, future: Fut) -> Scoped<Fut> {
        Scoped { future, frame: self }
    }

    /// Runs `code` in this frame, on this thread.
    pub fn run<R>(mut self, code: impl FnOnce() -> R) -> R {
        self.during(code)
    }

    /// Runs a step in this frame. Invariant E4: the guard puts back what it took.
    #[inline]
    pub(crate) fn during<R>(&mut self, step: impl FnOnce() -> R) -> R {
        let _swapped = Swapped::new(self);
        step()
    }

    /// The frame of the operation of a call that begins in this one.
    pub(crate) fn inner(&self, call: &Inner<'_>) -> Self {
        let Inner { nested, operation, max_attempts } = *call;
        let retries = max_attempts > 1;
        if let (Some(retried), true) = (&self.retried_inside, retries) {
            // Another call may have set it.
            let _ = retried.set(());
        }
        let yields = retries && nested == Nested::RetryInnermost;
        Self {
            deadline: None,
            operation: operation.map(Arc::from),
            attempt: 0,
            max_attempts,
            depth: self.depth.saturating_add(1),
            // A call that yields does not multiply the attempts of calls inside that retry.
            product: if yields { self.product() } else { self.product().saturating_mul(max_attempts) },
            retried_inside: if yields { Some(Arc::default()) } else { self.retried_inside.clone() },
            can_yield: yields,
        }
    }

    /// The attempts of all calls around, multiplied.
    pub(crate) fn product(&self) -> u32 {
        self.product.max(1)
    }

    pub(crate) const fn begin_attempt(&mut self, number: u32, deadline: Option<Deadline>) {
        self.attempt = number;
        self.deadline = deadline;
    }

    /// Whether a call inside may have retried, so that this one does not.
    pub(crate) fn yields(&self) -> bool {
        self.can_yield && self.retried_inside.as_ref().is_some_and(|retried| retried.get().is_some())
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("operation", &self.operation())
            .field("attempt", &self.attempt())
            .field("max_attempts", &self.max_attempts())
            .field("depth", &self.depth)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// A call that begins in a frame.
pub(crate) struct Inner<'a> {
    pub(crate) nested: Nested,
    pub(crate) operation: Option<&'a str>,
    /// The attempts that the call makes at most, where it begins.
    pub(crate) max_attempts: u32,
}

pin_project! {
    /// A future that runs in a [`Frame`]. Returned by [`Frame::scope`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Scoped<Fut> {
        #[pin]
        future: Fut,
        frame: Frame,
    }
}

impl<Fut: Future> Future for Scoped<Fut> {
    type Output = Fut::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Fut::Output> {
        let this = self.project();
        let future = this.future;
        this.frame.during(|| future.poll(cx))
    }
}

impl<Fut> fmt::Debug for Scoped<Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").field("frame", &self.frame).finish_non_exhaustive()
    }
}

/// While it lives, the thread is in the frame, and the frame's place holds the previous one. A swap
/// and not a copy, so that no reference count is touched.
struct Swapped<'f>(&'f mut Frame);

impl<'f> Swapped<'f> {
    #[inline]
    fn new(frame: &'f mut Frame) -> Self {
        swap_current(frame);
        Self(frame)
    }
}

impl Drop for Swapped<'_> {
    #[inline]
    fn drop(&mut self) {
        swap_current(self.0);
    }
}

#[inline]
fn swap_current(frame: &mut Frame) {
    // A thread that ends has dropped its thread-locals, in both swaps or in neither.
    let _ = CURRENT.try_with(|current| mem::swap(&mut *current.borrow_mut(), frame));
}

/// Reads the current frame; `None` in a thread that ends. `read` runs no code of users.
#[inline]
pub(crate) fn with_current<R>(read: impl FnOnce(&Frame) -> R) -> Option<R> {
    CURRENT.try_with(|current| read(&current.borrow())).ok()
}
