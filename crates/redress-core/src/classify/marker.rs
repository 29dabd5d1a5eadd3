//! Marker errors: four error types that stand for a class. The default classifier knows them.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::classify::own_classifier::Classify;

// Four types that differ only in name and class.
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
            /// Creates an error with this message.
            #[must_use]
            pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
                Self { message: message.into(), retry_after: None, source: None }
            }

            /// Sets how long to wait before the next attempt. Default: no hint.
            #[must_use]
            pub const fn with_retry_after(mut self, retry_after: Duration) -> Self {
                self.retry_after = Some(retry_after);
                self
            }

            /// Sets the [source](Error::source) of this error.
            #[must_use]
            pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
                self.source = Some(source.into());
                self
            }
        }

        /// What the default classifier says too.
        impl Classify for $name {
            fn classification(&self) -> Classification {
                Classification::new(ErrorClass::$class).with_retry_after(self.retry_after)
            }
        }
    };
}

marker! {
    /// A failure that another attempt would not change: class [`Permanent`](ErrorClass::Permanent).
    PermanentError => Permanent
}

marker! {
    /// A rate limit was reached: class [`RateLimit`](ErrorClass::RateLimit).
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::{Classify, ErrorClass};
    /// use redress::error::RateLimitError;
    ///
    /// let limited = RateLimitError::new("120 requests per minute").with_retry_after(Duration::from_secs(7));
    /// assert_eq!(limited.classification().class(), ErrorClass::RateLimit);
    /// ```
    RateLimitError => RateLimit
}

marker! {
    /// A concurrent modification: class [`Concurrency`](ErrorClass::Concurrency).
    ConcurrencyError => Concurrency
}

marker! {
    /// The dependency failed: class [`ServerError`](ErrorClass::ServerError).
    ServerError => ServerError
}
