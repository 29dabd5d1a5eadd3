//! The corpus: each file in `bad` is named for the code that is found in it, and the file of the
//! same name in `good` is how it should be.

use serde_json::Value;

use crate::run::{corpus, redress, text};

/// The codes of the findings in a file.
fn codes(file: &std::path::Path, arguments: &[&str]) -> Vec<String> {
    let file = file.to_str().expect("UTF-8");
    let output = redress(&[&["doctor", file, "--format", "json"], arguments].concat());
    let document: Value = serde_json::from_str(&text(&output)).expect("JSON");
    let findings = document["findings"].as_array().expect("an array");
    findings.iter().map(|finding| finding["code"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn each_bad_file_has_the_finding_that_it_is_named_for() {
    for file in corpus("bad") {
        let name = file.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        let code = name[..4].to_uppercase();
        assert!(codes(&file, &[]).contains(&code), "{name}: {:?}", codes(&file, &[]));
    }
}

#[test]
fn each_good_file_has_notes_alone() {
    for file in corpus("good") {
        assert_eq!(codes(&file, &[]), Vec::<String>::new(), "{}", file.display());
        assert!(codes(&file, &["--notes"]).len() >= 2, "{}", file.display());
    }
}

#[test]
fn every_warning_has_a_file_in_the_corpus() {
    let names: Vec<_> = corpus("bad").iter().map(|file| file.file_name().expect("a file").to_owned()).collect();
    // RD02 and RD04 are notes.
    for code in redress_doctor::Code::ALL.iter().filter(|code| !["RD02", "RD04"].contains(&code.as_str())) {
        let code = code.as_str().to_lowercase();
        assert!(names.iter().any(|name| name.to_string_lossy().starts_with(&code)), "{code}: {names:?}");
    }
}

#[test]
fn findings_have_the_line_of_their_setting() {
    let output = redress(&["doctor", "tests/corpus/bad/rd12_budget_binds_late.toml"]);
    let text = text(&output);
    assert!(text.starts_with("tests/corpus/bad/rd12_budget_binds_late.toml:2:53: warning RD12 budget.shared.capacity"));
    let file = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/bad/rd12_budget_binds_late.toml"),
    );
    let line = file.expect("readable").lines().nth(1).expect("two lines").to_owned();
    assert!(line[52..].starts_with("capacity") || line[52..].starts_with("10"), "{}", &line[52..]);
}
