//! The rules for text, checked on the path and content of one file.
//!
//! Rust is read line by line: text that starts with `//`, or follows ` // `, is a comment.

use super::Finding;
use super::rules::{EMPTY_NAMES, FORBIDDEN_WORDS, PRIVATE_PLACES};

pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_rust = path.ends_with(".rs");
    if is_rust {
        check_name(path, &mut findings);
        // A crate may use its README as its documentation.
        if !text.starts_with("//!") && !text.starts_with("#![doc = include_str!(\"../README.md\")]") {
            findings.push(Finding {
                place: format!("{path}:1"),
                breach: "open with `//!`: what a reader finds in the file".to_owned(),
            });
        }
    }
    for (index, line) in text.lines().enumerate() {
        let mut report = |breach: String| {
            findings.push(Finding { place: format!("{path}:{}", index + 1), breach });
        };
        if line.ends_with([' ', '\t']) {
            report("whitespace at the end of the line".to_owned());
        }
        if is_rust {
            check_code(path, code_of(line), &mut report);
        }
        if !is_rust || is_comment(line) {
            check_places(line, &mut report);
        }
    }
    findings
}

fn check_name(path: &str, findings: &mut Vec<Finding>) {
    for part in path.split('/') {
        let name = part.strip_suffix(".rs").unwrap_or(part);
        if EMPTY_NAMES.contains(&name) {
            findings.push(Finding {
                place: path.to_owned(),
                breach: format!("`{name}` says nothing: name the file after the idea it holds"),
            });
        }
    }
}

fn check_code(path: &str, code: &str, report: &mut impl FnMut(String)) {
    for rule in FORBIDDEN_WORDS {
        let holds_here = path.starts_with(rule.under) && rule.except.iter().all(|row| row.path != path);
        if holds_here && code.contains(rule.word) {
            report(format!("`{}` does not belong here: {}", rule.word, rule.why));
        }
    }
}

fn check_places(line: &str, report: &mut impl FnMut(String)) {
    for place in PRIVATE_PLACES {
        if line.contains(place) {
            report(format!("`{place}` means nothing to a reader elsewhere: leave it out"));
        }
    }
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

fn code_of(line: &str) -> &str {
    if is_comment(line) {
        return "";
    }
    line.split_once(" // ").map_or(line, |(code, _)| code)
}

#[cfg(test)]
mod tests;
