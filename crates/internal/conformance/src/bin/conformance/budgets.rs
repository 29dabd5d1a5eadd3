//! Plays the vectors of earned budgets, and prints a judgement.

use redress_conformance::BudgetVector;

/// The first failures show what is wrong; the rest are only counted.
const SHOWN: usize = 10;

/// Plays every vector and prints the results. Returns whether all passed.
pub(crate) fn judge(vectors: &[BudgetVector]) -> bool {
    let failures: Vec<String> = vectors.iter().filter_map(failure).collect();
    println!("budgets: {} passed, {} failed", vectors.len() - failures.len(), failures.len());
    for line in failures.iter().take(SHOWN) {
        println!("  {line}");
    }
    if let Some(more @ 1..) = failures.len().checked_sub(SHOWN) {
        println!("  and {more} more vector(s)");
    }
    failures.is_empty()
}

fn failure(vector: &BudgetVector) -> Option<String> {
    let why = match vector.play() {
        Ok(None) => return None,
        Ok(Some(wrong)) => wrong.to_string(),
        Err(why) => why,
    };
    Some(format!("{}: {why}", vector.id()))
}

#[cfg(test)]
mod tests {
    use redress_conformance::{BUDGET_VECTORS, BudgetVector};

    use super::judge;

    #[test]
    fn a_wrong_vector_fails_the_judgement() {
        let right = BudgetVector::parse(BUDGET_VECTORS).expect("in the format");
        assert!(judge(&right));
        let wrong = BUDGET_VECTORS.replace("\"granted\": true", "\"granted\": false");
        assert!(!judge(&BudgetVector::parse(&wrong).expect("in the format")));
    }
}
