//! Policies, circuit breakers and budgets of redress in files: TOML, and with the feature `yaml`
//! YAML and JSON.
//!
//! - [`PolicyFile`] is the checked content of a file as data. [`Loader`] reads it with overrides
//!   from the environment, presets of the program, and limits.
//! - [`Policies`] are built from it. [`Policies::get`] returns a [`Live`] policy, and
//!   [`Policies::reload`] takes over a changed file in place. With the feature `watch`,
//!   `Policies::watch` does so when the file changes.
//! - [`FileError`] has every [`Problem`] of a file with its [`Place`].
//! - [`schema`] and [`settings`] describe the settings for editors and people.
//!
//! ```
//! use redress::config::{Policies, PolicyFile};
//!
//! let text = "[policy.orders]\nretry = { max_attempts = 4 }\ndeadline = '20s'\n";
//! let policies = Policies::new(PolicyFile::parse(text, "policies.toml")?)?;
//! let orders = policies.get("orders")?;
//! assert_eq!(orders.load().call(|| Ok::<_, std::io::Error>(7)).ok(), Some(7));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod changes;
mod check;
mod class;
mod contained;
mod duration;
mod environment;
mod file;
mod keys;
mod kind;
mod live;
mod loader;
mod nearest;
mod parts;
mod path;
mod policies;
mod presets;
mod problem;
mod reader;
mod schema;
mod source;
mod toml;
mod tree;
#[cfg(feature = "watch")]
mod watch;
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
#[cfg(feature = "watch")]
pub use crate::watch::Watcher;

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

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
