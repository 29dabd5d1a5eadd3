//! The rules of the builders, applied to a file: each part is built once, and each issue becomes a
//! problem at the place of its setting.

use redress_core::breaker::BreakerSpec;
use redress_core::budget::BudgetSpec;
use redress_core::error::ConfigIssue;
use redress_core::policy::{PolicySpec, RetrySpec};
use redress_core::strategy::StrategySpec;
use redress_core::{Budget, CircuitBreaker, ConfigError, Policy, Retry};

use crate::class::class_key;
use crate::keys::file::{BREAKERS, BUDGETS, FileDraft, POLICIES};
use crate::keys::policy::{DEFAULT, PolicyDraft};
use crate::keys::strategy::{key_of, unwrapped};
use crate::kind::part::Part;
use crate::path::Path;
use crate::reader::Reader;
use crate::tree::Node;

/// An issue of a builder and the setting that it is about.
pub(crate) struct Found {
    pub(crate) path: Path,
    /// The setting that the value is compared with.
    other: Option<Path>,
    pub(crate) issue: ConfigIssue,
}

impl Found {
    /// Whether what breaks the rule is in the file, and does not stand for a value that could not
    /// be read.
    pub(crate) fn is_of_file(&self, root: &Node, reader: &Reader) -> bool {
        let is_read = |path: &Path| reader.has_read(&path.as_spelled(root));
        is_read(&self.path) && self.other.as_ref().is_none_or(is_read)
    }
}

/// What the builders refuse in a file.
pub(crate) fn refused(file: &FileDraft) -> Vec<Found> {
    let mut found = Vec::new();
    for (name, spec) in &file.breakers {
        breaker(spec, &Path::of([BREAKERS, name]), &mut found);
    }
    for (name, spec) in &file.budgets {
        budget(spec, &Path::of([BUDGETS, name]), &mut found);
    }
    for (name, draft) in &file.policies {
        policy(draft, &Path::of([POLICIES, name]), &mut found);
    }
    found
}

fn policy(draft: &PolicyDraft, path: &Path, found: &mut Vec<Found>) {
    let issues = issues(Policy::from_spec(draft.spec.clone()).build());
    found.extend(issues.into_iter().map(|issue| in_part(path, issue)));
    if let Some(Part::Own(spec)) = &draft.breaker {
        breaker(spec, &path.with("breaker"), found);
    }
    let Some(retry) = &draft.retry else { return };
    let of_retry = path.with("retry");
    let mut spec = retry.spec.clone();
    (spec.strategy, spec.strategies) = Default::default();
    let refused = self::issues(Retry::from_spec(spec).build());
    found.extend(refused.into_iter().map(|issue| in_part(&of_retry, issue)));
    if let Some(Part::Own(spec)) = &retry.budget {
        budget(spec, &of_retry.with("budget"), found);
    }
    strategies(&retry.spec, &path.with("strategy"), found);
}

fn strategies(spec: &RetrySpec, path: &Path, found: &mut Vec<Found>) {
    let default = spec.strategy.iter().map(|spec| (DEFAULT, spec));
    let by_class = spec.strategies.iter().filter_map(|(class, spec)| Some((class_key(class), spec.as_ref()?)));
    for (key, spec) in default.chain(by_class) {
        strategy(spec.clone(), &path.with(key), found);
    }
}

/// The issues of a strategy and of those that it wraps.
fn strategy(spec: StrategySpec, path: &Path, found: &mut Vec<Found>) {
    let (own, fallback) = unwrapped(spec);
    let issues = own.build().map(|strategy| strategy.issues()).unwrap_or_default();
    let at = |field: &str| path.with(key_of(field));
    found.extend(issues.into_iter().map(|issue| Found {
        path: at(issue.field()),
        other: issue.other_field().map(at),
        issue,
    }));
    if let Some(fallback) = fallback {
        strategy(fallback, &path.with("fallback"), found);
    }
}

fn breaker(spec: &BreakerSpec, path: &Path, found: &mut Vec<Found>) {
    let issues = issues(CircuitBreaker::from_spec(spec.clone()).build());
    found.extend(issues.into_iter().map(|issue| in_part(path, issue)));
}

fn budget(spec: &BudgetSpec, path: &Path, found: &mut Vec<Found>) {
    let issues = issues(Budget::from_spec(spec.clone()));
    found.extend(issues.into_iter().map(|issue| in_part(path, issue)));
}

fn issues<T>(built: Result<T, ConfigError>) -> Vec<ConfigIssue> {
    built.err().map(|refused| refused.issues().to_vec()).unwrap_or_default()
}

/// An issue whose field is `part.key`, or `part.key.key`, in the table of the part.
fn in_part(path: &Path, issue: ConfigIssue) -> Found {
    let below = |field: &str| field.split('.').skip(1).fold(path.clone(), |path, key| path.with(key));
    let (mut found, other) = (below(issue.field()), issue.other_field().map(below));
    if let Some(class) = issue.class() {
        found.push(class_key(class));
    }
    Found { path: found, other, issue }
}

/// What the builders warn of in a policy. `spec` has all parts of it.
pub(crate) fn warnings(name: &str, draft: &PolicyDraft, spec: PolicySpec) -> Vec<Found> {
    let Ok(policy) = Policy::from_spec(spec).build() else { return Vec::new() };
    let path = Path::of([POLICIES, name]);
    let found = |issue: ConfigIssue| {
        let path = match (issue.field().split('.').next(), &draft.breaker) {
            (Some("retry"), _) => path.with("retry"),
            (Some("circuit_breaker"), Some(Part::Shared(name))) => Path::of([BREAKERS, name]),
            (Some("circuit_breaker"), _) => path.with("breaker"),
            _ => path.clone(),
        };
        in_part(&path, issue)
    };
    policy.warnings().iter().cloned().map(found).collect()
}
