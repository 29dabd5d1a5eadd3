//! Counts the exchanges of an attempt: one, and one more for each redirect that reqwest followed.
//!
//! reqwest's errors do not say whether a redirect was followed, and name the first URL even if the
//! last one failed. Its retry policy sees every exchange, on the thread that polls the request. So
//! a thread-local is the attempt that is being polled.

use std::cell::Cell;

thread_local! {
    static ENDED: Cell<u32> = const { Cell::new(0) };
}

/// Counts an exchange that ended, with a response or an error.
pub(crate) fn count() {
    ENDED.set(ENDED.get().saturating_add(1));
}

/// Runs `poll`, and returns the number of exchanges that ended meanwhile. Those of a call within it
/// are not counted.
pub(crate) fn during<A>(poll: impl FnOnce() -> A) -> (A, u32) {
    let outer = Restore(ENDED.replace(0));
    let result = poll();
    let ended = ENDED.get();
    drop(outer);
    (result, ended)
}

struct Restore(u32);

impl Drop for Restore {
    fn drop(&mut self) {
        ENDED.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_within_an_attempt_has_its_own_count() {
        let (inner, outer) = during(|| {
            count();
            let ((), inner) = during(|| {
                count();
                count();
            });
            inner
        });
        assert_eq!((inner, outer), (2, 1));
    }

    #[test]
    fn a_panic_leaves_the_outer_count() {
        let ((), outer) = during(|| {
            count();
            let panics = || {
                during(|| {
                    count();
                    panic!("in an attempt");
                })
            };
            assert!(std::panic::catch_unwind(panics).is_err());
        });
        assert_eq!(outer, 1);
    }
}
