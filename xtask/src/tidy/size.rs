//! The limits on the length of a source file, 400 lines, and of a function, 50 lines.
//!
//! Reads the layout that rustfmt writes: a function ends at the brace with the indentation of its
//! first line.

use super::Finding;

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 50;

/// The words that may come before `fn` in the first line of a function.
const BEFORE_FN: [&str; 7] = ["pub", "pub(crate)", "pub(super)", "const", "async", "extern", "\"C\""];

/// Checks sources only: tests have no limit.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    if !path.ends_with(".rs") || !path.contains("/src/") {
        return Vec::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut findings = Vec::new();
    if lines.len() > LONGEST_FILE {
        let breach = format!("{} lines: at most {LONGEST_FILE}, or the file holds more than one idea", lines.len());
        findings.push(Finding { place: path.to_owned(), breach });
    }
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function(line) else { continue };
        let length = length(&lines[index..]);
        if length > LONGEST_FUNCTION {
            let breach = format!("`{name}` has {length} lines: at most {LONGEST_FUNCTION}");
            findings.push(Finding { place: format!("{path}:{}", index + 1), breach });
        }
    }
    findings
}

/// The name of the function, if this is the first line of one.
fn function(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip_while(|word| BEFORE_FN.contains(word));
    if words.next()? != "fn" {
        return None;
    }
    words.next()?.split(['(', '<']).next()
}

/// The number of lines up to the closing brace; 1 for a declaration without a body.
fn length(lines: &[&str]) -> usize {
    let opened = lines.iter().find(|line| line.ends_with(['{', ';', '}']));
    if opened.is_none_or(|line| !line.ends_with('{')) {
        return 1;
    }
    let indent = lines[0].len() - lines[0].trim_start().len();
    let closes = |line: &&str| line.len() - line.trim_start().len() == indent && line.trim_start().starts_with('}');
    lines.iter().position(closes).map_or(1, |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_FILE, LONGEST_FUNCTION, check};

    fn function_of(lines: usize) -> String {
        format!("    pub(crate) fn long<T>(a: T) -> u8 {{\n{}    }}\n", "        a();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_has_at_most_so_many_lines() {
        let path = "crates/a/src/b.rs";
        assert!(check(path, &function_of(LONGEST_FUNCTION)).is_empty());
        let found = check(path, &format!("//! b\n{}", function_of(LONGEST_FUNCTION + 1)));
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("crates/a/src/b.rs:2: `long` has 51 lines"), "{}", found[0]);
    }

    #[test]
    fn a_declaration_is_no_function() {
        let declared = "    fn named<F>(&self) -> u8\n    where\n        F: Fn();\n    fn short() {}\n";
        let text = format!("{declared}{}", function_of(LONGEST_FUNCTION));
        assert!(check("crates/a/src/b.rs", &text).is_empty());
    }

    #[test]
    fn a_file_has_at_most_so_many_lines() {
        let text = "//! a\n".repeat(LONGEST_FILE + 1);
        assert_eq!(check("crates/a/src/b.rs", &text).len(), 1);
        assert!(check("crates/a/tests/b.rs", &text).is_empty());
    }
}
