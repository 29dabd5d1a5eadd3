//! The policies under test: a blocking and an asynchronous one for each breaker, which share
//! settings, budget and strategies.
//!
//! `scene.rs` holds the settings.

use std::iter;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redress_core::breaker::BreakerSource;
use redress_core::classify::DefaultClassifier;
use redress_core::driver::{Clock, NoTimer};
use redress_core::error::{ConfigError, ConfigIssue};
use redress_core::policy::PolicyBuilder;
use redress_core::strategy::{BackoffContext, Feedback, Strategy};
use redress_core::{AsyncPolicy, CallContext, Policy, Retry};

use crate::breakers::Circuit;
use crate::call::{Census, Count, Watcher};
use crate::clock::{StormTimer, WildClock};
use crate::hooks::Mood;
use crate::operation::{Reader, SPOILER};
use crate::panics;
use crate::timelines::Timelines;
use crate::witness::Witness;

/// The parts of a pair of policies.
pub(crate) struct Recipe {
    pub(crate) census: &'static Census,
    pub(crate) retry: Option<Retry>,
    /// The breakers; each gets a pair of policies.
    pub(crate) guards: Vec<Guard>,
    pub(crate) clock: Option<&'static WildClock>,
}

/// The breaker of a pair.
#[derive(Clone)]
pub(crate) enum Guard {
    Circuit(&'static Circuit),
    Witness(Arc<Witness>),
}

impl Guard {
    pub(crate) const fn name(&self) -> Option<&'static str> {
        match self {
            Self::Circuit(circuit) => Some(circuit.name),
            Self::Witness(_) => None,
        }
    }
}

impl From<Guard> for BreakerSource {
    fn from(guard: Guard) -> Self {
        match guard {
            Guard::Circuit(circuit) => circuit.breaker.clone().into(),
            Guard::Witness(witness) => witness.into(),
        }
    }
}

pub(crate) struct Subject {
    pub(crate) census: &'static Census,
    pub(crate) blocking: Vec<Driven<Policy<Reader>>>,
    /// None if operations are detached, which only blocking ones can be.
    pub(crate) asynchronous: Vec<Driven<AsyncPolicy<Reader, StormTimer>>>,
    pub(crate) timelines: Timelines,
}

/// A policy, and a context of it that all callers share.
pub(crate) struct Driven<P: 'static> {
    pub(crate) policy: &'static P,
    pub(crate) shared: CallContext<'static, P>,
    /// The name of the policy's breaker.
    pub(crate) breaker: Option<&'static str>,
}

impl Subject {
    pub(crate) fn make(recipe: &Recipe) -> Self {
        let census = recipe.census;
        let asynchronous = if census.terms.detaches { Vec::new() } else { asynchronous(recipe) };
        Self { census, blocking: blocking(recipe), asynchronous, timelines: Timelines::new(census.laws) }
    }
}

fn blocking(recipe: &Recipe) -> Vec<Driven<Policy<Reader>>> {
    let builder = prepared(Policy::builder(), recipe);
    let builder = match recipe.clock {
        Some(clock) => builder.clock(|| clock.now()).sleep_with(|delay: Duration| clock.jump(delay)),
        None => builder,
    };
    let policy = builder.build().expect("a valid recipe");
    family(policy, recipe, Policy::with_circuit_breaker, Policy::context)
}

fn asynchronous(recipe: &Recipe) -> Vec<Driven<AsyncPolicy<Reader, StormTimer>>> {
    let builder = AsyncPolicy::<_, NoTimer>::builder().timer(StormTimer(recipe.clock));
    let policy = prepared(builder, recipe).build().expect("a valid recipe");
    family(policy, recipe, AsyncPolicy::with_circuit_breaker, AsyncPolicy::context)
}

/// Returns the policy, which has the first breaker of the recipe, and a copy of it for each other
/// breaker.
fn family<P>(
    policy: P,
    recipe: &Recipe,
    behind: impl Fn(&P, Guard) -> Result<P, ConfigError>,
    context: impl Fn(&'static P) -> CallContext<'static, P>,
) -> Vec<Driven<P>> {
    let others = recipe.guards.iter().skip(1).map(|guard| behind(&policy, guard.clone()).expect("a valid breaker"));
    let others: Vec<P> = others.collect();
    let breakers = recipe.guards.iter().map(Guard::name).chain(iter::repeat(None));
    let driven = |(policy, breaker)| {
        let policy: &'static P = Box::leak(Box::new(policy));
        Driven { policy, shared: shared(context(policy)), breaker }
    };
    iter::once(policy).chain(others).zip(breakers).map(driven).collect()
}

fn prepared<K>(builder: PolicyBuilder<DefaultClassifier, K>, recipe: &Recipe) -> PolicyBuilder<Reader, K> {
    let terms = recipe.census.terms;
    let mut builder = builder.classifier(Reader(recipe.census));
    if let Some(retry) = &recipe.retry {
        builder = builder.retry(retry);
    }
    builder = match terms.deadline {
        Some(deadline) => builder.deadline(deadline),
        None => builder.no_deadline(),
    };
    if let Some(timeout) = terms.attempt_timeout {
        builder = builder.attempt_timeout(timeout);
    }
    if terms.may_finish {
        builder = builder.finish_running_attempt();
    }
    if let Some(guard) = recipe.guards.first() {
        builder = builder.circuit_breaker(guard.clone());
    }
    if terms.quiet { builder } else { builder.observer(Watcher(recipe.census)) }
}

/// The settings that all callers share: hooks that sometimes panic or refuse, called concurrently.
fn shared<P>(context: CallContext<'static, P>) -> CallContext<'static, P> {
    let (seen, aborts, sleeps) = (Mood::new(97, 2), Mood::new(89, 31), Mood::new(83, 29));
    context
        .operation("shared")
        .on_log(move |_: &redress_core::Event<'_>| {
            seen.refuses();
        })
        .abort_if(move || aborts.refuses())
        .sleep_handler(move |context, _| sleeps.decision(context))
}

/// A strategy that wraps another: it counts the successes it learns from, and panics when told to.
pub(crate) struct Pupil<S> {
    pub(crate) inner: S,
    pub(crate) census: &'static Census,
}

impl<S: Strategy> Strategy for Pupil<S> {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        if context.classification.retry_after() == Some(SPOILER) {
            self.census.add(Count::Spoilt);
            panics::throw();
        }
        self.inner.delay(context)
    }

    fn learns(&self) -> bool {
        self.inner.learns()
    }

    fn learn(&self, feedback: Feedback, now: Instant) {
        if feedback == Feedback::Success {
            self.census.add(Count::Learned);
        }
        self.inner.learn(feedback, now);
    }

    fn issues(&self) -> Vec<ConfigIssue> {
        self.inner.issues()
    }
}
