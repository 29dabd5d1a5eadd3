//! Vectors of earned budgets: a configuration, withdrawals, deposits and returns, and what must be
//! seen after each.
//!
//! They come from a model of the rules that was written apart from this code.

use std::collections::BTreeMap;

use redress_core::Budget;
use redress_core::budget::{Priority, Withdrawal};
use serde::Deserialize;

use crate::class_name::ClassName;
use crate::vector::{Vector, WrongStep};

/// The vectors of this crate, as JSON lines.
pub const BUDGET_VECTORS: &str = include_str!("../data/budget.jsonl");

/// One vector.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetVector {
    id: String,
    budget: Settings,
    steps: Vec<Step>,
    expect: Vec<Expected>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    share: f64,
    capacity: f64,
    reserve: f64,
    costs: BTreeMap<ClassName, u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    Success { times: u32 },
    Withdraw { token: u32, class: ClassName, priority: PriorityName },
    GiveBack { token: u32 },
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct PriorityName(Priority);

impl TryFrom<String> for PriorityName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Priority::from_name(&name).map(Self).ok_or_else(|| format!("`{name}` is not a priority"))
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Expected {
    granted: Option<bool>,
    balance: f64,
}

impl Vector for BudgetVector {
    fn id(&self) -> &str {
        &self.id
    }

    fn play(&self) -> Result<Option<WrongStep>, String> {
        let Settings { share, capacity, reserve, costs } = &self.budget;
        let mut builder = Budget::earned(*share).capacity(*capacity).reserve(*reserve);
        for (ClassName(class), cost) in costs {
            builder = builder.cost_for(*class, *cost);
        }
        let budget = builder.build().map_err(|error| error.to_string())?;
        let mut held = BTreeMap::new();
        for index in 0..self.steps.len().max(self.expect.len()) {
            let (step, expected) = (self.steps.get(index), self.expect.get(index).copied());
            let granted = step.map(|step| take(step, &budget, &mut held)).transpose()?;
            let seen = granted.map(|granted| Expected { granted, balance: budget.balance() });
            let holds = seen.zip(expected).is_some_and(|(seen, expected)| seen.matches(expected));
            if !holds {
                return Ok(Some(WrongStep::new(index, &step, &expected, &seen)));
            }
        }
        Ok(None)
    }
}

impl Expected {
    /// Balances are sums of decimal fractions, which the model adds up in binary.
    fn matches(self, other: Self) -> bool {
        self.granted == other.granted && (self.balance - other.balance).abs() < 1e-6
    }
}

/// Takes a step, and returns whether it was granted, if it is a withdrawal.
fn take<'b>(step: &Step, budget: &'b Budget, held: &mut BTreeMap<u32, Withdrawal<'b>>) -> Result<Option<bool>, String> {
    match *step {
        Step::Success { times } => {
            (0..times).for_each(|_| budget.deposit());
            Ok(None)
        }
        Step::Withdraw { token, class: ClassName(class), priority: PriorityName(priority) } => {
            let withdrawal = budget.withdraw(class, priority);
            let granted = withdrawal.is_some();
            if let Some(withdrawal) = withdrawal {
                held.insert(token, withdrawal);
            }
            Ok(Some(granted))
        }
        Step::GiveBack { token } => {
            let withdrawal = held.remove(&token).ok_or_else(|| format!("token {token} was not granted"))?;
            withdrawal.give_back();
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::vector::Vector;

    use super::{BUDGET_VECTORS, BudgetVector};

    #[test]
    fn every_vector_holds() {
        let vectors = BudgetVector::parse(BUDGET_VECTORS).expect("in the format");
        assert_eq!(vectors.len(), 50);
        for vector in vectors {
            let wrong = vector.play().expect("valid");
            assert!(wrong.is_none(), "{}: {}", vector.id(), wrong.expect("there is one"));
        }
    }

    fn of(expect: &str) -> BudgetVector {
        let settings = r#"{"share": 0.5, "capacity": 1, "reserve": 0, "costs": {}}"#;
        let steps = r#"[{"do": "withdraw", "token": 1, "class": "TRANSIENT", "priority": "normal"}]"#;
        let line = format!(r#"{{"id": "a", "budget": {settings}, "steps": {steps}, "expect": {expect}}}"#);
        BudgetVector::parse(&line).expect("in the format").remove(0)
    }

    #[test]
    fn a_difference_is_found() {
        let right = r#"{"granted": true, "balance": 0.0}"#;
        assert!(of(&format!("[{right}]")).play().expect("valid").is_none());
        for wrong in [
            r#"[{"granted": false, "balance": 0.0}]"#,
            r#"[{"granted": true, "balance": 0.5}]"#,
            "[]",
            &format!("[{right}, {right}]"),
        ] {
            let found = of(wrong).play().expect("valid");
            assert!(found.is_some_and(|found| found.to_string().starts_with("step ")), "{wrong}");
        }
    }
}
