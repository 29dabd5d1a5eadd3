//! Presets are bases, and variables override settings.

use std::time::Duration;

use redress::ErrorClass;
use redress::config::{Loader, PolicyFile};
use redress::policy::{PolicyBreaker, PolicySpec, Preset};
use redress::strategy::StrategySpec;

fn spec(loader: &Loader, text: &str) -> PolicySpec {
    let file = loader.parse(text, "p.toml").unwrap_or_else(|refused| panic!("{refused}"));
    assert_eq!(Loader::parse(loader, &file.to_toml(), "written.toml").expect("as written"), file);
    file.policy("orders").expect("known").spec()
}

fn of_file(text: &str) -> PolicySpec {
    spec(&Loader::new(), text)
}

/// The spec under the name of the tests' policy.
fn named(mut spec: PolicySpec) -> PolicySpec {
    spec.name = Some("orders".into());
    spec
}

#[test]
fn every_preset_is_the_one_of_redress() {
    for preset in Preset::ALL {
        let read = of_file(&format!("[policy.orders]\npreset = \"{preset}\"\n"));
        assert_eq!(read, named(preset.spec()), "{preset}");
        let file = PolicyFile::of_specs([("orders", &preset.spec())]).expect("no part is code");
        assert_eq!(of_file(&file.to_toml()), preset.spec(), "{preset} as a file:\n{}", file.to_toml());
    }
}

#[test]
fn what_is_set_wins_over_the_preset() {
    let text = "[policy.orders]\npreset = \"http\"\ndeadline = \"10s\"\nattempt_timeout = \"none\"\n\
                retry = { max_attempts = 2, budget = { capacity = 0.3 } }\n\
                breaker = { recovery_timeout = \"20s\", recovery_growth = \"none\", trial = { places = 2 } }\n\
                strategy.default = { max = \"3s\" }\nstrategy.RateLimit = \"none\"\n";
    let mut expected = named(Preset::Http.spec());
    (expected.deadline, expected.attempt_timeout) = (Some(Duration::from_secs(10)), None);
    let retry = expected.retry.as_mut().expect("it retries");
    retry.max_attempts = 2;
    retry.strategies[ErrorClass::RateLimit] = None;
    let Some(StrategySpec::DecorrelatedJitter { max, .. }) = &mut retry.strategy else { panic!("not the preset's") };
    *max = Duration::from_secs(3);
    let Some(redress::budget::BudgetSpec::Earned(budget)) = &mut retry.budget else { panic!("not the preset's") };
    budget.capacity = 0.3;
    let Some(PolicyBreaker::Circuit(breaker)) = &mut expected.breaker else { panic!("not the preset's") };
    (breaker.recovery_timeout, breaker.recovery_growth) = (Duration::from_secs(20), None);
    breaker.trial = breaker.trial.places(2);
    assert_eq!(of_file(text), expected);
}

#[test]
fn a_kind_that_is_named_begins_with_its_defaults() {
    let text = "[policy.orders]\npreset = \"http\"\nstrategy.default = { kind = \"decorrelated_jitter\" }\n";
    let strategy = of_file(text).retry.and_then(|retry| retry.strategy);
    let own = redress::strategy::Strategy::spec(&redress::decorrelated_jitter());
    assert_eq!(strategy, Some(own));
}

#[test]
fn a_program_has_presets_too() {
    let mut ours = Preset::Grpc.spec();
    ours.deadline = Some(Duration::from_secs(7));
    let loader = Loader::new().preset("ours", &ours);
    assert_eq!(spec(&loader, "[policy.orders]\npreset = \"ours\"\n"), named(ours));
    let refused = loader.parse("[policy.orders]\npreset = \"our\"\n", "p.toml").expect_err("unknown");
    assert_eq!(
        refused.problems()[0].to_string(),
        "p.toml:2:10: policy.orders.preset = \"our\" must be a preset: batch, database, grpc, http, interactive, llm, \
         ours, queue: did you mean `ours`?"
    );
}

#[test]
fn without_a_preset_the_defaults_are_those_of_the_builders() {
    let once = redress::Policy::builder().name("orders").build().expect("valid");
    assert_eq!(of_file("[policy.orders]\n"), once.spec());
    let retries = redress::Policy::builder().name("orders").retry(redress::Retry::builder()).build().expect("valid");
    assert_eq!(of_file("[policy.orders]\nretry = {}\n"), retries.spec());
    assert_eq!(of_file("[policy.orders]\nstrategy = {}\n").retry, of_file("[policy.orders]\nretry = {}\n").retry);
}

#[test]
fn a_policy_without_retry_has_no_strategy() {
    let strategy = "strategy.default = { kind = \"token_backoff\" }";
    for settings in [format!("retry = \"none\"\n{strategy}"), format!("{strategy}\nretry = \"none\"")] {
        let text = format!("[policy.orders]\npreset = \"http\"\n{settings}\n");
        let refused = PolicyFile::parse(&text, "p.toml").expect_err("nothing is retried");
        let problems: Vec<_> = refused.problems().iter().map(|problem| (problem.field(), problem.rule())).collect();
        let rule = "be left out: `retry` is \"none\", and nothing is retried";
        assert_eq!(problems, [("policy.orders.strategy", rule)]);
    }
    assert_eq!(of_file("[policy.orders]\npreset = \"http\"\nretry = \"none\"\n").retry, None);
}

const TEXT: &str = "\
[breaker.\"orders-db\"]
window = \"1m\"
[policy.orders]
breaker = \"orders-db\"
retry = { max_attempts = 4 }
strategy.RateLimit = { kind = \"fixed\", delay = \"1s\" }
";

fn with(variables: &[(&str, &str)]) -> PolicySpec {
    let variables = variables.iter().map(|(name, value)| (format!("REDRESS__{name}"), *value));
    let loader = Loader::new().variables(variables);
    loader.parse(TEXT, "p.toml").unwrap_or_else(|refused| panic!("{refused}")).policy("orders").expect("known").spec()
}

#[test]
fn variables_override_what_the_file_says_and_what_it_leaves_out() {
    let spec = with(&[
        ("BREAKER__ORDERS_DB__WINDOW", "2m"),
        ("BREAKER__ORDERS_DB__CLASS_THRESHOLD__RATE_LIMIT", "9"),
        ("BREAKER__ORDERS_DB__TRIP_ON", "[\"Transient\"]"),
        ("POLICY__ORDERS__DEADLINE", "none"),
        ("POLICY__ORDERS__JUDGE_ATTEMPTS", "true"),
        ("POLICY__ORDERS__RETRY__MAX_ATTEMPTS", "3"),
        ("POLICY__ORDERS__STRATEGY__DEFAULT", "{ kind = \"token_backoff\" }"),
        ("POLICY__ORDERS__STRATEGY__RATE_LIMIT__DELAY", "250ms"),
    ]);
    assert_eq!((spec.deadline, spec.judge_attempts), (None, true));
    let Some(PolicyBreaker::Circuit(breaker)) = spec.breaker else { panic!("a breaker") };
    assert_eq!(breaker.window, Some(Duration::from_secs(120)));
    assert_eq!(breaker.class_thresholds, [(ErrorClass::RateLimit, 9)]);
    assert_eq!(breaker.trip_on, [ErrorClass::Transient]);
    let retry = spec.retry.expect("it retries");
    assert_eq!(retry.max_attempts, 3);
    assert_eq!(
        retry.strategies[ErrorClass::RateLimit],
        Some(StrategySpec::Fixed { delay: Duration::from_millis(250) })
    );
    assert!(matches!(retry.strategy, Some(StrategySpec::Exponential { .. })));
}

#[test]
fn a_variable_of_a_setting_wins_over_one_of_the_table_around_it_whatever_their_order() {
    let whole = ("POLICY__ORDERS__STRATEGY__DEFAULT", "{ kind = 'fixed', delay = '1s' }");
    let part = ("POLICY__ORDERS__STRATEGY__DEFAULT__DELAY", "2s");
    for variables in [[whole, part], [part, whole]] {
        let delay = Duration::from_secs(2);
        assert_eq!(with(&variables).retry.and_then(|retry| retry.strategy), Some(StrategySpec::Fixed { delay }));
    }
}

#[test]
fn a_quoted_value_of_a_variable_is_a_text() {
    for (value, name) in [("\"7 \\u0041\"", "7 A"), ("'\"'", "\""), ("plain", "plain")] {
        assert_eq!(with(&[("POLICY__ORDERS__NAME", value)]).name.as_deref(), Some(name));
    }
}

#[test]
fn what_a_preset_has_need_not_be_set_again() {
    let text = "[policy.orders]\npreset = 'http'\nbreaker = { recovery_growth = { factor = 3 } }\n";
    let Some(PolicyBreaker::Circuit(of_preset)) = Preset::Http.spec().breaker else { panic!("a breaker") };
    let Some(PolicyBreaker::Circuit(breaker)) = of_file(text).breaker else { panic!("a breaker") };
    let growth = |spec: redress::breaker::BreakerSpec| spec.recovery_growth.expect("the waits grow");
    assert_eq!((growth(breaker.clone()).factor, growth(breaker).max), (3.0, growth(of_preset).max));
}

#[test]
fn a_class_has_one_value_however_it_is_spelled() {
    for in_file in ["RateLimit", "RATE_LIMIT"] {
        let text = TEXT.replace("RateLimit", in_file);
        for in_variable in ["RateLimit", "RATE_LIMIT", "rate_limit"] {
            let name = format!("REDRESS__POLICY__ORDERS__STRATEGY__{in_variable}__DELAY");
            let file = Loader::new().variables([(name, "2s")]).parse(&text, "p.toml");
            let file = file.unwrap_or_else(|refused| panic!("{refused}"));
            let retry = file.policy("orders").and_then(|policy| policy.spec().retry).expect("it retries");
            let delay = Duration::from_secs(2);
            assert_eq!(retry.strategies[ErrorClass::RateLimit], Some(StrategySpec::Fixed { delay }));
        }
    }
    let twice = format!("{TEXT}strategy.RATE_LIMIT = {{ kind = \"fixed\", delay = \"1s\" }}\n");
    let refused = Loader::new().parse(&twice, "p.toml").expect_err("two values");
    assert_eq!(refused.problems()[0].rule(), "be left out: the class has a value already");
    assert_eq!(refused.problems()[0].field(), "policy.orders.strategy.RATE_LIMIT");
}

#[test]
fn other_variables_are_left_alone_and_names_must_be_clear() {
    assert!(Loader::new().variables([("REDRESS_LOG", "x"), ("PATH", "x")]).parse(TEXT, "p.toml").is_ok());
    let two = "[policy.\"a-b\"]\n[policy.\"a.b\"]\n";
    let loader = Loader::new().variables([("REDRESS__POLICY__A_B__NAME", "x")]);
    let refused = loader.parse(two, "p.toml").expect_err("two policies");
    assert_eq!(refused.problems()[0].rule(), "be named by one variable only: it could be `a-b` or `a.b`");
}
