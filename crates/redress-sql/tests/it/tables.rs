//! The tables, each row as the documentation of its module gives it.

use proptest::prelude::*;
use redress::integration::sql::{mssql, mysql, odbc, sqlite, sqlstate};
use redress::{Classification, ErrorClass};

use crate::support::{Seen, seen};

/// A row of a table: its codes, and what it says of each.
struct Row {
    codes: Vec<String>,
    expected: Seen,
}

/// Reads the rows of a module's documentation that have codes and a class.
fn rows(source: &str) -> Vec<Row> {
    let rows: Vec<Row> = source.lines().filter_map(|line| row(line.strip_prefix("//! | ")?)).collect();
    assert!(rows.len() > 5, "the table was not found");
    rows
}

fn row(line: &str) -> Option<Row> {
    let mut columns = line.trim_end_matches('|').split(" | ").map(str::trim);
    let codes = columns.next().filter(|codes| codes.starts_with('`'))?;
    let codes = codes.split(", ").map(|code| code.trim_matches('`').to_owned()).collect();
    let (class, also) = (columns.nth(1)?.trim_matches('`'), columns.next().unwrap_or_default());
    let class = *ErrorClass::ALL.iter().find(|known| format!("{known:?}") == class)?;
    let plain = Seen::plain(class);
    let expected = match also {
        "" => plain,
        "unsent" => Seen { is_unsent: true, ..plain },
        "timeout" => Seen { is_timeout: true, ..plain },
        "forbidden" => Seen { is_forbidden: true, ..plain },
        other => panic!("`{other}` is not a mark"),
    };
    Some(Row { codes, expected })
}

/// Compares every code of a table with what its module's documentation says.
fn judge(source: &str, classify: impl Fn(&str) -> Classification, codes_in_all: usize) {
    let rows = rows(source);
    for row in &rows {
        for code in &row.codes {
            assert_eq!(seen(&classify(code)), row.expected, "{code}");
        }
    }
    assert_eq!(rows.iter().map(|row| row.codes.len()).sum::<usize>(), codes_in_all, "a row was not read");
}

#[test]
fn every_sqlstate_is_as_documented() {
    // A class stands for the states that begin with it.
    let classify =
        |code: &str| sqlstate::classify(if code.len() == 2 { format!("{code}ZZZ") } else { code.to_owned() }.as_str());
    judge(include_str!("../../src/sqlstate.rs"), classify, 60);
    for class in ["40", "08", "53", "58", "28", "42", "23", "IM"] {
        let [general, special] = ["000", "9Z9"].map(|rest| sqlstate::classify(&format!("{class}{rest}")).class());
        assert_eq!(general, special, "{class}");
    }
}

#[test]
fn every_number_of_mysql_is_as_documented() {
    judge(include_str!("../../src/mysql.rs"), |code| mysql::classify(code.parse().expect("a number"), "HY000"), 59);
}

#[test]
fn every_code_of_sqlite_is_as_documented() {
    let of = |code: &str| sqlite::classify(code.parse().expect("a number"));
    judge(include_str!("../../src/sqlite.rs"), of, 22);
    // An extended code is classified by its low byte.
    let extended = |code: &str| sqlite::classify(code.parse::<i32>().expect("a number") | 0x0700);
    judge(include_str!("../../src/sqlite.rs"), extended, 22);
    assert_eq!(seen(&sqlite::classify(517)), Seen::plain(ErrorClass::Concurrency));
    assert_eq!(sqlite::classify(517).detail("sqlite"), Some("517"));
}

#[test]
fn every_number_of_sql_server_is_as_documented() {
    judge(include_str!("../../src/mssql.rs"), |code| mssql::classify(code.parse().expect("a number")), 41);
}

#[test]
fn what_no_row_names_is_unknown() {
    for state in ["HY000", "S1000", "HY008", "26000", "P0001", "01000", "00000", "HYT02", "XX999"] {
        let failure = sqlstate::classify(state);
        assert_eq!((seen(&failure), failure.detail("sqlstate")), (Seen::plain(ErrorClass::Unknown), Some(state)));
    }
    for code in [0, 4, 12, 16, 24, 27, 28, 100, 101, -1, i32::MIN] {
        assert_eq!(sqlite::classify(code).class(), ErrorClass::Unknown, "{code}");
    }
    for number in [0, 1000, 1159, 1290, 1836, 9999] {
        let class = if number == 1159 { ErrorClass::Transient } else { ErrorClass::Unknown };
        assert_eq!(mysql::classify(number, "HY000").class(), class, "{number}");
    }
    for number in [0, -1, 21, 49917, 49921, i32::MAX] {
        assert_eq!(mssql::classify(number).class(), ErrorClass::Unknown, "{number}");
    }
}

#[test]
fn what_is_not_a_sqlstate_is_unknown_and_no_detail() {
    for text in ["", "08", "4000", "40001X", "4000x", "08s01", "40 01", "4000\u{e4}", "40001\n"] {
        let failure = sqlstate::classify(text);
        assert_eq!((failure.class(), failure.details().count()), (ErrorClass::Unknown, 0), "{text}");
    }
}

#[test]
fn a_number_of_mysql_counts_before_its_state() {
    let lock_wait = mysql::classify(1205, "HY000");
    let details: Vec<_> = lock_wait.details().collect();
    assert_eq!(details, [("mysql", "1205"), ("sqlstate", "HY000")]);
    // MySQL says 08S01 of a packet that is too large.
    assert_eq!(mysql::classify(1153, "08S01").class(), ErrorClass::Permanent);
    assert_eq!(mysql::classify(1142, "42000").class(), ErrorClass::Permission);
    // Without a row, the state decides, marks included.
    assert_eq!(seen(&mysql::classify(9999, "08001")), Seen::unsent(ErrorClass::Transient));
    assert_eq!(mysql::classify(9999, "40001").class(), ErrorClass::Concurrency);
    assert_eq!(mysql::classify(9999, "").details().collect::<Vec<_>>(), [("mysql", "9999")]);
}

/// Whether a detail stays bounded: a code, never a text.
fn is_code(detail: (&str, &str)) -> bool {
    let (key, value) = detail;
    let is_known = ["sqlstate", "mysql", "mssql", "sqlite", "retry_forbidden"].contains(&key);
    is_known && (value == "completion_unknown" || (value.len() <= 11 && value.is_ascii()))
}

fn check(failure: &Classification) -> Result<(), TestCaseError> {
    prop_assert!(!failure.is_abort());
    prop_assert!(failure.details().all(is_code), "{failure:?}");
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_classified(text in any::<String>(), states in "[0-9A-Z]{5}") {
        check(&sqlstate::classify(&text))?;
        check(&sqlstate::classify(&states))?;
        let failure = sqlstate::classify(&states);
        prop_assert_eq!(failure.detail("sqlstate"), Some(states.as_str()));
    }

    #[test]
    fn any_number_is_classified(number in any::<i32>(), short in any::<u16>(), text in any::<String>()) {
        check(&sqlite::classify(number))?;
        check(&mssql::classify(number))?;
        check(&mysql::classify(short, &text))?;
    }

    #[test]
    fn any_record_is_classified(state in any::<String>(), number in any::<i32>(), name in "\\[?(SQLite|ma-1|SQL Server)?\\]?", text in any::<String>()) {
        check(&odbc::classify(&state, number, &format!("{name}{text}")))?;
        check(&odbc::classify(&state, number, &text))?;
    }
}
