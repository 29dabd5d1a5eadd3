//! Checks the declared `rust-version`: no dependency that users build declares a newer one, and the
//! libraries compile with it.
//!
//! A crate may declare a newer one than the others, if its dependencies leave it no choice. A
//! feature of another crate that pulls it in then needs the newer compiler, too: `NEWER` lists it.
//!
//! Where that toolchain is not installed, clippy's `incompatible_msrv`, a lint of the workspace,
//! remains: it knows the version that each item of the standard library is stable since.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{
    CargoOpt, Dependency, DependencyKind, Metadata, MetadataCommand, Node, NodeDep, Package, PackageId,
};
use semver::Version;

use crate::command;
use crate::workspace::{self, Workspace};

/// The features that need a newer compiler than the `rust-version` of their crate, by that crate's
/// name. Their documentation says which.
const NEWER: &[(&str, &str)] = &[
    ("redress", "aws"),
    ("redress", "redis-2"),
    ("redress-redis", "redis-2"),
    ("redress", "sentry"),
    ("redress", "sqlx"),
    ("redress-sql", "sqlx"),
];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    check_rows(workspace)?;
    check_dependencies(workspace)?;
    let declared: BTreeSet<&Version> =
        published(workspace).filter_map(|package| package.rust_version.as_ref()).collect();
    if declared.is_empty() {
        bail!("no published crate declares a `rust-version`: `cargo xtask tidy` names them");
    }
    for version in declared {
        match installed(workspace, version) {
            Some(toolchain) => compile(workspace, &toolchain, version)?,
            None => {
                let version = short(version);
                println!("not run: no toolchain {version} (rustup toolchain install {version})");
            }
        }
    }
    Ok(())
}

fn check_rows(workspace: &Workspace) -> Result<()> {
    for (name, feature) in NEWER {
        let is_there = |package: &Package| package.name == *name && package.features.contains_key(*feature);
        if !published(workspace).any(is_there) {
            bail!("the row in xtask/src/msrv.rs for the feature `{feature}` of {name} names no feature");
        }
    }
    Ok(())
}

fn published(workspace: &Workspace) -> impl Iterator<Item = &Package> {
    workspace.libraries().filter(|package| workspace::is_published(package))
}

/// Compiles the crates that declare this version, with every feature that needs no newer one. Uses
/// a separate folder in the target directory, because another compiler shares no artifact.
fn compile(workspace: &Workspace, toolchain: &str, version: &Version) -> Result<()> {
    let target = workspace.target().join("msrv").display().to_string();
    let packages: Vec<&Package> =
        published(workspace).filter(|package| package.rust_version.as_ref() == Some(version)).collect();
    let features: Vec<String> = packages.iter().flat_map(|package| compiled_features(package)).collect();
    let features = features.join(",");
    let mut arguments = vec!["run", toolchain, "cargo", "check", "--locked", "--lib", "--features", &features];
    arguments.extend(["--target-dir", &target]);
    arguments.extend(packages.iter().flat_map(|package| ["--package", package.name.as_str()]));
    command::run(command::program(workspace, "rustup").args(arguments))
}

/// The features of a package that neither need a newer compiler nor turn on one that does, as cargo
/// takes them: `package/feature`.
fn compiled_features(package: &Package) -> Vec<String> {
    let kept = package.features.keys().filter(|feature| !needs_newer(package, feature));
    kept.map(|feature| format!("{}/{feature}", package.name)).collect()
}

fn needs_newer(package: &Package, feature: &str) -> bool {
    let is_listed = |feature: &str| NEWER.contains(&(package.name.as_str(), feature));
    let mut found = vec![feature];
    let mut next = 0;
    while let Some(feature) = found.get(next).copied() {
        let further = package.features.get(feature).into_iter().flatten().map(String::as_str);
        let new: Vec<&str> = further.filter(|feature| !found.contains(feature)).collect();
        found.extend(new);
        next += 1;
    }
    found.into_iter().any(is_listed)
}

/// The toolchain of that minor version that rustup has.
fn installed(workspace: &Workspace, wanted: &Version) -> Option<String> {
    let listed = command::answer(command::program(workspace, "rustup").args(["toolchain", "list"]))?;
    listed
        .lines()
        .find(|line| is_version(line, wanted))
        .and_then(|line| line.split_whitespace().next())
        .map(str::to_owned)
}

/// Whether a toolchain such as `1.85-x86_64-unknown-linux-gnu` or `1.85.1-..` is of that version.
fn is_version(toolchain: &str, wanted: &Version) -> bool {
    let version = toolchain.split(['-', ' ']).next().unwrap_or_default();
    version == short(wanted)
        || Version::parse(version).is_ok_and(|it| (it.major, it.minor) == (wanted.major, wanted.minor))
}

fn short(version: &Version) -> String {
    format!("{}.{}", version.major, version.minor)
}

/// Fails if the lock file holds a dependency that asks for a newer compiler than a crate that it is
/// built for. Covers every platform and feature.
fn check_dependencies(workspace: &Workspace) -> Result<()> {
    let metadata = MetadataCommand::new()
        .current_dir(workspace.root())
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked".to_owned()])
        .exec()
        .context("`cargo metadata --locked` failed: bring the lock file up to date")?;
    let mut newer = 0;
    for package in published(workspace) {
        for (needed, wanted) in too_new(&metadata, package) {
            println!("{}: {} {} needs Rust {wanted}", package.name, needed.name, needed.version);
            newer += 1;
        }
    }
    if newer > 0 {
        bail!("{newer} dependencies need a newer compiler than the `rust-version` above them: pin or raise one");
    }
    println!("no dependency of a published crate needs a newer compiler than the crate declares");
    Ok(())
}

fn too_new<'a>(metadata: &'a Metadata, package: &Package) -> Vec<(&'a Package, &'a Version)> {
    let Some(declared) = &package.rust_version else { return Vec::new() };
    let needed = built_for(metadata, &package.id).into_iter().map(|id| &metadata[&id]);
    needed
        .filter_map(|needed| Some((needed, needed.rust_version.as_ref()?)))
        .filter(|(_, wanted)| *wanted > declared)
        .collect()
}

/// The packages that a user of this one builds without the features in `NEWER`, itself included.
fn built_for(metadata: &Metadata, package: &PackageId) -> Vec<PackageId> {
    let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
    let mut found = vec![package.clone()];
    let mut next = 0;
    while let Some(id) = found.get(next) {
        let node = nodes.iter().find(|node| node.id == *id);
        let built = node.into_iter().flat_map(|node| built_by(metadata, node));
        let new: Vec<PackageId> = built.map(|needed| needed.pkg.clone()).filter(|id| !found.contains(id)).collect();
        found.extend(new);
        next += 1;
    }
    found
}

fn built_by<'a>(metadata: &'a Metadata, node: &'a Node) -> impl Iterator<Item = &'a NodeDep> {
    let optional = only_of_newer(&metadata[&node.id]);
    let is_built = |needed: &&NodeDep| needed.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
    let is_on = |needed: &&NodeDep| is_turned_on(&metadata[&node.id], node, needed);
    node.deps.iter().filter(is_built).filter(is_on).filter(move |needed| !optional.contains(&needed.name))
}

/// Whether a dependency is built with the features that are on. `cargo metadata` also lists an
/// optional one that a feature only names weakly (`cookie_store?/serde_json`).
fn is_turned_on(package: &Package, node: &Node, needed: &NodeDep) -> bool {
    let name = |declared: &Dependency| declared.rename.clone().unwrap_or_else(|| declared.name.clone());
    let is_it = |declared: &&Dependency| name(declared).replace('-', "_") == needed.name;
    let declared: Vec<&Dependency> = package.dependencies.iter().filter(is_it).collect();
    if declared.iter().any(|declared| !declared.optional) {
        return true;
    }
    let values: Vec<&String> = node.features.iter().filter_map(|on| package.features.get(&**on)).flatten().collect();
    let turns_on = |value: &str, name: &str| {
        value.strip_prefix("dep:").unwrap_or(value) == name || value.split_once('/').is_some_and(|it| it.0 == name)
    };
    // A library may have another name than its package; it is counted then.
    declared.is_empty() || declared.iter().any(|it| values.iter().any(|value| turns_on(value, &name(it))))
}

/// The dependencies that only features in `NEWER` turn on, by the names of their libraries.
fn only_of_newer(package: &Package) -> Vec<String> {
    let turned_on = |is_newer: bool| {
        let features = package.features.iter().filter(move |(feature, _)| needs_newer(package, feature) == is_newer);
        features.flat_map(|(_, values)| values).filter_map(|value| value.strip_prefix("dep:"))
    };
    let others: Vec<&str> = turned_on(false).collect();
    turned_on(true).filter(|name| !others.contains(name)).map(|name| name.replace('-', "_")).collect()
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::is_version;

    #[test]
    fn a_toolchain_is_found_by_its_minor_version() {
        let wanted = Version::new(1, 85, 0);
        assert!(is_version("1.85-x86_64-unknown-linux-gnu (default)", &wanted));
        assert!(is_version("1.85.1-aarch64-apple-darwin", &wanted));
        assert!(!is_version("1.95.0-x86_64-unknown-linux-gnu", &wanted));
        assert!(!is_version("stable-x86_64-unknown-linux-gnu (active)", &wanted));
    }
}
