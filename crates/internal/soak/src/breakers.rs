//! Circuit breakers with the counts of their transitions, the permits taken without a policy, and
//! the test that a breaker passes after the storm: it does what the reference does.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use redress_core::breaker::{CircuitBreakerBuilder, CircuitState, Permit, Transition};
use redress_core::driver::Clock;
use redress_core::{CircuitBreaker, ErrorClass, EventName};
use redress_proof::{Law, Laws, PermitGame};

use crate::clock::WildClock;
use crate::operation::Dice;
use crate::panics;

/// The numbers of times that a breaker opened, admitted a first probe, and closed.
#[derive(Debug, Default)]
pub(crate) struct Edges([AtomicU64; 3]);

impl Edges {
    pub(crate) fn passed(&self, transition: Option<Transition>) {
        if let Some(transition) = transition {
            self.count(transition.event());
        }
    }

    /// Counts an event if it is a transition.
    pub(crate) fn count(&self, event: EventName) {
        let place = match event {
            EventName::CircuitOpened => 0,
            EventName::CircuitHalfOpen => 1,
            EventName::CircuitClosed => 2,
            _ => return,
        };
        self.0[place].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> [u64; 3] {
        self.0.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Half-open is reached only from open, and left to open or closed. So a breaker that began
    /// closed has as many openings as half-openings, and one more while it is open.
    pub(crate) fn check(&self, laws: &Laws, whose: &str, state: CircuitState) {
        let counts @ [opened, half_opened, closed] = self.counts();
        let expected = half_opened + u64::from(state == CircuitState::Open);
        let holds = opened == expected && closed <= half_opened;
        laws.require(Law::Edges, holds, || format!("{whose}: {counts:?}, and now it is {state}"));
    }
}

pub(crate) struct Circuit {
    pub(crate) name: &'static str,
    pub(crate) breaker: CircuitBreaker,
    /// The counts of its reported transitions.
    pub(crate) edges: Edges,
    /// Whether all its users report its transitions. Quiet calls do not.
    all_report: bool,
    clock: Option<&'static WildClock>,
}

impl Circuit {
    pub(crate) fn new(
        name: &'static str,
        builder: CircuitBreakerBuilder,
        (threshold, recovery): (u32, Duration),
        all_report: bool,
        clock: Option<&'static WildClock>,
    ) -> Self {
        let builder = builder.name(name).failure_threshold(threshold).recovery_timeout(recovery);
        let builder = match clock {
            Some(clock) => builder.clock(|| clock.now()),
            None => builder,
        };
        let breaker = builder.build().expect("a valid configuration");
        Self { name, breaker, edges: Edges::default(), all_report, clock }
    }

    /// Checks after the storm that it recovers, and then does what the reference does.
    pub(crate) fn settle(&self, dice: &mut Dice, laws: &Laws) {
        if self.all_report {
            self.edges.check(laws, self.name, self.breaker.state());
        }
        let recovery = self.breaker.spec().recovery_timeout;
        match self.clock {
            Some(clock) => {
                clock.jump(recovery * 2);
                recover(&self.breaker, clock.now(), laws);
            }
            None => replay(&self.breaker, Instant::now() + recovery * 2, dice, laws),
        }
    }
}

/// Checks a breaker whose recovery time has passed, and that has no other user left: a success
/// closes it.
fn recover(breaker: &CircuitBreaker, now: Instant, laws: &Laws) {
    let before = breaker.state();
    let closed = breaker.try_acquire_at(now).map(Permit::success);
    let after = breaker.state();
    laws.require(Law::NoWedge, closed.is_ok() && after == CircuitState::Closed, || {
        format!("{:?}: {before}, then {after} after a success, which made {closed:?}", breaker.name())
    });
}

/// The same of a breaker on the time of its callers, which then does what the reference does.
pub(crate) fn replay(breaker: &CircuitBreaker, now: Instant, dice: &mut Dice, laws: &Laws) {
    recover(breaker, now, laws);
    let steps: Vec<u8> = (0..2_000).map(|_| dice.below(256) as u8).collect();
    PermitGame::replay(breaker, now + breaker.spec().window() * 2, &steps, laws);
}

/// A permit on its way to another thread, with its end there.
pub(crate) struct Parcel {
    circuit: &'static Circuit,
    permit: Permit<'static>,
    fate: Fate,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Success,
    Failure(ErrorClass),
    Drop,
    Panic,
    /// It is never settled, which delays its breaker by the length of a lease.
    Kept,
}

impl Parcel {
    pub(crate) fn settle(self) {
        let Self { circuit, permit, fate } = self;
        match fate {
            Fate::Success => circuit.edges.passed(permit.success()),
            Fate::Failure(class) => circuit.edges.passed(permit.failure(class)),
            Fate::Drop => drop(permit),
            Fate::Kept => mem::forget(permit),
            Fate::Panic => {
                panics::caught(|| {
                    let _held = permit;
                    panics::throw()
                });
            }
        }
    }
}

/// Takes a permit of one of the breakers, if granted, and settles it here or on another thread.
pub(crate) fn round(circuits: &[&'static Circuit], dice: &mut Dice, elsewhere: &SyncSender<Parcel>) {
    let circuit = *dice.pick(circuits);
    let Ok(permit) = circuit.breaker.try_acquire() else { return };
    circuit.edges.passed(permit.transition());
    let fate = match dice.below(9) {
        0..=2 => Fate::Success,
        3..=5 => Fate::Failure(dice.class()),
        6 => Fate::Drop,
        7 => Fate::Kept,
        _ => Fate::Panic,
    };
    let parcel = Parcel { circuit, permit, fate };
    if dice.one_in(2) {
        parcel.settle();
    } else if let Err(TrySendError::Full(parcel) | TrySendError::Disconnected(parcel)) = elsewhere.try_send(parcel) {
        parcel.settle();
    }
}

/// Settles the permits received, until all senders are dropped.
pub(crate) fn settle_parcels(parcels: &Receiver<Parcel>) {
    parcels.iter().for_each(Parcel::settle);
}
