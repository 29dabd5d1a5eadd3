//! Keeps an observer from reporting what happens while it reports.
//!
//! A hook or a transport of Sentry's client may itself call through an observed policy, on the same
//! thread. A report from there would wait for the hub's lock, which `add_breadcrumb` holds while
//! `before_breadcrumb` runs, or would report the failure to report, without end.

use std::cell::Cell;

thread_local! {
    static REPORTING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `report`, unless it is called from within one on this thread. After the thread has
/// destroyed its locals there is no hub to report to.
pub(crate) fn once(report: impl FnOnce()) {
    if REPORTING.try_with(|reporting| reporting.replace(true)) == Ok(false) {
        let _reset = Reset;
        report();
    }
}

/// Also for a hook that panics.
struct Reset;

impl Drop for Reset {
    fn drop(&mut self) {
        // The flag is of no use to a thread that has destroyed it.
        let _ = REPORTING.try_with(|reporting| reporting.set(false));
    }
}
