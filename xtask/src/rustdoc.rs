//! Stands in for rustdoc, so that one `cargo doc` writes the pages and the JSON that lists the
//! items of each library.
//!
//! The JSON is an unstable output: stable toolchains write it when `RUSTC_BOOTSTRAP` is set. The
//! variable must not reach cargo, because build scripts watch it, and every dependency would be
//! built twice. A second `cargo doc` for the JSON would delete the pages. So cargo starts this
//! program in place of rustdoc, and it starts rustdoc twice.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;

/// Set to the path of rustdoc when this program is started in its place.
const STANDS_FOR: &str = "XTASK_STANDS_FOR_RUSTDOC";
/// The folder for the JSON.
const FOLDER: &str = "XTASK_RUSTDOC_JSON";

/// Differs from the flags of any other `cargo doc`, so that cargo does not take pages without JSON
/// for up to date.
const MARK: &str = "--cfg=xtask_rustdoc";

/// Has a `cargo doc` with these flags for rustdoc write the JSON too.
pub(crate) fn prepare<'a>(workspace: &Workspace, cargo_doc: &'a mut Command, flags: &str) -> Result<&'a mut Command> {
    let this = env::current_exe().context("this program does not know its own path")?;
    let rustdoc = env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    cargo_doc.env("RUSTDOC", this).env("RUSTDOCFLAGS", format!("{flags} {MARK}"));
    Ok(cargo_doc.env(STANDS_FOR, rustdoc).env(FOLDER, folder(workspace)))
}

/// The file that lists the items of a library.
pub(crate) fn json(workspace: &Workspace, package: &str) -> PathBuf {
    folder(workspace).join(format!("{}.json", package.replace('-', "_")))
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target().join("api")
}

/// Runs rustdoc with this program's arguments, if cargo has started this program in its place.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let (rustdoc, folder) = (env::var_os(STANDS_FOR)?, env::var_os(FOLDER)?);
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let mut code = exit_code(Command::new(&rustdoc).args(&arguments));
    let is_library =
        arguments.windows(2).any(|pair| pair[0] == "--crate-type" && (pair[1] == "lib" || pair[1] == "proc-macro"));
    if code == 0 && is_library {
        code = exit_code(Command::new(&rustdoc).args(for_json(&arguments, &folder)).env("RUSTC_BOOTSTRAP", "1"));
    }
    Some(code.into())
}

/// The same arguments with another format and folder.
fn for_json(arguments: &[OsString], folder: &OsStr) -> Vec<OsString> {
    let mut changed = arguments.to_vec();
    if let Some(output) = changed.iter().position(|argument| argument == "-o") {
        changed[output + 1] = folder.to_owned();
    }
    changed.extend(["-Zunstable-options", "--output-format=json"].map(OsString::from));
    changed
}

/// 1 for a program that cannot be started or was killed.
fn exit_code(command: &mut Command) -> u8 {
    command.status().ok().and_then(|status| u8::try_from(status.code()?).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};

    use super::for_json;

    #[test]
    fn json_goes_to_another_folder() {
        let given = ["--crate-name", "a", "-o", "target/doc", "src/lib.rs"].map(OsString::from);
        let changed = for_json(&given, OsStr::new("target/api"));
        let expected = "--crate-name a -o target/api src/lib.rs -Zunstable-options --output-format=json";
        assert_eq!(changed.join(OsStr::new(" ")), expected);
    }
}
