//! The layout of a breaker's state in one word, which is read atomically.

use super::mode::Mode;
use super::state::Phase;

/// The generation above five bits: the phase, the mode, and whether the breaker hears of every end
/// of a call. Each change of phase or mode starts a new generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

const PHASE: u64 = 0b11;
const MODE_SHIFT: u32 = 2;
const MODE: u64 = 0b11 << MODE_SHIFT;
/// The breaker has a rule that successes matter to.
const HEARS_ALL: u64 = 1 << 4;
const ERA_SHIFT: u32 = 5;

impl Word {
    /// Of a call that a [watching](Mode::Watching) breaker admitted although it would have rejected
    /// it.
    pub(super) const UNJUDGED: Self = Self(u64::MAX);

    pub(super) const fn first(hears_all: bool) -> Self {
        Self(if hears_all { HEARS_ALL } else { 0 })
    }

    #[inline]
    pub(super) const fn phase(self) -> Phase {
        // As `Phase` numbers them.
        match self.0 & PHASE {
            0 => Phase::Closed,
            1 => Phase::Open,
            2 => Phase::Trial,
            _ => Phase::Ramp,
        }
    }

    pub(super) const fn mode(self) -> Mode {
        match (self.0 & MODE) >> MODE_SHIFT {
            0 => Mode::Enforcing,
            1 => Mode::ForcedOpen,
            2 => Mode::ForcedClosed,
            _ => Mode::Watching,
        }
    }

    /// Whether every call is admitted and the breaker is not forced to.
    #[inline]
    pub(super) const fn is_plainly_closed(self) -> bool {
        self.0 & (PHASE | MODE) == 0
    }

    /// Whether the circuit is in this phase and decides.
    #[inline]
    pub(super) const fn is_plainly(self, phase: Phase) -> bool {
        self.0 & (PHASE | MODE) == phase as u64
    }

    /// Whether the end of a call admitted in this generation has to be told, even a success or a
    /// release.
    #[inline]
    pub(super) const fn is_judged(self) -> bool {
        self.0 & (PHASE | HEARS_ALL) != 0 && !self.is_unjudged()
    }

    /// Whether the end of a call admitted in this generation has no effect.
    #[inline]
    pub(super) const fn is_unjudged(self) -> bool {
        self.0 == Self::UNJUDGED.0 || matches!(self.mode(), Mode::ForcedClosed)
    }

    #[inline]
    pub(super) const fn era(self) -> u64 {
        self.0 >> ERA_SHIFT
    }

    /// The next generation, in this phase.
    pub(super) const fn next(self, phase: Phase) -> Self {
        Self((self.era() + 1) << ERA_SHIFT | self.0 & (MODE | HEARS_ALL) | phase as u64)
    }

    /// The next generation, in this mode.
    pub(super) const fn in_mode(self, mode: Mode) -> Self {
        let bits = match mode {
            Mode::Enforcing => 0,
            Mode::ForcedOpen => 1,
            Mode::ForcedClosed => 2,
            Mode::Watching => 3,
        };
        Self(self.next(self.phase()).0 & !MODE | bits << MODE_SHIFT)
    }
}

#[cfg(test)]
mod tests {
    use super::{Mode, Phase, Word};

    #[test]
    fn phase_mode_and_ears_are_kept_apart() {
        for hears_all in [false, true] {
            for mode in Mode::ALL.iter().copied() {
                for phase in [Phase::Closed, Phase::Open, Phase::Trial, Phase::Ramp] {
                    let word = Word::first(hears_all).next(phase).in_mode(mode);
                    assert_eq!((word.phase(), word.mode(), word.era()), (phase, mode, 2));
                    let closed = phase == Phase::Closed;
                    assert_eq!(word.is_plainly_closed(), closed && mode == Mode::Enforcing);
                    assert_eq!(word.is_unjudged(), mode == Mode::ForcedClosed);
                    assert_eq!(word.is_judged(), mode != Mode::ForcedClosed && (hears_all || !closed));
                }
            }
        }
        assert!(Word::UNJUDGED.is_unjudged() && !Word::UNJUDGED.is_judged());
    }
}
