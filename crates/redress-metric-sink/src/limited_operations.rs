//! [`LimitedOperations`]: operations, with separate limits for names and for paths.

use std::fmt;
use std::sync::Arc;

use crate::limited_names::LimitedNames;
use crate::value::LabelValue;

/// [`LimitedNames`] of operations. Names that look like the path of one request (with a `/`, but
/// neither `{` nor `:`) have a separate limit of half the size, rounded up, so that they cannot
/// displace the names of operations.
pub struct LimitedOperations<V> {
    names: LimitedNames<V>,
    paths: LimitedNames<V>,
}

impl<V> LimitedOperations<V> {
    /// Creates a set that reserves a place for each of `declared` in addition to `limit`.
    pub fn new<F>(limit: usize, declared: &[String], make: F) -> Self
    where
        F: Fn(LabelValue) -> V + Clone + Send + Sync + 'static,
    {
        let declared_paths = declared.iter().filter(|name| is_path(name)).count();
        let declared_names = declared.len() - declared_paths;
        let operations = Self {
            names: LimitedNames::new(limit.saturating_add(declared_names), make.clone()),
            paths: LimitedNames::new(limit.div_ceil(2).saturating_add(declared_paths), make),
        };
        for name in declared {
            operations.of(name).get_always(Some(name));
        }
        operations
    }

    /// Returns the value for this operation.
    pub fn get(&self, name: Option<&str>) -> Arc<V> {
        self.of(name.unwrap_or_default()).get(name)
    }

    fn of(&self, name: &str) -> &LimitedNames<V> {
        if is_path(name) { &self.paths } else { &self.names }
    }
}

impl<V> fmt::Debug for LimitedOperations<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitedOperations").field("names", &self.names).field("paths", &self.paths).finish()
    }
}

/// Whether a name looks like the path of one request, with or without a method, rather than a route
/// template.
fn is_path(name: &str) -> bool {
    name.contains('/') && !name.contains(['{', ':'])
}
