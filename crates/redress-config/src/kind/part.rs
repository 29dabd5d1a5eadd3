//! [`Part`], a breaker or a budget of a policy: its settings, or the name of a shared one.

use crate::kind::{Kind, Rows};
use crate::reader::Reader;
use crate::schema::Schema;
use crate::tree::{Node, Value};

/// A part of a policy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part<T> {
    /// The settings of a part of this policy alone.
    Own(T),
    /// The name of a part that policies share.
    Shared(String),
}

impl<T> Part<T> {
    pub(crate) const fn own(&self) -> Option<&T> {
        match self {
            Self::Own(spec) => Some(spec),
            Self::Shared(_) => None,
        }
    }

    pub(crate) fn shared(&self) -> Option<&str> {
        match self {
            Self::Own(_) => None,
            Self::Shared(name) => Some(name),
        }
    }
}

/// The section of shared parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Breaker,
    Budget,
}

impl Section {
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Breaker => "breaker",
            Self::Budget => "budget",
        }
    }
}

/// A part: a table of settings, or a name of this section.
pub(crate) struct PartOf<K>(pub(crate) Section, pub(crate) K);

impl<K: Kind> Kind for PartOf<K> {
    type Value = Part<K::Value>;

    fn read(&self, node: &Node, base: Option<&Self::Value>, reader: &mut Reader) -> Option<Self::Value> {
        let Some(name) = node.as_text() else {
            return self.1.read(node, base.and_then(Part::own), reader).map(Part::Own);
        };
        let known = match self.0 {
            Section::Breaker => &reader.breakers,
            Section::Budget => &reader.budgets,
        };
        if known.contains(name) {
            return Some(Part::Shared(name.to_owned()));
        }
        let known: Vec<_> = known.iter().cloned().collect();
        let key = self.0.key();
        reader.refuse_name(node, format!("be the name of a [{key}.*] of this file"), known.iter().map(String::as_str));
        None
    }

    fn write(&self, value: &Self::Value, base: Option<&Self::Value>) -> Option<Value> {
        match value {
            Part::Own(spec) => self.1.write(spec, base.and_then(Part::own)),
            Part::Shared(name) => Some(Value::text(name.as_str())),
        }
    }

    fn schema(&self) -> Schema {
        self.1.schema().or(Schema::of_type("string"))
    }

    fn words(&self) -> String {
        format!("table or name of a `[{}.*]`", self.0.key())
    }

    fn rows(&self, rows: &mut Rows) {
        self.1.rows(rows);
    }
}
