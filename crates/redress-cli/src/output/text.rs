//! Findings for people, 80 columns wide.

use std::io::{self, Write};

use redress_doctor::{Code, Severity};

use super::{Found, count};
use crate::style;

/// The width of the output.
pub(crate) const WIDTH: usize = 80;

pub(super) fn write(found: &[Found], out: &mut dyn Write) -> io::Result<()> {
    for found in found {
        let (severity, code) = (found.finding.severity, found.finding.code);
        let (colour, strong) = (style::of(severity), style::STRONG);
        let subject = found.subject();
        let subject = if subject.is_empty() { subject } else { format!(" {subject}") };
        writeln!(out, "{}: {colour}{severity}{colour:#} {strong}{code}{strong:#}{subject}", found.place())?;
        writeln!(out, "{}", wrapped(&found.message(), "    "))?;
    }
    summary(found, out)
}

fn summary(found: &[Found], out: &mut dyn Write) -> io::Result<()> {
    if found.is_empty() {
        return writeln!(out, "nothing found");
    }
    let counts: Vec<_> = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .into_iter()
        .map(|(severity, name)| (found.iter().filter(|found| found.finding.severity == severity).count(), name))
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| count(number, name, &format!("{name}s")))
        .collect();
    let page = Code::Refused.page().split('#').next().unwrap_or_default();
    writeln!(out, "\n{}; each code is explained in\n{page}", counts.join(", "))
}

/// The text in lines of at most 80 columns, each after this indent. No line ends between a number
/// and its unit.
pub(crate) fn wrapped(text: &str, indent: &str) -> String {
    let options = textwrap::Options::new(WIDTH).initial_indent(indent).subsequent_indent(indent);
    let options = options.word_separator(textwrap::WordSeparator::AsciiSpace).break_words(false);
    textwrap::fill(&held_together(text), options).replace(NO_BREAK, " ")
}

/// A blank that is not an end of a line.
const NO_BREAK: char = '\u{a0}';

/// The text with such a blank after each number.
fn held_together(text: &str) -> String {
    let mut after_digit = false;
    let held = text.chars().map(|letter| {
        let blank = letter == ' ' && after_digit;
        after_digit = letter.is_ascii_digit();
        if blank { NO_BREAK } else { letter }
    });
    held.collect()
}
