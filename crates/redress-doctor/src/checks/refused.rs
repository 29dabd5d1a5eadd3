//! RD00: settings that `build()` refuses.

use std::time::Duration;

use redress_core::Policy;
use redress_core::error::ConfigIssue;
use redress_core::policy::{PolicyBreaker, PolicySpec, RetrySpec};
use redress_core::strategy::StrategySpec;

use crate::code::Code;
use crate::finding::Finding;

/// Builds the policy, and returns its warnings, or what is refused.
pub(crate) fn build(spec: &PolicySpec) -> Result<Vec<ConfigIssue>, Vec<Finding>> {
    match Policy::from_spec(buildable(spec)).build() {
        Ok(policy) => Ok(policy.warnings().to_vec()),
        Err(refused) => Err(refused.issues().iter().map(finding).collect()),
    }
}

fn finding(issue: &ConfigIssue) -> Finding {
    let why = format!("{} is refused", issue.value());
    let how = format!("it must {}", issue.rule());
    Finding::error(Code::Refused, issue.field(), why, how).of_class(issue.class())
}

/// The settings without the parts that are code, which a spec does not hold.
fn buildable(spec: &PolicySpec) -> PolicySpec {
    let mut spec = spec.clone();
    spec.breaker = spec.breaker.filter(|breaker| !matches!(breaker, PolicyBreaker::Custom));
    if let Some(retry) = &mut spec.retry {
        replace_custom(retry);
    }
    spec
}

fn replace_custom(retry: &mut RetrySpec) {
    let stand_in = |strategy: &mut StrategySpec| {
        if strategy.build().is_none() {
            *strategy = StrategySpec::Fixed { delay: Duration::ZERO };
        }
    };
    retry.strategy.iter_mut().for_each(stand_in);
    for class in redress_core::ErrorClass::ALL {
        retry.strategies[*class].iter_mut().for_each(stand_in);
    }
}
