//! The `Classify` trait, for errors that know their classification, and the classifier that reads
//! it.

use std::error::Error;
use std::io;
use std::sync::Arc;

use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::classify::classifier::{Classifier, OrElse};
use crate::classify::default_classifier::default_classifier;
use crate::classify::evidence::Evidence;
use crate::classify::status::StatusError;
use crate::outcome::abort_error::AbortRetryError;

/// An error that knows its classification. A policy with the [`own_classifier`] acts on it.
///
/// Derive it with the feature `macros`, which demands an answer for every variant, or implement it
/// with a `match` without a wildcard. Either way, a new variant without a class does not compile.
///
/// ```
/// use redress::{Classification, Classify, ErrorClass, Policy, StopReason};
/// use redress::classify::own_classifier;
///
/// #[derive(Debug)]
/// enum StoreError {
///     Busy,
///     NoRow,
/// }
///
/// impl Classify for StoreError {
///     fn classification(&self) -> Classification {
///         match self {
///             Self::Busy => ErrorClass::RateLimit.into(),
///             Self::NoRow => ErrorClass::Permanent.into(),
///         }
///     }
/// }
///
/// let policy = Policy::builder().classifier(own_classifier()).build()?;
/// let outcome = policy.execute(|| Err::<u32, _>(StoreError::NoRow));
/// assert_eq!(outcome.last_class(), Some(ErrorClass::Permanent));
/// # Ok::<(), redress::ConfigError>(())
/// ```
///
/// # Errors inside errors
///
/// These types implement it, so an error can forward to one that it holds:
///
/// - the markers and the other errors of [`error`](mod@crate::error) that operations return;
/// - [`io::Error`], and `dyn Error` with or without `Send` and `Sync`: the [default
///   classifier](default_classifier) decides;
/// - `Box<E>`, `Arc<E>` and `&E` of a type that implements it, `Box<dyn Error>` among them.
///
/// The default classifier does not know this trait: it reads an error through `dyn Error`, which
/// does not show what else a type implements.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not know its classification",
    label = "does not implement `Classify`",
    note = "for a type of your own, write `#[derive(Classify)]`, or implement `Classify`",
    note = "in a `#[derive(Classify)]`, `#[classify(default_classifier)]` classifies an error of another crate with the default \
            classifier, and `#[classify(with = function)]` with a function"
)]
pub trait Classify {
    /// The classification of this error.
    fn classification(&self) -> Classification;
}

/// The classifier that reads each error's own [`classification`](Classify::classification). Every
/// `Ok` is a success. Returned by [`own_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnClassifier(());

/// Classifies every error that implements [`Classify`]; see there.
#[must_use]
pub const fn own_classifier() -> OwnClassifier {
    OwnClassifier(())
}

impl OwnClassifier {
    /// Calls `other` where the error says [`Unknown`](ErrorClass::Unknown), and for every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Classify> Classifier<T, E> for OwnClassifier {
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        result.as_ref().err().map(Classify::classification)
    }
}

/// Ends the call: [`Classification::abort`].
impl Classify for AbortRetryError {
    fn classification(&self) -> Classification {
        Classification::abort()
    }
}

/// By status: [`ErrorClass::from_status`], and [`Unknown`](ErrorClass::Unknown) for a status
/// outside 400 to 599.
impl Classify for StatusError {
    fn classification(&self) -> Classification {
        let class = ErrorClass::from_status(self.status()).unwrap_or(ErrorClass::Unknown);
        let found = Classification::new(class).with_retry_after(self.retry_after());
        found.decided_by(Evidence::Status(self.status()))
    }
}

/// By the default classifier, which also finds an error inside.
impl Classify for io::Error {
    fn classification(&self) -> Classification {
        default_classifier().classify_error(self)
    }
}

macro_rules! by_default_classifier {
    ($($error:ty),+) => {$(
        /// By the default classifier.
        impl Classify for $error {
            fn classification(&self) -> Classification {
                default_classifier().classify_error(self)
            }
        }
    )+};
}

by_default_classifier!(dyn Error, dyn Error + Send, dyn Error + Send + Sync);

macro_rules! through_pointer {
    ($($pointer:ty),+) => {$(
        impl<E: Classify + ?Sized> Classify for $pointer {
            fn classification(&self) -> Classification {
                (**self).classification()
            }
        }
    )+};
}

through_pointer!(&E, Box<E>, Arc<E>);
