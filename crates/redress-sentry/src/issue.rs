//! What is captured of an event: its text, its tags, and the fingerprint that groups it.

use std::borrow::Cow;

use redress_core::observe::CallOutcome;
use redress_core::{ErrorClass, Event, EventName, StopReason};
use sentry_core::Level;
use sentry_core::protocol::{Context, Event as Captured, Map};

use crate::CATEGORY;
use crate::facts::facts;
use crate::names::Limited;

pub(crate) fn issue(event: &Event<'_>, level: Level, names: &Limited) -> Captured<'static> {
    Captured {
        level,
        message: Some(message(event, names)),
        logger: Some(CATEGORY.to_owned()),
        fingerprint: fingerprint(event, names),
        tags: tags(event, names),
        contexts: Map::from([(CATEGORY.to_owned(), Context::Other(facts(event)))]),
        ..Captured::default()
    }
}

/// The breaker, for its changes of state; else the operation. Without one, the most precise name
/// that there is.
fn subject<'a>(event: &Event<'_>, names: &'a Limited) -> Option<&'a str> {
    let breaker = names.breaker.as_deref().filter(|_| is_of_breaker(event.name));
    breaker.or(names.operation.as_deref()).or(names.policy.as_deref())
}

const fn is_of_breaker(name: EventName) -> bool {
    matches!(name, EventName::CircuitOpened | EventName::CircuitHalfOpen | EventName::CircuitClosed)
}

/// Limited names alone, because a server without fingerprints groups by the message.
fn message(event: &Event<'_>, names: &Limited) -> String {
    let subject = subject(event, names);
    match (event.outcome(), event.stop_reason) {
        (Some(CallOutcome::Failure), Some(reason)) => {
            format!("{} failed: {}", subject.unwrap_or("the call"), reason.description_after(event.attempt))
        }
        _ if event.name == EventName::CircuitOpened => match subject {
            Some(subject) => format!("the circuit of {subject} opened"),
            None => "the circuit opened".to_owned(),
        },
        _ => format!("{}: {}", subject.unwrap_or("a call"), event.name),
    }
}

fn fingerprint(event: &Event<'_>, names: &Limited) -> Cow<'static, [Cow<'static, str>]> {
    let class = event.class.map_or("none", ErrorClass::as_str);
    let reason = event.stop_reason.map_or(event.name.as_str(), StopReason::as_str);
    let subject = subject(event, names).unwrap_or("none").to_owned();
    Cow::Owned(vec![CATEGORY.into(), subject.into(), class.into(), reason.into()])
}

fn tags(event: &Event<'_>, names: &Limited) -> Map<String, String> {
    let tags = [
        ("redress.event", Some(event.name.as_str())),
        ("redress.operation", names.operation.as_deref()),
        ("redress.policy", names.policy.as_deref()),
        ("redress.breaker", names.breaker.as_deref()),
        ("redress.class", event.class.map(ErrorClass::as_str)),
        ("redress.detail", names.detail.as_deref()),
        ("redress.stop_reason", event.stop_reason.map(StopReason::as_str)),
    ];
    tags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect()
}
