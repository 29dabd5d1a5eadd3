//! The operations that have series, with separate limits for names and for paths.

use std::sync::Arc;

use metrics::SharedString;

use crate::bounded::Bounded;
use crate::series::Operation;

/// Names and paths with separate limits, so that paths cannot displace names.
pub(crate) struct Operations {
    names: Bounded<Operation>,
    paths: Bounded<Operation>,
}

impl Operations {
    /// Reserves a place for each of `declared` in addition to `limit`. Paths get half of `limit`,
    /// rounded up.
    pub(crate) fn new<F>(limit: usize, declared: &[String], make: F) -> Self
    where
        F: Fn(SharedString) -> Operation + Clone + Send + Sync + 'static,
    {
        let declared_paths = declared.iter().filter(|name| is_path(name)).count();
        let declared_names = declared.len() - declared_paths;
        let operations = Self {
            names: Bounded::new(limit.saturating_add(declared_names), make.clone()),
            paths: Bounded::new(limit.div_ceil(2).saturating_add(declared_paths), make),
        };
        for name in declared {
            operations.of(name).get_always(Some(name));
        }
        operations
    }

    pub(crate) fn get(&self, name: Option<&str>) -> Arc<Operation> {
        self.of(name.unwrap_or_default()).get(name)
    }

    fn of(&self, name: &str) -> &Bounded<Operation> {
        if is_path(name) { &self.paths } else { &self.names }
    }
}

/// Whether a name looks like the path of one request, with or without a method, rather than a route
/// template.
fn is_path(name: &str) -> bool {
    name.contains('/') && !name.contains(['{', ':'])
}
