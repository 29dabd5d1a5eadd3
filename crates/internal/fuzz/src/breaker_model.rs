//! A model of a circuit breaker: a list of failures and a list of rules, without ring, packed words
//! or locks.
//!
//! Computes what the documentation of a breaker promises, in the simplest way. Time is nanoseconds
//! since an origin that no instant precedes. `doubt.rs` handles instants too far ahead.

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

/// The lease of a probe.
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

    /// The window that this class counts in (its own, or `None` for the shared one) and the
    /// threshold that opens the circuit. Returns `None` if the class does not count.
    fn counts(&self, class: ErrorClass) -> Option<(Option<ErrorClass>, u32)> {
        match self.own_threshold(class) {
            Some(own) => Some((Some(class), own)),
            None => self.trip_on.contains(&class).then_some((None, self.threshold)),
        }
    }
}

/// A span that is valid in a configuration.
fn span(reader: &mut Reader<'_>) -> Duration {
    match reader.below(10) {
        0 => Duration::from_nanos(1),
        1 => Duration::from_nanos(u64::MAX),
        count => Duration::from_secs(count.into()),
    }
}

/// The model's permit: its era, and whether it is a probe's.
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
    /// Increases with each change of the rule of admission.
    era: u64,
    /// Whether a probe is under way.
    probing: bool,
    /// The wait before a call may become the probe, if there is one.
    wait: Option<DoubtfulWait>,
    /// The failures counted since the circuit last opened, by window.
    failures: Vec<(Option<ErrorClass>, DoubtfulEvents)>,
}

impl BreakerModel {
    pub(crate) const fn new(settings: Settings) -> Self {
        Self { settings, state: CircuitState::Closed, era: 0, probing: false, wait: None, failures: Vec::new() }
    }

    pub(crate) const fn state(&self) -> CircuitState {
        self.state
    }

    /// Returns a permit with the transition that admission made, or the time until the next probe
    /// if it is known.
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

    /// Whether a probe that never ends loses its place.
    pub(crate) fn has_a_lease(&self) -> bool {
        self.settings.lease().is_some()
    }

    /// Whether a permit belongs to the current probe.
    pub(crate) fn is_current_probe(&self, ticket: Ticket) -> bool {
        ticket.is_probe && ticket.era == self.era
    }

    /// The transition that the end of an admitted call makes; `None` if the permit is of an earlier
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

    /// Counts a failure and returns the number in its window.
    fn count(&mut self, window: Option<ErrorClass>, now: u64) -> usize {
        let known = self.failures.iter().position(|(of, _)| *of == window).unwrap_or_else(|| {
            self.failures.push((window, DoubtfulEvents::new(nanos(self.settings.window))));
            self.failures.len() - 1
        });
        self.failures[known].1.add(now)
    }
}

/// Saturates at 584 years, as the arithmetic of redress does.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
