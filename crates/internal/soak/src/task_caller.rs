//! A task that calls asynchronous policies until the storm is over.
//!
//! `cancel.rs` cuts calls short.

use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use redress_core::AsyncPolicy;
use redress_core::driver::Timer;
use tokio::task::yield_now;

use crate::call::{Call, End, Tally};
use crate::cancel::Cut;
use crate::dice::{Dice, Settings, Way};
use crate::hooks;
use crate::operation::{self, Fault, Reader, Value};
use crate::permits::{self, Parcel};
use crate::scene::Scene;
use crate::subject::{Asynchronous, Driven, Subject};
use crate::thread_caller::take_tokens;
use crate::timelines::Recording;
use crate::watchdog::Pulse;

pub(crate) async fn run(scene: &'static Scene, pulse: &'static Pulse, mut dice: Dice, elsewhere: SyncSender<Parcel>) {
    while !scene.is_over() {
        let place = dice.below(u32::try_from(scene.subjects.len()).unwrap_or(1)) as usize;
        pulse.beat(place);
        match dice.below(32) {
            0 => permits::round(&scene.circuits, &mut dice, &elsewhere),
            1 => take_tokens(scene, &mut dice),
            2 => scene.wild.jump(1_000 * dice.micros(500)),
            // Calls that never wait would not give up the thread.
            3 | 4 => yield_now().await,
            _ => one_call(scene, &scene.subjects[place], &mut dice).await,
        }
    }
}

async fn one_call(scene: &'static Scene, subject: &'static Subject, dice: &mut Dice) {
    let cut = Cut::drawn(dice);
    let caller = Caller { scene, subject, may_hang: subject.terms().cuts() || cut.ends_all() };
    match &subject.asynchronous {
        Some(Asynchronous::Tokio(family)) => cut.apply(caller.call(dice.pick(family), dice.fork())).await,
        Some(Asynchronous::Wild(family)) => cut.apply(caller.call(dice.pick(family), dice.fork())).await,
        None => {}
    }
}

#[derive(Clone, Copy)]
struct Caller {
    scene: &'static Scene,
    subject: &'static Subject,
    may_hang: bool,
}

impl Caller {
    async fn call<Tm>(self, driven: &'static Driven<AsyncPolicy<Reader, Tm>>, mut dice: Dice)
    where
        Tm: Timer + Send + Sync,
        Tm::Sleep: Send,
    {
        let tally = Arc::new(Tally::default());
        match dice.settings() {
            Settings::Policy => self.by_policy(driven.policy, dice, &tally).await,
            Settings::Shared => self.by_shared_context(driven, dice, &tally).await,
            Settings::Own => self.by_own_context(driven, dice, &tally).await,
        }
    }

    /// One effort after another.
    fn attempt(
        self,
        dice: &mut Dice,
        tally: &Tally,
    ) -> impl Future<Output = Result<Value, Fault>> + Send + 'static + use<> {
        tally.begin();
        operation::run_async(self.subject.census, dice.effort(self.scene.failing_percent(), self.may_hang))
    }

    async fn by_policy<Tm: Timer>(self, policy: &AsyncPolicy<Reader, Tm>, mut dice: Dice, tally: &Arc<Tally>) {
        let census = self.subject.census;
        let call = Call::start(census, tally, false);
        let end = match dice.way() {
            Way::Call => End::of_result(&policy.call(|| self.attempt(&mut dice, tally)).await),
            Way::Execute => {
                let outcome = policy.execute(|| self.attempt(&mut dice, tally)).await;
                Recording::Nowhere.check(&outcome, census);
                End::of_outcome(&outcome)
            }
        };
        call.ended(end);
    }

    async fn by_shared_context<Tm: Timer>(
        self,
        driven: &Driven<AsyncPolicy<Reader, Tm>>,
        mut dice: Dice,
        tally: &Arc<Tally>,
    ) {
        let call = Call::start(self.subject.census, tally, false);
        let context = &driven.shared;
        let end = match dice.way() {
            Way::Call => End::of_result(&context.call(|| self.attempt(&mut dice, tally)).await),
            Way::Execute => End::of_outcome(&context.execute(|| self.attempt(&mut dice, tally)).await),
        };
        call.ended(end);
    }

    async fn by_own_context<Tm: Timer>(
        self,
        driven: &Driven<AsyncPolicy<Reader, Tm>>,
        mut dice: Dice,
        tally: &Arc<Tally>,
    ) {
        let census = self.subject.census;
        let way = dice.way();
        let (context, recording) =
            hooks::equip(driven.policy.context(), &mut dice, tally, self.subject, driven.breaker);
        let context = hooks::equip_async(context, &mut dice, census);
        let call = Call::start(census, tally, true);
        let end = match way {
            Way::Call => {
                let end = End::of_result(&context.call(|| self.attempt(&mut dice, tally)).await);
                recording.ended(end.reason);
                end
            }
            Way::Execute => {
                let outcome = context.execute(|| self.attempt(&mut dice, tally)).await;
                recording.check(&outcome, census);
                End::of_outcome(&outcome)
            }
        };
        call.ended(end);
    }
}
