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
use cargo_metadata::{CargoOpt, Metadata, MetadataCommand, Package};
use semver::Version;

use crate::command;
use crate::workspace::{self, Workspace};

/// The features that need a newer compiler than the `rust-version` of their crate, by that crate's
/// name. Their documentation says which.
const NEWER: &[(&str, &str)] = &[
    ("redress", "apalis"),
    ("redress", "aws"),
    ("redress", "redis-2"),
    ("redress-redis", "redis-2"),
    ("redress", "sentry"),
    ("redress", "sqlx"),
    ("redress-sql", "odbc"),
    ("redress-sql", "sqlx"),
];

/// Dependencies that another crate of the workspace raises in the one lock file. A user of the
/// crate alone gets an older version: apalis-core asks for uuid 1.28, mysql_async for 1.0.
const RAISED: &[(&str, &str)] = &[("redress-sql", "uuid")];

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
/// built for. Covers every platform, and every feature that is not in `NEWER`.
fn check_dependencies(workspace: &Workspace) -> Result<()> {
    let metadata = MetadataCommand::new()
        .current_dir(workspace.root())
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked".to_owned()])
        .exec()
        .context("`cargo metadata --locked` failed: bring the lock file up to date")?;
    let mut newer = 0;
    for package in published(workspace) {
        for (needed, wanted) in too_new(workspace, &metadata, package)? {
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

fn too_new<'a>(
    workspace: &Workspace,
    metadata: &'a Metadata,
    package: &Package,
) -> Result<Vec<(&'a Package, &'a Version)>> {
    let Some(declared) = &package.rust_version else { return Ok(Vec::new()) };
    let built = built_for(workspace, package)?;
    let is_built = |needed: &&Package| built.contains(&(needed.name.to_string(), needed.version.to_string()));
    let wanted = |needed: &'a Package| Some((needed, needed.rust_version.as_ref()?));
    let needed = metadata.packages.iter().filter(is_built).filter_map(wanted);
    let is_raised = |needed: &Package| RAISED.contains(&(package.name.as_str(), needed.name.as_str()));
    Ok(needed.filter(|(needed, wanted)| *wanted > declared && !is_raised(needed)).collect())
}

/// The names and versions of the packages that a user of this one builds without the features in
/// `NEWER`. `cargo metadata` would list what the other crates of the workspace turn on, too.
fn built_for(workspace: &Workspace, package: &Package) -> Result<BTreeSet<(String, String)>> {
    let features = compiled_features(package).join(",");
    let arguments = ["tree", "--locked", "--package", package.name.as_str(), "--features", &features];
    let printed = ["--edges", "normal,build", "--target", "all", "--prefix", "none", "--format", "{p}"];
    let tree = command::answer(&mut command::cargo(workspace, &[&arguments[..], &printed].concat()))
        .with_context(|| format!("`cargo tree` of {} failed", package.name))?;
    let name_and_version = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
    };
    Ok(tree.lines().filter_map(name_and_version).collect())
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
