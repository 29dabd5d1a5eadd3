//! Tests of judging tables: right rows, wrong rows, and files that cannot be read.

use std::error::Error;

use super::{TablesError, TablesReport, judge_tables};

/// A file with these tables.
fn file(tables: &str) -> String {
    format!(r#"{{"now": "2031-03-04T05:06:07.250000Z", "tables": {tables}}}"#)
}

fn judged(tables: &str) -> TablesReport {
    judge_tables(&file(tables)).expect("a file of tables")
}

fn refused(text: &str) -> String {
    let refused: TablesError = judge_tables(text).expect_err("not a file of tables");
    format!("{refused}: {}", refused.source().expect("a reason"))
}

#[test]
fn a_row_answered_otherwise_is_wrong_and_told() {
    let report = judged(
        r#"{"default": [{"input": {"name": "X", "status": 404, "code": null, "marker": null},
                         "expect": {"default": "PERMANENT", "strict": "UNKNOWN"}}],
            "http_retry_after_value": [{"input": {"value": "7", "form": "integer"}, "expect": {"seconds": 8}}]}"#,
    );
    assert!(!report.is_passed());
    let told = report.to_string();
    assert!(told.contains("default: 1 rows, 0 as the original, 0 intended differences, 1 wrong"), "{told}");
    assert!(told.contains("we say default PERMANENT, strict PERMANENT"), "{told}");
    assert!(told.contains("we say 7"), "{told}");
}

#[test]
fn class_and_hint_each_need_a_reason() {
    let report = judged(
        r#"{"http_retry_after": [
            {"input": {"status": 425, "retry_after": null, "headers": {"Retry-After": "7"}},
             "expect": {"class": "UNKNOWN", "retry_after_s": null}},
            {"input": {"status": 503, "retry_after": 5, "headers": null},
             "expect": {"class": "SERVER_ERROR", "retry_after_s": null}},
            {"input": {"status": 429, "retry_after": null, "headers": {"Retry-After": "Mon, 04 Mar 2031 05:07:07 GMT"}},
             "expect": {"class": "RATE_LIMIT", "retry_after_s": 59.75}},
            {"input": {"status": 425, "retry_after": -5, "headers": null},
             "expect": {"class": "PERMANENT", "retry_after_s": 0}},
            {"input": {"status": 429, "retry_after": null, "headers": {"Retry-After": "7"}},
             "expect": {"class": "RATE_LIMIT", "retry_after_s": null}}]}"#,
    );
    let table = &report.tables[0];
    let met: Vec<&str> = table.differences.iter().map(|met| met.difference.example).collect();
    assert_eq!(met, ["425", "503 Retry-After: 7", "Mon, 04 Mar 2031 05:07:07 GMT"]);
    let statuses: Vec<&serde_json::Value> = table.wrong.iter().map(|wrong| &wrong.row["input"]["status"]).collect();
    assert_eq!(statuses, [425, 429]);
}

#[test]
fn a_difference_that_covers_a_row_without_a_difference_is_told() {
    let report = judged(
        r#"{"http": [
            {"input": {"status": 422, "status_code": null, "code": null, "args": [], "name": "OpError"},
             "expect": {"class": "PERMANENT"}},
            {"input": {"status": 421, "status_code": null, "code": null, "args": [], "name": "OpError"},
             "expect": {"class": "UNKNOWN"}}]}"#,
    );
    let table = &report.tables[0];
    assert_eq!((table.as_original, table.differences.len(), table.wrong.len()), (1, 1, 0), "{report}");
    let broad: Vec<(&str, &serde_json::Value)> =
        table.broad.iter().map(|broad| (broad.difference.example, &broad.row["input"]["status"])).collect();
    assert_eq!(broad, [("422", &422.into())]);
    assert!(!report.is_passed());
    let told = report.to_string();
    assert!(told.contains("TOO BROAD: http: 422: UNKNOWN -> PERMANENT: "), "{told}");
    assert!(told.contains(r#""status":422"#), "{told}");
}

#[test]
fn equal_seconds_are_no_difference_between_seconds() {
    let report = judged(
        r#"{"http_retry_after": [
            {"input": {"status": 429, "retry_after": null, "headers": {"Retry-After": "7, 1"}},
             "expect": {"class": "RATE_LIMIT", "retry_after_s": 7}}]}"#,
    );
    let table = &report.tables[0];
    assert_eq!((table.as_original, table.broad.len()), (1, 1), "{report}");
}

#[test]
fn tables_without_a_domain_are_named() {
    let report = judged(r#"{"smoke_signals": [{"input": 1}, {"input": 2}]}"#);
    assert!(report.is_passed());
    assert_eq!(report.to_string(), "smoke_signals: 2 rows not judged: domain not built yet\n");
}

#[test]
fn what_is_not_a_file_of_tables_is_refused() {
    assert!(refused("{").starts_with("this is not a file of classifier tables: EOF"));
    assert!(refused("[]").starts_with("this is not a file of classifier tables: "));
    assert!(refused(r#"{"now": "yesterday", "tables": {}}"#).contains("`now`: "));

    let row = |row: &str| refused(&file(&format!(r#"{{"http_retry_after_value": [{row}]}}"#)));
    assert!(
        row(r#"{"input": {"value": 7}, "expect": {"seconds": 7}}"#)
            .starts_with("row 0 of table `http_retry_after_value`")
    );
    assert!(row(r#"{"input": {"value": "7"}}"#).contains("missing field `expect`"));
    assert!(row(r#"{"input": {"value": "7", "zone": 1}, "expect": {"seconds": 7}}"#).contains("unknown field `zone`"));

    let class = r#"{"http": [{"input": {"args": [], "name": "X"}, "expect": {"class": "BAD"}}]}"#;
    assert!(refused(&file(class)).contains("`BAD` is not an error class"));
    let header = r#"{"http_retry_after": [{"input": {"status": 429, "headers": {"a b": "7"}}, "expect": {"class": "UNKNOWN"}}]}"#;
    assert!(refused(&file(header)).contains("invalid HTTP header name"));
}
