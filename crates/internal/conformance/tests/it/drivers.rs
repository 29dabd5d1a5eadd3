//! Runs the recorded scenarios through every driver.

use redress_conformance::{DRIVERS, recorded_scenarios};

/// Limits the fields printed for one scenario, so that several fit on a screen.
const SHOWN: usize = 6;

/// A test for each driver, by its name in the list.
macro_rules! reproduce_every_scenario {
    ($($test:ident: $driver:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                reproduces_every_scenario($driver);
            }
        )*

        #[test]
        fn no_driver_is_left_out() {
            assert_eq!(DRIVERS.map(|driver| driver.name), [$($driver),*]);
        }
    };
}

reproduce_every_scenario! {
    blocking: "blocking",
    tokio: "tokio",
    tokio_by_hand: "tokio, by hand",
    tower: "tower",
}

fn reproduces_every_scenario(name: &str) {
    let driver = DRIVERS.iter().find(|driver| driver.name == name).expect("a driver of the list");
    let mut differing = Vec::new();
    for scenario in recorded_scenarios() {
        let mismatches = match driver.run(&scenario) {
            Ok(traces) => scenario.mismatches(&traces).iter().take(SHOWN).map(ToString::to_string).collect(),
            Err(panicked) => vec![panicked],
        };
        differing.extend(mismatches.iter().map(|mismatch| format!("{}: {mismatch}", scenario.id())));
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
