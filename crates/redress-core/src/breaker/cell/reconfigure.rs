//! A new configuration for a breaker in use.

use std::sync::Arc;

use super::CircuitBreaker;
use crate::breaker::builder::CircuitBreakerBuilder;
use crate::breaker::settings::Settings;
use crate::breaker::spec::BreakerSpec;
use crate::policy::config_error::{Check, ConfigError};
use crate::sync::Ordering;

impl CircuitBreaker {
    /// Replaces the configuration, for all clones and for the policies that hold one.
    ///
    /// The state, the wait that is under way, the mode and the openings in a row stay. A ramp goes
    /// on as it began, and a trial begins again. As with a change of mode, the results counted so
    /// far are forgotten, and those of calls that were admitted before are ignored. The same
    /// configuration again changes nothing. No event is sent, because no call caused it.
    ///
    /// A name is optional, and must be the breaker's own. The clock stays.
    ///
    /// Policies that hold the breaker need no rebuild. If the new configuration needs to know more
    /// about each call than the old one, the calls of these policies take a slower path, with the
    /// same result as those of a policy that is built afterwards.
    ///
    /// **Invariant C10**: each result is judged by the configuration under which its call was
    /// admitted, or not at all.
    ///
    /// ```
    /// use redress::breaker::CircuitState;
    /// use redress::{CircuitBreaker, ErrorClass};
    ///
    /// let breaker = CircuitBreaker::builder().name("orders-db").failure_threshold(10).build()?;
    /// let mut spec = breaker.spec();
    /// spec.failure_threshold = Some(1);
    /// breaker.reconfigure(spec)?;
    ///
    /// breaker.try_acquire()?.failure(ErrorClass::ServerError);
    /// assert_eq!(breaker.state(), CircuitState::Open);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`build`](CircuitBreakerBuilder::build), and if the spec has another name. On an error
    /// nothing changes.
    pub fn reconfigure(&self, spec: BreakerSpec) -> Result<(), ConfigError> {
        let mut check = Check::default();
        if let Some(name) = spec.name.as_deref().filter(|name| self.name() != Some(name)) {
            check.that(
                false,
                "circuit_breaker.name",
                format!("{name:?}"),
                "be left out or stay, because events and errors carry it",
            );
        }
        let builder = CircuitBreakerBuilder::new(spec);
        builder.validate(&mut check);
        check.finish()?;
        self.adopt(Arc::new(Settings::new(builder)));
        Ok(())
    }

    /// Takes over a configuration that is valid.
    pub(in crate::breaker) fn adopt(&self, settings: Arc<Settings>) {
        let mut guarded = self.cell.guarded.lock();
        if guarded.settings.spec == settings.spec {
            return;
        }
        let word = self.word().with(settings.traits);
        guarded.forget();
        self.free_places();
        let is_small = self.cell.base.is_small;
        self.cell.counters.begin_with_result(&settings, is_small, word.era());
        guarded.windows = None;
        guarded.settings = settings;
        if !is_small {
            guarded.windows();
        }
        // Release pairs with the Acquire in `word`: a thread that reads this generation also reads
        // what its traits promise.
        self.cell.word.store(word.0, Ordering::Release);
    }
}
