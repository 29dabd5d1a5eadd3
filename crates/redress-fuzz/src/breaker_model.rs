//! A circuit breaker as a list of failures and a list of rules, without windows, words or locks.
//!
//! Owns what a breaker's documentation promises, computed the long way. Time is nanoseconds since an origin that no
//! instant comes before.

use std::time::Duration;

use redress_core::{CircuitBreakerBuilder, CircuitState, ErrorClass, Transition};

use crate::reader::Reader;

/// A breaker's configuration.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    threshold: u32,
    window: Duration,
    recovery: Duration,
    trip_on: Vec<ErrorClass>,
    own_thresholds: Vec<(ErrorClass, u32)>,
}

impl Settings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let threshold = u32::from(reader.below(4)) + 1;
        let (window, recovery) = (span(reader), span(reader));
        let bits = reader.u8();
        let trip_on = ErrorClass::ALL.iter().copied().filter(|class| bits >> (*class as u8) & 1 == 1).collect();
        let own_thresholds = (0..reader.below(3)).map(|_| (reader.class(), u32::from(reader.below(3)) + 1)).collect();
        Self { threshold, window, recovery, trip_on, own_thresholds }
    }

    pub(crate) fn builder(&self) -> CircuitBreakerBuilder {
        let builder = redress_core::CircuitBreaker::builder()
            .failure_threshold(self.threshold)
            .window(self.window)
            .recovery_timeout(self.recovery)
            .trip_on(self.trip_on.iter().copied());
        self.own_thresholds.iter().fold(builder, |builder, (class, own)| builder.class_threshold(*class, *own))
    }

    /// The longest time after which an open circuit admits a probe.
    pub(crate) const fn recovery(&self) -> Duration {
        self.recovery
    }

    fn own_threshold(&self, class: ErrorClass) -> Option<u32> {
        self.own_thresholds.iter().rev().find(|(of, _)| *of == class).map(|(_, own)| *own)
    }

    /// The class whose window this class counts in, itself or `None` for all that count generally, and how many open the
    /// circuit; nothing if it does not count.
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
    reopens_at: u64,
    /// Every failure that counted since the circuit opened last: in which window, and when it leaves it.
    failures: Vec<(Option<ErrorClass>, u64)>,
    /// The latest failure in each window ever: an earlier one counts as simultaneous.
    latest: Vec<(Option<ErrorClass>, u64)>,
}

impl BreakerModel {
    pub(crate) const fn new(settings: Settings) -> Self {
        Self {
            settings,
            state: CircuitState::Closed,
            era: 0,
            probing: false,
            reopens_at: 0,
            failures: Vec::new(),
            latest: Vec::new(),
        }
    }

    pub(crate) const fn state(&self) -> CircuitState {
        self.state
    }

    /// A permit with the change that admission made, or the time until the next probe if that is known.
    pub(crate) fn admit(&mut self, now: u64) -> Result<(Ticket, Option<Transition>), Option<Duration>> {
        let transition = match self.state {
            CircuitState::Closed => None,
            CircuitState::Open if now >= self.reopens_at => Some(Transition::HalfOpened),
            CircuitState::Open => return Err(Some(Duration::from_nanos(self.reopens_at - now))),
            CircuitState::HalfOpen if self.probing => return Err(None),
            _ => None,
        };
        if self.state != CircuitState::Closed {
            self.enter(CircuitState::HalfOpen);
            self.probing = true;
        }
        Ok((Ticket { era: self.era, is_probe: self.probing }, transition))
    }

    /// The change that the end of an admitted call makes; none if the admission is of an earlier era.
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
            self.reopens_at = now.saturating_add(nanos(self.settings.recovery));
            self.enter(CircuitState::Open);
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
    }

    /// Counts a failure; how many are in its window now.
    fn count(&mut self, window: Option<ErrorClass>, now: u64) -> usize {
        let known = self.latest.iter().position(|(of, _)| *of == window).unwrap_or_else(|| {
            self.latest.push((window, 0));
            self.latest.len() - 1
        });
        let latest = self.latest[known].1.max(now);
        self.latest[known].1 = latest;
        self.failures.push((window, latest.saturating_add(nanos(self.settings.window))));
        self.failures.iter().filter(|(of, leaves_at)| *of == window && *leaves_at > now).count()
    }
}

/// Saturating at 584 years, as redress's arithmetic does.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
