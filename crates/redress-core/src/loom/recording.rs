//! Models of a timeline that several threads write to.
//!
//! They check that entries are neither lost nor duplicated.

use std::time::Duration;

use super::{at_once, explore};
use crate::outcome::event::EventName;
use crate::outcome::timeline::{RetryTimeline, TimelineEvent};

fn event(attempt: u32) -> TimelineEvent {
    TimelineEvent {
        attempt,
        event: EventName::Retry,
        elapsed: Duration::ZERO,
        delay: Duration::ZERO,
        error_class: None,
        stop_reason: None,
        cause: None,
        decision: None,
    }
}

#[test]
fn every_event_is_kept_and_each_writer_keeps_its_order() {
    explore("two writers and a reader", || {
        let timeline = RetryTimeline::new();
        let writer = |timeline: RetryTimeline, attempts: [u32; 2]| {
            move || attempts.into_iter().for_each(|attempt| timeline.add(event(attempt)))
        };
        let others = vec![writer(timeline.clone(), [1, 2]), writer(timeline.clone(), [11, 12])];
        let seen = at_once(|| timeline.events(), others);
        let all: Vec<u32> = timeline.events().iter().map(|event| event.attempt).collect();
        assert_eq!(seen[..], timeline.events()[..seen.len()], "what was read is how it begins");
        for attempts in [[1, 2], [11, 12]] {
            let of_one: Vec<_> = all.iter().copied().filter(|attempt| attempts.contains(attempt)).collect();
            assert_eq!(of_one, attempts);
        }
    });
}
