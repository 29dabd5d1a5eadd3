//! [`Schema`], a JSON Schema as a tree that is written as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A value of JSON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Text(String),
    Number(String),
    Flag(bool),
    List(Vec<Self>),
    /// In the order in which it is written.
    Object(Vec<(String, Self)>),
}

impl Json {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Writes the value over several lines.
    pub(crate) fn write(&self, into: &mut String, indent: usize) {
        match self {
            Self::Text(text) => quote(text, into),
            Self::Number(number) => into.push_str(number),
            Self::Flag(flag) => into.push_str(if *flag { "true" } else { "false" }),
            Self::List(items) if items.iter().all(|item| !matches!(item, Self::Object(_))) => {
                into.push('[');
                for (index, item) in items.iter().enumerate() {
                    into.push_str(if index == 0 { "" } else { ", " });
                    item.write(into, indent);
                }
                into.push(']');
            }
            Self::List(items) => {
                let items = items.iter().map(|item| (None, item));
                nest(['[', ']'], items, into, indent);
            }
            Self::Object(entries) if entries.is_empty() => into.push_str("{}"),
            Self::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| (Some(key.as_str()), value));
                nest(['{', '}'], entries, into, indent);
            }
        }
    }
}

fn nest<'j>(
    [open, close]: [char; 2],
    items: impl Iterator<Item = (Option<&'j str>, &'j Json)>,
    into: &mut String,
    indent: usize,
) {
    into.push(open);
    for (index, (key, value)) in items.enumerate() {
        into.push_str(if index == 0 { "\n" } else { ",\n" });
        into.push_str(&" ".repeat(indent + 2));
        if let Some(key) = key {
            quote(key, into);
            into.push_str(": ");
        }
        value.write(into, indent + 2);
    }
    into.push('\n');
    into.push_str(&" ".repeat(indent));
    into.push(close);
}

fn quote(text: &str, into: &mut String) {
    into.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => into.extend(['\\', character]),
            // Writing to a string cannot fail.
            c if c.is_control() => drop(write!(into, "\\u{:04x}", u32::from(c))),
            c => into.push(c),
        }
    }
    into.push('"');
}

/// The schema of one value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schema(Vec<(String, Json)>);

impl Schema {
    fn with(key: &str, value: Json) -> Self {
        Self(vec![(key.to_owned(), value)])
    }

    fn and(mut self, key: &str, value: Json) -> Self {
        self.0.push((key.to_owned(), value));
        self
    }

    pub(crate) fn of_type(name: &str) -> Self {
        Self::with("type", Json::text(name))
    }

    pub(crate) fn whole(most: u64) -> Self {
        let maximum = Json::Number(most.to_string());
        Self::of_type("integer").and("minimum", Json::Number("0".to_owned())).and("maximum", maximum)
    }

    pub(crate) fn pattern(pattern: &str) -> Self {
        Self::of_type("string").and("pattern", Json::text(pattern))
    }

    pub(crate) fn constant(text: &str) -> Self {
        Self::with("const", Json::text(text))
    }

    pub(crate) fn one_of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::with("enum", Json::List(texts.into_iter().map(Json::text).collect()))
    }

    pub(crate) fn list(items: Self) -> Self {
        Self::of_type("array").and("items", items.json())
    }

    pub(crate) fn reference(definition: &str) -> Self {
        Self::with("$ref", Json::text(format!("#/$defs/{definition}")))
    }

    /// A table with these settings and no others.
    pub(crate) fn table<'k>(what: &str, fields: impl IntoIterator<Item = (&'k str, bool, Self)>) -> Self {
        let (mut properties, mut required) = (BTreeMap::new(), Vec::new());
        for (key, is_required, schema) in fields {
            if is_required {
                required.push(Json::text(key));
            }
            properties.insert(key.to_owned(), schema.json());
        }
        let table =
            Self::of_type("object").described(what).and("properties", Json::Object(properties.into_iter().collect()));
        let table = if required.is_empty() { table } else { table.and("required", Json::List(required)) };
        table.and("additionalProperties", Json::Flag(false))
    }

    /// A table with these keys and no others, all of which may be left out.
    pub(crate) fn open_table<'k>(fields: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        let properties = fields.into_iter().map(|(key, schema)| (key.to_owned(), schema.json())).collect();
        Self::of_type("object")
            .and("properties", Json::Object(properties))
            .and("additionalProperties", Json::Flag(false))
    }

    /// A table with any names and values of one kind.
    pub(crate) fn named(value: Self) -> Self {
        let name = Self::of_type("string").and("minLength", Json::Number("1".to_owned()));
        let name = name.and("not", Self::constant("none").json());
        Self::of_type("object").and("propertyNames", name.json()).and("additionalProperties", value.json())
    }

    /// Either this or the other.
    pub(crate) fn or(self, other: Self) -> Self {
        let Self(mut own) = self;
        if let [(key, Json::List(choices))] = own.as_mut_slice() {
            if key == "anyOf" {
                choices.push(other.json());
                return Self(own);
            }
        }
        Self::with("anyOf", Json::List(vec![Self(own).json(), other.json()]))
    }

    /// The schema with a description. A later one replaces an earlier one.
    pub(crate) fn described(mut self, meaning: &str) -> Self {
        self.0.retain(|(key, _)| key != "description");
        self.0.insert(0, ("description".to_owned(), Json::text(meaning)));
        self
    }

    pub(crate) fn json(self) -> Json {
        Json::Object(self.0)
    }

    /// The schema as the text of a file, with its definitions.
    pub(crate) fn document(self, title: &str, definitions: impl IntoIterator<Item = (&'static str, Self)>) -> String {
        let definitions = definitions.into_iter().map(|(name, schema)| (name.to_owned(), schema.json())).collect();
        let head = [
            ("$schema".to_owned(), Json::text("https://json-schema.org/draft/2020-12/schema")),
            ("title".to_owned(), Json::text(title)),
        ];
        let mut entries: Vec<_> = head.into_iter().chain(self.0).collect();
        entries.push(("$defs".to_owned(), Json::Object(definitions)));
        let mut text = String::new();
        Json::Object(entries).write(&mut text, 0);
        text.push('\n');
        text
    }
}
