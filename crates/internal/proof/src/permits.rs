//! Permits of one breaker, taken, reported and dropped in any order, on a clock that may also go
//! back: the real breaker does what the reference does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redress_core::breaker::{CircuitState, Permit, Transition};
use redress_core::{CircuitBreaker, ErrorClass};

use crate::breaker::Reference;
use crate::bytes::Bytes;
use crate::draw;
use crate::laws::{Law, Laws};

/// More permits at a time find nothing more.
const MOST_PERMITS: usize = 6;

/// Reads a breaker and steps on its permits from bytes, and plays them.
///
/// # Panics
///
/// If a law is broken.
pub fn permit_schedule(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let spec = draw::breaker(&mut bytes.part(draw::BREAKER));
    let time = Time::default();
    let mut builder = CircuitBreaker::from_spec(spec.spec());
    if spec.own_clock {
        builder = builder.clock(time.clock());
    }
    let breaker = builder.build().expect("the data is valid");
    let laws = Laws::default();
    let mut game = PermitGame { has_own_clock: spec.own_clock, leaps: true, ..PermitGame::new(&breaker, time, &laws) };
    game.show_the_origin();
    while !bytes.is_at_end() && laws.all_hold() {
        game.step(&mut bytes);
    }
    game.ends_well();
    assert!(laws.all_hold(), "{spec:?}:\n{}", laws.breaches());
}

/// The time that a breaker receives, from a clock or as an argument.
#[derive(Clone, Debug)]
struct Time {
    origin: Instant,
    since: Arc<AtomicU64>,
}

impl Default for Time {
    fn default() -> Self {
        Self { origin: Instant::now(), since: Arc::default() }
    }
}

impl Time {
    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.since.load(Ordering::Relaxed))
    }

    fn now(&self) -> Instant {
        self.origin + self.elapsed()
    }

    fn clock(&self) -> impl Fn() -> Instant + Send + Sync + 'static {
        let time = self.clone();
        move || time.now()
    }

    /// Moves by seconds, or by a nanosecond to reach both sides of the edge of a second.
    fn turn(&self, bytes: &mut Bytes<'_>, leaps: bool) {
        let ticks = self.since.load(Ordering::Relaxed);
        let ticks = match bytes.below(7) {
            0 => ticks.saturating_add(1),
            1 => ticks.saturating_sub(1),
            2 => ticks.saturating_sub(u64::from(bytes.below(12)) * 1_000_000_000),
            3 if leaps => ticks.saturating_add(1 << 62),
            // Moves back from such a leap, to the time of an ordinary clock.
            4 => ticks % (1 << 62),
            _ => ticks.saturating_add(u64::from(bytes.below(12)) * 1_000_000_000),
        };
        self.since.store(ticks.min(1 << 63), Ordering::Relaxed);
    }
}

/// A real breaker and the reference, which receive the same calls.
#[derive(Debug)]
pub struct PermitGame<'b> {
    breaker: &'b CircuitBreaker,
    time: Time,
    has_own_clock: bool,
    leaps: bool,
    laws: &'b Laws,
    reference: Reference,
    /// The permits, with the reference's names for them.
    permits: Vec<(Permit<'b>, u64)>,
}

impl<'b> PermitGame<'b> {
    fn new(breaker: &'b CircuitBreaker, time: Time, laws: &'b Laws) -> Self {
        let reference = Reference::new(breaker.spec());
        Self { breaker, time, has_own_clock: false, leaps: false, laws, reference, permits: Vec::new() }
    }

    /// Plays these steps with a closed breaker whose failures no longer count at `origin`, and that
    /// nothing else uses. Time starts there and does not leap.
    pub fn replay(breaker: &'b CircuitBreaker, origin: Instant, steps: &[u8], laws: &'b Laws) {
        let time = Time { origin, since: Arc::default() };
        let (mut game, mut bytes) = (Self::new(breaker, time, laws), Bytes::new(steps));
        while !bytes.is_at_end() {
            game.step(&mut bytes);
        }
        game.ends_well();
    }

    /// A breaker counts its time from the first instant it receives: a failure that does not count
    /// sets the origin.
    fn show_the_origin(&mut self) {
        self.take();
        if let Some((permit, era)) = self.permits.pop() {
            self.end(permit, era, Some(ErrorClass::Permission), false);
        }
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let index = usize::from(bytes.next());
        match index % 8 {
            0..3 => self.take(),
            3 => self.time.turn(bytes, self.leaps),
            _ if self.permits.is_empty() => {}
            way => {
                let (permit, era) = self.permits.remove(index / 8 % self.permits.len());
                let class = matches!(way, 5 | 6).then(|| bytes.one_of(ErrorClass::ALL));
                self.end(permit, era, class, way == 7);
            }
        }
        let (is, says) = (self.breaker.state(), self.reference.state());
        self.laws.require(Law::Edges, is == says, || format!("the circuit is {is}, and {says} by the reference"));
        let probes = self.permits.iter().filter(|(_, era)| self.reference.is_probe(*era)).count();
        self.laws.require(Law::OneProbe, probes <= 1, || format!("{probes} current probes"));
    }

    fn take(&mut self) {
        if self.permits.len() == MOST_PERMITS {
            return;
        }
        let expected = self.reference.admit(self.time.elapsed());
        let taken =
            if self.has_own_clock { self.breaker.try_acquire() } else { self.breaker.try_acquire_at(self.time.now()) };
        let figures = || format!("{taken:?} where the reference says {expected:?}");
        match (&taken, expected) {
            (Ok(permit), Ok(admitted)) => {
                self.laws.require(Law::Edges, permit.transition() == admitted.transition, figures);
            }
            (Err(rejection), Err(expected)) => {
                let told = (rejection.state(), rejection.retry_in());
                self.laws.require(Law::NoWedge, told == expected, figures);
            }
            (Ok(_), Err(_)) => self.laws.require(Law::OneProbe, false, figures),
            (Err(_), Ok(_)) => self.laws.require(Law::NoWedge, false, figures),
        }
        if let (Ok(permit), Ok(admitted)) = (taken, expected) {
            self.permits.push((permit, admitted.era));
        }
    }

    /// Ends a call: as a failure of this class or as a success, or without a result.
    fn end(&mut self, permit: Permit<'b>, era: u64, class: Option<ErrorClass>, is_released: bool) {
        let now = self.time.elapsed();
        let (made, expected) = if is_released {
            drop(permit);
            self.reference.release(era);
            (None, None)
        } else {
            let made = match class {
                None => permit.success(),
                Some(class) if self.has_own_clock => permit.failure(class),
                Some(class) => permit.failure_at(class, self.time.now()),
            };
            (made, self.reference.report(era, class, now))
        };
        let law = if expected.is_none() { Law::StaleIgnored } else { Law::Edges };
        self.laws.require(law, made == expected, || format!("{class:?} of {era} made {made:?}, not {expected:?}"));
    }

    /// Checks at the end of time that a call is admitted: after every permit is dropped, or, if a
    /// probe has a lease, while all are held.
    fn ends_well(mut self) {
        if self.reference.lease().is_none() {
            self.permits.clear();
        }
        self.time.since.store(u64::MAX, Ordering::Relaxed);
        let was = self.breaker.state();
        let closed = self.breaker.try_acquire_at(self.time.now()).map(Permit::success);
        let closes = (was != CircuitState::Closed).then_some(Transition::Closed);
        let holds = closed == Ok(closes) && self.breaker.state() == CircuitState::Closed;
        self.laws.require(Law::NoWedge, holds, || format!("{was}, and then a success made {closed:?}"));
    }
}
