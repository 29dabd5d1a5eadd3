//! Runs the scenarios that come with the crate with a cautious policy and with a careless one, and
//! prints what became of the calls.
//!
//! With the name of a scenario it prints that one alone, with all details, and with the name of a
//! file after it also writes a page.

use std::time::Duration;

use anyhow::Result;
use redress::{AsyncPolicy, Budget, CircuitBreaker, Retry, exponential};
use redress_sim::{ClientBuilder, Clients, Page, Report, Requirement, Scenario};

/// Four attempts of every call.
fn careless() -> ClientBuilder {
    let retry = Retry::builder().max_attempts(4).strategy(exponential());
    AsyncPolicy::builder().retry(retry).attempt_timeout(Duration::from_secs(1)).deadline(Duration::from_secs(10))
}

/// Three attempts, a budget that successes pay for, and a circuit breaker.
fn cautious() -> Result<ClientBuilder> {
    let budget = Budget::earned(0.1).capacity(1.0).build()?;
    let breaker = CircuitBreaker::builder().failure_ratio(0.5).recovery_timeout(Duration::from_secs(5));
    let retry = Retry::builder().max_attempts(3).strategy(exponential()).budget(budget);
    let policy = AsyncPolicy::builder().retry(retry).circuit_breaker(breaker);
    Ok(policy.attempt_timeout(Duration::from_secs(1)).deadline(Duration::from_secs(10)))
}

fn run(scenario: &Scenario, policy: ClientBuilder, label: &str) -> Result<Report> {
    Ok(scenario.run(Clients::alike(scenario.client_count(), policy))?.label(label))
}

/// Prints one scenario, and writes it into a file if there is a name for it.
fn show(name: &str, file: Option<String>) -> Result<()> {
    let scenario = Scenario::named(name)?;
    let cautious = run(&scenario, cautious()?, "cautious")?;
    let careless = run(&scenario, careless(), "careless")?;
    println!("{cautious}\n{}", cautious.against(&careless));
    if let Some(file) = file {
        let page = Page::new("A cautious policy").report(&cautious).comparison(cautious.against(&careless));
        std::fs::write(file, page.to_string())?;
    }
    Ok(())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    if let Some(name) = arguments.next() {
        return show(&name, arguments.next());
    }
    let requirement: Requirement = "recover < 60s".parse()?;
    for name in Scenario::names() {
        let scenario = Scenario::named(name)?;
        let cautious = run(&scenario, cautious()?, "cautious")?;
        let careless = run(&scenario, careless(), "careless")?;
        let [with, without] = [&cautious, &careless].map(|report| requirement.judge(report).measured.to_string());
        println!("{name:12} recovers in {with:>6} with a cautious policy, in {without:>6} with a careless one");
    }
    Ok(())
}
