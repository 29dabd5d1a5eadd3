//! The target `policy_file`: files of policies in each format, and variables that override them.
//!
//! The first byte says the format. A zero byte ends the text; a variable follows.

use redress_config::{FileError, Loader, Policies, PolicyFile};

/// Reads any bytes as a file. Checks that a file which is accepted can be built, written and read
/// as itself, and that the problems of one which is refused are at places in it.
///
/// # Panics
///
/// If a law is broken.
pub fn policy_file(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let name = ["p.toml", "p.yaml", "p.json"][usize::from(first % 3)];
    let text = String::from_utf8_lossy(rest);
    let (text, variable) = text.split_once('\0').unwrap_or((&text, ""));
    let loader = match variable.split_once('=') {
        Some((name, value)) => Loader::new().variables([(format!("REDRESS__{name}"), value.to_owned())]),
        None => Loader::new(),
    };
    match loader.parse(text, name) {
        Ok(file) => an_accepted_file_is_built_and_written(&file),
        Err(refused) => problems_are_at_places(&refused, text),
    }
}

fn an_accepted_file_is_built_and_written(file: &PolicyFile) {
    let written = file.to_toml();
    let read = PolicyFile::parse(&written, "written.toml");
    let read = read.unwrap_or_else(|refused| panic!("what was written is refused: {refused}\n{written}"));
    // A number that is not one passes no rule, except in `traffic`, which has none.
    assert!(read == *file || written.contains("nan"), "another file was read:\n{written}");
    assert_eq!(read.to_toml(), written);
    for problem in file.warnings() {
        assert!(!format!("{problem:#}").is_empty());
    }
    let policies = Policies::new(file.clone()).unwrap_or_else(|refused| panic!("not built: {refused}"));
    let changes = policies.reload(file.clone()).unwrap_or_else(|refused| panic!("not reloaded: {refused}"));
    assert!(changes.is_empty() || written.contains("nan"), "the same file changed {changes}");
}

fn problems_are_at_places(refused: &FileError, text: &str) {
    assert!(!refused.problems().is_empty() && refused.problems().len() <= 100);
    assert!(refused.omitted() == 0 || refused.problems().len() == 100);
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in refused.problems() {
        assert!(!problem.rule().is_empty());
        let Some((line, column)) = problem.place().line().zip(problem.place().column()) else { continue };
        let line = lines.get(line as usize - 1).unwrap_or_else(|| panic!("{problem} is behind the last line"));
        assert!(column as usize <= line.chars().count() + 1, "{problem} is behind the end of its line");
    }
    assert!(!refused.to_string().is_empty());
}
