//! The engine and the model agree: the same outcomes, events, waits, hook calls and states, in the
//! same order.

use proptest::prelude::{prop_assert, proptest};
use proptest::test_runner::Config;

use super::{crowds, differs_anywhere, worlds};
use crate::note::{Ending, What};
use crate::play::play;
use crate::world::{Act, Driver, World};

fn config() -> Config {
    super::config(concat!(env!("CARGO_MANIFEST_DIR"), "/regressions/equality.txt"))
}

/// For properties whose cases are many plays each.
fn fewer() -> Config {
    let config = config();
    Config { cases: config.cases.div_ceil(8), ..config }
}

/// The case, with its first call dropped after so many polls.
fn cut_after(world: &World, polls: u8) -> World {
    let cut = [Act::Steps(0, polls), Act::Drop(0)];
    World { acts: cut.into_iter().chain(world.acts.iter().copied()).collect(), ..world.clone() }
}

proptest! {
    #![proptest_config(config())]

    /// Attacks R1, R2, R3, R4, B1, C1, C2, C3, C5.
    #[test]
    fn the_engine_does_what_the_model_does(world in worlds()) {
        let difference = differs_anywhere(&world);
        prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
    }

    /// Several concurrent calls through one breaker, with late results and dropped futures.
    ///
    /// Attacks B1, C1, C2, C3, C4, C5.
    #[test]
    fn calls_under_way_at_once_share_what_the_model_says(world in crowds()) {
        let difference = play(&world, Driver::Async).difference();
        prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
    }
}

proptest! {
    #![proptest_config(fewer())]

    /// Attacks R4, C3.
    #[test]
    fn a_call_can_be_dropped_after_any_poll(world in worlds()) {
        for polls in 0..20 {
            let played = play(&cut_after(&world, polls), Driver::Async);
            let difference = played.difference();
            prop_assert!(difference.is_none(), "after {polls} polls: {}", difference.unwrap_or_default());
            let dropped = played.subject.iter().any(|note| {
                note.call == 0 && matches!(&note.what, What::Ended(ending) if **ending == Ending::Dropped)
            });
            if !dropped {
                break;
            }
        }
    }
}
