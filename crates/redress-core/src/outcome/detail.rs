//! The one detail of a failure that is fit for a label.
//!
//! Owns which details those are. Classifiers set them.

use crate::classify::classification::Classification;
use crate::outcome::failure::Cause;

/// The keys of details that become a label, the most telling first. Integrations set them: values
/// are few.
const KEYS: [&str; 4] = ["status", "grpc", "http2", "io"];

/// What stands for an attempt that was cut at its timeout, which no classifier has seen.
const TIMEOUT: &str = "timeout";

pub(crate) fn detail_of(classification: Option<&Classification>, cause: Option<Cause>) -> Option<&str> {
    let of_key = |key: &&str| classification?.detail(key).filter(|value| !value.is_empty());
    let timeout = || (cause == Some(Cause::Timeout)).then_some(TIMEOUT);
    KEYS.iter().find_map(of_key).or_else(timeout)
}
