//! The report on a file of tables: the counts and their wording.

use std::fmt;

use serde_json::Value;

use super::Judgement;
use super::difference::Difference;

/// The results for a file of tables. Its `Display` is the report to print.
#[derive(Clone, Debug)]
pub struct TablesReport {
    /// The judged tables, sorted by name.
    pub tables: Vec<TableReport>,
    /// The tables whose domain is not compiled in.
    pub unbuilt: Vec<UnbuiltTable>,
    /// Stale entries of the lists of differences, with the reason: the list is wrong, or the code.
    pub stale: Vec<String>,
}

/// The results for one table.
#[derive(Clone, Debug)]
pub struct TableReport {
    /// The table's name.
    pub name: &'static str,
    /// The number of rows with the original's answer.
    pub as_original: usize,
    /// The intended differences that occurred.
    pub differences: Vec<MetDifference>,
    /// The rows with a different answer and no reason.
    pub wrong: Vec<WrongRow>,
    /// Listed differences that are broader than they should be, each with a row that it covers and
    /// that does not differ in its way.
    pub broad: Vec<BroadDifference>,
}

/// An intended difference that occurred in a table.
#[derive(Clone, Copy, Debug)]
pub struct MetDifference {
    /// The difference.
    pub difference: &'static Difference,
    /// The number of rows with it.
    pub rows: usize,
}

/// A row with a different answer than the original's and no reason.
#[derive(Clone, Debug)]
pub struct WrongRow {
    /// The row, as written in the file.
    pub row: Value,
    /// Our answer.
    pub ours: String,
}

/// A listed difference that covers a row, although the row does not differ in its way.
#[derive(Clone, Debug)]
pub struct BroadDifference {
    /// The difference.
    pub difference: &'static Difference,
    /// The row, as written in the file.
    pub row: Value,
}

/// A table whose domain is not compiled in.
#[derive(Clone, Debug)]
pub struct UnbuiltTable {
    /// The table's name.
    pub name: String,
    /// The number of rows, none of them judged.
    pub rows: usize,
}

impl TablesReport {
    pub(super) const fn new(stale: Vec<String>) -> Self {
        Self { tables: Vec::new(), unbuilt: Vec::new(), stale }
    }

    /// Whether no row is wrong and no listed difference is stale or too broad. Tables that were not
    /// judged do not count.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.stale.is_empty() && self.tables.iter().all(|table| table.wrong.is_empty() && table.broad.is_empty())
    }
}

impl TableReport {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, as_original: 0, differences: Vec::new(), wrong: Vec::new(), broad: Vec::new() }
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

    /// The number of rows in the table.
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
        let Self { name, as_original, differences, wrong, broad } = self;
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
        for BroadDifference { difference, row } in broad {
            writeln!(f, "  TOO BROAD: {difference}: it covers {row}")?;
        }
        Ok(())
    }
}
