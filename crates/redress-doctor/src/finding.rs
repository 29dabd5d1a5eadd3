//! [`Finding`] and its [`Severity`].

use std::fmt;

use redress_core::ErrorClass;

use crate::code::Code;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// A figure worth knowing, such as the worst case of a call.
    Note,
    /// A policy that works, but not as its settings suggest, or not in an outage.
    Warning,
    /// A policy that cannot be built.
    Error,
}

impl Severity {
    /// Every severity, the mildest first.
    pub const ALL: &'static [Self] = &[Self::Note, Self::Warning, Self::Error];

    /// The name: `note`, `warning` or `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that a check found.
///
/// `Display` writes `warning RD11 retry.budget: why; how`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The check.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// The builder method of the setting that it is about, such as `retry.max_attempts`.
    pub field: &'static str,
    /// The class whose setting it is about, if the setting is per class.
    pub class: Option<ErrorClass>,
    /// What is found, with its figures.
    pub why: String,
    /// What to do about it. Empty for a note that asks for nothing.
    pub how: String,
}

impl Finding {
    /// A finding that is not about a single class, for checks beyond those of [`examine`].
    ///
    /// [`examine`]: crate::examine
    #[must_use]
    pub fn new(
        code: Code,
        severity: Severity,
        field: &'static str,
        why: impl Into<String>,
        how: impl Into<String>,
    ) -> Self {
        Self { code, severity, field, class: None, why: why.into(), how: how.into() }
    }

    pub(crate) fn note(code: Code, field: &'static str, why: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, field, why, String::new())
    }

    pub(crate) fn warning(code: Code, field: &'static str, why: impl Into<String>, how: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, field, why, how)
    }

    pub(crate) fn error(code: Code, field: &'static str, why: impl Into<String>, how: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, field, why, how)
    }

    pub(crate) fn of_class(self, class: Option<ErrorClass>) -> Self {
        Self { class, ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.severity, self.code, self.field)?;
        if let Some(class) = self.class {
            write!(f, "({class})")?;
        }
        write!(f, ": {}", self.why)?;
        if self.how.is_empty() { Ok(()) } else { write!(f, "; {}", self.how) }
    }
}
