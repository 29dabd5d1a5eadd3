//! Plays vectors of breakers and of earned budgets, and prints a judgement.

use redress_conformance::Vector;

/// The first failures show what is wrong; the rest are only counted.
const SHOWN: usize = 10;

/// Plays every vector and prints the results. Returns whether all passed.
pub(crate) fn judge(kind: &str, vectors: &[impl Vector]) -> bool {
    let failures: Vec<String> = vectors.iter().filter_map(Vector::difference).collect();
    println!("{kind}: {} passed, {} failed", vectors.len() - failures.len(), failures.len());
    for line in failures.iter().take(SHOWN) {
        println!("  {line}");
    }
    if let Some(more @ 1..) = failures.len().checked_sub(SHOWN) {
        println!("  and {more} more vector(s)");
    }
    failures.is_empty()
}

#[cfg(test)]
mod tests {
    use redress_conformance::{BREAKER_VECTORS, BUDGET_VECTORS, BreakerVector, BudgetVector, Vector};

    use super::judge;

    #[test]
    fn a_wrong_vector_fails_the_judgement() {
        let breakers = |text: &str| judge("breakers", &BreakerVector::parse(text).expect("in the format"));
        assert!(breakers(BREAKER_VECTORS));
        assert!(!breakers(&BREAKER_VECTORS.replace("\"admitted\": true", "\"admitted\": false")));
        let budgets = |text: &str| judge("budgets", &BudgetVector::parse(text).expect("in the format"));
        assert!(budgets(BUDGET_VECTORS));
        assert!(!budgets(&BUDGET_VECTORS.replace("\"granted\": true", "\"granted\": false")));
    }
}
