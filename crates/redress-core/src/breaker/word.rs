//! The layout of a breaker's state in one word, which is read atomically.

use super::state::Phase;

/// The generation above two bits of phase. Each change of phase starts a new generation.
#[derive(Clone, Copy)]
pub(super) struct Word(pub(super) u64);

impl Word {
    pub(super) const CLOSED: Self = Self(0);

    #[inline]
    pub(super) const fn phase(self) -> Phase {
        match self.0 & 3 {
            0 => Phase::Closed,
            1 => Phase::Open,
            2 => Phase::HalfOpen,
            _ => Phase::Probing,
        }
    }

    pub(super) const fn next(self, phase: Phase) -> Self {
        let bits = match phase {
            Phase::Closed => 0,
            Phase::Open => 1,
            Phase::HalfOpen => 2,
            Phase::Probing => 3,
        };
        Self(((self.0 >> 2) + 1) << 2 | bits)
    }
}
