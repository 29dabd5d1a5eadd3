//! What redress costs, beside other crates that do the same: time, instructions, allocations and sizes, case by case.
//!
//! In reading order: what is run (`operation`, `case`, `cases`), what is measured (`callgrind`).

#![forbid(unsafe_code)]

mod operation;

mod case;
mod cases;

mod callgrind;

/// The whole program.
pub fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("rt");
    let _in = runtime.enter();
    let args: Vec<String> = std::env::args().collect();
    let after = |name: &str| args.iter().position(|a| a == name).and_then(|i| args.get(i + 1));
    let all = cases::all();
    if let (Some(id), Some(n)) = (after("--case"), after("--iterations")) {
        let case = all.iter().find(|c| c.id() == *id).expect("case");
        let batch = (case.prepare)();
        allocation_counter::opt_out(|| batch(n.parse().expect("n")));
        return;
    }
    for case in all {
        let n = callgrind::instructions(&case);
        println!("{:45} {:?} reach {:?}", case.id(), n, case.reach.instructions);
    }
}
