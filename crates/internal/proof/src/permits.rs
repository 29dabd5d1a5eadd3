//! Permits of one breaker, taken, reported and dropped in any order, on a clock that may also go
//! back: the real breaker does what the reference does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redress_core::breaker::{Breaker, CircuitState, Mode, Permit, Report, Seen, Trip};
use redress_core::{CircuitBreaker, ErrorClass};

use crate::breaker::{Ended, Reference, UNJUDGED};
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
    // Slices that a clock had reached before it stepped back are taken for those of the next era.
    let leaps = !spec.has_ratio();
    let has_own_clock = spec.own_clock;
    let mut game = PermitGame { has_own_clock, leaps, changes_mode: true, ..PermitGame::new(&breaker, time, &laws) };
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
            1 if leaps => ticks.saturating_sub(1),
            2 if leaps => ticks.saturating_sub(u64::from(bytes.below(12)) * 1_000_000_000),
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
    /// Whether the clock also leaps, and goes back.
    leaps: bool,
    /// Whether the breaker changes its mode.
    changes_mode: bool,
    laws: &'b Laws,
    reference: Reference,
    /// What the breaker saw before the game began.
    earlier_trip: Option<Trip>,
    permits: Vec<Held<'b>>,
}

/// A permit that is out.
#[derive(Debug)]
struct Held<'b> {
    permit: Permit<'b>,
    /// The reference's name for it.
    era: u64,
    began: Duration,
}

impl<'b> PermitGame<'b> {
    fn new(breaker: &'b CircuitBreaker, time: Time, laws: &'b Laws) -> Self {
        let reference = Reference::new(breaker.spec());
        Self {
            breaker,
            time,
            has_own_clock: false,
            leaps: false,
            changes_mode: false,
            laws,
            reference,
            earlier_trip: breaker.last_trip(),
            permits: Vec::new(),
        }
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
        if let Some(held) = self.permits.pop() {
            self.end(held, Some(Report::Failure(ErrorClass::Permission)), None);
        }
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let index = usize::from(bytes.next());
        match index % 8 {
            0..3 => self.take(),
            3 if index >= 232 && self.changes_mode => self.change_mode(bytes),
            3 => self.time.turn(bytes, self.leaps),
            _ if self.permits.is_empty() => {}
            way => {
                let held = self.permits.remove(index / 8 % self.permits.len());
                let report = match way {
                    4 => Some(Report::Success),
                    5 | 6 => Some(Report::Failure(bytes.one_of(ErrorClass::ALL))),
                    _ => None,
                };
                let hint = bytes.maybe(3, |bytes| Duration::from_secs(bytes.below(12).into()));
                self.end(held, report, hint);
            }
        }
        let (is, says) = (self.breaker.state(), self.reference.state());
        self.laws.require(Law::Edges, is == says, || format!("the circuit is {is}, and {says} by the reference"));
        let (trip, expected) = (self.breaker.last_trip(), self.reference.trip().or(self.earlier_trip));
        self.laws.require(Law::Edges, trip == expected, || format!("it saw {trip:?}, not {expected:?}"));
        let probes = self.permits.iter().filter(|held| self.reference.is_probe(held.era)).count();
        let places = self.reference.places() as usize;
        self.laws.require(Law::OneProbe, probes <= places, || format!("{probes} current probes"));
        let (now, at) = (self.time.elapsed(), self.time.now());
        let told = (self.breaker.admits_by(at), self.breaker.open_for(at));
        let arrival = (!self.has_own_clock).then_some(now);
        let expected = (self.reference.admits_by(arrival), self.reference.open_for(now));
        self.laws.require(Law::NoWedge, told == expected, || format!("it tells {told:?}, not {expected:?}"));
    }

    fn change_mode(&mut self, bytes: &mut Bytes<'_>) {
        let mode = draw::mode(bytes);
        self.breaker.set_mode(mode);
        self.reference.set_mode(mode);
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
            let is_unjudged = admitted.era == UNJUDGED;
            self.laws.require(Law::Edges, permit.is_unjudged() == is_unjudged, || format!("{permit:?}"));
            self.permits.push(Held { permit, era: admitted.era, began: self.time.elapsed() });
        }
    }

    /// Ends a call: with a report, or without a result.
    fn end(&mut self, held: Held<'b>, report: Option<Report>, hint: Option<Duration>) {
        let (now, Held { permit, era, began }) = (self.time.elapsed(), held);
        let took = Some(now.saturating_sub(began));
        let heard = hint.filter(|_| matches!(report, Some(Report::Failure(_))));
        let ended = Ended { report, hint: heard, took, began: Some(began) };
        let expected = self.reference.end(era, &ended, now);
        let made = match report {
            // A drop tells nothing; the state afterwards is compared.
            None if self.has_own_clock => {
                drop(permit);
                expected
            }
            None => permit.release_at(self.time.now()),
            Some(Report::Success) if self.has_own_clock => permit.success(),
            Some(Report::Failure(class)) if self.has_own_clock && hint.is_none() => permit.failure(class),
            Some(Report::Failure(class)) => {
                let mut seen = Seen::failure(class);
                seen.hint = hint;
                permit.report_at(seen, self.time.now())
            }
            Some(_) => permit.report_at(Seen::success(), self.time.now()),
        };
        let law = if expected.is_none() { Law::StaleIgnored } else { Law::Edges };
        self.laws.require(law, made == expected, || format!("{report:?} of {era} made {made:?}, not {expected:?}"));
    }

    /// Checks at the end of time that calls are admitted, and that successes close the circuit:
    /// after every permit is dropped, or, if probes have a lease, while all are held.
    fn ends_well(mut self) {
        self.breaker.set_mode(Mode::Enforcing);
        if self.reference.lease().is_none() {
            self.permits.clear();
        }
        self.time.since.store(u64::MAX, Ordering::Relaxed);
        let was = self.breaker.state();
        let mut made = Vec::new();
        // One more for the arrival that ends a ramp.
        for _ in 0..=self.breaker.spec().trial.passes {
            let permit = self.breaker.try_acquire_at(self.time.now());
            made.push(permit.map(|permit| permit.report_at(Seen::success(), self.time.now())));
        }
        let holds = made.iter().all(Result::is_ok) && self.breaker.state() == CircuitState::Closed;
        self.laws.require(Law::NoWedge, holds, || format!("{was}, and then successes made {made:?}"));
    }
}
