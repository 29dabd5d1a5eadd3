//! [`Exemplars`], which asks the program for the trace that a measurement belongs to.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::SystemTime;

/// One label of an exemplar, such as `trace_id`, and its value.
pub(crate) type Exemplar = [(&'static str, String); 1];

/// OpenMetrics allows this many characters in an exemplar's labels, names and values together. A
/// scraper may reject the whole page for one more.
const LONGEST: usize = 128;

type Current = dyn Fn() -> Option<(&'static str, String)> + Send + Sync;

/// Returns the exemplar of the moment.
#[derive(Clone, Default)]
pub(crate) struct Exemplars(Option<Arc<Current>>);

impl Exemplars {
    pub(crate) fn new(current: impl Fn() -> Option<(&'static str, String)> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(current)))
    }

    /// Returns the exemplar, if there is one that a scraper accepts. Called without a lock held,
    /// because the closure is the program's. A panic in it counts as no exemplar, so that the
    /// measurement itself is not lost.
    pub(crate) fn current(&self) -> Option<Exemplar> {
        let current = self.0.as_ref()?;
        let (name, value) = catch_unwind(AssertUnwindSafe(|| current())).ok()??;
        (is_label(name) && name.chars().count() + value.chars().count() <= LONGEST).then_some([(name, value)])
    }
}

/// The time of an exemplar. The encoder panics on a time before the epoch.
pub(crate) fn now() -> SystemTime {
    SystemTime::now().max(SystemTime::UNIX_EPOCH)
}

fn is_label(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
