//! The `Classifier` trait, which turns a `&Result<T, E>` into a [`Classification`], and the
//! classifiers built from closures and from other classifiers. The default one is in
//! `default_classifier.rs`.

use std::fmt;
use std::sync::Arc;

use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;

/// Decides whether an attempt's result is a failure, and of which class.
///
/// `Some` makes the result a failure, an `Ok` as well as an `Err`. `None` for an `Ok` means
/// success. `None` for an `Err` means that the classifier does not know the error: the next
/// classifier of an [`OrElse`] chain is called, and without a next one the failure has the class
/// [`Unknown`](ErrorClass::Unknown).
///
/// Closures that return `Option<Classification>` or `Option<ErrorClass>` are classifiers:
///
/// ```
/// use redress::{Classifier, ErrorClass};
///
/// #[derive(Debug)]
/// enum Store { Busy, Gone }
///
/// let classifier = |result: &Result<u32, Store>| match result {
///     Ok(0) => Some(ErrorClass::Transient), // an empty page is worth another try
///     Ok(_) => None,
///     Err(Store::Busy) => Some(ErrorClass::RateLimit),
///     Err(Store::Gone) => Some(ErrorClass::Permanent),
/// };
/// assert!(classifier.classify(&Ok(7)).is_none());
/// assert_eq!(classifier.classify(&Err(Store::Busy)).unwrap().class(), ErrorClass::RateLimit);
/// ```
///
/// [`classifier`] tells the compiler the type of such a closure's argument, where it is not written
/// out. [`error_classifier`] takes a closure that reads only errors, [`result_classifier`] one that
/// reads only values. For a struct field use [`ArcClassifier`], or implement this trait for a named
/// type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot classify a `Result<{T}, {E}>`",
    label = "this policy's classifier does not read `Result<{T}, {E}>`",
    note = "the default classifier and those for HTTP read every error that implements `std::error::Error + 'static`; for boxed errors \
            (`Box<dyn Error + Send + Sync>`, `anyhow::Error`) set `.classifier(boxed_classifier())`, and for those beside \
            HTTP responses `.classifier(boxed_http_classifier())`",
    note = "for a custom error type, derive or implement `Classify` and set `.classifier(own_classifier())`; or set \
            `.classifier(error_classifier(|error: &{E}| ErrorClass::Transient))`, or \
            `.classifier(classifier(|result: &Result<{T}, {E}>| ..))` with an `Option<ErrorClass>`"
)]
pub trait Classifier<T, E> {
    /// Classifies the result of an attempt; see the [trait](Classifier) for `None`.
    fn classify(&self, result: &Result<T, E>) -> Option<Classification>;

    /// Classifies an attempt that was cut at its timeout. `None` passes it to the next classifier
    /// of an [`OrElse`] chain, and without a next one it is [`Transient`](ErrorClass::Transient).
    /// Default: `None`.
    fn classify_timeout(&self) -> Option<Classification> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<T, E, F, A> Classifier<T, E> for F
where
    F: Fn(&Result<T, E>) -> Option<A>,
    A: Into<Classification>,
{
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        self(result).map(Into::into)
    }
}

/// Calls `first`, then `second` where `first` returns `None` or [`Unknown`](ErrorClass::Unknown).
/// An `Unknown` from `first` stands if `second` returns `None`.
///
/// ```
/// use redress::{Classifier, ErrorClass, default_classifier};
/// use redress::classify::OrElse;
/// use std::io;
///
/// let empty_page = |result: &Result<u32, io::Error>| match result {
///     Ok(0) => Some(ErrorClass::Transient),
///     _ => None,
/// };
/// let classifier = OrElse::new(empty_page, default_classifier());
/// assert_eq!(classifier.classify(&Ok(0)).unwrap().class(), ErrorClass::Transient);
/// let reset = Err(io::Error::from(io::ErrorKind::ConnectionReset));
/// assert_eq!(classifier.classify(&reset).unwrap().class(), ErrorClass::Transient);
/// ```
///
/// The classifier types of redress have a method `or_else` that returns one. For closures and
/// custom types call [`OrElse::new`].
#[derive(Clone, Copy, Debug)]
pub struct OrElse<A, B> {
    first: A,
    second: B,
}

impl<A, B> OrElse<A, B> {
    /// Combines two classifiers; `first` is called first.
    pub const fn new(first: A, second: B) -> Self {
        Self { first, second }
    }

    /// Adds a third classifier, called where both of these return `None` or
    /// [`Unknown`](ErrorClass::Unknown).
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

impl<T, E, A: Classifier<T, E>, B: Classifier<T, E>> Classifier<T, E> for OrElse<A, B> {
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        match self.first.classify(result) {
            Some(known) if known.is_abort() || known.class() != ErrorClass::Unknown => Some(known),
            unsure => self.second.classify(result).or(unsure),
        }
    }

    fn classify_timeout(&self) -> Option<Classification> {
        self.first.classify_timeout().or_else(|| self.second.classify_timeout())
    }
}

/// Returns the closure, which classifies results. The call tells the compiler that its argument is
/// a `&Result<T, E>`: without it, a closure whose argument has no written type does not compile.
///
/// ```
/// use std::io;
/// use redress::{ErrorClass, Policy, classifier};
///
/// let policy = Policy::builder()
///     .classifier(classifier(|result| result.is_err().then_some(ErrorClass::Permanent)))
///     .build()?;
/// let outcome = policy.execute(|| Err::<(), _>(io::Error::other("broken")));
/// assert_eq!(outcome.attempts(), 1);
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub const fn classifier<T, E, A, F>(classify: F) -> F
where
    F: Fn(&Result<T, E>) -> Option<A>,
    A: Into<Classification>,
{
    classify
}

/// A classifier that reads only errors; every `Ok` is a success. Returned by [`error_classifier`].
#[derive(Clone, Copy)]
pub struct ErrorClassifier<F>(F);

/// Classifies errors with `classify`, which returns an [`ErrorClass`] or a [`Classification`].
/// Every `Ok` is a success.
///
/// ```
/// use redress::{Classifier, ErrorClass, error_classifier};
///
/// let classifier = error_classifier(|error: &std::num::ParseIntError| match error.kind() {
///     std::num::IntErrorKind::Empty => ErrorClass::Transient,
///     _ => ErrorClass::Permanent,
/// });
/// assert_eq!(classifier.classify(&"x".parse::<u8>()).unwrap().class(), ErrorClass::Permanent);
/// ```
pub const fn error_classifier<E, A, F>(classify: F) -> ErrorClassifier<F>
where
    F: Fn(&E) -> A,
    A: Into<Classification>,
{
    ErrorClassifier(classify)
}

impl<F> ErrorClassifier<F> {
    /// Calls `other` where this one returns [`Unknown`](ErrorClass::Unknown), and for every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

impl<T, E, A, F> Classifier<T, E> for ErrorClassifier<F>
where
    F: Fn(&E) -> A,
    A: Into<Classification>,
{
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        result.as_ref().err().map(|error| (self.0)(error).into())
    }
}

impl<F> fmt::Debug for ErrorClassifier<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorClassifier").finish_non_exhaustive()
    }
}

/// A classifier that reads only values, and returns `None` for every error. Returned by
/// [`result_classifier`].
#[derive(Clone, Copy)]
pub struct ResultClassifier<F>(F);

/// Classifies returned values with `classify`: `None` is a success, an [`ErrorClass`] or a
/// [`Classification`] makes the value a failure. Returns `None` for errors, so combine it with a
/// classifier that reads them.
///
/// ```
/// use redress::{Classifier, ErrorClass, default_classifier};
/// use redress::classify::result_classifier;
///
/// let classifier = result_classifier(|status: &u16| (*status == 503).then_some(ErrorClass::ServerError))
///     .or_else(default_classifier());
/// let busy: Result<u16, std::io::Error> = Ok(503);
/// assert_eq!(classifier.classify(&busy).unwrap().class(), ErrorClass::ServerError);
/// ```
pub const fn result_classifier<T, A, F>(classify: F) -> ResultClassifier<F>
where
    F: Fn(&T) -> Option<A>,
    A: Into<Classification>,
{
    ResultClassifier(classify)
}

impl<F> ResultClassifier<F> {
    /// Calls `other` for every error, and for the values that this one finds successful.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

impl<T, E, A, F> Classifier<T, E> for ResultClassifier<F>
where
    F: Fn(&T) -> Option<A>,
    A: Into<Classification>,
{
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        result.as_ref().ok().and_then(&self.0).map(Into::into)
    }
}

impl<F> fmt::Debug for ResultClassifier<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultClassifier").finish_non_exhaustive()
    }
}

/// A shared classifier behind a type that can be named, for policies in struct fields:
/// `Policy<ArcClassifier<Page, ClientError>>`.
///
/// ```
/// use redress::{ConfigError, ErrorClass, Policy, error_classifier};
/// use redress::classify::ArcClassifier;
/// use std::io;
///
/// struct Client {
///     policy: Policy<ArcClassifier<String, io::Error>>,
/// }
///
/// impl Client {
///     fn new() -> Result<Self, ConfigError> {
///         let classifier = error_classifier(|_: &io::Error| ErrorClass::Transient);
///         Ok(Self { policy: Policy::builder().classifier(ArcClassifier::new(classifier)).build()? })
///     }
/// }
/// # Client::new().map(|client| drop(client.policy))?;
/// # Ok::<(), ConfigError>(())
/// ```
pub struct ArcClassifier<T, E>(Arc<dyn Classifier<T, E> + Send + Sync>);

impl<T, E> ArcClassifier<T, E> {
    /// Wraps `classifier` in an `Arc`.
    pub fn new(classifier: impl Classifier<T, E> + Send + Sync + 'static) -> Self {
        Self(Arc::new(classifier))
    }
}

impl<T, E> Clone for ArcClassifier<T, E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T, E> fmt::Debug for ArcClassifier<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArcClassifier").finish_non_exhaustive()
    }
}

impl<T, E> Classifier<T, E> for ArcClassifier<T, E> {
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        self.0.classify(result)
    }

    fn classify_timeout(&self) -> Option<Classification> {
        self.0.classify_timeout()
    }
}
