//! Reads `#[classify(..)]`.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::{Attribute as Written, Expr, Fields, Ident, LitStr, Member, Token};

use crate::paths::Root;
use crate::spelling::closest;

/// The variants of `ErrorClass`.
const CLASSES: &[&str] =
    &["Auth", "Permission", "Permanent", "Concurrency", "RateLimit", "ServerError", "Transient", "Unknown"];

/// The other words of the attribute.
const WORDS: &[&str] = &[
    "forward",
    "default_classifier",
    "with",
    "abort",
    "retry_after",
    "details",
    "forbid_retry",
    "unsent",
    "timed_out",
];

/// What decides the class.
pub(super) enum Answer {
    Class(Ident),
    /// The call ends.
    Abort,
    /// The field's own classification.
    Forward(Source),
    /// The default classifier, asked about a field.
    DefaultClassifier(Source),
    /// A function of a field.
    With(Source, Box<Expr>),
}

/// The field that is asked: a named one, or the error inside. `span` is that of the word.
pub(super) struct Source {
    pub(super) named: Option<Member>,
    pub(super) span: Span,
}

/// A detail: its key, and a text or a field.
pub(super) struct Detail {
    pub(super) key: Ident,
    pub(super) value: Value,
}

pub(super) enum Value {
    Text(LitStr),
    Field(Member),
}

/// The attributes of one variant, or of a struct.
pub(super) struct Attribute {
    pub(super) answer: Answer,
    pub(super) notes: Notes,
}

/// What the attributes say besides the class.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) retry_after: Option<Member>,
    pub(super) forbid_retry: Option<LitStr>,
    pub(super) unsent: Option<Span>,
    pub(super) timed_out: Option<Span>,
    pub(super) details: Vec<Detail>,
}

impl Attribute {
    /// Reads the attributes of the variant or struct `owner`. Only a struct's may have `crate`.
    pub(super) fn parse(attributes: &[Written], mut root: Option<&mut Root>, owner: &Ident) -> syn::Result<Self> {
        let mut answer = None;
        let mut notes = Notes::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("classify")) {
            attribute.parse_nested_meta(|meta| match root.as_deref_mut() {
                Some(root) if meta.path.is_ident("crate") => root.parse(&meta),
                _ => read(&meta, &mut answer, &mut notes),
            })?;
        }
        let answer = answer.ok_or_else(|| missing(owner))?;
        match (&answer, &notes.forbid_retry) {
            (Answer::Abort, Some(why)) => {
                Err(syn::Error::new(why.span(), "`forbid_retry` has no effect beside `abort`"))
            }
            _ => Ok(Self { answer, notes }),
        }
    }
}

fn missing(owner: &Ident) -> syn::Error {
    let text = format!(
        "`{owner}` has no class: write `#[classify(Transient)]` or another class, `#[classify(forward)]` to ask the \
         error inside, or `#[classify(Unknown)]`"
    );
    syn::Error::new(owner.span(), text)
}

/// Reads the attributes of an enum itself, which may only name the crate.
pub(super) fn of_enum(attributes: &[Written], root: &mut Root) -> syn::Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("classify")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                return root.parse(&meta);
            }
            Err(meta.error(
                "a class for the whole enum would also be that of a variant added later: write it on each variant",
            ))
        })?;
    }
    Ok(())
}

pub(super) fn refuse_on_fields(fields: &Fields) -> syn::Result<()> {
    let written = fields.iter().flat_map(|field| &field.attrs).find(|attribute| attribute.path().is_ident("classify"));
    match written {
        Some(attribute) => Err(syn::Error::new_spanned(
            attribute,
            "`classify` belongs to the variant or struct, and names its field there: `#[classify(forward = field)]`",
        )),
        None => Ok(()),
    }
}

fn read(meta: &ParseNestedMeta<'_>, answer: &mut Option<Answer>, notes: &mut Notes) -> syn::Result<()> {
    let Some(word) = meta.path.get_ident() else {
        return Err(meta.error("write a class without its path, such as `Transient`"));
    };
    let found = match word.to_string().as_str() {
        class if CLASSES.contains(&class) => Answer::Class(word.clone()),
        "abort" => Answer::Abort,
        "forward" => Answer::Forward(source(meta, word)?),
        "default_classifier" => Answer::DefaultClassifier(source(meta, word)?),
        "with" => Answer::With(Source { named: None, span: word.span() }, meta.value()?.parse()?),
        "retry_after" => return once(meta, &mut notes.retry_after, meta.value()?.parse()?),
        "forbid_retry" => return once(meta, &mut notes.forbid_retry, meta.value()?.parse()?),
        "unsent" => return once(meta, &mut notes.unsent, word.span()),
        "timed_out" => return once(meta, &mut notes.timed_out, word.span()),
        "details" => return meta.parse_nested_meta(|detail| read_detail(&detail, notes)),
        "crate" => return Err(meta.error("`crate` belongs to the enum")),
        other => return Err(meta.error(unknown(other))),
    };
    match answer {
        None => *answer = Some(found),
        Some(_) => return Err(meta.error("the class is decided twice")),
    }
    Ok(())
}

/// Reads `forward` or `forward = field`.
fn source(meta: &ParseNestedMeta<'_>, word: &Ident) -> syn::Result<Source> {
    let named = if meta.input.peek(Token![=]) { Some(meta.value()?.parse()?) } else { None };
    Ok(Source { named, span: word.span() })
}

fn once<T>(meta: &ParseNestedMeta<'_>, place: &mut Option<T>, value: T) -> syn::Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error("set twice")),
    }
}

fn read_detail(meta: &ParseNestedMeta<'_>, notes: &mut Notes) -> syn::Result<()> {
    let key = meta.path.require_ident()?.clone();
    let value = meta.value()?;
    let value = if value.peek(LitStr) { Value::Text(value.parse()?) } else { Value::Field(value.parse()?) };
    notes.details.push(Detail { key, value });
    Ok(())
}

fn unknown(word: &str) -> String {
    match closest(word, &[CLASSES, WORDS].concat()) {
        Some(meant) if CLASSES.contains(&meant) => format!("no error class is `{word}`: did you mean `{meant}`?"),
        Some(meant) => format!("unknown `{word}`: did you mean `{meant}`?"),
        None => format!("no error class is `{word}`; the classes are {}", CLASSES.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::CLASSES;

    #[test]
    fn the_classes_are_those_of_the_core() {
        let of_the_core: Vec<String> = redress_core::ErrorClass::ALL.iter().map(|class| format!("{class:?}")).collect();
        assert_eq!(of_the_core, CLASSES);
    }
}
