//! Settings with a single value: numbers, texts, durations, and closed sets of names.

use std::fmt::Debug;
use std::time::Duration;

use redress_core::ErrorClass;

use crate::duration::{self, NoDuration};
use crate::kind::Kind;
use crate::reader::Reader;
use crate::schema::Schema;
use crate::tree::{Node, Value, class_key, class_of};

/// A whole number of 32 bits.
pub(crate) struct Count;

/// A seed, a whole number of 64 bits.
pub(crate) struct Seed;

/// A number with a fraction, such as a share.
pub(crate) struct Share;

/// True or false.
pub(crate) struct Flag;

/// A duration with its unit.
pub(crate) struct Time;

/// A name, where the empty one is none.
pub(crate) struct Name;

/// One of a closed set of names.
pub(crate) struct Choice<T: 'static>(pub(crate) &'static [(&'static str, T)]);

/// The name of a class.
pub(crate) struct Class;

/// A list of values.
pub(crate) struct List<K>(pub(crate) K);

fn whole(node: &Node, most: u64, reader: &mut Reader) -> Option<u64> {
    let number = match &node.value {
        Value::Whole(number) => Some(*number),
        Value::Untyped(text) => text.trim().parse().ok(),
        _ => None,
    };
    let Some(number) = number else {
        reader.refuse(node, "be a whole number");
        return None;
    };
    let number = u64::try_from(number).ok().filter(|number| *number <= most);
    if number.is_none() {
        reader.refuse(node, format!("be between 0 and {most}"));
    }
    number
}

impl Kind for Count {
    type Value = u32;

    fn read(&self, node: &Node, _: Option<&u32>, reader: &mut Reader) -> Option<u32> {
        whole(node, u32::MAX.into(), reader).and_then(|number| u32::try_from(number).ok())
    }

    fn write(&self, value: &u32, _: Option<&u32>) -> Option<Value> {
        Some(Value::Whole((*value).into()))
    }

    fn schema(&self) -> Schema {
        Schema::whole(u32::MAX.into())
    }

    fn words(&self) -> String {
        "whole number".to_owned()
    }
}

impl Kind for Seed {
    type Value = u64;

    fn read(&self, node: &Node, _: Option<&u64>, reader: &mut Reader) -> Option<u64> {
        whole(node, u64::MAX, reader)
    }

    fn write(&self, value: &u64, _: Option<&u64>) -> Option<Value> {
        Some(Value::Whole((*value).into()))
    }

    fn schema(&self) -> Schema {
        Schema::whole(u64::MAX)
    }

    fn words(&self) -> String {
        "whole number".to_owned()
    }
}

impl Kind for Share {
    type Value = f64;

    fn read(&self, node: &Node, _: Option<&f64>, reader: &mut Reader) -> Option<f64> {
        let number = match &node.value {
            Value::Number(number) => Some(*number),
            Value::Whole(number) => Some(*number as f64),
            Value::Untyped(text) => text.trim().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            reader.refuse(node, "be a number");
        }
        number
    }

    fn write(&self, value: &f64, _: Option<&f64>) -> Option<Value> {
        Some(Value::Number(*value))
    }

    fn schema(&self) -> Schema {
        Schema::of_type("number")
    }

    fn words(&self) -> String {
        "number".to_owned()
    }
}

impl Kind for Flag {
    type Value = bool;

    fn read(&self, node: &Node, _: Option<&bool>, reader: &mut Reader) -> Option<bool> {
        let flag = match &node.value {
            Value::Flag(flag) => Some(*flag),
            Value::Untyped(text) => text.trim().parse().ok(),
            _ => None,
        };
        if flag.is_none() {
            reader.refuse(node, "be true or false");
        }
        flag
    }

    fn write(&self, value: &bool, _: Option<&bool>) -> Option<Value> {
        Some(Value::Flag(*value))
    }

    fn schema(&self) -> Schema {
        Schema::of_type("boolean")
    }

    fn words(&self) -> String {
        "true or false".to_owned()
    }
}

impl Kind for Time {
    type Value = Duration;

    fn read(&self, node: &Node, _: Option<&Duration>, reader: &mut Reader) -> Option<Duration> {
        let parsed = match &node.value {
            Value::Text(text) | Value::Untyped(text) => duration::parse(text).map_err(|error| error.rule(text)),
            Value::Whole(number) => Err(NoDuration::NoUnit.rule(&number.to_string())),
            Value::Number(number) => Err(NoDuration::NoUnit.rule(&number.to_string())),
            _ => Err(NoDuration::NoNumber.rule("")),
        };
        parsed.map_err(|rule| reader.refuse(node, rule)).ok()
    }

    fn write(&self, value: &Duration, _: Option<&Duration>) -> Option<Value> {
        Some(Value::text(duration::written(*value)))
    }

    fn schema(&self) -> Schema {
        Schema::pattern(duration::PATTERN)
    }

    fn words(&self) -> String {
        "duration".to_owned()
    }
}

impl Kind for Name {
    type Value = Option<String>;

    fn read(&self, node: &Node, _: Option<&Self::Value>, reader: &mut Reader) -> Option<Self::Value> {
        let Some(name) = node.as_text() else {
            reader.refuse(node, "be a text");
            return None;
        };
        Some((!name.is_empty()).then(|| name.to_owned()))
    }

    fn write(&self, value: &Self::Value, _: Option<&Self::Value>) -> Option<Value> {
        Some(Value::text(value.clone().unwrap_or_default()))
    }

    fn schema(&self) -> Schema {
        Schema::of_type("string")
    }

    fn words(&self) -> String {
        "text".to_owned()
    }
}

impl<T: Copy + Debug + PartialEq + Sync> Kind for Choice<T> {
    type Value = T;

    fn read(&self, node: &Node, _: Option<&T>, reader: &mut Reader) -> Option<T> {
        let name = node.as_text();
        let found = self.0.iter().find(|(known, _)| Some(*known) == name);
        if found.is_none() {
            let rule = format!("be {}", self.words());
            reader.refuse_name(node, rule, self.0.iter().map(|(name, _)| *name));
        }
        found.map(|(_, value)| *value)
    }

    fn write(&self, value: &T, _: Option<&T>) -> Option<Value> {
        self.0.iter().find(|(_, known)| known == value).map(|(name, _)| Value::text(*name))
    }

    fn schema(&self) -> Schema {
        Schema::one_of(self.0.iter().map(|(name, _)| (*name).to_owned()))
    }

    fn words(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        names.join(", ")
    }
}

/// Both spellings of the names of classes.
pub(crate) fn class_names() -> impl Iterator<Item = String> {
    let all = || ErrorClass::ALL.iter().copied();
    all().map(class_key).chain(all().map(|class| class.as_str().to_owned()))
}

/// The rule for the name of a class.
pub(crate) const CLASS_RULE: &str = "be a class of failures";

impl Kind for Class {
    type Value = ErrorClass;

    fn read(&self, node: &Node, _: Option<&ErrorClass>, reader: &mut Reader) -> Option<ErrorClass> {
        let class = node.as_text().and_then(class_of);
        if class.is_none() {
            let names: Vec<_> = class_names().collect();
            reader.refuse_name(node, CLASS_RULE, names.iter().map(String::as_str));
        }
        class
    }

    fn write(&self, value: &ErrorClass, _: Option<&ErrorClass>) -> Option<Value> {
        Some(Value::text(class_key(*value)))
    }

    fn schema(&self) -> Schema {
        Schema::one_of(class_names())
    }

    fn words(&self) -> String {
        "class".to_owned()
    }
}

impl<K: Kind> Kind for List<K> {
    type Value = Vec<K::Value>;

    fn read(&self, node: &Node, _: Option<&Self::Value>, reader: &mut Reader) -> Option<Self::Value> {
        let Value::List(nodes) = &node.value else {
            reader.refuse(node, format!("be a list, of type {}", self.0.words()));
            return None;
        };
        let read: Vec<_> = nodes.iter().map(|node| self.0.read(node, None, reader)).collect();
        read.into_iter().collect()
    }

    fn write(&self, value: &Self::Value, _: Option<&Self::Value>) -> Option<Value> {
        let values: Option<Vec<_>> = value.iter().map(|value| self.0.write(value, None)).collect();
        Some(Value::list(values?))
    }

    fn schema(&self) -> Schema {
        Schema::list(self.0.schema())
    }

    fn words(&self) -> String {
        format!("list of type {}", self.0.words())
    }
}
