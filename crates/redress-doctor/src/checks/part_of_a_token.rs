//! RD13: a budget whose capacity is less than the price of a retry, so that each is a chance.

use redress_core::ErrorClass;
use redress_core::budget::BudgetSpec;

use crate::code::Code;
use crate::finding::Finding;
use crate::subject::Subject;
use crate::words::{number, percent};

/// The seconds of traffic that a budget suits whose capacity they earn, as in `for_traffic`.
const SECONDS_OF_TRAFFIC: f64 = 10.0;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let (Some(BudgetSpec::Earned(budget)), Some(retry)) = (subject.budget(), subject.retry()) else { return };
    let retried = ErrorClass::ALL.iter().copied().filter(|class| retry.strategy_of(*class).is_some());
    let Some(class) = retried.max_by_key(|class| budget.costs[*class]) else { return };
    let price = f64::from(budget.costs[class]);
    if budget.capacity >= price || is_called_rarely(subject, budget.share, price) {
        return;
    }
    let of_class = (price > 1.0).then_some(class);
    let what = of_class.map_or_else(String::new, |class| format!(" after {class}, which costs {}", number(price)));
    let why = format!(
        "a full budget of {} tokens grants a retry{what} with a chance of {}, also while the dependency is healthy",
        number(budget.capacity),
        percent(budget.capacity / price),
    );
    let how = "raise the capacity, or declare the traffic of clients that call rarely";
    findings.push(Finding::warning(Code::PartOfAToken, "budget.capacity", why, how).of_class(of_class));
}

/// Whether the declared traffic is so little that a chance is what suits it.
fn is_called_rarely(subject: &Subject<'_>, share: f64, price: f64) -> bool {
    subject.traffic().is_some_and(|traffic| traffic.of_one_client() * share * SECONDS_OF_TRAFFIC < price)
}
