//! [`Setting`], one key of a table with all that is known about it, and [`TableOf`], a table of
//! settings.

use std::borrow::Cow;
use std::fmt::{self, Debug};

use crate::kind::{Kind, Rows};
use crate::reader::Reader;
use crate::schema::Schema;
use crate::tree::{Node, Value};

/// One key of a table: its kind of value, and its place in the spec.
pub(crate) struct Setting<S, K: Kind> {
    pub(crate) key: &'static str,
    pub(crate) meaning: &'static str,
    /// The methods of builders that do the same.
    pub(crate) methods: &'static [&'static str],
    /// Whether a table without the key is refused.
    pub(crate) is_required: bool,
    pub(crate) kind: K,
    /// `None` where the spec has no such field, as in another variant.
    pub(crate) get: fn(&S) -> Option<Cow<'_, K::Value>>,
    pub(crate) set: fn(&mut S, K::Value),
}

/// A [`Setting`] of any kind.
pub(crate) trait Field<S>: Sync {
    fn key(&self) -> &'static str;
    fn is_required(&self) -> bool;
    fn read(&self, node: &Node, into: &mut S, reader: &mut Reader);
    /// Adds the value to a table, unless it is the one of `base`. `None` if no file has it.
    fn write(&self, spec: &S, base: Option<&S>, table: &mut Vec<(String, Value)>) -> Option<()>;
    fn schema(&self) -> Schema;
    fn rows(&self, rows: &mut Rows);
}

impl<S, K: Kind> Field<S> for Setting<S, K> {
    fn key(&self) -> &'static str {
        self.key
    }

    fn is_required(&self) -> bool {
        self.is_required
    }

    fn read(&self, node: &Node, into: &mut S, reader: &mut Reader) {
        let value = {
            let base = (self.get)(into);
            self.kind.read(node, base.as_deref(), reader)
        };
        if let Some(value) = value {
            (self.set)(into, value);
        }
    }

    fn write(&self, spec: &S, base: Option<&S>, table: &mut Vec<(String, Value)>) -> Option<()> {
        let Some(value) = (self.get)(spec) else { return Some(()) };
        let base = base.and_then(self.get);
        if base.as_deref() != Some(&*value) {
            let written = self.kind.write(&value, base.as_deref())?;
            // An empty table changes nothing that the base has no value for.
            let is_empty = matches!(&written, Value::Table(entries) if entries.is_empty());
            if base.is_some() || self.is_required || !is_empty {
                table.push((self.key.to_owned(), written));
            }
        }
        Some(())
    }

    fn schema(&self) -> Schema {
        self.kind.schema().described(self.meaning)
    }

    fn rows(&self, rows: &mut Rows) {
        rows.within(self.key, |rows| {
            rows.push(self.kind.words(), self.meaning, self.methods);
            self.kind.rows(rows);
        });
    }
}

/// The settings of a table.
pub(crate) type Fields<S> = &'static [&'static dyn Field<S>];

/// A table of settings of a spec.
pub(crate) struct TableOf<S: 'static> {
    /// What the table is, such as "a breaker".
    pub(crate) what: &'static str,
    pub(crate) fields: Fields<S>,
    /// The spec that the settings are read over if there is no base.
    pub(crate) blank: fn() -> S,
}

impl<S> TableOf<S> {
    /// Reads a table over `into`. A required setting may be missing if `has_base`.
    pub(crate) fn read_into(&self, node: &Node, into: &mut S, has_base: bool, reader: &mut Reader) {
        Known { what: &self.what, fields: self.fields, tag: None }.read_into(node, into, has_base, reader);
    }

    pub(crate) fn write_over(&self, spec: &S, base: Option<&S>) -> Option<Vec<(String, Value)>> {
        let mut table = Vec::new();
        let blank = (self.blank)();
        for field in self.fields {
            // A required setting has no value that it could be left out for.
            let base = if field.is_required() { base } else { base.or(Some(&blank)) };
            field.write(spec, base, &mut table)?;
        }
        Some(table)
    }

    pub(crate) fn table_schema(&self) -> Schema {
        Schema::table(self.what, self.fields.iter().map(|field| (field.key(), field.is_required(), field.schema())))
    }
}

/// The settings that a table may have.
pub(crate) struct Known<'k, S: 'static> {
    pub(crate) what: &'k dyn fmt::Display,
    pub(crate) fields: Fields<S>,
    /// The key that decided which settings they are, and is none of them.
    pub(crate) tag: Option<&'static str>,
}

impl<S> Known<'_, S> {
    /// Reads the settings of a table, and refuses keys that are none. A required setting may be
    /// missing if `has_base`.
    pub(crate) fn read_into(&self, node: &Node, into: &mut S, has_base: bool, reader: &mut Reader) {
        let Some(entries) = node.as_table() else {
            reader.refuse(node, format!("be a table: the settings of {}", self.what));
            return;
        };
        for entry in entries.iter().filter(|entry| self.tag != Some(entry.key.as_str())) {
            reader.within(&entry.key, |reader| match self.fields.iter().find(|field| field.key() == entry.key) {
                Some(field) => field.read(&entry.node, into, reader),
                None => {
                    let known = self.fields.iter().map(|field| field.key());
                    reader.refuse_key(&entry.key, entry.span, format!("be a setting of {}", self.what), known);
                }
            });
        }
        for field in self.fields.iter().filter(|field| field.is_required() && !has_base) {
            if !entries.iter().any(|entry| entry.key == field.key()) {
                reader.within(field.key(), |reader| reader.refuse_table(node.span, "be set"));
            }
        }
    }
}

impl<S: Clone + Debug + PartialEq> Kind for TableOf<S> {
    type Value = S;

    fn read(&self, node: &Node, base: Option<&S>, reader: &mut Reader) -> Option<S> {
        let mut spec = base.cloned().unwrap_or_else(self.blank);
        self.read_into(node, &mut spec, base.is_some(), reader);
        Some(spec)
    }

    fn write(&self, value: &S, base: Option<&S>) -> Option<Value> {
        self.write_over(value, base).map(Value::table)
    }

    fn schema(&self) -> Schema {
        self.table_schema()
    }

    fn words(&self) -> String {
        "table".to_owned()
    }

    fn rows(&self, rows: &mut Rows) {
        for field in self.fields {
            field.rows(rows);
        }
    }
}

/// A [`Setting`] for a field of the spec with the name of the key, or for a getter and a setter.
macro_rules! setting {
    ($($setting:tt)*) => { crate::kind::table::setting_of!(is_required: false, $($setting)*) };
}

/// A [`Setting`] that a table must have.
macro_rules! required {
    ($($setting:tt)*) => { crate::kind::table::setting_of!(is_required: true, $($setting)*) };
}

macro_rules! setting_of {
    (
        is_required: $is_required:literal, $spec:ty, $field:ident: $kind:expr, $meaning:literal,
        [$($method:literal),*]
    ) => {
        crate::kind::table::setting_of!(
            is_required: $is_required, $spec, stringify!($field), $kind, $meaning, [$($method),*],
            |spec| Some(Cow::Borrowed(&spec.$field)), |spec, value| spec.$field = value
        )
    };
    (
        is_required: $is_required:literal, $spec:ty, $key:expr, $kind:expr, $meaning:literal,
        [$($method:literal),*], $get:expr, $set:expr
    ) => {
        &crate::kind::table::Setting::<$spec, _> {
            key: $key,
            meaning: $meaning,
            methods: &[$($method),*],
            is_required: $is_required,
            kind: $kind,
            get: $get,
            set: $set,
        }
    };
}

pub(crate) use {required, setting, setting_of};
