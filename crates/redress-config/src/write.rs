//! Writes a file as TOML: a header for each part, and a line for each setting that is not the
//! default.

use std::fmt::Write as _;

use crate::keys::file::Sections;
use crate::path::is_bare;
use crate::tree::{Entry, Value};

/// Writes sections of parts with their settings.
pub(crate) fn document(sections: Sections) -> String {
    let mut text = String::new();
    for (section, parts) in sections.into_iter().filter(|(_, parts)| !parts.is_empty()) {
        let (tables, values): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|(_, value)| matches!(value, Value::Table(_)));
        if !values.is_empty() {
            header(&mut text, &[section]);
            values.iter().for_each(|(name, value)| line(&mut text, &key(name), value));
        }
        for (name, value) in &tables {
            header(&mut text, &[section, &key(name)]);
            if let Value::Table(entries) = value {
                entries.iter().for_each(|entry| setting(&mut text, entry));
            }
        }
    }
    text
}

fn header(text: &mut String, keys: &[&str]) {
    let separator = if text.is_empty() { "" } else { "\n" };
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "{separator}[{}]", keys.join("."));
}

/// A table of tables is written with one line for each of them.
fn setting(text: &mut String, entry: &Entry) {
    match &entry.node.value {
        Value::Table(entries) if entries.iter().any(|entry| entry.node.as_table().is_some()) => {
            for inner in entries {
                line(text, &format!("{}.{}", key(&entry.key), key(&inner.key)), &inner.node.value);
            }
        }
        value => line(text, &key(&entry.key), value),
    }
}

fn line(text: &mut String, key: &str, written: &Value) {
    let _ = write!(text, "{key} = ");
    value(text, written);
    text.push('\n');
}

/// A value in one line.
pub(crate) fn inline(written: &Value) -> String {
    let mut text = String::new();
    value(&mut text, written);
    text
}

fn value(text: &mut String, written: &Value) {
    match written {
        Value::Table(entries) if entries.is_empty() => text.push_str("{}"),
        Value::Table(entries) => {
            text.push_str("{ ");
            for (index, entry) in entries.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                let _ = write!(text, "{} = ", key(&entry.key));
                value(text, &entry.node.value);
            }
            text.push_str(" }");
        }
        Value::List(nodes) => {
            text.push('[');
            for (index, node) in nodes.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                value(text, &node.value);
            }
            text.push(']');
        }
        Value::Text(string) | Value::Untyped(string) => quoted(text, string),
        Value::Whole(number) => drop(write!(text, "{number}")),
        // `Debug` keeps the point, and is read as the same number.
        Value::Number(number) if number.is_nan() => text.push_str("nan"),
        Value::Number(number) => drop(write!(text, "{number:?}")),
        Value::Flag(flag) => drop(write!(text, "{flag}")),
        Value::Other(kind) => quoted(text, kind),
    }
}

fn key(name: &str) -> String {
    if is_bare(name) {
        return name.to_owned();
    }
    let mut text = String::new();
    quoted(&mut text, name);
    text
}

fn quoted(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            c if c.is_control() => drop(write!(text, "\\u{:04X}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
}
