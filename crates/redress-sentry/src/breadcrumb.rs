//! The breadcrumb that an event leaves.

use redress_core::Event;
use sentry_core::Level;
use sentry_core::protocol::Breadcrumb;

use crate::CATEGORY;
use crate::facts::facts;

pub(crate) fn breadcrumb(event: &Event<'_>, level: Level) -> Breadcrumb {
    Breadcrumb {
        category: Some(CATEGORY.to_owned()),
        message: Some(event.name.as_str().to_owned()),
        level,
        data: facts(event),
        ..Breadcrumb::default()
    }
}
