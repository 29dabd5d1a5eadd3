//! List items in documentation comments: each begins its own line, because Markdown joins one that
//! stands inside a line to the item before it.
//!
//! Reflowing a comment as one paragraph makes such lines.

use super::Finding;
use super::width::doc_text;

pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    if !path.ends_with(".rs") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut is_fenced = false;
    for (index, line) in text.lines().enumerate() {
        let Some(comment) = doc_text(line).map(str::trim) else {
            is_fenced = false;
            continue;
        };
        if comment.starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced && !comment.starts_with('|') && has_item_inside(comment) {
            let breach = "a list item begins inside the line: give it its own line".to_owned();
            findings.push(Finding { place: format!("{path}:{}", index + 1), breach });
        }
    }
    findings
}

/// Whether the mark of an item follows the end of a sentence or clause, or a dash ends the line.
fn has_item_inside(comment: &str) -> bool {
    let words: Vec<&str> = comment.split_whitespace().collect();
    // The mark of the line's own item, such as `2.`, ends no sentence.
    let text = if words.first().is_some_and(|word| is_mark(word)) { &words[1..] } else { &words };
    let follows_an_end = text.windows(2).any(|pair| {
        // A number after a colon is a value, as in `Default: 5.`
        let ends: &[char] = if pair[1] == "-" { &['.', ';', ':'] } else { &['.', ';'] };
        pair[0].ends_with(ends) && is_mark(pair[1])
    });
    follows_an_end || text.last() == Some(&"-")
}

fn is_mark(word: &str) -> bool {
    let number = word.strip_suffix('.').unwrap_or("");
    word == "-" || !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[track_caller]
    fn expect(text: &str, lines: &[usize]) {
        let found: Vec<String> = check("crates/a/src/b.rs", text).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), lines.len(), "{found:#?}");
        for (found, line) in found.iter().zip(lines) {
            assert!(found.starts_with(&format!("crates/a/src/b.rs:{line}: a list item")), "{found:?}");
        }
    }

    #[test]
    fn an_item_that_begins_inside_a_line_is_found() {
        expect("//! - a. - b.\n", &[1]);
        expect("/// a\n    /// - does not count; - it says\n", &[2]);
        expect("//! It has these: - a\n", &[1]);
        expect("//! - a header. -\n//!   and b\n", &[1]);
        expect("//! - a header -\n//!   and b\n", &[1]);
        expect("/// 1. It ends. 2. The first\n", &[1]);
        expect("/// 9. It ends. 10.\n", &[1]);
    }

    #[test]
    fn items_and_dashes_elsewhere_are_left_alone() {
        expect("//! - a.\n//! - b.\n//!\n//! 1. c.\n//! 2. d.\n", &[]);
        expect("/// a - b, -1, 2.5. Default: 5.\n", &[]);
        expect("/// | a. | - | b: - |\n", &[]);
        expect("/// ```\n/// a: - b\n/// ```\n/// a: - b\n", &[4]);
        expect("// a. - b\nlet a = \"b. - c\";\n", &[]);
        assert!(check("README.md", "//! a. - b\n").is_empty());
    }
}
