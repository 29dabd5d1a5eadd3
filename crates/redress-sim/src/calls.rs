//! The calls that are not over, in places that are used again.

use redress_core::classify::OwnClassifier;
use redress_core::driver::PollCall;

use crate::clock::{Nanos, SimTimer, Wake};
use crate::events::CallId;
use crate::exchange::{Exchange, Failure};

pub(crate) type EngineCall = PollCall<'static, (), Failure, OwnClassifier, SimTimer>;

/// Stands for a call of the open loop.
pub(crate) const NO_USER: u32 = u32::MAX;

/// Who makes a call, and where it leads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) client: u32,
    pub(crate) user: u32,
    pub(crate) shard: u32,
    pub(crate) made: Nanos,
}

/// A call that is not over.
pub(crate) struct Call {
    pub(crate) call: EngineCall,
    pub(crate) sleep: Option<Wake>,
    pub(crate) exchange: Exchange,
    pub(crate) origin: Origin,
    /// The instant of the last event that was scheduled to wake it.
    pub(crate) wakes_at: Option<Nanos>,
    serial: u32,
}

#[derive(Default)]
pub(crate) struct Calls {
    places: Vec<Option<Call>>,
    free: Vec<u32>,
    serial: u32,
}

impl Calls {
    pub(crate) fn insert(&mut self, call: EngineCall, origin: Origin) -> CallId {
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let call = Call { call, sleep: None, exchange: Exchange::default(), origin, wakes_at: None, serial };
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

    pub(crate) fn get(&mut self, id: CallId) -> Option<&mut Call> {
        self.places.get_mut(id.slot as usize)?.as_mut().filter(|call| call.serial == id.serial)
    }

    pub(crate) fn remove(&mut self, id: CallId) {
        if let Some(place) = self.places.get_mut(id.slot as usize) {
            *place = None;
            self.free.push(id.slot);
        }
    }
}
