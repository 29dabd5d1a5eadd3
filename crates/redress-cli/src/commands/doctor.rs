//! `redress doctor`: examines every policy of some files.

use std::io::Write;

use redress_doctor::{Severity, examine};

use super::{Failed, Verdict};
use crate::args::Doctor;
use crate::files::{self, PolicyFile};
use crate::output::{self, Found};

pub(super) fn run(arguments: &Doctor, out: &mut dyn Write) -> Result<Verdict, Failed> {
    let mut found = Vec::new();
    for path in &arguments.files {
        match files::read(path)? {
            Ok(file) => found.extend(findings(&file, arguments.policy.as_deref())?),
            Err(problems) => found.extend(problems),
        }
    }
    let least = if arguments.notes { Severity::Note } else { Severity::Warning };
    let denied = found.iter().any(|found| found.finding.severity >= arguments.deny.severity());
    found.retain(|found| found.finding.severity >= least);
    output::write(&found, arguments.format, out)?;
    Ok(Verdict::denied_if(denied))
}

fn findings(file: &PolicyFile, named: Option<&str>) -> Result<Vec<Found>, Failed> {
    let policies = match named {
        None => file.policies().collect(),
        Some(name) => vec![file.policy(Some(name))?],
    };
    let of_policy = |policy: files::Entry<'_>| {
        let found = examine(policy.spec(), policy.circumstances());
        found.into_iter().map(move |finding| policy.locate(finding)).collect::<Vec<_>>()
    };
    Ok(policies.into_iter().flat_map(of_policy).collect())
}
