//! Receipts: the digest of the files that a check last passed on, in `xtask/passed`.
//!
//! `ci` does not build a tool from source to repeat a check of unchanged files, and does not repeat
//! one that is exhaustive and cannot end otherwise. It runs such a check if the files have changed
//! or its tool is installed, and otherwise prints the receipt.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha1_smol::Sha1;

use crate::tool::Tool;
use crate::workspace::Workspace;

/// A check, and the files and folders that decide how it ends.
pub(crate) struct Receipt {
    /// The arguments of `cargo xtask` that run it.
    pub(crate) check: &'static str,
    /// The file in `xtask/passed`.
    pub(crate) file: &'static str,
    pub(crate) inputs: &'static [&'static str],
}

impl Receipt {
    /// Whether `ci` runs the check. Prints the reason if it does not.
    pub(crate) fn is_due(&self, workspace: &Workspace) -> Result<bool> {
        if !self.covers_present_files(workspace)? {
            return Ok(true);
        }
        let check = self.check;
        println!("not run: nothing has changed since {check} last passed:");
        println!("{} has the digest of {}", self.place(), self.inputs.join(", "));
        println!("to run it anyway: cargo xtask {check}");
        Ok(false)
    }

    /// As [`is_due`](Self::is_due), for a check that runs anyway if its tool is installed.
    pub(crate) fn is_due_with(&self, workspace: &Workspace, tool: &Tool) -> Result<bool> {
        Ok(tool.find(workspace).is_some() || self.is_due(workspace)?)
    }

    /// Writes down that the check has passed on the present files.
    pub(crate) fn renew(&self, workspace: &Workspace) -> Result<()> {
        let path = workspace.root().join(self.place());
        fs::write(&path, self.text(workspace)?).with_context(|| format!("could not write {}", path.display()))
    }

    /// Says how to renew the receipt, if it is older than the files that have just passed.
    pub(crate) fn suggest_renewal(&self, workspace: &Workspace) -> Result<()> {
        if !self.covers_present_files(workspace)? {
            println!("passed on changed files: `cargo xtask {}` writes that into {}", self.check, self.place());
        }
        Ok(())
    }

    fn covers_present_files(&self, workspace: &Workspace) -> Result<bool> {
        let written = fs::read_to_string(workspace.root().join(self.place())).unwrap_or_default();
        Ok(written.trim() == self.text(workspace)?.trim())
    }

    fn place(&self) -> String {
        format!("xtask/passed/{}", self.file)
    }

    fn text(&self, workspace: &Workspace) -> Result<String> {
        let mut digest = Sha1::new();
        for input in self.inputs {
            for file in files_in(&workspace.root().join(input))? {
                let content = fs::read(&file).with_context(|| format!("could not read {}", file.display()))?;
                let name = file.strip_prefix(workspace.root()).unwrap_or(&file);
                // Lengths, so that bytes cannot move from one file to the next unnoticed.
                digest.update(format!("{}\n{}\n", name.display(), content.len()).as_bytes());
                digest.update(&content);
            }
        }
        Ok(format!("{}\n", digest.digest()))
    }
}

/// The file, or all files in the folder, in the order of their names.
fn files_in(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = || format!("could not list {}", path.display());
    let entries = fs::read_dir(path).with_context(unreadable)?;
    let mut paths = entries.map(|entry| Ok(entry.with_context(unreadable)?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        files.extend(files_in(&path)?);
    }
    Ok(files)
}
