//! The laws hold for the engine alone, without the model.
//!
//! Attacks R1, R2, R3, R4, B1, C1, C2, C3, C4, C5.

use proptest::prelude::{prop_assert, proptest};
use proptest::test_runner::Config;

use super::{crowds, worlds};
use crate::laws::case::broken_by;
use crate::play::DRIVERS;
use crate::world::Driver;

fn config() -> Config {
    super::config(concat!(env!("CARGO_MANIFEST_DIR"), "/regressions/laws.txt"))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_laws_hold_in_every_case(world in worlds()) {
        let breach = DRIVERS.into_iter().find_map(|driver| broken_by(&world, driver));
        prop_assert!(breach.is_none(), "{}", breach.unwrap_or_default());
    }

    #[test]
    fn the_laws_hold_for_calls_under_way_at_once(world in crowds()) {
        let breach = broken_by(&world, Driver::Async);
        prop_assert!(breach.is_none(), "{}", breach.unwrap_or_default());
    }
}
