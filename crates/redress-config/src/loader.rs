//! [`Loader`] reads files with overrides, presets and limits.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use redress_core::policy::PolicySpec;

use crate::check;
use crate::environment::{self, PREFIX, Variable};
use crate::file::PolicyFile;
use crate::keys::file as keys;
use crate::presets::Presets;
use crate::problem::FileError;
use crate::reader::Reader;
use crate::source::{Source, Sources, Span};
use crate::toml;
use crate::tree::Node;

/// How many bytes a file has at most, unless set otherwise.
const MAX_BYTES: usize = 1 << 20;

/// Reads policy files: with variables of the environment that override settings, with presets of
/// the program, and with a limit of size.
///
/// # Defaults
///
/// No variables, the presets of redress, at most 1 MiB.
///
/// ```
/// use redress::config::Loader;
///
/// let text = "[policy.orders]\nretry = { max_attempts = 4 }\n";
/// let file = Loader::new()
///     .variables([("REDRESS__POLICY__ORDERS__RETRY__MAX_ATTEMPTS", "3")])
///     .parse(text, "policies.toml")?;
/// let retry = file.policy("orders").and_then(|policy| policy.spec().retry);
/// assert_eq!(retry.map(|retry| retry.max_attempts), Some(3));
/// # Ok::<(), redress::config::FileError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a loader does nothing until it reads a file"]
pub struct Loader {
    variables: Vec<Variable>,
    presets: Presets,
    max_bytes: usize,
}

impl Default for Loader {
    fn default() -> Self {
        Self::new()
    }
}

impl Loader {
    /// Creates a loader.
    pub fn new() -> Self {
        Self { variables: Vec::new(), presets: Presets::built_in(), max_bytes: MAX_BYTES }
    }

    /// Applies the variables of the process that begin with `REDRESS__`.
    ///
    /// A name is the path of a setting in upper case, with two underscores between the keys:
    /// `REDRESS__POLICY__ORDERS__RETRY__MAX_ATTEMPTS`. Characters of names that a variable cannot
    /// have are underscores. A value that begins with `[`, `{` or a quote is read as TOML, and any
    /// other as the text, number or duration that the setting has.
    ///
    /// A variable that names no setting, or no policy, breaker or budget of the file, is an error.
    pub fn environment(self) -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        self.variables_os(variables)
    }

    /// Applies variables like [`environment`](Self::environment), from a list instead of the
    /// process. Names that do not begin with `REDRESS__` are left out.
    pub fn variables<N: Into<String>, V: Into<OsString>>(self, variables: impl IntoIterator<Item = (N, V)>) -> Self {
        self.variables_os(variables.into_iter().map(|(name, value)| (name.into(), value.into())))
    }

    fn variables_os(mut self, variables: impl Iterator<Item = (String, OsString)>) -> Self {
        let named = variables.filter(|(name, _)| name.starts_with(PREFIX));
        let variables = named.map(|(name, value)| Variable { name, value: value.to_string_lossy().into_owned() });
        self.variables.extend(variables);
        // The order of the environment is not defined, and a table must not depend on it.
        self.variables.sort_by(|a, b| a.name.cmp(&b.name));
        self
    }

    /// Adds a preset, or replaces the one of this name. Policies of files refer to it by
    /// `preset = "name"`.
    ///
    /// A preset with a breaker or a strategy that is code is no preset, since no file can say what
    /// it is. A policy has its own name and not that of its preset.
    pub fn preset(mut self, name: impl Into<String>, spec: &PolicySpec) -> Self {
        self.presets.add(name.into(), spec);
        self
    }

    /// Sets how many bytes a file has at most. Default: 1 MiB.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Reads and checks a file, in the format of its extension: `yaml`, `yml` and `json` with the
    /// feature `yaml`, and else TOML.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, and with every problem that is in it.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<PolicyFile, FileError> {
        let path = path.as_ref();
        let text = self.text(path).map_err(|error| FileError::unreadable(path, error))?;
        self.parse(&text, path.display().to_string())
    }

    /// The content of a file. Reads no more than one byte beyond the limit.
    pub(crate) fn text(&self, path: &Path) -> io::Result<String> {
        let mut bytes = Vec::new();
        File::open(path)?.take(self.max_bytes as u64 + 1).read_to_end(&mut bytes)?;
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            io::Error::new(io::ErrorKind::InvalidData, format!("it is not UTF-8 from byte {at} on"))
        })
    }

    /// Reads and checks the text of a file. `name` is the name of the file in errors, and its
    /// extension decides the format.
    ///
    /// # Errors
    ///
    /// Every problem that is in the file.
    pub fn parse(&self, text: &str, name: impl Into<String>) -> Result<PolicyFile, FileError> {
        let name = name.into();
        let mut sources = Sources::new();
        let source = sources.add(Source::file(&name, text));
        let mut reader = Reader::of(sources);
        if text.len() > self.max_bytes {
            let rule = format!("the file has more than {} bytes, the most that this loader reads", self.max_bytes);
            reader.refuse_text(Span::default(), rule);
            return Err(reader.error());
        }
        let mut root = read_format(text, &name, source, &mut reader);
        if reader.has_problems() {
            return Err(reader.error());
        }
        for variable in &self.variables {
            environment::apply(variable, &mut root, &mut reader);
        }
        let draft = keys::read(&root, &self.presets, &mut reader);
        for found in check::refused(&draft) {
            if found.is_of_file(&root, &reader) {
                reader.refuse_at(&root, &found.path, found.issue.value(), found.issue.rule());
            }
        }
        if reader.has_problems() {
            return Err(reader.error());
        }
        Ok(PolicyFile::new(draft, root, reader.sources, self.presets.clone()))
    }
}

/// Reads the text in the format of the name's extension.
fn read_format(text: &str, name: &str, source: usize, reader: &mut Reader) -> Node {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        #[cfg(feature = "yaml")]
        "yaml" | "yml" | "json" => crate::yaml::read(text, source, reader),
        #[cfg(not(feature = "yaml"))]
        format @ ("yaml" | "yml" | "json") => {
            let sentence = format!("{format} is read with the feature `yaml` of redress-config, which is off");
            reader.refuse_text(Span::default(), sentence);
            Node::empty_table(Span::default())
        }
        _ => toml::read(text, source, reader),
    }
}
