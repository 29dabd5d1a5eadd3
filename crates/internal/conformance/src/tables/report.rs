//! What comes of judging tables, and how it is told.
//!
//! Owns counting and wording. Judges nothing.

use std::fmt;

use serde_json::Value;

use super::Judgement;
use super::difference::Difference;

/// How a file of tables fared. Its `Display` is the report to print.
#[derive(Clone, Debug)]
pub struct TablesReport {
    /// The tables whose domain is built, by name.
    pub tables: Vec<TableReport>,
    /// The tables that no classifier here answers.
    pub unbuilt: Vec<UnbuiltTable>,
    /// Listed differences that are none any more, with the reason: the list is wrong, or the code.
    pub stale: Vec<String>,
}

/// How one table fared.
#[derive(Clone, Debug)]
pub struct TableReport {
    /// The table's name.
    pub name: &'static str,
    /// How many rows are answered as the original answers them.
    pub as_original: usize,
    /// The intended differences that rows met.
    pub differences: Vec<MetDifference>,
    /// The rows answered otherwise without a reason.
    pub wrong: Vec<WrongRow>,
}

/// An intended difference that rows of a table met.
#[derive(Clone, Copy, Debug)]
pub struct MetDifference {
    /// Which.
    pub difference: &'static Difference,
    /// How many rows met it.
    pub rows: usize,
}

/// A row answered otherwise than the original answers it, without a reason.
#[derive(Clone, Debug)]
pub struct WrongRow {
    /// The row, as it is in the file.
    pub row: Value,
    /// What we say.
    pub ours: String,
}

/// A table whose domain is not built.
#[derive(Clone, Debug)]
pub struct UnbuiltTable {
    /// The table's name.
    pub name: String,
    /// How many rows were not judged.
    pub rows: usize,
}

impl TablesReport {
    pub(super) const fn new(stale: Vec<String>) -> Self {
        Self { tables: Vec::new(), unbuilt: Vec::new(), stale }
    }

    /// Whether no row is wrong and no listed difference stale. Tables that are not built do not
    /// count.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.stale.is_empty() && self.tables.iter().all(|table| table.wrong.is_empty())
    }
}

impl TableReport {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, as_original: 0, differences: Vec::new(), wrong: Vec::new() }
    }

    pub(super) fn add(&mut self, row: &Value, judgement: Judgement) {
        match judgement {
            Judgement::AsOriginal => self.as_original += 1,
            Judgement::Intended(difference) => self.meet(difference),
            Judgement::Wrong(ours) => self.wrong.push(WrongRow { row: row.clone(), ours }),
        }
    }

    fn meet(&mut self, difference: &'static Difference) {
        match self.differences.iter_mut().find(|met| met.difference.is(difference)) {
            Some(met) => met.rows += 1,
            None => self.differences.push(MetDifference { difference, rows: 1 }),
        }
    }

    /// How many rows the table has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.as_original + self.intended() + self.wrong.len()
    }

    fn intended(&self) -> usize {
        self.differences.iter().map(|met| met.rows).sum()
    }
}

impl fmt::Display for TablesReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in &self.tables {
            table.fmt(f)?;
        }
        for UnbuiltTable { name, rows } in &self.unbuilt {
            writeln!(f, "{name}: {rows} rows not judged: domain not built yet")?;
        }
        for stale in &self.stale {
            writeln!(f, "STALE difference: {stale}")?;
        }
        Ok(())
    }
}

impl fmt::Display for TableReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, as_original, differences, wrong } = self;
        writeln!(
            f,
            "{name}: {} rows, {as_original} as the original, {} intended differences, {} wrong",
            self.rows(),
            self.intended(),
            wrong.len()
        )?;
        for MetDifference { difference, rows } in differences {
            writeln!(f, "  intended ({rows}): {difference}")?;
        }
        for WrongRow { row, ours } in wrong {
            writeln!(f, "  WRONG: {row}: we say {ours}")?;
        }
        Ok(())
    }
}
