//! [`Node`], one tree for all formats: values with their spans and their sources.
//!
//! The readers of formats and the overrides of the environment make it. `reader.rs` and `kind/`
//! read it.

use std::fmt;
use std::sync::Arc;

use redress_core::ErrorClass;

/// A part of the text of a source, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// The index of the source.
    pub(crate) source: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A file or a variable that values come from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The name of the file, or of the variable.
    pub(crate) name: Arc<str>,
    /// The content of the file, or `NAME=value`.
    pub(crate) text: Arc<str>,
    pub(crate) is_variable: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) span: Span,
    pub(crate) node: Node,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// In the order of the source.
    Table(Vec<Entry>),
    List(Vec<Node>),
    Text(String),
    /// The value of a variable: what is read decides whether it is a text or a number.
    Untyped(String),
    Whole(i128),
    Number(f64),
    Flag(bool),
    /// A value that no setting has, such as a date. The text says what it is.
    Other(&'static str),
}

impl Value {
    /// A table without spans, for values that are written.
    pub(crate) fn table(entries: impl IntoIterator<Item = (String, Self)>) -> Self {
        let entry = |(key, value)| Entry { key, span: Span::default(), node: Node::written(value) };
        Self::Table(entries.into_iter().map(entry).collect())
    }

    pub(crate) fn list(values: impl IntoIterator<Item = Self>) -> Self {
        Self::List(values.into_iter().map(Node::written).collect())
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl Node {
    pub(crate) fn written(value: Value) -> Self {
        Self { value, span: Span::default() }
    }

    pub(crate) fn empty_table(span: Span) -> Self {
        Self { value: Value::Table(Vec::new()), span }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Untyped(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_table(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        let entries = self.as_table()?;
        let exact = entries.iter().find(|entry| entry.key == key);
        exact.or_else(|| {
            let class = class_of(key)?;
            entries.iter().find(|entry| class_of(&entry.key) == Some(class))
        })
    }
}

/// The class with this name, in the spelling of Rust or in that of metrics.
pub(crate) fn class_of(name: &str) -> Option<ErrorClass> {
    ErrorClass::from_name(name).or_else(|| ErrorClass::ALL.iter().copied().find(|class| class_key(*class) == name))
}

/// The name of a class in files.
pub(crate) fn class_key(class: ErrorClass) -> String {
    format!("{class:?}")
}

/// Where a setting is in the file, such as `policy.orders.retry`. The parts are names of sections,
/// parts and settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(Vec<String>);

impl Path {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn of<const N: usize>(keys: [&str; N]) -> Self {
        Self(keys.map(str::to_owned).to_vec())
    }

    pub(crate) fn push(&mut self, key: impl Into<String>) {
        self.0.push(key.into());
    }

    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    pub(crate) fn with(&self, key: &str) -> Self {
        let mut longer = self.clone();
        longer.push(key);
        longer
    }

    pub(crate) fn joined(&self, rest: &Self) -> Self {
        Self(self.0.iter().chain(&rest.0).cloned().collect())
    }

    /// Whether the path is this one key.
    pub(crate) fn is(&self, key: &str) -> bool {
        self.0 == [key]
    }

    /// Whether the other path is in the same table, or in a table of it.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        let Some((_, table)) = self.0.split_last() else { return false };
        other.0.starts_with(table) && other.0.len() <= table.len() + 2
    }

    pub(crate) fn depth(&self) -> usize {
        self.0.len()
    }

    /// The path with the keys as the tree spells them.
    pub(crate) fn as_spelled(&self, root: &Node) -> Self {
        let mut node = Some(root);
        let spelled = self.0.iter().map(|key| {
            let entry = node.and_then(|node| node.entry(key));
            node = entry.map(|entry| &entry.node);
            entry.map_or_else(|| key.clone(), |entry| entry.key.clone())
        });
        Self(spelled.collect())
    }

    /// The value at this path, or that of the closest table around it, and how many keys lead
    /// there. The span is that of the value, or of the key of a table.
    pub(crate) fn find<'t>(&self, root: &'t Node) -> (Found<'t>, usize) {
        let mut found = Found { node: root, key: None };
        for (depth, key) in self.0.iter().enumerate() {
            let Some(entry) = found.node.entry(key) else { return (found, depth) };
            found = Found { node: &entry.node, key: Some(entry.span) };
        }
        (found, self.0.len())
    }
}

/// A value in the tree, and the span of its key.
#[derive(Clone, Copy)]
pub(crate) struct Found<'t> {
    pub(crate) node: &'t Node,
    pub(crate) key: Option<Span>,
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
        for (index, key) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "." };
            let is_bare = !key.is_empty() && key.chars().all(is_bare);
            if is_bare { write!(f, "{separator}{key}")? } else { write!(f, "{separator}{key:?}")? }
        }
        Ok(())
    }
}

/// Whether a key with this character needs no quotes in TOML.
pub(crate) const fn is_bare(character: char) -> bool {
    matches!(character, 'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-')
}
