//! The rules that are lists: words that code must not hold, places that text must not name, and
//! file names that say nothing.
//!
//! An exception is a row with a reason. A row whose file does not exist is a breach.

use super::Finding;
use crate::workspace::Workspace;

/// This file.
const RULES: &str = "xtask/src/tidy/rules.rs";

/// A word that lines of code must not hold. Comments may use it.
pub(super) struct ForbiddenWord {
    pub(super) word: &'static str,
    /// The rule applies to files whose path starts with this.
    pub(super) under: &'static str,
    pub(super) why: &'static str,
    pub(super) except: &'static [Exception],
}

pub(super) struct Exception {
    pub(super) path: &'static str,
    #[expect(dead_code, reason = "for readers: why the file is an exception")]
    pub(super) reason: &'static str,
}

const SPELLED_OUT: &[Exception] = &[
    Exception { path: RULES, reason: "spells the words out to forbid them" },
    Exception { path: "xtask/src/tidy/source/tests.rs", reason: "breaks the rules on purpose" },
];

pub(super) const FORBIDDEN_WORDS: &[ForbiddenWord] = &[
    ForbiddenWord {
        word: "[allow(",
        under: "",
        why: "use `#[expect(.., reason = \"..\")]`, which is reported once it is not needed",
        except: SPELLED_OUT,
    },
    ForbiddenWord { word: "todo!", under: "", why: "finish it or leave it out", except: SPELLED_OUT },
    ForbiddenWord { word: "unimplemented!", under: "", why: "finish it or leave it out", except: SPELLED_OUT },
    ForbiddenWord { word: "dbg!", under: "", why: "it is for debugging", except: SPELLED_OUT },
    ForbiddenWord {
        word: "tokio",
        under: "crates/redress-core/src/",
        why: "the core knows no runtime: a timer belongs in the runtime's own crate",
        except: &[Exception {
            path: "crates/redress-core/src/drive/timer.rs",
            reason: "the compiler's message for a missing timer names the crate to take",
        }],
    },
    ForbiddenWord {
        word: "thread::sleep",
        under: "crates/redress-core/src/",
        why: "the core waits in one place only: leave it to the blocking driver",
        except: &[Exception {
            path: "crates/redress-core/src/drive/blocking.rs",
            reason: "the blocking driver's wait, the only one in the core",
        }],
    },
    ForbiddenWord {
        word: "SystemTime",
        under: "crates/redress-core/src/",
        why: "time comes in as an argument, and wall-clock time goes backwards",
        except: &[
            Exception { path: "crates/redress-core/src/resume/token.rs", reason: "two processes share no other clock" },
            Exception {
                path: "crates/redress-core/src/resume/calls.rs",
                reason: "gives the time to tokens, outside of calls",
            },
        ],
    },
];

/// Paths that exist on one machine only.
pub(super) const PRIVATE_PLACES: &[&str] = &["/home/", "/root/", "/Users/"];

/// File names that do not say what idea the file holds.
pub(super) const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "prelude"];

/// The only dependencies that the core may have.
pub(super) const CORE: &str = "redress-core";
pub(super) const CORE_DEPENDENCIES: &[&str] = &["fastrand", "pin-project-lite", "thiserror"];

pub(super) fn stale_exceptions(workspace: &Workspace) -> Vec<Finding> {
    let exceptions = FORBIDDEN_WORDS.iter().flat_map(|rule| rule.except.iter().map(move |row| (rule, row)));
    exceptions
        .filter(|(_, row)| !workspace.root().join(row.path).is_file())
        .map(|(rule, row)| Finding {
            place: RULES.to_owned(),
            breach: format!(
                "the exception for `{}` names {}, which does not exist: correct or drop the row",
                rule.word, row.path
            ),
        })
        .collect()
}
