//! Runs the programs of `docs/guide/side-by-side.md` against servers on sockets, and compares the
//! requests that arrive with the counts on the page.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod programs;
mod scenarios;
mod server;

use metrics_exporter_prometheus::PrometheusBuilder;
use reqwest::StatusCode;

use crate::programs::{ALONE, BY_HAND, Program, REDRESS};
use crate::scenarios::{BUSY, IN_AN_HOUR, OK, ROWS, get};
use crate::server::Server;

const PAGE: &str = include_str!("../../../../../docs/guide/side-by-side.md");

const PROGRAMS: [Program; 3] = [ALONE, BY_HAND, REDRESS];

fn block_on<A>(future: impl Future<Output = A>) -> A {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The same on a paused clock, which goes to the next timer while nothing runs.
fn block_on_paused<A>(future: impl Future<Output = A>) -> A {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(future)
}

#[test]
fn what_is_sent_is_what_the_page_says() {
    for row in ROWS {
        let counts = PROGRAMS.map(|program| {
            // No program but that of redress has a deadline, which a paused clock would reach.
            let waits = row.waits && program.name != REDRESS.name;
            if waits { block_on_paused((row.run)(program)) } else { block_on((row.run)(program)) }
        });
        let [alone, by_hand, redress] = counts;
        let line = format!("| {} | {alone} | {by_hand} | {redress} |\n", row.title);
        assert!(PAGE.contains(&line), "the page does not have the line\n{line}");
    }
    let lines = PAGE.split("## What is sent").nth(1).unwrap().lines();
    let lines = lines.skip_while(|line| !line.starts_with("|--")).skip(1).take_while(|line| line.starts_with('|'));
    assert_eq!(lines.count(), ROWS.len(), "the page has a row that is not counted");
}

#[test]
fn an_hour_is_waited_by_hand_and_not_alone() {
    let waited = |program: Program| {
        block_on_paused(async {
            let (server, started) = (Server::start(&[IN_AN_HOUR, OK]), tokio::time::Instant::now());
            assert_eq!(program.client().send(get(&server)).await, Ok(StatusCode::OK));
            started.elapsed().as_secs()
        })
    };
    assert!(waited(BY_HAND) >= 3600);
    assert!(waited(ALONE) < 3600);
}

#[test]
fn both_count_calls_by_outcome() {
    let rendered = |program: Program| {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            block_on(async {
                let (up, down) = (Server::start(&[BUSY, OK]), Server::start(&[BUSY]));
                let client = program.client();
                for server in [&up, &down, &down, &down, &down] {
                    let _ = client.send(get(server)).await;
                }
            });
        });
        recorder.handle().render()
    };
    let of = |page: &str, metric: &str, label: &str| {
        let line = page.lines().find(|line| line.starts_with(metric) && line.contains(label));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u32>().ok())
    };
    let (by_hand, redress) = (rendered(BY_HAND), rendered(REDRESS));
    for (outcome, calls) in [("success", 1), ("failure", 3), ("rejected", 1)] {
        let label = format!("outcome=\"{outcome}\"");
        assert_eq!(of(&by_hand, "call_duration_seconds_count", &label), Some(calls), "{outcome}\n{by_hand}");
        assert_eq!(of(&redress, "redress_call_duration_seconds_count", &label), Some(calls), "{outcome}\n{redress}");
    }
    assert_eq!(of(&by_hand, "attempts_total", ""), Some(14), "{by_hand}");
    assert_eq!(of(&redress, "redress_attempts_total", ""), Some(14), "{redress}");
}
