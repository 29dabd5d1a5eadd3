//! The summary and the scenarios in `docs/guide/simulation.md` are those of the simulator.

use std::time::Duration;

use redress::{AsyncPolicy, Budget, CircuitBreaker, Retry, exponential};
use redress_sim::{Clients, Scenario};

const PAGE: &str = include_str!("../../../../docs/guide/simulation.md");

#[test]
fn the_guide_shows_the_summary_as_it_is() {
    let budget = Budget::earned(0.1).capacity(1.0).build().expect("valid");
    let breaker = CircuitBreaker::builder().failure_ratio(0.5).recovery_timeout(Duration::from_secs(5));
    let retry = Retry::builder().max_attempts(3).strategy(exponential()).budget(budget);
    let policy = AsyncPolicy::builder().retry(retry).circuit_breaker(breaker);
    let policy = policy.attempt_timeout(Duration::from_secs(1)).deadline(Duration::from_secs(10));
    let scenario = Scenario::named("overload").expect("shipped");
    let report = scenario.run(Clients::alike(scenario.client_count(), policy)).expect("valid").label("cautious");
    assert!(
        PAGE.contains(&format!("```text\n{report}```\n")),
        "the summary in docs/guide/simulation.md must be:\n{report}"
    );
}

#[test]
fn the_guide_lists_the_scenarios_in_their_order() {
    let (_, table) = PAGE.split_once("\n| name | what happens | what it shows |\n").expect("the table");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let names: Vec<_> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    assert_eq!(names, Scenario::names().collect::<Vec<_>>());
}
