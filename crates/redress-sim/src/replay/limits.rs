//! What a result does not show, in sentences.

use super::log::Facts;
use super::replayed::{Certainty, Replayed};
use super::summary::{LONGEST_NAME, counted};
use crate::sentence::grouped;
use crate::summary::shortened;

/// How many unread lines are listed.
const LISTED: usize = 5;

impl Facts {
    /// What the log lacks.
    pub(super) fn limits(&self) -> Vec<String> {
        let left_out = (self.others > 0).then(|| {
            format!("{} left out, of other policies: {}.", counted(self.others, "call is", "calls are"), self.listed())
        });
        let cut_short = (self.cut_short > 0).then(|| {
            let calls = counted(self.cut_short, "call", "calls");
            format!("The log has the first 100 attempts of {calls} that made more.")
        });
        let deferred = (self.deferred > 0).then(|| {
            let were = if self.deferred == 1 { "call was" } else { "calls were" };
            format!("{} {were} deferred, to a queue for example. Here the policy waits.", grouped(self.deferred))
        });
        [left_out, cut_short, deferred, self.unread()].into_iter().flatten().collect()
    }

    fn listed(&self) -> String {
        let names = self.other_policies.iter().take(LISTED).map(|name| shortened(name, LONGEST_NAME));
        let names: Vec<String> = names.collect();
        let more = if self.other_policies.len() > LISTED { ", .." } else { "" };
        format!("{}{more}", names.join(", "))
    }

    fn unread(&self) -> Option<String> {
        if self.unread_count == 0 {
            return None;
        }
        let places: Vec<String> =
            self.unread.iter().take(LISTED).map(|line| format!("{}:{}", line.journal, line.line)).collect();
        let more = if self.unread_count > places.len() as u64 { ", .." } else { "" };
        let lines = counted(self.unread_count, "line is no record and is", "lines are no records and are");
        Some(format!("{lines} skipped: {}{more}.", places.join(", ")))
    }
}

impl Replayed {
    /// What the result does not show, in sentences.
    #[must_use]
    pub fn limits(&self) -> Vec<String> {
        let unmoved = "The dependency answers as it did: it does not feel that it gets more attempts, or fewer.";
        let mut limits = vec![unmoved.to_owned()];
        let (_, moved) = self.likely(|counts| counts.moved);
        if moved > 0 {
            let moved = grouped(moved);
            limits.push(format!("Attempts more than a minute off their recorded time end as recorded: up to {moved}."));
        }
        if self.certainty() == Certainty::Drawn {
            limits.push("Attempts that the log lacks are drawn from its attempts of the same minute.".to_owned());
        }
        let (_, elsewhere) = self.likely(|counts| counts.drawn_elsewhere);
        if elsewhere > 0 {
            let attempts = counted(elsewhere, "of them is", "of them are");
            limits.push(format!("Up to {attempts} drawn from the nearest minute that has any."));
        }
        let (_, unfinished) = self.likely(|counts| counts.unfinished);
        if unfinished > 0 {
            limits.push(format!("Up to {} not end within 584 years.", counted(unfinished, "call does", "calls do")));
        }
        limits.extend(self.facts.limits.iter().cloned());
        limits
    }
}
