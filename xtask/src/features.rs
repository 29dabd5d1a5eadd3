//! Checks the libraries as users build them: each published one by itself, with its default
//! features, with every feature alone and with the pairs of features that meet in a crate.
//!
//! `--workspace` unites the features of all members, which hides a crate that builds only because
//! another one enables what it needs. Unions of more features are left to the step `clippy`, which
//! enables all of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use cargo_metadata::Package;

use crate::command;
use crate::workspace::{self, Workspace};

/// The crate that only selects others: its features share the crates they reach, not its own code.
const FACADE: &str = "redress";

/// Selected with each crate but the one that parses Rust, so that the macros, and much of what the
/// dependencies share, are built once.
const FOREIGN_FEATURES: &str = "redress-foreign-features";

/// The crate whose code depends on the features of syn.
const PARSES_RUST: &str = "redress-macros";

/// What each feature enables, as in a manifest.
type Features = BTreeMap<String, Vec<String>>;

/// The step of `ci`. Leaves out the pairs of the facade: each builds its dependencies with other
/// features, and all together take two minutes.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    check(workspace, |package, features| package.name != FACADE || features.len() < 2)
}

/// The step of `prove`.
pub(crate) fn run_all(workspace: &Workspace) -> Result<()> {
    check(workspace, |_, _| true)
}

/// Runs clippy on the library targets. It reuses the dependencies that the step `clippy` built,
/// where the features agree.
fn check(workspace: &Workspace, is_run: fn(&Package, &[&str]) -> bool) -> Result<()> {
    let mut runs = 0;
    for package in workspace.libraries().filter(|package| workspace::is_published(package)) {
        lint(workspace, package, &[])?;
        runs += 1;
        for features in combinations(workspace, package).iter().filter(|features| is_run(package, features)) {
            lint(workspace, package, &["--no-default-features", "--features", &named(package, features)])?;
            runs += 1;
        }
    }
    println!("{runs} combinations of crates and features build without a warning");
    Ok(())
}

fn lint(workspace: &Workspace, package: &Package, features: &[&str]) -> Result<()> {
    let library = ["clippy", "--quiet", "--lib", "--package", package.name.as_str()];
    let beside: &[&str] = if package.name == PARSES_RUST { &[] } else { &["--package", FOREIGN_FEATURES] };
    let warnings = ["--", "-D", "warnings"];
    command::run(&mut command::cargo(workspace, &[&library, beside, features, &warnings].concat()))
}

/// The features with their package's name, as cargo asks for where it has selected several.
fn named(package: &Package, features: &[&str]) -> String {
    let named: Vec<String> = features.iter().map(|feature| format!("{}/{feature}", package.name)).collect();
    named.join(",")
}

/// Each feature alone, and each pair that meets.
fn combinations<'a>(workspace: &Workspace, package: &'a Package) -> Vec<Vec<&'a str>> {
    let members: BTreeSet<&str> = workspace.members().iter().map(|member| member.name.as_str()).collect();
    let own = (package.name != FACADE).then_some(package.name.as_str());
    let names: Vec<&str> = package.features.keys().map(String::as_str).filter(|name| *name != "default").collect();
    let pairs = pairs(&package.features, &names, &members, own).into_iter().map(|(one, two)| vec![one, two]);
    names.iter().map(|&name| vec![name]).chain(pairs).collect()
}

/// The pairs that reach a member in common. A pair of which one feature implies the other is that
/// feature alone.
fn pairs<'a>(
    features: &Features,
    names: &[&'a str],
    members: &BTreeSet<&str>,
    own: Option<&str>,
) -> Vec<(&'a str, &'a str)> {
    let reached: Vec<Reached<'_>> = names.iter().map(|name| Reached::by(features, name, members, own)).collect();
    let mut pairs = Vec::new();
    for (index, &one) in names.iter().enumerate() {
        for (other, &two) in names.iter().enumerate().skip(index + 1) {
            let (a, b) = (&reached[index], &reached[other]);
            if !a.implied.contains(two) && !b.implied.contains(one) && !a.crates.is_disjoint(&b.crates) {
                pairs.push((one, two));
            }
        }
    }
    pairs
}

/// What a feature enables, directly or through others.
#[derive(Default)]
struct Reached<'a> {
    implied: BTreeSet<&'a str>,
    /// The members that it enables or configures.
    crates: BTreeSet<&'a str>,
}

impl<'a> Reached<'a> {
    fn by(features: &'a Features, name: &str, members: &BTreeSet<&str>, own: Option<&'a str>) -> Self {
        let mut reached = Self { crates: own.into_iter().collect(), ..Self::default() };
        reached.follow(features, name, members);
        reached
    }

    fn follow(&mut self, features: &'a Features, name: &str, members: &BTreeSet<&str>) {
        for enabled in features.get(name).into_iter().flatten() {
            let reached =
                enabled.strip_prefix("dep:").or_else(|| Some(enabled.split_once('/')?.0.trim_end_matches('?')));
            match reached {
                Some(dependency) if members.contains(dependency) => {
                    self.crates.insert(dependency);
                }
                Some(_) => {}
                None if self.implied.insert(enabled) => self.follow(features, enabled, members),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Features, pairs};

    fn features(rows: &[(&str, &[&str])]) -> Features {
        rows.iter()
            .map(|(name, enables)| ((*name).to_owned(), enables.iter().map(|&it| it.to_owned()).collect()))
            .collect()
    }

    fn pairs_of<'a>(rows: &[(&'a str, &[&str])], own: Option<&str>) -> Vec<(&'a str, &'a str)> {
        let names: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
        pairs(&features(rows), &names, &BTreeSet::from(["http", "hyper", "tokio", "facade"]), own)
    }

    #[test]
    fn features_meet_in_a_member_that_both_enable_or_configure() {
        let rows: &[(&str, &[&str])] =
            &[("hyper", &["dep:hyper"]), ("testing", &["hyper?/testing"]), ("tokio", &["dep:tokio"])];
        assert_eq!(pairs_of(rows, None), [("hyper", "testing")]);
    }

    #[test]
    fn a_feature_reaches_what_its_features_reach() {
        let rows: &[(&str, &[&str])] =
            &[("a", &["b"]), ("b", &["dep:http"]), ("c", &["http/x"]), ("d", &["dep:serde"])];
        assert_eq!(pairs_of(rows, None), [("a", "c"), ("b", "c")], "a implies b");
    }

    #[test]
    fn features_of_a_crate_with_code_meet_in_it() {
        let rows: &[(&str, &[&str])] = &[("c", &[]), ("d", &["dep:serde"])];
        assert_eq!(pairs_of(rows, Some("facade")), [("c", "d")]);
    }
}
