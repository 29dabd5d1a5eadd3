//! [`Stripes`], places for the counters of each thread, and the number of each live thread that
//! selects one.
//!
//! A thread whose number is below the number of stripes has a stripe to itself, so it counts there
//! with a plain load and a plain store. All other threads share the remaining stripes.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::thread::available_parallelism;

#[cfg(all(test, loom))]
use crate::sync::Arc;
use crate::sync::{Mutex, OnceLock, thread_local};

/// The largest number of stripes that a cell has of each kind.
const MOST: usize = 64;

/// The number of a thread that has not asked for one.
const UNKNOWN: usize = usize::MAX;

/// The number of a thread that has given its number back: it is ending.
const ENDING: usize = usize::MAX - 1;

/// Counters of one thread, or of the threads that share them. Two stripes never share a cache line:
/// processors fetch lines of 64 bytes in pairs, and some have lines of 128.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe<T>(T);

/// Places for counters, of which each thread uses one.
///
/// **Invariant T1**: a place that [`own`](Self::own) returns, or [`here`](Self::here) as
/// [`Here::Own`], is written by no other thread until the caller's thread has ended, and then what
/// the thread wrote is visible to the next owner.
#[derive(Debug)]
pub(crate) struct Stripes<T> {
    own: Box<[Stripe<T>]>,
    shared: Shared<T>,
}

/// The places of the threads that have none to themselves.
#[derive(Debug)]
enum Shared<T> {
    /// In place, and not on a line alone: all threads write to it.
    One(T),
    Striped(Box<[Stripe<T>]>),
}

/// The place of the running thread.
#[derive(Debug)]
pub(crate) enum Here<'a, T> {
    /// No other thread writes here.
    Own(&'a T),
    /// Other threads may write here at the same time.
    Shared(&'a T),
}

impl<T: Default> Stripes<T> {
    /// Stripes for twice as many threads as can run at a time, and half as many that the others
    /// share. Threads that wait hold a number too: with one for each that can run, a main thread
    /// that waits for its workers makes one of them share.
    pub(crate) fn per_thread() -> Self {
        let count = most_at_once();
        Self::new(2 * count, count)
    }

    /// A single place for all threads, where memory matters more than speed. Allocates nothing.
    pub(crate) fn single() -> Self {
        Self { own: Box::default(), shared: Shared::One(T::default()) }
    }

    pub(crate) fn new(own: usize, shared: usize) -> Self {
        let make = |count| (0..count).map(|_| Stripe::default()).collect();
        Self { own: make(own), shared: Shared::Striped(make(shared.max(1))) }
    }
}

/// The number of the running thread, or one that no stripe has if the thread has not asked for one.
///
/// In a library, reading a thread-local is a call. So a caller that counts in several stripes reads
/// it once, while few registers are in use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thread(usize);

impl Thread {
    #[inline]
    pub(crate) fn current() -> Self {
        Self(known_number())
    }
}

impl<T> Stripes<T> {
    /// The place of the running thread, if it has one to itself and has been here before.
    #[inline]
    pub(crate) fn own(&self, thread: Thread) -> Option<&T> {
        self.own.get(thread.0).map(|stripe| &stripe.0)
    }

    /// The place of the running thread.
    #[inline]
    pub(crate) fn here(&self) -> Here<'_, T> {
        self.own(Thread::current()).map_or_else(|| self.here_rarely(), Here::Own)
    }

    #[cold]
    #[inline(never)]
    fn here_rarely(&self) -> Here<'_, T> {
        self.of(number())
    }

    fn of(&self, number: usize) -> Here<'_, T> {
        match self.own.get(number) {
            Some(stripe) => Here::Own(&stripe.0),
            None => Here::Shared(self.shared.of(number)),
        }
    }

    /// All places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let (one, striped) = match &self.shared {
            Shared::One(one) => (Some(one), &[][..]),
            Shared::Striped(striped) => (None, &**striped),
        };
        self.own.iter().chain(striped).map(|stripe| &stripe.0).chain(one)
    }
}

impl<T> Shared<T> {
    fn of(&self, number: usize) -> &T {
        match self {
            Self::One(one) => one,
            Self::Striped(striped) => &striped[number % striped.len()].0,
        }
    }
}

/// How many threads can run at a time, rounded up to a power of two.
fn most_at_once() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| available_parallelism().map_or(1, usize::from).next_power_of_two().min(MOST))
}

/// The numbers that no live thread has. Free numbers are given out again, the lowest first.
#[derive(Debug)]
struct Numbers {
    free: BTreeSet<usize>,
    /// The lowest number that no thread has had.
    next: usize,
}

impl Numbers {
    const fn new() -> Self {
        Self { free: BTreeSet::new(), next: 0 }
    }

    fn take(&mut self) -> usize {
        if let Some(number) = self.free.pop_first() {
            return number;
        }
        self.next += 1;
        self.next - 1
    }

    fn give_back(&mut self, number: usize) {
        self.free.insert(number);
    }
}

#[cfg(not(all(test, loom)))]
type Pool = &'static Mutex<Numbers>;

#[cfg(not(all(test, loom)))]
fn pool() -> Pool {
    static NUMBERS: Mutex<Numbers> = Mutex::of(Numbers::new());
    &NUMBERS
}

/// The model checker drops its statics before the thread-locals of the last thread.
#[cfg(all(test, loom))]
type Pool = Arc<Mutex<Numbers>>;

#[cfg(all(test, loom))]
fn pool() -> Pool {
    loom::lazy_static! {
        static ref NUMBERS: Pool = Arc::new(Mutex::new(Numbers::new()));
    }
    Arc::clone(&NUMBERS)
}

/// A number that the running thread holds until it ends.
struct Claim {
    number: usize,
    pool: Pool,
}

impl Claim {
    fn new() -> Self {
        let pool = pool();
        let number = pool.lock().take();
        Self { number, pool }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // ORDER: before the number is given back. Destructors of other thread-locals may still make
        // calls, and would count in a stripe that then belongs to another thread.
        let _ = NUMBER.try_with(|number| number.set(ENDING));
        // The lock of the pool orders the writes of this thread before those of the next owner.
        self.pool.lock().give_back(self.number);
    }
}

#[cfg(not(all(test, loom)))]
thread_local! {
    /// A copy of the claimed number. It has no destructor, so reading it is one load.
    static NUMBER: Cell<usize> = const { Cell::new(UNKNOWN) };
}

#[cfg(all(test, loom))]
thread_local! {
    static NUMBER: Cell<usize> = Cell::new(UNKNOWN);
}

thread_local! {
    static CLAIM: Claim = Claim::new();
}

/// The number of the running thread: lower than the number of live threads that have one, unless
/// more have lived at a time before.
fn number() -> usize {
    match known_number() {
        UNKNOWN => claim(),
        number => number,
    }
}

#[inline]
fn known_number() -> usize {
    NUMBER.try_with(Cell::get).unwrap_or(ENDING)
}

#[cold]
#[inline(never)]
fn claim() -> usize {
    // The claim cannot be made while the thread's destructors run.
    let number = CLAIM.try_with(|claim| claim.number).unwrap_or(ENDING);
    let _ = NUMBER.try_with(|known| known.set(number));
    number
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::{ENDING, Here, Numbers, Stripes, number};

    fn is_own<T>(here: &Here<'_, T>) -> bool {
        matches!(here, Here::Own(_))
    }

    #[test]
    fn the_lowest_free_number_is_given_out_first() {
        let mut numbers = Numbers::new();
        assert_eq!([(); 4].map(|()| numbers.take()), [0, 1, 2, 3]);
        numbers.give_back(2);
        numbers.give_back(0);
        assert_eq!([(); 3].map(|()| numbers.take()), [0, 2, 4]);
    }

    #[test]
    fn a_thread_keeps_its_number_and_no_two_live_threads_have_the_same() {
        let own = number();
        assert_eq!(number(), own);
        let (all_run, others) = (Barrier::new(8), 0..8);
        let others: Vec<usize> = thread::scope(|scope| {
            let threads: Vec<_> = others
                .map(|_| {
                    scope.spawn(|| {
                        let number = number();
                        all_run.wait();
                        number
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        let mut distinct = others.clone();
        distinct.push(own);
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 9, "{others:?}");
    }

    #[test]
    fn a_number_comes_back_when_its_thread_has_ended() {
        // Other tests run at the same time and take numbers too, so this looks at many threads.
        let numbers: Vec<usize> = (0..1_000).map(|_| thread::spawn(number).join().expect("no panic")).collect();
        assert!(numbers.iter().all(|number| *number < 500), "numbers leak: {:?}", numbers.iter().max());
    }

    #[test]
    fn a_destructor_of_an_ending_thread_counts_in_a_shared_stripe() {
        thread_local! {
            static LATE: Late = const { Late };
        }
        struct Late;
        impl Drop for Late {
            fn drop(&mut self) {
                ENDED.store(number(), Ordering::Relaxed);
            }
        }
        static ENDED: AtomicUsize = AtomicUsize::new(0);
        // Destructors run in the order of registration on some systems, in reverse on others. So in
        // one of the two orders the claim ends first.
        let ended = [true, false].map(|first| {
            let run = move || {
                if first {
                    LATE.with(|_| {});
                }
                let own = number();
                if !first {
                    LATE.with(|_| {});
                }
                own
            };
            let own = thread::spawn(run).join().expect("no panic");
            let ended = ENDED.load(Ordering::Relaxed);
            assert!(ended == ENDING || ended == own, "{ended}");
            ended
        });
        assert!(ended.contains(&ENDING), "{ended:?}");
    }

    #[test]
    fn numbers_beyond_the_own_stripes_share() {
        let stripes: Stripes<u8> = Stripes::new(2, 2);
        assert_eq!([0, 1, 2, 3, ENDING].map(|number| is_own(&stripes.of(number))), [true, true, false, false, false]);
        let single: Stripes<u8> = Stripes::single();
        assert!(!is_own(&single.of(0)));
        assert_eq!((stripes.iter().count(), single.iter().count()), (4, 1));
    }

    #[test]
    fn stripes_do_not_share_cache_lines() {
        assert_eq!(size_of::<super::Stripe<u64>>(), 128);
        assert_eq!(size_of::<super::Stripe<[u64; 16]>>(), 128);
        let most = super::most_at_once();
        assert!(most.is_power_of_two() && most <= super::MOST);
    }
}
