//! What a fault does to the seconds of a report, and when the recovery is said to be over.

use redress_core::ErrorClass;
use redress_sim::{Clients, Fault, Load, Report, Scenario, Server};

use crate::{millis, once, secs};

fn run(faults: &[Fault]) -> Report {
    let mut scenario = Scenario::new(Load::steady(50), Server::new(1, millis(10))).horizon(secs(60));
    for fault in faults {
        scenario = scenario.fault(fault.clone());
    }
    scenario.run(Clients::sharing(1, once())).expect("valid")
}

#[test]
fn without_faults_nothing_fails() {
    let report = run(&[]);
    assert_eq!(report.sum(0..59).failed, 0);
    assert_eq!(report.sum(0..59).offered, report.sum(0..59).good);
    assert_eq!(report.recovery(), Some(secs(0)), "there is nothing to recover from");
}

#[test]
fn a_call_counts_in_the_second_in_which_it_was_made() {
    let report = run(&[Fault::stands_still(secs(10), secs(20))]);
    assert_eq!(report.sum(0..9).failed, 0);
    assert_eq!(report.sum(11..19).good, 0, "none of these gets its answer within a second");
    assert!(report.sum(40..59).failed == 0 && report.sum(40..59).good > 0);
}

#[test]
fn the_recovery_begins_with_the_end_of_the_last_fault() {
    // A tenth of the calls fails: too many, until the errors end.
    let faults = [
        Fault::errors(secs(5), secs(30), 0.1, ErrorClass::Permanent),
        Fault::errors(secs(2), secs(3), 1.0, ErrorClass::Permanent),
    ];
    assert_eq!(run(&faults).recovery(), Some(secs(0)));
    let long = [Fault::errors(secs(5), secs(51), 0.1, ErrorClass::Permanent)];
    assert_eq!(run(&long).recovery(), None, "nine seconds are too few to tell");
}

#[test]
fn a_slow_server_answers_fewer_requests() {
    let report = run(&[Fault::slow(secs(10), secs(30), 4)]);
    let answered = report.sum(12..30).good + report.sum(12..30).unheard;
    assert!((18 * 20..18 * 27).contains(&answered), "{answered} at 25 a second");
}
