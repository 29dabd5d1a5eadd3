//! The result of validating a configuration: [`ConfigError`], [`ConfigIssue`], and the collector
//! that `build()` uses. The rules are defined next to the fields they check.

use std::fmt;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::policy::config_value::ConfigValue;

/// One error or warning about a configuration: the field, its value, and the rule it breaks.
///
/// `Display` prints all three, such as `retry.max_retries_for(RATE_LIMIT) = 65535 must be at most
/// 65534`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigIssue {
    field: &'static str,
    class: Option<ErrorClass>,
    value: ConfigValue,
    rule: &'static str,
    other: Option<&'static str>,
}

impl ConfigIssue {
    /// Creates an issue with `field`, whose `value` breaks `rule`. The rule is phrased to follow
    /// "must", as in "be at least 1".
    pub fn new(field: &'static str, value: impl Into<ConfigValue>, rule: &'static str) -> Self {
        Self { field, class: None, value: value.into(), rule, other: None }
    }

    /// Names the class, for a setting that exists once for each class.
    #[must_use]
    pub const fn of_class(mut self, class: ErrorClass) -> Self {
        self.class = Some(class);
        self
    }

    /// Says that the rule compares the value with that of another field, such as a cap with its
    /// base.
    #[must_use]
    pub const fn compared_with(mut self, other: &'static str) -> Self {
        self.other = Some(other);
        self
    }

    /// The builder method that set the field, such as `retry.max_attempts`. A part of what the
    /// method takes follows it: `circuit_breaker.trial.places`.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// The class, for a setting that exists once for each class.
    #[must_use]
    pub const fn class(&self) -> Option<ErrorClass> {
        self.class
    }

    /// The invalid value.
    #[must_use]
    pub const fn value(&self) -> &ConfigValue {
        &self.value
    }

    /// The rule, phrased to follow "must".
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }

    /// The field that the rule compares the value with, such as `exponential.base`. `None` if the
    /// rule is about the value alone.
    #[must_use]
    pub const fn other_field(&self) -> Option<&'static str> {
        self.other
    }
}

impl fmt::Display for ConfigIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field)?;
        if let Some(class) = self.class {
            write!(f, "({class})")?;
        }
        write!(f, " = {} must {}", self.value, self.rule)
    }
}

/// A configuration that `build()` refused, with every rule it breaks.
///
/// ```
/// use std::time::Duration;
/// use redress::{Policy, Retry};
///
/// let refused = Policy::builder().retry(Retry::builder().max_attempts(0)).deadline(Duration::ZERO).build().unwrap_err();
/// let fields: Vec<_> = refused.issues().iter().map(|issue| issue.field()).collect();
/// assert_eq!(fields, ["retry.max_attempts", "policy.deadline"]);
/// assert!(refused.to_string().contains("retry.max_attempts = 0 must be at least 1"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid configuration: {}", Joined(issues))]
pub struct ConfigError {
    issues: Vec<ConfigIssue>,
}

impl ConfigError {
    /// The issues, at least one.
    #[must_use]
    pub fn issues(&self) -> &[ConfigIssue] {
        &self.issues
    }
}

/// The issues, separated by semicolons.
struct Joined<'a>(&'a [ConfigIssue]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, issue) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{issue}")?;
        }
        Ok(())
    }
}

impl From<ConfigIssue> for ConfigError {
    fn from(issue: ConfigIssue) -> Self {
        Self { issues: vec![issue] }
    }
}

/// Collects the issues of one `build()`.
#[derive(Debug, Default)]
pub(crate) struct Check {
    issues: Vec<ConfigIssue>,
}

impl Check {
    pub(crate) fn that(&mut self, holds: bool, field: &'static str, value: impl Into<ConfigValue>, rule: &'static str) {
        if !holds {
            self.issues.push(ConfigIssue::new(field, value, rule));
        }
    }

    /// Checks the value of one class.
    pub(crate) fn of_class(
        &mut self,
        class: ErrorClass,
        holds: bool,
        field: &'static str,
        value: impl Into<ConfigValue>,
        rule: &'static str,
    ) {
        if !holds {
            self.issues.push(ConfigIssue::new(field, value, rule).of_class(class));
        }
    }

    /// Checks a value against that of another field.
    pub(crate) fn beside(
        &mut self,
        other: &'static str,
        holds: bool,
        field: &'static str,
        value: impl Into<ConfigValue>,
        rule: &'static str,
    ) {
        if !holds {
            self.issues.push(ConfigIssue::new(field, value, rule).compared_with(other));
        }
    }

    /// Checks that a duration is neither zero nor too long for a 64-bit count of nanoseconds.
    pub(crate) fn duration(&mut self, field: &'static str, value: Duration) {
        self.that(!value.is_zero(), field, value, "be longer than zero");
        self.countable(field, value);
    }

    /// Checks that a duration fits a 64-bit count of nanoseconds.
    pub(crate) fn countable(&mut self, field: &'static str, value: Duration) {
        let fits = value.as_nanos() <= u128::from(u64::MAX);
        self.that(fits, field, value, "be at most 584 years, the span of 2^64 nanoseconds");
    }

    pub(crate) fn extend(&mut self, issues: impl IntoIterator<Item = ConfigIssue>) {
        self.issues.extend(issues);
    }

    /// Returns the part, or collects its issues.
    pub(crate) fn accept<T>(&mut self, built: Result<T, ConfigError>) -> Option<T> {
        match built {
            Ok(part) => Some(part),
            Err(refused) => {
                self.extend(refused.issues);
                None
            }
        }
    }

    pub(crate) fn into_issues(self) -> Vec<ConfigIssue> {
        self.issues
    }

    pub(crate) fn finish(self) -> Result<(), ConfigError> {
        if self.issues.is_empty() { Ok(()) } else { Err(ConfigError { issues: self.issues }) }
    }
}
