//! The rules that are lists: words code must not hold, places text must not name, file names that
//! say nothing.
//!
//! Data only. An exception is a row with a reason, and a row whose file is gone is a breach itself.

use super::Finding;
use crate::workspace::Workspace;

/// This file.
const RULES: &str = "xtask/src/tidy/rules.rs";

/// A word that lines of code must not hold. Comments may speak of it.
pub(super) struct ForbiddenWord {
    pub(super) word: &'static str,
    /// The rule holds in files whose path starts so.
    pub(super) under: &'static str,
    pub(super) why: &'static str,
    pub(super) except: &'static [Exception],
}

pub(super) struct Exception {
    pub(super) path: &'static str,
    #[expect(dead_code, reason = "read by people: why the file may do what others may not")]
    pub(super) reason: &'static str,
}

const SPELLED_OUT: &[Exception] = &[
    Exception { path: RULES, reason: "spells the words out to forbid them" },
    Exception { path: "xtask/src/tidy/source/tests.rs", reason: "breaks the rules to see them noticed" },
];

pub(super) const FORBIDDEN_WORDS: &[ForbiddenWord] = &[
    ForbiddenWord {
        word: "[allow(",
        under: "",
        why: "use `#[expect(.., reason = \"..\")]`, which reports itself when it is no longer needed",
        except: SPELLED_OUT,
    },
    ForbiddenWord { word: "todo!", under: "", why: "finish it or leave it out", except: SPELLED_OUT },
    ForbiddenWord { word: "unimplemented!", under: "", why: "finish it or leave it out", except: SPELLED_OUT },
    ForbiddenWord { word: "dbg!", under: "", why: "it is for the desk, not the repository", except: SPELLED_OUT },
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
        except: &[],
    },
];

/// Text that is true on one machine only.
pub(super) const PRIVATE_PLACES: &[&str] = &["/home/", "/root/", "/Users/"];

/// Names that say where a file was put, not what idea it holds.
pub(super) const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "prelude"];

/// What the core may be built on, and nothing else.
pub(super) const CORE: &str = "redress-core";
pub(super) const CORE_DEPENDENCIES: &[&str] = &["fastrand", "pin-project-lite", "thiserror"];

pub(super) fn stale_exceptions(workspace: &Workspace) -> Vec<Finding> {
    let exceptions = FORBIDDEN_WORDS.iter().flat_map(|rule| rule.except.iter().map(move |row| (rule, row)));
    exceptions
        .filter(|(_, row)| !workspace.root().join(row.path).is_file())
        .map(|(rule, row)| Finding {
            place: RULES.to_owned(),
            breach: format!(
                "the exception for `{}` names {}, which does not exist: mend or drop the row",
                rule.word, row.path
            ),
        })
        .collect()
}
