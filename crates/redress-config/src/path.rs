//! [`Path`], where a setting is in a file.

use std::fmt;

use crate::source::Span;
use crate::tree::{Node, Value};

/// Where a setting is in the file, such as `policy.orders.retry`. The keys are names of sections,
/// parts and settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    /// The keys one after the other: one buffer, since a path grows and shrinks with each key that
    /// is read.
    text: String,
    /// Where each key ends in the text.
    ends: Vec<usize>,
}

impl Path {
    pub(crate) const fn new() -> Self {
        Self { text: String::new(), ends: Vec::new() }
    }

    pub(crate) fn of<'k>(keys: impl IntoIterator<Item = &'k str>) -> Self {
        let mut path = Self::new();
        keys.into_iter().for_each(|key| path.push(key));
        path
    }

    pub(crate) fn push(&mut self, key: &str) {
        self.text.push_str(key);
        self.ends.push(self.text.len());
    }

    pub(crate) fn pop(&mut self) {
        self.ends.pop();
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }

    pub(crate) fn with(&self, key: &str) -> Self {
        let mut longer = self.clone();
        longer.push(key);
        longer
    }

    /// Whether the path is this one key.
    pub(crate) fn is(&self, key: &str) -> bool {
        self.depth() == 1 && self.text == key
    }

    pub(crate) fn depth(&self) -> usize {
        self.ends.len()
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end])
    }

    /// The path with the keys as the tree spells them.
    pub(crate) fn as_spelled(&self, root: &Node) -> Self {
        let mut node = Some(root);
        Self::of(self.keys().map(|key| {
            let entry = node.and_then(|node| node.entry(key));
            node = entry.map(|entry| &entry.node);
            entry.map_or(key, |entry| &entry.key)
        }))
    }

    /// The value at this path, or that of the closest table around it, and how many keys lead
    /// there.
    pub(crate) fn find<'t>(&self, root: &'t Node) -> (Found<'t>, usize) {
        let mut found = Found { node: root, key: None };
        for (depth, key) in self.keys().enumerate() {
            let Some(entry) = found.node.entry(key) else { return (found, depth) };
            found = Found { node: &entry.node, key: Some(entry.span) };
        }
        (found, self.depth())
    }
}

/// A value in the tree, and the span of its key.
#[derive(Clone, Copy)]
pub(crate) struct Found<'t> {
    pub(crate) node: &'t Node,
    key: Option<Span>,
}

impl Found<'_> {
    /// The span that an error shows: the value, or the name of a table.
    pub(crate) fn shown(&self) -> Span {
        match (&self.node.value, self.key) {
            (Value::Table(_), Some(key)) => key,
            _ => self.node.span,
        }
    }
}

/// The keys, separated by dots, with quotes around those that have dots.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.keys().enumerate() {
            let separator = if index == 0 { "" } else { "." };
            if is_bare(key) { write!(f, "{separator}{key}")? } else { write!(f, "{separator}{key:?}")? }
        }
        Ok(())
    }
}

/// Whether a key needs no quotes in TOML.
pub(crate) fn is_bare(key: &str) -> bool {
    let is_bare = |character| matches!(character, 'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-');
    !key.is_empty() && key.chars().all(is_bare)
}
