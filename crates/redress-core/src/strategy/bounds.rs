//! The rules of a base and a cap, for every strategy that has both.
//!
//! Owns those rules. Does not know what grows between the two.

use std::time::Duration;

use crate::policy::config_error::{Check, ConfigIssue};

/// What is wrong with a base and a cap; `rule` says what the cap must be beside the base.
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
