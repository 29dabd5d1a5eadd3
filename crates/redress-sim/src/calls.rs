//! The calls that are not over, in places that are used again.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use redress_core::RetryOutcome;
use redress_core::classify::Classifier;
use redress_core::driver::{PollCall, PollOperation};

use crate::clock::{Nanos, SimTimer, Wake};
use crate::events::CallId;

/// A call of the engine, with what its world keeps of it.
pub(crate) struct Call<E, C, K> {
    pub(crate) running: Running<E, C>,
    pub(crate) kept: K,
    serial: u32,
}

/// A call of the engine whose failures are `E`, and the wait or time limit that it has set.
pub(crate) struct Running<E, C> {
    call: PollCall<'static, (), E, C, SimTimer>,
    sleep: Option<Wake>,
    /// The instant of the last event that was scheduled to wake it.
    wakes_at: Option<Nanos>,
}

/// What a poll of a call led to.
pub(crate) enum Polled<E> {
    Ended(RetryOutcome<(), E>),
    /// It has a new wait or time limit, and must be polled at this instant.
    Wakes(Nanos),
    /// It has the wait or time limit that it had.
    Waits,
    /// It has none, because it waits for an attempt without a limit, or yields after many attempts
    /// without a wait.
    Untimed,
}

impl<E, C: Classifier<(), E>> Running<E, C> {
    pub(crate) fn poll(&mut self, operation: &mut impl PollOperation<(), E>) -> Polled<E> {
        let mut context = Context::from_waker(Waker::noop());
        match (self.call.poll(operation, Pin::new(&mut self.sleep), &mut context), &self.sleep) {
            (Poll::Ready(outcome), _) => Polled::Ended(outcome),
            (Poll::Pending, Some(wake)) if self.wakes_at != Some(wake.at) => {
                self.wakes_at = Some(wake.at);
                Polled::Wakes(wake.at)
            }
            (Poll::Pending, Some(_)) => Polled::Waits,
            (Poll::Pending, None) => Polled::Untimed,
        }
    }

    /// Whether it may go on. A call that waits for something later was woken by an event of an
    /// earlier wait.
    pub(crate) fn is_due(&self) -> bool {
        self.sleep.as_ref().is_none_or(Wake::is_due)
    }

    /// Whether it has a wait or a time limit.
    pub(crate) const fn is_timed(&self) -> bool {
        self.sleep.is_some()
    }
}

pub(crate) struct Calls<E, C, K> {
    places: Vec<Option<Call<E, C, K>>>,
    free: Vec<u32>,
    serial: u32,
}

impl<E, C, K> Default for Calls<E, C, K> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new(), serial: 0 }
    }
}

impl<E, C, K> Calls<E, C, K> {
    pub(crate) fn insert(&mut self, call: PollCall<'static, (), E, C, SimTimer>, kept: K) -> CallId {
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let call = Call { running: Running { call, sleep: None, wakes_at: None }, kept, serial };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.places[slot as usize] = Some(call);
                slot
            }
            None => {
                self.places.push(Some(call));
                u32::try_from(self.places.len() - 1).expect("more than 2^32 calls at once do not fit into memory")
            }
        };
        CallId { slot, serial }
    }

    pub(crate) fn get(&mut self, id: CallId) -> Option<&mut Call<E, C, K>> {
        self.places.get_mut(id.slot as usize)?.as_mut().filter(|call| call.serial == id.serial)
    }

    /// Drops the call, and returns what was kept of it.
    pub(crate) fn remove(&mut self, id: CallId) -> Option<K> {
        let place = self.places.get_mut(id.slot as usize)?;
        let call = place.take_if(|call| call.serial == id.serial)?;
        self.free.push(id.slot);
        Some(call.kept)
    }
}
