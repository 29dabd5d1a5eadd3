//! [`Presets`], the policies that others can be changes of.

use std::collections::BTreeMap;

use redress_core::policy::{PolicySpec, Preset};

use crate::keys::policy::PolicyDraft;

/// Policies by name, in drafts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presets(BTreeMap<String, PolicyDraft>);

impl Presets {
    /// The presets of redress.
    pub(crate) fn built_in() -> Self {
        let mut presets = Self::default();
        for preset in Preset::ALL {
            presets.add(preset.as_str().to_owned(), &preset.spec());
        }
        presets
    }

    /// Adds a preset, unless a part of it is code.
    pub(crate) fn add(&mut self, name: String, spec: &PolicySpec) {
        self.0.extend(PolicyDraft::of(spec).map(|draft| (name, draft)));
    }

    /// The preset of this name, with the name as it is kept.
    pub(crate) fn get(&self, name: &str) -> Option<(&str, PolicyDraft)> {
        self.0.get_key_value(name).map(|(name, draft)| (name.as_str(), draft.clone()))
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
