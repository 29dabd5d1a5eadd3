//! What is wrong in a file is reported in one go, each problem with its place.

use redress::config::{Loader, PolicyFile};

/// The problems of a file, one in a line.
fn problems(text: &str) -> Vec<String> {
    problems_of(&Loader::new(), text, "p.toml")
}

fn problems_of(loader: &Loader, text: &str, name: &str) -> Vec<String> {
    match loader.parse(text, name) {
        Ok(_) => Vec::new(),
        Err(refused) => refused.problems().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn all_problems_are_reported_in_one_go() {
    let text = r#"[policy.orders]
retry = { max_attempts = 0, max_atempts = 3, max_retry_after = 20 }
deadline = "5 parsecs"
breaker = "oders"
strategy.RateLmit = { kind = "fixed" }
strategy.default = { kind = "retry_after" }
strategy.RateLimit = { kind = "fixed" }
[breaker.orders]
window = 3
trip_on = ["Trnsient"]
[polcy.x]
"#;
    assert_eq!(
        problems(text),
        [
            "p.toml:2:26: policy.orders.retry.max_attempts = 0 must be at least 1",
            "p.toml:2:29: policy.orders.retry.max_atempts must be a setting of a retry: did you mean `max_attempts`?",
            "p.toml:2:64: policy.orders.retry.max_retry_after = 20 must have a unit: write \"20s\" for seconds or \
             \"20ms\" for milliseconds",
            "p.toml:3:12: policy.orders.deadline = \"5 parsecs\" must have units of d, h, m, s, ms, us or ns, as in \
             \"1m 30s\"",
            "p.toml:4:11: policy.orders.breaker = \"oders\" must be the name of a [breaker.*] of this file: did you \
             mean `orders`?",
            "p.toml:5:10: policy.orders.strategy.RateLmit must be a class of failures, or `default`: did you mean \
             `RateLimit`?",
            "p.toml:6:29: policy.orders.strategy.default.kind = \"retry_after\" must be one of \
             \"decorrelated_jitter\", \"exponential\", \"equal_jitter\", \"token_backoff\", \"fixed\", \
             \"retry_after_or\", \"adaptive\": did you mean `retry_after_or`?",
            "p.toml:7:22: policy.orders.strategy.RateLimit.delay must be set",
            "p.toml:9:10: breaker.orders.window = 3 must have a unit: write \"3s\" for seconds or \"3ms\" for \
             milliseconds",
            "p.toml:10:12: breaker.orders.trip_on = \"Trnsient\" must be a class of failures: did you mean \
             `Transient`?",
            "p.toml:11:2: polcy must be a section: policy, breaker, budget or upstream: did you mean `policy`?",
        ]
    );
}

#[test]
fn a_rule_between_two_settings_is_not_applied_if_one_of_them_could_not_be_read() {
    let text = "[policy.orders]\nstrategy.default = { kind = \"exponential\", base = 3, max = \"10ms\" }\n";
    assert_eq!(problems(text).len(), 1, "{:?}", problems(text));
}

#[test]
fn the_line_is_shown_with_a_mark() {
    let refused =
        PolicyFile::parse("[policy.orders]\n\tretry.max_attempts = 0 # none\n", "p.toml").expect_err("0 attempts");
    let shown = "\
p.toml:2:23: policy.orders.retry.max_attempts = 0 must be at least 1
  |
2 |  retry.max_attempts = 0 # none
  |                       ^";
    assert_eq!(refused.to_string(), shown);
}

#[test]
fn text_that_is_no_toml_is_refused_at_each_place() {
    let text = "[policy.orders\nretry = {\nx = \n";
    assert_eq!(
        problems(text),
        ["p.toml:1:15: unclosed table, expected `]`", "p.toml:3:4: unclosed inline table, expected `}`"]
    );
}

#[test]
fn variables_are_named_in_their_problems() {
    let text = "[policy.orders]\nretry = {}\nbreaker = \"db\"\n[breaker.db]\n";
    for (name, value, problem) in [
        ("POLICY__ORDERS__RETRY__MAX_ATTEMPTS", "0", "policy.orders.retry.max_attempts = 0 must be at least 1"),
        (
            "POLICY__ORDERS__RETRY__MAX_ATEMPTS",
            "3",
            "policy.orders.retry.max_atempts must be a setting of a retry: did you mean `max_attempts`?",
        ),
        (
            "POLICY__ODERS__DEADLINE",
            "3s",
            "policy.oders must be the name of a [policy.*] of the file: did you mean `orders`?",
        ),
        (
            "POLICY__ORDERS__BREAKER__WINDOW",
            "3s",
            "policy.orders.breaker must be a table, which the variable sets a value of",
        ),
    ] {
        let name = format!("REDRESS__{name}");
        let loader = Loader::new().variables([(name.as_str(), value)]);
        assert_eq!(problems_of(&loader, text, "p.toml"), [format!("{name}: {problem}")]);
    }
}
