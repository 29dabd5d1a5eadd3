//! The scenarios that come with the crate: each is valid, says what it shows, shows it, and has the
//! same bytes on every machine.

use redress_core::{AsyncPolicy, Budget, CircuitBreaker, Retry, exponential};
use redress_sim::{ClientBuilder, Clients, Report, Scenario, ScenarioError};

use crate::{millis, secs};

/// Four attempts and nothing else.
fn careless() -> ClientBuilder {
    let retry = Retry::builder().max_attempts(4).strategy(exponential());
    AsyncPolicy::builder().retry(retry).attempt_timeout(secs(1)).deadline(secs(10))
}

/// A policy with all that a careful user sets.
fn cautious() -> ClientBuilder {
    let budget = Budget::earned(0.1).capacity(1.0).build().expect("valid");
    let breaker = CircuitBreaker::builder().failure_ratio(0.5).recovery_timeout(secs(5));
    let retry = Retry::builder().max_attempts(3).strategy(exponential()).budget(budget);
    AsyncPolicy::builder().retry(retry).circuit_breaker(breaker).attempt_timeout(secs(1)).deadline(secs(10))
}

fn run(name: &str, policy: ClientBuilder) -> Report {
    let scenario = Scenario::named(name).expect("shipped");
    scenario.run(Clients::alike(scenario.client_count(), policy)).expect("valid")
}

#[test]
fn ten_scenarios_say_what_they_show() {
    let names: Vec<&str> = Scenario::names().collect();
    assert_eq!(names.len(), 10);
    for name in names {
        let scenario = Scenario::named(name).expect(name);
        assert_eq!(scenario.title(), name);
        assert!(scenario.description().ends_with(['.', '?']), "{name}");
        let source = Scenario::source(name).expect("it has one");
        assert_eq!(Scenario::from_toml(source).expect("valid").name(name), scenario);
    }
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let Err(error @ ScenarioError::Unknown { .. }) = Scenario::named("blips") else { panic!("unknown") };
    assert!(error.to_string().starts_with("no scenario `blips`: there are blip, slow-death,"), "{error}");
    assert_eq!(Scenario::source("blips"), None);
}

fn amplification(report: &Report) -> f64 {
    report.total().attempts as f64 / report.total().offered as f64
}

/// The hashes fail on a platform that computes something else, and after a change of what the
/// engine draws or of a scenario.
#[test]
fn a_cautious_policy_recovers_in_each_and_every_machine_says_so_in_the_same_bytes() {
    let reports: Vec<Report> = Scenario::names().map(|name| run(name, cautious())).collect();
    let mut found = String::new();
    for (name, report) in Scenario::names().zip(&reports) {
        assert!(report.recovery().is_some(), "{name}");
        assert!(amplification(report) < 1.2, "{name}: {}", amplification(report));
        found += &format!("{name} {:016x}\n", hash(&report.csv().to_string()));
    }
    assert!(found == include_str!("shipped.txt"), "replace shipped.txt if the change is meant:\n{found}");
    #[cfg(feature = "html")]
    {
        let page = reports.iter().fold(redress_sim::Page::new("All"), redress_sim::Page::report).to_string();
        let found = format!("{:016x}\n", hash(&page));
        assert!(found == include_str!("page.txt"), "replace page.txt if the change is meant:\n{found}");
    }
}

/// What each scenario shows: whether the calls recover without a limit on retries.
#[test]
fn a_careless_policy_recovers_in_half_of_them() {
    let recovered: Vec<&str> = Scenario::names().filter(|name| run(name, careless()).recovery().is_some()).collect();
    assert_eq!(recovered, ["blip", "hard-outage", "flapping", "rate-limit", "deploy"]);
}

#[test]
fn a_careful_circuit_stays_closed_for_nine_good_shards_and_a_counting_one_does_not() {
    let breaker = CircuitBreaker::builder().failure_threshold(5).recovery_timeout(secs(5));
    let counting = AsyncPolicy::builder().circuit_breaker(breaker).attempt_timeout(secs(1));
    let [counting, cautious] = [counting, cautious()].map(|policy| run("bad-shard", policy).sum(35..90).good);
    assert!(counting * 4 < cautious * 3, "{counting} {cautious}");
}

#[test]
fn a_deployment_is_not_noticed_by_callers_that_retry() {
    assert_eq!(run("deploy", careless()).total().failed, 0);
    let once = AsyncPolicy::builder().attempt_timeout(secs(1));
    assert!(run("deploy", once).total().failed > 0);
}

#[test]
fn a_blip_is_bridged_by_retries() {
    let once = AsyncPolicy::builder().attempt_timeout(secs(1)).deadline(millis(10_000));
    let [bridged, alone] = [run("blip", careless()), run("blip", once)].map(|report| report.total().failed);
    assert!(bridged * 5 < alone, "{bridged} {alone}");
}

/// FNV-1a, which is short and the same everywhere.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
