//! The layout of a breaker's state in one word, which is read atomically.

use super::mode::Mode;
use super::spec::BreakerSpec;
use super::state::Phase;

/// The generation above nine bits: the phase, the mode, and what a breaker of this configuration
/// wants to know. Each change of phase, mode or configuration starts a new generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

const PHASE: u64 = 0b11;
const MODE_SHIFT: u32 = 2;
const MODE: u64 = 0b11 << MODE_SHIFT;
/// The breaker has a rule that successes matter to.
const HEARS_ALL: u64 = 1 << 4;
/// The instant at which a successful call began matters.
const READS_STARTS: u64 = 1 << 5;
/// The time that attempts take matters.
const TIMES_CALLS: u64 = 1 << 6;
/// A hint may open the circuit.
const HEARS_HINTS: u64 = 1 << 7;
/// Openings may differ in length.
const VARIES: u64 = 1 << 8;
const TRAITS: u64 = HEARS_ALL | READS_STARTS | TIMES_CALLS | HEARS_HINTS | VARIES;
const ERA_SHIFT: u32 = 9;

/// What a breaker of a configuration wants to know, as bits of its [`Word`]: readers without the
/// lock find them beside the phase, of one generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traits(u64);

/// What a breaker wants to know of a call besides its failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wants {
    /// That it succeeded, and nothing else of it.
    pub(crate) success: bool,
    /// When it began.
    pub(crate) start: bool,
    /// How long its attempts took.
    pub(crate) time: bool,
}

impl Traits {
    pub(super) fn of(spec: &BreakerSpec) -> Self {
        let counts = spec.failure_ratio.is_some() || spec.consecutive_failures.is_some();
        let bits = [
            (HEARS_ALL, counts || spec.slow_call.is_some()),
            (READS_STARTS, spec.failure_ratio.is_some()),
            (TIMES_CALLS, spec.slow_call.is_some()),
            (HEARS_HINTS, spec.open_on_retry_after.is_some()),
            (VARIES, spec.fixed_open_wait().is_none()),
        ];
        Self(bits.into_iter().filter(|(_, is_set)| *is_set).fold(0, |traits, (bit, _)| traits | bit))
    }
}

impl Word {
    /// Of a call that a [watching](Mode::Watching) breaker admitted although it would have rejected
    /// it.
    pub(super) const UNJUDGED: Self = Self(u64::MAX);

    pub(super) const fn first(traits: Traits) -> Self {
        Self(traits.0)
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

    /// Whether every call is admitted, the breaker is not forced to, and its end only matters if it
    /// is a failure.
    #[inline]
    pub(super) const fn is_quietly_closed(self) -> bool {
        self.0 & (PHASE | MODE | HEARS_ALL) == 0
    }

    /// Whether every call is admitted, the breaker is not forced to, and it wants to know no more
    /// than failures and these.
    #[inline]
    pub(super) const fn is_closed_to(self, is_counted: bool, is_started: bool) -> bool {
        // As a sum of what is told, both tests compile to one shift.
        let counted = if is_counted { HEARS_ALL } else { 0 };
        let started = if is_started { READS_STARTS } else { 0 };
        self.0 & (PHASE | MODE | TIMES_CALLS | HEARS_ALL | READS_STARTS) & !(counted | started) == 0
    }

    /// Whether a success of a closed circuit is counted without a reading of the clock.
    #[inline]
    pub(super) const fn counts_successes(self) -> bool {
        self.0 & (HEARS_ALL | TIMES_CALLS) == HEARS_ALL
    }

    #[inline]
    pub(super) const fn reads_starts(self) -> bool {
        self.0 & READS_STARTS != 0
    }

    #[inline]
    pub(super) const fn times_calls(self) -> bool {
        self.0 & TIMES_CALLS != 0
    }

    #[inline]
    pub(super) const fn hears_hints(self) -> bool {
        self.0 & HEARS_HINTS != 0
    }

    #[inline]
    pub(super) const fn wants(self) -> Wants {
        Wants { success: self.counts_successes(), start: self.reads_starts(), time: self.times_calls() }
    }

    /// Whether openings may differ in length.
    #[inline]
    pub(super) const fn varies(self) -> bool {
        self.0 & VARIES != 0
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
        Self((self.era() + 1) << ERA_SHIFT | self.0 & (MODE | TRAITS) | phase as u64)
    }

    /// The next generation, of another configuration.
    pub(super) const fn with(self, traits: Traits) -> Self {
        Self(self.next(self.phase()).0 & !TRAITS | traits.0)
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
    use std::time::Duration;

    use super::{BreakerSpec, Mode, Phase, Traits, Word};

    const SECOND: Duration = Duration::from_secs(1);

    fn traits(change: impl Fn(&mut BreakerSpec)) -> Traits {
        let mut spec = BreakerSpec::default();
        change(&mut spec);
        Traits::of(&spec)
    }

    #[test]
    fn phase_mode_and_traits_are_kept_apart() {
        for (hears_all, traits) in [(false, traits(|_| ())), (true, traits(|spec| spec.slow_call = Some(SECOND)))] {
            for mode in Mode::ALL.iter().copied() {
                for phase in [Phase::Closed, Phase::Open, Phase::Trial, Phase::Ramp] {
                    let word = Word::first(traits).next(phase).in_mode(mode);
                    assert_eq!((word.phase(), word.mode(), word.era()), (phase, mode, 2));
                    let plainly_closed = phase == Phase::Closed && mode == Mode::Enforcing;
                    assert_eq!(word.is_plainly_closed(), plainly_closed);
                    assert_eq!(word.is_quietly_closed(), plainly_closed && !hears_all);
                    assert_eq!(word.is_closed_to(true, true), plainly_closed && !hears_all, "slow calls are timed");
                    assert_eq!(word.is_unjudged(), mode == Mode::ForcedClosed);
                    let is_judged = mode != Mode::ForcedClosed && (hears_all || phase != Phase::Closed);
                    assert_eq!(word.is_judged(), is_judged);
                    let other = word.with(self::traits(|spec| spec.failure_ratio = Some(0.5)));
                    assert_eq!((other.phase(), other.mode(), other.era()), (phase, mode, 3));
                    assert!(other.counts_successes() && other.reads_starts() && !other.times_calls());
                }
            }
        }
        assert!(Word::UNJUDGED.is_unjudged() && !Word::UNJUDGED.is_judged());
    }

    #[test]
    fn traits_are_those_of_the_configuration() {
        let read = |traits: Traits| {
            let word = Word::first(traits);
            [word.counts_successes(), word.reads_starts(), word.times_calls(), word.hears_hints(), word.varies()]
        };
        assert_eq!(read(traits(|_| ())), [false; 5]);
        assert_eq!(read(traits(|spec| spec.consecutive_failures = Some(2)))[..3], [true, false, false]);
        assert_eq!(read(traits(|spec| spec.failure_ratio = Some(0.5)))[..3], [true, true, false]);
        assert_eq!(read(traits(|spec| spec.slow_call = Some(SECOND)))[..3], [false, false, true]);
        let ratio = Word::first(traits(|spec| spec.failure_ratio = Some(0.5)));
        assert_eq!(
            [(true, true), (true, false), (false, false)].map(|(c, s)| ratio.is_closed_to(c, s)),
            [true, false, false]
        );
        let row = Word::first(traits(|spec| spec.consecutive_failures = Some(2)));
        assert_eq!(
            [(true, true), (true, false), (false, false)].map(|(c, s)| row.is_closed_to(c, s)),
            [true, true, false]
        );
        assert_eq!(read(traits(|spec| spec.recovery_jitter = 0.5))[3..], [false, true]);
        assert_eq!(read(traits(|spec| spec.honour_retry_after = Some(SECOND)))[3..], [false, true]);
        assert_eq!(read(traits(|spec| spec.open_on_retry_after = Some(SECOND)))[3..], [true, true]);
    }
}
