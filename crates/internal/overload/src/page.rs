//! The page that holds the tables, each between `<!-- table: NAME -->` and `<!-- end -->`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::tables::Table;

/// The page, from the root of the repository.
const PAGE: &str = "docs/guide/overload.md";

const END: &str = "<!-- end -->";

pub(crate) fn read() -> io::Result<String> {
    fs::read_to_string(path())
}

pub(crate) fn write(text: &str) -> io::Result<()> {
    fs::write(path(), text)
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(PAGE)
}

/// The page with this table in place of the former one.
///
/// # Errors
///
/// If the page has no place for it.
pub(crate) fn with_table(page: &str, table: &Table) -> Result<String, String> {
    let begin = format!("<!-- table: {} -->\n", table.name);
    let parts = page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    match parts {
        Some((before, after)) => Ok(format!("{before}{begin}\n{}\n{END}{after}", table.markdown())),
        None => Err(format!("{PAGE} has no place for the table `{}`: `{}` .. `{END}`", table.name, begin.trim())),
    }
}
