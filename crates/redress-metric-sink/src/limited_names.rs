//! [`LimitedNames`], which caps the number of distinct names that the program supplies.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::value::LabelValue;

/// Longer values are rarely names, and a scraper rejects a whole page for one oversized label
/// value.
pub(crate) const LONGEST_NAME: usize = 128;

/// A value for each of the first `limit` names, one for an absent name, and one that all later
/// names share, as do names longer than 128 bytes. An empty name counts as absent.
///
/// ```
/// use redress::observe::metric_sink::LimitedNames;
///
/// let hosts = LimitedNames::new(1, |host| host);
/// assert_eq!(hosts.get(Some("a.example")).as_str(), "a.example");
/// assert_eq!(hosts.get(Some("b.example")).as_str(), "other");
/// assert_eq!(hosts.get(None).as_str(), "none");
/// ```
pub struct LimitedNames<V> {
    limit: usize,
    make: Box<dyn Fn(LabelValue) -> V + Send + Sync>,
    known: RwLock<HashMap<Arc<str>, Arc<V>>>,
    none: Arc<V>,
    other: Arc<V>,
}

impl<V> LimitedNames<V> {
    /// Creates an empty set. `make` makes the value of a name, of [`LabelValue::NONE`] and of
    /// [`LabelValue::OTHER`].
    pub fn new(limit: usize, make: impl Fn(LabelValue) -> V + Send + Sync + 'static) -> Self {
        let none = Arc::new(make(LabelValue::NONE));
        let other = Arc::new(make(LabelValue::OTHER));
        Self { limit, make: Box::new(make), known: RwLock::default(), none, other }
    }

    /// Returns the value for this name. The lock is not held while `make` runs.
    pub fn get(&self, name: Option<&str>) -> Arc<V> {
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

    /// Like [`get`](Self::get), but ignores the limit, for names that the program chose explicitly.
    pub fn get_always(&self, name: Option<&str>) -> Arc<V> {
        match name {
            None | Some("") => Arc::clone(&self.none),
            Some(name) => self.keep(name, usize::MAX),
        }
    }

    fn keep(&self, name: &str, limit: usize) -> Arc<V> {
        let name: Arc<str> = name.into();
        let made = Arc::new((self.make)(Arc::clone(&name).into()));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have inserted this name, or taken the last place.
        if known.len() >= limit && !known.contains_key(&name) {
            return Arc::clone(&self.other);
        }
        Arc::clone(known.entry(name).or_insert(made))
    }

    /// Returns the value for this name if it has one. An empty name stands for an absent one.
    pub fn known(&self, name: &str) -> Option<Arc<V>> {
        if name.is_empty() {
            return Some(Arc::clone(&self.none));
        }
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).map(Arc::clone)
    }

    /// Forgets this name, whose place is free then. Returns its value if it had one. The value of
    /// the absent name stays.
    pub fn forget(&self, name: &str) -> Option<Arc<V>> {
        if name.is_empty() {
            return Some(Arc::clone(&self.none));
        }
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(name)
    }

    /// Whether this is the value shared by all names over the limit.
    pub fn is_other(&self, kept: &Arc<V>) -> bool {
        Arc::ptr_eq(kept, &self.other)
    }

    /// The values of all known names and of the absent name.
    pub fn all(&self) -> Vec<Arc<V>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().chain([&self.none]).map(Arc::clone).collect()
    }
}

impl<V> fmt::Debug for LimitedNames<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitedNames").field("limit", &self.limit).finish_non_exhaustive()
    }
}
