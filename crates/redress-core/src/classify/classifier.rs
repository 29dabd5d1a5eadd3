//! The seam between the caller's types and the engine: `&Result<T, E>` in, a [`Classification`]
//! out.
//!
//! Owns the trait, the ways to build a classifier from closures, and their composition. Knows no
//! protocol; the table that reads errors it has never seen is in `default_classifier.rs`.

use std::fmt;
use std::sync::Arc;

use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;

/// Says what an attempt's result means.
///
/// `None` has two readings, and both are the plain ones: for an `Ok` it means *success*; for an
/// `Err` it means *no opinion*, so the next classifier of an [`OrElse`] chain is asked, and an
/// `Err` that nobody claims is a failure of class [`Unknown`](ErrorClass::Unknown). A bad `Ok` and
/// an `Err` take the same road: `Some` makes either a failure.
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
/// To look at errors alone use [`error_classifier`], at values alone [`result_classifier`], and for
/// a classifier that fits a struct field [`ArcClassifier`] or a type of your own that implements
/// this trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot classify a `Result<{T}, {E}>`",
    label = "this policy's classifier does not read `Result<{T}, {E}>`",
    note = "the default classifier reads every error that implements `std::error::Error + 'static`; for boxed errors \
            (`Box<dyn Error + Send + Sync>`, `anyhow::Error`) set `.classifier(boxed_classifier())`",
    note = "for a type of your own, set `.classifier(error_classifier(|error: &{E}| ErrorClass::Transient))`, or a \
            closure `|result: &Result<{T}, {E}>| -> Option<ErrorClass>`"
)]
pub trait Classifier<T, E> {
    /// What this attempt's result means; see the [trait](Classifier) for `None`.
    fn classify(&self, result: &Result<T, E>) -> Option<Classification>;

    /// What an attempt that ran into its timeout means. `None` is no opinion; if nobody has one it
    /// is [`Transient`](ErrorClass::Transient).
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

/// Two classifiers, asked in turn: `second` is asked where `first` has no opinion, that is where it
/// answers `None` or [`Unknown`](ErrorClass::Unknown). An answer of `Unknown` stands if `second`
/// has none either.
///
/// Every classifier type of redress has a method `or_else` that makes one; closures and your own
/// types go through [`OrElse::new`].
#[derive(Clone, Copy, Debug)]
pub struct OrElse<A, B> {
    first: A,
    second: B,
}

impl<A, B> OrElse<A, B> {
    /// Asks `first`, then `second`.
    pub const fn new(first: A, second: B) -> Self {
        Self { first, second }
    }

    /// Asks `other` where neither of these two has an opinion.
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

/// A classifier that looks at errors alone: every `Ok` is a success. Made by [`error_classifier`].
#[derive(Clone, Copy)]
pub struct ErrorClassifier<F>(F);

/// Classifies errors with `classify`, which answers an [`ErrorClass`] or a [`Classification`];
/// every `Ok` is a success.
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
    /// Asks `other` where this one answers [`Unknown`](ErrorClass::Unknown), and about every `Ok`.
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

/// A classifier that looks at values alone: it has no opinion about errors. Made by
/// [`result_classifier`].
#[derive(Clone, Copy)]
pub struct ResultClassifier<F>(F);

/// Classifies returned values with `classify`: `None` is a success, an [`ErrorClass`] or a
/// [`Classification`] makes the value a failure. It has no opinion about errors, so chain it with a
/// classifier that has.
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
    /// Asks `other` about every error, and about the values this one finds good.
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

/// A shared classifier of one `T` and `E` whose type can be written down, for policies in struct
/// fields: `Policy<ArcClassifier<Page, ClientError>>`.
pub struct ArcClassifier<T, E>(Arc<dyn Classifier<T, E> + Send + Sync>);

impl<T, E> ArcClassifier<T, E> {
    /// Shares `classifier`.
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
