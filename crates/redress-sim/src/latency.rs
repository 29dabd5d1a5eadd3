//! Counts of durations in buckets whose width grows with the duration, for percentiles.

use std::time::Duration;

use crate::clock::Nanos;

/// Buckets for each doubling of the time: a percentile is at most 1/32 too long.
const PER_DOUBLING: u32 = 32;

/// Shorter times, of about a microsecond, share one bucket.
const SHORTEST_BITS: u32 = 10;

/// How many calls took how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Latencies {
    /// As long as the longest time needs.
    counts: Vec<u32>,
    total: u64,
}

impl Latencies {
    pub(crate) fn record(&mut self, time: Nanos) {
        let bucket = bucket(time);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] = self.counts[bucket].saturating_add(1);
        self.total += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.total += other.total;
    }

    /// The time that this share of the calls did not exceed, rounded up to the end of a bucket.
    pub(crate) fn percentile(&self, share: f64) -> Option<Duration> {
        if self.total == 0 {
            return None;
        }
        let rank = (share.clamp(0.0, 1.0) * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += u64::from(*count);
            seen >= rank
        });
        bucket.map(|bucket| Duration::from_nanos(end_of(bucket)))
    }
}

fn bucket(time: Nanos) -> usize {
    let bits = 64 - time.leading_zeros();
    let shift = bits.saturating_sub(SHORTEST_BITS);
    let doubling = u64::from(shift * PER_DOUBLING);
    let within = if shift == 0 { 0 } else { (time >> (bits - 1 - 5)) & u64::from(PER_DOUBLING - 1) };
    (doubling + within) as usize
}

/// The shortest time that is in no bucket up to this one.
fn end_of(bucket: usize) -> Nanos {
    let next = bucket as u64 + 1;
    let (shift, within) = (next / u64::from(PER_DOUBLING), next % u64::from(PER_DOUBLING));
    if shift == 0 {
        return 1 << SHORTEST_BITS;
    }
    let begin = 1u128 << (u64::from(SHORTEST_BITS) - 1 + shift);
    let end = begin + begin / u128::from(PER_DOUBLING) * u128::from(within);
    u64::try_from(end).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Latencies, bucket, end_of};

    #[test]
    fn a_time_lies_in_its_bucket_and_no_bucket_is_wide() {
        for time in (0..63).flat_map(|bits| [1u64 << bits, (1 << bits) + 1, (1 << bits) * 3 / 2, (1 << bits) - 1]) {
            let end = end_of(bucket(time));
            assert!(time < end, "{time} {end}");
            assert!(time < 1024 || end - time <= time / 32 + 1, "{time} {end}");
        }
        assert_eq!(bucket(u64::MAX), bucket(u64::MAX - 1));
    }

    #[test]
    fn percentiles_are_times_that_so_many_did_not_exceed() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(0.5), None);
        for millis in 1..=1000 {
            latencies.record(millis * 1_000_000);
        }
        for (share, expected) in [(0.0, 1), (0.5, 500), (0.9, 900), (0.99, 990), (1.0, 1000)] {
            let found = latencies.percentile(share).expect("recorded");
            let expected = Duration::from_millis(expected);
            assert!(found >= expected && found <= expected * 33 / 32, "{found:?} for {share}");
        }
    }

    #[test]
    fn added_counts_are_counts_of_both() {
        let [mut short, mut long] = [Latencies::default(), Latencies::default()];
        short.record(2_000_000);
        long.record(2_000_000_000);
        short.add(&long);
        assert!(short.percentile(0.5).expect("recorded") < Duration::from_millis(3));
        assert!(short.percentile(0.51).expect("recorded") > Duration::from_secs(2));
    }
}
