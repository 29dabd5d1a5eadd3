//! Findings as SARIF 2.1.0, for code scanning.

use std::io::Write;

use redress_doctor::{Code, Severity};
use serde_sarif::sarif::{
    ArtifactLocation, Location, Message, MultiformatMessageString, PhysicalLocation, Region, ReportingDescriptor,
    Result as Entry, ResultLevel, Run, Sarif, Tool, ToolComponent,
};

use super::Found;
use crate::commands::Failed;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(super) fn write(found: &[Found], out: &mut dyn Write) -> Result<(), Failed> {
    let rules: Vec<ReportingDescriptor> = Code::ALL.iter().map(|code| rule(*code)).collect();
    let driver = ToolComponent::builder()
        .name("redress")
        .version(env!("CARGO_PKG_VERSION"))
        .information_uri(env!("CARGO_PKG_REPOSITORY"))
        .rules(rules)
        .build();
    let results: Vec<Entry> = found.iter().map(entry).collect();
    let run = Run::builder().tool(Tool::builder().driver(driver).build()).results(results).build();
    let document = Sarif::builder().schema(SCHEMA).version(serde_json::json!("2.1.0")).runs(vec![run]).build();
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(writeln!(out)?)
}

fn rule(code: Code) -> ReportingDescriptor {
    let title = MultiformatMessageString::builder().text(code.title()).build();
    ReportingDescriptor::builder().id(code.as_str()).short_description(title).help_uri(code.page()).build()
}

fn entry(found: &Found) -> Entry {
    let level = match found.finding.severity {
        Severity::Error => ResultLevel::Error,
        Severity::Warning => ResultLevel::Warning,
        _ => ResultLevel::Note,
    };
    let file = ArtifactLocation::builder().uri(found.file.replace('\\', "/")).build();
    let place = PhysicalLocation::builder().artifact_location(file);
    let place = match found.position {
        Some((line, column)) => place.region(region(line, column)).build(),
        None => place.build(),
    };
    Entry::builder()
        .rule_id(found.finding.code.as_str())
        .level(level)
        .message(Message::builder().text(found.subject_and_message()).build())
        .locations(vec![Location::builder().physical_location(place).build()])
        .build()
}

fn region(line: u32, column: u32) -> Region {
    Region::builder().start_line(i64::from(line)).start_column(i64::from(column)).build()
}
