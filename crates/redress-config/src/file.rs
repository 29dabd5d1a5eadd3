//! [`PolicyFile`], the checked content of a file as data.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path as FilePath;
use std::sync::Arc;

use redress_core::breaker::BreakerSpec;
use redress_core::budget::BudgetSpec;
use redress_core::error::{ConfigError, ConfigIssue, ConfigValue};
use redress_core::policy::{PolicyBreaker, PolicySpec};

use crate::check::{self, Found};
use crate::keys::file::{FileDraft, Sections, written};
use crate::keys::policy::{PolicyDraft, Traffic};
use crate::kind::part::Part;
use crate::loader::Loader;
use crate::path::Path;
use crate::presets::Presets;
use crate::problem::{FileError, Place, Problem};
use crate::reader::problem_at;
use crate::source::{Sources, Span};
use crate::tree::Node;
use crate::write;

/// The policies of a file, with the breakers and budgets that they share, as data.
///
/// A file is checked as a whole when it is read, by the rules of the builders: what is in a
/// `PolicyFile` can be built. Two files are equal if they have the same settings; format, order
/// and comments do not count.
///
/// ```
/// use redress::config::PolicyFile;
///
/// let file = PolicyFile::parse(
///     r#"
///     [breaker.orders]
///     failure_ratio = 0.5
///
///     [policy.orders]
///     deadline = "20s"
///     breaker = "orders"
///     retry = { max_attempts = 4 }
///     strategy.RateLimit = { kind = "exponential", max = "1m" }
///     "#,
///     "policies.toml",
/// )?;
/// let orders = file.policy("orders").expect("the file has it");
/// assert_eq!(orders.breaker_name(), Some("orders"));
/// assert_eq!(orders.spec().retry.map(|retry| retry.max_attempts), Some(4));
/// assert_eq!(PolicyFile::parse(&file.to_toml(), "written.toml")?, file);
/// # Ok::<(), redress::config::FileError>(())
/// ```
#[derive(Clone)]
pub struct PolicyFile {
    inner: Arc<Inner>,
}

struct Inner {
    draft: FileDraft,
    root: Node,
    sources: Sources,
    presets: Presets,
}

impl PolicyFile {
    pub(crate) fn new(draft: FileDraft, root: Node, sources: Sources, presets: Presets) -> Self {
        Self { inner: Arc::new(Inner { draft, root, sources, presets }) }
    }

    /// Reads and checks the text of a file; see [`Loader::parse`].
    ///
    /// # Errors
    ///
    /// Every problem that is in the file.
    pub fn parse(text: &str, name: impl Into<String>) -> Result<Self, FileError> {
        Loader::new().parse(text, name)
    }

    /// Reads and checks a file; see [`Loader::read`].
    ///
    /// # Errors
    ///
    /// If the file cannot be read, and with every problem that is in it.
    pub fn read(path: impl AsRef<FilePath>) -> Result<Self, FileError> {
        Loader::new().read(path)
    }

    /// The file with these policies. Their breakers and budgets are their own.
    ///
    /// Returns `None` if a breaker or a strategy is code, which no file has. The specs are not
    /// checked.
    ///
    /// ```
    /// use redress::policy::PolicySpec;
    /// use redress::config::PolicyFile;
    ///
    /// let file = PolicyFile::of_specs([("orders", &PolicySpec::default())]).expect("no part is code");
    /// assert_eq!(file.to_toml(), "[policy.orders]\nname = \"\"\nretry = {}\n");
    /// ```
    pub fn of_specs<'s>(policies: impl IntoIterator<Item = (&'s str, &'s PolicySpec)>) -> Option<Self> {
        let mut draft = FileDraft::default();
        for (name, spec) in policies {
            draft.policies.insert(name.to_owned(), PolicyDraft::of(spec)?);
        }
        written(&draft, &Presets::default())?;
        Some(Self::new(draft, Node::empty_table(Span::default()), Sources::new(), Presets::default()))
    }

    /// The policy of this name.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<FilePolicy<'_>> {
        let (name, draft) = self.inner.draft.policies.get_key_value(name)?;
        Some(FilePolicy { file: self, name, draft })
    }

    /// All policies, in the order of their names.
    pub fn policies(&self) -> impl Iterator<Item = FilePolicy<'_>> {
        self.inner.draft.policies.iter().map(|(name, draft)| FilePolicy { file: self, name, draft })
    }

    /// The shared breakers, in the order of their names.
    pub fn breakers(&self) -> impl Iterator<Item = (&str, &BreakerSpec)> {
        self.inner.draft.breakers.iter().map(|(name, spec)| (name.as_str(), spec))
    }

    /// The shared budgets, in the order of their names.
    pub fn budgets(&self) -> impl Iterator<Item = (&str, &BudgetSpec)> {
        self.inner.draft.budgets.iter().map(|(name, spec)| (name.as_str(), spec))
    }

    /// Layers outside of redress that retry too, such as a service mesh, with their attempts.
    pub fn upstream(&self) -> impl Iterator<Item = (&str, u32)> {
        self.inner.draft.upstream.iter().map(|(name, attempts)| (name.as_str(), *attempts))
    }

    /// The place of a setting such as `["policy", "orders", "retry", "max_attempts"]`, or that of
    /// the closest table around it which the file has. `None` if the file was made from specs.
    #[must_use]
    pub fn place(&self, keys: &[&str]) -> Option<Place> {
        let path = Path::of(keys.iter().copied());
        let span = path.find(&self.inner.root).0.shown();
        self.inner.sources.of(span).map(|source| source.place(span))
    }

    /// A problem at the place of a setting, for checks beyond those of the builders. `rule` is
    /// phrased to follow "must".
    ///
    /// ```
    /// use redress::config::PolicyFile;
    ///
    /// let file = PolicyFile::parse("[policy.orders]\nretry = {}\n", "policies.toml")?;
    /// let problem = file.problem(&["policy", "orders", "retry"], "have a budget");
    /// assert_eq!(problem.to_string(), "policies.toml:2:1: policy.orders.retry must have a budget");
    /// # Ok::<(), redress::config::FileError>(())
    /// ```
    #[must_use]
    pub fn problem(&self, keys: &[&str], rule: impl Into<String>) -> Problem {
        let path = Path::of(keys.iter().copied());
        self.problem_at(&path, None, &rule.into())
    }

    fn problem_at(&self, path: &Path, value: Option<&ConfigValue>, rule: &str) -> Problem {
        problem_at(&self.inner.sources, &self.inner.root, path, value, rule).1
    }

    /// Settings that have no effect, in the order of the policies.
    #[must_use]
    pub fn warnings(&self) -> Vec<Problem> {
        let found = self.policies().flat_map(|policy| check::warnings(policy.name, policy.draft, policy.spec()));
        // A shared breaker warns in each policy that has it.
        let mut known = BTreeSet::new();
        let is_new = |found: &Found| known.insert((found.path.clone(), found.issue.rule()));
        let problem = |found: Found| self.problem_at(&found.path, Some(found.issue.value()), found.issue.rule());
        found.filter(is_new).map(problem).collect()
    }

    /// Writes the file as TOML, without the settings that are the defaults or those of the preset.
    /// Comments, order and format of the text that was read are not kept.
    #[must_use]
    pub fn to_toml(&self) -> String {
        write::document(self.sections())
    }

    pub(crate) fn sections(&self) -> Sections {
        written(&self.inner.draft, &self.inner.presets).unwrap_or_default()
    }

    /// The error of a builder that refused the part at this path.
    pub(crate) fn refused(&self, path: &Path, error: &ConfigError) -> FileError {
        let problem = |issue: &ConfigIssue| {
            let mut problem = self.problem_at(path, Some(issue.value()), issue.rule());
            // Code may have broken a rule that is not about the file.
            problem.field = format!("{path}: {}", issue.field());
            problem
        };
        FileError::new(error.issues().iter().map(problem).collect(), 0)
    }

    pub(crate) fn draft(&self) -> &FileDraft {
        &self.inner.draft
    }
}

impl PartialEq for PolicyFile {
    fn eq(&self, other: &Self) -> bool {
        self.inner.draft == other.inner.draft
    }
}

impl fmt::Debug for PolicyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyFile").field("content", &self.inner.draft).finish_non_exhaustive()
    }
}

/// A policy of a [`PolicyFile`].
#[derive(Clone, Copy)]
pub struct FilePolicy<'f> {
    file: &'f PolicyFile,
    name: &'f str,
    draft: &'f PolicyDraft,
}

impl<'f> FilePolicy<'f> {
    /// The name in the file. The [`PolicySpec`] has it too, unless the file sets another one for
    /// events.
    #[must_use]
    pub const fn name(&self) -> &'f str {
        self.name
    }

    /// The whole policy, with the specs of the breaker and the budget that it shares.
    #[must_use]
    pub fn spec(&self) -> PolicySpec {
        let file = self.file.draft();
        let mut spec = self.draft.spec.clone();
        spec.retry = self.draft.retry.as_ref().map(|retry| {
            let mut spec = retry.spec.clone();
            spec.budget = retry.budget.as_ref().and_then(|budget| resolved(budget, |name| file.budgets.get(name)));
            spec
        });
        let breaker = self.draft.breaker.as_ref();
        let breaker = breaker.and_then(|breaker| resolved(breaker, |name| file.breakers.get(name)));
        spec.breaker = breaker.map(PolicyBreaker::Circuit);
        spec
    }

    /// The name of the preset that its settings are changes of.
    #[must_use]
    pub fn preset(&self) -> Option<&'f str> {
        self.draft.preset.as_deref()
    }

    /// The name of the shared breaker; `None` without one, and for a breaker of this policy alone.
    #[must_use]
    pub fn breaker_name(&self) -> Option<&'f str> {
        self.draft.breaker.as_ref().and_then(Part::shared)
    }

    /// The name of the shared budget; `None` without one, and for a budget of this policy alone.
    #[must_use]
    pub fn budget_name(&self) -> Option<&'f str> {
        self.draft.retry.as_ref().and_then(|retry| retry.budget.as_ref()).and_then(Part::shared)
    }

    /// The declared traffic.
    #[must_use]
    pub const fn traffic(&self) -> Option<Traffic> {
        self.draft.traffic
    }
}

impl fmt::Debug for FilePolicy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePolicy").field("name", &self.name).field("content", &self.draft).finish_non_exhaustive()
    }
}

fn resolved<'s, T: Clone + 's>(part: &'s Part<T>, shared: impl Fn(&str) -> Option<&'s T>) -> Option<T> {
    match part {
        Part::Own(spec) => Some(spec.clone()),
        Part::Shared(name) => shared(name).cloned(),
    }
}
