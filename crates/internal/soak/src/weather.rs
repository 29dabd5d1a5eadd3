//! The conditions of a storm: the share of attempts that fail, and the disturbances of clocks.
//!
//! Fair weather lets circuits close and budgets fill; foul weather opens and empties them.

use std::thread;
use std::time::Duration;

use crate::dice::Dice;
use crate::scene::Scene;
use crate::watchdog::Pulse;

/// Attempts in a hundred that fail.
const WEATHERS: &[u32] = &[0, 2, 10, 40, 80, 98];

pub(crate) fn run(scene: &Scene, pulse: &Pulse, mut dice: Dice) {
    while !scene.is_over() {
        pulse.beat(0);
        scene.set_failing_percent(*dice.pick(WEATHERS));
        if dice.one_in(2) {
            scene.wild.jump(1_000 * dice.micros(2_000));
        }
        for purse in &scene.purses {
            let jump = if dice.one_in(4) { purse.budget.window() } else { Duration::ZERO };
            purse.disturb(dice.one_in(4), jump);
        }
        thread::sleep(Duration::from_micros(500) + dice.micros(3_000));
    }
}
