//! A storm from beginning to end: starts the threads and the runtime, reports, and stops them.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use redress_proof::Law;
use tokio::runtime::{Builder, Runtime};

use crate::arguments::Arguments;
use crate::breakers::{self, Parcel};
use crate::memory::{self, Memory};
use crate::operation::Dice;
use crate::scene::Scene;
use crate::watchdog::{self, Pulse};
use crate::{callers, panics, report};

/// Permits on their way to another thread.
const PARCELS: usize = 256;

/// The threads of the runtime: possibly more than cores, so that the system preempts them, too.
const WORKERS: usize = 4;

/// The process is warm after a fifth of the storm, or after a minute of a long one.
fn warm_after(duration: Duration) -> Duration {
    (duration / 5).min(Duration::from_secs(60))
}

/// Runs a storm and prints the report. Returns whether every law held.
pub(crate) fn run(arguments: &Arguments) -> bool {
    panics::silence();
    let start = memory::read();
    let scene = Scene::set(arguments);
    report::opening(scene);
    let crew = Crew::start(scene);
    let main = crew.main();
    let shift = main.shift();
    let began = Instant::now();
    let warm = wait(scene, main, began);
    scene.call_it_over();
    let lasted = began.elapsed();
    crew.join();
    main.beat(0);
    let end = settle(scene, warm);
    drop(shift);
    report::figures(scene, lasted, [start, warm, end]);
    scene.laws.all_hold()
}

/// Reports until the time is over or a law is broken. Returns the memory of the warm process.
fn wait(scene: &Scene, main: &Pulse, began: Instant) -> Option<Memory> {
    let arguments = &scene.arguments;
    let (duration, interval) = (arguments.duration(), arguments.interval());
    let (mut warm, mut told) = (None, Duration::ZERO);
    while began.elapsed() < duration && scene.laws.all_hold() && panics::unexpected() == 0 {
        main.beat(0);
        thread::sleep(Duration::from_millis(50));
        let elapsed = began.elapsed();
        if warm.is_none() && elapsed >= warm_after(duration) {
            warm = memory::read();
        }
        if elapsed >= told + interval {
            report::line(scene, elapsed, memory::read());
            told = elapsed;
        }
    }
    warm
}

/// Makes all checks that must wait for the end; `warm` is the memory in use after warming up.
fn settle(scene: &Scene, warm: Option<Memory>) -> Option<Memory> {
    let (laws, mut dice) = (scene.laws, Dice::new(scene.seed));
    for subject in &scene.subjects {
        // Detached operations outlive their calls by less than a millisecond on a quiet machine.
        // The watchdog limits this wait through the storm's pulse.
        while subject.census.terms.detaches && !subject.census.is_quiet() {
            thread::sleep(Duration::from_millis(1));
        }
        subject.timelines.settle();
        subject.census.settle();
    }
    let (returned, received) = (scene.witness.edges.counts(), scene.witness_told.counts());
    laws.require(Law::Edges, received == returned, || {
        format!("observers received {received:?}, the witness returned {returned:?}")
    });
    scene.circuits.iter().for_each(|circuit| circuit.settle(&mut dice, laws));
    scene.witness.settle_up(&mut dice);
    scene.purses.iter().for_each(|purse| purse.settle(laws));
    laws.balance(Law::Panics, "on purpose", ("thrown", panics::thrown()), ("seen by the hook", panics::seen()));
    laws.balance(Law::Panics, "not on purpose", ("seen", panics::unexpected()), ("allowed", 0));
    let end = memory::read();
    memory::check(laws, warm, end);
    end
}

/// All callers of a storm.
struct Crew {
    threads: Vec<JoinHandle<()>>,
    runtime: Runtime,
    pulses: &'static [Pulse],
}

impl Crew {
    fn start(scene: &'static Scene) -> Self {
        let Arguments { threads, tasks, .. } = scene.arguments;
        let names = (0..threads).map(|number| format!("thread {number}"));
        let names = names.chain((0..tasks).map(|number| format!("task {number}")));
        let names = names.chain([String::from("the weather"), String::from("the storm itself")]);
        let pulses: &'static [Pulse] = Vec::leak(names.map(Pulse::new).collect());
        let mut dice = Dice::new(scene.seed);
        let (elsewhere, parcels) = sync_channel::<Parcel>(PARCELS);
        let mut crew = Self { threads: Vec::new(), runtime: runtime(), pulses };
        for (number, pulse) in pulses.iter().enumerate() {
            crew.start_one(scene, number, pulse, dice.fork(), &elsewhere);
        }
        // Ends when every caller has dropped its sender.
        crew.threads.push(thread::spawn(move || breakers::settle_parcels(&parcels)));
        watchdog::watch(scene, pulses);
        crew
    }

    fn start_one(
        &mut self,
        scene: &'static Scene,
        number: usize,
        pulse: &'static Pulse,
        dice: Dice,
        elsewhere: &SyncSender<Parcel>,
    ) {
        let Arguments { threads, tasks, .. } = scene.arguments;
        let elsewhere = elsewhere.clone();
        if number < threads {
            self.threads.push(thread::spawn(move || {
                let _shift = pulse.shift();
                callers::threads(scene, pulse, dice, &elsewhere);
            }));
        } else if number < threads + tasks {
            self.runtime.spawn(async move {
                let _shift = pulse.shift();
                callers::tasks(scene, pulse, dice, elsewhere).await;
            });
        } else if number == threads + tasks {
            self.threads.push(thread::spawn(move || {
                let _shift = pulse.shift();
                callers::weather(scene, pulse, dice);
            }));
        }
    }

    /// The pulse of the storm, which is the last.
    fn main(&self) -> &'static Pulse {
        self.pulses.last().expect("the storm has a pulse")
    }

    /// Waits until all callers have ended; the watchdog limits the wait.
    fn join(self) {
        self.main().beat(0);
        let callers = &self.pulses[..self.pulses.len() - 1];
        while !callers.iter().all(Pulse::is_over) {
            thread::sleep(Duration::from_millis(1));
        }
        for thread in self.threads {
            // `Err` means a panic, which the panic hook has counted.
            let _ = thread.join();
        }
        drop(self.runtime);
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(WORKERS).enable_time().build().expect("threads for the runtime")
}
