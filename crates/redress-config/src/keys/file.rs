//! The sections of a file: policies, shared breakers and budgets, and declared layers.

use std::collections::BTreeMap;

use redress_core::breaker::BreakerSpec;
use redress_core::budget::BudgetSpec;
use redress_core::policy::PolicySpec;

use crate::keys::breaker::BREAKER;
use crate::keys::budget::BUDGET;
use crate::keys::policy::{POLICY, PolicyDraft};
use crate::keys::strategy::STRATEGY;
use crate::kind::scalar::Count;
use crate::kind::{Kind, NONE, Rows};
use crate::presets::Presets;
use crate::reader::Reader;
use crate::schema::Schema;
use crate::tree::{Entry, Node, Value};

/// All that a file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FileDraft {
    pub(crate) breakers: BTreeMap<String, BreakerSpec>,
    pub(crate) budgets: BTreeMap<String, BudgetSpec>,
    pub(crate) policies: BTreeMap<String, PolicyDraft>,
    pub(crate) upstream: BTreeMap<String, u32>,
}

pub(crate) const POLICIES: &str = "policy";
pub(crate) const BREAKERS: &str = "breaker";
pub(crate) const BUDGETS: &str = "budget";
const UPSTREAM: &str = "upstream";
/// Where editors look for the schema of a JSON file.
const SCHEMA: &str = "$schema";

const SECTIONS: [&str; 4] = [POLICIES, BREAKERS, BUDGETS, UPSTREAM];

/// Reads the root of a tree.
pub(crate) fn read(root: &Node, presets: &Presets, reader: &mut Reader) -> FileDraft {
    let mut file = FileDraft::default();
    refuse_unknown_sections(root, reader);
    let breakers = entries(root, BREAKERS, reader);
    let budgets = entries(root, BUDGETS, reader);
    reader.breakers = breakers.iter().map(|entry| entry.key.clone()).collect();
    reader.budgets = budgets.iter().map(|entry| entry.key.clone()).collect();
    in_section(BREAKERS, breakers, reader, |entry, reader| {
        let mut spec = breaker_base(&entry.key);
        BREAKER.read_into(&entry.node, &mut spec, false, reader);
        file.breakers.insert(entry.key.clone(), spec);
    });
    in_section(BUDGETS, budgets, reader, |entry, reader| {
        if let Some(spec) = BUDGET.read(&entry.node, None, reader) {
            file.budgets.insert(entry.key.clone(), spec);
        }
    });
    let policies = entries(root, POLICIES, reader);
    in_section(POLICIES, policies, reader, |entry, reader| {
        let draft = read_policy(&entry.key, &entry.node, presets, reader);
        file.policies.insert(entry.key.clone(), draft);
    });
    let upstream = entries(root, UPSTREAM, reader);
    in_section(UPSTREAM, upstream, reader, |entry, reader| {
        if let Some(attempts) = Count.read(&entry.node, None, reader) {
            file.upstream.insert(entry.key.clone(), attempts);
        }
    });
    file
}

fn refuse_unknown_sections(root: &Node, reader: &mut Reader) {
    for entry in root.as_table().unwrap_or_default() {
        let is_known = SECTIONS.contains(&entry.key.as_str()) || entry.key == SCHEMA;
        if !is_known {
            reader.within(&entry.key, |reader| {
                let rule = format!("be one of the sections {}", SECTIONS.join(", "));
                reader.refuse_key(&entry.key, entry.span, rule, SECTIONS);
            });
        }
    }
}

/// The parts of a section.
fn entries<'t>(root: &'t Node, section: &str, reader: &mut Reader) -> &'t [Entry] {
    let Some(entry) = root.entry(section) else { return &[] };
    entry.node.as_table().unwrap_or_else(|| {
        let rule = "be a table of names with their settings";
        reader.within(section, |reader| reader.refuse(&entry.node, rule));
        &[]
    })
}

fn in_section(section: &str, entries: &[Entry], reader: &mut Reader, mut read: impl FnMut(&Entry, &mut Reader)) {
    for entry in entries {
        reader.within(section, |reader| {
            reader.within(&entry.key, |reader| {
                if entry.key.is_empty() || entry.key == NONE {
                    reader.refuse_table(entry.span, "have a name other than \"\" and \"none\"");
                } else {
                    read(entry, reader);
                }
            });
        });
    }
}

/// What the settings of a shared breaker are changes of: the defaults, and the name of the part.
fn breaker_base(name: &str) -> BreakerSpec {
    let mut spec = BreakerSpec::default();
    spec.name = Some(name.to_owned().into());
    spec
}

/// What the settings of a policy are changes of.
fn policy_base(name: &str, preset: Option<(&str, PolicyDraft)>) -> PolicyDraft {
    let (preset, mut draft) = match preset {
        Some((preset, draft)) => (Some(preset.to_owned()), draft),
        None => (None, PolicyDraft::once()),
    };
    draft.preset = preset;
    draft.spec.name = Some(name.to_owned().into());
    draft
}

fn read_policy(name: &str, node: &Node, presets: &Presets, reader: &mut Reader) -> PolicyDraft {
    let preset = node.entry("preset").and_then(|entry| {
        reader.within("preset", |reader| {
            let named = entry.node.as_text().and_then(|name| presets.get(name));
            if named.is_none() {
                let known = presets.names();
                let rule = format!("be a preset: {}", known.join(", "));
                reader.refuse_name(&entry.node, rule, known.iter().map(String::as_str));
            }
            named
        })
    });
    let mut draft = policy_base(name, preset);
    let has_preset = draft.preset.is_some();
    POLICY.read_into(node, &mut draft, false, reader);
    if !has_preset && node.entry("deadline").is_none() {
        draft.spec.deadline = default_deadline(&draft);
    }
    let without_retry = node.entry("retry").is_some_and(|entry| entry.node.as_text() == Some(NONE));
    if let (Some(strategy), true) = (node.entry("strategy"), without_retry) {
        reader.within("strategy", |reader| {
            reader.refuse_table(strategy.span, "be left out: `retry` is \"none\", and nothing is retried");
        });
    }
    draft
}

/// The deadline of a policy that sets none: that of the builder.
fn default_deadline(draft: &PolicyDraft) -> Option<std::time::Duration> {
    draft.retry.as_ref().and_then(|_| PolicySpec::default().deadline)
}

/// Sections with the values of their parts, by name.
pub(crate) type Sections = Vec<(&'static str, Vec<(String, Value)>)>;

/// The file as a tree that is written. `None` if a part is code.
pub(crate) fn written(file: &FileDraft, presets: &Presets) -> Option<Sections> {
    let mut breakers = Vec::new();
    for (name, spec) in &file.breakers {
        breakers.push((name.clone(), Value::table(BREAKER.write_over(spec, Some(&breaker_base(name)))?)));
    }
    let mut budgets = Vec::new();
    for (name, spec) in &file.budgets {
        budgets.push((name.clone(), BUDGET.write(spec, None)?));
    }
    let mut policies = Vec::new();
    for (name, draft) in &file.policies {
        policies.push((name.clone(), Value::table(written_policy(name, draft, presets)?)));
    }
    let upstream = file.upstream.iter().map(|(name, attempts)| (name.clone(), Value::Whole((*attempts).into())));
    Some(vec![(BUDGETS, budgets), (BREAKERS, breakers), (POLICIES, policies), (UPSTREAM, upstream.collect())])
}

fn written_policy(name: &str, draft: &PolicyDraft, presets: &Presets) -> Option<Vec<(String, Value)>> {
    let preset = match draft.preset.as_deref() {
        Some(preset) => Some(presets.get(preset)?),
        None => None,
    };
    let mut table = Vec::new();
    if let Some((preset, _)) = &preset {
        table.push(("preset".to_owned(), Value::text(*preset)));
    }
    let mut base = policy_base(name, preset);
    if base.preset.is_none() {
        base.spec.deadline = default_deadline(draft);
    }
    table.extend(POLICY.write_over(draft, Some(&base))?);
    Some(table)
}

/// The schema of a file.
pub(crate) fn schema() -> String {
    let section = |what: &str, value: Schema| Schema::named(value).described(what);
    let root = Schema::table(
        "Policies of redress, and the breakers and budgets that they share",
        [
            (BREAKERS, false, section("Breakers that policies share, by name", Schema::reference("breaker"))),
            (BUDGETS, false, section("Budgets that policies share, by name", Schema::reference("budget"))),
            (POLICIES, false, section("Policies, by name", Schema::reference("policy"))),
            (UPSTREAM, false, section("Attempts of layers that retry too, for checks of the file", Count.schema())),
            (SCHEMA, false, Schema::of_type("string").described("The schema, for editors")),
        ],
    );
    let definitions = [
        ("breaker", BREAKER.table_schema()),
        ("budget", BUDGET.definition()),
        ("budget_of_policy", BUDGET.definition_over_preset()),
        ("policy", POLICY.table_schema()),
        ("strategy", STRATEGY.definition_over_preset()),
    ];
    root.document("redress policy file", definitions)
}

/// The list of settings.
pub(crate) fn settings() -> String {
    let mut text = "| key | value | meaning | method |\n|---|---|---|---|\n".to_owned();
    for row in rows().rows {
        let methods: Vec<_> = row.methods.iter().map(|method| format!("`{method}`")).collect();
        text.extend([format!("| `{}` | {} | {} | {} |\n", row.key, row.values, row.meaning, methods.join(", "))]);
    }
    text
}

fn rows() -> Rows {
    let mut rows = Rows::default();
    rows.within(POLICIES, |rows| rows.within("*", |rows| POLICY.rows(rows)));
    rows.within(BREAKERS, |rows| rows.within("*", |rows| BREAKER.rows(rows)));
    rows.within(BUDGETS, |rows| rows.within("*", |rows| BUDGET.rows(rows)));
    rows.within(UPSTREAM, |rows| {
        rows.within("*", |rows| {
            rows.push(Count.words(), "Attempts of a layer that retries too, for checks of the file", &[]);
        });
    });
    rows
}
