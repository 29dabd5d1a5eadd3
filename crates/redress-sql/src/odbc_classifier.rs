//! The classifier for the errors of odbc-api.

use std::error::Error;

use odbc_api::handles::{Record, SqlChar};
use redress_core::classify::{OrElse, strict_classifier};
use redress_core::{Classification, Classifier, ErrorClass};

use crate::classifier::{classify_chain, found};
use crate::odbc;

/// Classifies the errors of odbc-api, found anywhere in a source chain; every `Ok` is a success.
/// Made by [`odbc_classifier`].
///
/// | error | class | certainly [not sent](Classification::is_unsent) |
/// |---|---|---|
/// | `Diagnostics` | that of [`odbc`], by native number, then by SQLSTATE | as there, and if the function connects |
/// | `NoDiagnostics` | `Unknown` | |
/// | `FailedAllocatingEnvironment`, `TooLargeColumnBufferSize` | `ServerError` | yes |
/// | `FailedReadingInput`: the statement's own input could not be read | `Unknown` | |
/// | `UnsupportedOdbcApiVersion`, `FailedSettingConnectionPooling`, `AbortedConnectionStringCompletion` | `Permanent` | yes |
/// | `InvalidRowArraySize`, `UnableToRepresentNull`, `OracleOdbcDriverDoesNotSupport64Bit`, `TooLargeValueForBuffer` | `Permanent` | |
/// | no error of odbc-api in the chain | that of the [strict classifier](strict_classifier) | |
///
/// An [`AbortRetryError`](redress_core::error::AbortRetryError) anywhere in the chain ends the
/// call. A failure of COMMIT is retried only if it has no effect, see
/// [`CommitError`](crate::CommitError).
///
/// The details are `sqlstate` and `mssql`, `mysql` or `sqlite` with the native number. Of a message
/// only the names in brackets at its beginning are read.
///
/// An error of odbc-api has no source, so one inside thiserror's `#[error(transparent)]` is not
/// found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OdbcClassifier;

/// Creates a classifier of the errors of odbc-api. See [`OdbcClassifier`].
///
/// ```no_run
/// # fn example(environment: &odbc_api::Environment) -> Result<(), Box<dyn std::error::Error>> {
/// use odbc_api::ConnectionOptions;
/// use redress::{Policy, Retry};
/// use redress_sql::odbc_classifier;
///
/// let policy = Policy::builder().classifier(odbc_classifier()).retry(Retry::default()).build()?;
/// let connection = policy.call(|| environment.connect("orders", "user", "password", ConnectionOptions::default()))?;
/// # drop(connection);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub const fn odbc_classifier() -> OdbcClassifier {
    OdbcClassifier
}

impl OdbcClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise, and
    /// every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }

    /// Classifies a borrowed error.
    pub fn classify_error(&self, error: &(dyn Error + 'static)) -> Classification {
        classify_chain(error, |error| found(error).map(of_error), strict_classifier())
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Error + 'static> Classifier<T, E> for OdbcClassifier {
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        match result {
            Ok(_) => None,
            Err(error) => Some(self.classify_error(error)),
        }
    }
}

fn of_error(error: &odbc_api::Error) -> Classification {
    use odbc_api::Error as Odbc;
    match error {
        Odbc::Diagnostics { record, function } => of_record(record, function),
        Odbc::NoDiagnostics { .. } | Odbc::FailedReadingInput(_) => ErrorClass::Unknown.into(),
        Odbc::FailedAllocatingEnvironment | Odbc::TooLargeColumnBufferSize { .. } => {
            Classification::new(ErrorClass::ServerError).unsent()
        }
        Odbc::UnsupportedOdbcApiVersion(_)
        | Odbc::FailedSettingConnectionPooling
        | Odbc::AbortedConnectionStringCompletion => Classification::new(ErrorClass::Permanent).unsent(),
        _ => ErrorClass::Permanent.into(),
    }
}

fn of_record(record: &Record, function: &str) -> Classification {
    let state = std::str::from_utf8(&record.state.0).unwrap_or_default();
    let failure = odbc::classify(state, record.native_error, &names(&record.message));
    let is_connecting = ["SQLConnect", "SQLDriverConnect"].iter().any(|connect| function.starts_with(connect));
    if is_connecting { failure.unsent() } else { failure }
}

/// The names in brackets at the beginning of a message, in ASCII.
fn names(message: &[SqlChar]) -> String {
    let text = message.iter().map(|&unit| char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
    // Bounds the copy; the names are short.
    text.take(256).collect()
}
