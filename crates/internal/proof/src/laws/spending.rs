//! The law of a budget: no window holds more grants than its limit.

use super::{Law, Laws};

/// Checks grants, given by their instants in order, against a limit within any window. A grant
/// exactly one window old does not count, so the one `limit` places later may be that close.
pub fn check_grants(grants: &[u64], whose: &str, (limit, window): (u32, u64), laws: &Laws) {
    let later = grants.iter().skip(limit as usize);
    for (first, over) in grants.iter().zip(later) {
        laws.require(Law::BudgetWindow, over - first >= window, || {
            format!("{whose}: more grants from {first} to {over} than {limit} in {window} ns")
        });
    }
}
