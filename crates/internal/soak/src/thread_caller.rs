//! A thread that calls blocking policies until the storm is over.
//!
//! `dice.rs` draws its calls from the policies of `scene.rs`.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use redress_core::Attempt;

use crate::call::{Call, End, Tally};
use crate::dice::{Dice, Settings, Way};
use crate::hooks;
use crate::operation;
use crate::panics;
use crate::permits::{self, Parcel};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::timelines::Recording;
use crate::watchdog::Pulse;

/// One call in this many runs its operations on separate threads.
const DETACHED_ONE_IN: u32 = 512;

pub(crate) fn run(scene: &'static Scene, pulse: &Pulse, mut dice: Dice, elsewhere: &SyncSender<Parcel>) {
    while !scene.is_over() {
        let place = dice.below(u32::try_from(scene.subjects.len()).unwrap_or(1)) as usize;
        pulse.beat(place);
        let subject = &scene.subjects[place];
        match dice.below(32) {
            0 | 1 => permits::round(&scene.circuits, &mut dice, elsewhere),
            2 => take_tokens(scene, &mut dice),
            3 => scene.wild.jump(1_000 * dice.micros(500)),
            _ if subject.terms().detaches && !dice.one_in(DETACHED_ONE_IN / 8) => {}
            _ => one_call(scene, subject, &mut dice),
        }
    }
}

/// Takes tokens without a policy, sometimes several at once.
pub(crate) fn take_tokens(scene: &Scene, dice: &mut Dice) {
    let purse = *dice.pick(&scene.purses);
    let cost = if dice.one_in(8) { dice.below(6) } else { 1 };
    purse.take(cost);
    purse.look(scene.laws);
}

fn one_call(scene: &'static Scene, subject: &'static Subject, dice: &mut Dice) {
    panics::caught(|| {
        let tally = Arc::new(Tally::default());
        match dice.settings() {
            _ if subject.terms().detaches => detached(scene, subject, dice, &tally),
            Settings::Policy => by_policy(scene, subject, dice, &tally),
            Settings::Shared => by_shared_context(scene, subject, dice, &tally),
            Settings::Own => by_own_context(scene, subject, dice, &tally),
        }
    });
}

/// The operation of a call, one effort after another.
macro_rules! operation {
    ($scene:expr, $subject:expr, $dice:expr, $tally:expr) => {
        |attempt: Attempt| {
            $tally.begin();
            operation::run($subject.census, $dice.effort($scene.failing_percent(), true), attempt)
        }
    };
}

fn by_policy(scene: &'static Scene, subject: &'static Subject, dice: &mut Dice, tally: &Arc<Tally>) {
    let call = Call::start(subject.census, tally, false);
    let (way, policy) = (dice.way(), dice.pick(&subject.blocking).policy);
    call.ended(match way {
        Way::Call => End::of_result(&policy.call_with(operation!(scene, subject, dice, tally))),
        Way::Execute => {
            let outcome = policy.execute_with(operation!(scene, subject, dice, tally));
            Recording::Nowhere.check(&outcome, subject.census);
            End::of_outcome(&outcome)
        }
    });
}

fn by_shared_context(scene: &'static Scene, subject: &'static Subject, dice: &mut Dice, tally: &Arc<Tally>) {
    let call = Call::start(subject.census, tally, false);
    let (way, context) = (dice.way(), &dice.pick(&subject.blocking).shared);
    call.ended(match way {
        Way::Call => End::of_result(&context.call_with(operation!(scene, subject, dice, tally))),
        Way::Execute => End::of_outcome(&context.execute_with(operation!(scene, subject, dice, tally))),
    });
}

fn by_own_context(scene: &'static Scene, subject: &'static Subject, dice: &mut Dice, tally: &Arc<Tally>) {
    let (way, driven) = (dice.way(), dice.pick(&subject.blocking));
    let (context, recording) = hooks::equip(driven.policy.context(), dice, tally, subject, driven.breaker);
    // No sleeper on the wild clock: after its panic the thread would really sleep, and waits there
    // are long.
    let context = if subject.terms().wild { context } else { hooks::equip_blocking(context, dice, subject.census) };
    let call = Call::start(subject.census, tally, true);
    let end = match way {
        Way::Call => {
            let end = End::of_result(&context.call_with(operation!(scene, subject, dice, tally)));
            recording.ended(end.reason);
            end
        }
        Way::Execute => {
            let outcome = context.execute_with(operation!(scene, subject, dice, tally));
            recording.check(&outcome, subject.census);
            End::of_outcome(&outcome)
        }
    };
    call.ended(end);
}

fn detached(scene: &'static Scene, subject: &'static Subject, dice: &mut Dice, tally: &Arc<Tally>) {
    let (way, policy, census) = (dice.way(), dice.pick(&subject.blocking).policy, subject.census);
    // Attempts may overlap, so each draws from a seed made of its number.
    let efforts: Vec<_> = (0..census.terms.cap).map(|_| dice.effort(scene.failing_percent(), true)).collect();
    let operation =
        move |attempt: Attempt| operation::run_detached(census, efforts[attempt.number() as usize - 1], attempt);
    let call = Call::start(census, tally, false);
    call.ended(match way {
        Way::Call => End::of_result(&policy.call_detached(operation)),
        Way::Execute => End::of_outcome(&policy.execute_detached(operation)),
    });
}
