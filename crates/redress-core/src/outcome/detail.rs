//! Selects the detail of a failure that is suitable as a metric label.

use crate::classify::classification::Classification;
use crate::outcome::failure::Cause;

/// The keys of details that become a label, in order of preference. Integrations set them to a
/// small number of values.
const KEYS: [&str; 8] = ["status", "grpc", "http2", "mysql", "mssql", "sqlite", "sqlstate", "io"];

/// The label of an attempt that was cut at its timeout, for which the classifier gave no detail.
const TIMEOUT: &str = "timeout";

pub(crate) fn detail_of(classification: Option<&Classification>, cause: Option<Cause>) -> Option<&str> {
    let of_key = |key: &&str| classification?.detail(key).filter(|value| !value.is_empty());
    let timeout = || (cause == Some(Cause::Timeout)).then_some(TIMEOUT);
    KEYS.iter().find_map(of_key).or_else(timeout)
}
