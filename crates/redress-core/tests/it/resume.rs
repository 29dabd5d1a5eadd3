//! Deferred calls that a later delivery continues, and the text of their tokens.

use std::io::{Error, ErrorKind};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use redress_core::driver::NoTimer;
use redress_core::resume::{ResumeToken, ResumeTokenError};
use redress_core::strategy::BackoffContext;
use redress_core::{
    AsyncPolicy, CallContext, CircuitBreaker, Classification, ErrorClass, Policy, Retry, RetryOutcome, SleepDecision,
    StopReason, error_classifier, fixed,
};
use redress_testing::VirtualClock;

/// A token that version 1 wrote. Later versions read it for ever.
const VERSION_1: &str = include_str!("resume/version-1.txt");

const MINUTE: Duration = Duration::from_secs(60);

fn wall(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn refused() -> Result<(), Error> {
    Err(ErrorKind::ConnectionRefused.into())
}

fn defer(_: &BackoffContext<'_>, _: Duration) -> SleepDecision {
    SleepDecision::Defer
}

fn policy(clock: &VirtualClock) -> Policy {
    let retry = Retry::builder().strategy(fixed(MINUTE)).max_attempts(3);
    Policy::builder().name("mail").clock(clock.clone()).retry(retry).deadline(10 * MINUTE).build().expect("valid")
}

/// Delivers a call that fails after `takes`, deferred.
fn deliver<'a>(context: CallContext<'a, Policy>, clock: &'a VirtualClock, takes: Duration) -> RetryOutcome<(), Error> {
    context.sleep_handler(defer).execute(|| {
        clock.advance(takes);
        refused()
    })
}

fn token_of(policy: &Policy, clock: &VirtualClock) -> ResumeToken {
    deliver(policy.context(), clock, MINUTE).resume_token_at(wall(1_000)).expect("deferred")
}

#[test]
fn attempts_and_time_go_on() {
    let clock = VirtualClock::new();
    let policy = policy(&clock);
    let token = token_of(&policy, &clock);
    assert_eq!((token.attempts(), token.elapsed(), token.deferred_at()), (1, MINUTE, wall(1_000)));
    assert_eq!((token.failures(ErrorClass::Transient), token.failures(ErrorClass::Permanent)), (1, 0));

    clock.advance(100 * MINUTE);
    let second = deliver(policy.resume(token), &clock, MINUTE);
    assert_eq!((second.attempts(), second.elapsed(), second.next_delay()), (2, 2 * MINUTE, Some(MINUTE)));

    let token = second.resume_token().expect("deferred");
    let numbers = Mutex::new(Vec::new());
    let third = policy.resume(token).execute_with(|attempt| {
        numbers.lock().expect("not poisoned").push(attempt.number());
        refused()
    });
    assert_eq!(third.stop_reason(), Some(StopReason::MaxAttempts));
    assert_eq!((numbers.into_inner().expect("not poisoned"), third.attempts()), (vec![3], 3));
    assert_eq!(third.resume_token(), None, "the call has ended");
}

#[test]
fn an_asynchronous_call_continues_a_blocking_one() {
    let clock = VirtualClock::new();
    let token = token_of(&policy(&clock), &clock);
    let spec = policy(&clock).spec();
    let policy = AsyncPolicy::<_, NoTimer>::from_spec(spec).timer(clock.timer()).build().expect("valid");
    let outcome = clock.block_on(policy.resume(token).execute(|| async { refused() }));
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (3, Some(StopReason::MaxAttempts)));
    assert_eq!(outcome.elapsed(), 2 * MINUTE, "one in the first attempt, one waited for here");
}

#[test]
fn the_previous_delay_and_the_failures_of_a_class_go_on() {
    let clock = VirtualClock::new();
    let seen: std::sync::Arc<Mutex<Vec<Option<Duration>>>> = std::sync::Arc::default();
    let delays = std::sync::Arc::clone(&seen);
    let strategy = move |context: &BackoffContext<'_>| {
        delays.lock().expect("not poisoned").push(context.prev_delay);
        MINUTE * context.attempt
    };
    let retry = Retry::builder().strategy(strategy).max_attempts(100).max_retries_for(ErrorClass::Transient, 3);
    let policy = Policy::builder().clock(clock.clone()).retry(retry).no_deadline().build().expect("valid");
    let mut outcome = deliver(policy.context(), &clock, Duration::ZERO);
    while let Some(token) = outcome.resume_token() {
        outcome = deliver(policy.resume(token), &clock, Duration::ZERO);
    }
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (4, Some(StopReason::MaxAttemptsPerClass)));
    assert_eq!(*seen.lock().expect("not poisoned"), [None, Some(MINUTE), Some(2 * MINUTE)]);
}

#[test]
fn retries_of_unrecognised_failures_are_capped_over_all_deliveries() {
    let clock = VirtualClock::new();
    let unknown = error_classifier(|_: &Error| Classification::new(ErrorClass::Unknown));
    let retry = Retry::builder().strategy(fixed(MINUTE)).max_attempts(100).max_unknown_retries(2);
    let policy = Policy::builder().classifier(unknown).clock(clock).retry(retry).no_deadline().build().expect("valid");
    let mut made = 0;
    let mut outcome = policy.context().sleep_handler(defer).execute(refused);
    while let Some(token) = outcome.resume_token() {
        made += 1;
        outcome = policy.resume(token).sleep_handler(defer).execute(refused);
    }
    assert_eq!((made, outcome.stop_reason()), (2, Some(StopReason::MaxUnknownAttempts)));
}

#[test]
fn a_lowered_limit_ends_the_call_without_an_attempt() {
    let clock = VirtualClock::new();
    let token = token_of(&policy(&clock), &clock);
    let breaker = CircuitBreaker::builder().name("mail").build().expect("valid");
    let once = Policy::builder()
        .retry(Retry::builder().strategy(fixed(MINUTE)).max_attempts(1))
        .no_deadline()
        .circuit_breaker(&breaker)
        .build()
        .expect("valid");
    let outcome = once.resume(token).execute(|| -> Result<(), Error> { panic!("no attempt is left") });
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (1, Some(StopReason::MaxAttempts)));
    assert!(outcome.last_failure().is_none());
}

#[test]
fn the_pause_counts_only_if_it_is_counted() {
    let clock = VirtualClock::new();
    let policy = policy(&clock);
    let token = token_of(&policy, &clock);
    let in_an_hour = wall(1_000 + 3_600);
    let ends = |token: ResumeToken| policy.resume(token).execute(|| Ok::<_, Error>(())).stop_reason();
    assert_eq!(ends(token), None);
    assert_eq!(ends(token.with_pause_until(in_an_hour)), Some(StopReason::DeadlineExceeded));
    assert_eq!(ends(token.with_pause_until(wall(1_000 + 60))), None);
    assert_eq!(token.with_pause_until(wall(5)), token, "the clock was set back");
    let twice = token.with_pause_until(wall(1_010)).with_pause_until(wall(1_030));
    assert_eq!(twice.elapsed(), MINUTE + Duration::from_secs(30));
}

#[test]
fn a_deadline_of_one_delivery_does_not_count_the_time_before_it() {
    let clock = VirtualClock::new();
    let policy = policy(&clock);
    let token = token_of(&policy, &clock).with_pause_until(wall(1_000 + 300));
    let outcome = policy.resume(token).deadline(MINUTE).execute(|| Ok::<_, Error>(()));
    assert_eq!((outcome.stop_reason(), outcome.elapsed()), (None, 6 * MINUTE));
}

#[test]
fn a_wall_deadline_ends_the_call_on_any_day() {
    let clock = VirtualClock::new();
    let policy = policy(&clock);
    let token = token_of(&policy, &clock);
    let ends = |token: ResumeToken| policy.resume(token).execute(|| Ok::<_, Error>(())).stop_reason();
    assert_eq!(ends(token.with_wall_deadline(wall(1_001))), Some(StopReason::DeadlineExceeded));
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    assert_eq!(ends(token.with_wall_deadline(tomorrow)), None);
    let carried = token.with_wall_deadline(wall(77)).to_string().parse::<ResumeToken>().expect("its text");
    assert_eq!(carried.wall_deadline(), Some(wall(77)));
    let settings = redress_core::policy::CallSettings::from(CallContext::new().resume(token));
    let nested = policy.context().within(&settings);
    assert_eq!(nested.execute(|| Ok::<_, Error>(())).attempts(), 2, "nested settings keep the token");
}

#[test]
fn unreadable_foreign_and_forgotten_tokens_start_afresh() {
    let clock = VirtualClock::new();
    let policy = policy(&clock);
    let now = SystemTime::now();
    let outcome = deliver(policy.context(), &clock, Duration::ZERO);
    let text = |at| outcome.resume_token_at(at).expect("deferred").to_string();
    let attempts =
        |policy: &Policy, token: Option<&str>| policy.resume_or_fresh(token).execute(|| Ok::<_, Error>(())).attempts();
    assert_eq!(attempts(&policy, Some(&text(now))), 2);
    assert_eq!(attempts(&policy, Some(&text(now - Duration::from_secs(6 * 86_400)))), 2);
    assert_eq!(attempts(&policy, Some(&text(now + Duration::from_secs(86_400)))), 2, "a clock that runs ahead");
    assert_eq!(attempts(&policy, Some(&text(now - Duration::from_secs(8 * 86_400)))), 1);
    assert_eq!(attempts(&policy, Some("rd2.later")), 1);
    assert_eq!(attempts(&policy, None), 1);
    assert_eq!(attempts(&Policy::default(), Some(&text(now))), 1);
}

#[test]
fn a_rejected_delivery_gives_no_token() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1).clock(clock.clone()).build().expect("valid");
    let retry = Retry::builder().strategy(fixed(MINUTE)).max_attempts(3);
    let policy = Policy::builder().clock(clock.clone()).retry(retry).circuit_breaker(&breaker).build().expect("valid");
    let first = deliver(policy.context(), &clock, Duration::ZERO);
    let token = first.resume_token().expect("deferred");
    let second = deliver(policy.resume(token), &clock, Duration::ZERO);
    assert_eq!((second.stop_reason(), second.resume_token()), (Some(StopReason::CircuitOpen), None));
}

#[test]
fn texts_of_version_1_are_read_for_ever() {
    let token: ResumeToken = VERSION_1.trim().parse().expect("a token");
    assert_eq!((token.attempts(), token.elapsed()), (4, Duration::from_millis(90_250)));
    assert_eq!(token.deferred_at(), wall(1_795_000_000));
    assert_eq!(token.wall_deadline(), Some(wall(1_795_003_600)));
    let counts = [ErrorClass::Concurrency, ErrorClass::RateLimit, ErrorClass::ServerError, ErrorClass::Transient];
    assert_eq!(counts.map(|class| token.failures(class)), [0, 1, 0, 2]);
    assert_eq!(token.failures(ErrorClass::Unknown), 1);
    assert!(token.is_of(Some("mail")) && !token.is_of(None) && !token.is_of(Some("post")));
    assert_eq!(token.to_string(), VERSION_1.trim());
}

#[test]
fn a_changed_text_is_not_read() {
    let text = VERSION_1.trim();
    for cut in 0..text.len() {
        assert!(text[..cut].parse::<ResumeToken>().is_err(), "cut at {cut}");
    }
    for place in 4..text.len() {
        let other = if &text[place..=place] == "a" { "b" } else { "a" };
        let changed = format!("{}{other}{}", &text[..place], &text[place + 1..]);
        assert_eq!(changed.parse::<ResumeToken>(), Err(ResumeTokenError::Damaged), "{changed}");
    }
    assert_eq!("rd2.aa".parse::<ResumeToken>(), Err(ResumeTokenError::Version));
    assert_eq!("".parse::<ResumeToken>(), Err(ResumeTokenError::Version));
    assert_eq!(format!("rd1.{}", "a".repeat(10_000)).parse::<ResumeToken>(), Err(ResumeTokenError::Damaged));
    assert_eq!("rd1.\u{fffd}".parse::<ResumeToken>(), Err(ResumeTokenError::Damaged));
}

/// The text of a token of version 1 with these numbers, and of no policy.
fn text_of(numbers: &[u8]) -> String {
    let mut bytes = [numbers, &[0; 4]].concat();
    let (mut sum, mut sums) = (0_u32, 0_u32);
    for &byte in &bytes {
        sum = (sum + u32::from(byte)) % 255;
        sums = (sums + sum) % 255;
    }
    bytes.extend([sum, sums].map(|sum| u8::try_from(sum).expect("less than 255")));
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let digits = bits.as_bytes().chunks(5).map(|digit| {
        let value = digit.iter().fold(0, |value, bit| 2 * value + usize::from(bit - b'0')) << (5 - digit.len());
        char::from(b"abcdefghijklmnopqrstuvwxyz234567"[value])
    });
    format!("rd1.{}", digits.collect::<String>())
}

#[test]
fn each_number_has_one_text() {
    let with_deadline = |deadline: &[u8]| {
        let numbers = [&[1, 0, 0, 0, 0, 0, 0, 0, 0], deadline].concat();
        text_of(&numbers).parse::<ResumeToken>().map(|token| token.wall_deadline())
    };
    let after = |nanos| Ok(Some(SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)));
    assert_eq!(with_deadline(&[0]), Ok(None));
    assert_eq!(with_deadline(&[0x7f]), after(126));
    assert_eq!(with_deadline(&[0x80, 1]), after(127));
    let most = |tenth| [&[0xff; 9][..], &[tenth]].concat();
    assert_eq!(with_deadline(&most(1)), after(u64::MAX - 1));
    for idle_or_too_large in [&[0x80, 0][..], &[0xff, 0], &[0x80; 10], &most(0), &most(2), &most(3)] {
        assert_eq!(with_deadline(idle_or_too_large), Err(ResumeTokenError::Damaged), "{idle_or_too_large:?}");
    }
}

#[test]
fn numbers_of_every_length_are_read_back() {
    let clock = VirtualClock::new();
    let outcome = deliver(policy(&clock).context(), &clock, MINUTE);
    for length in (0..63).step_by(7) {
        for nanos in [(1 << length) - 1, 1 << length] {
            let at = SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos);
            let token = outcome.resume_token_at(at).expect("deferred");
            assert_eq!(token.to_string().parse(), Ok(token), "{nanos}");
        }
    }
}

#[test]
fn a_token_of_seven_days_is_not_stale() {
    let clock = VirtualClock::new();
    let token = token_of(&policy(&clock), &clock);
    let week = Duration::from_secs(7 * 86_400);
    assert!(!token.is_stale(wall(1_000) + week));
    assert!(token.is_stale(wall(1_000) + week + Duration::from_nanos(1)));
}

#[test]
fn the_longest_text_fits() {
    let clock = VirtualClock::new();
    let unknown = error_classifier(|_: &Error| Classification::new(ErrorClass::Unknown));
    let policy = Policy::builder()
        .name("mail")
        .classifier(unknown)
        .clock(clock.clone())
        .retry(
            Retry::builder()
                .strategy(fixed(MINUTE * 60 * 24 * 365 * 500))
                .max_attempts(u32::MAX)
                .unlimited_unknown_retries(),
        )
        .no_deadline()
        .build()
        .expect("valid");
    let outcome = policy.context().sleep_handler(defer).execute(|| {
        clock.advance(Duration::from_secs(u64::from(u32::MAX)));
        refused()
    });
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
    let token = outcome.resume_token_at(far).expect("deferred").with_wall_deadline(far).with_pause_until(far);
    let text = token.to_string();
    assert!(text.len() <= 120, "{}", text.len());
    assert_eq!(text.parse(), Ok(token));
}
