//! [`Node`], one tree for all formats: values with their spans and their sources.
//!
//! The readers of formats and the overrides of the environment make it. `reader.rs` and `kind/`
//! read it.

use crate::class::class_of;
use crate::source::Span;

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

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Untyped(text) => Some(text),
            _ => None,
        }
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
        self.value.as_text()
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
