//! A layer that records every span and event with its parent and fields.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

pub(crate) type Fields = BTreeMap<&'static str, String>;

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The name of a span, or the message of an event.
    pub(crate) what: String,
    pub(crate) is_span: bool,
    pub(crate) target: String,
    pub(crate) level: Level,
    /// The parent's index in the list.
    pub(crate) parent: Option<usize>,
    pub(crate) fields: Fields,
    pub(crate) is_closed: bool,
}

impl Seen {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// Returns the fields in one line, except those that contain times.
    pub(crate) fn line(&self) -> String {
        let mut line = format!("{} {}", self.level, self.target);
        for (name, value) in &self.fields {
            if *name != "elapsed_seconds" {
                write!(line, " {name}={value}").unwrap();
            }
        }
        line
    }
}

/// A handle to the recorded spans and events.
#[derive(Clone, Default)]
pub(crate) struct Capture {
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// The index of a span in the list.
struct Index(usize);

impl Capture {
    /// Installs the layer for this thread.
    pub(crate) fn install() -> (Self, DefaultGuard) {
        let capture = Self::default();
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(capture.clone()));
        (capture, guard)
    }

    pub(crate) fn all(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn spans(&self, name: &str) -> Vec<Seen> {
        self.all().into_iter().filter(|seen| seen.is_span && seen.what == name).collect()
    }

    /// Returns the only call span.
    pub(crate) fn call(&self) -> Seen {
        let spans = self.spans("redress.call");
        let [call] = &spans[..] else { panic!("not one call: {spans:?}") };
        call.clone()
    }

    pub(crate) fn events(&self) -> Vec<Seen> {
        self.all().into_iter().filter(|seen| !seen.is_span).collect()
    }

    /// Returns the ancestors, nearest first.
    pub(crate) fn ancestors(&self, of: &Seen) -> Vec<Seen> {
        let all = self.all();
        std::iter::successors(of.parent, |parent| all[*parent].parent).map(|index| all[index].clone()).collect()
    }

    fn add(&self, seen: Seen) -> usize {
        let mut all = self.seen.lock().unwrap();
        all.push(seen);
        all.len() - 1
    }
}

struct Visitor<'f>(&'f mut Fields);

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Visitor(&mut fields));
        let span = context.span(id).unwrap();
        let parent = span.parent().map(|parent| parent.extensions().get::<Index>().unwrap().0);
        let metadata = attributes.metadata();
        let index = self.add(Seen {
            what: metadata.name().to_owned(),
            is_span: true,
            target: metadata.target().to_owned(),
            level: *metadata.level(),
            parent,
            fields,
            is_closed: false,
        });
        span.extensions_mut().insert(Index(index));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let index = context.span(id).unwrap().extensions().get::<Index>().unwrap().0;
        values.record(&mut Visitor(&mut self.seen.lock().unwrap()[index].fields));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Visitor(&mut fields));
        let parent = context.event_span(event).map(|parent| parent.extensions().get::<Index>().unwrap().0);
        let metadata = event.metadata();
        self.add(Seen {
            what: fields.remove("message").unwrap_or_default(),
            is_span: false,
            target: metadata.target().to_owned(),
            level: *metadata.level(),
            parent,
            fields,
            is_closed: false,
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let index = context.span(&id).unwrap().extensions().get::<Index>().unwrap().0;
        self.seen.lock().unwrap()[index].is_closed = true;
    }
}
