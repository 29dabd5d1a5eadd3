//! The width of comments: at most 100 columns, where a line can be broken.
//!
//! Judges lines that hold nothing but a comment. rustfmt keeps code to its own width and leaves
//! comments alone.

use super::Finding;

const WIDEST: usize = 100;

/// The marks that open a documentation comment, the only kind with fences.
const DOC_MARKS: [&str; 2] = ["///", "//!"];

pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    if !path.ends_with(".rs") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut is_fenced = false;
    for (index, line) in text.lines().enumerate() {
        let Some(comment) = doc_text(line) else {
            // Code ends the comment, and with it a fence that was left open.
            is_fenced = false;
            if let Some(comment) = line.trim_start().strip_prefix("//") {
                findings.extend(too_wide(path, index, line, comment));
            }
            continue;
        };
        if comment.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced {
            findings.extend(too_wide(path, index, line, comment));
        }
    }
    findings
}

/// The text of a line of documentation, without its mark.
pub(super) fn doc_text(line: &str) -> Option<&str> {
    let line = line.trim_start();
    DOC_MARKS.iter().find_map(|mark| line.strip_prefix(mark))
}

fn too_wide(path: &str, index: usize, line: &str, comment: &str) -> Option<Finding> {
    let width = line.trim_end().chars().count();
    if width <= WIDEST || !can_break(comment.trim()) {
        return None;
    }
    let breach = format!("the comment is {width} columns wide: at most {WIDEST}");
    Some(Finding { place: format!("{path}:{}", index + 1), breach })
}

/// Whether Markdown lets the text continue on the next line, and it has a space to break at.
fn can_break(text: &str) -> bool {
    let is_table_row = text.starts_with('|');
    let is_link_definition = text.starts_with('[') && text.contains("]: ");
    let item = text.strip_prefix("- ").or_else(|| text.strip_prefix("* ")).unwrap_or(text);
    !is_table_row && !is_link_definition && item.contains(' ')
}

#[cfg(test)]
mod tests;
