//! Validation of a base and a cap, for every strategy that has both.

use std::time::Duration;

use crate::policy::config_error::{Check, ConfigIssue};

/// Checks a base and a cap; `rule` is the text of the rule that relates them.
pub(super) fn bounds(
    base: (&'static str, Duration),
    max: (&'static str, Duration),
    rule: &'static str,
) -> Vec<ConfigIssue> {
    let mut check = Check::default();
    check.duration(base.0, base.1);
    check.duration(max.0, max.1);
    check.that(max.1 >= base.1, max.0, max.1, rule);
    check.into_issues()
}
