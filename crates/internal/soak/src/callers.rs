//! The callers of a storm: threads that call blocking policies, tasks that call asynchronous ones,
//! and the weather.

use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use redress_core::{AsyncPolicy, Attempt, Policy};
use tokio::task::yield_now;

use crate::breakers::{self, Parcel};
use crate::call::{Call, Tally};
use crate::cancel::Cut;
use crate::clock::StormTimer;
use crate::hooks;
use crate::operation::{self, Dice, Reader};
use crate::panics;
use crate::scene::Scene;
use crate::subject::{Driven, Subject};
use crate::timelines::Recording;
use crate::watchdog::Pulse;

/// One round in this many calls operations on separate threads, where that is the subject.
const DETACHED_ONE_IN: u32 = 64;

/// Attempts in a hundred that fail: fair weather lets circuits close and budgets fill; foul weather
/// opens and empties them.
const WEATHERS: &[u32] = &[0, 2, 10, 40, 80, 98];

pub(crate) fn threads(scene: &'static Scene, pulse: &Pulse, mut dice: Dice, elsewhere: &SyncSender<Parcel>) {
    while !scene.is_over() {
        let subject = next(scene, pulse, &mut dice);
        if aside(scene, &mut dice, elsewhere) || (subject.census.terms.detaches && !dice.one_in(DETACHED_ONE_IN)) {
            continue;
        }
        panics::caught(|| {
            let driven = &subject.blocking[dice.below(subject.blocking.len() as u32) as usize];
            if subject.census.terms.detaches {
                detached(scene, subject, driven, &mut dice);
            } else {
                blocking(scene, subject, driven, &mut dice);
            }
        });
    }
}

pub(crate) async fn tasks(scene: &'static Scene, pulse: &'static Pulse, mut dice: Dice, elsewhere: SyncSender<Parcel>) {
    while !scene.is_over() {
        let subject = next(scene, pulse, &mut dice);
        if aside(scene, &mut dice, &elsewhere) {
            // Calls that never wait would not give up the thread.
            yield_now().await;
            continue;
        }
        let cut = Cut::drawn(&mut dice);
        let may_hang = subject.census.terms.cuts() || cut.ends_all();
        if !subject.asynchronous.is_empty() {
            let driven = dice.pick(&subject.asynchronous);
            cut.apply(asynchronous(scene, subject, driven, dice.fork(), may_hang)).await;
        }
    }
}

pub(crate) fn weather(scene: &Scene, pulse: &Pulse, mut dice: Dice) {
    while !scene.is_over() {
        pulse.beat(0);
        scene.failing_percent.store(*dice.pick(WEATHERS), Ordering::Relaxed);
        if dice.one_in(2) {
            scene.wild.jump(1_000 * dice.micros(2_000));
        }
        for purse in &scene.purses {
            let jump = if dice.one_in(4) { purse.window } else { Duration::ZERO };
            purse.disturb(dice.one_in(4), jump);
        }
        thread::sleep(Duration::from_micros(500) + dice.micros(3_000));
    }
}

fn next<'s>(scene: &'s Scene, pulse: &Pulse, dice: &mut Dice) -> &'s Subject {
    let place = dice.below(scene.subjects.len() as u32) as usize;
    pulse.beat(place);
    &scene.subjects[place]
}

/// Sometimes uses a breaker, a budget or the clock instead of a policy. Returns whether it did.
fn aside(scene: &Scene, dice: &mut Dice, elsewhere: &SyncSender<Parcel>) -> bool {
    match dice.below(32) {
        0 | 1 => breakers::round(&scene.circuits, dice, elsewhere),
        2 => {
            let cost = if dice.one_in(8) { dice.below(6) } else { 1 };
            dice.pick(&scene.purses).take(cost, scene.laws);
        }
        3 => scene.wild.jump(1_000 * dice.micros(500)),
        _ => return false,
    }
    true
}

fn failing_percent(scene: &Scene) -> u32 {
    scene.failing_percent.load(Ordering::Relaxed)
}

/// The origin of a call's settings.
enum Settings {
    /// No context.
    Policy,
    /// A context shared by all callers.
    Shared,
    /// A context made for this call.
    Own,
}

impl Settings {
    fn drawn(dice: &mut Dice) -> Self {
        match dice.below(4) {
            0 | 1 => Self::Policy,
            2 => Self::Shared,
            _ => Self::Own,
        }
    }
}

fn blocking(scene: &'static Scene, subject: &'static Subject, driven: &Driven<Policy<Reader>>, dice: &mut Dice) {
    let (census, executes) = (subject.census, dice.one_in(2));
    let (tally, mut recording, mut own) = (Tally::new(census), Recording::Nowhere, None);
    let settings = Settings::drawn(dice);
    if let Settings::Own = settings {
        let (context, records) = hooks::equip(driven.policy.context(), dice, &tally, subject, driven.breaker);
        recording = records;
        // No sleeper on the wild clock: after its panic the thread would really sleep, and waits
        // there are long.
        own = Some(if census.terms.wild { context } else { hooks::equip_blocking(context, dice, census) });
    }
    let context = own.as_ref().unwrap_or(&driven.shared);
    let call = Call::start(census, &tally, recording);
    let operation = |attempt: Attempt| {
        tally.record().run();
        operation::run(census, dice.effort(failing_percent(scene), true), attempt)
    };
    match (settings, executes) {
        (Settings::Policy, false) => call.returned(&driven.policy.call_with(operation)),
        (Settings::Policy, true) => call.executed(&driven.policy.execute_with(operation)),
        (_, false) => call.returned(&context.call_with(operation)),
        (_, true) => call.executed(&context.execute_with(operation)),
    }
}

async fn asynchronous(
    scene: &'static Scene,
    subject: &'static Subject,
    driven: &'static Driven<AsyncPolicy<Reader, StormTimer>>,
    mut dice: Dice,
    may_hang: bool,
) {
    let (census, executes) = (subject.census, dice.one_in(2));
    let (tally, mut recording, mut own) = (Tally::new(census), Recording::Nowhere, None);
    let settings = Settings::drawn(&mut dice);
    if let Settings::Own = settings {
        let (context, records) = hooks::equip(driven.policy.context(), &mut dice, &tally, subject, driven.breaker);
        recording = records;
        own = Some(hooks::equip_async(context, &mut dice, census));
    }
    let context = own.as_ref().unwrap_or(&driven.shared);
    let call = Call::start(census, &tally, recording);
    let operation = || {
        tally.record().run();
        operation::run_async(census, dice.effort(failing_percent(scene), may_hang))
    };
    match (settings, executes) {
        (Settings::Policy, false) => call.returned(&driven.policy.call(operation).await),
        (Settings::Policy, true) => call.executed(&driven.policy.execute(operation).await),
        (_, false) => call.returned(&context.call(operation).await),
        (_, true) => call.executed(&context.execute(operation).await),
    }
}

fn detached(scene: &Scene, subject: &Subject, driven: &Driven<Policy<Reader>>, dice: &mut Dice) {
    let census = subject.census;
    // Attempts may overlap, so the work of each is drawn before.
    let efforts: Vec<_> = (0..census.terms.cap).map(|_| dice.effort(failing_percent(scene), true)).collect();
    let operation = move |attempt: Attempt| operation::run(census, efforts[attempt.number() as usize - 1], attempt);
    let call = Call::start(census, &Tally::new(census), Recording::Nowhere);
    if dice.one_in(2) {
        call.returned(&driven.policy.call_detached(operation));
    } else {
        call.executed(&driven.policy.execute_detached(operation));
    }
}
