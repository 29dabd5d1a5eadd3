//! Reads choices from bytes: those of proptest, which shrinks them, or those of a fuzzer, which
//! mutates them.
//!
//! An input that is at its end reads as zeros, and zero is the simplest choice: so every prefix of
//! an input is an input, and a shrunk one is a simpler case.

/// Reads choices from an input, front to back.
#[derive(Debug)]
pub(crate) struct Bytes<'b> {
    rest: &'b [u8],
}

impl<'b> Bytes<'b> {
    pub(crate) const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    /// Reads the next part separately. Its content does not move the parts after it.
    pub(crate) fn part(&mut self, length: usize) -> Self {
        let (part, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        Self { rest: part }
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.next() & 1 == 1
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u8) -> u8 {
        self.next() % end
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.next()) % choices.len()]
    }

    /// Whether a thing is there that is there this often in ten.
    pub(crate) fn often(&mut self, in_ten: u8) -> bool {
        self.below(10) >= 10 - in_ten
    }

    /// Reads a thing that is there this often in ten.
    pub(crate) fn maybe<T>(&mut self, in_ten: u8, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.often(in_ten) { Some(read(self)) } else { None }
    }

    /// Reads fewer things than `end`.
    pub(crate) fn several<T>(&mut self, end: u8, mut read: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(end)).map(|_| read(self)).collect()
    }

    /// The same, and one at least.
    pub(crate) fn some<T>(&mut self, most: u8, mut read: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..=self.below(most)).map(|_| read(self)).collect()
    }
}
