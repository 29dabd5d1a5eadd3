//! Calls that go on after a pause: a deferred call gives a [`ResumeToken`], a short text for a job
//! queue, and a later delivery continues it.
//!
//! ```
//! use std::io::{Error, ErrorKind};
//! use std::time::Duration;
//! use redress::{Policy, Retry, SleepDecision, fixed};
//!
//! let policy = Policy::builder()
//!     .name("send_mail")
//!     .retry(Retry::builder().strategy(fixed(Duration::from_secs(60))).max_attempts(5))
//!     .deadline(Duration::from_secs(600))
//!     .build()?;
//! let mail = || Err::<(), _>(Error::from(ErrorKind::ConnectionRefused));
//!
//! let first = policy.context().sleep_handler(|_, _| SleepDecision::Defer).execute(mail);
//! let token = first.resume_token().expect("deferred").to_string();
//! assert_eq!(first.next_delay(), Some(Duration::from_secs(60)));
//!
//! // A minute later, in any process that has the policy:
//! let second = policy.resume_or_fresh(Some(&token)).sleep_handler(|_, _| SleepDecision::Defer).execute(mail);
//! assert_eq!(second.attempts(), 2);
//! # Ok::<(), redress::ConfigError>(())
//! ```
//!
//! # What goes on
//!
//! The attempts, the failures of each class, the previous delay and the time that the call has
//! used. So all deliveries of one call together make at most
//! [`max_attempts`](crate::policy::RetryBuilder::max_attempts) attempts, and attempts are numbered
//! through. The budget token of a deferred retry stays taken, and the resumed call takes none for
//! its first attempt. The breaker decides again: a permit does not travel.
//!
//! A token is plain data from outside. Numbers beyond the policy's limits only end the call
//! sooner. Two deliveries of one token are two calls.

mod text;
mod token;

mod calls;

pub(crate) use calls::Resumed;
pub use text::ResumeTokenError;
pub use token::ResumeToken;
