//! What an operation may know about the attempt it is.
//!
//! Owns the number and the time allowed. A plain value: it reads no clock, so it says what held at
//! the attempt's start.

use std::time::Duration;

/// One run of an operation, as the operation sees it.
///
/// A blocking operation cannot be stopped from outside, so it should pass its time on to whatever
/// it calls:
///
/// ```no_run
/// # use redress::{Policy, Retry, fixed};
/// # use std::time::Duration;
/// use std::io::Read;
/// use std::net::TcpStream;
///
/// let policy = Policy::builder()
///     .retry(Retry::builder().strategy(fixed(Duration::from_millis(100))))
///     .attempt_timeout(Duration::from_secs(2))
///     .build()?;
/// let banner = policy.call_with(|attempt| {
///     let mut stream = TcpStream::connect("127.0.0.1:7")?;
///     stream.set_read_timeout(attempt.time_left())?;
///     let mut banner = String::new();
///     stream.read_to_string(&mut banner)?;
///     Ok::<_, std::io::Error>(banner)
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    number: u32,
    time_left: Option<Duration>,
}

impl Attempt {
    /// An attempt of this number with so much time. Policies make their own: this is for a
    /// [`Caller`](crate::Caller) of yours, and for testing an operation by itself.
    #[must_use]
    pub const fn new(number: u32, time_left: Option<Duration>) -> Self {
        Self { number, time_left }
    }

    /// Which attempt of the call this is, counted from 1.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The time this attempt had when it started: the attempt timeout or what was left of the
    /// deadline, whichever is shorter; `None` if there is neither. Never zero.
    #[must_use]
    pub const fn time_left(&self) -> Option<Duration> {
        self.time_left
    }
}
