//! Hostile names, which must forge neither a tag nor a metric.

use std::io::Error;

use redress_core::Policy;

use crate::agent::Agent;

#[test]
fn no_name_forges_a_tag_or_a_metric() {
    let agent = Agent::udp();
    let policy = Policy::builder().observer(agent.observer()).build().unwrap();
    let names = [
        ("two\nforged:1|c", "two_forged:1_c"),
        ("a,env:forged", "a_env:forged"),
        ("a|@0.1", "a_@0.1"),
        ("a|#forged:1", "a_#forged:1"),
        ("tab\tand\0nul\r", "tab_and_nul_"),
        ("Überprüfung: 👩‍🚀", "Überprüfung: 👩‍🚀"),
        ("GET /users/{id}", "GET /users/{id}"),
    ];
    for (name, _) in names {
        policy.operation(name).call(|| Ok::<_, Error>(())).unwrap();
    }
    let attempts = agent.metrics_of("redress.attempts");
    let read: Vec<_> = attempts.iter().map(|metric| (metric.tags.len(), metric.tag("operation").unwrap())).collect();
    assert_eq!(read, names.map(|(_, sent)| (2, sent)));
}
