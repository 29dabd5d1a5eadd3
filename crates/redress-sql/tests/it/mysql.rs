//! The errors of mysql_async.

use std::error::Error as StdError;
use std::io;

use mysql_async::{DriverError, Error, IoError, LocalInfileError, ServerError, UrlError};
use redress::error::AbortRetryError;
use redress::integration::sql::mysql_classifier;
use redress::{Classifier as _, ErrorClass};

use crate::support::{Booking, Seen, Transparent, seen};

fn of<E: StdError + 'static>(error: E) -> Seen {
    seen(&mysql_classifier().classify(&Err::<(), E>(error)).expect("a failure"))
}

fn server(code: u16, state: &str) -> ServerError {
    ServerError { code, state: state.to_owned(), message: "?".to_owned() }
}

#[test]
fn an_answer_of_the_server_is_classified_by_number_then_by_state() {
    assert_eq!(of(Error::from(server(1205, "HY000"))), Seen::plain(ErrorClass::Concurrency));
    assert_eq!(of(Error::from(server(1969, "70100"))), Seen::timeout(ErrorClass::Transient));
    assert_eq!(of(Error::from(server(1040, "HY000"))), Seen::unsent(ErrorClass::Transient));
    assert_eq!(of(Error::from(server(1060, "42S21"))), Seen::plain(ErrorClass::Permanent));
    let failure = mysql_classifier().classify_error(&Error::from(server(1213, "40001")));
    assert_eq!(failure.details().collect::<Vec<_>>(), [("mysql", "1213"), ("sqlstate", "40001")]);
}

#[test]
fn a_connection_is_judged_by_its_io_error() {
    let io = |kind: io::ErrorKind| of(Error::from(io::Error::from(kind)));
    assert_eq!(io(io::ErrorKind::ConnectionRefused), Seen::unsent(ErrorClass::Transient));
    assert_eq!(io(io::ErrorKind::AddrNotAvailable), Seen::unsent(ErrorClass::Transient));
    assert_eq!(io(io::ErrorKind::ConnectionReset), Seen::plain(ErrorClass::Transient));
    // The socket of a local server that restarts.
    assert_eq!(io(io::ErrorKind::NotFound), Seen::plain(ErrorClass::Transient));
    assert_eq!(io(io::ErrorKind::PermissionDenied), Seen::plain(ErrorClass::Permission));
    assert_eq!(of(Error::from(io::Error::other("?"))), Seen::plain(ErrorClass::Transient));
    let refused = Error::from(io::Error::from(io::ErrorKind::ConnectionRefused));
    assert_eq!(mysql_classifier().classify_error(&refused).detail("io"), Some("ConnectionRefused"));
    let not_found = Error::from(io::Error::from(io::ErrorKind::NotFound));
    assert_eq!(mysql_classifier().classify_error(&not_found).detail("io"), Some("NotFound"));

    #[derive(Debug, thiserror::Error)]
    #[error("a packet is too large")]
    struct PacketTooLarge;
    assert_eq!(of(Error::from(io::Error::other(PacketTooLarge))), Seen::plain(ErrorClass::Permanent));
}

#[test]
fn every_error_of_the_driver_is_placed() {
    let driver = |error: DriverError| of(Error::from(error));
    assert_eq!(driver(DriverError::ConnectionClosed), Seen::plain(ErrorClass::Transient));
    let broken_answers = [
        DriverError::PacketOutOfOrder,
        DriverError::UnexpectedPacket { payload: Vec::new() },
        DriverError::BadCompressedPacketHeader,
        DriverError::CantParseServerVersion { version_string: String::new() },
        DriverError::InvalidParsecSalt,
    ];
    for error in broken_answers {
        assert_eq!(driver(error), Seen::plain(ErrorClass::ServerError));
    }
    let logins = [
        DriverError::UnknownAuthPlugin { name: "ldap".to_owned() },
        DriverError::MysqlOldPasswordDisabled,
        DriverError::CleartextPluginDisabled,
    ];
    for error in logins {
        assert_eq!(driver(error), Seen::unsent(ErrorClass::Auth));
    }
    for error in [DriverError::PoolDisconnected, DriverError::NoClientSslFlagFromServer] {
        assert_eq!(driver(error), Seen::unsent(ErrorClass::Permanent));
    }
    for error in [
        LocalInfileError::ReadError(io::ErrorKind::ConnectionReset.into()),
        LocalInfileError::other(io::Error::other("?")),
    ] {
        assert_eq!(of(Error::from(error)), Seen::plain(ErrorClass::Unknown));
    }
    let mistakes = [
        DriverError::MixedParams,
        DriverError::NestedTransaction,
        DriverError::PacketTooLarge,
        DriverError::NoKeyFound,
        DriverError::StmtParamsMismatch { required: 1, supplied: 2 },
        DriverError::LocalInfile(LocalInfileError::NoHandler),
    ];
    for error in mistakes {
        assert_eq!(driver(error), Seen::plain(ErrorClass::Permanent));
    }
    assert_eq!(of(Error::from(UrlError::Invalid)), Seen::unsent(ErrorClass::Permanent));
}

#[test]
fn an_error_is_found_below_wrappers() {
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    assert_eq!(of(Booking(Error::from(server(1205, "HY000")))), Seen::plain(ErrorClass::Concurrency));
    assert_eq!(of(Transparent(Error::from(server(1205, "HY000")))), Seen::plain(ErrorClass::Concurrency));
    assert_eq!(of(Transparent(Error::from(DriverError::PoolDisconnected))), Seen::unsent(ErrorClass::Permanent));
    assert_eq!(of(Transparent(Error::from(UrlError::Invalid))), Seen::unsent(ErrorClass::Permanent));
    assert_eq!(of(Transparent(Error::from(IoError::Io(refused())))), Seen::unsent(ErrorClass::Transient));
    assert_eq!(of(Error::Other(Box::new(Error::from(server(1213, "40001"))))), Seen::plain(ErrorClass::Concurrency));
    assert_eq!(of(refused()), Seen::plain(ErrorClass::Transient));
    let aborted = Error::Other(Box::new(AbortRetryError::new("stop")));
    assert!(mysql_classifier().classify_error(&aborted).is_abort());
    let stopped = Error::from(io::Error::other(AbortRetryError::new("stop")));
    assert!(mysql_classifier().classify_error(&stopped).is_abort());
}

#[test]
fn a_success_is_none_and_a_fallback_is_called() {
    let classifier = mysql_classifier().or_else(|_: &Result<(), Error>| Some(ErrorClass::ServerError));
    assert!(mysql_classifier().classify(&Ok::<(), Error>(())).is_none());
    let read_only = classifier.classify(&Err(server(1290, "HY000").into())).expect("a failure");
    assert_eq!(read_only.class(), ErrorClass::ServerError);
}
