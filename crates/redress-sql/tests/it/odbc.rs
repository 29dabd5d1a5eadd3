//! The errors of odbc-api, made by hand: no call of ODBC is needed.

use std::io;

use odbc_api::Error;
use odbc_api::handles::{Record, SqlChar, State};
use redress::{Classifier as _, ErrorClass};
use redress_sql::{CommitError, odbc_classifier};

use crate::support::{Booking, Seen, seen};

fn record(state: &str, native_error: i32, message: &str) -> Record {
    let state = State(state.as_bytes().try_into().expect("five characters"));
    let message = message.bytes().map(|byte| byte as SqlChar).collect();
    Record { state, native_error, message }
}

fn diagnostics(state: &str, native_error: i32, message: &str, function: &'static str) -> Error {
    Error::Diagnostics { record: record(state, native_error, message), function }
}

fn of<E: std::error::Error + 'static>(error: E) -> Seen {
    seen(&odbc_classifier().classify(&Err::<(), E>(error)).expect("a failure"))
}

#[test]
fn a_record_is_classified_by_number_then_by_state() {
    let locked = diagnostics("HY000", 5, "[SQLite]database is locked (5)", "SQLExecDirect");
    assert_eq!(odbc_classifier().classify_error(&locked).detail("sqlite"), Some("5"));
    assert_eq!(of(Booking(locked)), Seen::plain(ErrorClass::Concurrency));
    assert_eq!(of(diagnostics("40001", 7, "[unixODBC]ERROR: ..", "SQLExecute")), Seen::plain(ErrorClass::Concurrency));
    assert_eq!(of(diagnostics("08S01", 26, "", "SQLExecDirect")), Seen::plain(ErrorClass::Transient));
    assert_eq!(of(diagnostics("HYT00", 0, "", "SQLExecDirect")), Seen::timeout(ErrorClass::Transient));
    let lost = CommitError::new(diagnostics("08S01", 26, "", "SQLEndTran"));
    assert_eq!(of(lost), Seen::forbidden(ErrorClass::Transient));
    let not_ascii =
        Error::Diagnostics { record: Record { state: State([0xff; 5]), ..Record::default() }, function: "?" };
    assert_eq!(of(not_ascii), Seen::plain(ErrorClass::Unknown));
}

#[test]
fn a_connection_that_is_not_made_is_certainly_not_sent() {
    for function in ["SQLConnect", "SQLConnectW", "SQLDriverConnect", "SQLDriverConnectW"] {
        assert_eq!(of(diagnostics("08S01", 101, "", function)), Seen::unsent(ErrorClass::Transient), "{function}");
    }
    assert_eq!(of(diagnostics("28000", 0, "", "SQLDriverConnect")), Seen::unsent(ErrorClass::Auth));
}

#[test]
fn every_other_error_is_placed() {
    let rows = [
        (Error::NoDiagnostics { function: "SQLExecDirect" }, Seen::plain(ErrorClass::Unknown)),
        (Error::FailedReadingInput(io::ErrorKind::ConnectionReset.into()), Seen::plain(ErrorClass::Unknown)),
        (Error::FailedAllocatingEnvironment, Seen::unsent(ErrorClass::ServerError)),
        (
            Error::TooLargeColumnBufferSize { buffer_index: 0, num_elements: 1, element_size: 1 },
            Seen::unsent(ErrorClass::ServerError),
        ),
        (Error::FailedSettingConnectionPooling, Seen::unsent(ErrorClass::Permanent)),
        (Error::AbortedConnectionStringCompletion, Seen::unsent(ErrorClass::Permanent)),
        (Error::UnsupportedOdbcApiVersion(Record::default()), Seen::unsent(ErrorClass::Permanent)),
        (Error::InvalidRowArraySize { record: Record::default(), size: 1 }, Seen::plain(ErrorClass::Permanent)),
        (Error::UnableToRepresentNull(Record::default()), Seen::plain(ErrorClass::Permanent)),
        (Error::OracleOdbcDriverDoesNotSupport64Bit(Record::default()), Seen::plain(ErrorClass::Permanent)),
        (Error::TooLargeValueForBuffer { indicator: None, buffer_index: 0 }, Seen::plain(ErrorClass::Permanent)),
    ];
    for (error, expected) in rows {
        let printed = error.to_string();
        assert_eq!(of(error), expected, "{printed}");
    }
}

#[test]
fn without_an_error_of_odbc_names_are_not_guessed_from() {
    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct LoginTimeout;

    assert_eq!(of(LoginTimeout), Seen::plain(ErrorClass::Unknown));
    assert_eq!(of(io::Error::from(io::ErrorKind::ConnectionReset)), Seen::plain(ErrorClass::Transient));
    assert!(odbc_classifier().classify(&Ok::<(), Error>(())).is_none());
    let classifier = odbc_classifier().or_else(|_: &Result<(), LoginTimeout>| Some(ErrorClass::Transient));
    assert_eq!(classifier.classify(&Err(LoginTimeout)).expect("a failure").class(), ErrorClass::Transient);
}
