//! The target `text_parsers`: names of classes, resume tokens, headers with the time left, and
//! errors that are classified by their text.
//!
//! Implements the order of the default classifier a second time, on the description of a chain in
//! place of the chain. One half of the input is a name, the other such a description.

use std::error::Error;

use redress_core::classify::{boxed_classifier, source_chain, strict_classifier};
use redress_core::{Classification, Classifier, ErrorClass, default_classifier};

use crate::hostile_error::{Boxed, KINDS, Link};
use crate::reader::Reader;
use crate::resume_tokens::resume_tokens;
use crate::sent_time::sent_time;

/// Longer chains find nothing more.
const MOST_LINKS: usize = 24;

/// Reads any bytes as the name of a class, as a resume token, as headers with the time left, and as
/// a chain of errors. Checks the name, that a call with the token keeps its limits, that the
/// headers only shorten, and that the first certain error classifies the chain.
///
/// # Panics
///
/// If a law is broken.
pub fn text_parsers(bytes: &[u8]) {
    a_name_is_a_class_or_none(&String::from_utf8_lossy(bytes));
    resume_tokens(bytes);
    sent_time(bytes);
    a_chain_is_classified_in_order(&mut Reader::new(bytes));
}

fn a_name_is_a_class_or_none(text: &str) {
    let named = ErrorClass::from_name(text);
    assert_eq!(named.map(ErrorClass::as_str), named.map(|_| text), "a name is read exactly or not at all");
    for &class in ErrorClass::ALL {
        assert_eq!(named == Some(class), text == class.as_str() && text == class.to_string());
    }
}

fn a_chain_is_classified_in_order(reader: &mut Reader<'_>) {
    let mut links = Vec::new();
    while links.len() < MOST_LINKS && (links.is_empty() || !reader.is_at_end()) {
        let link = Link::read(reader);
        let goes_on = link.has_source();
        links.push(link);
        if !goes_on {
            break;
        }
    }
    let error = chain(&links);
    assert_eq!(source_chain(&*error).count(), links.len(), "every error is passed once: {links:?}");

    let certain = by_order(&links);
    let guessed = certain.clone().or_else(|| links.iter().find_map(name).map(Classification::new));
    let unknown = || Classification::new(ErrorClass::Unknown);
    assert_eq!(strict_classifier().classify_error(&*error), certain.unwrap_or_else(unknown), "{links:?}");
    let of_default = default_classifier().classify_error(&*error);
    assert_eq!(of_default, guessed.unwrap_or_else(unknown), "{links:?}");
    assert_eq!(boxed_classifier().classify(&Err::<(), Boxed>(error)), Some(of_default), "{links:?}");
}

fn chain(links: &[Link]) -> Box<dyn Error + Send + Sync> {
    let made = links.iter().rev().fold(None, |source, link| Some(link.clone().into_error(source)));
    made.expect("a chain has an error")
}

/// Steps 1 to 4 of the documentation.
fn by_order(links: &[Link]) -> Option<Classification> {
    if links.iter().any(|link| matches!(link, Link::Abort)) {
        return Some(Classification::abort());
    }
    let found = links.iter().find_map(marker).or_else(|| links.iter().find_map(status));
    found.or_else(|| links.iter().find_map(io_kind))
}

fn marker(link: &Link) -> Option<Classification> {
    match link {
        Link::Marker(class, hint) => Some(Classification::new(*class).with_retry_after(*hint)),
        Link::Io(kind) | Link::IoAround(kind) if *kind == std::io::ErrorKind::TimedOut => {
            Some(Classification::new(ErrorClass::Transient).with_detail("io", "TimedOut"))
        }
        _ => None,
    }
}

fn status(link: &Link) -> Option<Classification> {
    let Link::Status(status, hint) = link else { return None };
    let class = ErrorClass::from_status(*status)?;
    Some(Classification::new(class).with_retry_after(*hint).with_detail("status", status.to_string()))
}

fn io_kind(link: &Link) -> Option<Classification> {
    let (Link::Io(kind) | Link::IoAround(kind)) = link else { return None };
    let class = KINDS.iter().find(|(known, _)| known == kind).and_then(|(_, class)| *class)?;
    Some(Classification::new(class).with_detail("io", format!("{kind:?}")))
}

/// Step 5: the identifier at the start of the `Debug` output, up to 64 bytes.
fn name(link: &Link) -> Option<ErrorClass> {
    let debug = match link {
        Link::Opaque { debug, .. } => debug.as_str(),
        // The names of the others hold none of the words below, except an `io::Error` made of its
        // kind alone.
        Link::Io(_) | Link::IoAround(_) | Link::Status(..) | Link::Marker(..) | Link::Abort => return None,
    };
    let is_part = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
    let identifier: String = debug.chars().take_while(is_part).take(64).collect::<String>().to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| identifier.contains(word));
    let is_refused = has(&["unauthoriz", "unauthoris", "forbid", "permission", "denied"]);
    let blames_server = has(&["unavailable", "unreachable", "overload", "servererror"])
        || has(&["throttl", "ratelimit", "temporar", "transient"]);
    // `author` does not mean a refusal unless it begins `authority`, `authorized` and the like.
    let of_authority = ["iz", "isa", "ise", "isi", "it"].map(|end| format!("author{end}"));
    let authors = of_authority.iter().fold(identifier.clone(), |rest, word| rest.replace(word, " auth "));
    let says_auth = authors.replace("author", " ").contains("auth");
    if has(&["timeout", "timedout", "elapsed"]) || (!is_refused && has(&["connection"])) {
        Some(ErrorClass::Transient)
    } else if !is_refused && blames_server {
        None
    } else if says_auth || has(&["credential"]) {
        Some(ErrorClass::Auth)
    } else if has(&["forbid", "permission"]) {
        Some(ErrorClass::Permission)
    } else {
        has(&["connection"]).then_some(ErrorClass::Transient)
    }
}
