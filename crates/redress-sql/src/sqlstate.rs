//! SQLSTATEs, as PostgreSQL, ODBC drivers and the SQL standard define them.
//!
//! The first two characters are the class of a SQLSTATE. A row of five characters counts before the
//! row of its class.
//!
//! | SQLSTATE | meaning | class | also |
//! |---|---|---|---|
//! | `40001`, `40P01`, `40000`, `40` | serialization failure, deadlock, rolled back | `Concurrency` | |
//! | `25S03` | the transaction was rolled back | `Concurrency` | |
//! | `55P03`, `55006` | a lock is not available, an object is in use | `Concurrency` | |
//! | `40002` | a constraint failed at the end of the transaction | `Permanent` | |
//! | `40003`, `08007`, `25S01`, `HY117` | the outcome is not known | `Transient` | forbidden |
//! | `08001`, `08004`, `53300`, `57P03` | no connection: refused, too many, the server starts | `Transient` | unsent |
//! | `08` | the connection failed | `Transient` | |
//! | `57P01`, `57P02`, `57P05`, `25P03` | the server ended the connection | `Transient` | |
//! | `57014`, `70100` | the statement was cancelled, by its timeout or on request | `Transient` | |
//! | `HYT00`, `HYT01`, `25P04` | a timeout expired | `Transient` | timeout |
//! | `53`, `58`, `XX000` | out of disk or memory, an I/O error, an internal error | `ServerError` | |
//! | `HY001`, `HY013` | out of memory | `ServerError` | |
//! | `28` | the login failed | `Auth` | |
//! | `42501` | a privilege is missing | `Permission` | |
//! | `02`, `07`, `0A`, `20`, `21`, `22`, `23`, `24`, `25`, `27`, `2B`, `2D`, `34`, `3B`, `3D`, `3F`, `42`, `44`, `54`, `55` | the statement, or its use, is wrong | `Permanent` | |
//! | `HYC00`, `IM` | the driver lacks the feature, or is not configured | `Permanent` | |
//! | `57P04`, `XX001`, `XX002` | the database was dropped, or is corrupt | `Permanent` | |
//! | `25006`, `25S02` | read only, still active: by mistake, or until a failover ends | `Unknown` | |
//! | any other, such as `HY000`, `HY008`, `26000`, `P0001` | no meaning that all share | `Unknown` | |
//!
//! - *forbidden*: a retry is [forbidden](Classification::forbid_retry) as `completion_unknown`.
//! - *unsent*: the statement was certainly [not sent](Classification::unsent).
//! - *timeout*: the failure's cause is a [timeout](Classification::timed_out).
//!
//! Duplicate keys (`23505`) and overlapping ranges (`23P01`) are `Permanent`. If the operation
//! computes the key in every attempt, classify them in front of this table:
//!
//! ```
//! use redress::{Classification, Classifier, ErrorClass, error_classifier};
//! use redress::integration::sql::sqlstate;
//!
//! # #[derive(Debug)] struct DriverError { state: String }
//! let classifier = error_classifier(|error: &DriverError| match error.state.as_str() {
//!     "23505" => Classification::new(ErrorClass::Concurrency),
//!     other => sqlstate::classify(other),
//! });
//! # let taken: Result<(), _> = Err(DriverError { state: "23505".to_owned() });
//! # assert_eq!(classifier.classify(&taken).unwrap().class(), ErrorClass::Concurrency);
//! ```
//!
//! Sources: PostgreSQL's [error
//! codes](https://www.postgresql.org/docs/current/errcodes-appendix.html) and [Serialization
//! Failure
//! Handling](https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html), and
//! ODBC's [error codes][odbc] and [`SQLEndTran`][end], which has `08007`, `25S01` and `HY117`:
//! after a commit or rollback without a known end, the driver manager suspends the connection.
//!
//! [odbc]: https://learn.microsoft.com/en-us/sql/odbc/reference/appendixes/appendix-a-odbc-error-codes
//! [end]: https://learn.microsoft.com/en-us/sql/odbc/reference/syntax/sqlendtran-function

use redress_core::{Classification, ErrorClass};

use crate::commit::COMPLETION_UNKNOWN;

/// The detail that holds a SQLSTATE.
pub(crate) const DETAIL: &str = "sqlstate";

/// Classifies a SQLSTATE by the [table](self). The detail `sqlstate` is the SQLSTATE.
///
/// A text that is not a SQLSTATE, which has five digits or capital letters, is
/// [`Unknown`](ErrorClass::Unknown) without a detail.
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::sql::sqlstate;
///
/// assert_eq!(sqlstate::classify("40001").class(), ErrorClass::Concurrency);
/// assert_eq!(sqlstate::classify("23505").class(), ErrorClass::Permanent);
/// assert_eq!(sqlstate::classify("40003").retry_forbidden(), Some("completion_unknown"));
/// ```
pub fn classify(state: &str) -> Classification {
    if !is_sqlstate(state) {
        return ErrorClass::Unknown.into();
    }
    of_state(state).unwrap_or_else(|| of_class(state).into()).with_detail(DETAIL, state.to_owned())
}

fn is_sqlstate(text: &str) -> bool {
    text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// The states that differ from the rest of their class.
fn of_state(state: &str) -> Option<Classification> {
    let class = match state {
        "25S03" | "55P03" | "55006" => ErrorClass::Concurrency,
        "57P01" | "57P02" | "57P05" | "25P03" | "57014" | "70100" => ErrorClass::Transient,
        "40003" | "08007" | "25S01" | "HY117" => {
            return Some(Classification::new(ErrorClass::Transient).forbid_retry(COMPLETION_UNKNOWN));
        }
        "08001" | "08004" | "53300" | "57P03" => return Some(Classification::new(ErrorClass::Transient).unsent()),
        "HYT00" | "HYT01" | "25P04" => return Some(Classification::new(ErrorClass::Transient).timed_out()),
        "XX000" | "HY001" | "HY013" => ErrorClass::ServerError,
        "42501" => ErrorClass::Permission,
        "40002" | "57P04" | "XX001" | "XX002" | "HYC00" => ErrorClass::Permanent,
        "25006" | "25S02" => ErrorClass::Unknown,
        _ => return None,
    };
    Some(class.into())
}

/// The class of the SQLSTATEs that begin with the same two characters.
fn of_class(state: &str) -> ErrorClass {
    match state.get(..2) {
        Some("40") => ErrorClass::Concurrency,
        Some("08") => ErrorClass::Transient,
        Some("53" | "58") => ErrorClass::ServerError,
        Some("28") => ErrorClass::Auth,
        Some("02" | "07" | "0A" | "20" | "21" | "22" | "23" | "24" | "25" | "27" | "2B" | "2D" | "34") => {
            ErrorClass::Permanent
        }
        Some("3B" | "3D" | "3F" | "42" | "44" | "54" | "55" | "IM") => ErrorClass::Permanent,
        _ => ErrorClass::Unknown,
    }
}
