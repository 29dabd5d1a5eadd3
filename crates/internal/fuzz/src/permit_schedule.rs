//! The target `permit_schedule`: permits of one breaker, taken, reported and dropped in any order,
//! on a clock that may also go back.
//!
//! `breaker_model.rs` holds the expected behaviour.
//!
//! Attacks C1, C2, C3, C4, C5.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redress_core::breaker::{CircuitState, Permit, Transition};
use redress_core::{CircuitBreaker, ErrorClass};

use crate::breaker_model::{BreakerModel, End, Settings, Ticket};
use crate::reader::Reader;

/// More permits at a time find nothing more.
const MOST_PERMITS: usize = 6;

/// Takes, reports and drops permits in any order. Checks that each step does what the model does,
/// and that no order wedges the breaker.
///
/// # Panics
///
/// If a law is broken.
pub fn permit_schedule(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    let settings = Settings::read(&mut reader);
    let hand = Hand::new(reader.flag());
    let mut builder = settings.builder();
    if hand.is_breakers {
        builder = builder.clock(hand.clock());
    }
    let breaker = builder.build().expect("a configuration that is taken");
    let mut game = Game { breaker: &breaker, hand, model: BreakerModel::new(settings), permits: Vec::new() };
    game.show_the_origin();
    while !reader.is_at_end() {
        game.step(&mut reader);
        assert_eq!(breaker.state(), game.model.state(), "the breaker is where the model is");
        let probes = game.permits.iter().filter(|(_, ticket)| game.model.is_current_probe(*ticket)).count();
        assert!(probes <= 1, "one current probe at a time");
    }
    game.ends_well();
}

/// The time that the breaker receives, from a clock or as an argument.
struct Hand {
    origin: Instant,
    since: Arc<AtomicU64>,
    is_breakers: bool,
}

impl Hand {
    fn new(is_breakers: bool) -> Self {
        Self { origin: Instant::now(), since: Arc::default(), is_breakers }
    }

    fn ticks(&self) -> u64 {
        self.since.load(Ordering::Relaxed)
    }

    fn now(&self) -> Instant {
        self.origin + Duration::from_nanos(self.ticks())
    }

    fn clock(&self) -> impl Fn() -> Instant + Send + Sync + 'static {
        let (origin, since) = (self.origin, Arc::clone(&self.since));
        move || origin + Duration::from_nanos(since.load(Ordering::Relaxed))
    }

    /// Moves by seconds, or by a nanosecond to reach both sides of the edge of a second.
    fn turn(&self, reader: &mut Reader<'_>) {
        let ticks = self.ticks();
        let ticks = match reader.below(7) {
            0 => ticks.saturating_add(1),
            1 => ticks.saturating_sub(1),
            2 => ticks.saturating_sub(u64::from(reader.below(12)) * 1_000_000_000),
            3 => ticks.saturating_add(1 << 62),
            // Moves back from such a leap, to the time of an ordinary clock.
            4 => ticks % (1 << 62),
            _ => ticks.saturating_add(u64::from(reader.below(12)) * 1_000_000_000),
        };
        self.since.store(ticks.min(1 << 63), Ordering::Relaxed);
    }
}

struct Game<'b> {
    breaker: &'b CircuitBreaker,
    hand: Hand,
    model: BreakerModel,
    permits: Vec<(Permit<'b>, Ticket)>,
}

impl Game<'_> {
    /// A breaker counts its time from the first instant it receives: a failure that does not count
    /// sets the origin.
    fn show_the_origin(&mut self) {
        self.take();
        if let Some((permit, ticket)) = self.permits.pop() {
            self.end(permit, ticket, End::Failure(ErrorClass::Permission));
        }
    }

    fn step(&mut self, reader: &mut Reader<'_>) {
        let index = usize::from(reader.u8());
        match index % 8 {
            0..3 => self.take(),
            3 => self.hand.turn(reader),
            way => {
                if self.permits.is_empty() {
                    return;
                }
                let (permit, ticket) = self.permits.remove(index / 8 % self.permits.len());
                let end = match way {
                    4 => End::Success,
                    5 | 6 => End::Failure(reader.class()),
                    _ => End::Released,
                };
                self.end(permit, ticket, end);
            }
        }
    }

    fn take(&mut self) {
        if self.permits.len() == MOST_PERMITS {
            return;
        }
        let expected = self.model.admit(self.hand.ticks());
        let taken = if self.hand.is_breakers {
            self.breaker.try_acquire()
        } else {
            self.breaker.try_acquire_at(self.hand.now())
        };
        match (taken, expected) {
            (Ok(permit), Ok((ticket, transition))) => {
                assert_eq!(permit.transition(), transition, "admission makes the expected transition");
                self.permits.push((permit, ticket));
            }
            (Err(rejection), Err(wait)) => {
                assert_eq!(
                    (rejection.state(), rejection.retry_in()),
                    (self.model.state(), wait),
                    "a rejection holds its reason"
                );
            }
            (taken, expected) => panic!("{taken:?} where the model says {expected:?}"),
        }
    }

    fn end(&mut self, permit: Permit<'_>, ticket: Ticket, end: End) {
        let expected = self.model.end(ticket, end, self.hand.ticks());
        let made = match end {
            End::Success => permit.success(),
            End::Failure(class) if self.hand.is_breakers => permit.failure(class),
            End::Failure(class) => permit.failure_at(class, self.hand.now()),
            End::Released => {
                drop(permit);
                assert!(expected.is_none(), "a release makes no transition");
                None
            }
        };
        assert_eq!(made, expected, "{ticket:?} ended with {end:?}");
    }

    /// Checks at the end of time that a call is admitted: after every permit is dropped, or, if a
    /// probe has a lease, while all are held.
    fn ends_well(mut self) {
        if !self.model.has_a_lease() {
            self.permits.clear();
        }
        self.hand.since.store(u64::MAX, Ordering::Relaxed);
        let was = self.breaker.state();
        let permit = self.breaker.try_acquire_at(self.hand.now()).expect("in the end a breaker admits a call");
        let closes = (was != CircuitState::Closed).then_some(Transition::Closed);
        assert_eq!(permit.success(), closes, "the success of a probe closes the circuit");
        assert_eq!(self.breaker.state(), CircuitState::Closed);
    }
}
