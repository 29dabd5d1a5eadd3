//! Names that a program chooses, kept few.
//!
//! Owns the bound: whatever names come, no more series than this come of them. Does not know what
//! is kept for a name.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use metrics::SharedString;

use crate::labels::{NONE, OTHER};

/// The longest name that becomes a label. What is longer is hardly a name, and scrapers refuse a
/// whole page for one label value that is too long.
pub(crate) const LONGEST_NAME: usize = 128;

/// Something kept for each of the first names that came, and two things for the rest: for no name,
/// and for every later one.
pub(crate) struct Bounded<V> {
    limit: usize,
    make: Box<dyn Fn(SharedString) -> V + Send + Sync>,
    known: RwLock<HashMap<Arc<str>, Arc<V>>>,
    none: Arc<V>,
    other: Arc<V>,
}

impl<V> Bounded<V> {
    pub(crate) fn new(limit: usize, make: impl Fn(SharedString) -> V + Send + Sync + 'static) -> Self {
        let none = Arc::new(make(NONE.into()));
        let other = Arc::new(make(OTHER.into()));
        Self { limit, make: Box::new(make), known: RwLock::default(), none, other }
    }

    /// What is kept for this name. Never holds its lock while others' code runs.
    pub(crate) fn get(&self, name: Option<&str>) -> Arc<V> {
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Arc::clone(&self.none) };
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(kept) = known.get(name) {
                return Arc::clone(kept);
            }
            if known.len() >= self.limit || name.len() > LONGEST_NAME {
                return Arc::clone(&self.other);
            }
        }
        self.keep(name, self.limit)
    }

    /// The same for a name that is asked for on purpose: the bound is not for it.
    pub(crate) fn get_always(&self, name: Option<&str>) -> Arc<V> {
        match name {
            None | Some("") => Arc::clone(&self.none),
            Some(name) => self.keep(name, usize::MAX),
        }
    }

    fn keep(&self, name: &str, limit: usize) -> Arc<V> {
        let name: Arc<str> = name.into();
        let made = Arc::new((self.make)(Arc::clone(&name).into()));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have come first, with this name or with the last free place.
        if known.len() >= limit && !known.contains_key(&name) {
            return Arc::clone(&self.other);
        }
        Arc::clone(known.entry(name).or_insert(made))
    }

    /// What is kept for this name, or for none if it is empty, if it has a place.
    pub(crate) fn known(&self, name: &str) -> Option<Arc<V>> {
        if name.is_empty() {
            return Some(Arc::clone(&self.none));
        }
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).map(Arc::clone)
    }

    /// Whether this is what stands for the names beyond the bound.
    pub(crate) fn is_other(&self, kept: &Arc<V>) -> bool {
        Arc::ptr_eq(kept, &self.other)
    }

    /// Everything that stands for one name, and for none.
    pub(crate) fn all(&self) -> Vec<Arc<V>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().chain([&self.none]).map(Arc::clone).collect()
    }
}
