//! Permits taken without a policy: reported, dropped, lost in a panic, kept for ever, or settled by
//! another thread.
//!
//! A kept probe delays its breaker by the length of its lease.

use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};

use redress_core::ErrorClass;
use redress_core::breaker::Permit;

use crate::circuit::Circuit;
use crate::dice::Dice;
use crate::panics;

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
    /// It is never settled.
    Kept,
}

impl Parcel {
    fn settle(self) {
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
