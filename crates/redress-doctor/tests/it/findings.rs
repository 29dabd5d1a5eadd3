//! Codes, severities and the text of findings.

use std::collections::HashSet;

use redress::doctor::{Circumstances, Code, Severity, examine};
use redress::{Policy, Retry};

#[test]
fn codes_are_unique_ascending_and_found_by_name() {
    let names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    for code in Code::ALL {
        assert_eq!(Code::from_name(code.as_str()), Some(*code));
        let anchor = code.as_str().to_lowercase();
        assert!(code.page().ends_with(&format!("docs/guide/doctor.md#{anchor}")), "{}", code.page());
        assert!(!code.title().is_empty());
    }
    let titles: HashSet<_> = Code::ALL.iter().map(|code| code.title()).collect();
    assert_eq!(titles.len(), Code::ALL.len());
    assert_eq!(Code::from_name("RD99"), None);
}

#[test]
fn severities_are_ordered() {
    assert!(Severity::Note < Severity::Warning && Severity::Warning < Severity::Error);
    let names: Vec<_> = Severity::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["note", "warning", "error"]);
}

#[test]
fn a_finding_is_written_in_one_line() {
    let spec = Policy::builder().retry(Retry::builder().max_attempts(3)).build().expect("valid").spec();
    let text: Vec<_> = examine(&spec, &Circumstances::new()).iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        [
            "note RD01 policy.deadline: a call takes at most 1 min, which is its deadline",
            "note RD02 retry.max_attempts: a call makes at most 3 attempts",
            "note RD04 retry.max_attempts: when every attempt fails, the load is 3 times that of the calls",
            "warning RD11 retry.budget: no budget limits the retries: an outage gets 3 times the load, which may keep it \
             up; add an earned budget with a share of 0.1, which successes pay for",
        ]
    );
}
