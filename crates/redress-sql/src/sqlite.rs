//! Result codes of SQLite.
//!
//! The low byte of an extended result code is its primary result code, which decides.
//!
//! | code | name | class | also |
//! |---|---|---|---|
//! | `5`, `6`, `15` | `BUSY`, `LOCKED`, `PROTOCOL`: another connection holds a lock | `Concurrency` | |
//! | `17` | `SCHEMA`: another connection changed the schema | `Concurrency` | |
//! | `9` | `INTERRUPT` | `Transient` | |
//! | `2`, `7`, `10`, `13` | `INTERNAL`, `NOMEM`, `IOERR`, `FULL` | `ServerError` | |
//! | `3`, `8`, `23` | `PERM`, `READONLY`, `AUTH` | `Permission` | |
//! | `1`, `18`, `19`, `20`, `21`, `22`, `25` | `ERROR`, `TOOBIG`, `CONSTRAINT`, `MISMATCH`, `MISUSE`, `NOLFS`, `RANGE` | `Permanent` | |
//! | `11`, `14`, `26` | `CORRUPT`, `CANTOPEN`, `NOTADB` | `Permanent` | |
//! | any other, such as `4`, `ABORT` | | `Unknown` | |
//!
//! `BUSY_SNAPSHOT` (517) is a `BUSY` for which `busy_timeout` does not wait: the snapshot that the
//! transaction read is old, and only the whole transaction, begun again, can write. `BEGIN
//! IMMEDIATE` avoids it.
//!
//! Source: [Result and Error Codes](https://www.sqlite.org/rescode.html).

use redress_core::{Classification, ErrorClass};

/// The detail that holds the code.
const DETAIL: &str = "sqlite";

/// Classifies a primary or an extended result code by the [table](self). The detail `sqlite` is the
/// code.
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::sql::sqlite;
///
/// assert_eq!(sqlite::classify(5).class(), ErrorClass::Concurrency);
/// assert_eq!(sqlite::classify(2067).class(), ErrorClass::Permanent); // CONSTRAINT_UNIQUE
/// assert_eq!(sqlite::classify(2067).detail("sqlite"), Some("2067"));
/// ```
pub fn classify(code: i32) -> Classification {
    let [primary, ..] = code.to_le_bytes();
    let class = match primary {
        5 | 6 | 15 | 17 => ErrorClass::Concurrency,
        9 => ErrorClass::Transient,
        2 | 7 | 10 | 13 => ErrorClass::ServerError,
        3 | 8 | 23 => ErrorClass::Permission,
        1 | 18..=22 | 25 | 11 | 14 | 26 => ErrorClass::Permanent,
        _ => ErrorClass::Unknown,
    };
    Classification::new(class).with_detail(DETAIL, code.to_string())
}
