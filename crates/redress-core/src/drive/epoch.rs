//! [`Epoch`], which converts instants to the ticks of the shared cells: saturating counts of
//! nanoseconds.
//!
//! It reads the system's clock only for the first conversion.

use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

use super::clock::nanos;
use crate::sync::OnceLock;

/// 146 years in nanoseconds: the time that ticks can represent before an origin.
const AGE: u64 = 1 << 62;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// The origin of a cell's ticks, set by the first instant that the cell converts.
///
/// Set lazily, not when the cell is built, because a virtual clock may have started before the cell
/// was created. Ticks can represent an [`AGE`] before that instant. Otherwise a first reading that
/// was too late would freeze time at tick 0 until the clock has caught up. For the same reason, a
/// first reading that is whole ages ahead of the system's clock counts as taken that many ages
/// earlier. If two calls race for the first conversion, either may set the origin.
#[derive(Debug, Default)]
pub(crate) struct Epoch(OnceLock<Origin>);

#[derive(Clone, Copy, Debug)]
struct Origin {
    instant: Instant,
    /// The origin in [`Parts`], if these could be read and agree with the arithmetic of `Instant`.
    parts: Option<OriginParts>,
}

impl Epoch {
    /// Nanoseconds from 146 years before the origin to `now`. 0 for earlier instants, [`u64::MAX`]
    /// from 438 years after the origin on.
    #[inline]
    pub(crate) fn ticks(&self, now: Instant) -> u64 {
        match self.ticks_by_parts(now) {
            Some(ticks) => ticks,
            None => self.ticks_by_subtraction(now),
        }
    }

    /// [`ticks`](Self::ticks) without a call of another function, unless that takes a subtraction.
    #[inline]
    pub(crate) fn ticks_by_parts(&self, now: Instant) -> Option<u64> {
        self.0.get()?.parts?.ticks(now)
    }

    /// The same for the first reading, for instants far from the origin, and on systems where
    /// instants cannot be read in parts.
    #[cold]
    #[inline(never)]
    fn ticks_by_subtraction(&self, now: Instant) -> u64 {
        let begin = || now.checked_sub(whole_ages(now.saturating_duration_since(Instant::now()))).unwrap_or(now);
        self.0.get_or_init(|| Origin::at(begin())).ticks(now)
    }
}

impl Origin {
    fn at(instant: Instant) -> Self {
        Self { instant, parts: None }.with_parts(OriginParts::of(instant))
    }

    /// Uses the parts if they give the same ticks as subtraction, at the origin and at several
    /// distances from it.
    fn with_parts(self, parts: Option<OriginParts>) -> Self {
        let agrees = |parts: &OriginParts| {
            let steps = [(0, 0), (0, 1), (1, 1), (1, 999_999_999), (86_400, 500_000_000)];
            let later = steps.map(|(seconds, nanos)| self.instant.checked_add(Duration::new(seconds, nanos)));
            later.into_iter().all(|later| later.is_some_and(|later| parts.ticks(later) == Some(self.ticks(later))))
        };
        Self { parts: parts.filter(agrees), ..self }
    }

    fn ticks(&self, now: Instant) -> u64 {
        match now.checked_duration_since(self.instant) {
            Some(since) => AGE.saturating_add(nanos(since)),
            None => AGE.saturating_sub(nanos(self.instant.saturating_duration_since(now))),
        }
    }
}

/// The duration rounded down to a multiple of [`AGE`].
fn whole_ages(duration: Duration) -> Duration {
    let age = Duration::from_nanos(AGE).as_nanos();
    let rest = duration.as_nanos() % age;
    duration.saturating_sub(Duration::from_nanos(u64::try_from(rest).unwrap_or(0)))
}

/// The second of an origin, and the tick of the start of that second.
#[derive(Clone, Copy, Debug)]
struct OriginParts {
    second: u64,
    tick: u64,
}

impl OriginParts {
    fn of(instant: Instant) -> Option<Self> {
        let Parts { second, nanos } = Parts::of(instant)?;
        Some(Self { second, tick: AGE.checked_sub(u64::from(nanos))? })
    }

    /// The tick of `now`, up to 136 years after the origin's second, so that nothing overflows.
    #[inline]
    fn ticks(self, now: Instant) -> Option<u64> {
        let Parts { second, nanos } = Parts::of(now)?;
        let seconds = second.wrapping_sub(self.second);
        (seconds >> 32 == 0).then(|| self.tick + seconds * NANOS_PER_SECOND + u64::from(nanos))
    }
}

/// An instant as seconds since some origin, and nanoseconds. `std` stores it like this where time
/// is a `timespec` or a `Duration`: on Linux, Android, the BSDs, Apple's systems, Windows and
/// WebAssembly.
///
/// `Instant` exposes them only to a hasher, and does not guarantee what it writes there, so an
/// [`Origin`] compares them with subtraction before it relies on them: see
/// `docs/decisions/0013-instants-are-read-in-parts.md`.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    second: u64,
    nanos: u32,
}

impl Parts {
    #[inline]
    fn of(instant: Instant) -> Option<Self> {
        let mut reader = PartsReader::default();
        instant.hash(&mut reader);
        matches!(reader.fed, Fed::All).then_some(reader.parts)
    }
}

/// Accepts one `u64` (or `i64`), then one `u32`, and nothing else. Inlined, it compiles to two
/// loads.
#[derive(Default)]
struct PartsReader {
    parts: Parts,
    fed: Fed,
}

#[derive(Default)]
enum Fed {
    #[default]
    Nothing,
    Second,
    All,
    Otherwise,
}

impl Hasher for PartsReader {
    /// Receives all other types.
    #[inline]
    fn write(&mut self, _: &[u8]) {
        self.fed = Fed::Otherwise;
    }

    #[inline]
    fn write_u64(&mut self, second: u64) {
        self.parts.second = second;
        self.fed = if matches!(self.fed, Fed::Nothing) { Fed::Second } else { Fed::Otherwise };
    }

    #[inline]
    fn write_u32(&mut self, nanos: u32) {
        self.parts.nanos = nanos;
        self.fed = if matches!(self.fed, Fed::Second) { Fed::All } else { Fed::Otherwise };
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher;
    use std::time::{Duration, Instant};

    use super::{AGE, Epoch, Fed, Origin, OriginParts, PartsReader};

    const SECOND: Duration = Duration::from_secs(1);
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

    #[test]
    fn time_goes_on_before_a_first_reading_that_was_too_late() {
        let now = Instant::now();
        for years in [0, 10, 145, 147, 1_000, 10_000] {
            let epoch = Epoch::default();
            let first = epoch.ticks(now + YEAR * years);
            let [one, other] = [SECOND, SECOND * 2].map(|later| epoch.ticks(now + later));
            assert_eq!(other - one, 1_000_000_000, "{years} years ahead");
            assert!(first >= AGE && (years == 0 || first > other), "{years} years ahead");
        }
    }

    #[test]
    fn ticks_saturate_at_both_ends() {
        let (epoch, now) = (Epoch::default(), Instant::now());
        assert_eq!(epoch.ticks(now), AGE);
        assert_eq!(epoch.ticks(now + YEAR * 600), u64::MAX);
        if let Some(before) = now.checked_sub(YEAR * 150) {
            assert_eq!(epoch.ticks(before), 0);
        }
    }

    #[test]
    fn ticks_are_those_of_subtraction_at_every_distance() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let origin = Instant::now() + Duration::new(random.u64(..1 << 20), random.u32(..1_000_000_000));
            let (epoch, by_subtraction) = (Epoch::default(), Origin { instant: origin, parts: None });
            assert_eq!(epoch.ticks(origin), AGE);
            let magnitude = random.u32(..35);
            let distance = Duration::new(random.u64(..1 << magnitude), random.u32(..1_000_000_000));
            let (later, earlier) = (origin.checked_add(distance), origin.checked_sub(distance));
            for instant in [later, earlier].into_iter().flatten() {
                assert_eq!(epoch.ticks(instant), by_subtraction.ticks(instant), "{distance:?} off the origin");
            }
        }
    }

    #[test]
    fn parts_that_disagree_with_subtraction_are_not_taken() {
        let instant = Instant::now();
        let Some(right) = OriginParts::of(instant) else { return };
        let wrong = [
            OriginParts { second: right.second.wrapping_add(1), ..right },
            OriginParts { second: right.second.wrapping_sub(1), ..right },
            OriginParts { tick: right.tick + 1, ..right },
        ];
        let origin = Origin { instant, parts: None };
        assert!(origin.with_parts(Some(right)).parts.is_some());
        assert!(wrong.iter().all(|wrong| origin.with_parts(Some(*wrong)).parts.is_none()));
    }

    #[test]
    fn without_parts_ticks_are_subtracted() {
        let now = Instant::now();
        let epoch = Epoch::default();
        epoch.0.get_or_init(|| Origin { instant: now, parts: None });
        assert_eq!(epoch.ticks(now + SECOND), AGE + 1_000_000_000);
    }

    #[test]
    fn only_a_second_and_its_nanoseconds_are_parts() {
        type Feed = fn(&mut PartsReader);
        let is_read = |feed: Feed| {
            let mut reader = PartsReader::default();
            feed(&mut reader);
            matches!(reader.fed, Fed::All)
        };
        let feeds: [(bool, Feed); 8] = [
            (true, |to| (to.write_i64(1), to.write_u32(2)).1),
            (true, |to| (to.write_u64(1), to.write_u32(2)).1),
            (false, |to| to.write_u64(1)),
            (false, |to| to.write_u32(2)),
            (false, |to| (to.write_u32(2), to.write_u64(1)).1),
            (false, |to| (to.write_u64(1), to.write_u64(1), to.write_u32(2)).2),
            (false, |to| (to.write_u64(1), to.write_u32(2), to.write_u32(2)).2),
            (false, |to| (to.write_u128(1), to.write_u64(1), to.write_u32(2)).2),
        ];
        for (index, (expected, feed)) in feeds.into_iter().enumerate() {
            assert_eq!(is_read(feed), expected, "feed {index}");
        }
    }
}
