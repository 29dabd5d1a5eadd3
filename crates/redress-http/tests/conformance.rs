//! The original's recorded tables about HTTP, through this crate's public functions.
//!
//! How they are read and judged is `redress_testing::conformance`'s; the rows that may differ are listed in
//! `redress_http::differences`.

use redress_testing::conformance::{PUBLIC_TABLES, judge_tables};

#[test]
fn the_tables_about_http_are_answered_as_the_original_answers_or_differ_on_purpose() {
    let report = judge_tables(PUBLIC_TABLES).expect("the published tables can be read");
    let of_http: Vec<_> = report.tables.iter().filter(|table| table.name.starts_with("http")).collect();
    assert_eq!(of_http.len(), 3, "{report}");
    assert!(of_http.iter().all(|table| table.wrong.is_empty()), "{report}");
    assert!(report.stale.is_empty(), "{report}");
}
