//! The laws of the target `strategies` as a property: proptest's bytes, which it shrinks.

use proptest::collection::vec;
use proptest::prelude::{any, proptest};

proptest! {
    #[test]
    fn every_strategy_keeps_its_bounds(bytes in vec(any::<u8>(), 0..120)) {
        redress_fuzz::strategies(&bytes);
    }
}
