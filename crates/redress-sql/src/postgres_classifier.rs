//! The classifier for the errors of tokio-postgres.

use std::error::Error;
use std::io;

use redress_core::classify::{OrElse, default_classifier};
use redress_core::{Classification, Classifier, ErrorClass};
use tokio_postgres::error::DbError;

use crate::classifier::{classify_chain, found};
use crate::connection::{of_io_source, of_setup, printed};
use crate::sqlstate;

/// Classifies the errors of tokio-postgres, found anywhere in a source chain; every `Ok` is a
/// success. Made by [`postgres_classifier`].
///
/// | error | class | certainly [not sent](Classification::is_unsent) |
/// |---|---|---|
/// | the server's answer, with a SQLSTATE | that of [`sqlstate`] | 08001, 08004, 53300, 57P03 |
/// | "error connecting to server" | by the kind of the `io::Error`, else `Transient`; `Transient` too if no server has the `target_session_attrs` | yes |
/// | "error communicating with the server" | by the kind of the `io::Error`, else `Transient` | if refused, or the name is unknown |
/// | "connection closed" | `Transient` | |
/// | "timeout waiting for server" | `Transient`, with the cause [`Timeout`](redress_core::Cause::Timeout) | |
/// | TLS cannot be set up | `Permanent`, unless an `io::Error` says otherwise | yes |
/// | "authentication error" | `Auth` | yes |
/// | a configuration or a connection string that is wrong | `Permanent` | yes |
/// | a parameter, a column or a number of rows that does not fit | `Permanent` | |
/// | an unexpected message, or one that cannot be parsed | `ServerError` | |
/// | no error of tokio-postgres in the chain | the guess of the [default classifier](default_classifier) | |
///
/// An [`AbortRetryError`](redress_core::error::AbortRetryError) anywhere in the chain ends the
/// call. A failure of COMMIT is retried only if it has no effect, see [`CommitError`].
///
/// When the server ends a connection, as with 57P01, its message goes to the `Connection` that the
/// application spawned, and the statement fails with "connection closed", which does not tell
/// whether it was sent. That error has no source, so nothing of it is left in the chain of an error
/// that wraps it transparently, as `#[error(transparent)]` does: the call then ends as `Unknown`.
/// Wrap it with `#[source]` or `#[from]` and a text, and it is found.
///
/// The details are `sqlstate`, or `io` with the kind of an `io::Error`. No statement and no message
/// becomes a detail.
///
/// [`CommitError`]: crate::CommitError
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresClassifier;

/// Creates a classifier of the errors of tokio-postgres, and so of postgres. See
/// [`PostgresClassifier`].
///
/// ```no_run
/// # async fn example(client: &mut tokio_postgres::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use redress::Retry;
/// use redress::integration::sql::postgres_classifier;
/// use redress::runtime::tokio::AsyncPolicy;
///
/// let policy = AsyncPolicy::builder().classifier(postgres_classifier()).retry(Retry::default()).build()?;
/// let row = policy.call(async || client.query_one("SELECT count(*) FROM orders", &[]).await).await?;
/// # drop(row);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub const fn postgres_classifier() -> PostgresClassifier {
    PostgresClassifier
}

impl PostgresClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise, and
    /// every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }

    /// Classifies a borrowed error.
    pub fn classify_error(&self, error: &(dyn Error + 'static)) -> Classification {
        classify_chain(error, of_postgres, default_classifier())
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Error + 'static> Classifier<T, E> for PostgresClassifier {
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        match result {
            Ok(_) => None,
            Err(error) => Some(self.classify_error(error)),
        }
    }
}

fn of_postgres(error: &(dyn Error + 'static)) -> Option<Classification> {
    if let Some(error) = found::<tokio_postgres::Error>(error) {
        return Some(of_error(error));
    }
    // The source of a transparent wrapper.
    found::<DbError>(error).map(|error| sqlstate::classify(error.code().code()))
}

fn of_error(error: &tokio_postgres::Error) -> Classification {
    match error.code() {
        Some(state) => sqlstate::classify(state.code()),
        None => of_kind(error, &kind(error)),
    }
}

/// Places an error by its kind, which is private and known by what it prints.
fn of_kind(error: &tokio_postgres::Error, kind: &str) -> Classification {
    match kind {
        "Closed" => ErrorClass::Transient.into(),
        "Io" => of_io_source(error),
        "Connect" => of_connect(error).unsent(),
        "Timeout" => Classification::new(ErrorClass::Transient).timed_out(),
        "Tls" => of_setup(error),
        "Authentication" => Classification::new(ErrorClass::Auth).unsent(),
        "Config" | "ConfigParse" => Classification::new(ErrorClass::Permanent).unsent(),
        "UnexpectedMessage" | "Parse" => ErrorClass::ServerError.into(),
        "ToSql" | "FromSql" | "Column" | "ColumnCount" | "Parameters" | "Encode" | "RowCount" => {
            ErrorClass::Permanent.into()
        }
        _ => default_classifier().classify_error(error),
    }
}

fn of_connect(error: &tokio_postgres::Error) -> Classification {
    match error.source().and_then(|source| source.downcast_ref()) {
        Some(error) if is_of_attributes(error) => ErrorClass::Transient.into(),
        _ => of_io_source(error),
    }
}

/// Whether the server has other `target_session_attrs` than wanted, as all have while a failover
/// runs. It is reported as `PermissionDenied` without an error of the operating system.
fn is_of_attributes(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

/// The name of the kind in `Error { kind: Connect, ..`.
fn kind(error: &tokio_postgres::Error) -> String {
    let printed = printed(error);
    let name = printed.strip_prefix("Error { kind: ").unwrap_or_default();
    name.chars().take_while(char::is_ascii_alphabetic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A privileged user, as which tests may run, is refused no socket.
    #[test]
    fn a_socket_that_the_system_refuses_is_not_one_of_a_server_in_failover() {
        // EACCES and ECONNREFUSED of Unix.
        for code in [13, 111] {
            assert!(!is_of_attributes(&io::Error::from_raw_os_error(code)));
        }
        assert!(is_of_attributes(&io::ErrorKind::PermissionDenied.into()));
        assert!(!is_of_attributes(&io::ErrorKind::ConnectionRefused.into()));
    }
}
