//! The errors of one version of sqlx, whose types the parent module names.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::{fmt, io};

use redress::integration::sql::{CommitError, sqlx_classifier};
use redress::{Classification, Classifier as _, ErrorClass};

use super::{DatabaseError, Error, ErrorKind};
use crate::support::{Booking, Seen, Transparent, seen};

fn of<E: StdError + 'static>(error: E) -> Classification {
    sqlx_classifier().classify(&Err::<(), E>(error)).expect("a failure")
}

/// An error that prints as one of sqlx's drivers does.
struct Driver {
    printed: &'static str,
    code: Option<&'static str>,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.printed)
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl StdError for Driver {}

impl DatabaseError for Driver {
    fn message(&self) -> &str {
        "failed"
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.code.map(Cow::Borrowed)
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

const POSTGRES: &str = "PgDatabaseError { severity: Error, code: \"40001\", message: \"?\" }";
const LOCK_WAIT: &str = "MySqlDatabaseError { code: Some(\"HY000\"), number: 1205, message: \"?\" }";

fn database(printed: &'static str, code: impl Into<Option<&'static str>>) -> Error {
    Error::Database(Box::new(Driver { printed, code: code.into() }))
}

#[test]
fn the_code_of_a_database_is_read_by_the_name_of_its_driver() {
    let rows = [
        (POSTGRES, Some("40001"), Seen::plain(ErrorClass::Concurrency), ("sqlstate", "40001")),
        ("Odbc { .. }", Some("08001"), Seen::unsent(ErrorClass::Transient), ("sqlstate", "08001")),
        (LOCK_WAIT, Some("HY000"), Seen::plain(ErrorClass::Concurrency), ("mysql", "1205")),
        (
            "MySqlDatabaseError { code: None, number: 1040, message: \"?\" }",
            None,
            Seen::unsent(ErrorClass::Transient),
            ("mysql", "1040"),
        ),
        ("SqliteError { code: 5, message: \"?\" }", Some("5"), Seen::plain(ErrorClass::Concurrency), ("sqlite", "5")),
        (
            "SqliteError { code: 2067, message: \"?\" }",
            Some("2067"),
            Seen::plain(ErrorClass::Permanent),
            ("sqlite", "2067"),
        ),
        // A number that cannot be read: the state decides.
        (
            "MySqlDatabaseError { code: None, number: many, message: \"?\" }",
            Some("40001"),
            Seen::plain(ErrorClass::Concurrency),
            ("sqlstate", "40001"),
        ),
        ("MySqlDatabaseError { code: None }", Some("28000"), Seen::plain(ErrorClass::Auth), ("sqlstate", "28000")),
    ];
    for (printed, code, expected, (key, value)) in rows {
        let failure = of(database(printed, code));
        assert_eq!((seen(&failure), failure.detail(key)), (expected, Some(value)), "{printed}");
    }
    for (printed, code) in [("SqliteError { code: ?", Some("?")), ("PgDatabaseError {", None), ("Other", Some("5"))] {
        assert_eq!(seen(&of(database(printed, code))), Seen::plain(ErrorClass::Unknown), "{printed}");
    }
}

#[test]
fn an_error_is_found_below_wrappers() {
    let conflict = || database(POSTGRES, "40001");
    let found = [
        of(Booking(conflict())),
        of(Transparent(conflict())),
        of(Transparent(Booking(conflict()))),
        of(Booking(std::sync::Arc::new(conflict()))),
        of(Booking(Box::new(conflict()))),
        of(CommitError::new(conflict())),
        of(Error::Io(io::Error::other("?"))),
    ];
    let classes: Vec<ErrorClass> = found.iter().map(Classification::class).collect();
    assert_eq!(classes[..6], [ErrorClass::Concurrency; 6]);
    assert_eq!(classes[6], ErrorClass::Transient);
    assert_eq!(seen(&of(Transparent(database(LOCK_WAIT, "HY000")))), Seen::plain(ErrorClass::Concurrency));
}

#[test]
fn a_connection_is_judged_by_its_io_error() {
    let io = |kind: io::ErrorKind| seen(&of(Error::Io(kind.into())));
    assert_eq!(io(io::ErrorKind::ConnectionRefused), Seen::unsent(ErrorClass::Transient));
    assert_eq!(io(io::ErrorKind::ConnectionReset), Seen::plain(ErrorClass::Transient));
    assert_eq!(io(io::ErrorKind::UnexpectedEof), Seen::plain(ErrorClass::Transient));
    let lost = of(CommitError::new(Error::Io(io::ErrorKind::ConnectionReset.into())));
    assert_eq!(seen(&lost), Seen::forbidden(ErrorClass::Transient));
}

#[test]
fn every_error_of_sqlx_is_placed() {
    let mistake = || io::Error::other("?").into();
    let rows = [
        (Error::PoolTimedOut, Seen { is_unsent: true, ..Seen::timeout(ErrorClass::Transient) }),
        (Error::WorkerCrashed, Seen::plain(ErrorClass::Transient)),
        (Error::Protocol("?".to_owned()), Seen::plain(ErrorClass::ServerError)),
        (Error::PoolClosed, Seen::unsent(ErrorClass::Permanent)),
        (Error::Configuration("?".into()), Seen::unsent(ErrorClass::Permanent)),
        (Error::InvalidArgument("?".to_owned()), Seen::unsent(ErrorClass::Permanent)),
        (Error::Tls("the certificate has expired".into()), Seen::unsent(ErrorClass::Permanent)),
        (Error::Tls(io::Error::from(io::ErrorKind::ConnectionReset).into()), Seen::unsent(ErrorClass::Transient)),
        (Error::RowNotFound, Seen::plain(ErrorClass::Permanent)),
        (Error::TypeNotFound { type_name: "mood".to_owned() }, Seen::plain(ErrorClass::Permanent)),
        (Error::ColumnIndexOutOfBounds { index: 1, len: 1 }, Seen::plain(ErrorClass::Permanent)),
        (Error::ColumnNotFound("id".to_owned()), Seen::plain(ErrorClass::Permanent)),
        (Error::ColumnDecode { index: "0".to_owned(), source: mistake() }, Seen::plain(ErrorClass::Permanent)),
        (Error::Encode(mistake()), Seen::plain(ErrorClass::Permanent)),
        (Error::Decode(mistake()), Seen::plain(ErrorClass::Permanent)),
        (Error::AnyDriverError(mistake()), Seen::plain(ErrorClass::Permanent)),
        (Error::InvalidSavePointStatement, Seen::plain(ErrorClass::Permanent)),
        (Error::BeginFailed, Seen::plain(ErrorClass::Permanent)),
    ];
    for (error, expected) in rows {
        let printed = format!("{error:?}");
        assert_eq!(seen(&of(error)), expected, "{printed}");
    }
}

#[test]
fn a_success_is_none_and_a_fallback_is_called() {
    assert!(sqlx_classifier().classify(&Ok::<(), Error>(())).is_none());
    let classifier = sqlx_classifier().or_else(|_: &Result<(), Error>| Some(ErrorClass::ServerError));
    let read_only = classifier.classify(&Err(database(POSTGRES, "25006"))).expect("a failure");
    assert_eq!(read_only.class(), ErrorClass::ServerError);
}
