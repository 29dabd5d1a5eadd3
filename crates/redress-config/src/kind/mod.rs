//! [`Kind`]: what values a setting has, how they are read, written and described to editors.

pub(crate) mod classes;
pub(crate) mod part;
pub(crate) mod scalar;
pub(crate) mod table;
pub(crate) mod variants;

use std::fmt::Debug;

use crate::reader::Reader;
use crate::schema::Schema;
use crate::tree::{Node, Value};

/// The values that a setting can have. One description serves reading, writing, the schema and the
/// table of settings, so they cannot differ.
pub(crate) trait Kind: Sync {
    type Value: Clone + Debug + PartialEq;

    /// Reads a value over the one that a preset has. `None` after a problem.
    fn read(&self, node: &Node, base: Option<&Self::Value>, reader: &mut Reader) -> Option<Self::Value>;

    /// Writes a value so that reading it over `base` gives the same value. `None` for values that
    /// no file has, such as a strategy that is code.
    fn write(&self, value: &Self::Value, base: Option<&Self::Value>) -> Option<Value>;

    /// The JSON Schema of the values.
    fn schema(&self) -> Schema;

    /// The values in words, for the table of settings.
    fn words(&self) -> String;

    /// The rows of the table of settings that are below this one.
    fn rows(&self, rows: &mut Rows) {
        let _ = rows;
    }
}

/// The rows of the table of settings.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) prefix: String,
    pub(crate) rows: Vec<Row>,
    /// The tables whose rows are being added.
    open: Vec<&'static str>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) values: String,
    pub(crate) meaning: &'static str,
    pub(crate) methods: &'static [&'static str],
}

impl Rows {
    pub(crate) fn within(&mut self, key: &str, add: impl FnOnce(&mut Self)) {
        let length = self.prefix.len();
        if length > 0 {
            self.prefix.push('.');
        }
        self.prefix.push_str(key);
        add(self);
        self.prefix.truncate(length);
    }

    /// Adds the rows of a table, unless they are being added already.
    pub(crate) fn once(&mut self, table: &'static str, add: impl FnOnce(&mut Self)) {
        if !self.open.contains(&table) {
            self.open.push(table);
            add(self);
            self.open.pop();
        }
    }

    pub(crate) fn push(&mut self, values: String, meaning: &'static str, methods: &'static [&'static str]) {
        self.rows.push(Row { key: self.prefix.clone(), values, meaning, methods });
    }
}

/// A value that may be unset, which a file writes as `"none"`.
pub(crate) struct Optional<K>(pub(crate) K);

/// The text of a value that is unset.
pub(crate) const NONE: &str = "none";

impl<K: Kind> Kind for Optional<K> {
    type Value = Option<K::Value>;

    fn read(&self, node: &Node, base: Option<&Self::Value>, reader: &mut Reader) -> Option<Self::Value> {
        if node.as_text() == Some(NONE) {
            return Some(None);
        }
        self.0.read(node, base.and_then(Option::as_ref), reader).map(Some)
    }

    fn write(&self, value: &Self::Value, base: Option<&Self::Value>) -> Option<Value> {
        match value {
            Some(value) => self.0.write(value, base.and_then(Option::as_ref)),
            None => Some(Value::text(NONE)),
        }
    }

    fn schema(&self) -> Schema {
        self.0.schema().or(Schema::constant(NONE))
    }

    fn words(&self) -> String {
        format!("{} or \"none\"", self.0.words())
    }

    fn rows(&self, rows: &mut Rows) {
        self.0.rows(rows);
    }
}
