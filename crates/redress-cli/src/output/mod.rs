//! Findings with their places, and the formats they are written in.

mod github;
mod json;
pub(crate) mod replay;
mod sarif;
mod text;

use std::io::Write;

use redress_doctor::Finding;

pub(crate) use self::text::wrapped;
use crate::args::Format;
use crate::commands::Failed;

/// A finding, and where it is.
#[derive(Debug)]
pub(crate) struct Found {
    /// The file as it was named.
    pub(crate) file: String,
    /// The line and the column, counted from 1, if they are known.
    pub(crate) position: Option<(u32, u32)>,
    /// The policy that was examined; empty if the file is refused.
    pub(crate) policy: String,
    /// The preset that sets the setting, if the file does not.
    pub(crate) preset: Option<String>,
    /// The setting in the file, such as `policy.orders.retry.max_attempts`.
    pub(crate) setting: String,
    pub(crate) finding: Finding,
}

impl Found {
    /// `file:line:column`, as far as it is known.
    fn place(&self) -> String {
        match self.position {
            Some((line, column)) => format!("{}:{line}:{column}", self.file),
            None => self.file.clone(),
        }
    }

    /// The setting, and the policy if a shared setting does not name it, or the preset that it is
    /// from.
    fn subject(&self) -> String {
        let Self { setting, policy, preset, .. } = self;
        match preset {
            Some(preset) => format!("{setting} (from the preset {preset})"),
            None if policy.is_empty() || setting.starts_with("policy.") => setting.clone(),
            None => format!("{setting} (policy {policy})"),
        }
    }

    /// Why and how in one line.
    fn message(&self) -> String {
        let Finding { why, how, .. } = &self.finding;
        if how.is_empty() { why.clone() } else { format!("{why}; {how}") }
    }

    /// The setting and the message. A file that cannot be read as its format has no setting.
    fn subject_and_message(&self) -> String {
        if self.setting.is_empty() { self.message() } else { format!("{}: {}", self.subject(), self.message()) }
    }
}

/// Writes the findings in this format.
pub(crate) fn write(found: &[Found], format: Format, out: &mut dyn Write) -> Result<(), Failed> {
    match format {
        Format::Text => text::write(found, out)?,
        Format::Json => json::write(found, out)?,
        Format::Github => github::write(found, out)?,
        Format::Sarif => sarif::write(found, out)?,
    }
    Ok(())
}

/// A number of things: "1 policy", "2 policies".
pub(crate) fn count(number: usize, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}
