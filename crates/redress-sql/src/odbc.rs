//! Diagnostic records of ODBC: a SQLSTATE, a native error number, and a message that begins with
//! the names of its sources.
//!
//! Drivers translate their database's errors into few SQLSTATEs, and some into `HY000` alone, so
//! the native number counts first where its meaning is known. A message begins with the vendor, the
//! component and the data source in brackets, as [ODBC
//! requires](https://learn.microsoft.com/en-us/sql/odbc/reference/develop-app/diagnostic-messages),
//! and these name the database:
//!
//! | a name in brackets | the native number is of |
//! |---|---|
//! | contains `SQL Server` | [SQL Server](crate::mssql) |
//! | contains `MySQL` or `MariaDB`, or begins with `ma-` or `mysqld-` | [MySQL and MariaDB](crate::mysql) |
//! | is `SQLite` | [SQLite](crate::sqlite) |
//! | any other, such as that of psqlODBC | no number is read |
//!
//! Nothing else of a message is read. Where the number has no meaning, the
//! [SQLSTATE](crate::sqlstate) decides.
//!
//! Known oddities of drivers: psqlODBC reports a wrong user as `08001`, which is retried, and a
//! statement timeout as `57014`. unixODBC reports a driver that is not installed as `01000`.

use redress_core::{Classification, ErrorClass};

use crate::{mssql, mysql, sqlite, sqlstate};

/// Classifies a diagnostic record by its native number and its SQLSTATE, see the [module](self).
///
/// For versions of odbc-api that the feature `odbc` does not know, and for other bindings.
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::sql::odbc;
///
/// let locked = odbc::classify("HY000", 5, "[SQLite]database is locked (5)");
/// assert_eq!(locked.class(), ErrorClass::Concurrency);
/// ```
pub fn classify(state: &str, native_error: i32, message: &str) -> Classification {
    let by_state = sqlstate::classify(state);
    let by_number = match Database::named_by(message) {
        Some(Database::SqlServer) => mssql::classify(native_error),
        Some(Database::Sqlite) => sqlite::classify(native_error),
        Some(Database::MySql) => match u16::try_from(native_error) {
            Ok(number) => return mysql::classify(number, state),
            Err(_) => return by_state,
        },
        None => return by_state,
    };
    if by_number.class() == ErrorClass::Unknown {
        return by_state;
    }
    match by_state.detail(sqlstate::DETAIL) {
        Some(state) => by_number.with_detail(sqlstate::DETAIL, state.to_owned()),
        None => by_number,
    }
}

/// The databases whose native numbers have a table.
#[derive(Clone, Copy)]
enum Database {
    SqlServer,
    MySql,
    Sqlite,
}

impl Database {
    /// Reads the names in brackets at the beginning of a message.
    fn named_by(message: &str) -> Option<Self> {
        let mut rest = message;
        while let Some((name, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            if let Some(database) = Self::of_name(name) {
                return Some(database);
            }
            rest = after;
        }
        None
    }

    fn of_name(name: &str) -> Option<Self> {
        let is_mysql = ["MySQL", "MariaDB"].iter().any(|part| name.contains(part))
            || ["ma-", "mysqld-"].iter().any(|begin| name.starts_with(begin));
        match name {
            "SQLite" => Some(Self::Sqlite),
            _ if name.contains("SQL Server") => Some(Self::SqlServer),
            _ if is_mysql => Some(Self::MySql),
            _ => None,
        }
    }
}
