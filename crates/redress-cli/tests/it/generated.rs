//! What the command makes from itself: completions, manual pages, the schema, the picture.

use serde_json::Value;

use crate::run::{redress, text};

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
    for page in ["redress.1", "redress-doctor.1", "redress-explain.1", "redress-check.1"] {
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
    let arguments = ["explain", "--preset", "http", "--svg"].map(std::ffi::OsStr::new);
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
    let dir = tempfile::tempdir().expect("a temporary folder");
    let page = dir.path().join("report.html");
    let arguments = ["simulate", "tests/corpus/good/rd22_no_jitter.toml", "tests/cmd/small.toml", "--html"]
        .map(std::ffi::OsStr::new);
    let output = redress(&[&arguments[..], &[page.as_os_str()]].concat());
    assert_eq!(output.status.code(), Some(0));
    let html = std::fs::read_to_string(page).expect("written");
    assert!(html.starts_with("<!doctype html>") && html.contains("<svg") && !html.contains("<script"));
}
