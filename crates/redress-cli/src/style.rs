//! The colours of the output. `anstream` removes them where the output is no terminal.

use anstyle::{AnsiColor, Style};
use redress_doctor::Severity;

/// Errors.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Warnings.
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Notes.
const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// Headings and names.
pub(crate) const STRONG: Style = Style::new().bold();

/// The style of a severity.
pub(crate) const fn of(severity: Severity) -> Style {
    match severity {
        Severity::Error => ERROR,
        Severity::Warning => WARNING,
        _ => NOTE,
    }
}
