//! The rules of the builders, applied to a file: each part is built once, and each issue becomes a
//! problem at the place of its setting.

use redress_core::breaker::BreakerSpec;
use redress_core::budget::BudgetSpec;
use redress_core::error::ConfigIssue;
use redress_core::policy::{PolicySpec, RetrySpec};
use redress_core::strategy::StrategySpec;
use redress_core::{Budget, CircuitBreaker, ConfigError, Policy, Retry};

use crate::keys::breaker::BREAKER;
use crate::keys::file::{BREAKERS, BUDGETS, FileDraft, POLICIES};
use crate::keys::policy::{PolicyDraft, RETRY};
use crate::keys::strategy::path_of_issue;
use crate::kind::part::Part;
use crate::kind::table::Fields;
use crate::tree::{Path, class_key};

/// An issue of a builder and the setting that it is about.
pub(crate) struct Found {
    pub(crate) path: Path,
    pub(crate) issue: ConfigIssue,
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
    found.extend(issues.into_iter().map(|issue| Found { path: in_part(path, &[], draft, &issue), issue }));
    if let Some(Part::Own(spec)) = &draft.breaker {
        breaker(spec, &path.with("breaker"), found);
    }
    let Some(retry) = &draft.retry else { return };
    let of_retry = path.with("retry");
    let mut spec = retry.spec.clone();
    (spec.strategy, spec.strategies) = Default::default();
    let refused = self::issues(Retry::from_spec(spec).build());
    found.extend(
        refused.into_iter().map(|issue| Found { path: in_part(&of_retry, RETRY.fields, retry, &issue), issue }),
    );
    if let Some(Part::Own(spec)) = &retry.budget {
        budget(spec, &of_retry.with("budget"), found);
    }
    strategies(&retry.spec, &path.with("strategy"), found);
}

fn strategies(spec: &RetrySpec, path: &Path, found: &mut Vec<Found>) {
    let default = spec.strategy.iter().map(|spec| ("default".to_owned(), spec));
    let by_class = spec.strategies.iter().filter_map(|(class, spec)| Some((class_key(class), spec.as_ref()?)));
    for (key, spec) in default.chain(by_class) {
        let issues = spec.build().map(|strategy| strategy.issues()).unwrap_or_default();
        found
            .extend(issues.into_iter().map(|issue| Found { path: in_strategy(&path.with(&key), spec, &issue), issue }));
    }
}

fn breaker(spec: &BreakerSpec, path: &Path, found: &mut Vec<Found>) {
    let issues = issues(CircuitBreaker::from_spec(spec.clone()).build());
    found.extend(issues.into_iter().map(|issue| Found { path: in_part(path, BREAKER.fields, spec, &issue), issue }));
}

fn budget(spec: &BudgetSpec, path: &Path, found: &mut Vec<Found>) {
    let issues = issues(Budget::from_spec(spec.clone()));
    let fields =
        crate::keys::budget::BUDGET.variant_of(spec).map_or(&[] as Fields<BudgetSpec>, |variant| (variant.fields)());
    found.extend(issues.into_iter().map(|issue| Found { path: in_part(path, fields, spec, &issue), issue }));
}

fn issues<T>(built: Result<T, ConfigError>) -> Vec<ConfigIssue> {
    built.err().map(|refused| refused.issues().to_vec()).unwrap_or_default()
}

/// The path of an issue whose field is `part.key`, or `part.key.key`, in the table of the part. A
/// setting that is a table says which of its entries has the value.
fn in_part<S>(path: &Path, fields: Fields<S>, spec: &S, issue: &ConfigIssue) -> Path {
    let mut path = path.clone();
    let keys: Vec<_> = issue.field().split('.').skip(1).collect();
    for key in &keys {
        path.push(*key);
    }
    if let [key] = keys.as_slice() {
        let field = fields.iter().find(|field| field.key() == *key);
        if let Some(below) = field.and_then(|field| field.locate(spec, issue.value())) {
            path.push(below);
        }
    }
    path
}

fn in_strategy(path: &Path, spec: &StrategySpec, issue: &ConfigIssue) -> Path {
    path.joined(&path_of_issue(spec, issue.field(), issue.value()))
}

/// What the builders warn of in a policy. `spec` has all parts of it.
pub(crate) fn warnings(name: &str, draft: &PolicyDraft, spec: PolicySpec) -> Vec<Found> {
    let Ok(policy) = Policy::from_spec(spec).build() else { return Vec::new() };
    let path = Path::of([POLICIES, name]);
    let place = |issue: &ConfigIssue| match issue.field().split('.').next() {
        Some("retry") => {
            let of_retry = path.with("retry");
            draft.retry.as_ref().map_or_else(|| path.clone(), |retry| in_part(&of_retry, RETRY.fields, retry, issue))
        }
        Some("circuit_breaker") => match &draft.breaker {
            Some(Part::Shared(name)) => {
                in_part::<BreakerSpec>(&Path::of([BREAKERS, name]), &[], &BreakerSpec::default(), issue)
            }
            _ => in_part::<PolicyDraft>(&path.with("breaker"), &[], draft, issue),
        },
        _ => in_part(&path, &[], draft, issue),
    };
    policy.warnings().iter().map(|issue| Found { path: place(issue), issue: issue.clone() }).collect()
}
