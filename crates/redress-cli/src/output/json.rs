//! Findings as one JSON object.

use std::io::Write;

use serde::Serialize;

use super::Found;
use crate::commands::Failed;

#[derive(Serialize)]
struct Document<'a> {
    findings: Vec<Entry<'a>>,
}

/// Keys are never removed; readers should ignore those that they do not know.
#[derive(Serialize)]
struct Entry<'a> {
    code: &'static str,
    severity: &'static str,
    title: &'static str,
    file: &'a str,
    line: Option<u32>,
    column: Option<u32>,
    policy: &'a str,
    preset: Option<&'a str>,
    setting: &'a str,
    field: &'static str,
    class: Option<&'static str>,
    why: &'a str,
    how: &'a str,
    page: &'static str,
}

impl<'a> Entry<'a> {
    fn of(found: &'a Found) -> Self {
        let finding = &found.finding;
        Self {
            code: finding.code.as_str(),
            severity: finding.severity.as_str(),
            title: finding.code.title(),
            file: &found.file,
            line: found.position.map(|(line, _)| line),
            column: found.position.map(|(_, column)| column),
            policy: &found.policy,
            preset: found.preset.as_deref(),
            setting: &found.setting,
            field: finding.field,
            class: finding.class.map(redress_core::ErrorClass::as_str),
            why: &finding.why,
            how: &finding.how,
            page: finding.code.page(),
        }
    }
}

pub(super) fn write(found: &[Found], out: &mut dyn Write) -> Result<(), Failed> {
    let document = Document { findings: found.iter().map(Entry::of).collect() };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(writeln!(out)?)
}
