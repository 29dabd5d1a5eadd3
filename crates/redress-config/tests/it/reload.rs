//! A changed file replaces what changed and nothing else.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress::breaker::{CircuitState, Mode};
use redress::config::{Live, Policies, PolicyFile};
use redress::runtime::tokio::AsyncPolicy;
use redress::{ErrorClass, Policy};

fn file(text: &str) -> PolicyFile {
    PolicyFile::parse(text, "p.toml").expect("a good file")
}

fn policies(text: &str) -> Policies {
    Policies::new(file(text)).expect("a good file")
}

const TWO: &str = "\
[breaker.db]
failure_threshold = 2
[budget.shop]
kind = 'window'
max_retries = 2
window = '1m'
[policy.orders]
breaker = 'db'
retry = { max_attempts = 4, budget = 'shop' }
[policy.stock]
breaker = 'db'
retry = { budget = 'shop' }
";

#[test]
fn policies_that_name_a_breaker_or_a_budget_share_it() {
    let policies = policies(TWO);
    let (orders, stock) = (policies.get("orders").expect("known"), policies.get("stock").expect("known"));
    let breaker = policies.breaker("db").expect("known");
    breaker.set_mode(Mode::ForcedOpen);
    assert_eq!(
        (orders.load().circuit_state(), stock.load().circuit_state()),
        (Some(CircuitState::Open), Some(CircuitState::Open))
    );
    assert!(policies.budget("shop").expect("known").consume());
    let remaining = |live: &Live<Policy>| live.load().budget().map(redress::Budget::remaining);
    assert_eq!((remaining(&orders), remaining(&stock)), (Some(1), Some(1)));
}

#[test]
fn the_same_file_changes_nothing() {
    let policies = policies(TWO);
    let orders = policies.get("orders").expect("known");
    let before = orders.load_full();
    let changes = policies.reload(file(TWO)).expect("a good file");
    assert!(changes.is_empty() && changes.to_string() == "nothing changed");
    assert!(Arc::ptr_eq(&before, &orders.load_full()));
}

#[test]
fn a_changed_breaker_keeps_its_state_and_its_wait() {
    let policies = policies(TWO);
    let breaker = policies.breaker("db").expect("known");
    for _ in 0..2 {
        breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
    }
    assert_eq!(breaker.state(), CircuitState::Open);
    let changed = TWO.replace("failure_threshold = 2", "failure_threshold = 3\nrecovery_timeout = '1h'");
    let changes = policies.reload(file(&changed)).expect("a good file");
    assert_eq!(
        changes.to_string(),
        "breaker.db.failure_threshold: 2 -> 3\nbreaker.db.recovery_timeout: (default) -> \"1h\""
    );
    let same = policies.breaker("db").expect("known");
    assert_eq!((breaker.state(), same.state()), (CircuitState::Open, CircuitState::Open));
    assert_eq!(breaker.spec().failure_threshold, Some(3));
    let wait = breaker.try_acquire().expect_err("still open").retry_in();
    assert!(wait.is_some_and(|wait| wait <= Duration::from_secs(30)), "{wait:?}");
}

#[test]
fn a_breaker_with_another_name_and_a_budget_of_another_kind_are_new() {
    let policies = policies(TWO);
    policies.breaker("db").expect("known").set_mode(Mode::ForcedOpen);
    assert!(policies.budget("shop").expect("known").consume());
    policies.reload(file(&TWO.replace("[breaker.db]", "[breaker.db]\nname = 'other'"))).expect("a good file");
    assert_eq!(policies.breaker("db").expect("known").state(), CircuitState::Closed);
    assert_eq!(policies.budget("shop").expect("known").remaining(), 1);
    let earned = TWO.replace("kind = 'window'\nmax_retries = 2\nwindow = '1m'", "kind = 'earned'\ncapacity = 7");
    policies.reload(file(&earned)).expect("a good file");
    assert_eq!(policies.budget("shop").expect("known").remaining(), 7);
}

#[test]
fn a_policy_reports_what_its_changed_breaker_wants_to_know() {
    let policies = policies(TWO);
    let orders = policies.get("orders").expect("known");
    assert!(orders.load().call(|| Ok::<_, io::Error>(())).is_ok());
    // Every call is slow, and so is bad.
    let changed = TWO.replace("failure_threshold = 2", "consecutive_failures = 1\nslow_call = '1ns'");
    policies.reload(file(&changed)).expect("a good file");
    assert!(orders.load().call(|| Ok::<_, io::Error>(())).is_ok());
    assert_eq!(orders.load().circuit_state(), Some(CircuitState::Open));
}

#[test]
fn a_changed_window_keeps_its_grants() {
    let policies = policies(TWO);
    let budget = policies.budget("shop").expect("known");
    assert!(budget.consume() && budget.consume());
    policies.reload(file(&TWO.replace("max_retries = 2", "max_retries = 3"))).expect("a good file");
    assert!(budget.consume() && !budget.consume());
}

#[test]
fn live_policies_follow_and_calls_go_on_with_what_they_began_with() {
    let policies = policies(TWO);
    let orders = policies.get("orders").expect("known");
    let began = orders.load();
    policies.reload(file(&TWO.replace("max_attempts = 4", "max_attempts = 2"))).expect("a good file");
    assert_eq!((began.max_attempts(), orders.load().max_attempts()), (4, 2));
}

#[test]
fn a_removed_policy_goes_on_and_comes_back() {
    let policies = policies(TWO);
    let orders = policies.get("orders").expect("known");
    let changes = policies.reload(file("[policy.stock]\n")).expect("a good file");
    assert_eq!(
        changes.to_string(),
        "budget.shop: removed\nbreaker.db: removed\npolicy.orders: removed\n\
         policy.stock.breaker: \"db\" -> (default)\npolicy.stock.retry: { budget = \"shop\" } -> (default)"
    );
    assert_eq!(orders.load().max_attempts(), 4);
    assert!(policies.get("orders").is_err_and(|error| error.is_unknown()));
    policies.reload(file("[policy.orders]\nretry = { max_attempts = 3 }\n")).expect("a good file");
    assert_eq!(orders.load().max_attempts(), 3);
}

#[test]
fn a_reload_that_fails_changes_nothing() {
    let policies = policies(TWO);
    let orders = policies.get_with("orders", |builder| {
        // A rule of the program: no policy of more than 4 attempts.
        let policy = builder.build()?;
        if policy.max_attempts() > 4 {
            return Err(
                redress::error::ConfigIssue::new("retry.max_attempts", policy.max_attempts(), "be at most 4").into()
            );
        }
        Ok(policy)
    });
    let orders = orders.expect("known");
    let breaker = policies.breaker("db").expect("known");
    let changed = TWO.replace("max_attempts = 4", "max_attempts = 9").replace("threshold = 2", "threshold = 7");
    let refused = policies.reload(file(&changed)).expect_err("9 attempts");
    let shown = refused.problems().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown, ["p.toml:7:9: policy.orders: retry.max_attempts = 9 must be at most 4"]);
    assert_eq!((orders.load().max_attempts(), breaker.spec().failure_threshold), (4, Some(2)));
    assert_eq!(policies.file(), file(TWO));
}

#[test]
fn an_unknown_policy_names_the_nearest() {
    let error = policies(TWO).get("order").expect_err("unknown");
    assert_eq!(error.to_string(), "the file has no policy `order`: did you mean `orders`?");
}

#[tokio::test(start_paused = true)]
async fn asynchronous_policies_share_the_parts_of_blocking_ones() {
    let policies = policies(TWO);
    let orders: Live<AsyncPolicy> = policies.get_async("orders").expect("known");
    let blocking = policies.get("stock").expect("known");
    for _ in 0..2 {
        let failed =
            orders.load().call(|| async { Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset)) }).await;
        assert!(failed.is_err());
    }
    assert_eq!(blocking.load().circuit_state(), Some(CircuitState::Open));
    assert_eq!(policies.budget("shop").map(|budget| budget.remaining()), Some(0));
}

#[test]
fn a_strategy_that_does_not_change_keeps_what_it_has_learned() {
    let text = "[policy.orders]\nretry = { max_attempts = 2 }\nstrategy.default = { kind = 'adaptive', window = '1h', \
                target_success = 0.5, min_multiplier = 1, max_multiplier = 8, fallback = { kind = 'fixed', delay = \
                '10ms' } }\n";
    for changed in ["max_attempts = 3", "max_attempts = 3, max_retry_after = '1s'"] {
        let policies = policies(text);
        let delays = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&delays);
        let orders = policies.get_with("orders", move |builder| {
            let seen = Arc::clone(&seen);
            builder.sleep_with(move |delay| seen.lock().expect("no panic").push(delay)).build()
        });
        let orders = orders.expect("known");
        for _ in 0..9 {
            assert!(orders.load().call(|| Ok::<_, io::Error>(())).is_ok());
        }
        policies.reload(file(&text.replace("max_attempts = 2", changed))).expect("a good file");
        let mut fails = true;
        let answer = orders.load().call(|| match std::mem::take(&mut fails) {
            true => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            false => Ok(()),
        });
        assert!(answer.is_ok());
        // A new strategy has seen one failure and nothing else, and waits eight times as long.
        assert_eq!(*delays.lock().expect("no panic"), [Duration::from_millis(10)], "{changed}");
    }
}
