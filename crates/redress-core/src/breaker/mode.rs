//! [`Mode`]: whether a breaker decides, is forced, or only watches.

use std::fmt;

use crate::closed_set::closed_set;

/// Whether a breaker's decisions count. Set by [`set_mode`](crate::CircuitBreaker::set_mode).
///
/// A change of mode starts afresh: results of calls that were admitted before it are ignored, and
/// the failures counted so far are forgotten. An open circuit stays open, with the rest of its
/// wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// The breaker decides. The default.
    #[default]
    Enforcing,
    /// Every call is rejected, as by an open circuit, without an end. Results of calls that are
    /// under way are ignored.
    ForcedOpen,
    /// Every call is admitted, and nothing is counted.
    ForcedClosed,
    /// The breaker counts, opens and closes as usual, but admits the calls that it would have
    /// rejected. The policy sends [`CircuitWouldReject`](crate::EventName::CircuitWouldReject) for
    /// each of them, and their results are ignored, because an enforcing breaker would not have
    /// had them. For trying out settings in production.
    Watching,
}

closed_set! {
    /// Every mode, in declaration order.
    Mode { Enforcing, ForcedOpen, ForcedClosed, Watching }
}

impl Mode {
    /// The mode's name in files and logs: `enforcing`, `forced_open`, `forced_closed` or
    /// `watching`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforcing => "enforcing",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
            Self::Watching => "watching",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
