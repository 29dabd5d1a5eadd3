//! The tables with a tenth of the traffic, the server and the clients, so that they take
//! seconds: who recovers, in which order, and the two laws.

use crate::cell::Cell;
use crate::mechanisms::Mechanism;
use crate::page;
use crate::scene::Scene;
use crate::tables::{Plan, SIZES, Table, chances, http, lengths, loads, plans, sizes, waits};

const SHRINK: u32 = 10;

/// Measures a table under one seed, with no more than `after` seconds after each outage.
#[track_caller]
fn measured(mut plan: Plan, after: u64) -> Table {
    for (_, scene) in plan.rows.iter_mut().flat_map(|row| &mut row.scenes) {
        scene.after = scene.after.min(after);
    }
    plan.measure(1).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// `sooner` recovers before `later` at each size, or none of the two does.
#[track_caller]
fn expect_order(table: &Table, sooner: Mechanism, later: Mechanism) {
    let cells = table.row(sooner).iter().zip(table.row(later));
    for (size, (one, other)) in SIZES.iter().zip(cells) {
        let is_in_order = one.median() < other.median() || one.median() == u64::MAX;
        assert!(is_in_order, "{size} clients: {sooner:?} {one}, {later:?} {other}");
    }
}

#[test]
fn which_mechanism_recovers_depends_on_the_number_of_clients() {
    let table = measured(sizes(SHRINK), 220);
    expect_order(&table, Mechanism::ServerDrops(20), Mechanism::NoRetries);
    expect_order(&table, Mechanism::NoRetries, Mechanism::Window);
    expect_order(&table, Mechanism::NoRetries, Mechanism::DefaultBreaker);
    expect_order(&table, Mechanism::DefaultBreaker, Mechanism::Window);
    expect_order(&table, Mechanism::Earned(10.0), Mechanism::Earned(100.0));
    expect_order(&table, Mechanism::Earned(10.0), Mechanism::Window);
    expect_order(&table, Mechanism::RatioAndEarned, Mechanism::Ratio);
    expect_products_to_agree(&table);
}

/// With earned budgets only clients × capacity counts, beside the traffic.
#[track_caller]
fn expect_products_to_agree(table: &Table) {
    let [hundred, ten, one] = [100.0, 10.0, 1.0].map(|capacity| table.row(Mechanism::Earned(capacity)));
    for [one, other] in [[&hundred[0], &ten[1]], [&ten[1], &one[2]], [&ten[0], &one[1]]] {
        let (one, other) = (one.median(), other.median());
        assert!(one.abs_diff(other) <= one.max(other) / 4, "{one} s and {other} s");
    }
}

#[test]
fn the_http_preset_outlives_every_outage_with_every_number_of_clients() {
    measured(http(SHRINK), 220);
}

#[test]
fn a_part_of_a_token_protects_from_clients_that_call_rarely() {
    measured(chances(SHRINK), 100);
}

#[test]
fn longer_waits_do_not_end_an_overload() {
    measured(waits(SHRINK), 100);
}

/// Without a budget an outage stays for good if load × attempts exceeds the capacity.
#[test]
fn below_a_quarter_of_the_capacity_four_attempts_recover() {
    let mut plan = loads(SHRINK);
    // With so little traffic, 24 % and 26 % are within the noise.
    plan.rows.retain(|row| !["24 %", "26 %"].contains(&row.name.as_str()));
    measured(plan, 100);
}

#[test]
fn a_second_without_answers_is_survived_and_two_are_not() {
    measured(lengths(SHRINK), 100);
}

#[test]
fn a_cell_says_whether_its_seeds_agree() {
    let cases = [
        (&[Some(5), Some(5), Some(5)][..], "5 s", Some(true), 5),
        (&[Some(9), Some(2), Some(7)], "2 to 9 s", Some(true), 7),
        (&[None, Some(2), None], "2 s, or never", None, u64::MAX),
        (&[None, None, None], "**never**", Some(false), u64::MAX),
    ];
    for (recoveries, text, recovers, median) in cases {
        let cell = Cell::new(recoveries.to_vec());
        assert_eq!((cell.to_string().as_str(), cell.recovers(), cell.median()), (text, recovers, median));
    }
}

#[test]
fn a_cell_that_is_not_as_planned_is_named() {
    let mut plan = waits(100);
    plan.rows.truncate(1);
    plan.rows[0].recovers = vec![true];
    plan.rows[0].scenes[0].1 = Scene { after: 20, ..plan.rows[0].scenes[0].1 };
    let wrong = plan.measure(1).map(|_| ()).expect_err("it never recovers");
    assert!(
        wrong.starts_with("waits: 2 attempts, waits from 100 ms, recovery: **never**, where it recovers"),
        "{wrong}"
    );
}

#[test]
fn the_page_has_a_place_for_every_table() {
    let page = page::read().expect("the page");
    for mut plan in plans(100) {
        plan.rows.clear();
        let table = measured(plan, 1);
        page::with_table(&page, &table).unwrap_or_else(|error| panic!("{error}"));
    }
}
