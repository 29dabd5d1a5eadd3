//! Comments one column too wide, and the lines that may be as wide as they are.

use super::{WIDEST, check};

const PATH: &str = "crates/a/src/b.rs";

/// A line of this width that begins as given and has a space to break at.
fn line(begins: &str, width: usize) -> String {
    let words = format!("{begins} word ");
    let rest = width - words.chars().count();
    format!("{words}{}", "x".repeat(rest))
}

#[track_caller]
fn expect(text: &str, lines: &[usize]) {
    let found: Vec<String> = check(PATH, text).iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), lines.len(), "{found:#?}");
    for (found, line) in found.iter().zip(lines) {
        assert!(found.starts_with(&format!("{PATH}:{line}: the comment is")), "{found:?}");
    }
}

#[test]
fn comments_of_each_kind_have_a_width() {
    for mark in ["//", "///", "//!", "        //", "    ///"] {
        expect(&line(mark, WIDEST), &[]);
        expect(&format!("//! a\n{}\n", line(mark, WIDEST + 1)), &[2]);
    }
}

#[test]
fn the_width_counts_characters() {
    expect(&line("// \u{e9}\u{e9}\u{e9}", WIDEST), &[]);
    let found = check(PATH, &line("//", 104));
    assert_eq!(found[0].to_string(), "crates/a/src/b.rs:1: the comment is 104 columns wide: at most 100");
}

#[test]
fn code_is_left_to_rustfmt() {
    expect(&line("let a = 1; //", WIDEST + 1), &[]);
    expect(&line("    \"https://", WIDEST + 1), &[]);
    assert!(check("README.md", &line("//", WIDEST + 1)).is_empty());
}

#[test]
fn lines_that_cannot_be_broken_may_be_wide() {
    expect(&line("/// | a |", WIDEST + 1), &[]);
    expect(&line("//! [`Name`]: crate::", WIDEST + 1), &[]);
    expect(&format!("// {}", "x".repeat(WIDEST)), &[]);
    expect(&format!("/// - {}", "x".repeat(WIDEST)), &[]);
}

#[test]
fn a_link_in_a_sentence_is_no_definition() {
    expect(&line("/// [`Name`] says", WIDEST + 1), &[1]);
    expect(&line("/// see [name]: it", WIDEST + 1), &[1]);
}

#[test]
fn fenced_lines_may_be_wide() {
    let wide = line("///", WIDEST + 1);
    expect(&format!("/// ```\n{wide}\n/// ```\n"), &[]);
    expect(&format!("/// ```\n/// let a = 1;\n/// ```\n{wide}\n"), &[4]);
}

#[test]
fn code_and_plain_comments_end_a_fence() {
    let wide = line("///", WIDEST + 1);
    expect(&format!("/// ```\nfn f() {{}}\n{wide}\n"), &[3]);
    expect(&format!("// ```\n{}\n", line("//", WIDEST + 1)), &[2]);
}
