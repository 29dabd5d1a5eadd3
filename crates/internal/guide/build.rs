//! Writes every path in `redress` that `docs/from-python.md` names as an import, for a doctest that
//! fails when one does not exist.
//!
//! A path is code that begins with `redress::`, up to the first character that cannot be part of a
//! path.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const PAGE: &str = "../../../docs/from-python.md";

fn main() -> Result<(), Box<dyn Error>> {
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
    fs::write(Path::new(&env::var("OUT_DIR")?).join("from-python.md"), test)?;
    Ok(())
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
