//! What the command makes from itself: completions, manual pages, the schema, the picture.

use std::ffi::OsStr;

use serde_json::Value;

use crate::run::{redress, redress_with, text};

#[test]
fn completions_name_the_subcommands_in_each_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = text(&redress(&["completions", shell]));
        assert!(script.contains("doctor") && script.contains("explain"), "{shell}");
    }
}

#[test]
fn manual_pages_are_written_for_each_subcommand() {
    assert!(text(&redress(&["man"])).contains(".TH redress 1"));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let output = redress(&["man".as_ref(), "--dir".as_ref(), dir.path().as_os_str()]);
    assert_eq!(output.status.code(), Some(0));
    for page in ["redress.1", "redress-doctor.1", "redress-explain.1", "redress-replay.1", "redress-check.1"] {
        let page = std::fs::read_to_string(dir.path().join(page)).expect(page);
        assert!(page.contains(".SH NAME"));
    }
    let missing = dir.path().join("missing");
    let output = redress(&["man".as_ref(), "--dir".as_ref(), missing.as_os_str()]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_schema_is_json() {
    let schema: Value = serde_json::from_str(&text(&redress(&["schema"]))).expect("JSON");
    assert!(schema["properties"]["policy"].is_object());
}

#[test]
fn the_picture_is_svg_with_a_mark_for_each_strategy() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let picture = dir.path().join("waits.svg");
    let arguments = ["explain", "--preset", "http", "--svg"].map(OsStr::new);
    let output = redress(&[&arguments[..], &[picture.as_os_str()]].concat());
    assert_eq!(output.status.code(), Some(0));
    let svg = std::fs::read_to_string(picture).expect("written");
    assert!(svg.starts_with("<svg") && svg.contains("RATE_LIMIT") && svg.contains("after attempt"));
}

#[test]
fn explanations_are_json_too() {
    let text = text(&redress(&["explain", "--preset", "http", "--format", "json"]));
    let explained: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(explained["policy"], "preset http");
    let waits = &explained["waits"][0]["waits"][0];
    assert_eq!((&waits["attempt"], &waits["least"], &waits["most"]), (&1.into(), &0.25.into(), &0.75.into()));
    assert!(explained["gates"].as_array().is_some_and(|gates| gates.len() >= 10));
}

#[test]
fn the_page_of_a_simulation_has_a_chart_and_no_script() {
    expect_a_page(&["simulate", "tests/corpus/good/rd22_no_jitter.toml", "tests/cmd/small.toml"]);
}

#[test]
fn the_page_of_a_replay_has_a_chart_and_no_script() {
    expect_a_page(&["replay", "tests/cmd/replay/four-times.toml", "tests/cmd/replay/calls.jsonl"]);
}

/// Expects that the command writes a page with a chart and without a script.
fn expect_a_page(command: &[&str]) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let page = dir.path().join("report.html");
    let arguments: Vec<&OsStr> = command.iter().chain(&["--html"]).map(OsStr::new).collect();
    let output = redress(&[&arguments[..], &[page.as_os_str()]].concat());
    assert_eq!(output.status.code(), Some(0));
    let html = std::fs::read_to_string(page).expect("written");
    assert!(html.starts_with("<!doctype html>") && html.contains("<svg") && !html.contains("<script"));
}

#[test]
fn replays_are_json_too() {
    let arguments = ["replay", "tests/cmd/replay/four-times.toml", "tests/cmd/replay/calls.jsonl", "--format", "json"];
    let output = redress(&[&arguments[..], &["--require", "success > 90%"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let replayed: Value = serde_json::from_str(&text(&output)).expect("JSON");
    assert_eq!((&replayed["recorded"]["good"], &replayed["recorded"]["open_us"]), (&16.into(), &Value::Null));
    let policy = &replayed["policies"][0];
    assert_eq!(
        (&policy["policy"], &policy["certainty"], &policy["runs"]),
        (&"orders".into(), &"drawn".into(), &100.into())
    );
    assert_eq!(policy["likely"]["calls"], serde_json::json!([19, 19]));
    assert_eq!((&policy["all_fail"]["good"], &policy["all_succeed"]["good"]), (&16.into(), &18.into()));
    assert_eq!(policy["all_fail"]["MAX_ATTEMPTS_GLOBAL"], 2);
    assert!(policy["limits"].as_array().is_some_and(|limits| limits.len() == 4), "{policy}");
    assert_eq!((&replayed["from_us"], &replayed["span_us"]), (&1_795_000_000_000_000_u64.into(), &45_000_000.into()));
    assert_eq!(replayed["requirements"][0]["holds"], false);
}

#[test]
fn a_log_may_come_from_the_standard_input_and_in_parts() {
    let log = std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/replay/calls.jsonl"));
    let log = log.expect("readable");
    let middle = log.iter().position(|byte| *byte == b'\n').expect("lines") + 1;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let part = dir.path().join("calls.jsonl.1");
    std::fs::write(&part, &log[..middle]).expect("written");
    let part = part.to_str().expect("UTF-8");
    let whole = ["replay", "tests/cmd/replay/four-times.toml", "tests/cmd/replay/calls.jsonl", "--format", "json"];
    let parts = ["replay", "tests/cmd/replay/four-times.toml", "-", part, "--format", "json"];
    let counts = |output: &[u8]| {
        let mut read: Value = serde_json::from_slice(output).expect("JSON");
        // It has the names of the files.
        read["policies"][0]["limits"].take();
        read
    };
    let output = redress_with(&parts, &log[middle..]);
    assert_eq!(counts(&output.stdout), counts(&redress(&whole).stdout));
}
