//! Scenario files: what they set, and what is said of those that are wrong.

use redress_core::ErrorClass;
use redress_sim::{Fault, Load, Scenario, ScenarioError, Server, ServiceTime};

use crate::{millis, secs};

const ALL: &str = r#"
name = "everything"
about = "Every setting."
horizon = "2m"
seed = 7
clients = 30
trouble = { from = "5s", until = "50s" }

[load]
rate = 10
changes = [{ at = "10s", rate = 20 }, { at = "1m", rate = 0 }]

[server]
workers = 3
service = { mixed = { usual = "10ms", rare = "1.5s", share = 0.01 } }
shards = 4
queue_limit = 100
last_in_first_out = true
drops_below = "20ms"
rate_limit = { requests = 50, window = "1s" }
retry_after = "3s"

[[fault]]
kind = "stands_still"
from = "1s"
until = "2s"

[[fault]]
kind = "slow"
from = "2s"
until = "3s"
times = 5
shard = 1

[[fault]]
kind = "cold"
from = "3s"
until = "4s"
share = 0.25

[[fault]]
kind = "errors"
from = "4s"
until = "5s"
share = 0.5
class = "RATE_LIMIT"
retry_after = "7s"

[[fault]]
kind = "stops"
from = "5s"
until = "6s"

[[fault]]
kind = "deploys"
from = "6s"
until = "9s"
at_once = 2
"#;

#[test]
fn a_file_sets_what_code_sets() {
    let server = Server::new(3, millis(10))
        .service(ServiceTime::Mixed { usual: millis(10), rare: millis(1500), share: 0.01 })
        .shards(4)
        .queue_limit(100)
        .last_in_first_out()
        .drops_below(millis(20))
        .rate_limit(50, secs(1))
        .retry_after(secs(3));
    let expected = Scenario::new(Load::steady(10).then(secs(10), 20).then(secs(60), 0), server)
        .name("everything")
        .about("Every setting.")
        .horizon(secs(120))
        .seed(7)
        .clients(30)
        .trouble(secs(5), secs(50))
        .fault(Fault::stands_still(secs(1), secs(2)))
        .fault(Fault::slow(secs(2), secs(3), 5).on_shard(1))
        .fault(Fault::cold(secs(3), secs(4), 0.25))
        .fault(Fault::errors(secs(4), secs(5), 0.5, ErrorClass::RateLimit).retry_after(secs(7)))
        .fault(Fault::stops(secs(5), secs(6)))
        .fault(Fault::deploys(secs(6), secs(9), 2));
    assert_eq!(Scenario::from_toml(ALL).expect("valid"), expected);
}

#[test]
fn users_and_each_distribution_have_a_form() {
    let file = |service: &str| {
        let text = format!(
            "horizon = \"9s\"\nload = {{ users = 5, think = \"2s\" }}\n[server]\nworkers = 1\nservice = {service}"
        );
        Scenario::from_toml(&text).expect("valid")
    };
    let code =
        |service| Scenario::new(Load::users(5, secs(2)), Server::new(1, millis(1)).service(service)).horizon(secs(9));
    assert_eq!(file("\"4ms\""), code(ServiceTime::Fixed(millis(4))));
    assert_eq!(file("{ fixed = \"4ms\" }"), code(ServiceTime::Fixed(millis(4))));
    assert_eq!(file("{ exponential = \"4ms\" }"), code(ServiceTime::Exponential(millis(4))));
    assert_eq!(file("{ uniform = [\"4ms\", \"6ms\"] }"), code(ServiceTime::Uniform(millis(4), millis(6))));
}

/// The error of the file with one line replaced.
#[track_caller]
fn error(line: &str, by: &str) -> String {
    assert!(ALL.contains(line), "{line}");
    Scenario::from_toml(&ALL.replacen(line, by, 1)).expect_err(by).to_string()
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    for (line, by, says) in [
        ("horizon = \"2m\"", "horizon = \"2 moons\"", &["line 4, column 11", "a duration such as", "\"2 moons\""][..]),
        ("seed = 7", "sead = 7", &["line 5", "unknown field `sead`"]),
        ("workers = 3", "", &["missing field `workers`"]),
        ("clients = 30", "clients = -1", &["line 6"]),
        ("times = 5", "", &["missing field `times`"]),
        ("times = 5", "times = 5\nshare = 0.1", &["unknown field `share`"]),
        ("kind = \"stops\"", "kind = \"stop\"", &["unknown variant `stop`", "`stops`"]),
        ("class = \"RATE_LIMIT\"", "class = \"429\"", &["no class \"429\"", "RATE_LIMIT", "TRANSIENT"]),
        ("service = {", "service = 5 #", &["line 15", "or a table with one distribution"]),
        ("rate = 10", "rate = ", &["line 10"]),
    ] {
        let error = error(line, by);
        assert!(says.iter().all(|part| error.contains(part)), "{by}: {error}");
    }
}

#[test]
fn what_breaks_a_rule_is_listed_with_all_else_that_does() {
    let text = ALL.replace("workers = 3", "workers = 0").replace("rate = 10", "").replace("shard = 1", "shard = 4");
    let Err(ScenarioError::Invalid(issues)) = Scenario::from_toml(&text) else { panic!("refused") };
    let fields: Vec<&str> = issues.iter().map(redress_core::error::ConfigIssue::field).collect();
    assert_eq!(fields, ["load.rate", "server.workers", "fault.shard"]);
    for (line, by, field) in [
        ("rate = 10", "rate = 10\nusers = 5", "load.users"),
        ("rate = 10", "users = 5", "load.think"),
        ("rate = 10", "rate = 10\nthink = \"1s\"", "load.think"),
        ("until = \"50s\"", "until = \"5s\"", "scenario.trouble"),
        ("share = 0.25", "share = 0.0", "fault.share"),
        ("at_once = 2", "at_once = 0", "fault.at_once"),
        ("window = \"1s\"", "window = \"0s\"", "server.rate_limit"),
        ("shards = 4", "shards = 0", "server.shards"),
    ] {
        let error = error(line, by);
        assert!(error.starts_with("invalid scenario: ") && error.contains(field), "{by}: {error}");
    }
}
