//! [`examine`]: runs every check.

use redress_core::policy::PolicySpec;

use crate::checks;
use crate::circumstances::Circumstances;
use crate::finding::Finding;
use crate::subject::Subject;

/// Examines a policy by its settings, and returns what every check finds, in the order of their
/// codes.
///
/// A policy that cannot be built has errors alone.
///
/// ```
/// use redress::Policy;
/// use redress::doctor::{Circumstances, Code, Severity, Traffic, examine};
///
/// let used = Circumstances::new().traffic(Traffic::new(700.0, 10));
/// let findings = examine(&Policy::default().spec(), &used);
/// let warnings: Vec<_> = findings.iter().filter(|finding| finding.severity >= Severity::Warning).collect();
/// assert_eq!(warnings[0].code, Code::Unbudgeted);
/// assert_eq!(warnings[0].field, "retry.budget");
/// ```
#[must_use]
pub fn examine(spec: &PolicySpec, circumstances: &Circumstances) -> Vec<Finding> {
    let mut findings = Vec::new();
    let warnings = match checks::refused::build(spec) {
        Ok(warnings) => warnings,
        Err(refused) => return refused,
    };
    let subject = Subject::new(spec, circumstances);
    for check in checks::ALL {
        check(&subject, &mut findings);
    }
    checks::without_effect::of_warnings(&warnings, &mut findings);
    findings.sort_by_key(|finding| finding.code);
    findings
}
