//! Error numbers of MySQL and MariaDB.
//!
//! MySQL and MariaDB report most failures that are worth a retry with the SQLSTATE `HY000`, which
//! says nothing: MariaDB a lock wait timeout (1205) and too many connections (1040), for example.
//! The number tells them apart. Where this table has no opinion, the
//! [SQLSTATE](crate::sqlstate) decides, see [`classify`].
//!
//! | number | meaning | class | also |
//! |---|---|---|---|
//! | `1213`, `1614`, `3058` | deadlock | `Concurrency` | |
//! | `1205`, `1689`, `3572` | a lock was not available in time | `Concurrency` | |
//! | `1020` | a row has changed since it was read | `Concurrency` | |
//! | `1040`, `2002`, `2003`, `2005` | no connection: too many, refused, unknown host | `Transient` | unsent |
//! | `1047`, `1053`, `1927` | a node of a cluster is not ready, the server shuts down, killed | `Transient` | |
//! | `1152`, `1158`, `1159`, `1160`, `1161`, `1184`, `2006`, `2013`, `2055` | the connection broke | `Transient` | |
//! | `1317` | the statement was cancelled | `Transient` | |
//! | `1969`, `3024` | the statement took too long | `Transient` | timeout |
//! | `1203` | the user has too many connections | `RateLimit` | unsent |
//! | `1226` | the user has exceeded a limit | `RateLimit` | |
//! | `1021`, `1037`, `1038`, `1041`, `1114`, `1180` | out of disk or memory, a failed commit | `ServerError` | |
//! | `1045`, `1130`, `1251`, `1698`, `1820`, `1862`, `3118`, `4151` | the login failed | `Auth` | |
//! | `1044`, `1142`, `1143`, `1227`, `1370` | a privilege is missing | `Permission` | |
//! | `1046`, `1049`, `1054`, `1064`, `1146`, `1153`, `1406` | the statement is wrong, or too large | `Permanent` | |
//! | `1062`, `1451`, `1452`, `3819`, `4025` | a constraint | `Permanent` | |
//! | any other, such as `1290` and `1836` (read only, during a failover too) | | `Unknown` | |
//!
//! The marks *unsent* and *timeout* are those of [`sqlstate`]. After a lock wait timeout the rest
//! of the transaction is still open, unless the server runs with `innodb_rollback_on_timeout`: the
//! operation rolls it back, which drivers do when a transaction is dropped.
//!
//! Sources: MySQL's [server
//! errors](https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html), [client
//! errors](https://dev.mysql.com/doc/mysql-errors/8.4/en/client-error-reference.html) and [InnoDB
//! Error Handling](https://dev.mysql.com/doc/refman/8.4/en/innodb-error-handling.html), and
//! MariaDB's [error
//! codes](https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference).
//! 1927, 1969, 4025 and 4151 are MariaDB's; 3024, 3118, 3572 and 3819 are MySQL's. All others that
//! MySQL has, and the client's from 2002 to 2055, stand in `mysql/connector/errorcode.py` of
//! Oracle's [Connector/Python](https://github.com/mysql/mysql-connector-python) 26.10 with these
//! meanings. A 4025 of MySQL refuses an option of a table, which is `Permanent` too. Galera reports
//! a node that is not ready as 1047. 1020 is what MariaDB's `innodb_snapshot_isolation` reports; it
//! has rolled the transaction back.

use redress_core::{Classification, ErrorClass};

use crate::sqlstate;

/// The detail that holds the number.
const DETAIL: &str = "mysql";

/// Classifies an error by its number, and where the [table](self) has no opinion, by its SQLSTATE.
/// The details `mysql` and `sqlstate` are the number and the SQLSTATE.
///
/// Pass an empty SQLSTATE if there is none.
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::sql::mysql;
///
/// let lock_wait = mysql::classify(1205, "HY000");
/// assert_eq!(lock_wait.class(), ErrorClass::Concurrency);
/// assert_eq!(lock_wait.detail("mysql"), Some("1205"));
/// // Not in the table: 42S21, a duplicate column.
/// assert_eq!(mysql::classify(1060, "42S21").class(), ErrorClass::Permanent);
/// ```
pub fn classify(number: u16, state: &str) -> Classification {
    let by_state = sqlstate::classify(state);
    let failure = of_number(number).unwrap_or_else(|| by_state.clone()).with_detail(DETAIL, number.to_string());
    match by_state.detail(sqlstate::DETAIL) {
        Some(state) => failure.with_detail(sqlstate::DETAIL, state.to_owned()),
        None => failure,
    }
}

fn of_number(number: u16) -> Option<Classification> {
    let class = match number {
        1213 | 1614 | 3058 | 1205 | 1689 | 3572 | 1020 => ErrorClass::Concurrency,
        1040 | 2002 | 2003 | 2005 => return Some(Classification::new(ErrorClass::Transient).unsent()),
        1047 | 1053 | 1927 | 1317 => ErrorClass::Transient,
        1152 | 1158..=1161 | 1184 | 2006 | 2013 | 2055 => ErrorClass::Transient,
        1969 | 3024 => return Some(Classification::new(ErrorClass::Transient).timed_out()),
        1203 => return Some(Classification::new(ErrorClass::RateLimit).unsent()),
        1226 => ErrorClass::RateLimit,
        1021 | 1037 | 1038 | 1041 | 1114 | 1180 => ErrorClass::ServerError,
        1045 | 1130 | 1251 | 1698 | 1820 | 1862 | 3118 | 4151 => ErrorClass::Auth,
        1044 | 1142 | 1143 | 1227 | 1370 => ErrorClass::Permission,
        1046 | 1049 | 1054 | 1064 | 1146 | 1153 | 1406 => ErrorClass::Permanent,
        1062 | 1451 | 1452 | 3819 | 4025 => ErrorClass::Permanent,
        _ => return None,
    };
    Some(class.into())
}
