//! Replays of logs that are small enough to be counted by hand.

use redress::policy::PolicySpec;
use redress::{CircuitBreaker, Policy, Retry, StopReason, fixed};
use redress_sim::{Certainty, Recording, Replay, ReplayError, ReplayRequirement, Replayed};

use crate::{millis, secs};

/// A line of the log: when, in ms; and the rest of the record.
fn line(at: u64, rest: &str) -> String {
    format!("{{\"v\":1,\"at_us\":{},\"policy\":\"orders\",{rest}}}\n", 1_795_000_000_000_000 + at * 1_000)
}

fn success(at: u64, took: u64) -> String {
    let attempt = format!("{{\"start_us\":0,\"took_us\":{}}}", took * 1_000);
    line(at, &format!("\"outcome\":\"success\",\"elapsed_us\":{},\"made\":1,\"attempts\":[{attempt}]", took * 1_000))
}

/// A call whose only attempt fails.
fn failure(at: u64, took: u64) -> String {
    let took = took * 1_000;
    let attempt = format!("{{\"start_us\":0,\"took_us\":{took},\"class\":\"SERVER_ERROR\",\"cause\":\"exception\"}}");
    let rest =
        format!("\"stop_reason\":\"MAX_ATTEMPTS_GLOBAL\",\"elapsed_us\":{took},\"made\":1,\"attempts\":[{attempt}]");
    line(at, &format!("\"outcome\":\"failure\",{rest}"))
}

/// A call whose only attempt was cut by its timeout.
fn cut(at: u64, took: u64) -> String {
    failure(at, took).replace("SERVER_ERROR", "RATE_LIMIT").replace("exception", "timeout")
}

fn rejection(at: u64) -> String {
    line(at, "\"outcome\":\"rejected\",\"stop_reason\":\"CIRCUIT_OPEN\",\"made\":0")
}

fn replay_of(lines: &str) -> Replay {
    let mut recording = Recording::new();
    recording.read("calls.jsonl", lines.as_bytes()).expect("readable");
    recording.replay(None).expect("calls")
}

fn attempts(attempts: u32) -> PolicySpec {
    let retry = Retry::builder().max_attempts(attempts).strategy(fixed(millis(100)));
    Policy::builder().retry(retry).build().expect("valid").spec()
}

fn once_within(timeout: u64) -> PolicySpec {
    Policy::builder().attempt_timeout(millis(timeout)).build().expect("valid").spec()
}

fn run(lines: &str, policy: &PolicySpec) -> Replayed {
    replay_of(lines).run(policy).expect("valid")
}

#[test]
fn a_shorter_timeout_cuts_what_was_recorded() {
    let lines = [success(0, 100), success(500, 101), failure(1_000, 300), cut(1_500, 400)].concat();
    let replayed = run(&lines, &once_within(100));
    let counts = &replayed.runs()[0];
    assert_eq!((counts.good, counts.drawn, counts.attempts), (1, 0, 4));
    assert_eq!(counts.latency(1.0).map(|time| time.as_millis()), Some(100), "an answer in time wins");
    assert_eq!(replayed.certainty(), Certainty::Certain);
}

#[test]
fn timeouts_have_the_class_of_the_logs_timeouts() {
    let lines = [success(0, 500), cut(1_000, 400)].concat();
    let mut policy = attempts(3);
    policy.attempt_timeout = Some(millis(200));
    let retry = policy.retry.as_mut().expect("it retries");
    retry.max_retries_for[redress::ErrorClass::RateLimit] = Some(0);
    let replayed = run(&lines, &policy);
    assert_eq!(replayed.runs()[0].ended(Some(StopReason::MaxAttemptsPerClass)), 2);
}

#[test]
fn an_attempt_that_was_cut_goes_on_as_others_of_its_minute() {
    let others = [success(0, 700), failure(1_000, 50)].concat();
    let with = |limit: u64| run(&[others.clone(), cut(2_000, 400)].concat(), &once_within(limit));
    // Of the others, one took longer.
    let runs = with(1_000);
    assert!(runs.runs().iter().all(|run| (run.good, run.drawn) == (2, 1)), "{runs}");
    assert_eq!((runs.all_fail().good, runs.all_succeed().good), (1, 2));
    // With a limit in between, it is cut again, which is not certain.
    assert!(with(600).runs().iter().all(|run| (run.good, run.drawn) == (0, 1)));
    // At the old limit it is certain.
    assert_eq!(with(400).certainty(), Certainty::Certain);
}

#[test]
fn without_a_limit_an_attempt_that_was_cut_fails_if_none_took_longer() {
    let lines = [success(0, 100), cut(1_000, 400)].concat();
    let mut policy = attempts(1);
    policy.deadline = None;
    let replayed = run(&lines, &policy);
    assert!(replayed.runs().iter().all(|run| (run.good, run.failed, run.unfinished) == (1, 1, 0)));
}

#[test]
fn further_attempts_are_drawn_from_their_minute() {
    // Nine failures and a success in the first minute; in the second a hundred successes, and a
    // failure that is retried.
    let first: String = (0..9).map(|index| failure(index * 1_000, 10)).collect();
    let lines = [first, success(10_000, 10), success(70_000, 30), success(71_000, 30), success(72_000, 30)].concat();
    let last: String = (0..97).map(|index| success(80_000 + index * 10, 30)).collect();
    let lines = [lines, last, failure(90_000, 30)].concat();
    let replayed = run(&lines, &attempts(2));
    let succeeding = |run: &redress_sim::Counts| run.good - replayed.recorded().good;
    let (low, high) = replayed.likely(succeeding);
    // Nine draws at one in ten, and one at a hundred in a hundred and one.
    assert!(low >= 1 && high <= 5, "{low} {high}");
    assert_eq!(succeeding(replayed.all_succeed()), 10);
    assert_eq!(succeeding(replayed.all_fail()), 0);
    let mean = replayed.runs().iter().map(succeeding).sum::<u64>() as f64 / 100.0;
    assert!((1.6..2.2).contains(&mean), "{mean} for 1.9");
}

#[test]
fn an_empty_minute_draws_from_the_nearest() {
    let lines = [success(0, 10), failure(200_000, 10), rejection(400_000)].concat();
    let replayed = run(&lines, &attempts(1));
    let rejected_once = &replayed.runs()[0];
    assert_eq!(
        (rejected_once.good, rejected_once.drawn, rejected_once.drawn_elsewhere),
        (1, 1, 1),
        "the failure is near"
    );
    assert_eq!(replayed.all_succeed().good, 2, "the success is near enough");
    assert!(replayed.limits().iter().any(|limit| limit.contains("nearest minute")), "{replayed}");
}

#[test]
fn the_same_operation_is_enough_if_it_has_ten_attempts() {
    let named =
        |line: String, name: &str| line.replace("\"outcome\"", &format!("\"operation\":\"{name}\",\"outcome\""));
    let slow = |count: u64| -> String { (0..count).map(|at| named(success(at * 10, 500), "slow")).collect() };
    let fast: String = (0..50).map(|at| named(failure(1_000 + at * 10, 5), "fast")).collect();
    let rejected = named(rejection(5_000), "slow");
    let good = |count| {
        let replayed = run(&[slow(count), fast.clone(), rejected.clone()].concat(), &attempts(1));
        replayed.likely(|run| run.good - count)
    };
    assert_eq!(good(10), (1, 1), "of its operation");
    assert_eq!(good(9), (0, 1), "of any");
}

#[test]
fn callers_leave_after_the_same_time() {
    let dropped = "\"outcome\":\"cancelled\",\"elapsed_us\":300000,\"made\":1,\"attempts\":[{\"start_us\":0}]";
    let panicked = dropped.replace("cancelled", "panicked");
    let lines = [success(0, 10), line(1_000, dropped), line(2_000, &panicked)].concat();
    let with = |limit| run(&lines, &once_within(limit)).runs()[0].clone();
    let as_recorded = with(300);
    assert_eq!((as_recorded.cancelled, as_recorded.panicked, as_recorded.drawn), (1, 1, 0));
    let cut_before = with(299);
    assert_eq!((cut_before.cancelled, cut_before.panicked, cut_before.failed), (0, 0, 2));
}

#[test]
fn a_breaker_for_each_that_the_log_names() {
    let named = |line: String, name: &str| line.replace("\"outcome\"", &format!("\"breaker\":\"{name}\",\"outcome\""));
    let breaker = CircuitBreaker::builder().failure_threshold(2).recovery_timeout(secs(10));
    let policy = Policy::builder().circuit_breaker(breaker).deadline(secs(5)).build().expect("valid").spec();
    let on = |names: [&str; 4]| {
        let [a, b, c, d] = names;
        let lines = [named(failure(0, 10), a), named(failure(100, 10), b), named(success(200, 10), c)].concat();
        let counts = run(&[lines, named(success(12_000, 10), d)].concat(), &policy).runs()[0].clone();
        (counts.rejected, counts.open)
    };
    assert_eq!(on(["a", "b", "a", "b"]), (0, Some(secs(0))));
    // From the second failure to the call that probes.
    assert_eq!(on(["a", "a", "a", "a"]), (1, Some(millis(12_000 - 110))));
    // Until the end, for a breaker that is called no more.
    assert_eq!(on(["a", "a", "b", "b"]), (0, Some(millis(12_010 - 110))));
}

#[test]
fn calls_of_other_policies_are_left_out() {
    let mut recording = Recording::new();
    let stock = success(5, 10).replace("orders", "stock");
    let none = success(6, 10).replace("\"policy\":\"orders\",", "");
    recording.read("calls.jsonl", [success(0, 10), stock, none].concat().as_bytes()).expect("readable");
    let policies: Vec<_> = recording.policies().collect();
    assert_eq!(policies, [(None, 1), (Some("orders"), 1), (Some("stock"), 1)]);
    let replay = recording.clone().replay(Some("stock")).expect("calls");
    assert_eq!((replay.call_count(), replay.recorded_policy()), (1, Some("stock")));
    assert_eq!(recording.clone().replay(Some("")).expect("calls").recorded_policy(), None);
    let error = recording.replay(Some("users")).expect_err("none has the name").to_string();
    assert_eq!(error, "the log has calls of several policies: choose one of (none), orders, stock");
}

#[test]
fn a_log_without_calls_or_attempts_says_so() {
    let replay = |lines: &str| {
        let mut recording = Recording::new();
        recording.read("calls.jsonl", lines.as_bytes()).expect("readable");
        recording.replay(None).map(|replay| replay.call_count())
    };
    assert_eq!(replay("\n\n"), Err(ReplayError::Empty { unread: 0 }));
    assert_eq!(replay("x\n{}\n"), Err(ReplayError::Empty { unread: 2 }));
    assert_eq!(replay(&rejection(0)), Err(ReplayError::NoAttempts));
    assert_eq!(replay(&success(0, 10)), Ok(1));
}

#[test]
fn hostile_lines_are_data() {
    let huge = u64::MAX;
    let attempt = format!(
        "{{\"start_us\":{huge},\"took_us\":{huge},\"hint_us\":{huge},\"class\":\"TRANSIENT\",\"cause\":\"exception\"}}"
    );
    let call = format!(
        "\"outcome\":\"failure\",\"elapsed_us\":{huge},\"made\":{},\"attempts\":[{attempt},{attempt}]",
        u32::MAX
    );
    let lines = [
        "{\"v\":2}\n".to_owned(),
        "nonsense\n".to_owned(),
        format!("{{\"v\":1,\"at_us\":0,{call}}}\n"),
        format!("{{\"v\":1,\"at_us\":{huge},{call}}}\n"),
        // A success before another attempt, and attempts out of order.
        line(3, "\"outcome\":\"success\",\"made\":2,\"attempts\":[{\"start_us\":9,\"took_us\":1},{\"start_us\":3}]")
            .replace("\"policy\":\"orders\",", ""),
        line(4, "\"outcome\":\"cancelled\",\"made\":1,\"attempts\":[{\"start_us\":5}]")
            .replace("\"policy\":\"orders\",", ""),
        "{\"v\":1,\"at".to_owned(),
    ];
    let replay = replay_of(&lines.concat());
    assert_eq!(replay.call_count(), 4);
    for policy in [attempts(1), attempts(200), once_within(10), Policy::http().build().expect("valid").spec()] {
        let replayed = replay.clone().runs(3).run(&policy).expect("valid");
        let text = replayed.to_string();
        let skipped = "3 lines are no records and are skipped: calls.jsonl:1, calls.jsonl:2, calls.jsonl:7.";
        assert!(replayed.limits().iter().any(|limit| limit == skipped), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        for run in replayed.runs() {
            assert_eq!(run.calls, run.good + run.failed + run.cancelled + run.panicked + run.unfinished);
        }
    }
}

#[test]
fn names_of_a_log_cannot_command_a_terminal_or_fill_it() {
    let name = format!("\\u001b[31m{}", "x".repeat(250));
    let named = success(0, 10).replace("orders", &name);
    let replayed = run(&[named, "{\"v\":1,\"outcome\":\"\\u001b\"}".to_owned()].concat(), &attempts(1));
    let text = replayed.to_string();
    assert!(!text.contains('\u{1b}') && text.starts_with("\u{fffd}[31mxxx"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn requirements_hold_over_the_whole_likely_range() {
    let lines: String =
        (0..50).map(|at| if at % 2 == 0 { success(at * 10, 10) } else { failure(at * 10, 10) }).collect();
    let replayed = run(&lines, &attempts(2));
    let (low, high) = replayed.likely(|run| run.good as f64 / 50.0);
    assert!(low < 0.75 && 0.75 < high, "{low} {high}");
    let verdict = |text: &str| text.parse::<ReplayRequirement>().expect("valid").judge(&replayed);
    assert!(verdict("success >= 60%").holds && !verdict("success >= 75%").holds && !verdict("success <= 75%").holds);
    let text = verdict("success >= 75%").to_string();
    assert_eq!(text, format!("success >= 75%: does not hold, it is {low:.4} to {high:.4}"));
    assert_eq!(verdict("attempts/offered <= 1.5").to_string(), "attempts/offered <= 1.5: holds, it is 1.5000");
    assert!(verdict("p100 < 200ms").holds && !verdict("p100 < 10ms").holds);
    let none = run(&failure(0, 10), &attempts(1));
    let nothing: ReplayRequirement = "p50 < 1s".parse().expect("valid");
    assert_eq!(nothing.judge(&none).to_string(), "p50 < 1s: does not hold, there is nothing to measure");
    for text in ["recover < 1s", "good during < 1", "peak good < 1", "open < 1", "good/reset < 1"] {
        assert!(text.parse::<ReplayRequirement>().is_err(), "{text}");
    }
}
