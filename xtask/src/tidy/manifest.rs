//! The rules for packages: whether each could be published, and whether the core keeps to its few
//! dependencies.
//!
//! Reads `cargo metadata` and `cargo package --list`, and builds nothing.

use std::fs;

use anyhow::{Context as _, Result};
use cargo_metadata::camino::Utf8Path;
use cargo_metadata::{Dependency, DependencyKind, Package, TargetKind};

use super::Finding;
use super::rules::{CORE, CORE_DEPENDENCIES};
use crate::command;
use crate::workspace::{self, Workspace};

/// Files that every published package must contain.
const PACKAGED: &[&str] = &["Cargo.toml", "README.md"];

/// The sections that a package outside the workspace copies. The profiles decide whether it shares
/// artifacts with the workspace.
const SHARED: &[&str] =
    &["[workspace.lints.rust]", "[workspace.lints.clippy]", "[profile.dev]", "[profile.dev.package.\"*\"]"];

pub(super) fn check(workspace: &Workspace, package: &Package) -> Result<Vec<Finding>> {
    let mut breaches = house(package)?;
    if workspace::is_published(package) {
        breaches.extend(missing_fields(package));
        breaches.extend(undocumented_features(package));
        breaches.extend(package.dependencies.iter().filter_map(|needed| unpublishable(workspace, needed)));
        breaches.extend(missing_files(workspace, package));
    }
    if package.name == CORE {
        breaches.extend(package.dependencies.iter().filter_map(too_much_for_the_core));
    }
    let place = package.manifest_path.strip_prefix(workspace.root()).unwrap_or(&package.manifest_path);
    Ok(breaches.into_iter().map(|breach| Finding { place: place.to_string(), breach }).collect())
}

fn house(package: &Package) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    let folder = package.manifest_path.parent();
    let is_internal = folder.and_then(Utf8Path::parent).is_some_and(|above| above.ends_with("internal"));
    let name = if is_internal { package.name.strip_prefix("redress-") } else { Some(package.name.as_str()) };
    if name.is_none() || folder.and_then(Utf8Path::file_name) != name {
        breaches.push(format!("the folder is not named for its package, `{}`", package.name));
    }
    if is_internal && workspace::is_published(package) {
        breaches.push("is internal, and lacks `publish = false`".to_owned());
    }
    let text = fs::read_to_string(&package.manifest_path)
        .with_context(|| format!("could not read {}: check its permissions", package.manifest_path))?;
    let mut lines = text.lines().map(str::trim);
    let inherits = lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true");
    if !inherits {
        breaches.push("no `[lints]` with `workspace = true`: the workspace's lints do not hold here".to_owned());
    }
    Ok(breaches)
}

/// Whether a package outside the workspace has its lints and profiles, which it cannot inherit.
pub(super) fn check_copies(workspace: &Workspace, package: &Package) -> Result<Vec<Finding>> {
    let (root, place) = (workspace.root(), &package.manifest_path);
    let shared = fs::read_to_string(root.join("Cargo.toml")).context("could not read Cargo.toml")?;
    let copy = fs::read_to_string(place).with_context(|| format!("could not read {place}"))?;
    let breaches = SHARED.iter().filter(|name| section(&shared, name) != section(&copy, name));
    let place = place.strip_prefix(root).unwrap_or(place);
    let finding =
        |name: &&str| Finding { place: place.to_string(), breach: format!("`{name}` is not that of the workspace") };
    Ok(breaches.map(finding).collect())
}

/// The lines of a section of a manifest that say something.
fn section<'a>(manifest: &'a str, name: &str) -> Vec<&'a str> {
    let lines = manifest.lines().skip_while(|line| *line != name).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn missing_fields(package: &Package) -> Vec<String> {
    let fields = [
        ("description", package.description.is_some()),
        ("license", package.license.is_some()),
        ("repository", package.repository.is_some()),
        ("readme", package.readme.is_some()),
        ("rust-version", package.rust_version.is_some()),
    ];
    let missing = fields.into_iter().filter(|(_, is_given)| !is_given);
    missing.map(|(field, _)| format!("a published package gives its `{field}`")).collect()
}

/// The documentation on docs.rs has the default features alone, unless the manifest asks for all.
fn undocumented_features(package: &Package) -> Option<String> {
    let has_features = package.features.keys().any(|name| name != "default");
    let asks_for_all = package.metadata["docs"]["rs"]["all-features"] == true;
    (has_features && !asks_for_all)
        .then(|| "has features, and no `all-features = true` in `[package.metadata.docs.rs]`".to_owned())
}

/// Publishing replaces a path by the version beside it, so a dependency needs both and must itself
/// be published. Development dependencies without a version are dropped from the published manifest
/// and are allowed.
fn unpublishable(workspace: &Workspace, needed: &Dependency) -> Option<String> {
    needed.path.as_ref()?;
    if needed.req.comparators.is_empty() && needed.kind != DependencyKind::Development {
        return Some(format!("`{}` is a path without a version, which cannot be published", needed.name));
    }
    let member = workspace.members().iter().find(|member| member.name == needed.name)?;
    let reaches_users = !needed.req.comparators.is_empty();
    (reaches_users && !workspace::is_published(member))
        .then(|| format!("`{}` is not published, so nothing published can depend on it", needed.name))
}

fn missing_files(workspace: &Workspace, package: &Package) -> Vec<String> {
    let listing = ["package", "--quiet", "--list", "--allow-dirty", "--package", package.name.as_str()];
    let Some(listed) = command::answer(&mut command::cargo(workspace, &listing)) else {
        return vec![format!("`cargo {}` fails: run it and see", listing.join(" "))];
    };
    let is_library =
        package.targets.iter().any(|target| target.is_kind(TargetKind::Lib) || target.is_kind(TargetKind::ProcMacro));
    let root = if is_library { "src/lib.rs" } else { "src/main.rs" };
    let missing = PACKAGED.iter().chain([&root]).filter(|file| listed.lines().all(|line| line != **file));
    missing.map(|file| format!("{file} is not among the files that would be published")).collect()
}

fn too_much_for_the_core(needed: &Dependency) -> Option<String> {
    let is_built_in = needed.kind != DependencyKind::Development;
    (is_built_in && !CORE_DEPENDENCIES.contains(&needed.name.as_str()))
        .then(|| format!("the core must not depend on `{}`: only on {CORE_DEPENDENCIES:?}", needed.name))
}
