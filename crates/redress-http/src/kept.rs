//! A bound on the memory of body frames that are read ahead.

/// The least memory that frames may take besides their bytes, even with a small bound on bytes:
/// room for about 170 frames of 100 bytes.
const LEAST: usize = 16 * 1024;

/// Bounds the kept frames of a body, in bytes and in memory. Without the bound on memory, a body of
/// one-byte frames would take 96 times its length.
///
/// ```
/// use redress::integration::http::KeptFrames;
///
/// let mut kept = KeptFrames::at_most(10, 96);
/// assert!(kept.keep(10));
/// assert!(!kept.keep(0), "an empty frame counts as a byte, or a body of nothing else would be read forever");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct KeptFrames {
    bytes: usize,
    frames: usize,
    max_bytes: usize,
    max_frames: usize,
}

impl KeptFrames {
    /// Creates a bound of this many bytes, for frames that each take `frame_size` bytes of memory
    /// besides their content.
    #[must_use]
    pub const fn at_most(max_bytes: usize, frame_size: usize) -> Self {
        let frame_size = if frame_size == 0 { 1 } else { frame_size };
        Self { bytes: 0, frames: 0, max_bytes, max_frames: max_bytes.saturating_add(LEAST) / frame_size }
    }

    /// Counts a frame of this length. Returns whether the kept frames are still within the bound.
    pub const fn keep(&mut self, length: usize) -> bool {
        let length = if length == 0 { 1 } else { length };
        self.bytes = self.bytes.saturating_add(length);
        self.frames = self.frames.saturating_add(1);
        self.is_within()
    }

    /// Returns whether the kept frames are within the bound.
    #[must_use]
    pub const fn is_within(&self) -> bool {
        self.bytes <= self.max_bytes && self.frames <= self.max_frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_frames_are_bounded_each() {
        let mut few_bytes = KeptFrames::at_most(0, 96);
        assert!(few_bytes.is_within());
        assert!(!few_bytes.keep(1));

        let mut many_frames = KeptFrames::at_most(1_000_000, 96);
        let kept = (1..).take_while(|_| many_frames.keep(1)).count();
        assert_eq!(kept, (1_000_000 + 16_384) / 96);
    }

    #[test]
    fn a_frame_counts_with_its_length_and_an_empty_one_as_a_byte() {
        let mut kept = KeptFrames::at_most(10, 96);
        assert_eq!([9, 0, 0].map(|length| kept.keep(length)), [true, true, false]);
        assert!(!KeptFrames::at_most(10, 96).keep(11));
    }

    #[test]
    fn nothing_overflows() {
        let mut kept = KeptFrames::at_most(usize::MAX, 0);
        assert!(kept.keep(usize::MAX) && kept.keep(usize::MAX));
    }
}
