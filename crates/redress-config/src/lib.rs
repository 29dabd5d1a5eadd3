//! Policies, circuit breakers and budgets of redress in files: TOML, and with the feature `yaml`
//! YAML and JSON.

#![forbid(unsafe_code)]

mod changes;
mod check;
mod duration;
mod environment;
mod file;
mod keys;
mod kind;
mod live;
mod loader;
mod nearest;
mod parts;
mod policies;
mod presets;
mod problem;
mod reader;
mod schema;
mod toml;
mod tree;
mod write;
#[cfg(feature = "yaml")]
mod yaml;

pub use crate::changes::{Change, Changes};
pub use crate::file::{FilePolicy, PolicyFile};
pub use crate::keys::policy::Traffic;
pub use crate::live::{Live, Loaded};
pub use crate::loader::Loader;
pub use crate::policies::{Policies, PolicyError};
pub use crate::problem::{FileError, Place, Problem};

/// The JSON Schema of policy files, for editors: what `schema/policies.schema.json` of this crate
/// holds.
///
/// The schema knows the names, types and forms of all settings. The rules between settings, such as
/// a cap that must be longer than its base, are those of the builders alone.
#[must_use]
pub fn schema() -> String {
    keys::file::schema()
}

/// All settings of policy files as a table in Markdown, with the methods of builders that do the
/// same.
#[must_use]
pub fn settings() -> String {
    keys::file::settings()
}
