//! Each rule of each builder, broken in each format: the problem names the place of the value.

use std::time::Duration;

use redress::ErrorClass;
use redress::config::PolicyFile;
use redress::error::ConfigValue;

/// A path, a value in JSON, and the rule that it breaks.
const RULES: &[(&str, &str, &str)] = &[
    ("policy.p.deadline", "\"0s\"", "be longer than zero"),
    ("policy.p.deadline", "\"600y\"", "have units of d, h, m, s, ms, us or ns, as in \"1m 30s\""),
    ("policy.p.attempt_timeout", "\"0ms\"", "be longer than zero"),
    ("policy.p.attempt_timeout", "\"999999d\"", "be at most 584 years, the span of 2^64 nanoseconds"),
    ("policy.p.retry.max_attempts", "0", "be at least 1"),
    ("policy.p.retry.max_attempts", "4294967296", "be between 0 and 4294967295"),
    ("policy.p.retry.max_retry_after", "\"0s\"", "be longer than zero"),
    ("policy.p.retry.max_unknown_retries", "65535", "be at most 65534; leave it out for no cap"),
    ("policy.p.retry.max_retries_for.RateLimit", "65535", "be at most 65534; leave it out for no cap"),
    ("breaker.b.failure_threshold", "0", "be at least 1"),
    ("breaker.b.failure_threshold", "16777217", "be at most 16777216 (128 MiB of window)"),
    ("breaker.b.class_threshold.RATE_LIMIT", "0", "be at least 1"),
    ("breaker.b.window", "\"0s\"", "be longer than zero"),
    ("breaker.b.recovery_timeout", "\"0s\"", "be longer than zero"),
    ("breaker.b.probe_lease", "\"0s\"", "be longer than zero"),
    ("breaker.b.failure_ratio", "0.0", "be between 0.000001 and 1"),
    ("breaker.b.failure_ratio", "1.5", "be between 0.000001 and 1"),
    ("breaker.b.min_calls", "0", "be at least 1"),
    ("breaker.b.consecutive_failures", "0", "be at least 1"),
    ("breaker.b.slow_call", "\"0s\"", "be longer than zero"),
    ("breaker.b.open_on_retry_after", "\"0s\"", "be longer than zero"),
    ("breaker.b.honour_retry_after", "\"0s\"", "be longer than zero"),
    ("breaker.b.recovery_jitter", "1.5", "be between 0 and 1"),
    ("breaker.b.trial.places", "0", "be at least 1"),
    ("breaker.b.trial.passes", "0", "be at least 1"),
    ("policy.p.breaker.min_calls", "0", "be at least 1"),
];

/// Keys with their values in JSON.
type Entries = &'static [(&'static str, &'static str)];

/// Tables in JSON with one value that breaks a rule: the table's path, its content, the key below
/// it, the value, and the rule.
const TABLES: &[(&str, Entries, &str)] = &[
    ("breaker.b.recovery_growth", &[("factor", "0.5"), ("max", "\"1h\"")], "be between 1 and 1000"),
    ("breaker.b.recovery_growth", &[("max", "\"1s\""), ("factor", "2.0")], "be at least the recovery timeout"),
    ("breaker.b.ramp", &[("length", "\"0s\""), ("from", "0.1")], "be longer than zero"),
    ("breaker.b.ramp", &[("from", "1.5"), ("length", "\"1m\"")], "be between 0 and 1"),
    ("budget.b", &[("share", "0.0"), ("kind", "\"earned\"")], "be from 0.000001 to 1000"),
    ("budget.b", &[("capacity", "0.0"), ("kind", "\"earned\"")], "be from 0.000001 to 1000000000"),
    ("budget.b", &[("reserve", "-1.0"), ("kind", "\"earned\"")], "be from 0 to 1000000000"),
    ("budget.b", &[("window", "\"0s\""), ("kind", "\"window\""), ("max_retries", "3")], "be longer than zero"),
    (
        "budget.b",
        &[("max_retries", "16777217"), ("kind", "\"window\""), ("window", "\"1s\"")],
        "be at most 16777216 (128 MiB of window)",
    ),
    ("policy.p.retry.budget", &[("share", "0.0"), ("kind", "\"earned\"")], "be from 0.000001 to 1000"),
    (
        "policy.p.strategy.default",
        &[("delay", "\"999999d\""), ("kind", "\"fixed\"")],
        "be at most 584 years, the span of 2^64 nanoseconds",
    ),
    ("policy.p.strategy.Transient", &[("base", "\"0s\""), ("kind", "\"exponential\"")], "be longer than zero"),
    ("policy.p.strategy.Transient", &[("max", "\"1ms\""), ("kind", "\"exponential\"")], "be at least the base"),
    ("policy.p.strategy.Transient", &[("factor", "0.5"), ("kind", "\"equal_jitter\"")], "be a number of at least 1"),
    ("policy.p.strategy.default", &[("max", "\"1ms\""), ("kind", "\"decorrelated_jitter\"")], "be at least the base"),
];

/// Stands in front of the value that breaks a rule, until its place is known.
const MARK: &str = "@@";

/// A file with some values in the table at a path, in each format. The first one is marked.
fn files(path: &str, entries: &[(&str, &str)]) -> [(&'static str, String); 3] {
    let keys: Vec<_> = path.split('.').collect();
    let joined = |separator: &str, assign: &str, quote: &str| {
        let mut marks = std::iter::once(MARK).chain(std::iter::repeat(""));
        let mut entry = |(key, value): &(&str, &str)| {
            format!("{quote}{key}{quote}{assign}{}{value}", marks.next().unwrap_or_default())
        };
        entries.iter().map(&mut entry).collect::<Vec<_>>().join(separator)
    };
    let toml = format!("# A comment.\n\n[{path}]\n{}\n", joined("\n", " = ", ""));
    let mut yaml = "# A comment.\n".to_owned();
    for (depth, key) in keys.iter().enumerate() {
        yaml += &format!("{}{key}:\n", "  ".repeat(depth));
    }
    let indent = "  ".repeat(keys.len());
    yaml += &format!("{indent}{}\n", joined(&format!("\n{indent}"), ": ", ""));
    let open: String = keys.iter().map(|key| format!("{{\"{key}\": ")).collect();
    let json = format!("{open}{{\n  {}\n}}{}\n", joined(",\n  ", ": ", "\""), "}".repeat(keys.len()));
    [("p.toml", toml), ("p.yaml", yaml), ("p.json", json)]
}

fn assert_refused(path: &str, entries: &[(&str, &str)], rule: &str) {
    let (key, value) = entries[0];
    for (name, marked) in files(path, entries) {
        let (before, after) = marked.split_once(MARK).expect("a mark");
        let line = before.lines().count();
        let column = before.lines().last().map_or(0, str::len) + 1;
        let text = format!("{before}{after}");
        let refused = PolicyFile::parse(&text, name).expect_err(&text);
        let problems: Vec<_> = refused.problems().iter().map(ToString::to_string).collect();
        assert_eq!(problems, [format!("{name}:{line}:{column}: {path}.{key} = {value} must {rule}")], "{text}");
    }
}

#[test]
fn values_that_break_a_rule_are_refused_at_their_place_in_every_format() {
    for (path, value, rule) in RULES {
        let (table, key) = path.rsplit_once('.').expect("a table and a key");
        assert_refused(table, &[(key, value)], rule);
    }
}

#[test]
fn tables_that_break_a_rule_are_refused_at_their_value_in_every_format() {
    for (path, entries, rule) in TABLES {
        assert_refused(path, entries, rule);
    }
}

#[test]
fn a_strategy_within_others_is_named() {
    let text = "[policy.p]\nstrategy.default = { kind = 'adaptive', fallback = { kind = 'retry_after_or', fallback = \
                { kind = 'exponential', factor = 0.5 } } }\n";
    let refused = PolicyFile::parse(text, "p.toml").expect_err("a factor below 1");
    let fields: Vec<_> = refused.problems().iter().map(|problem| (problem.field(), problem.value())).collect();
    assert_eq!(fields, [("policy.p.strategy.default.fallback.fallback.factor", Some("0.5"))]);
}

#[test]
fn each_of_several_equal_values_is_named() {
    let text = "[policy.p]\nretry.max_retries_for = { Auth = 65535, RATE_LIMIT = 65535, Transient = 1 }\n\
                strategy.default = { kind = 'adaptive', window = '0s', fallback = { kind = 'adaptive', \
                window = '0s', fallback = { kind = 'fixed', delay = '1s' } } }\n\
                [budget.b]\nkind = 'earned'\nshare = 0.1\ncost_for = { Auth = 0, Transient = 1, RateLimit = 0 }\n";
    let refused = PolicyFile::parse(text, "p.toml").expect_err("two caps, two windows and two costs");
    let fields: Vec<_> = refused.problems().iter().map(redress::config::Problem::field).collect();
    let expected = [
        "policy.p.retry.max_retries_for.Auth",
        "policy.p.retry.max_retries_for.RATE_LIMIT",
        "policy.p.strategy.default.window",
        "policy.p.strategy.default.fallback.window",
        "budget.b.cost_for.Auth",
        "budget.b.cost_for.RateLimit",
    ];
    assert_eq!(fields, expected);
}

/// Errors can be compared: each value is equal to itself alone, NaN too.
#[test]
fn the_values_of_issues_are_data_with_a_text() {
    let values = [
        (ConfigValue::Unset, "nothing"),
        (false.into(), "false"),
        (7_u32.into(), "7"),
        (7.0.into(), "7.0"),
        (1e300.into(), "1e300"),
        (f64::NAN.into(), "NaN"),
        (Duration::from_millis(1_500).into(), "1.5 s"),
        (Vec::<ErrorClass>::new().into(), "an empty list"),
        (vec![ErrorClass::Auth, ErrorClass::RateLimit].into(), "AUTH, RATE_LIMIT"),
        ("orders".into(), "orders"),
        (String::from("7").into(), "7"),
    ];
    for (index, (value, text)) in values.iter().enumerate() {
        assert_eq!(value.to_string(), *text);
        let equal: Vec<_> = (0..values.len()).filter(|other| values[*other].0 == *value).collect();
        assert_eq!(equal, [index], "{value}");
    }
    assert_eq!([ConfigValue::from(7_u8), 7_u16.into(), 7_u64.into(), 7_i32.into()], [(); 4].map(|()| 7_usize.into()));
    assert_eq!(ConfigValue::from(-1_i64), ConfigValue::Integer(-1));
}

#[test]
fn the_strategy_within_has_no_default() {
    for (fallback, field) in [("", "fallback"), (", fallback = { max = '1s' }", "fallback.kind")] {
        let text = format!("[policy.p]\nstrategy.default = {{ kind = 'retry_after_or'{fallback} }}\n");
        let refused = PolicyFile::parse(&text, "p.toml").expect_err(&text);
        let fields: Vec<_> = refused.problems().iter().map(redress::config::Problem::field).collect();
        assert_eq!(fields, [format!("policy.p.strategy.default.{field}")], "{refused}");
    }
}

#[test]
fn costs_of_an_earned_budget_are_named_by_class() {
    let text = "[budget.b]\nkind = 'earned'\ncost_for = { Transient = 2, RateLimit = 0 }\n";
    let refused = PolicyFile::parse(text, "p.toml").expect_err("a cost of 0");
    assert_eq!(
        refused.problems()[0].to_string(),
        "p.toml:3:41: budget.b.cost_for.RateLimit = 0 must be from 1 to 1000000"
    );
}
