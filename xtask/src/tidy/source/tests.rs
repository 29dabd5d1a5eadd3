//! A breach of each rule for text, and cases that only look like one.

use super::check;

#[track_caller]
fn expect(path: &str, text: &str, breaches: &[&str]) {
    let found: Vec<String> = check(path, text).iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), breaches.len(), "{found:#?}");
    for (found, breach) in found.iter().zip(breaches) {
        assert!(found.contains(breach), "{found:?} does not say {breach:?}");
    }
}

#[test]
fn rust_opens_with_its_purpose() {
    expect("crates/a/src/lib.rs", "//! Owns a.\n", &[]);
    expect("crates/a/src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n", &[]);
    expect("crates/a/src/lib.rs", "use std::fmt;\n", &["lib.rs:1: open with"]);
    expect("crates/a/src/lib.rs", "", &["lib.rs:1: open with"]);
    expect("README.md", "# a\n", &[]);
}

#[test]
fn lines_end_where_they_end() {
    expect("README.md", "one \ntwo\nthree\t\n", &["README.md:1: whitespace", "README.md:3: whitespace"]);
}

#[test]
fn names_carry_an_idea() {
    expect("crates/a/src/util.rs", "//! a\n", &["`util` says nothing"]);
    expect("crates/a/tests/common/mod.rs", "//! a\n", &["`common` says nothing"]);
    expect("crates/a/src/utilisation.rs", "//! a\n", &[]);
}

#[test]
fn forbidden_words_hold_in_code_only() {
    let path = "crates/a/src/lib.rs";
    expect(path, "//! a\n#[allow(dead_code)]\n", &["lib.rs:2: `[allow(`"]);
    expect(path, "//! a\n#![allow(dead_code)]\n", &["lib.rs:2: `[allow(`"]);
    expect(path, "//! a\n    todo!()\n", &["lib.rs:2: `todo!`"]);
    expect(path, "//! a\n/// Never `todo!()`.\nfn f() {} // no dbg!(f)\n", &[]);
}

#[test]
fn the_core_knows_neither_runtime_nor_wall_clock() {
    let text = "//! a\nuse std::time::SystemTime;\nstd::thread::sleep(delay);\ntokio::spawn(f);\n";
    expect(
        "crates/redress-core/src/clock.rs",
        text,
        &["clock.rs:2: `SystemTime`", "clock.rs:3: `thread::sleep`", "clock.rs:4: `tokio`"],
    );
    expect("crates/redress-core/tests/clock.rs", text, &[]);
    expect("crates/redress-tokio/src/timer.rs", text, &[]);
}

#[test]
fn text_names_no_place_of_one_machine() {
    expect("README.md", "See /home/notes.\n", &["README.md:1: `/home/`"]);
    expect("crates/a/src/lib.rs", "//! From /Users/me.\n", &["lib.rs:1: `/Users/`"]);
    expect("crates/a/src/lib.rs", "//! a\nconst ROUTE: &str = \"/home/:id\";\n", &[]);
}
