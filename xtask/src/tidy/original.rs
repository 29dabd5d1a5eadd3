//! Checks `docs/from-python.md` against `original.txt`, the public names of the original: each has
//! a row under its full name, and no row puts its counterpart off.
//!
//! The names here are resolved by a doctest of `crates/internal/guide`.

use std::collections::BTreeSet;

use super::Finding;

const PAGE: &str = "docs/from-python.md";
const NAMES: &str = include_str!("original.txt");

/// What a row says whose counterpart does not exist yet.
const PUT_OFF: &str = "to come";

/// The page, once it was read.
#[derive(Default)]
pub(super) struct Original {
    page: String,
}

impl Original {
    pub(super) fn read(&mut self, path: &str, text: &str) {
        if path == PAGE {
            text.clone_into(&mut self.page);
        }
    }

    pub(super) fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut report = |place: String, breach: String| findings.push(Finding { place, breach });
        for (index, line) in self.page.lines().enumerate() {
            if line.to_lowercase().contains(PUT_OFF) {
                report(format!("{PAGE}:{}", index + 1), format!("says `{PUT_OFF}`: name the counterpart"));
            }
        }
        let listed: BTreeSet<&str> = self.page.lines().flat_map(originals).collect();
        let known: BTreeSet<&str> = NAMES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        for name in known.difference(&listed) {
            report(PAGE.to_owned(), format!("no row for `{name}` of the original: write its full name in one"));
        }
        let is_qualified = |name: &&&str| name.starts_with("redress.");
        for name in listed.difference(&known).filter(is_qualified) {
            report(PAGE.to_owned(), format!("a row is for `{name}`, which the original does not have"));
        }
        findings
    }
}

/// The names in the first cell of a row: its code, without arguments, defaults, type parameters
/// and the mark of a decorator.
fn originals(line: &str) -> impl Iterator<Item = &str> {
    let cell = line.strip_prefix("| ").and_then(|row| row.split_once(" |")).map_or("", |(cell, _)| cell);
    // Split at backquotes, the odd parts are code.
    let code = cell.split('`').skip(1).step_by(2);
    code.map(|code| code.split(['(', '=', '[']).next().unwrap_or_default().trim_start_matches('@'))
}

#[cfg(test)]
mod tests {
    use super::{NAMES, Original, PAGE, originals};

    fn breaches(page: &str) -> Vec<String> {
        let mut original = Original::default();
        original.read(PAGE, page);
        original.check().iter().map(ToString::to_string).collect()
    }

    /// A row for each name but the one that is left out.
    fn page_without(left_out: &str) -> String {
        let names = NAMES.lines().filter(|line| !line.is_empty() && !line.starts_with('#') && *line != left_out);
        names.map(|name| format!("| `{name}` | `here` | same |\n")).collect()
    }

    #[test]
    fn a_page_with_every_name_is_fine() {
        assert_eq!(breaches(&page_without("")), [""; 0]);
    }

    #[test]
    fn a_missing_name_is_reported() {
        let found = breaches(&page_without("redress.contrib.celery.defer_sleep"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("no row for `redress.contrib.celery.defer_sleep`"), "{found:?}");
    }

    #[test]
    fn a_name_elsewhere_than_in_the_first_cell_is_no_row() {
        let page = page_without("Budget") + "`Budget`\n| other | `Budget` | `Budget` |\n";
        assert_eq!(breaches(&page).len(), 1);
    }

    #[test]
    fn a_name_that_the_original_lacks_is_reported() {
        let found = breaches(&(page_without("") + "| `redress.contrib.nowhere.f(..)` | `here` | same |\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("`redress.contrib.nowhere.f`"), "{found:?}");
    }

    #[test]
    fn a_row_that_is_put_off_is_reported() {
        let found = breaches(&(page_without("") + "| `Budget` | *to come* | |\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("says `to come`"), "{found:?}");
    }

    #[test]
    fn what_surrounds_a_name_is_no_part_of_it() {
        let line = "| `Budget(a, b)`, `window_s=60.0` of `RetryOutcome[T]`, `@retry` | `here` | |";
        assert_eq!(originals(line).collect::<Vec<_>>(), ["Budget", "window_s", "RetryOutcome", "retry"]);
    }
}
