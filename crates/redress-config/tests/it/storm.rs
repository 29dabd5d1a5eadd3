//! Threads call through policies while files are reloaded: no call is lost, limits hold, and parts
//! that do not change count on.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use redress::breaker::CircuitState;
use redress::config::{Policies, PolicyFile};
use redress::{CallError, ErrorClass, StopReason};

/// A file whose policy and second breaker differ with `round`. The first breaker never does.
fn file(round: u64) -> PolicyFile {
    let text = format!(
        "[breaker.same]\nfailure_threshold = 1000000\nwindow = '1h'\n\
         [breaker.other]\nfailure_ratio = 0.{}\nmin_calls = 1000000\n\
         [budget.few]\nkind = 'window'\nmax_retries = {}\nwindow = '1h'\n\
         [policy.same]\nbreaker = 'same'\nretry = {{ max_attempts = 1 }}\n\
         [policy.other]\nbreaker = 'other'\nstrategy.default = {{ kind = 'fixed', delay = '0s' }}\n\
         retry = {{ max_attempts = {}, budget = 'few', max_unknown_retries = 'none' }}\n",
        5 + round % 3,
        40 + round % 3,
        2 + round % 4,
    );
    PolicyFile::parse(&text, "p.toml").expect("a good file")
}

fn reset() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}

#[test]
fn reloads_lose_no_call_and_move_no_era_of_an_unchanged_part() {
    const ROUNDS: u64 = 60;
    const CALLERS: u64 = 3;
    let policies = Policies::new(file(0)).expect("a good file");
    let same = policies.get("same").expect("known");
    let other = policies.get("other").expect("known");
    let breaker = policies.breaker("same").expect("known");
    // A permit of before the storm: its report counts only if no era has moved.
    let permit = breaker.try_acquire().expect("closed");
    let (done, calls, attempts) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let ended = same.load().call(|| Ok::<_, io::Error>(7));
                    assert!(matches!(ended, Ok(7)));
                    let outcome = other.load().execute(|| {
                        attempts.fetch_add(1, Ordering::Relaxed);
                        Err::<(), _>(reset())
                    });
                    assert!(matches!(
                        outcome.stop_reason(),
                        Some(StopReason::MaxAttempts | StopReason::BudgetExhausted)
                    ));
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 1..=ROUNDS {
            policies.reload(file(round)).expect("a good file");
        }
        done.store(true, Ordering::Relaxed);
    });
    // B1 across all reloads: no more retries than the largest limit, in one window of an hour.
    let retries = attempts.load(Ordering::Relaxed) - calls.load(Ordering::Relaxed);
    assert!(retries <= 42, "{retries} retries in {} calls", calls.load(Ordering::Relaxed));
    assert_eq!(policies.file(), file(ROUNDS));

    permit.failure(ErrorClass::Transient);
    let mut spec = breaker.spec();
    assert_eq!((breaker.state(), spec.failure_threshold), (CircuitState::Closed, Some(1_000_000)));
    // The breaker counted it: with a threshold of one it would have been enough.
    spec.failure_threshold = Some(1);
    breaker.reconfigure(spec).expect("valid");
    let failed = same.load().call(|| Err::<(), _>(reset()));
    assert!(matches!(failed, Err(CallError::Failed(_) | CallError::Exhausted(_))));
    assert_eq!(same.load().circuit_state(), Some(CircuitState::Open), "the policy still has its breaker");
}

#[test]
fn a_permit_of_before_a_reload_counts_if_its_breaker_did_not_change() {
    let text = "[breaker.db]\nfailure_threshold = 1\n[policy.p]\nbreaker = 'db'\nretry = { max_attempts = 2 }\n";
    let parse = |text: &str| PolicyFile::parse(text, "p.toml").expect("a good file");
    for (changed, state) in [
        (text.replace("max_attempts = 2", "max_attempts = 3"), CircuitState::Open),
        (text.replace("threshold = 1", "threshold = 1\nslow_call = '1s'"), CircuitState::Closed),
    ] {
        let policies = Policies::new(parse(text)).expect("a good file");
        let breaker = policies.breaker("db").expect("known");
        let permit = breaker.try_acquire().expect("closed");
        policies.reload(parse(&changed)).expect("a good file");
        permit.failure(ErrorClass::Transient);
        assert_eq!(breaker.state(), state, "{changed}");
    }
}

#[test]
fn policies_are_taken_while_files_are_reloaded() {
    let policies = Policies::new(file(0)).expect("a good file");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut kept = Vec::new();
            while !done.load(Ordering::Relaxed) {
                kept.push(policies.get("other").expect("known"));
                kept.truncate(50);
            }
        });
        for round in 1..=100 {
            policies.reload(file(round)).expect("a good file");
            let live = policies.get("other").expect("known");
            assert_eq!(u64::from(live.load().max_attempts()), 2 + round % 4);
        }
        done.store(true, Ordering::Relaxed);
    });
}
