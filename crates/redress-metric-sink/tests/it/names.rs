//! Limits on names.

use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Weak};
use std::thread;

use redress_metric_sink::{LabelValue, LimitedNames, LimitedOperations};

fn names(limit: usize) -> LimitedNames<LabelValue> {
    LimitedNames::new(limit, |name| name)
}

fn text(value: &Arc<LabelValue>) -> &str {
    value.as_str()
}

#[test]
fn the_first_names_are_kept_and_the_rest_share_a_value() {
    let hosts = names(2);
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| hosts.get(Some(name)));
    assert_eq!([&a, &b, &c, &d].map(text), ["a", "b", "other", "other"]);
    assert!(Arc::ptr_eq(&a, &hosts.get(Some("a"))), "made once");
    assert!(Arc::ptr_eq(&c, &d));
    assert_eq!([&a, &b, &c, &d].map(|kept| hosts.is_other(kept)), [false, false, true, true]);
}

#[test]
fn an_empty_name_is_an_absent_one_and_takes_no_place() {
    let hosts = names(1);
    assert_eq!([hosts.get(None), hosts.get(Some(""))].each_ref().map(text), ["none", "none"]);
    assert_eq!(text(&hosts.get(Some("a"))), "a");
    assert_eq!(text(&hosts.get_always(Some(""))), "none");
    assert_eq!(text(&hosts.get_always(None)), "none");
}

#[test]
fn a_name_of_128_bytes_is_kept_and_a_longer_one_is_not() {
    let hosts = names(5);
    let (fits, too_long) = ("é".repeat(64), "é".repeat(64) + "e");
    assert_eq!(text(&hosts.get(Some(&fits))), fits);
    assert_eq!(text(&hosts.get(Some(&too_long))), "other");
    assert_eq!(text(&hosts.get_always(Some(&too_long))), too_long, "the program chose it");
    assert_eq!(text(&hosts.get(Some(&too_long))), too_long, "and it is known then");
}

#[test]
fn a_name_that_was_chosen_ignores_the_limit_and_takes_a_place() {
    let hosts = names(1);
    assert_eq!(text(&hosts.get_always(Some("chosen"))), "chosen");
    assert_eq!(text(&hosts.get_always(Some("chosen too"))), "chosen too");
    assert_eq!(text(&hosts.get(Some("met"))), "other");
}

#[test]
fn a_forgotten_name_frees_its_place() {
    let hosts = names(1);
    let a = hosts.get(Some("a"));
    assert_eq!(hosts.known("a").as_ref().map(text), Some("a"));
    assert_eq!(hosts.known("b").as_ref().map(text), None);
    assert!(Arc::ptr_eq(&hosts.forget("a").unwrap(), &a));
    assert!(hosts.forget("a").is_none() && hosts.known("a").is_none());
    assert_eq!(text(&hosts.get(Some("b"))), "b");
    assert_eq!(
        [hosts.known(""), hosts.forget(""), hosts.known("")].map(|none| text(&none.unwrap()).to_owned()),
        ["none"; 3]
    );
}

#[test]
fn all_are_the_known_names_and_the_absent_one() {
    let hosts = names(2);
    for name in ["a", "b", "c"] {
        hosts.get(Some(name));
    }
    let all = hosts.all();
    assert_eq!(all.iter().map(text).collect::<HashSet<_>>(), HashSet::from(["a", "b", "none"]));
    assert_eq!(all.len(), 3);
}

#[test]
fn threads_that_race_for_the_last_place_share_one_value_for_a_name() {
    for _ in 0..50 {
        let (hosts, together) = (names(1), Barrier::new(4));
        let got: Vec<_> = thread::scope(|scope| {
            let threads = ["a", "a", "b", "b"].map(|name| {
                let (hosts, together) = (&hosts, &together);
                scope.spawn(move || {
                    together.wait();
                    hosts.get(Some(name))
                })
            });
            threads.map(|thread| thread.join().unwrap()).to_vec()
        });
        let kept: Vec<_> = got.iter().filter(|value| !hosts.is_other(value)).collect();
        assert_eq!(kept.len(), 2, "one name has the place: {got:?}");
        assert!(Arc::ptr_eq(kept[0], kept[1]));
    }
}

/// Makes values, and meets another name the first time, as another thread would meanwhile.
fn meeting(met: &'static str) -> Arc<LimitedNames<LabelValue>> {
    Arc::new_cyclic(|hosts: &Weak<LimitedNames<LabelValue>>| {
        let (hosts, meets) = (hosts.clone(), AtomicBool::new(true));
        LimitedNames::new(1, move |name| {
            // There are no hosts yet while the values of the absent name and of the rest are made.
            if let Some(hosts) = hosts.upgrade().filter(|_| meets.swap(false, Ordering::Relaxed)) {
                hosts.get(Some(met));
            }
            name
        })
    })
}

#[test]
fn a_name_that_is_met_while_its_value_is_made_has_one_value() {
    let hosts = meeting("a");
    let a = hosts.get(Some("a"));
    assert!(text(&a) == "a" && Arc::ptr_eq(&a, &hosts.known("a").unwrap()));
    let hosts = meeting("b");
    assert!(hosts.is_other(&hosts.get(Some("a"))));
    assert_eq!(text(&hosts.get(Some("b"))), "b");
}

#[test]
fn paths_have_half_the_places_and_declared_names_have_their_own() {
    let declared = ["GET /health".to_owned(), "list".to_owned()];
    let operations = LimitedOperations::new(3, &declared, |name| name);
    let get = |name: &str| text(&operations.get(Some(name))).to_owned();
    let met = ["/1", "/2", "/3", "a", "/users/{id}", "/users/:id", "b", "list", "GET /health"].map(get);
    assert_eq!(met, ["/1", "/2", "other", "a", "/users/{id}", "/users/:id", "other", "list", "GET /health"]);
    assert_eq!(text(&operations.get(None)), "none");
}

#[test]
fn the_limits_are_printed() {
    assert_eq!(format!("{:?}", names(7)), "LimitedNames { limit: 7, .. }");
    let operations = LimitedOperations::new(7, &[], |name| name);
    let printed = "LimitedOperations { names: LimitedNames { limit: 7, .. }, paths: LimitedNames { limit: 4, .. } }";
    assert_eq!(format!("{operations:?}"), printed);
}

#[test]
fn values_are_equal_if_their_texts_are() {
    let named = |name: &str| LabelValue::from(Arc::<str>::from(name));
    assert_eq!(named("none"), LabelValue::NONE);
    assert_eq!(LabelValue::from("other"), LabelValue::OTHER);
    assert_ne!(named("a"), LabelValue::NONE);
    assert_eq!(HashSet::from([named("none"), LabelValue::NONE, named("a")]).len(), 2);
    let hashes = std::hash::RandomState::new();
    assert_eq!(hashes.hash_one(named("none")), hashes.hash_one(LabelValue::NONE));
    assert_ne!(hashes.hash_one(named("a")), hashes.hash_one(LabelValue::NONE));
}
