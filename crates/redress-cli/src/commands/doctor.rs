//! `redress doctor`: examines every policy of some files.

use std::io::Write;

use redress_doctor::{Severity, examine};

use super::{Failed, Verdict};
use crate::args::Doctor;
use crate::files::{self, PolicyFile};
use crate::output::{self, Found};

pub(super) fn run(arguments: &Doctor, out: &mut dyn Write) -> Result<Verdict, Failed> {
    let mut found = Vec::new();
    let mut worst = None;
    for path in &arguments.files {
        match files::read(path)? {
            Ok(file) => worst = worst.max(examined(&file, arguments, &mut found)?),
            Err(problems) => {
                worst = worst.max(Some(Severity::Error));
                found.extend(problems);
            }
        }
    }
    output::write(&found, arguments.format, out)?;
    Ok(Verdict::denied_if(worst.is_some_and(|worst| worst >= arguments.deny.severity())))
}

/// Adds the findings that are written, and returns the worst severity of all.
fn examined(file: &PolicyFile, arguments: &Doctor, found: &mut Vec<Found>) -> Result<Option<Severity>, Failed> {
    let policies = match arguments.policy.as_deref() {
        None => file.policies().collect(),
        Some(name) => vec![file.policy(Some(name))?],
    };
    let least = if arguments.notes { Severity::Note } else { Severity::Warning };
    let mut worst = None;
    for policy in policies {
        for finding in examine(policy.spec(), policy.circumstances()) {
            worst = worst.max(Some(finding.severity));
            if finding.severity >= least {
                found.push(policy.locate(finding));
            }
        }
    }
    Ok(worst)
}
