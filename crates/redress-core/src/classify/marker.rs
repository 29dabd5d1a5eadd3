//! Marker errors: error types whose class is their meaning.
//!
//! Owns the four markers. Does not decide what becomes of them: the default classifier reads them.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;

// Four types that differ in name and class alone.
macro_rules! marker {
    ($(#[$doc:meta])* $name:ident => $class:ident) => {
        $(#[$doc])*
        ///
        /// The default classifier finds it anywhere in a [source
        /// chain](crate::classify::source_chain), also behind an `Arc` or `Box`, but not where
        /// `#[error(transparent)]` hides it: see
        /// [`DefaultClassifier`](crate::classify::DefaultClassifier#errors-inside-errors).
        #[derive(Debug, thiserror::Error)]
        #[error("{message}")]
        pub struct $name {
            message: Cow<'static, str>,
            retry_after: Option<Duration>,
            source: Option<Box<dyn Error + Send + Sync>>,
        }

        impl $name {
            /// A marker with this message.
            #[must_use]
            pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
                Self { message: message.into(), retry_after: None, source: None }
            }

            /// Adds how long to wait before the next attempt.
            #[must_use]
            pub const fn with_retry_after(mut self, retry_after: Duration) -> Self {
                self.retry_after = Some(retry_after);
                self
            }

            /// Adds the error behind this one.
            #[must_use]
            pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
                self.source = Some(source.into());
                self
            }

            /// What the default classifier makes of it.
            pub fn classification(&self) -> Classification {
                Classification::new(ErrorClass::$class).with_retry_after(self.retry_after)
            }
        }
    };
}

marker! {
    /// Says that trying again is pointless: class [`Permanent`](ErrorClass::Permanent).
    PermanentError => Permanent
}

marker! {
    /// Says that a limit was reached: class [`RateLimit`](ErrorClass::RateLimit).
    RateLimitError => RateLimit
}

marker! {
    /// Says that two writers met: class [`Concurrency`](ErrorClass::Concurrency).
    ConcurrencyError => Concurrency
}

marker! {
    /// Says that the other side failed: class [`ServerError`](ErrorClass::ServerError).
    ServerError => ServerError
}
