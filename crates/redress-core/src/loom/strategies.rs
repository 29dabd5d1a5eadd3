//! Models of the state that strategies share between calls: learned results, and a seeded
//! generator.
//!
//! They check that concurrent calls lose nothing and count nothing twice.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Timeline, at_once, explore};
use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::strategy::{BackoffContext, Feedback, Strategy, adaptive, equal_jitter, fixed};

#[test]
fn what_is_learned_at_once_is_all_learned() {
    explore("a success and a failure learned beside a delay", || {
        let time = Timeline::new();
        // With half of the results failed and no tolerance, the multiplier is halfway from 1 to 5.
        let strategy = Arc::new(adaptive(fixed(Duration::from_secs(1))).target_success(1.0));
        let failure = Classification::new(ErrorClass::Transient);
        let delay = |now| strategy.delay(&BackoffContext::new(1, &failure, now));
        let learn = |feedback| {
            let strategy = Arc::clone(&strategy);
            move || strategy.learn(feedback, time.at(0))
        };
        let others = vec![learn(Feedback::Success), learn(Feedback::Failure(ErrorClass::Transient))];
        let between = at_once(|| delay(time.at(0)), others);
        assert!([1, 3, 5].map(Duration::from_secs).contains(&between), "{between:?}");
        assert_eq!(delay(time.at(0)), Duration::from_secs(3));
        assert_eq!(delay(time.at(60)), Duration::from_secs(1), "a result one window old has expired");
    });
}

#[test]
fn a_shared_seed_gives_its_numbers_once_each() {
    explore("three draws from one seed", || {
        let time = Timeline::new();
        let failure = Classification::new(ErrorClass::Transient);
        let context = BackoffContext::new(3, &failure, time.at(0));
        let alone = equal_jitter().seed(7);
        let mut expected = [(); 3].map(|()| alone.delay(&context));
        let (shared, drawn) = (Arc::new(equal_jitter().seed(7)), Arc::new(Mutex::new(Vec::new())));
        let draw = || {
            let (shared, drawn) = (Arc::clone(&shared), Arc::clone(&drawn));
            move || {
                let failure = Classification::new(ErrorClass::Transient);
                let delay = shared.delay(&BackoffContext::new(3, &failure, time.at(0)));
                drawn.lock().expect("not poisoned").push(delay);
            }
        };
        at_once(draw(), vec![draw(), draw()]);
        let mut drawn = drawn.lock().expect("not poisoned").clone();
        drawn.sort();
        expected.sort();
        assert_eq!(drawn, expected);
    });
}
