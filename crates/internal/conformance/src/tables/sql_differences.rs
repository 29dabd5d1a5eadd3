//! The intended differences between redress-sql and the original, and the inputs that each covers.

use super::difference::Difference;

/// The beginning of an input without a SQLSTATE: the rest is the text of its exception.
pub(super) const TEXT: &str = "text: ";

const POSTGRESQL: &str = "https://www.postgresql.org/docs/current/errcodes-appendix.html";
const ODBC: &str = "https://learn.microsoft.com/en-us/sql/odbc/reference/appendixes/appendix-a-odbc-error-codes";

/// The intended differences. Inputs are SQLSTATEs, or the texts of exceptions without one.
pub(super) const DIFFERENCES: &[Difference] = &[
    Difference {
        table: "sql",
        example: "40003",
        original: "UNKNOWN",
        ours: "TRANSIENT",
        reason: "the outcome of the statement is not known: the connection failed, and a retry is forbidden",
        source: ODBC,
        covers: |state| state == "40003",
    },
    Difference {
        table: "sql",
        example: "40000",
        original: "UNKNOWN",
        ours: "CONCURRENCY",
        reason: "the class 40 says that the transaction was rolled back, for each reason that its subclass gives",
        source: POSTGRESQL,
        covers: |state| is_of(state, "40") && !["40001", "40P01", "40002", "40003"].contains(&state),
    },
    Difference {
        table: "sql",
        example: "42501",
        original: "UNKNOWN",
        ours: "PERMISSION",
        reason: "a privilege is missing",
        source: POSTGRESQL,
        covers: |state| state == "42501",
    },
    Difference {
        table: "sql",
        example: "42601",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "the statement is wrong, and is wrong again the next time; the original knows only 42000",
        source: POSTGRESQL,
        covers: |state| is_of(state, "42") && !["42000", "42501"].contains(&state),
    },
    Difference {
        table: "sql",
        example: "23505",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "the values are refused, by a constraint or by their type, and the same values are refused again",
        source: POSTGRESQL,
        covers: |state| is_of(state, "22") || is_of(state, "23") || state == "40002",
    },
    Difference {
        table: "sql",
        example: "02000",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "there is no such row; a statement that needs one is not repaired by a retry",
        source: POSTGRESQL,
        covers: |state| is_of(state, "02"),
    },
    Difference {
        table: "sql",
        example: "IM002",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "the driver manager's configuration names no such source or driver",
        source: ODBC,
        covers: |state| is_of(state, "IM"),
    },
    Difference {
        table: "sql",
        example: "53300",
        original: "UNKNOWN",
        ours: "TRANSIENT",
        reason: "the server has too many connections or is starting, which passes; nothing was sent",
        source: POSTGRESQL,
        covers: |state| ["53300", "57P03"].contains(&state),
    },
    Difference {
        table: "sql",
        example: "57014",
        original: "UNKNOWN",
        ours: "TRANSIENT",
        reason: "the statement was cancelled, by its timeout as a rule, as with HYT00",
        source: POSTGRESQL,
        covers: |state| state == "57014",
    },
    Difference {
        table: "sql",
        example: "58000",
        original: "UNKNOWN",
        ours: "SERVER_ERROR",
        reason: "an error of the server's system, outside the database",
        source: POSTGRESQL,
        covers: |state| is_of(state, "58"),
    },
    Difference {
        table: "sql",
        example: "08",
        original: "TRANSIENT",
        ours: "UNKNOWN",
        reason: "a SQLSTATE has five characters",
        source: ODBC,
        covers: |state| state.starts_with("08") && state.len() != 5,
    },
    Difference {
        table: "sql",
        example: "text: [08004] driver said no",
        original: "TRANSIENT",
        ours: "UNKNOWN",
        reason: "no code is read out of prose: the errors of Rust's drivers have a field for it",
        source: "https://docs.rs/odbc-api/latest/odbc_api/handles/struct.Record.html",
        covers: |input| finds(input, |code| code.starts_with("08") || ["HYT00", "HYT01"].contains(&code)),
    },
    Difference {
        table: "sql",
        example: "text: SQLSTATE[40P01]: deadlock",
        original: "CONCURRENCY",
        ours: "UNKNOWN",
        reason: "no code is read out of prose: the errors of Rust's drivers have a field for it",
        source: "https://docs.rs/tokio-postgres/latest/tokio_postgres/error/struct.DbError.html",
        covers: |input| finds(input, |code| ["40001", "40P01"].contains(&code)),
    },
    Difference {
        table: "sql",
        example: "text: [4000], [28000]",
        original: "AUTH",
        ours: "UNKNOWN",
        reason: "no code is read out of prose: the errors of Rust's drivers have a field for it",
        source: "https://docs.rs/sqlx/latest/sqlx/error/trait.DatabaseError.html",
        covers: |input| finds(input, |code| code.starts_with("28")),
    },
];

fn is_of(state: &str, class: &str) -> bool {
    state.len() == 5 && state.starts_with(class)
}

/// Whether the original finds such a code in the text of an exception: one of its two classifiers
/// takes the first word that has the form of a SQLSTATE, the other the first in brackets.
fn finds(input: &str, is_such: fn(&str) -> bool) -> bool {
    let Some(text) = input.strip_prefix(TEXT) else { return false };
    let first_word = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').find(|word| is_a_code(word));
    let mut in_brackets = text.split('[').skip(1).filter_map(|rest| rest.split_once(']'));
    let first_in_brackets = in_brackets.find(|(code, _)| is_a_code(code)).map(|(code, _)| code);
    first_word.is_some_and(is_such) || first_in_brackets.is_some_and(is_such)
}

fn is_a_code(word: &str) -> bool {
    word.len() == 5 && word.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}
