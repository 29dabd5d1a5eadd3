//! [`Parts`], the built breakers, budgets and policies of a file, and what of them goes on in those
//! of the next file.

use std::collections::BTreeMap;
use std::sync::Arc;

use redress_core::breaker::BreakerSpec;
use redress_core::budget::BudgetSpec;
use redress_core::classify::DefaultClassifier;
use redress_core::policy::{Async, AsyncPolicy, Blocking, PolicyBuilder};
use redress_core::strategy::{Strategy, StrategySpec};
use redress_core::{Budget, CircuitBreaker, ConfigError, ErrorClass, Policy, Retry};

use crate::file::PolicyFile;
use crate::keys::file::{BREAKERS, BUDGETS, POLICIES};
use crate::keys::policy::{PolicyDraft, RetryDraft};
use crate::kind::part::Part;
use crate::path::Path;
use crate::problem::FileError;

/// Which part it is: a shared one, or that of a policy alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Id {
    Shared(String),
    Of(String),
}

impl Id {
    fn of<T>(part: &Part<T>, policy: &str) -> Self {
        match part {
            Part::Own(_) => Self::Of(policy.to_owned()),
            Part::Shared(name) => Self::Shared(name.clone()),
        }
    }

    fn path(&self, section: &str, key: &[&str]) -> Path {
        match self {
            Self::Shared(name) => Path::of([section, name]),
            Self::Of(policy) => key.iter().fold(Path::of([POLICIES, policy]), |path, key| path.with(key)),
        }
    }
}

/// A part with the spec that it has, or is to have.
#[derive(Clone)]
struct Built<S, T> {
    spec: S,
    part: T,
}

/// The built parts of a file.
#[derive(Clone, Default)]
pub(crate) struct Parts {
    breakers: BTreeMap<Id, Built<BreakerSpec, CircuitBreaker>>,
    budgets: BTreeMap<Id, Built<BudgetSpec, Budget>>,
    policies: BTreeMap<String, Arc<PolicyParts>>,
}

/// The parts of the next file, and those to reconfigure before they are used.
pub(crate) struct Next {
    pub(crate) parts: Parts,
    breakers: Vec<Id>,
    budgets: Vec<Id>,
}

impl Parts {
    /// Builds the parts of a file. Those of `old` that the file still has go on.
    pub(crate) fn of_file(file: &PolicyFile, old: &Self) -> Result<Next, FileError> {
        let mut next = Next { parts: Self::default(), breakers: Vec::new(), budgets: Vec::new() };
        let draft = file.draft();
        let shared = draft.breakers.iter().map(|(name, spec)| (Id::Shared(name.clone()), spec));
        let own = draft.policies.iter().filter_map(|(name, draft)| match &draft.breaker {
            Some(Part::Own(spec)) => Some((Id::Of(name.clone()), spec)),
            _ => None,
        });
        for (id, spec) in shared.chain(own) {
            next.breaker(&id, spec, old).map_err(|error| file.refused(&id.path(BREAKERS, &["breaker"]), &error))?;
        }
        let shared = draft.budgets.iter().map(|(name, spec)| (Id::Shared(name.clone()), spec));
        let own = draft.policies.iter().filter_map(|(name, draft)| match draft.retry.as_ref()?.budget.as_ref()? {
            Part::Own(spec) => Some((Id::Of(name.clone()), spec)),
            Part::Shared(_) => None,
        });
        for (id, spec) in shared.chain(own) {
            next.budget(&id, spec, old)
                .map_err(|error| file.refused(&id.path(BUDGETS, &["retry", "budget"]), &error))?;
        }
        for (name, draft) in &draft.policies {
            let refused = |error| file.refused(&Path::of([POLICIES, name]), &error);
            next.policy(name, draft, old.policies.get(name)).map_err(refused)?;
        }
        Ok(next)
    }

    pub(crate) fn policy(&self, name: &str) -> Option<&Arc<PolicyParts>> {
        self.policies.get(name)
    }

    pub(crate) fn breaker(&self, name: &str) -> Option<CircuitBreaker> {
        self.breakers.get(&Id::Shared(name.to_owned())).map(|built| built.part.clone())
    }

    pub(crate) fn budget(&self, name: &str) -> Option<Budget> {
        self.budgets.get(&Id::Shared(name.to_owned())).map(|built| built.part.clone())
    }
}

impl Next {
    /// Keeps a breaker of this name for events, or builds one.
    fn breaker(&mut self, id: &Id, spec: &BreakerSpec, old: &Parts) -> Result<(), ConfigError> {
        let kept = old.breakers.get(id).filter(|built| built.spec.name == spec.name);
        let part = match kept {
            Some(built) if built.spec == *spec => built.part.clone(),
            kept => {
                let new = CircuitBreaker::from_spec(spec.clone()).build()?;
                match kept {
                    None => new,
                    // The new one shows that the spec breaks no rule.
                    Some(built) => {
                        self.breakers.push(id.clone());
                        built.part.clone()
                    }
                }
            }
        };
        self.parts.breakers.insert(id.clone(), Built { spec: spec.clone(), part });
        Ok(())
    }

    /// Keeps a budget of this kind, or builds one.
    fn budget(&mut self, id: &Id, spec: &BudgetSpec, old: &Parts) -> Result<(), ConfigError> {
        let is_of_kind =
            |built: &&Built<BudgetSpec, Budget>| std::mem::discriminant(&built.spec) == std::mem::discriminant(spec);
        let kept = old.budgets.get(id).filter(is_of_kind);
        let part = match kept {
            Some(built) if built.spec == *spec => built.part.clone(),
            kept => {
                let new = Budget::from_spec(spec.clone())?;
                match kept {
                    None => new,
                    Some(built) => {
                        self.budgets.push(id.clone());
                        built.part.clone()
                    }
                }
            }
        };
        self.parts.budgets.insert(id.clone(), Built { spec: spec.clone(), part });
        Ok(())
    }

    /// Keeps a policy if neither it nor a part of it changed, or puts its parts together.
    fn policy(&mut self, name: &str, draft: &PolicyDraft, old: Option<&Arc<PolicyParts>>) -> Result<(), ConfigError> {
        let breaker_id = draft.breaker.as_ref().map(|part| Id::of(part, name));
        let budget = draft.retry.as_ref().and_then(|retry| retry.budget.as_ref());
        let budget_id = budget.map(|part| Id::of(part, name));
        let breaker = breaker_id.as_ref().and_then(|id| self.parts.breakers.get(id));
        let budget = budget_id.as_ref().and_then(|id| self.parts.budgets.get(id));
        let uses = (breaker.map(|built| built.spec.clone()), budget.map(|built| built.spec.clone()));
        let parts = match old {
            Some(old) if old.draft == *draft && old.uses == uses => Arc::clone(old),
            old => {
                let strategies = old.map(|old| &old.strategies);
                let (retry, strategies) = match &draft.retry {
                    Some(retry) => retry_of(retry, budget.map(|built| built.part.clone()), strategies)?,
                    None => (None, Strategies::default()),
                };
                let breaker = breaker.map(|built| built.part.clone());
                let is_reconfigured = breaker_id.is_some_and(|id| self.breakers.contains(&id))
                    || budget_id.is_some_and(|id| self.budgets.contains(&id));
                Arc::new(PolicyParts { draft: draft.clone(), uses, retry, strategies, breaker, is_reconfigured })
            }
        };
        self.parts.policies.insert(name.to_owned(), parts);
        Ok(())
    }

    /// Reconfigures what changed and goes on. The specs are known to break no rule.
    pub(crate) fn reconfigure(&self, file: &PolicyFile) -> Result<(), FileError> {
        for id in &self.breakers {
            let built = &self.parts.breakers[id];
            let done = built.part.reconfigure(built.spec.clone());
            done.map_err(|error| file.refused(&id.path(BREAKERS, &["breaker"]), &error))?;
        }
        for id in &self.budgets {
            let built = &self.parts.budgets[id];
            let done = built.part.reconfigure(built.spec.clone());
            done.map_err(|error| file.refused(&id.path(BUDGETS, &["retry", "budget"]), &error))?;
        }
        Ok(())
    }

    /// Whether a part of the policy will be reconfigured.
    pub(crate) fn is_reconfigured(&self, policy: &str) -> bool {
        self.parts.policies.get(policy).is_some_and(|parts| parts.is_reconfigured)
    }
}

type Strategies = BTreeMap<Option<ErrorClass>, (StrategySpec, Arc<dyn Strategy>)>;

/// The retry of a policy, with its strategies. One of `old` with the same settings goes on, with
/// what it has learned.
fn retry_of(
    draft: &RetryDraft,
    budget: Option<Budget>,
    old: Option<&Strategies>,
) -> Result<(Option<Retry>, Strategies), ConfigError> {
    let mut strategies = Strategies::new();
    let mut builder = Retry::from_spec(draft.spec.clone());
    let by_class = draft.spec.strategies.iter().map(|(class, spec)| (Some(class), spec.as_ref()));
    for (class, spec) in by_class.chain([(None, draft.spec.strategy.as_ref())]) {
        let Some(spec) = spec else { continue };
        let kept = old.and_then(|old| old.get(&class)).filter(|(old, _)| old == spec);
        let Some(strategy) = kept.map(|(_, strategy)| Arc::clone(strategy)).or_else(|| spec.build()) else { continue };
        builder = match class {
            Some(class) => builder.strategy_for(class, Arc::clone(&strategy)),
            None => builder.strategy(Arc::clone(&strategy)),
        };
        strategies.insert(class, (spec.clone(), strategy));
    }
    if let Some(budget) = budget {
        builder = builder.budget(budget);
    }
    Ok((Some(builder.build()?), strategies))
}

/// All that a policy is made of.
pub(crate) struct PolicyParts {
    draft: PolicyDraft,
    /// The specs of breaker and budget, which may be shared and change without the draft.
    uses: (Option<BreakerSpec>, Option<BudgetSpec>),
    retry: Option<Retry>,
    strategies: Strategies,
    breaker: Option<CircuitBreaker>,
    is_reconfigured: bool,
}

impl PolicyParts {
    pub(crate) fn blocking(&self) -> PolicyBuilder<DefaultClassifier, Blocking> {
        self.complete(Policy::from_spec(self.draft.spec.clone()))
    }

    pub(crate) fn asynchronous<Tm: Default>(&self) -> PolicyBuilder<DefaultClassifier, Async<Tm>> {
        self.complete(AsyncPolicy::from_spec(self.draft.spec.clone()))
    }

    fn complete<K>(&self, mut builder: PolicyBuilder<DefaultClassifier, K>) -> PolicyBuilder<DefaultClassifier, K> {
        if let Some(retry) = &self.retry {
            builder = builder.retry(retry);
        }
        if let Some(breaker) = &self.breaker {
            builder = builder.circuit_breaker(breaker.clone());
        }
        builder
    }
}
