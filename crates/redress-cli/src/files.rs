//! Policy files as the commands use them: their policies with traffic and layers, and the places of
//! their settings.

use std::path::Path;

use redress_config::{FileError, FilePolicy, Loader, Problem};
use redress_core::ErrorClass;
use redress_core::policy::{PolicySpec, Preset};
use redress_doctor::{Circumstances, Code, Finding, Severity, Traffic};

use crate::commands::Failed;
use crate::output::{Found, count};

/// A file whose policies can all be built.
pub(crate) struct PolicyFile {
    name: String,
    file: redress_config::PolicyFile,
}

/// A policy of a file.
pub(crate) struct Entry<'f> {
    file: &'f PolicyFile,
    policy: FilePolicy<'f>,
    spec: PolicySpec,
    circumstances: Circumstances,
}

/// Reads a file; `Err` within `Ok` is what is refused in it.
pub(crate) fn read(path: &Path) -> Result<Result<PolicyFile, Vec<Found>>, Failed> {
    let name = path.display().to_string();
    match Loader::new().read(path) {
        Ok(file) => Ok(Ok(PolicyFile { name, file })),
        Err(refused) => match unreadable(&refused) {
            Some(error) => Err(Failed::Read { path: path.to_owned(), source: error }),
            None => Ok(Err(refusals(&name, &refused))),
        },
    }
}

/// Reads a file that must have nothing to refuse.
pub(crate) fn read_sound(path: &Path) -> Result<PolicyFile, Failed> {
    read(path)?.map_err(|problems| {
        let problems = count(problems.len(), "problem", "problems");
        Failed::Unclear(format!("{} is refused; `redress check` says why ({problems})", path.display()))
    })
}

/// The error of the file system, if the file could not be read.
fn unreadable(refused: &FileError) -> Option<std::io::Error> {
    let source = std::error::Error::source(refused)?.downcast_ref::<std::io::Error>()?;
    Some(std::io::Error::new(source.kind(), source.to_string()))
}

fn refusals(file: &str, refused: &FileError) -> Vec<Found> {
    let more = refused.omitted();
    let omitted = (more > 0).then(|| Found {
        file: file.to_owned(),
        position: None,
        policy: String::new(),
        preset: None,
        setting: String::new(),
        finding: Finding::new(
            Code::Refused,
            Severity::Error,
            "",
            format!("and {}", count(more, "more problem", "more problems")),
            "",
        ),
    });
    refused.problems().iter().map(|problem| refusal(file, problem)).chain(omitted).collect()
}

fn refusal(file: &str, problem: &Problem) -> Found {
    let value = problem.value().map_or_else(|| "the setting".to_owned(), ToOwned::to_owned);
    let broken = match (problem.field(), problem.rule().strip_prefix("be a setting of ")) {
        ("", _) => problem.rule().to_owned(),
        (_, Some(part)) => format!("there is no such setting of {part}"),
        (_, None) => format!("{value} must {}", problem.rule()),
    };
    let why = match problem.nearest() {
        Some(nearest) => format!("{broken}: did you mean `{nearest}`?"),
        None => broken,
    };
    Found {
        file: file.to_owned(),
        position: problem.place().line().zip(problem.place().column()),
        policy: String::new(),
        preset: None,
        setting: problem.field().to_owned(),
        finding: Finding::new(Code::Refused, Severity::Error, "", why, ""),
    }
}

/// The JSON Schema of policy files.
pub(crate) fn schema() -> String {
    redress_config::schema()
}

impl PolicyFile {
    /// Every policy, in the order of their names.
    pub(crate) fn policies(&self) -> impl Iterator<Item = Entry<'_>> {
        self.file.policies().map(|policy| Entry::new(self, policy))
    }

    /// The policy of this name, or the only one. The name is the argument `--policy`.
    pub(crate) fn policy(&self, name: Option<&str>) -> Result<Entry<'_>, Failed> {
        self.chosen(name, "choose one with `--policy`")
    }

    /// The policy of this name, or the only one. `choose` says how a user chooses one of several.
    pub(crate) fn chosen(&self, name: Option<&str>, choose: &str) -> Result<Entry<'_>, Failed> {
        let names = || self.file.policies().map(|policy| policy.name()).collect::<Vec<_>>();
        let found = match (name, &names()[..]) {
            (Some(name), _) => self.file.policy(name),
            (None, [only]) => self.file.policy(only),
            (None, _) => None,
        };
        found.map(|policy| Entry::new(self, policy)).ok_or_else(|| {
            let known = names().join(", ");
            Failed::Unclear(match name {
                _ if known.is_empty() => format!("{} has no policy", self.name),
                Some(name) => format!("{} has no policy `{name}`, but: {known}", self.name),
                None => format!("{} has several policies; {choose}: {known}", self.name),
            })
        })
    }
}

impl<'f> Entry<'f> {
    fn new(file: &'f PolicyFile, policy: FilePolicy<'f>) -> Self {
        let mut circumstances = Circumstances::new();
        if let Some(traffic) = policy.traffic() {
            circumstances = circumstances.traffic(Traffic::new(traffic.calls_per_second, traffic.clients));
        }
        for (name, attempts) in file.file.upstream() {
            circumstances = circumstances.layer(name.to_owned(), attempts);
        }
        Self { file, policy, spec: policy.spec(), circumstances }
    }

    pub(crate) fn name(&self) -> &str {
        self.policy.name()
    }

    pub(crate) fn spec(&self) -> &PolicySpec {
        &self.spec
    }

    pub(crate) fn circumstances(&self) -> &Circumstances {
        &self.circumstances
    }

    /// The finding at the place of its setting.
    pub(crate) fn locate(&self, finding: Finding) -> Found {
        let keys = self.keys(&finding);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let place = self.file.file.place(&keys);
        let position = place.and_then(|place| place.line().zip(place.column()));
        let (file, policy) = (self.file.name.clone(), self.name().to_owned());
        let preset = self.preset_of(&keys).map(str::to_owned);
        Found { file, position, policy, preset, setting: keys.join("."), finding }
    }

    /// The preset that sets this setting, if the file does not.
    fn preset_of(&self, keys: &[&str]) -> Option<&'f str> {
        let name = self.policy.preset().filter(|_| !has(&self.file.file, keys))?;
        let spec = Preset::from_name(name)?.spec();
        let written = redress_config::PolicyFile::of_specs([(self.name(), &spec)])?.to_toml();
        let preset = redress_config::PolicyFile::parse(&written, name).ok()?;
        has(&preset, keys).then_some(name)
    }

    /// The keys of the setting that a builder's field is about.
    fn keys(&self, finding: &Finding) -> Vec<String> {
        let own = |below: &[&str]| [&["policy", self.name()], below].concat().into_iter().map(str::to_owned).collect();
        let (part, key) = finding.field.split_once('.').unwrap_or((finding.field, ""));
        match part {
            "policy" => own(&[key]),
            "retry" if key.starts_with("strategy") => own(&["strategy", &class_key(finding.class)]),
            "retry" => match finding.class {
                Some(class) if key == "max_retries_for" => own(&["retry", key, &class_key(Some(class))]),
                _ => own(&["retry", key]),
            },
            "budget" => {
                shared("budget", self.policy.budget_name(), key).unwrap_or_else(|| own(&["retry", "budget", key]))
            }
            "circuit_breaker" => {
                shared("breaker", self.policy.breaker_name(), key).unwrap_or_else(|| own(&["breaker", key]))
            }
            // A strategy's own field, such as `exponential.jitter`.
            _ => own(&["strategy", &class_key(finding.class), key]),
        }
    }
}

/// Whether a file has this setting, and not only a table around it.
fn has(file: &redress_config::PolicyFile, keys: &[&str]) -> bool {
    keys.split_last().is_some_and(|(_, around)| file.place(keys) != file.place(around))
}

/// The keys of a setting of a shared part.
fn shared(section: &str, name: Option<&str>, key: &str) -> Option<Vec<String>> {
    Some([section, name?, key].map(str::to_owned).to_vec())
}

/// The key of a class's strategy, such as `RateLimit`.
fn class_key(class: Option<ErrorClass>) -> String {
    class.map_or_else(|| "default".to_owned(), |class| format!("{class:?}"))
}
