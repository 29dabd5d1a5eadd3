//! [`Picture`], a file that is made, and the two things done with it: writing it, and comparing it
//! with the committed one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::theme::{THEMES, Theme};

/// From the root of the repository.
const FOLDER: &str = "docs/guide/pictures";

#[derive(PartialEq, Eq)]
pub(crate) struct Picture {
    file: String,
    svg: String,
}

/// Draws the picture `name` once for each theme.
pub(crate) fn in_each_theme(name: &str, draw: impl Fn(&Theme) -> Result<String>) -> Result<Vec<Picture>> {
    let drawn = THEMES.iter().map(|theme| {
        let svg = draw(theme).with_context(|| format!("could not draw {name} in {}", theme.name))?;
        Ok(Picture { file: format!("{name}-{}.svg", theme.name), svg })
    });
    drawn.collect()
}

pub(crate) fn write(pictures: &[Picture]) -> Result<()> {
    let folder = folder();
    fs::create_dir_all(&folder).with_context(|| format!("could not create {FOLDER}"))?;
    for picture in pictures {
        fs::write(folder.join(&picture.file), &picture.svg)
            .with_context(|| format!("could not write {FOLDER}/{}", picture.file))?;
    }
    println!("wrote {} pictures to {FOLDER}", pictures.len());
    Ok(())
}

/// Compares the committed pictures with those made now.
#[cfg(test)]
pub(crate) fn check(pictures: &[Picture]) -> Result<()> {
    let folder = folder();
    let stale: Vec<&str> =
        pictures.iter().filter(|picture| !picture.is_current(&folder)).map(|picture| picture.file.as_str()).collect();
    if !stale.is_empty() {
        let stale = stale.join(", ");
        anyhow::bail!(
            "missing or out of date in {FOLDER}: {stale}: run `cargo xtask docs --pictures` and commit what it writes"
        );
    }
    let leftover = leftover(&folder, pictures)?;
    if !leftover.is_empty() {
        anyhow::bail!("no code makes these pictures in {FOLDER}: {}: delete them", leftover.join(", "));
    }
    println!("{} pictures in {FOLDER} are up to date", pictures.len());
    Ok(())
}

#[cfg(test)]
impl Picture {
    fn is_current(&self, folder: &Path) -> bool {
        fs::read_to_string(folder.join(&self.file)).is_ok_and(|found| found == self.svg)
    }
}

/// The files in the folder that are not among the pictures.
#[cfg(test)]
fn leftover(folder: &Path, pictures: &[Picture]) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("could not list {FOLDER}"))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.with_context(|| format!("could not list {FOLDER}"))?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    names.retain(|name| pictures.iter().all(|picture| picture.file != *name));
    names.sort();
    Ok(names)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(FOLDER)
}
