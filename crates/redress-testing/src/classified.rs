//! An assertion that a classifier knows every error it is shown, and a list that the compiler keeps
//! complete.

use std::fmt::Debug;

use redress_core::{Classifier, ErrorClass};

/// Asserts that `classifier` knows each of these errors: none is
/// [`Unknown`](ErrorClass::Unknown), and for none it returns `None`.
///
/// For an enum, list its variants with [`every_variant!`](crate::every_variant), which does not
/// compile when one is missing. So a variant that is added later must be listed, and then
/// classified. An enum with `#[derive(Classify)]` needs neither: the derive demands a class.
///
/// ```
/// use std::io;
/// use redress::{ErrorClass, error_classifier};
/// use redress::testing::{assert_classified, every_variant};
///
/// #[derive(Debug)]
/// enum StoreError {
///     Busy,
///     Slow { millis: u64 },
///     Io(io::Error),
/// }
///
/// let classifier = error_classifier(|error: &StoreError| match error {
///     StoreError::Busy => ErrorClass::RateLimit,
///     StoreError::Slow { .. } | StoreError::Io(_) => ErrorClass::Transient,
/// });
/// let reset = io::Error::from(io::ErrorKind::ConnectionReset);
/// assert_classified(&classifier, every_variant![StoreError: Busy, Slow { millis: 7 }, Io(reset)]);
/// ```
///
/// `policy.classifier()` is that of a policy. It must read `Result<(), E>`, as every
/// `error_classifier` does. Of a classifier that reads values too, pass the part that reads errors.
///
/// # Panics
///
/// If an error is not classified. The message lists all of them, as `Debug` prints them.
#[track_caller]
pub fn assert_classified<E: Debug>(classifier: &impl Classifier<(), E>, errors: impl IntoIterator<Item = E>) {
    let results: Vec<Result<(), E>> = errors.into_iter().map(Err).collect();
    let is_known = |result: &&Result<(), E>| {
        let found = classifier.classify(result);
        found.is_some_and(|found| found.is_abort() || found.class() != ErrorClass::Unknown)
    };
    let unknown: Vec<String> = results
        .iter()
        .filter(|result| !is_known(result))
        .filter_map(|result| result.as_ref().err())
        .map(|error| format!("  {error:?}"))
        .collect();
    assert!(unknown.is_empty(), "{} of {} errors have no class:\n{}", unknown.len(), results.len(), unknown.join("\n"));
}

/// An array with a value for every variant of an enum. A variant that is missing is a compile
/// error, so a test over the list covers a variant that is added later.
///
/// Write the type, and then the variants without it. A variant may be listed several times.
///
/// ```
/// use redress::testing::every_variant;
///
/// #[derive(Debug, PartialEq)]
/// enum Answer { Yes, No(String), Later { days: u8 } }
///
/// let all = every_variant![Answer: Yes, No("never".into()), Later { days: 3 }, Later { days: 0 }];
/// assert_eq!(all.len(), 4);
/// assert_eq!(all[0], Answer::Yes);
/// ```
///
/// An enum of another crate that is `#[non_exhaustive]` cannot be listed: no list of its variants
/// stays complete.
///
/// ```compile_fail,E0004
/// # use redress::testing::every_variant;
/// # enum Answer { Yes, No(String) }
/// let all = every_variant![Answer: Yes];
/// ```
#[macro_export]
macro_rules! every_variant {
    ($of:ty: $($variant:ident $(($($value:expr),* $(,)?))? $({$($field:ident $(: $content:expr)?),* $(,)?})?),+ $(,)?) => {{
        type EveryVariantOf = $of;
        // Never called. Its `match` is what the compiler checks.
        fn _is_complete(value: &EveryVariantOf) {
            match value {
                $(EveryVariantOf::$variant { .. } => {})+
            }
        }
        [$(EveryVariantOf::$variant $(($($value),*))? $({$($field $(: $content)?),*})?),+]
    }};
}
