//! Asks rustdoc for the public items of each crate.
//!
//! Its JSON output is unstable: stable toolchains write it when `RUSTC_BOOTSTRAP` is set, in a
//! format with a number, and the crate `public-api` reads one such number. The variable must not
//! reach cargo, because build scripts watch it and all dependencies would be built twice. So cargo
//! starts this program in place of rustdoc, which sets the variable and starts rustdoc.

use std::env;
use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use public_api::PublicApi;

use crate::command;
use crate::workspace::Workspace;

/// The format that the pinned version of `public-api` reads.
const FORMAT: u32 = 57;

/// Set to the path of rustdoc when this program is started in its place.
const STANDS_FOR: &str = "XTASK_STANDS_FOR_RUSTDOC";

pub(super) enum Answer {
    Items(PublicApi),
    /// Rustdoc writes another format.
    OtherFormat(String),
}

/// Has rustdoc list the items of all members. The selection of packages and features is that of the
/// step `docs`, so that all dependencies are built already.
pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let this = env::current_exe().context("this program does not know its own path")?;
    let rustdoc = env::var("RUSTDOC").unwrap_or_else(|_| "rustdoc".to_owned());
    command::run(
        command::cargo(workspace, &["doc", "--quiet", "--workspace", "--lib", "--no-deps", "--all-features"])
            .env("RUSTDOC", this)
            .env(STANDS_FOR, rustdoc)
            .env("RUSTDOCFLAGS", "-Zunstable-options --output-format=json"),
    )
}

/// Runs rustdoc with this program's arguments, if cargo has started this program in its place.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let rustdoc = env::var_os(STANDS_FOR)?;
    let status = Command::new(rustdoc).args(env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").status();
    let code = status.ok().and_then(|status| u8::try_from(status.code()?).ok());
    Some(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Reads what rustdoc listed for a crate.
pub(super) fn items(workspace: &Workspace, name: &str) -> Result<Answer> {
    let path = workspace.target().join("doc").join(format!("{}.json", name.replace('-', "_")));
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let Some(format) = format(&text) else {
        return Ok(Answer::OtherFormat(format!(
            "rustdoc of this toolchain does not number its format, and {FORMAT} is read"
        )));
    };
    if format != FORMAT {
        return Ok(Answer::OtherFormat(format!(
            "rustdoc of this toolchain writes format {format}, and {FORMAT} is read"
        )));
    }
    let api =
        public_api::Builder::from_rustdoc_json(&path).omit_blanket_impls(true).omit_auto_trait_impls(true).build();
    Ok(Answer::Items(api.with_context(|| format!("could not understand {}", path.display()))?))
}

/// The number at the end of the file. Quotes inside of its texts are escaped.
fn format(json: &str) -> Option<u32> {
    let (_, after) = json.rsplit_once("\"format_version\":")?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn the_format_is_the_number_and_not_a_text_about_it() {
        assert_eq!(format(r#"{"docs":"\"format_version\":3","format_version":57,"target":{}}"#), Some(57));
        assert_eq!(format("{}"), None);
    }
}
