//! Reads TOML into the tree. The parser goes on after an error, so that all are reported.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::reader::Reader;
use crate::source::Span;
use crate::tree::{Entry, Node, Value};

/// Reads a document. Its errors are problems of the reader.
pub(crate) fn read(text: &str, source: usize, reader: &mut Reader) -> Node {
    let (root, errors) = DeTable::parse_recoverable(text);
    refuse(&errors, text, source, 0, reader);
    let span = Span { source, start: 0, end: 0 };
    Node { value: table(root.into_inner(), source), span }
}

/// Reads a single value, which begins at the byte `start` of its source.
pub(crate) fn read_value(text: &str, source: usize, start: usize, reader: &mut Reader) -> Node {
    let (value, errors) = DeValue::parse_recoverable(text);
    refuse(&errors, text, source, start, reader);
    let mut value = node(value, source);
    shift(&mut value, start);
    value
}

fn refuse(errors: &[toml::de::Error], text: &str, source: usize, start: usize, reader: &mut Reader) {
    for error in errors {
        let bytes = error.span().unwrap_or(0..0);
        // The parser may point into a character, or after the last one.
        let floor = |byte: usize| (0..=byte.min(text.len())).rev().find(|byte| text.is_char_boundary(*byte));
        let (from, to) = (floor(bytes.start).unwrap_or(0), floor(bytes.end).unwrap_or(0));
        let span = Span { source, start: start + from, end: start + to };
        reader.refuse_text(span, error.message().replace('\n', ", "));
    }
}

fn shift(node: &mut Node, by: usize) {
    let moved = |span: Span| Span { start: span.start + by, end: span.end + by, ..span };
    node.span = moved(node.span);
    match &mut node.value {
        Value::Table(entries) => {
            for entry in entries {
                entry.span = moved(entry.span);
                shift(&mut entry.node, by);
            }
        }
        Value::List(nodes) => nodes.iter_mut().for_each(|node| shift(node, by)),
        _ => {}
    }
}

/// The parser bounds the depth, and so does it the recursion here.
fn node(value: Spanned<DeValue<'_>>, source: usize) -> Node {
    let bytes = value.span();
    let span = Span { source, start: bytes.start, end: bytes.end };
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => whole(number.as_str(), number.radix()),
        DeValue::Float(number) => number.as_str().parse().map_or(Value::Other("a number"), Value::Number),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(items) => Value::List(items.into_iter().map(|item| node(item, source)).collect()),
        DeValue::Table(entries) => table(entries, source),
    };
    Node { value, span }
}

fn whole(digits: &str, radix: u32) -> Value {
    i128::from_str_radix(digits, radix).map_or(Value::Other("a number"), Value::Whole)
}

/// The entries in the order of the text, where the parser has them in the order of their keys.
fn table(entries: DeTable<'_>, source: usize) -> Value {
    let entry = |(key, value): (Spanned<std::borrow::Cow<'_, str>>, Spanned<DeValue<'_>>)| {
        let bytes = key.span();
        let span = Span { source, start: bytes.start, end: bytes.end };
        Entry { key: key.into_inner().into_owned(), span, node: node(value, source) }
    };
    let mut entries: Vec<_> = entries.into_iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.span.start);
    Value::Table(entries)
}
