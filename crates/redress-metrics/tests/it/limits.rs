//! Limits on the number of names that become series.

use std::io::{Error, ErrorKind};

use metrics::set_default_local_recorder;
use redress_core::{CircuitBreaker, Classification, ErrorClass, Policy, error_classifier};
use redress_metrics::{MetricsObserver, names};

use crate::exporter::Exporter;

fn policy(observer: &MetricsObserver) -> Policy {
    Policy::builder().observer(observer.clone()).build().unwrap()
}

#[tokio::test]
async fn operations_beyond_the_limit_are_counted_together() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let observer = MetricsObserver::builder().operation_limit(3).build();
    let policy = policy(&observer);
    for round in 0..2 {
        for user in 0..50 {
            policy.operation(format!("GET /users/{user}")).call(|| Ok::<_, Error>(())).unwrap();
        }
        // Clones and other policies share the same two places, half of three.
        let other = Policy::builder().observer(observer.clone()).build().unwrap();
        other.operation(format!("GET /others/{round}")).call(|| Ok::<_, Error>(())).unwrap();
    }
    let page = exporter.scrape().await;
    let attempts = page.family(names::ATTEMPTS_TOTAL).lines();
    assert_eq!(
        attempts,
        [
            "redress_attempts_total operation=GET /users/0 policy=none 2",
            "redress_attempts_total operation=GET /users/1 policy=none 2",
            "redress_attempts_total operation=other policy=none 98",
        ]
    );
    for metric in [names::EVENTS_TOTAL, names::CALL_DURATION_SECONDS] {
        assert_eq!(page.values_of(metric, "operation").len(), 3, "{metric}");
    }
}

#[tokio::test]
async fn by_default_a_hundred_names_are_let_through() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let policy = policy(&MetricsObserver::new());
    for user in 0..1_000 {
        policy.operation(format!("GET /users/{user}")).call(|| Ok::<_, Error>(())).unwrap();
    }
    assert_eq!(exporter.scrape().await.values_of(names::ATTEMPTS_TOTAL, "operation").len(), 51, "half for paths");
    for name in 0..1_000 {
        policy.operation(format!("load {name}")).call(|| Ok::<_, Error>(())).unwrap();
    }
    assert_eq!(exporter.scrape().await.values_of(names::ATTEMPTS_TOTAL, "operation").len(), 151);
}

#[tokio::test]
async fn the_limit_holds_when_threads_bring_names_at_once() {
    for _ in 0..100 {
        let exporter = Exporter::start();
        let policy = policy(&MetricsObserver::builder().operation_limit(1).build());
        let together = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (policy, recorder, together) = (&policy, &exporter.recorder, &together);
                scope.spawn(move || {
                    let _installed = set_default_local_recorder(recorder);
                    let calls = policy.operation(format!("thread {thread}"));
                    together.wait();
                    calls.call(|| Ok::<_, Error>(())).unwrap();
                });
            }
        });
        let page = exporter.scrape().await;
        assert_eq!(page.values_of(names::ATTEMPTS_TOTAL, "operation").len(), 2);
        assert_eq!(page.family(names::ATTEMPTS_TOTAL).sum(), 4.0);
    }
}

#[tokio::test]
async fn without_operations_no_metric_has_the_label() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let policy = policy(&MetricsObserver::builder().without_operation().build());
    let _ = policy.operation("a").call(|| Err::<(), _>(Error::from(ErrorKind::PermissionDenied)));
    policy.operation("b").call(|| Ok::<_, Error>(())).unwrap();
    let page = exporter.scrape().await;
    assert_eq!(page.family(names::ATTEMPTS_TOTAL).lines(), ["redress_attempts_total policy=none 2"]);
    for metric in [names::EVENTS_TOTAL, names::CALL_DURATION_SECONDS] {
        assert!(page.values_of(metric, "operation").is_empty(), "{metric}");
    }
}

#[tokio::test]
async fn a_breaker_beyond_the_limit_has_no_gauge_unless_it_is_watched() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let observer = MetricsObserver::builder().breaker_limit(1).build();
    let mut opened = Vec::new();
    for name in ["a", "b", "c"] {
        let breaker = CircuitBreaker::builder().name(name).failure_threshold(1).build().unwrap();
        let policy = Policy::builder().circuit_breaker(&breaker).observer(observer.clone()).build().unwrap();
        let _ = policy.call(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
        opened.push(breaker);
    }
    let page = exporter.scrape().await;
    assert_eq!(page.values_of(names::CIRCUIT_STATE, "breaker"), ["a"].into());
    assert_eq!(page.values_of(names::EVENTS_TOTAL, "breaker"), ["a", "other"].into());

    observer.watch(&opened[2]);
    let page = exporter.scrape().await;
    assert_eq!(
        page.family(names::CIRCUIT_STATE).lines(),
        ["redress_circuit_state breaker=a 2", "redress_circuit_state breaker=c 2",]
    );
}

#[tokio::test]
async fn policies_beyond_the_limit_are_counted_together() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let observer = MetricsObserver::builder().policy_limit(2).build();
    for name in ["orders", "prices", "users", "stock"] {
        let policy = Policy::builder().name(name).observer(observer.clone()).build().unwrap();
        policy.operation("load").call(|| Ok::<_, Error>(())).unwrap();
        let _ = policy.operation("load").call(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
    }
    let page = exporter.scrape().await;
    for metric in [names::EVENTS_TOTAL, names::ATTEMPTS_TOTAL, names::CALL_DURATION_SECONDS] {
        assert_eq!(page.values_of(metric, "policy"), ["orders", "other", "prices"].into(), "{metric}");
    }
    let of = |policy| [("operation", "load"), ("policy", policy)];
    assert_eq!(page.value(names::ATTEMPTS_TOTAL, &of("orders")), Some(2.0));
    assert_eq!(page.value(names::ATTEMPTS_TOTAL, &of("other")), Some(4.0));
}

#[tokio::test]
async fn paths_take_no_place_of_an_operation_that_has_a_name() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let policy = policy(&MetricsObserver::builder().operation_limit(2).build());
    for user in 0..50 {
        policy.operation(format!("GET /users/{user}")).call(|| Ok::<_, Error>(())).unwrap();
    }
    for name in ["list_orders", "GET /users/{id}", "late"] {
        policy.operation(name).call(|| Ok::<_, Error>(())).unwrap();
    }
    let page = exporter.scrape().await;
    let expected = ["GET /users/0", "GET /users/{id}", "list_orders", "other"];
    assert_eq!(page.values_of(names::ATTEMPTS_TOTAL, "operation"), expected.into());
    let other = [("operation", "other")];
    assert_eq!(page.value(names::ATTEMPTS_TOTAL, &other), Some(50.0), "49 paths and a name share it");
}

#[tokio::test]
async fn declared_operations_have_places_besides_the_limit() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let builder = MetricsObserver::builder().operation_limit(1).operations(["list_orders", "GET /health"]);
    let policy = policy(&builder.build());
    for name in ["a", "b", "GET /a", "GET /b", "list_orders", "GET /health"] {
        policy.operation(name).call(|| Ok::<_, Error>(())).unwrap();
    }
    let expected = ["GET /a", "GET /health", "a", "list_orders", "other"];
    assert_eq!(exporter.scrape().await.values_of(names::ATTEMPTS_TOTAL, "operation"), expected.into());
}

#[tokio::test]
async fn details_beyond_the_limit_are_counted_together_and_unknown_ones_are_no_labels() {
    let exporter = Exporter::start();
    let _installed = set_default_local_recorder(&exporter.recorder);
    let observer = MetricsObserver::builder().detail_limit(2).build();
    for detail in [("status", "503"), ("grpc", "UNAVAILABLE"), ("io", "ConnectionReset"), ("request_id", "7f3a")] {
        let classify = move |_: &Error| Classification::new(ErrorClass::ServerError).with_detail(detail.0, detail.1);
        let builder = Policy::builder().classifier(error_classifier(classify)).observer(observer.clone());
        let _ = builder.build().unwrap().call(|| Err::<(), _>(Error::from(ErrorKind::Other)));
    }
    let page = exporter.scrape().await;
    assert_eq!(page.values_of(names::EVENTS_TOTAL, "detail"), ["503", "UNAVAILABLE", "none", "other"].into());
}
