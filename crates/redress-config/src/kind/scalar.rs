//! Settings with a single value: numbers, texts, durations, and closed sets of names.

use std::borrow::Cow;
use std::fmt::Debug;
use std::time::Duration;

use redress_core::ErrorClass;

use crate::class::{CLASS_RULE, class_key, class_names, class_of};
use crate::duration::{self, NoDuration};
use crate::kind::Kind;
use crate::reader::Reader;
use crate::schema::Schema;
use crate::tree::{Node, Value};

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

/// A kind whose values are read without a base and are not searched.
pub(crate) trait Scalar: Sync {
    type Value: Clone + Debug + PartialEq;

    /// What the values are, for the table of settings.
    const WORDS: &str;

    /// Reads a value. `Err` is the rule that it breaks.
    fn parse(&self, value: &Value) -> Result<Self::Value, Cow<'static, str>>;

    fn to_value(&self, value: &Self::Value) -> Value;

    fn schema(&self) -> Schema;
}

impl<K: Scalar> Kind for K {
    type Value = K::Value;

    fn read(&self, node: &Node, _: Option<&Self::Value>, reader: &mut Reader) -> Option<Self::Value> {
        self.parse(&node.value).map_err(|rule| reader.refuse(node, rule)).ok()
    }

    fn write(&self, value: &Self::Value, _: Option<&Self::Value>) -> Option<Value> {
        Some(self.to_value(value))
    }

    fn schema(&self) -> Schema {
        Scalar::schema(self)
    }

    fn words(&self) -> String {
        Self::WORDS.to_owned()
    }
}

/// Reads a whole number up to `most`.
fn whole<N: TryFrom<i128>>(value: &Value, most: u64) -> Result<N, Cow<'static, str>> {
    let number: i128 = match value {
        Value::Whole(number) => Some(*number),
        Value::Untyped(text) => text.trim().parse().ok(),
        _ => None,
    }
    .ok_or("be a whole number")?;
    N::try_from(number).map_err(|_| format!("be between 0 and {most}").into())
}

impl Scalar for Count {
    type Value = u32;

    const WORDS: &str = "whole number";

    fn parse(&self, value: &Value) -> Result<u32, Cow<'static, str>> {
        whole(value, u32::MAX.into())
    }

    fn to_value(&self, value: &u32) -> Value {
        Value::Whole((*value).into())
    }

    fn schema(&self) -> Schema {
        Schema::whole(u32::MAX.into())
    }
}

impl Scalar for Seed {
    type Value = u64;

    const WORDS: &str = "whole number";

    fn parse(&self, value: &Value) -> Result<u64, Cow<'static, str>> {
        whole(value, u64::MAX)
    }

    fn to_value(&self, value: &u64) -> Value {
        Value::Whole((*value).into())
    }

    fn schema(&self) -> Schema {
        Schema::whole(u64::MAX)
    }
}

impl Scalar for Share {
    type Value = f64;

    const WORDS: &str = "number";

    fn parse(&self, value: &Value) -> Result<f64, Cow<'static, str>> {
        let number = match value {
            Value::Number(number) => Some(*number),
            Value::Whole(number) => Some(*number as f64),
            Value::Untyped(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| "be a number".into())
    }

    fn to_value(&self, value: &f64) -> Value {
        Value::Number(*value)
    }

    fn schema(&self) -> Schema {
        Schema::of_type("number")
    }
}

impl Scalar for Flag {
    type Value = bool;

    const WORDS: &str = "true or false";

    fn parse(&self, value: &Value) -> Result<bool, Cow<'static, str>> {
        let flag = match value {
            Value::Flag(flag) => Some(*flag),
            Value::Untyped(text) => text.trim().parse().ok(),
            _ => None,
        };
        flag.ok_or_else(|| "be true or false".into())
    }

    fn to_value(&self, value: &bool) -> Value {
        Value::Flag(*value)
    }

    fn schema(&self) -> Schema {
        Schema::of_type("boolean")
    }
}

impl Scalar for Time {
    type Value = Duration;

    const WORDS: &str = "duration";

    fn parse(&self, value: &Value) -> Result<Duration, Cow<'static, str>> {
        let (wrong, text) = match value {
            Value::Text(text) | Value::Untyped(text) => match duration::parse(text) {
                Ok(duration) => return Ok(duration),
                Err(wrong) => (wrong, text.clone()),
            },
            Value::Whole(number) => (NoDuration::NoUnit, number.to_string()),
            Value::Number(number) => (NoDuration::NoUnit, number.to_string()),
            _ => (NoDuration::NoNumber, String::new()),
        };
        Err(wrong.rule(&text).into())
    }

    fn to_value(&self, value: &Duration) -> Value {
        Value::text(duration::written(*value))
    }

    fn schema(&self) -> Schema {
        Schema::pattern(duration::PATTERN)
    }
}

impl Scalar for Name {
    type Value = Option<String>;

    const WORDS: &str = "text";

    fn parse(&self, value: &Value) -> Result<Option<String>, Cow<'static, str>> {
        let name = value.as_text().ok_or("be a text")?;
        Ok((!name.is_empty()).then(|| name.to_owned()))
    }

    fn to_value(&self, value: &Option<String>) -> Value {
        Value::text(value.clone().unwrap_or_default())
    }

    fn schema(&self) -> Schema {
        Schema::of_type("string")
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
        Schema::one_of(self.0.iter().map(|(name, _)| *name))
    }

    fn words(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        names.join(", ")
    }
}

impl Kind for Class {
    type Value = ErrorClass;

    fn read(&self, node: &Node, _: Option<&ErrorClass>, reader: &mut Reader) -> Option<ErrorClass> {
        let class = node.as_text().and_then(class_of);
        if class.is_none() {
            reader.refuse_name(node, CLASS_RULE, class_names());
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
