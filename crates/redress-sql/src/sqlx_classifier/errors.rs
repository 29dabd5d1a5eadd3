//! Places the errors of one version of sqlx: a module of each version, whose parent names the
//! types.

use std::error;

use redress_core::{Classification, ErrorClass};

use super::{DatabaseError, Error};
use crate::classifier::found;
use crate::connection::{of_io, of_setup, printed};
use crate::{mysql, sqlite, sqlstate};

/// Classifies this link of a source chain if it is sqlx's.
pub(crate) fn classify(error: &(dyn error::Error + 'static)) -> Option<Classification> {
    if let Some(error) = found::<Error>(error) {
        return of_error(error);
    }
    // The source of `Error::Database`.
    found::<Box<dyn DatabaseError>>(error).map(|error| of_database(&**error))
}

/// Returns `None` for an error whose sources say more: `Database`, and the error of a migration.
fn of_error(error: &Error) -> Option<Classification> {
    let class = match error {
        Error::Io(error) => return Some(of_io(error)),
        Error::Tls(error) => return Some(of_setup(&**error)),
        Error::PoolTimedOut => return Some(Classification::new(ErrorClass::Transient).timed_out().unsent()),
        Error::PoolClosed | Error::Configuration(_) | Error::InvalidArgument(_) => {
            return Some(Classification::new(ErrorClass::Permanent).unsent());
        }
        Error::WorkerCrashed => ErrorClass::Transient,
        Error::Protocol(_) => ErrorClass::ServerError,
        Error::RowNotFound
        | Error::TypeNotFound { .. }
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::ColumnNotFound(_)
        | Error::ColumnDecode { .. }
        | Error::Encode(_)
        | Error::Decode(_)
        | Error::AnyDriverError(_)
        | Error::InvalidSavePointStatement
        | Error::BeginFailed => ErrorClass::Permanent,
        _ => return None,
    };
    Some(class.into())
}

/// Reads the kind of the code from the type's name, which `Debug` begins with: naming the types of
/// sqlx's drivers would compile these drivers.
fn of_database(error: &dyn DatabaseError) -> Classification {
    let code = error.code();
    let code = code.as_deref().unwrap_or_default();
    let printed = printed(&error);
    if printed.starts_with("SqliteError {") {
        return code.parse().map_or_else(|_| ErrorClass::Unknown.into(), sqlite::classify);
    }
    match printed.starts_with("MySqlDatabaseError {").then(|| number(&printed)).flatten() {
        Some(number) => mysql::classify(number, code),
        None => sqlstate::classify(code),
    }
}

/// The number in `MySqlDatabaseError { code: Some("HY000"), number: 1205, ..`.
fn number(printed: &str) -> Option<u16> {
    let (_, rest) = printed.split_once(", number: ")?;
    let (number, _) = rest.split_once(',')?;
    number.parse().ok()
}
