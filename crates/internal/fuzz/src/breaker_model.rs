//! A circuit breaker as a list of failures and a list of rules, without windows, words or locks.
//!
//! Owns what a breaker's documentation promises, computed the long way. Time is nanoseconds since
//! an origin that no instant comes before. What becomes of an instant too far ahead is `doubt.rs`.

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::breaker::{CircuitBreakerBuilder, CircuitState, Transition};

use crate::doubt::{DoubtfulEvents, DoubtfulWait};
use crate::reader::Reader;

/// A breaker's configuration.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    threshold: u32,
    window: Duration,
    recovery: Duration,
    trip_on: Vec<ErrorClass>,
    own_thresholds: Vec<(ErrorClass, u32)>,
    lease: Lease,
}

/// How long a probe keeps its place.
#[derive(Clone, Copy, Debug)]
enum Lease {
    AsRecovery,
    Lasts(Duration),
    Endless,
}

impl Settings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let threshold = u32::from(reader.below(4)) + 1;
        let (window, recovery) = (span(reader), span(reader));
        let bits = reader.u8();
        let trip_on = ErrorClass::ALL.iter().copied().filter(|class| bits >> (*class as u8) & 1 == 1).collect();
        let own_thresholds = (0..reader.below(3)).map(|_| (reader.class(), u32::from(reader.below(3)) + 1)).collect();
        let lease = match reader.below(4) {
            0 | 1 => Lease::AsRecovery,
            2 => Lease::Lasts(span(reader)),
            _ => Lease::Endless,
        };
        Self { threshold, window, recovery, trip_on, own_thresholds, lease }
    }

    pub(crate) fn builder(&self) -> CircuitBreakerBuilder {
        let builder = redress_core::CircuitBreaker::builder()
            .failure_threshold(self.threshold)
            .window(self.window)
            .recovery_timeout(self.recovery)
            .trip_on(self.trip_on.iter().copied());
        let builder = match self.lease {
            Lease::AsRecovery => builder,
            Lease::Lasts(lease) => builder.probe_lease(lease),
            Lease::Endless => builder.no_probe_lease(),
        };
        self.own_thresholds.iter().fold(builder, |builder, (class, own)| builder.class_threshold(*class, *own))
    }

    /// The longest time after which an open circuit admits a probe.
    pub(crate) const fn recovery(&self) -> Duration {
        self.recovery
    }

    fn lease(&self) -> Option<u64> {
        match self.lease {
            Lease::AsRecovery => Some(nanos(self.recovery)),
            Lease::Lasts(lease) => Some(nanos(lease)),
            Lease::Endless => None,
        }
    }

    fn own_threshold(&self, class: ErrorClass) -> Option<u32> {
        self.own_thresholds.iter().rev().find(|(of, _)| *of == class).map(|(_, own)| *own)
    }

    /// The class whose window this class counts in, itself or `None` for all that count generally,
    /// and how many open the circuit; nothing if it does not count.
    fn counts(&self, class: ErrorClass) -> Option<(Option<ErrorClass>, u32)> {
        match self.own_threshold(class) {
            Some(own) => Some((Some(class), own)),
            None => self.trip_on.contains(&class).then_some((None, self.threshold)),
        }
    }
}

/// A span that a configuration takes.
fn span(reader: &mut Reader<'_>) -> Duration {
    match reader.below(10) {
        0 => Duration::from_nanos(1),
        1 => Duration::from_nanos(u64::MAX),
        count => Duration::from_secs(count.into()),
    }
}

/// The model's permit: the era it is of, and whether it is a probe's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    era: u64,
    pub(crate) is_probe: bool,
}

/// How an admitted call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Success,
    Failure(ErrorClass),
    Released,
}

/// The breaker of the model.
#[derive(Debug)]
pub(crate) struct BreakerModel {
    settings: Settings,
    state: CircuitState,
    /// Each change of who may pass makes a new one.
    era: u64,
    /// Whether a probe is under way.
    probing: bool,
    /// What has to pass before a call may be the probe, if something has to.
    wait: Option<DoubtfulWait>,
    /// The failures that counted since the circuit opened last, by the window they are in.
    failures: Vec<(Option<ErrorClass>, DoubtfulEvents)>,
}

impl BreakerModel {
    pub(crate) const fn new(settings: Settings) -> Self {
        Self { settings, state: CircuitState::Closed, era: 0, probing: false, wait: None, failures: Vec::new() }
    }

    pub(crate) const fn state(&self) -> CircuitState {
        self.state
    }

    /// A permit with the change that admission made, or the time until the next probe if that is
    /// known.
    pub(crate) fn admit(&mut self, now: u64) -> Result<(Ticket, Option<Transition>), Option<Duration>> {
        if self.state == CircuitState::Closed {
            return Ok((Ticket { era: self.era, is_probe: false }, None));
        }
        match &mut self.wait {
            Some(wait) => {
                let left = wait.left(now);
                if left > 0 {
                    return Err(Some(Duration::from_nanos(left)));
                }
            }
            None if self.probing => return Err(None),
            None => {}
        }
        let transition = (self.state == CircuitState::Open).then_some(Transition::HalfOpened);
        self.enter(CircuitState::HalfOpen);
        self.probing = true;
        self.wait = self.settings.lease().map(|lease| DoubtfulWait::new(now, lease));
        Ok((Ticket { era: self.era, is_probe: true }, transition))
    }

    /// Whether a permit that is kept for ever loses its place.
    pub(crate) fn has_a_lease(&self) -> bool {
        self.settings.lease().is_some()
    }

    /// Whether a permit is that of the present probe.
    pub(crate) fn is_current_probe(&self, ticket: Ticket) -> bool {
        ticket.is_probe && ticket.era == self.era
    }

    /// The change that the end of an admitted call makes; none if the admission is of an earlier
    /// era.
    pub(crate) fn end(&mut self, ticket: Ticket, end: End, now: u64) -> Option<Transition> {
        if ticket.era != self.era {
            return None;
        }
        let counts = match end {
            End::Failure(class) => self.settings.counts(class),
            End::Success | End::Released => None,
        };
        let opens = match counts {
            Some((window, threshold)) => self.count(window, now) >= threshold as usize || self.probing,
            None => false,
        };
        if opens {
            self.failures.clear();
            self.enter(CircuitState::Open);
            self.wait = Some(DoubtfulWait::new(now, nanos(self.settings.recovery)));
            Some(Transition::Opened)
        } else if self.probing && end == End::Released {
            self.enter(CircuitState::HalfOpen);
            None
        } else if self.probing {
            self.enter(CircuitState::Closed);
            Some(Transition::Closed)
        } else {
            None
        }
    }

    fn enter(&mut self, state: CircuitState) {
        self.state = state;
        self.era += 1;
        self.probing = false;
        self.wait = None;
    }

    /// Counts a failure; how many are in its window now.
    fn count(&mut self, window: Option<ErrorClass>, now: u64) -> usize {
        let known = self.failures.iter().position(|(of, _)| *of == window).unwrap_or_else(|| {
            self.failures.push((window, DoubtfulEvents::new(nanos(self.settings.window))));
            self.failures.len() - 1
        });
        self.failures[known].1.add(now)
    }
}

/// Saturating at 584 years, as redress's arithmetic does.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
