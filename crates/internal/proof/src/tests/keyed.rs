//! Keyed breakers: a bounded set acts like an unbounded one, and on threads a key has one breaker.
//!
//! Attacks K1, K2.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use redress_core::breaker::{Admission, Breaker, CircuitBreakerBuilder, CircuitState, KeyedBreakers, Report};
use redress_core::{CircuitBreaker, ErrorClass};

const WINDOW: Duration = Duration::from_secs(60);
const RECOVERY: Duration = Duration::from_secs(30);

fn settings() -> CircuitBreakerBuilder {
    CircuitBreaker::builder().failure_threshold(2).window(WINDOW).recovery_timeout(RECOVERY)
}

fn keyed(capacity: usize) -> KeyedBreakers {
    KeyedBreakers::builder(settings()).capacity(capacity).build().expect("valid")
}

const KEYS: usize = 6;

/// A call through the set, and through the breaker that the key would have without a bound.
struct Call {
    key: usize,
    breaker: CircuitBreaker,
    admission: Admission,
    unbounded: Admission,
    era: u32,
}

/// A key's breaker that is never evicted, and what is needed to know that it may be.
struct Shadow {
    breaker: CircuitBreaker,
    failures: Vec<Instant>,
    /// The last opening or probe.
    waits_since: Instant,
    /// How many changes of state and probes there were: a failure of an earlier era is ignored.
    era: u32,
}

impl Shadow {
    fn new(start: Instant) -> Self {
        Self { breaker: settings().build().expect("valid"), failures: Vec::new(), waits_since: start, era: 0 }
    }

    fn is_blank(&self, now: Instant) -> bool {
        match self.breaker.state() {
            CircuitState::Closed => self.failures.iter().all(|at| now.duration_since(*at) >= WINDOW),
            _ => now.duration_since(self.waits_since) >= RECOVERY + WINDOW,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Advance(u32),
    Call(usize),
    End(usize, End),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Report(Report),
    Release,
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        3 => Just(End::Report(Report::Failure(ErrorClass::ServerError))),
        1 => Just(End::Report(Report::Failure(ErrorClass::Permanent))),
        2 => Just(End::Report(Report::Success)),
        1 => Just(End::Release),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => prop_oneof![1_u32..5, Just(30), Just(60), Just(90)].prop_map(Step::Advance),
        5 => (0..KEYS).prop_map(Step::Call),
        4 => (any::<usize>(), ends()).prop_map(|(which, end)| Step::End(which, end)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Each key's breaker admits, rejects and changes state exactly as if it were never evicted, so
    /// what holds for one breaker (C1 to C5) holds for each key. What is evicted or has no place
    /// was blank.
    ///
    /// Attacks K1, K2, C1, C2, C3, C4, C5.
    #[test]
    fn a_bounded_set_acts_like_an_unbounded_one(
        capacity in 1_usize..5,
        steps in prop::collection::vec(steps(), 1..150),
    ) {
        let mut game = Game::new(capacity);
        for step in steps {
            match step {
                Step::Advance(seconds) => game.now += Duration::from_secs(u64::from(seconds)),
                Step::Call(key) => game.call(key)?,
                Step::End(which, end) if !game.calls.is_empty() => game.end(which % game.calls.len(), end)?,
                Step::End(_, _) => {}
            }
            prop_assert!(game.set.len() <= capacity && game.set.states().len() == game.set.len());
        }
    }
}

/// A bounded set, and beside it a breaker for each key that is never evicted.
struct Game {
    capacity: usize,
    set: KeyedBreakers,
    shadows: HashMap<usize, Shadow>,
    calls: Vec<Call>,
    start: Instant,
    now: Instant,
}

impl Game {
    fn new(capacity: usize) -> Self {
        let start = Instant::now();
        let (set, shadows, calls) = (keyed(capacity), HashMap::new(), Vec::new());
        Self { capacity, set, shadows, calls, start, now: start }
    }

    fn call(&mut self, key: usize) -> Result<(), TestCaseError> {
        let (now, start, name) = (self.now, self.start, key.to_string());
        let shadow = self.shadows.entry(key).or_insert_with(|| Shadow::new(start));
        if self.set.state(&name).is_none() {
            prop_assert!(self.calls.iter().all(|call| call.key != key), "evicted in use");
            prop_assert!(shadow.is_blank(now), "evicted with what it knows");
            *shadow = Shadow::new(start);
        }
        let Some(breaker) = self.set.for_key_at(&name, now) else {
            prop_assert_eq!(self.set.len(), self.capacity);
            return Ok(());
        };
        match (breaker.admit(now), shadow.breaker.admit(now)) {
            (Ok(admission), Ok(unbounded)) => {
                prop_assert_eq!(admission, unbounded);
                if breaker.state() == CircuitState::HalfOpen {
                    shadow.waits_since = now;
                    shadow.era += 1;
                }
                self.calls.push(Call { key, breaker, admission, unbounded, era: shadow.era });
            }
            (Err(rejection), Err(unbounded)) => {
                let told = (rejection.state(), rejection.retry_in());
                prop_assert_eq!(told, (unbounded.state(), unbounded.retry_in()));
            }
            (one, other) => prop_assert!(false, "{one:?} and {other:?}"),
        }
        Ok(())
    }

    fn end(&mut self, which: usize, end: End) -> Result<(), TestCaseError> {
        let Call { key, breaker, admission, unbounded, era } = self.calls.swap_remove(which);
        let (now, shadow) = (self.now, self.shadows.get_mut(&key).expect("it was called"));
        match end {
            End::Release => {
                breaker.release(admission);
                shadow.breaker.release(unbounded);
            }
            End::Report(report) => {
                let transition = breaker.report(admission, report, now);
                prop_assert_eq!(transition, shadow.breaker.report(unbounded, report, now));
                if report == Report::Failure(ErrorClass::ServerError) && era == shadow.era {
                    shadow.failures.push(now);
                }
                shadow.era += u32::from(transition.is_some());
                if transition.is_some_and(|transition| transition.state() == CircuitState::Open) {
                    shadow.waits_since = now;
                    shadow.failures.clear();
                }
            }
        }
        prop_assert_eq!(breaker.state(), shadow.breaker.state());
        Ok(())
    }
}

/// Threads look up, fail and hold breakers of more keys than there is room for.
///
/// Attacks K1, K2.
#[test]
fn on_threads_a_key_has_one_breaker() {
    const CAPACITY: usize = 8;
    let (set, start, found) = (keyed(CAPACITY), Instant::now(), AtomicU64::new(0));
    thread::scope(|scope| {
        for seed in 0..4 {
            let (set, found) = (&set, &found);
            scope.spawn(move || {
                let mut random = generator(seed);
                for step in 0..4_000_u32 {
                    let now = start + Duration::from_secs(u64::from(step));
                    let key = (random() % 24).to_string();
                    let Some(breaker) = set.for_key_at(&key, now) else { continue };
                    found.fetch_add(1, Ordering::Relaxed);
                    if let (Ok(permit), true) = (breaker.try_acquire_at(now), random() % 4 == 0) {
                        let again = set.for_key_at(&key, now).expect("its breaker is in use");
                        let transition = permit.failure_at(ErrorClass::ServerError, now);
                        assert!(transition.is_none() || again.state() != CircuitState::Closed, "two breakers");
                    }
                    assert!(set.len() <= CAPACITY && set.states().len() <= CAPACITY + 4);
                }
            });
        }
    });
    assert!(found.load(Ordering::Relaxed) > 1_000);
    assert_eq!(set.states().len(), set.len());
}

/// A small generator (xorshift), so that a failure repeats.
fn generator(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 11
    }
}
