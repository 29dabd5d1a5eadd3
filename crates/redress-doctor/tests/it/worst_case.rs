//! Worst cases: no call of the engine exceeds them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};
use proptest::{collection, option, sample};
use redress::doctor::WorstCase;
use redress::driver::Timer;
use redress::policy::PolicySpec;
use redress::testing::VirtualClock;
use redress::{AsyncPolicy, Classification, ErrorClass, Policy, Retry, error_classifier, fixed};

use crate::specs::{ms, policy};

/// How an attempt fails.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) class: ErrorClass,
    pub(crate) hint: Option<Duration>,
    pub(crate) after: Duration,
}

impl Failure {
    pub(crate) fn classify(&self) -> Classification {
        let failed = Classification::new(self.class);
        match self.hint {
            Some(hint) => failed.with_retry_after(hint),
            None => failed,
        }
    }
}

fn failure() -> impl Strategy<Value = Failure> {
    let class = sample::select(ErrorClass::ALL);
    // Attempts shorter than their timeout, so that it is the failure that is classified.
    let after = prop_oneof![ms(0..20), ms(0..4_000)];
    (class, option::of(ms(0..6_000)), after).prop_map(|(class, hint, after)| Failure { class, hint, after })
}

/// The time and the attempts of a call whose attempts fail as the script says, over and over.
fn play(spec: PolicySpec, script: &[Failure]) -> (Duration, u32) {
    let clock = VirtualClock::new();
    let policy = AsyncPolicy::from_spec(spec)
        .classifier(error_classifier(|failure: &Failure| failure.classify()))
        .timer(clock.timer())
        .build()
        .expect("valid");
    let next = AtomicUsize::new(0);
    let outcome = clock.block_on(policy.execute(|| {
        let failure = script[next.fetch_add(1, Ordering::Relaxed) % script.len()].clone();
        let took = clock.timer().sleep(failure.after);
        async move {
            took.await;
            Err::<(), _>(failure)
        }
    }));
    (outcome.elapsed(), outcome.attempts())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_call_exceeds_the_worst_case(
        spec in policy(1..9),
        script in collection::vec(failure(), 1..9),
        calls in any::<[bool; 3]>(),
    ) {
        let worst = WorstCase::of(&spec);
        // Several calls of one policy, so that adaptive strategies have learned.
        for _ in calls {
            let (elapsed, attempts) = play(spec.clone(), &script);
            prop_assert!(worst.time.is_none_or(|time| elapsed <= time), "{elapsed:?} of {worst:?}");
            prop_assert!(attempts <= worst.calls, "{attempts} of {worst:?}");
        }
    }

    #[test]
    fn without_hints_no_call_exceeds_the_lower_worst_case(
        spec in policy(1..9),
        script in collection::vec(failure(), 1..9),
    ) {
        let script: Vec<_> = script.into_iter().map(|failure| Failure { hint: None, ..failure }).collect();
        let (worst, with_hints) = (WorstCase::without_hints(&spec), WorstCase::of(&spec));
        let (elapsed, attempts) = play(spec, &script);
        prop_assert!(worst.time.is_none_or(|time| elapsed <= time), "{elapsed:?} of {worst:?}");
        prop_assert!(attempts <= worst.calls && worst.calls <= with_hints.calls);
    }
}

#[test]
fn more_retries_than_are_followed_are_bounded_too() {
    let worst = |deadline: Option<Duration>| {
        let retry = Retry::builder().max_attempts(1_000).strategy(fixed(Duration::from_millis(10)));
        let mut spec = Policy::builder()
            .retry(retry.ignore_retry_after())
            .attempt_timeout(Duration::from_millis(5))
            .build()
            .expect("valid")
            .spec();
        spec.deadline = deadline;
        WorstCase::of(&spec)
    };
    let open = worst(None);
    assert_eq!((open.time, open.calls), (Some(Duration::from_millis(1_000 * 5 + 999 * 10)), 1_000));
    let ended = worst(Some(Duration::from_secs(5)));
    assert_eq!(ended.time, Some(Duration::from_secs(5)));
    // 499 waits of 10 ms end before 5 s, and the bound counts in whole waits.
    assert!((500..=501).contains(&ended.calls), "{}", ended.calls);
}

#[test]
fn a_hint_lengthens_the_worst_case() {
    let retry = Retry::builder().max_attempts(2).strategy(fixed(Duration::from_millis(10)));
    let retry = retry.max_retry_after(Duration::from_secs(5));
    let policy = Policy::builder().retry(retry).no_deadline().attempt_timeout(Duration::from_secs(1)).build();
    let spec = policy.expect("valid").spec();
    let after = Duration::from_millis(999);
    let script = [Failure { class: ErrorClass::Transient, hint: Some(Duration::from_secs(60)), after }];
    let (elapsed, attempts) = play(spec.clone(), &script);
    assert_eq!((elapsed, attempts), (Duration::from_millis(2 * 999 + 5_000), 2));
    assert_eq!(WorstCase::of(&spec).time, Some(Duration::from_secs(7)));
    assert_eq!(WorstCase::without_hints(&spec).time, Some(Duration::from_millis(2_010)));
}
