//! RD22: waits without jitter, so that callers that failed together retry together.

use redress_core::ErrorClass;
use redress_core::strategy::{Jitter, StrategySpec};

use crate::code::Code;
use crate::finding::Finding;
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for (class, strategy) in subject.strategies() {
        look(class, strategy, findings);
    }
}

fn look(class: Option<ErrorClass>, strategy: &StrategySpec, findings: &mut Vec<Finding>) {
    match strategy {
        StrategySpec::Exponential { jitter: Jitter::None, factor, .. } if *factor > 1.0 => {
            let why = "the waits grow without jitter, so callers that failed together retry together";
            let how = "use full jitter, the default";
            findings.push(Finding::warning(Code::NoJitter, "exponential.jitter", why, how).of_class(class));
        }
        StrategySpec::RetryAfterOr { jitter, fallback, .. } => {
            if jitter.is_zero() {
                let why = "nothing is added to hints, so callers with the same hint retry together";
                let how = "add a jitter of up to 250 ms, the default";
                findings.push(Finding::warning(Code::NoJitter, "retry_after_or.jitter", why, how).of_class(class));
            }
            look(class, fallback, findings);
        }
        StrategySpec::Adaptive { fallback, .. } => look(class, fallback, findings),
        _ => {}
    }
}
