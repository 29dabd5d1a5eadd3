//! The memory that the process holds, where the system reports it, and the bound on its growth.

use std::fs;

use redress_proof::{Law, Laws};

/// The growth allowed after warming up. An allocator keeps an arena for each thread and fills it
/// slowly: half a mebibyte in seven minutes. At a million calls a second, a leak of one byte a call
/// exceeds this in half a minute.
const ALLOWED_GROWTH: u64 = 16 << 20;

/// The memory of the process at one instant, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    /// The highest value so far.
    pub(crate) most: u64,
}

/// Reads it from the system; `None` where there is no `/proc`.
pub(crate) fn read() -> Option<Memory> {
    parse(&fs::read_to_string("/proc/self/status").ok()?)
}

/// The lines `VmRSS` and `VmHWM`, in kilobytes for any page size.
fn parse(status: &str) -> Option<Memory> {
    let kilobytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    };
    Some(Memory { resident: kilobytes("VmRSS")? << 10, most: kilobytes("VmHWM")? << 10 })
}

/// Compares the memory at the end with that of the warm process.
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
    use redress_proof::Laws;

    use super::{Memory, check, parse};

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
