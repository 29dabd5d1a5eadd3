//! Calls that were recorded through a policy, played under the same policy and under others:
//! properties of many random logs.

use fastrand::Rng;
use redress::policy::PolicySpec;
use redress::strategy::Jitter;
use redress::{Budget, CircuitBreaker, ErrorClass, Policy, Retry, StopReason, exponential, fixed};
use redress_sim::{Certainty, Counts, Recording, Replay};

use crate::recorder::{Answer, Leaves, Planned, Refused, record};
use crate::{millis, secs};

/// A policy whose waits are not random.
fn policy(rng: &mut Rng) -> PolicySpec {
    let retry = Retry::builder().max_attempts(rng.u32(1..5)).max_unknown_retries(1);
    let retry = match rng.u32(..3) {
        0 => retry.strategy(fixed(millis(70))),
        1 => retry.strategy(fixed(millis(0))),
        _ => retry.strategy(exponential().jitter(Jitter::None)),
    };
    let retry = match rng.u32(..3) {
        0 => retry.budget(Budget::new(rng.u32(1..20), secs(5)).expect("valid")),
        1 => retry.budget(Budget::earned(1.0).capacity(3.0).build().expect("valid")),
        _ => retry,
    };
    let policy = Policy::builder().name("orders").retry(retry).deadline(millis(rng.u64(800..3_000)));
    let policy = if rng.bool() { policy.attempt_timeout(millis(rng.u64(100..600))) } else { policy };
    let breaker = CircuitBreaker::builder().recovery_timeout(secs(1));
    let policy = match rng.u32(..4) {
        0 => policy.circuit_breaker(breaker.failure_threshold(5)),
        1 => policy.circuit_breaker(breaker.failure_ratio(0.5).min_calls(10).window(secs(5))),
        2 => policy.circuit_breaker(breaker.consecutive_failures(3).slow_call(millis(400))).judge_attempts(),
        _ => policy,
    };
    policy.build().expect("valid").spec()
}

fn answer(rng: &mut Rng, is_trouble: bool) -> Answer {
    let after = millis(1) * rng.u32(0..=if is_trouble { 900 } else { 200 })
        + std::time::Duration::from_micros(rng.u64(..1_000));
    let classes = [ErrorClass::Transient, ErrorClass::ServerError, ErrorClass::Permanent, ErrorClass::Unknown];
    let refused = Refused {
        class: classes[rng.usize(..4)],
        hint: rng.bool().then(|| millis(rng.u64(..300))),
        forbids_retry: rng.u32(..10) == 0,
    };
    let fails = rng.u32(..100) < if is_trouble { 80 } else { 10 };
    Answer { after, result: if fails { Err(refused) } else { Ok(()) } }
}

/// Calls over half a minute, with ten seconds of trouble. No two begin at one instant.
fn plan(rng: &mut Rng) -> Vec<Planned> {
    (0..400_u64)
        .map(|index| {
            let begins = millis(index * 75) + std::time::Duration::from_micros(rng.u64(..70_000));
            let is_trouble = (10..20).contains(&begins.as_secs());
            let leaves = match rng.u32(..30) {
                0 => Some(Leaves::Drops(std::time::Duration::from_micros(rng.u64(..600_000)))),
                1 => Some(Leaves::Aborts(std::time::Duration::from_micros(rng.u64(..600_000)))),
                _ => None,
            };
            let breaker = [None, Some("a"), Some("b")][rng.usize(..3)];
            Planned { begins, breaker, answers: (0..5).map(|_| answer(rng, is_trouble)).collect(), leaves }
        })
        .collect()
}

fn recorded(spec: &PolicySpec, rng: &mut Rng) -> Replay {
    let mut recording = Recording::new();
    for record in record(spec, &plan(rng)) {
        recording.push(&record);
    }
    recording.replay(Some("orders")).expect("calls")
}

/// Everything that a log and a run both count.
fn outcomes(counts: &Counts) -> impl PartialEq + std::fmt::Debug {
    let stopped: Vec<u64> = StopReason::ALL.iter().map(|reason| counts.ended(Some(*reason))).collect();
    let latencies: Vec<_> = [0.0, 0.1, 0.5, 0.9, 1.0].map(|share| counts.latency(share)).into();
    let Counts { calls, good, failed, rejected, cancelled, attempts, retries, .. } = *counts;
    let ends = [calls, good, failed, rejected, cancelled, attempts, retries];
    (ends, stopped, latencies, counts.periods().to_vec())
}

#[test]
fn the_policy_that_made_the_calls_gives_what_was_recorded() {
    let mut reasons = [0; 11];
    let mut ends = [0; 3];
    for seed in 0..80 {
        let mut rng = Rng::with_seed(seed);
        let spec = policy(&mut rng);
        let replay = recorded(&spec, &mut rng);
        let replayed = replay.run(&spec).expect("valid");
        let [only] = replayed.runs() else { panic!("seed {seed}: one run is enough") };
        assert_eq!(outcomes(only), outcomes(replay.recorded()), "seed {seed}: {spec}");
        assert_eq!((replayed.certainty(), only.drawn, only.moved), (Certainty::Certain, 0, 0));
        for (count, reason) in reasons.iter_mut().zip(StopReason::ALL) {
            *count += only.ended(Some(*reason));
        }
        for (sum, count) in ends.iter_mut().zip([only.good, only.rejected, only.cancelled]) {
            *sum += count;
        }
    }
    // The logs have all of it.
    assert!(ends.iter().all(|count| *count > 200), "{ends:?}");
    let seen = StopReason::ALL.iter().zip(reasons).filter(|(_, count)| *count > 10).count();
    assert_eq!(seen, 8, "{reasons:?}");
}

#[test]
fn fewer_attempts_are_never_drawn() {
    let mut fewer = 0;
    for seed in 0..15 {
        let mut rng = Rng::with_seed(seed);
        let mut spec = policy(&mut rng);
        // A breaker or a budget may admit what it refused when more attempts were made.
        spec.breaker = None;
        let retry = spec.retry.as_mut().expect("it retries");
        retry.budget = None;
        retry.max_attempts += 1;
        let replay = recorded(&spec, &mut rng);
        let retry = spec.retry.as_mut().expect("it retries");
        retry.max_attempts -= 1;
        let replayed = replay.run(&spec).expect("valid");
        assert_eq!(replayed.runs()[0].drawn, 0, "seed {seed}");
        assert_eq!(replayed.certainty(), Certainty::Certain);
        fewer += replay.recorded().attempts - replayed.runs()[0].attempts;
    }
    assert!(fewer > 100, "{fewer}");
}

#[test]
fn the_bounds_contain_the_runs() {
    let (mut drawn, mut between) = (0, 0);
    for seed in 0..15 {
        let mut rng = Rng::with_seed(seed);
        let spec = policy(&mut rng);
        let replay = recorded(&spec, &mut rng).runs(20);
        let mut more = spec;
        more.breaker = None;
        let retry = more.retry.as_mut().expect("it retries");
        (retry.budget, retry.max_attempts) = (None, retry.max_attempts + 3);
        more.attempt_timeout = Some(secs(2));
        let replayed = replay.run(&more).expect("valid");
        let (least, most) = (replayed.all_fail().good, replayed.all_succeed().good);
        for run in replayed.runs() {
            assert!((least..=most).contains(&run.good), "seed {seed}: {} in {least}..={most}", run.good);
            drawn += run.drawn;
        }
        between += most - least;
    }
    assert!(drawn > 5_000 && between > 100, "{drawn} {between}");
}

#[test]
fn a_run_depends_on_its_seed_alone() {
    let mut rng = Rng::with_seed(3);
    let spec = policy(&mut rng);
    let replay = recorded(&spec, &mut rng).runs(30);
    let other = Policy::http().build().expect("valid").spec();
    let first = replay.run(&other).expect("valid");
    fastrand::seed(99); // not on the state of the thread
    let (again, replay) = std::thread::spawn(move || (replay.run(&other), replay)).join().expect("no panic");
    assert_eq!(Ok(&first), again.as_ref());
    let other = Policy::http().build().expect("valid").spec();
    assert_ne!(first, replay.seed(1).run(&other).expect("valid"));
}
