//! Writes every path that `docs/from-python.md` names in `redress` as an import, for a doctest that
//! fails when one is gone.
//!
//! Owns how a path is found: code that begins with `redress::`, up to what is no part of a path.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const PAGE: &str = "../../../docs/from-python.md";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={PAGE}");
    let page = fs::read_to_string(PAGE)?;
    // The odd parts are between backquotes.
    let code = page.split('`').skip(1).step_by(2);
    let mut test = String::from("```\n");
    for path in code.filter(|code| code.starts_with("redress::")).map(path) {
        // A block for each, since names of two modules may be the same.
        writeln!(test, "{{ use {path}; }}")?;
    }
    test.push_str("```\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("from-python.md"), test)?;
    Ok(())
}

/// The path at the beginning of this code, or the paths if it ends in names between braces.
fn path(code: &str) -> &str {
    let is_part = |letter: char| letter.is_alphanumeric() || ['_', ':'].contains(&letter);
    let end = code.find(|letter| !is_part(letter)).unwrap_or(code.len());
    match code[end..].find('}') {
        Some(braces) if code[end..].starts_with('{') => &code[..=end + braces],
        _ => &code[..end],
    }
}
