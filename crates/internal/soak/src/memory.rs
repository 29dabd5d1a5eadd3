//! How much memory the process holds, where the system tells.
//!
//! Owns the reading and the bound on growth. Does not know what the memory is for.

use std::fs;

use crate::law::{Law, Laws};

/// What may come on top of what the process holds when it has warmed up. An allocator keeps an
/// arena for each thread and fills it bit by bit; seven minutes took half a mebibyte. At a million
/// calls a second, a leak of one byte a call is over this in half a minute.
const ALLOWED_GROWTH: u64 = 16 << 20;

/// The process's memory at one time, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    /// The most it ever was.
    pub(crate) most: u64,
}

/// What the system says; `None` where there is no `/proc`.
pub(crate) fn read() -> Option<Memory> {
    parse(&fs::read_to_string("/proc/self/status").ok()?)
}

/// The lines `VmRSS` and `VmHWM`, in kilobytes whatever the size of a page.
fn parse(status: &str) -> Option<Memory> {
    let kilobytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    };
    Some(Memory { resident: kilobytes("VmRSS")? << 10, most: kilobytes("VmHWM")? << 10 })
}

/// Compares the end with the warm process.
pub(crate) fn check(laws: &Laws, warm: Option<Memory>, end: Option<Memory>) {
    let (Some(warm), Some(end)) = (warm, end) else { return };
    let bound = warm.resident + ALLOWED_GROWTH;
    laws.require(Law::Memory, end.resident <= bound, || {
        format!(
            "{} when warm, {} at the end, allowed {}",
            mebibytes(warm.resident),
            mebibytes(end.resident),
            mebibytes(bound)
        )
    });
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::{Memory, check, parse};
    use crate::law::Laws;

    #[test]
    fn reads_the_two_lines() {
        let memory = parse("Name:\tsoak\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n").expect("both lines are there");
        assert_eq!((memory.resident, memory.most), (1 << 20, 2 << 20));
        assert!(parse("VmRSS:\t1024 kB\n").is_none());
    }

    #[test]
    fn growth_within_the_bound_is_flat() {
        let memory = |mebibytes: u64| Some(Memory { resident: mebibytes << 20, most: mebibytes << 20 });
        let laws = Laws::default();
        check(&laws, memory(10), memory(26));
        assert!(laws.all_hold());
        check(&laws, memory(10), memory(27));
        assert!(!laws.all_hold());
    }
}
