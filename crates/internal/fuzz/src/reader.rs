//! Reads choices from bytes.
//!
//! An input that is at its end reads as zeros, so every prefix of an input is an input, and
//! changing one byte changes one choice.

use std::time::Duration;

use redress_core::ErrorClass;

/// Reads choices from an input, front to back.
#[derive(Debug)]
pub(crate) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(crate) const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn u8(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from(self.u32()) << 32 | u64::from(self.u32())
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.u8() & 1 == 1
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u8) -> u8 {
        self.u8() % end
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.u8()) % choices.len()]
    }

    pub(crate) fn class(&mut self) -> ErrorClass {
        self.one_of(ErrorClass::ALL)
    }

    /// Reads a flag, then calls `read` if it is set.
    pub(crate) fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flag() { Some(read(self)) } else { None }
    }

    /// Any duration, with extreme values more often than by chance.
    pub(crate) fn any_duration(&mut self) -> Duration {
        match self.below(10) {
            0 => Duration::ZERO,
            1 => Duration::MAX,
            2 => Duration::from_nanos(1),
            3 => Duration::from_nanos(u64::MAX),
            4 => Duration::from_nanos(u64::MAX) + Duration::from_nanos(1),
            5 => Duration::from_nanos(self.u8().into()),
            6 => Duration::from_millis(self.u16().into()),
            7 => Duration::from_nanos(self.u64()),
            8 => Duration::from_secs(self.u8().into()),
            _ => Duration::new(self.u64(), self.u32() % 1_000_000_000),
        }
    }

    /// The next bytes, up to `most`.
    pub(crate) fn take(&mut self, most: usize) -> &'b [u8] {
        let (taken, rest) = self.rest.split_at(most.min(self.rest.len()));
        self.rest = rest;
        taken
    }
}
