//! Judges every recorded table: each row has the original's answer, or an intended difference.

use redress_conformance::{RECORDED_TABLES, TablesReport, judge_tables};

/// A test for each judged table, by its name in the file.
macro_rules! answer_every_row {
    ($($table:ident),* $(,)?) => {
        $(
            #[test]
            fn $table() {
                answers_every_row(stringify!($table));
            }
        )*

        #[test]
        fn no_table_is_left_out() {
            let names: Vec<&str> = report().tables.iter().map(|table| table.name).collect();
            assert_eq!(names, [$(stringify!($table)),*]);
        }
    };
}

answer_every_row!(
    anthropic,
    anthropic_reset,
    boto3,
    default,
    grpc,
    http,
    http_retry_after,
    http_retry_after_value,
    openai,
    openai_reset_duration,
    redis,
    sql,
);

fn report() -> TablesReport {
    judge_tables(RECORDED_TABLES).expect("the recorded tables can be read")
}

fn answers_every_row(name: &str) {
    let report = report();
    let table = report.tables.iter().find(|table| table.name == name).expect("a judged table");
    assert!(table.wrong.is_empty(), "{report}");
    assert!(table.broad.is_empty(), "{report}");
    assert!(table.as_original > table.rows() / 2, "{report}");
}

#[test]
fn no_listed_difference_is_stale() {
    let report = report();
    assert!(report.stale.is_empty(), "{report}");
}
