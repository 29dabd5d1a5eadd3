//! Error numbers of SQL Server and Azure SQL, and of their clients on Windows.
//!
//! | number | meaning | class | also |
//! |---|---|---|---|
//! | `1205`, `1222`, `3960` | deadlock, lock timeout, conflict under snapshot isolation | `Concurrency` | |
//! | `41301`, `41302`, `41305`, `41325` | conflict of memory-optimized tables | `Concurrency` | |
//! | `-2` | the client's timeout expired | `Transient` | timeout |
//! | `233`, `997`, `4060`, `4221` | the login failed for a reason that passes | `Transient` | unsent |
//! | `20`, `64`, `10053`, `10054`, `10060` | the connection failed | `Transient` | |
//! | `40143`, `40197`, `40540`, `40613` | the database is not available at present | `Transient` | |
//! | `10928`, `10929`, `40501`, `49918`, `49919`, `49920` | too many requests | `RateLimit` | |
//! | `701`, `802`, `1204` | out of memory or locks | `ServerError` | |
//! | `18456` | the login failed | `Auth` | |
//! | `229`, `230` | a permission is missing | `Permission` | |
//! | `102`, `207`, `208` | the statement is wrong | `Permanent` | |
//! | `547`, `2601`, `2627`, `2628`, `8152` | a constraint, a duplicate key, a value that does not fit | `Permanent` | |
//! | any other | | `Unknown` | |
//!
//! The marks *unsent* and *timeout* are those of [`sqlstate`](crate::sqlstate). A login to a
//! database that does not exist fails with 4060 too, and so is retried. The numbers of connections
//! are those of clients; the engine has another 233, a NULL in a column that takes none.
//!
//! Sources: the [transient errors that Microsoft's driver
//! retries](https://learn.microsoft.com/en-us/dotnet/api/microsoft.data.sqlclient.sqlconfigurableretryfactory.baselinetransienterrors),
//! a list that "may change at any time"; [transactions on memory-optimized
//! tables](https://learn.microsoft.com/en-us/sql/relational-databases/in-memory-oltp/transactions-with-memory-optimized-tables);
//! [login failures and their
//! states](https://learn.microsoft.com/en-us/sql/relational-databases/errors-events/mssqlserver-18456-database-engine-error);
//! the [events and errors of the Database
//! Engine](https://learn.microsoft.com/en-us/sql/relational-databases/errors-events/database-engine-events-and-errors).

use redress_core::{Classification, ErrorClass};

/// The detail that holds the number.
const DETAIL: &str = "mssql";

/// Classifies an error number by the [table](self). The detail `mssql` is the number.
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::sql::mssql;
///
/// let busy = mssql::classify(40501);
/// assert_eq!(busy.class(), ErrorClass::RateLimit);
/// assert_eq!(busy.detail("mssql"), Some("40501"));
/// ```
pub fn classify(number: i32) -> Classification {
    of_number(number).with_detail(DETAIL, number.to_string())
}

fn of_number(number: i32) -> Classification {
    let class = match number {
        1205 | 1222 | 3960 | 41301 | 41302 | 41305 | 41325 => ErrorClass::Concurrency,
        -2 => return Classification::new(ErrorClass::Transient).timed_out(),
        233 | 997 | 4060 | 4221 => return Classification::new(ErrorClass::Transient).unsent(),
        20 | 64 | 10053 | 10054 | 10060 => ErrorClass::Transient,
        40143 | 40197 | 40540 | 40613 => ErrorClass::Transient,
        10928 | 10929 | 40501 | 49918..=49920 => ErrorClass::RateLimit,
        701 | 802 | 1204 => ErrorClass::ServerError,
        18456 => ErrorClass::Auth,
        229 | 230 => ErrorClass::Permission,
        102 | 207 | 208 | 547 | 2601 | 2627 | 2628 | 8152 => ErrorClass::Permanent,
        _ => ErrorClass::Unknown,
    };
    class.into()
}
