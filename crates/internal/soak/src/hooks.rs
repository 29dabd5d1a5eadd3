//! The hooks of single calls: some steer the call, some panic, some do both.

use std::future::Future;
use std::hint;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use redress_core::strategy::BackoffContext;
use redress_core::{AsyncPolicy, CallContext, Event, Policy, SleepDecision};
use tokio::task::yield_now;

use crate::call::{Census, Listener, Tally, Trace};
use crate::operation::Dice;
use crate::panics;
use crate::subject::Subject;
use crate::timelines::{Recording, Timelines};

/// The behaviour of a hook: at set intervals it panics, and at others it refuses.
pub(crate) struct Mood {
    calls: AtomicU32,
    panics_every: u32,
    refuses_every: u32,
    /// The mood of a hook made for one call.
    _trace: Option<Trace>,
}

impl Mood {
    pub(crate) const fn new(panics_every: u32, refuses_every: u32) -> Self {
        Self { calls: AtomicU32::new(0), panics_every, refuses_every, _trace: None }
    }

    fn drawn(dice: &mut Dice, census: &'static Census) -> Self {
        Self {
            calls: AtomicU32::new(dice.below(8)),
            panics_every: 1 + dice.below(8),
            refuses_every: 1 + dice.below(8),
            _trace: Some(Trace::leave(census)),
        }
    }

    /// Panics or returns whether it refuses this time.
    pub(crate) fn refuses(&self) -> bool {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if calls % self.panics_every == 0 {
            if calls % 2 == 0 { panics::throw_bomb() } else { panics::throw() }
        }
        calls % self.refuses_every == 0
    }

    fn told(&self) {
        hint::black_box(self.refuses());
    }

    pub(crate) fn decision(&self, context: &BackoffContext<'_>) -> SleepDecision {
        match (self.refuses(), context.attempt % 2 == 0) {
            (false, _) => SleepDecision::Sleep,
            (true, true) => SleepDecision::Defer,
            (true, false) => SleepDecision::Abort,
        }
    }
}

/// Sets hooks that both drivers support, as drawn. Returns where the call records its timeline.
pub(crate) fn equip<'a, P>(
    context: CallContext<'a, P>,
    dice: &mut Dice,
    tally: &Tally,
    subject: &'static Subject,
    breaker: Option<&'static str>,
) -> (CallContext<'a, P>, Recording) {
    let census = subject.census;
    tally.record().is_watched = true;
    let mut context = context.observer(Listener { tally: tally.clone(), census, breaker });
    if dice.one_in(4) {
        context = limit(context, dice, tally, census.terms.wild);
    }
    if dice.one_in(4) {
        context = context.operation(String::from("GET /storm/{id}"));
    }
    if dice.one_in(6) {
        let mood = Mood::drawn(dice, census);
        context = context.on_metric(move |_: &Event<'_>| mood.told());
    }
    if dice.one_in(6) {
        let mood = Mood::drawn(dice, census);
        context = context.abort_if(move || mood.refuses());
    }
    if dice.one_in(4) {
        let mood = Mood::drawn(dice, census);
        context = context.sleep_handler(move |context, _| mood.decision(context));
    }
    if dice.one_in(8) {
        let mood = Mood::drawn(dice, census);
        context = context.before_sleep(move |_, _| mood.told());
    }
    if dice.one_in(8) {
        let (start, end) = (Mood::drawn(dice, census), Mood::drawn(dice, census));
        context = context.on_attempt_start(move |_| start.told()).on_attempt_end(move |_| end.told());
    }
    record(context, dice, &subject.timelines)
}

/// Sets a deadline for the call, which has passed already in one case of four.
fn limit<'a, P>(context: CallContext<'a, P>, dice: &mut Dice, tally: &Tally, wild: bool) -> CallContext<'a, P> {
    let span = if dice.one_in(4) { Duration::ZERO } else { dice.micros(if wild { 3_000_000 } else { 3_000 }) };
    tally.record().own_deadline = Some(span);
    // A wild clock may later step back behind an instant that it returns here.
    if wild || dice.one_in(2) { context.deadline(span) } else { context.deadline(Instant::now() + span) }
}

fn record<'a, P>(
    context: CallContext<'a, P>,
    dice: &mut Dice,
    timelines: &Timelines,
) -> (CallContext<'a, P>, Recording) {
    match dice.below(4) {
        0 => (context.capture_timeline(), Recording::Alone),
        1 => {
            let shared = timelines.share();
            (context.capture_timeline_into(&shared.timeline), Recording::Shared(shared))
        }
        _ => (context, Recording::Nowhere),
    }
}

/// A sleeper that does not sleep, or panics; then the thread sleeps instead.
pub(crate) fn equip_blocking<'a, C>(
    context: CallContext<'a, Policy<C>>,
    dice: &mut Dice,
    census: &'static Census,
) -> CallContext<'a, Policy<C>> {
    if !dice.one_in(6) {
        return context;
    }
    let mood = Mood::drawn(dice, census);
    context.sleep_with(move |_| mood.told())
}

/// Hooks that are awaited: they yield, and panic when called or when polled.
pub(crate) fn equip_async<'a, C, Tm>(
    context: CallContext<'a, AsyncPolicy<C, Tm>>,
    dice: &mut Dice,
    census: &'static Census,
) -> CallContext<'a, AsyncPolicy<C, Tm>> {
    let mood = Arc::new(Mood::drawn(dice, census));
    match dice.below(12) {
        0 => context.sleep_with(move |_| awaited(&mood)),
        1 => context.before_sleep_async(move |_: &BackoffContext<'_>, _: Duration| awaited(&mood)),
        _ => context,
    }
}

fn awaited(mood: &Arc<Mood>) -> impl Future<Output = ()> + Send + use<> {
    mood.told();
    let mood = Arc::clone(mood);
    async move {
        yield_now().await;
        mood.told();
    }
}
