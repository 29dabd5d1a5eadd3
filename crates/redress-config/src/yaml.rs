//! Reads YAML, and JSON as a part of it, into the tree.

use std::collections::BTreeSet;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, options};

use crate::reader::Reader;
use crate::source::Span;
use crate::tree::{Entry, Node, Value};

/// How deep tables and lists may be.
const DEEPEST: usize = 64;

/// Reads a document. Its first error is a problem of the reader, since a parser of YAML does not go
/// on after one.
pub(crate) fn read(text: &str, source: usize, reader: &mut Reader) -> Node {
    let limits = options! { flow_nesting_limit: DEEPEST, block_nesting_limit: DEEPEST };
    let mut builder = Builder { text, source, open: Vec::new(), root: None };
    for event in Parser::new_from_str_with_options(text, limits) {
        let step = event.map_err(|error| builder.of(&error)).and_then(|(event, span)| {
            let bytes = span.byte_range().unwrap_or(0..0);
            builder.take(event, Span { source, start: bytes.start, end: bytes.end })
        });
        if let Err((span, sentence)) = step {
            reader.refuse_text(span, sentence);
            break;
        }
    }
    builder.root.unwrap_or_else(|| Node::empty_table(Span { source, start: 0, end: 0 }))
}

type Refused = (Span, String);

/// A collection whose end has not been read.
enum Open {
    List(Span, Vec<Node>),
    Table { span: Span, entries: Vec<Entry>, keys: BTreeSet<String>, key: Option<(String, Span)> },
}

struct Builder<'t> {
    text: &'t str,
    source: usize,
    open: Vec<Open>,
    root: Option<Node>,
}

impl Builder<'_> {
    fn of(&self, error: &ScanError) -> Refused {
        let byte = error.marker().byte_offset().unwrap_or(0).min(self.text.len());
        let byte = (0..=byte).rev().find(|byte| self.text.is_char_boundary(*byte)).unwrap_or(0);
        (Span { source: self.source, start: byte, end: byte }, error.kind().to_string())
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Refused> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                plain(anchor, tag.is_some(), span)?;
                let is_plain = matches!(style, ScalarStyle::Plain);
                if self.takes_key() {
                    return self.key(text.into_owned(), span);
                }
                let value = if is_plain { scalar(&text) } else { Value::Text(text.into_owned()) };
                self.add(Node { value, span })
            }
            Event::SequenceStart(_, anchor, tag) => {
                plain(anchor, tag.is_some(), span)?;
                self.begin(Open::List(span, Vec::new()), span)
            }
            Event::MappingStart(_, anchor, tag) => {
                plain(anchor, tag.is_some(), span)?;
                self.begin(Open::Table { span, entries: Vec::new(), keys: BTreeSet::new(), key: None }, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(_) => Err((span, "aliases are not read: write the value again".to_owned())),
            Event::DocumentStart(..) if self.root.is_some() => {
                Err((span, "the file has a second document, where one is read".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Whether the next node is the key of a table.
    fn takes_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Table { key: None, .. }))
    }

    fn key(&mut self, text: String, span: Span) -> Result<(), Refused> {
        if let Some(Open::Table { keys, key, .. }) = self.open.last_mut() {
            if !keys.insert(text.clone()) {
                return Err((span, format!("the key `{text}` is there twice")));
            }
            *key = Some((text, span));
        }
        Ok(())
    }

    fn begin(&mut self, open: Open, span: Span) -> Result<(), Refused> {
        if self.takes_key() {
            return Err((span, "a key must be a text".to_owned()));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refused> {
        let node = match self.open.pop() {
            Some(Open::List(span, nodes)) => Node { value: Value::List(nodes), span },
            Some(Open::Table { span, entries, .. }) => Node { value: Value::Table(entries), span },
            None => return Ok(()),
        };
        self.add(node)
    }

    fn add(&mut self, node: Node) -> Result<(), Refused> {
        match self.open.last_mut() {
            Some(Open::List(_, nodes)) => nodes.push(node),
            Some(Open::Table { entries, key, .. }) => {
                if let Some((key, span)) = key.take() {
                    entries.push(Entry { key, span, node });
                }
            }
            // An empty file is a table without entries, as in TOML.
            None if matches!(node.value, Value::Other(NULL)) => {}
            None if node.as_table().is_none() => {
                return Err((node.span, "the file must be a table of sections".to_owned()));
            }
            None => self.root = Some(node),
        }
        Ok(())
    }
}

/// Anchors and tags change what a text means, and no setting needs them.
fn plain(anchor: usize, is_tagged: bool, span: Span) -> Result<(), Refused> {
    match (anchor, is_tagged) {
        (0, false) => Ok(()),
        (0, true) => Err((span, "tags are not read".to_owned())),
        _ => Err((span, "anchors are not read: write the value again where it is needed".to_owned())),
    }
}

const NULL: &str = "null";

/// A text without quotes, by the core schema of YAML 1.2.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Other(NULL),
        "true" | "True" | "TRUE" => Value::Flag(true),
        "false" | "False" | "FALSE" => Value::Flag(false),
        ".nan" | ".NaN" | ".NAN" => Value::Number(f64::NAN),
        _ => number(text).unwrap_or_else(|| Value::text(text)),
    }
}

fn number(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        let infinity = if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
        return Some(Value::Number(infinity));
    }
    let radix =
        |digits: &str, radix| i128::from_str_radix(digits, radix).map_or(Value::Other("a number"), Value::Whole);
    if let Some(digits) = text.strip_prefix("0x").filter(|digits| all(digits, |c| c.is_ascii_hexdigit())) {
        return Some(radix(digits, 16));
    }
    if let Some(digits) = text.strip_prefix("0o").filter(|digits| all(digits, |c| ('0'..='7').contains(&c))) {
        return Some(radix(digits, 8));
    }
    if all(unsigned, |c| c.is_ascii_digit()) {
        return Some(radix(text, 10));
    }
    let is_number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.contains(|c: char| c.is_ascii_digit())
        && all(unsigned, |c| matches!(c, '0'..='9' | '.' | 'e' | 'E' | '+' | '-'));
    if is_number { text.parse().ok().map(Value::Number) } else { None }
}

fn all(text: &str, is: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(is)
}
