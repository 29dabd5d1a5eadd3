//! Writes every path in `redress` that `docs/from-python.md` names as an import, for a doctest that
//! fails when one does not exist, and the two programs of `docs/guide/side-by-side.md`, for a test
//! that runs them.
//!
//! A path is code that begins with `redress::`, up to the first character that cannot be part of a
//! path.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const PAGE: &str = "../../../docs/from-python.md";

const SIDE_BY_SIDE: &str = "../../../docs/guide/side-by-side.md";

/// The headings of the programs, and the files that they are written to.
const PROGRAMS: [(&str, &str); 2] =
    [("## With redress\n", "with-redress.rs"), ("## With reqwest-retry\n", "with-reqwest-retry.rs")];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::var("OUT_DIR")?;
    fs::write(Path::new(&folder).join("from-python.md"), imports()?)?;
    println!("cargo::rerun-if-changed={SIDE_BY_SIDE}");
    let page = fs::read_to_string(SIDE_BY_SIDE)?;
    for (heading, file) in PROGRAMS {
        let program =
            first_block(&page, heading).ok_or_else(|| format!("{SIDE_BY_SIDE} has no block after {heading}"))?;
        fs::write(Path::new(&folder).join(file), program)?;
    }
    Ok(())
}

/// The first block of Rust after a heading.
fn first_block<'p>(page: &'p str, heading: &str) -> Option<&'p str> {
    let (_, section) = page.split_once(heading)?;
    let (_, block) = section.split_once("```rust\n")?;
    Some(block.split_once("```")?.0)
}

fn imports() -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={PAGE}");
    let page = fs::read_to_string(PAGE)?;
    // Split at backquotes, the odd parts are code.
    let code = page.split('`').skip(1).step_by(2);
    let mut test = String::from("```\n");
    for path in code.filter(|code| code.starts_with("redress::")).map(path) {
        // One block for each path, since two modules may have the same name.
        writeln!(test, "{{ use {path}; }}")?;
    }
    test.push_str("```\n");
    Ok(test)
}

/// The path at the start of this code, or several paths if it ends in a list in braces.
fn path(code: &str) -> &str {
    let is_part = |letter: char| letter.is_alphanumeric() || ['_', ':'].contains(&letter);
    let end = code.find(|letter| !is_part(letter)).unwrap_or(code.len());
    match code[end..].find('}') {
        Some(braces) if code[end..].starts_with('{') => &code[..=end + braces],
        _ => &code[..end],
    }
}
