//! Validation of a base and a cap, for every strategy that has both.

use std::time::Duration;

use crate::policy::config_error::{Check, ConfigIssue};

/// Checks a base and a cap.
pub(super) fn bounds(base: (&'static str, Duration), max: (&'static str, Duration)) -> Vec<ConfigIssue> {
    let mut check = Check::default();
    check.duration(base.0, base.1);
    check.duration(max.0, max.1);
    check.beside(base.0, max.1 >= base.1, max.0, max.1, "be at least the base");
    check.into_issues()
}
