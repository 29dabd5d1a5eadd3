//! A pair of policies under storm, blocking and asynchronous, which share everything: settings, breaker, budget, strategies.
//!
//! Owns how the pair is made of one recipe. What recipes there are is `scene.rs`.

use std::sync::Arc;
use std::time::Duration;

use redress_core::breaker::BreakerSource;
use redress_core::classify::DefaultClassifier;
use redress_core::driver::NoTimer;
use redress_core::policy::PolicyBuilder;
use redress_core::{AsyncPolicy, CallContext, CircuitBreaker, Policy, Retry};
use redress_tokio::TokioTimer;

use crate::census::{Census, Terms, Watcher};
use crate::clock::{WildClock, WildTimer};
use crate::hooks::Mood;
use crate::operation::Reader;
use crate::timelines::Timelines;
use crate::witness::Witness;

/// What a pair of policies is made of.
pub(crate) struct Recipe {
    pub(crate) census: &'static Census,
    pub(crate) retry: Option<Retry>,
    /// Whether attempts have a timeout.
    pub(crate) times_out: bool,
    pub(crate) guard: Option<Guard>,
    pub(crate) clock: Option<&'static WildClock>,
}

/// The breaker of a pair.
#[derive(Clone)]
pub(crate) enum Guard {
    Circuit(CircuitBreaker),
    Witness(Arc<Witness>),
}

impl From<Guard> for BreakerSource {
    fn from(guard: Guard) -> Self {
        match guard {
            Guard::Circuit(breaker) => breaker.into(),
            Guard::Witness(witness) => witness.into(),
        }
    }
}

pub(crate) struct Subject {
    pub(crate) census: &'static Census,
    pub(crate) blocking: Driven<Policy<Reader>>,
    /// None of a pair whose operations are detached, which only blocking ones are.
    pub(crate) asynchronous: Option<Asynchronous>,
    pub(crate) timelines: Timelines,
}

/// A policy, and a context of it that all callers use at the same time.
pub(crate) struct Driven<P: 'static> {
    pub(crate) policy: &'static P,
    pub(crate) shared: CallContext<'static, P>,
}

pub(crate) enum Asynchronous {
    Tokio(Driven<AsyncPolicy<Reader, TokioTimer>>),
    Wild(Driven<AsyncPolicy<Reader, WildTimer>>),
}

impl Subject {
    pub(crate) fn terms(&self) -> Terms {
        self.census.terms
    }

    pub(crate) fn make(recipe: &Recipe) -> Self {
        let census = recipe.census;
        let asynchronous = (!census.terms.detaches).then(|| asynchronous(recipe));
        Self { census, blocking: blocking(recipe), asynchronous, timelines: Timelines::new(census.laws) }
    }
}

fn blocking(recipe: &Recipe) -> Driven<Policy<Reader>> {
    let builder = prepared(Policy::builder(), recipe);
    let builder = match recipe.clock {
        Some(clock) => {
            builder.clock(|| redress_core::driver::Clock::now(clock)).sleep_with(|delay: Duration| clock.jump(delay))
        }
        None => builder,
    };
    let policy: &'static _ = Box::leak(Box::new(builder.build().expect("a valid recipe")));
    Driven { policy, shared: shared(policy.context()) }
}

fn asynchronous(recipe: &Recipe) -> Asynchronous {
    let builder = prepared(AsyncPolicy::<_, NoTimer>::builder(), recipe);
    match recipe.clock {
        Some(clock) => {
            let policy: &'static _ =
                Box::leak(Box::new(builder.timer(WildTimer(clock)).build().expect("a valid recipe")));
            Asynchronous::Wild(Driven { policy, shared: shared(policy.context()) })
        }
        None => {
            let policy: &'static _ = Box::leak(Box::new(builder.timer(TokioTimer).build().expect("a valid recipe")));
            Asynchronous::Tokio(Driven { policy, shared: shared(policy.context()) })
        }
    }
}

fn prepared<K>(builder: PolicyBuilder<DefaultClassifier, K>, recipe: &Recipe) -> PolicyBuilder<Reader, K> {
    let mut builder = builder.classifier(Reader(recipe.census));
    if let Some(retry) = &recipe.retry {
        builder = builder.retry(retry);
    }
    builder = match recipe.census.terms.deadline {
        Some(deadline) => builder.deadline(deadline),
        None => builder.no_deadline(),
    };
    if recipe.times_out {
        builder = builder.attempt_timeout(Duration::from_millis(1));
    }
    if let Some(guard) = &recipe.guard {
        builder = builder.circuit_breaker(guard.clone());
    }
    if recipe.census.terms.watched {
        builder = builder.observer(Watcher(recipe.census));
    }
    builder
}

/// The settings that all callers share: hooks that panic and refuse now and then, asked by all at once.
fn shared<P>(context: CallContext<'static, P>) -> CallContext<'static, P> {
    let (seen, aborts, sleeps) = (Mood::new(97, 2), Mood::new(89, 31), Mood::new(83, 29));
    context
        .operation("shared")
        .on_log(move |_: &redress_core::Event<'_>| {
            seen.asked();
        })
        .abort_if(move || aborts.asked())
        .sleep_handler(move |context, _| sleeps.decision(context))
}
