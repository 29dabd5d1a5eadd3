//! Reads the public items of a crate from the JSON of rustdoc.
//!
//! The JSON has formats, which are numbered, and each release of the crate `public-api` reads one.

use std::fs;

use anyhow::{Context as _, Result};
use public_api::PublicApi;

use crate::rustdoc;
use crate::workspace::Workspace;

/// The format that the pinned version of `public-api` reads.
const FORMAT: u32 = 57;

pub(super) enum Items {
    Listed(PublicApi),
    /// The toolchain's rustdoc writes another format. Holds the reason to show.
    OtherFormat(String),
}

/// Reads what the last `docs` listed for a crate.
pub(super) fn read(workspace: &Workspace, package: &str) -> Result<Items> {
    let path = rustdoc::json(workspace, package);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("could not read {}: `cargo clean --doc`, and try again", path.display()))?;
    let format = format(&text).with_context(|| format!("{} does not number its format", path.display()))?;
    if format != FORMAT {
        let why = format!("rustdoc of this toolchain writes its items in format {format}, and {FORMAT} is read");
        return Ok(Items::OtherFormat(why));
    }
    let api =
        public_api::Builder::from_rustdoc_json(&path).omit_blanket_impls(true).omit_auto_trait_impls(true).build();
    Ok(Items::Listed(api.with_context(|| format!("could not understand {}", path.display()))?))
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
