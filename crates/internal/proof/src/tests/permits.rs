//! The breaker does what the reference does, under any order of permits and clock readings.
//!
//! Attacks C1, C2, C3, C4, C5.

use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use proptest::test_runner::Config;

use crate::draw::BREAKER;
use crate::permits::permit_schedule;

fn config() -> Config {
    super::config(concat!(env!("CARGO_MANIFEST_DIR"), "/regressions/permits.txt"))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_breaker_does_what_the_reference_does(breaker in vec(any::<u8>(), BREAKER), steps in vec(any::<u8>(), 0..120)) {
        permit_schedule(&[breaker, steps].concat());
    }
}
