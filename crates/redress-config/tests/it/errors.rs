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
            "p.toml:11:2: polcy must be one of the sections policy, breaker, budget, upstream: did you mean `policy`?",
        ]
    );
}

#[test]
fn a_rule_between_two_settings_is_not_applied_if_one_of_them_could_not_be_read() {
    const MAX_BELOW_BASE: &str = "base = 3, max = '10ms' }";
    const GROWTH: &str = "recovery_timeout = 1, recovery_growth = { factor = 2, max = '1s' } }";
    for (text, field) in [
        (format!("strategy.default = {{ kind = 'exponential', {MAX_BELOW_BASE}"), "strategy.default.base"),
        (format!("strategy.default = {{ kind = 'decorrelated_jitter', {MAX_BELOW_BASE}"), "strategy.default.base"),
        (format!("strategy.RATE_LIMIT = {{ kind = 'exponential', {MAX_BELOW_BASE}"), "strategy.RATE_LIMIT.base"),
        (
            format!(
                "strategy.default = {{ kind = 'retry_after_or', fallback = {{ kind = 'exponential', {MAX_BELOW_BASE} }}"
            ),
            "strategy.default.fallback.base",
        ),
        (
            "strategy.default = { kind = 'adaptive', min_multiplier = 'x', max_multiplier = 0.5, fallback = { kind = \
             'fixed', delay = '1s' } }"
                .to_owned(),
            "strategy.default.min_multiplier",
        ),
        (format!("breaker = {{ {GROWTH}"), "breaker.recovery_timeout"),
    ] {
        let found = problems(&format!("[policy.p]\n{text}\n"));
        assert!(found.len() == 1 && found[0].contains(&format!("policy.p.{field} = ")), "{found:?}");
    }
    assert_eq!(problems(&format!("breaker.b = {{ {GROWTH}\n")).len(), 1);
}

#[test]
fn problems_at_the_edges_of_names_and_values() {
    for (text, problem) in [
        ("[polcy.p]\n", "polcy must be one of the sections policy, breaker, budget, upstream: did you mean `policy`?"),
        ("[policy.\"\"]\n", "policy.\"\" must have a name other than \"\" and \"none\""),
        (
            "[policy.p]\ndeadline = 1.5\n",
            "policy.p.deadline = 1.5 must have a unit: write \"1.5s\" for seconds or \"1.5ms\" for milliseconds",
        ),
    ] {
        let found = problems(text);
        assert!(found.len() == 1 && found[0].ends_with(&format!(": {problem}")), "{found:?}");
    }
    let refused = PolicyFile::parse(&format!("[policy.p]\ndeadline = '{}'\n", "x".repeat(99)), "p.toml");
    let refused = refused.expect_err("no duration");
    assert_eq!(refused.problems()[0].value(), Some(format!("'{}..", "x".repeat(59)).as_str()));
}

#[test]
fn a_shared_breaker_warns_once_at_its_place() {
    let text = "[breaker.db]\nclass_threshold = { Transient = 3 }\ntrip_on = ['Transient']\nfailure_threshold = 5\n\
                [policy.a]\nbreaker = 'db'\n[policy.b]\nbreaker = 'db'\n\
                [policy.own]\nbreaker = { class_threshold = { Transient = 3 }, trip_on = ['Transient'], \
                failure_threshold = 5 }\n";
    let file = PolicyFile::parse(text, "p.toml").unwrap_or_else(|refused| panic!("{refused}"));
    let warnings = file.warnings();
    let of_breakers = warnings.iter().filter(|warning| warning.field().contains("breaker"));
    let places: Vec<_> = of_breakers.map(|warning| (warning.field().to_owned(), warning.place().line())).collect();
    assert_eq!(
        places,
        [
            ("breaker.db.failure_threshold".to_owned(), Some(4)),
            ("policy.own.breaker.failure_threshold".to_owned(), Some(10))
        ]
    );
}

#[test]
fn a_setting_that_could_not_be_read_hides_no_rule_of_another_one() {
    let text = "policy.p.strategy.default = { kind = 'exponential', base = 3, factor = 0.5 }\n";
    let found = problems(text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[1].ends_with("policy.p.strategy.default.factor = 0.5 must be a number of at least 1"), "{found:?}");
}

#[test]
fn places_are_counted_in_lines_and_characters() {
    // Long lines, and characters of several bytes on both sides of what is wrong.
    let long = "\u{e9}".repeat(3_000);
    for before in ["", "a = 1\n", &format!("# {long}\n\n# {long}\r\n")] {
        let lines = before.matches('\n').count() + 1;
        let text = format!("{before}policy.p = {{ name = '{long}', deadline = 3 }} # {long}\n");
        let refused = PolicyFile::parse(&text, "p.toml").expect_err("no unit");
        let places: Vec<_> = refused.problems().iter().map(|problem| problem.place().to_string()).collect();
        let place = format!("p.toml:{lines}:{}", "policy.p = { name = '', deadline = ".len() + 3_000 + 1);
        assert!(places.contains(&place), "{places:?} without {place}");
    }
}

#[test]
fn the_nearest_name_is_spelled_as_its_source_spells_it() {
    let text = "[policy.p]\nretry = {}\n";
    let nearest = |name: &str| {
        let loader = Loader::new().variables([(format!("REDRESS__POLICY__P__{name}"), "'1s'")]);
        let refused = loader.parse(text, "p.toml").expect_err(name);
        refused.problems()[0].nearest().map(str::to_owned)
    };
    assert_eq!(nearest("STRATEGY__RATELIMITS").as_deref(), Some("RATE_LIMIT"));
    assert_eq!(nearest("RETRY__MAX_ATEMPTS").as_deref(), Some("MAX_ATTEMPTS"));
    assert_eq!(nearest("DEADLIN").as_deref(), Some("DEADLINE"));
    let in_value = Loader::new().variables([("REDRESS__POLICY__P__RETRY", "{ max_atempts = 3 }")]);
    let refused = in_value.parse(text, "p.toml").expect_err("a slip");
    assert_eq!(refused.problems()[0].nearest(), Some("max_attempts"));
    assert_eq!(
        problems("[policy.p]\nstrategy.ratelimit = {}\n"),
        [
            "p.toml:2:10: policy.p.strategy.ratelimit must be a class of failures, or `default`: did you mean `RateLimit`?"
        ]
    );
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
            "policy.orders.retry.max_atempts must be a setting of a retry: did you mean `MAX_ATTEMPTS`?",
        ),
        (
            "POLICY__ODERS__DEADLINE",
            "3s",
            "policy.oders must be the name of a [policy.*] of the file: did you mean `ORDERS`?",
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
