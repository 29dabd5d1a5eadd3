//! Prints the spans that the collector received: their numbers, their parents, and one trace as a
//! tree.

use std::collections::{BTreeMap, BTreeSet};

use crate::collector::Received;

const ATTEMPT: &str = "redress.attempt";

/// Prints the number of spans from each service, their parents, and one trace.
pub(crate) fn tell(received: &[Received]) {
    let by_id: BTreeMap<&[u8], &Received> = received.iter().map(|span| (&*span.id, span)).collect();
    let parent = |span: &Received| by_id.get(&*span.parent).copied();
    let mut services: BTreeMap<&str, usize> = BTreeMap::new();
    for span in received {
        *services.entry(&span.service).or_default() += 1;
    }
    let services: Vec<_> = services.iter().map(|(service, count)| format!("{service} {count}")).collect();
    println!("spans received over OTLP: {} ({})", received.len(), services.join(", "));

    let attempts: Vec<_> = received.iter().filter(|span| span.name == ATTEMPT).collect();
    let below_calls = attempts.iter().filter(|span| parent(span).is_some_and(is_call)).count();
    println!("attempts: {}, below a call: {below_calls}", attempts.len());
    let served: Vec<_> = received.iter().filter(|span| span.service != "checkout").collect();
    let below_attempts = served.iter().filter(|span| parent(span).is_some_and(|it| it.name == ATTEMPT)).count();
    let parents: BTreeSet<_> = served.iter().map(|span| &span.parent).collect();
    println!(
        "backends' spans: {}, below an attempt: {below_attempts}, each below its own: {}",
        served.len(),
        parents.len()
    );

    let retried = |span: &&Received| span.attributes.get("retry.attempt").is_some_and(|number| number == "3");
    if let Some(third) = attempts.iter().copied().filter(retried).min_by_key(|span| span.began) {
        let trace: Vec<_> = received.iter().filter(|span| span.trace == third.trace).collect();
        println!("\nthe trace of the first call that needed three attempts:");
        print_below(&[], 0, &trace);
    }
}

fn is_call(span: &Received) -> bool {
    span.attributes.contains_key("retry.attempts")
}

fn print_below(parent: &[u8], depth: usize, trace: &[&Received]) {
    let mut children: Vec<_> = trace.iter().filter(|span| span.parent == parent).collect();
    children.sort_by_key(|span| span.began);
    for span in children {
        let said = ["order", "retry.attempt", "retry.outcome", "retry.detail", "retry.stop_reason"];
        let said = said.iter().filter_map(|key| span.attributes.get(*key).map(|value| format!(" {key}={value}")));
        println!("  {:<10} {}{}{}", span.service, "  ".repeat(depth), span.name, said.collect::<String>());
        print_below(&span.id, depth + 1, trace);
    }
}
