//! [`ByClass`], a table with a value for each class of failures.

use redress_core::ErrorClass;
use redress_core::classify::PerClass;

use crate::class::{CLASS_RULE, class_key, class_names, class_of};
use crate::kind::{Kind, NONE, Rows};
use crate::reader::Reader;
use crate::schema::Schema;
use crate::tree::{Node, Value};

/// A table of values by class, where `"none"` takes the value of a preset away.
pub(crate) struct ByClass<K>(pub(crate) K);

impl<K: Kind> ByClass<K> {
    /// Reads the value of a class.
    pub(crate) fn read_class(
        &self,
        node: &Node,
        base: Option<&K::Value>,
        reader: &mut Reader,
    ) -> Option<Option<K::Value>> {
        if node.as_text() == Some(NONE) { Some(None) } else { self.0.read(node, base, reader).map(Some) }
    }

    /// Reads the entry of a class, which may be set only once.
    pub(crate) fn read_entry(
        &self,
        (class, node): (ErrorClass, &Node),
        seen: &mut Vec<ErrorClass>,
        into: &mut PerClass<Option<K::Value>>,
        reader: &mut Reader,
    ) {
        if seen.contains(&class) {
            reader.refuse(node, "be left out: the class has a value already");
        } else if let Some(value) = self.read_class(node, into[class].as_ref(), reader) {
            into[class] = value;
        }
        seen.push(class);
    }

    /// Writes the values that differ from those of `base`.
    pub(crate) fn write_classes(
        &self,
        value: &PerClass<Option<K::Value>>,
        base: Option<&PerClass<Option<K::Value>>>,
    ) -> Option<Vec<(String, Value)>> {
        let mut table = Vec::new();
        for (class, value) in value.iter() {
            let base = base.and_then(|base| base[class].as_ref());
            let written = match value {
                value if value.as_ref() == base => continue,
                Some(value) => self.0.write(value, base)?,
                None => Value::text(NONE),
            };
            table.push((class_key(class).to_owned(), written));
        }
        Some(table)
    }
}

impl<K: Kind> Kind for ByClass<K> {
    type Value = PerClass<Option<K::Value>>;

    fn read(&self, node: &Node, base: Option<&Self::Value>, reader: &mut Reader) -> Option<Self::Value> {
        let Some(entries) = node.as_table() else {
            reader.refuse(node, format!("be a table: a {} for each class", self.0.words()));
            return None;
        };
        let mut values = base.cloned().unwrap_or_else(|| PerClass::from_fn(|_| None));
        let mut seen = Vec::new();
        for entry in entries {
            reader.within(&entry.key, |reader| match class_of(&entry.key) {
                Some(class) => self.read_entry((class, &entry.node), &mut seen, &mut values, reader),
                None => reader.refuse_key(&entry.key, entry.span, CLASS_RULE, class_names()),
            });
        }
        Some(values)
    }

    fn write(&self, value: &Self::Value, base: Option<&Self::Value>) -> Option<Value> {
        self.write_classes(value, base).map(Value::table)
    }

    fn schema(&self) -> Schema {
        let value = || self.0.schema().or(Schema::constant(NONE));
        Schema::open_table(class_names().map(|name| (name, value())))
    }

    fn words(&self) -> String {
        format!("table by class of {}", self.0.words())
    }

    fn rows(&self, rows: &mut Rows) {
        self.0.rows(rows);
    }
}
