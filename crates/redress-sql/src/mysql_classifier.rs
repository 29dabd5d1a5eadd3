//! The classifier for the errors of mysql_async.

use std::error::Error;

use mysql_async::{DriverError, IoError, LocalInfileError, ServerError, UrlError};
use redress_core::classify::{OrElse, default_classifier};
use redress_core::{Classification, Classifier, ErrorClass};

use crate::classifier::{classify_chain, found};
use crate::connection::{of_io, of_setup, printed};
use crate::mysql;

/// Classifies the errors of mysql_async, found anywhere in a source chain; every `Ok` is a success.
/// Made by [`mysql_classifier`].
///
/// | error | class | certainly [not sent](Classification::is_unsent) |
/// |---|---|---|
/// | `Server` | that of [`mysql`], by number, then by SQLSTATE | as there |
/// | `Io` | by the kind of the `io::Error`, else `Transient` | if refused, or the name is unknown |
/// | `Io` of a packet that is too large | `Permanent` | |
/// | `Io` of TLS | `Permanent`, unless an `io::Error` says otherwise | yes |
/// | `Driver` of a closed connection | `Transient` | |
/// | `Driver` of an answer that is not MySQL's, such as a packet out of order | `ServerError` | |
/// | `Driver` of a login that the driver cannot make | `Auth` | yes |
/// | `Driver` of a disconnected pool | `Permanent` | yes |
/// | `Driver` of a local file that could not be read | `Unknown` | |
/// | any other `Driver` | `Permanent` | |
/// | `Url` | `Permanent` | yes |
/// | `Other` | that of the error inside | |
/// | no error of mysql_async in the chain | the guess of the [default classifier](default_classifier) | |
///
/// An [`AbortRetryError`](redress_core::error::AbortRetryError) anywhere in the chain ends the
/// call. A failure of COMMIT is retried only if it has no effect, see
/// [`CommitError`](crate::CommitError).
///
/// The details are `mysql` and `sqlstate`, or `io` with the kind of an `io::Error`. No statement
/// and no message becomes a detail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MySqlClassifier;

/// Creates a classifier of the errors of mysql_async. See [`MySqlClassifier`].
///
/// ```
/// use mysql_async::ServerError;
/// use redress::{Classifier, ErrorClass};
/// use redress::integration::sql::mysql_classifier;
///
/// let lock_wait = ServerError { code: 1205, message: "Lock wait timeout exceeded".into(), state: "HY000".into() };
/// let failed: Result<(), _> = Err(mysql_async::Error::from(lock_wait));
/// assert_eq!(mysql_classifier().classify(&failed).unwrap().class(), ErrorClass::Concurrency);
/// ```
#[must_use]
pub const fn mysql_classifier() -> MySqlClassifier {
    MySqlClassifier
}

impl MySqlClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise, and
    /// every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }

    /// Classifies a borrowed error.
    pub fn classify_error(&self, error: &(dyn Error + 'static)) -> Classification {
        classify_chain(error, of_mysql, default_classifier())
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Error + 'static> Classifier<T, E> for MySqlClassifier {
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        match result {
            Ok(_) => None,
            Err(error) => Some(self.classify_error(error)),
        }
    }
}

fn of_mysql(error: &(dyn Error + 'static)) -> Option<Classification> {
    if let Some(error) = found::<mysql_async::Error>(error) {
        return match error {
            mysql_async::Error::Server(error) => Some(of_server(error)),
            mysql_async::Error::Io(error) => Some(of_stream(error)),
            mysql_async::Error::Driver(error) => Some(of_driver(error)),
            mysql_async::Error::Url(_) => Some(Classification::new(ErrorClass::Permanent).unsent()),
            mysql_async::Error::Other(_) => None,
        };
    }
    // The sources of a transparent wrapper.
    let server = || found::<ServerError>(error).map(of_server);
    let stream = || found::<IoError>(error).map(of_stream);
    let driver = || found::<DriverError>(error).map(of_driver);
    let url = || found::<UrlError>(error).map(|_| Classification::new(ErrorClass::Permanent).unsent());
    server().or_else(stream).or_else(driver).or_else(url)
}

fn of_server(error: &ServerError) -> Classification {
    mysql::classify(error.code, &error.state)
}

fn of_stream(error: &IoError) -> Classification {
    match error {
        IoError::Io(error) if error.get_ref().is_some_and(|inside| printed(&inside).starts_with("PacketTooLarge")) => {
            ErrorClass::Permanent.into()
        }
        IoError::Io(error) => of_io(error),
        // TLS, if mysql_async has a feature for it.
        #[expect(unreachable_patterns, reason = "the application chooses the features of mysql_async")]
        error => of_setup(error),
    }
}

fn of_driver(error: &DriverError) -> Classification {
    let class = match error {
        DriverError::ConnectionClosed => ErrorClass::Transient,
        DriverError::PacketOutOfOrder
        | DriverError::UnexpectedPacket { .. }
        | DriverError::BadCompressedPacketHeader
        | DriverError::CantParseServerVersion { .. }
        | DriverError::InvalidParsecSalt => ErrorClass::ServerError,
        DriverError::UnknownAuthPlugin { .. }
        | DriverError::MysqlOldPasswordDisabled
        | DriverError::CleartextPluginDisabled => return Classification::new(ErrorClass::Auth).unsent(),
        DriverError::PoolDisconnected | DriverError::NoClientSslFlagFromServer => {
            return Classification::new(ErrorClass::Permanent).unsent();
        }
        DriverError::LocalInfile(LocalInfileError::ReadError(_) | LocalInfileError::OtherError(_)) => {
            ErrorClass::Unknown
        }
        _ => ErrorClass::Permanent,
    };
    class.into()
}
