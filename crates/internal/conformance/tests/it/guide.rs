//! The guide pages of vendors list where the original answers otherwise: the same differences as
//! the judged tables, with the same numbers of rows.

use std::collections::BTreeSet;

use redress_conformance::{Difference, MetDifference, RECORDED_TABLES, TableReport, judge_tables};

/// A test for each page, with the tables that it lists.
macro_rules! list_the_differences {
    ($($page:ident: $($table:literal),+;)*) => {
        $(
            #[test]
            fn $page() {
                let text = include_str!(concat!("../../../../../docs/guide/", stringify!($page), ".md"));
                lists_the_differences(text, &[$($table),+]);
            }
        )*
    };
}

list_the_differences! {
    aws: "boto3";
    llm: "openai", "openai_reset_duration", "anthropic", "anthropic_reset";
    redis: "redis";
    sql: "sql";
}

fn lists_the_differences(text: &str, names: &[&str]) {
    let report = judge_tables(RECORDED_TABLES).expect("the recorded tables can be read");
    let tables = names.iter().map(|name| report.tables.iter().find(|table| table.name == *name).expect("a table"));
    let expected: Vec<String> = tables.map(listed).collect();
    let expected = expected.join("\n");
    assert!(text.contains(&expected), "the page is to hold this:\n{expected}");
}

/// The rows of one reason.
struct Group {
    reason: &'static str,
    source: &'static str,
    originals: BTreeSet<&'static str>,
    ours: BTreeSet<&'static str>,
    rows: usize,
}

impl Group {
    fn of(difference: &Difference) -> Self {
        let Difference { reason, source, .. } = *difference;
        Self { reason, source, originals: BTreeSet::new(), ours: BTreeSet::new(), rows: 0 }
    }

    fn add(&mut self, met: &MetDifference) {
        self.originals.insert(met.difference.original);
        self.ours.insert(met.difference.ours);
        self.rows += met.rows;
    }

    fn line(&self) -> String {
        let Self { reason, source, originals, ours, rows } = self;
        let spelled = |answers: &BTreeSet<&str>| {
            answers.iter().map(|answer| format!("`{answer}`")).collect::<Vec<_>>().join(", ")
        };
        format!("| {} | {} | {rows} | {reason} ([source]({source})) |", spelled(originals), spelled(ours))
    }
}

fn listed(table: &TableReport) -> String {
    let mut groups: Vec<Group> = Vec::new();
    for met in &table.differences {
        let Difference { reason, source, .. } = *met.difference;
        let at = groups.iter().position(|group| (group.reason, group.source) == (reason, source));
        let at = at.unwrap_or_else(|| {
            groups.push(Group::of(met.difference));
            groups.len() - 1
        });
        groups[at].add(met);
    }
    let mut lines = vec![
        format!("Table `{}`: {} rows, {} as the original.", table.name, table.rows(), table.as_original),
        String::new(),
        "| original | here | rows | why |".to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    lines.extend(groups.iter().map(Group::line));
    lines.join("\n") + "\n"
}
