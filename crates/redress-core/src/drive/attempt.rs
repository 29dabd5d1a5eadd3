//! [`Attempt`]: the number and the time limit of an attempt, as passed to the operation.

use std::time::Duration;

/// One attempt of a call, as passed to the operation.
///
/// A blocking operation cannot be stopped from outside, so it should pass its time limit to the
/// functions it calls:
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
    /// Creates an attempt. For custom implementations of [`Caller`](crate::Caller) and for tests of
    /// an operation; policies create their own.
    #[must_use]
    pub const fn new(number: u32, time_left: Option<Duration>) -> Self {
        Self { number, time_left }
    }

    /// The number of the attempt in its call, from 1.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The time limit of the attempt when it started: the shorter of the attempt timeout and the
    /// time left until the deadline; `None` without either. Never zero. It does not count down,
    /// because an `Attempt` reads no clock.
    #[must_use]
    pub const fn time_left(&self) -> Option<Duration> {
        self.time_left
    }
}
