//! The target `engine_schedule`: calls of one policy, several at a time, polled, answered and
//! dropped in any order in virtual time.
//!
//! Bytes choose the steps. `setup.rs` holds the configuration, `operation.rs` the operation,
//! `log.rs` the notes on each call, `laws.rs` the laws of one call, and `world.rs` the laws of all.
//!
//! Attacks R1, R2, R3, R4, B1, C2, C3, C4, C5.

mod call;
mod counted;
mod laws;
mod log;
mod operation;
mod setup;
mod world;

use self::call::Manner;
use self::operation::Answer;
use self::setup::Setup;
use self::world::World;
use crate::reader::Reader;

/// Longer schedules find nothing more.
const MOST_STEPS: usize = 500;

/// Starts, polls, answers, aborts and drops calls in any order. Checks every law of the engine
/// after every step.
///
/// # Panics
///
/// If a law is broken.
pub fn engine_schedule(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    let setup = Setup::read(&mut reader);
    let policies = setup.policies();
    let mut world = World::new(&setup, &policies);
    for _ in 0..MOST_STEPS {
        if reader.is_at_end() {
            break;
        }
        step(&mut world, &mut reader);
        world.holds();
    }
    world.ends_well();
}

fn step(world: &mut World<'_>, reader: &mut Reader<'_>) {
    // The upper bits choose the call, so that a step on another call differs in one byte. The bits
    // between choose the settings of a new call.
    let choice = reader.u8();
    let slot = usize::from(choice >> 6);
    let manner = |reader: &mut Reader<'_>, now| Manner::of(reader.u8(), choice & 16 == 0, choice & 32 != 0, now);
    match choice % 16 {
        0 | 1 => world.start(slot, manner(reader, world.now())),
        2..6 => world.poll(slot),
        6..9 => world.answer(slot, Answer::read(reader)),
        9 => world.pass(reader.ticks()),
        10 => world.pass(std::time::Duration::from_nanos(1)),
        11 => world.drop_call(slot),
        12 => world.ask_to_abort(slot),
        13 => world.block(manner(reader, world.now()), reader),
        14 => drop(world.try_once(Answer::read(reader))),
        _ => world.poll_all(),
    }
}
