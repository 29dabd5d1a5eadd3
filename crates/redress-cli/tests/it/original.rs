//! The 14 checks of the Python original's doctor, as `docs/from-python.md` lists them: a file with
//! the fault that each looks for has a finding at the setting.

use serde_json::Value;

use crate::run::{redress, text};

/// What the original checks, settings of a policy with the fault, the code, and the setting.
const CHECKS: [(&str, &str, &str, &str); 14] = [
    ("deadline_s is above zero", "deadline = '0s'", "RD00", "deadline"),
    ("attempt_timeout_s is above zero", "attempt_timeout = '0s'", "RD00", "attempt_timeout"),
    ("it is below the deadline", "deadline = '5s'\nattempt_timeout = '9s'", "RD20", "attempt_timeout"),
    ("max_attempts is at least 1", "retry.max_attempts = 0", "RD00", "retry.max_attempts"),
    ("max_unknown_attempts is not negative", "retry.max_unknown_retries = -1", "RD00", "retry.max_unknown_retries"),
    (
        "it is not above max_attempts",
        "retry = { max_attempts = 3, max_unknown_retries = 4 }",
        "RD20",
        "retry.max_unknown_retries",
    ),
    ("there is a strategy", "strategy.default = {}", "RD00", "strategy.default.kind"),
    ("it can be called", "strategy.default.kind = 'jitterd'", "RD00", "strategy.default.kind"),
    ("class_strategies has classes", "strategy.RateLimits = { kind = 'fixed' }", "RD00", "strategy.RateLimits"),
    ("its values can be called", "strategy.RateLimit.kind = 5", "RD00", "strategy.RateLimit.kind"),
    ("result_classifier can be called", "result_classifier = 'status'", "RD00", "result_classifier"),
    ("sleep can be called", "sleep = 5", "RD00", "sleep"),
    (
        "per_class_max_attempts has classes",
        "retry.max_retries_for.RateLimits = 1",
        "RD00",
        "retry.max_retries_for.RateLimits",
    ),
    ("its limits are not negative", "retry.max_retries_for.RateLimit = -1", "RD00", "retry.max_retries_for.RateLimit"),
];

#[test]
fn each_check_of_the_original_finds_its_fault() {
    for (check, settings, code, setting) in CHECKS {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a temporary file");
        std::fs::write(file.path(), format!("[policy.orders]\n{settings}\n")).expect("written");
        let output = redress(&["doctor".as_ref(), file.path().as_os_str(), "--format=json".as_ref()]);
        let document: Value = serde_json::from_str(&text(&output)).expect("JSON");
        let findings = document["findings"].as_array().expect("an array").iter();
        let found: Vec<_> = findings
            .map(|finding| (finding["code"].as_str().unwrap_or(""), finding["setting"].as_str().unwrap_or("")))
            .collect();
        assert!(found.contains(&(code, &*format!("policy.orders.{setting}"))), "{check}: {found:?}");
    }
}
