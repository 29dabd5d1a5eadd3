//! Models of the breaker's cell.
//!
//! Attacks C2, C3, C4, C5, C6, C8.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{Probing, Timeline, at_once, explore, explore_less, explore_within};
use crate::breaker::{Admission, Breaker, CircuitBreaker, CircuitState, Report, Transition, Trial};
use crate::classify::class::ErrorClass;

const RECOVERY: u64 = 5;
/// When the lease of a probe admitted at second 5 is over.
const LEASE_OVER: u64 = 10;
const SERVER: Report = Report::Failure(ErrorClass::ServerError);
/// A class that does not trip the breaker.
const ANSWER: Report = Report::Failure(ErrorClass::Permanent);

fn breaker(failure_threshold: u32) -> CircuitBreaker {
    let builder = CircuitBreaker::builder().failure_threshold(failure_threshold).window(Duration::from_secs(60));
    builder.recovery_timeout(Duration::from_secs(RECOVERY)).build().expect("valid")
}

/// A breaker that opened at second 0, so it admits a probe from second 5 on.
fn opened(time: Timeline) -> CircuitBreaker {
    let breaker = breaker(1);
    let permit = breaker.try_acquire_at(time.at(0)).expect("closed");
    assert_eq!(permit.failure_at(ErrorClass::ServerError, time.at(0)), Some(Transition::Opened));
    breaker
}

/// How the holder of an admission ends it.
#[derive(Clone, Copy, Debug)]
enum End {
    Report(Report),
    Release,
}

const ENDS: [End; 4] = [End::Report(Report::Success), End::Report(SERVER), End::Report(ANSWER), End::Release];

impl End {
    fn of(self, breaker: &CircuitBreaker, admission: Admission, now: Instant) -> Option<Transition> {
        match self {
            Self::Report(report) => breaker.report(admission, report, now),
            Self::Release => {
                breaker.release(admission);
                None
            }
        }
    }

    /// The breaker's state after a probe that ended like this.
    fn leaves(self) -> CircuitState {
        match self {
            Self::Report(Report::Failure(ErrorClass::ServerError)) => CircuitState::Open,
            Self::Report(_) => CircuitState::Closed,
            Self::Release => CircuitState::HalfOpen,
        }
    }
}

/// Counts of events, shared by all threads.
#[derive(Default)]
struct Tally {
    probing: Probing,
    half_opened: AtomicU32,
    opened: AtomicU32,
    closed: AtomicU32,
}

impl Tally {
    fn note(&self, transition: Option<Transition>) {
        let count = match transition {
            Some(Transition::HalfOpened) => &self.half_opened,
            Some(Transition::Opened) => &self.opened,
            Some(Transition::Closed) => &self.closed,
            None => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// A caller of the breaker: tries to be admitted once, and if it is the probe, checks that
    /// there is no other.
    fn call(&self, breaker: &CircuitBreaker, end: End, now: Instant) {
        let Ok(admission) = breaker.admit(now) else { return };
        self.note(admission.transition);
        if CircuitBreaker::is_probe(admission.generation) {
            self.probing.alone();
        }
        self.note(end.of(breaker, admission, now));
    }

    fn get(&self) -> [u32; 3] {
        [&self.half_opened, &self.opened, &self.closed].map(|count| count.load(Ordering::Relaxed))
    }
}

/// After all threads have finished, the breaker admits a call again, and one success closes it.
fn is_not_wedged(breaker: &CircuitBreaker, later: Instant) {
    let admission = breaker.admit(later).expect("recovered, and no probe is running");
    let _ = breaker.report(admission, Report::Success, later);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// Attacks C2, C3, C4.
fn probes_come_one_at_a_time(name: &str, ends: &[End]) {
    let ends = ends.to_vec();
    explore_within(usize::from(ends.len() > 2), &format!("{name}: {ends:?}"), move || {
        let time = Timeline::new();
        let (breaker, tally) = (opened(time), Arc::new(Tally::default()));
        let callers = ends.iter().skip(1).map(|end| {
            let (breaker, tally, end) = (breaker.clone(), Arc::clone(&tally), *end);
            move || tally.call(&breaker, end, time.at(RECOVERY))
        });
        at_once(|| tally.call(&breaker, ends[0], time.at(RECOVERY)), callers.collect());
        let [half_opened, opened, closed] = tally.get();
        assert_eq!(half_opened, 1, "recovered once, and failed probes recover later");
        assert!(opened <= 1 + closed && closed <= 1, "opened {opened}, closed {closed}");
        is_not_wedged(&breaker, time.at(100));
    });
}

#[test]
fn two_callers_never_probe_at_once() {
    for (index, one) in ENDS.into_iter().enumerate() {
        for other in &ENDS[index..] {
            probes_come_one_at_a_time("two probes", &[one, *other]);
        }
    }
}

#[test]
fn three_callers_never_probe_at_once() {
    for (index, one) in ENDS.into_iter().enumerate() {
        for (next, other) in ENDS.iter().enumerate().skip(index) {
            for third in &ENDS[next..] {
                probes_come_one_at_a_time("three probes", &[one, *other, *third]);
            }
        }
    }
}

/// Attacks C1, C5.
#[test]
fn a_trip_is_neither_lost_nor_doubled() {
    for threshold in 1..=4 {
        explore(&format!("threshold {threshold}, three failures"), move || {
            let (time, breaker, tally) = (Timeline::new(), breaker(threshold), Arc::new(Tally::default()));
            let fail = |breaker: CircuitBreaker, tally: Arc<Tally>, second| {
                let admission = breaker.admit(time.at(0)).expect("closed");
                move || tally.note(breaker.report(admission, SERVER, time.at(second)))
            };
            let callers =
                vec![fail(breaker.clone(), Arc::clone(&tally), 1), fail(breaker.clone(), Arc::clone(&tally), 2)];
            let own = fail(breaker.clone(), Arc::clone(&tally), 3);
            at_once(own, callers);
            let trips = threshold <= 3;
            assert_eq!(tally.get(), [0, u32::from(trips), 0]);
            assert_eq!(breaker.state(), if trips { CircuitState::Open } else { CircuitState::Closed });
        });
    }
}

/// Attacks C5.
#[test]
fn a_result_from_before_the_trip_decides_nothing() {
    for late in ENDS {
        for probe in ENDS {
            explore(&format!("late {late:?}, probe {probe:?}"), move || {
                let time = Timeline::new();
                let breaker = breaker(1);
                let [old, trip] = [0, 0].map(|second| breaker.admit(time.at(second)).expect("closed"));
                assert_eq!(breaker.report(trip, SERVER, time.at(0)), Some(Transition::Opened));
                let holder = breaker.clone();
                let straggler = move || assert_eq!(late.of(&holder, old, time.at(RECOVERY)), None, "it is history");
                at_once(
                    || {
                        let admission = breaker.admit(time.at(RECOVERY)).expect("recovered");
                        assert!(CircuitBreaker::is_probe(admission.generation));
                        assert_eq!(breaker.state(), CircuitState::HalfOpen);
                        let _ = probe.of(&breaker, admission, time.at(RECOVERY));
                    },
                    vec![straggler],
                );
                assert_eq!(breaker.state(), probe.leaves());
            });
        }
    }
}

/// The same permit is reported once by its holder; here one is dropped while the other reports.
///
/// Attacks C3, C4, C5.
#[test]
fn a_drop_and_a_report_race_for_different_eras() {
    explore("a dropped probe, the next probe", || {
        let time = Timeline::new();
        let breaker = opened(time);
        let first = breaker.admit(time.at(RECOVERY)).expect("recovered");
        let holder = breaker.clone();
        let admitted = at_once(
            || breaker.admit(time.at(RECOVERY)).ok().map(|second| breaker.report(second, Report::Success, time.at(6))),
            vec![move || holder.release(first)],
        );
        match admitted {
            None => assert_eq!(breaker.state(), CircuitState::HalfOpen, "the place was released afterwards"),
            Some(transition) => assert_eq!(transition, Some(Transition::Closed), "it was free"),
        }
        is_not_wedged(&breaker, time.at(100));
    });
}

/// Admission reads the word and the reopening time without the lock. Its answer must have been true
/// at some instant of the read.
///
/// Attacks C1, C2.
#[test]
fn a_rejection_beside_a_trip_says_the_time_of_a_real_opening() {
    explore("a caller beside the trip", || {
        let (time, breaker) = (Timeline::new(), breaker(1));
        let admission = breaker.admit(time.at(10)).expect("closed");
        let holder = breaker.clone();
        let asked = at_once(
            || breaker.admit(time.at(12)),
            vec![move || assert_eq!(holder.report(admission, SERVER, time.at(10)), Some(Transition::Opened))],
        );
        match asked {
            Ok(admission) => assert!(!CircuitBreaker::is_probe(admission.generation), "nothing has recovered yet"),
            Err(rejection) => {
                let told = (rejection.state(), rejection.retry_in());
                assert_eq!(told, (CircuitState::Open, Some(Duration::from_secs(3))));
            }
        }
    });
}

/// The second caller's clock is behind: only its wait depends on which opening's time it reads.
///
/// Attacks C1, C2.
#[test]
fn a_rejection_beside_a_failing_probe_says_the_time_of_that_opening() {
    for (asked_at, left_of_lease, wait) in [(7, 3, 4), (4, 5, 5)] {
        explore(&format!("a caller at second {asked_at} beside the failing probe"), move || {
            let time = Timeline::new();
            let breaker = opened(time);
            let probe = breaker.admit(time.at(RECOVERY)).expect("recovered");
            let holder = breaker.clone();
            let rejection = at_once(
                || breaker.admit(time.at(asked_at)).expect_err("a probe is under way or has failed"),
                vec![move || assert_eq!(holder.report(probe, SERVER, time.at(6)), Some(Transition::Opened))],
            );
            let told = (rejection.state(), rejection.retry_in());
            let open_again = (CircuitState::Open, Some(Duration::from_secs(wait)));
            let probing = (CircuitState::HalfOpen, Some(Duration::from_secs(left_of_lease)));
            assert!(told == probing || told == open_again, "{told:?}");
        });
    }
}

/// Attacks C4.
#[test]
fn a_permit_dropped_on_another_thread_gives_its_place_back() {
    explore("a permit dropped beside two callers", || {
        let time = Timeline::new();
        let breaker = opened(time);
        let tally = Arc::new(Tally::default());
        let callers = (0..2).map(|_| {
            let (breaker, tally) = (breaker.clone(), Arc::clone(&tally));
            move || {
                if let Ok(permit) = breaker.try_acquire_at(time.at(RECOVERY)) {
                    tally.probing.alone();
                    drop(permit);
                }
            }
        });
        at_once(|| (), callers.collect());
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        is_not_wedged(&breaker, time.at(RECOVERY));
    });
}

/// The first probe never ends, or ends late in any way. Two callers arrive after its lease has
/// expired.
///
/// Attacks C2, C3, C5.
#[test]
fn one_caller_supersedes_a_probe_whose_lease_is_over() {
    let late: Vec<Option<End>> = ENDS.into_iter().map(Some).chain([None]).collect();
    for late in late {
        explore(&format!("a probe that ends late: {late:?}"), move || {
            let time = Timeline::new();
            let breaker = opened(time);
            let kept = breaker.admit(time.at(RECOVERY)).expect("recovered");
            let admitted = Arc::new(AtomicU32::new(0));
            let caller = |breaker: CircuitBreaker, admitted: Arc<AtomicU32>| {
                move || match breaker.admit(time.at(LEASE_OVER)) {
                    Ok(admission) => {
                        assert_eq!(admission.transition, None, "half-open already");
                        if CircuitBreaker::is_probe(admission.generation) {
                            admitted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    Err(rejection) => assert_eq!(rejection.retry_in(), Some(Duration::from_secs(RECOVERY))),
                }
            };
            let callers = (0..2).map(|_| caller(breaker.clone(), Arc::clone(&admitted)));
            let heard = at_once(|| late.and_then(|end| end.of(&breaker, kept, time.at(LEASE_OVER))), callers.collect());
            let probes = admitted.load(Ordering::Relaxed);
            assert!(probes == 1 || (heard.is_some() && probes == 0), "{probes} probes, heard {heard:?}");
            assert!(heard.is_none() || probes == 0, "a superseded probe decided");
            if probes == 1 {
                assert_eq!(breaker.state(), CircuitState::HalfOpen);
            }
            is_not_wedged(&breaker, time.at(100));
        });
    }
}

/// A chain of probes of which none ends.
///
/// Attacks C2, C3.
#[test]
fn probes_that_are_kept_follow_each_other_one_lease_apart() {
    explore("callers 0, 4 and 5 seconds after the recovery, then one", || {
        let (time, probes) = (Timeline::new(), Arc::new(AtomicU32::new(0)));
        let breaker = opened(time);
        let caller = |second| {
            let (breaker, probes) = (breaker.clone(), Arc::clone(&probes));
            move || {
                if breaker.admit(time.at(RECOVERY + second)).is_ok() {
                    probes.fetch_or(1_u32 << second, Ordering::Relaxed);
                }
            }
        };
        at_once(caller(0), vec![caller(4), caller(5)]);
        let before = probes.load(Ordering::Relaxed);
        assert!([0b1_0000, 0b10_0000, 0b10_0001].contains(&before), "{before:b}");
        assert!(breaker.admit(time.at(RECOVERY + 10)).is_ok(), "a lease later");
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
    });
}

/// Two places: the calls beside the two probes are rejected without the lock.
///
/// Attacks C2, C3, C8.
#[test]
fn a_trial_has_no_more_probes_than_places() {
    for end in ENDS {
        explore_less(&format!("three callers of a trial with two places, {end:?}"), move || {
            let time = Timeline::new();
            let builder =
                CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_secs(RECOVERY));
            let breaker = builder.trial(Trial::new().places(2).passes(2)).build().expect("valid");
            let permit = breaker.try_acquire_at(time.at(0)).expect("closed");
            assert_eq!(permit.failure_at(ErrorClass::ServerError, time.at(0)), Some(Transition::Opened));
            let live = Arc::new(loom::sync::atomic::AtomicU32::new(0));
            let caller = |breaker: CircuitBreaker, live: Arc<loom::sync::atomic::AtomicU32>| {
                move || {
                    let Ok(admission) = breaker.admit(time.at(RECOVERY)) else { return };
                    if CircuitBreaker::is_probe(admission.generation) {
                        assert!(live.fetch_add(1, Ordering::Relaxed) < 2, "three probes at once");
                        live.fetch_sub(1, Ordering::Relaxed);
                    }
                    end.of(&breaker, admission, time.at(RECOVERY));
                }
            };
            let others = (0..2).map(|_| caller(breaker.clone(), Arc::clone(&live))).collect();
            at_once(caller(breaker.clone(), Arc::clone(&live)), others);
            for _ in 0..3 {
                if let Ok(admission) = breaker.admit(time.at(100)) {
                    let _ = breaker.report(admission, Report::Success, time.at(100));
                }
            }
            assert_eq!(breaker.state(), CircuitState::Closed);
        });
    }
}

/// A success that ends a row takes the lock only if it sees the row.
///
/// Attacks C1, C6.
#[test]
fn a_row_is_ended_by_a_success_after_it_and_by_no_other() {
    explore("a success beside the second failure in a row", || {
        let time = Timeline::new();
        let breaker = CircuitBreaker::builder().consecutive_failures(2).build().expect("valid");
        let [first, second, third, success] = [0; 4].map(|second| breaker.admit(time.at(second)).expect("closed"));
        assert_eq!(breaker.report(first, SERVER, time.at(1)), None);
        let holder = breaker.clone();
        let opened = at_once(
            || breaker.report(second, SERVER, time.at(2)),
            vec![move || holder.succeed_closed(success.generation, None, crate::stripes::Thread::current())],
        );
        let is_open = opened == Some(Transition::Opened);
        assert_eq!(breaker.state() == CircuitState::Open, is_open);
        let last = breaker.report(third, SERVER, time.at(3));
        assert_eq!(last == Some(Transition::Opened), !is_open, "the success came before the second failure");
    });
}
