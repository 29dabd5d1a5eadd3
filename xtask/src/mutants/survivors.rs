//! The mutants that are known to survive and the reasons, read from the reliability page.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

pub(super) const PAGE: &str = "docs/reliability.md";

/// The explained survivors, by file and change: lines move, and the same change in one function is
/// the same survivor.
pub(super) struct Explained(BTreeSet<String>);

pub(super) fn explained(workspace: &Workspace) -> Result<Explained> {
    let text = fs::read_to_string(workspace.root().join(PAGE)).with_context(|| format!("could not read {PAGE}"))?;
    Ok(Explained::of(&text))
}

impl Explained {
    /// Rows begin with the mutant in backticks: ``| `file.rs: the change` | why |``. Within a table
    /// a bar is `\|`.
    fn of(page: &str) -> Self {
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
        Self(rows.map(|(name, _)| name.replace("\\|", "|")).filter(|name| name.contains(".rs: ")).collect())
    }

    pub(super) fn covers(&self, mutant: &str) -> bool {
        self.0.contains(&without_place(mutant))
    }

    /// Fails if a row names a mutant that does not exist.
    pub(super) fn check_that_all_exist(&self, listed: &str) -> Result<()> {
        let existing: BTreeSet<String> = listed.lines().map(without_place).collect();
        let stale: Vec<&String> = self.0.difference(&existing).collect();
        if !stale.is_empty() {
            bail!("{PAGE} explains mutants that do not exist: {stale:#?}");
        }
        Ok(())
    }
}

/// `crates/a/src/b.rs:97:13: delete ..` without line and column, and without the folders common to
/// all.
fn without_place(mutant: &str) -> String {
    let mut parts = mutant.splitn(4, ':');
    let (Some(file), Some(_), Some(_), Some(change)) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return mutant.to_owned();
    };
    format!("{}:{change}", file.strip_prefix("crates/").unwrap_or(file))
}

#[cfg(test)]
mod tests {
    use super::{Explained, without_place};

    const PAGE: &str = r"text
| mutant | why |
|---|---|
| `redress-core/src/a.rs: replace f -> u8 with 0` | it is 0 |
| `redress-core/src/a.rs: replace \| with ^ in f` | disjoint |
";

    #[test]
    fn a_row_covers_its_mutant_wherever_it_stands() {
        let explained = Explained::of(PAGE);
        assert!(explained.covers("crates/redress-core/src/a.rs:7:9: replace f -> u8 with 0"));
        assert!(!explained.covers("crates/redress-core/src/a.rs:7:9: replace f -> u8 with 1"));
        assert!(explained.covers("crates/redress-core/src/a.rs:8:9: replace | with ^ in f"));
    }

    #[test]
    fn a_row_without_a_mutant_is_stale() {
        let explained = Explained::of(PAGE);
        let listed = "crates/redress-core/src/a.rs:1:2: replace f -> u8 with 0\ncrates/redress-core/src/a.rs:1:2: replace | with ^ in f\n";
        assert!(explained.check_that_all_exist(listed).is_ok());
        assert!(explained.check_that_all_exist("crates/redress-core/src/a.rs:1:2: delete !\n").is_err());
    }

    #[test]
    fn what_is_no_place_stays() {
        assert_eq!(without_place("no place"), "no place");
    }
}
