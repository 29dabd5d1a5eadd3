//! Diagnostic records of ODBC: which number is read, by the names at the beginning of a message.

use redress::ErrorClass;
use redress::integration::sql::odbc;

use crate::support::{Seen, seen};

#[test]
fn the_native_number_is_that_of_the_database_named_in_brackets() {
    let rows = [
        ("[SQLite]database is locked (5)", "HY000", 5, ErrorClass::Concurrency, ("sqlite", "5")),
        (
            "[ma-3.1.15][10.11.19-MariaDB]Lock wait timeout exceeded",
            "HY000",
            1205,
            ErrorClass::Concurrency,
            ("mysql", "1205"),
        ),
        (
            "[MySQL][ODBC 8.0(w) Driver][mysqld-8.0.36]Query execution was interrupted",
            "HY000",
            3024,
            ErrorClass::Transient,
            ("mysql", "3024"),
        ),
        ("[unixODBC][mysqld-8.0.36]Too many connections", "HY000", 1040, ErrorClass::Transient, ("mysql", "1040")),
        (
            "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Service busy",
            "42000",
            40501,
            ErrorClass::RateLimit,
            ("mssql", "40501"),
        ),
        ("[FreeTDS][SQL Server]Permission denied", "42000", 229, ErrorClass::Permission, ("mssql", "229")),
    ];
    for (message, state, number, class, (key, value)) in rows {
        let failure = odbc::classify(state, number, message);
        assert_eq!(failure.class(), class, "{message}");
        assert_eq!((failure.detail(key), failure.detail("sqlstate")), (Some(value), Some(state)), "{message}");
    }
}

#[test]
fn without_a_number_that_has_a_meaning_the_state_decides() {
    let rows = [
        // The number of another database means nothing, and prose is not read.
        ("[unixODBC]ERROR: SQLite SQL Server MySQL", "40001", 5, ErrorClass::Concurrency),
        ("deadlock [SQLite]", "23505", 5, ErrorClass::Permanent),
        ("[SQLite", "23505", 5, ErrorClass::Permanent),
        ("", "08S01", 1205, ErrorClass::Transient),
        ("[Microsoft][ODBC Driver Manager] Data source name not found", "IM002", 0, ErrorClass::Permanent),
        ("[SQL Server]?", "28000", 99999, ErrorClass::Auth),
        ("[ma-3.1.15]?", "08S01", 99999, ErrorClass::Transient),
        ("[ma-3.1.15]?", "HYT00", -1, ErrorClass::Transient),
        ("[alma-1]?", "23000", 1205, ErrorClass::Permanent),
    ];
    for (message, state, number, class) in rows {
        let failure = odbc::classify(state, number, message);
        assert_eq!((failure.class(), failure.detail("sqlstate")), (class, Some(state)), "{message}");
    }
}

#[test]
fn the_marks_of_a_state_and_of_a_number_are_kept() {
    assert_eq!(seen(&odbc::classify("08007", 0, "[unixODBC]?")), Seen::forbidden(ErrorClass::Transient));
    assert_eq!(seen(&odbc::classify("HYT00", 0, "[Microsoft][SQL Server]?")), Seen::timeout(ErrorClass::Transient));
    assert_eq!(seen(&odbc::classify("HY000", 1203, "[ma-3.1.15]?")), Seen::unsent(ErrorClass::RateLimit));
}
