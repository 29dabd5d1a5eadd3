//! Checks the numbered invariants: each is stated once, attacked by at least one test, and listed
//! with its evidence.
//!
//! An invariant is stated by `**Invariant X1**` and attacked by `Attacks X1, Y2.` in a comment.
//! Mutation testing and review judge whether the attack is a good one.

use std::collections::BTreeMap;

use super::Finding;

const PAGE: &str = "docs/reliability.md";
const STATED: &str = "**Invariant ";
const ATTACKED: &str = "Attacks ";

/// The places that state, attack or list invariants, collected file by file.
#[derive(Default)]
pub(super) struct Invariants {
    stated: BTreeMap<String, Vec<String>>,
    attacked: BTreeMap<String, Vec<String>>,
    listed: String,
}

impl Invariants {
    pub(super) fn read(&mut self, path: &str, text: &str) {
        if path == PAGE {
            text.clone_into(&mut self.listed);
        }
        if !path.starts_with("crates/") || !path.ends_with(".rs") {
            return;
        }
        for (index, line) in text.lines().enumerate() {
            let Some((_, comment)) = line.split_once("//") else { continue };
            let place = || format!("{path}:{}", index + 1);
            for statement in comment.split(STATED).skip(1) {
                if let Some((id, _)) = statement.split_once("**") {
                    self.stated.entry(id.to_owned()).or_default().push(place());
                }
            }
            for id in attacked(comment) {
                self.attacked.entry(id.to_owned()).or_default().push(place());
            }
        }
    }

    pub(super) fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut report = |place: &str, breach: String| findings.push(Finding { place: place.to_owned(), breach });
        for (id, places) in &self.stated {
            if let [first, again @ ..] = &places[..] {
                for place in again {
                    report(place, format!("invariant {id} is stated at {first} already: state it once"));
                }
                if !self.attacked.contains_key(id) {
                    report(
                        first,
                        format!("no test attacks invariant {id}: mark the one that does with `Attacks {id}.`"),
                    );
                }
            }
            if !self.listed.lines().any(|line| line.starts_with(&format!("| {id} |"))) {
                report(PAGE, format!("no row for invariant {id}: say what the evidence for it is"));
            }
        }
        for (id, places) in &self.attacked {
            if !self.stated.contains_key(id) {
                report(&places[0], format!("invariant {id} is attacked here and stated nowhere"));
            }
        }
        findings
    }
}

/// The ids in a comment such as `Attacks B1, C2.`
fn attacked(comment: &str) -> impl Iterator<Item = &str> {
    let list = comment.split_once(ATTACKED).map_or("", |(_, list)| list);
    let list = list.split_once('.').map_or(list, |(list, _)| list);
    list.split([',', ' ']).filter(|id| is_id(id))
}

fn is_id(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_uppercase())
        && word.len() > 1
        && letters.all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::Invariants;

    const CODE: &str = "crates/a/src/b.rs";
    const TEST: &str = "crates/a/tests/b.rs";

    fn breaches(files: &[(&str, &str)]) -> Vec<String> {
        let mut invariants = Invariants::default();
        files.iter().for_each(|(path, text)| invariants.read(path, text));
        invariants.check().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_that_is_stated_attacked_and_listed_is_fine() {
        let files = [
            (CODE, "/// **Invariant X1**: it holds."),
            (TEST, "/// Attacks X1."),
            (super::PAGE, "| X1 | it holds | .. |"),
        ];
        assert!(breaches(&files).is_empty());
    }

    #[test]
    fn what_is_missing_is_named() {
        let stated = (CODE, "/// **Invariant X1**: it holds. **Invariant X2**: too.");
        let found = breaches(&[stated, (TEST, "// Attacks X2, Y9."), (super::PAGE, "| X1 | it holds | .. |")]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("no test attacks invariant X1"));
        assert!(found[1].contains("no row for invariant X2"));
        assert!(found[2].contains("Y9 is attacked here and stated nowhere"));
    }

    #[test]
    fn one_that_is_stated_twice_is_one_too_many() {
        let twice = (CODE, "/// **Invariant X1**: it holds.\n/// **Invariant X1**: it does.");
        let found = breaches(&[twice, (TEST, "/// Attacks X1."), (super::PAGE, "| X1 | it holds | .. |")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/a/src/b.rs:2: "), "{found:?}");
    }
}
