//! The courses of a call that may still become the worst: those that no other course beats in
//! every respect.

use std::time::Duration;

use crate::waits::WaitRange;

/// How many courses are kept. Beyond, they are merged into one that is at least as bad as each.
const KEPT: usize = 128;

/// The waits of a call so far.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    /// How often each way was taken; ways without a cap are not counted.
    pub(crate) used: Vec<u32>,
    /// The shortest time that the waits take.
    pub(crate) least: Duration,
    /// The longest time that the waits take.
    pub(crate) most: Duration,
    /// The longest delay that the last strategy may have computed; `None` for none, or zero.
    pub(crate) prev: Option<Duration>,
}

impl Course {
    /// Whether each continuation of `other` is one of this course too, and takes no less time.
    fn beats(&self, other: &Self) -> bool {
        self.least <= other.least
            && self.most >= other.most
            && leaves_as_long(self.prev, other.prev)
            && self.used.iter().zip(&other.used).all(|(this, other)| this <= other)
    }

    fn after(&self, step: &Step) -> Self {
        let mut used = self.used.clone();
        if step.capped {
            used[step.way] += 1;
        }
        let (least, most) = (self.least.saturating_add(step.range.least), self.most.saturating_add(step.range.most));
        Self { used, least, most, prev: step.prev }
    }

    /// A course at least as bad as both.
    fn merged(mut self, other: &Self) -> Self {
        self.used.iter_mut().zip(&other.used).for_each(|(this, other)| *this = (*this).min(*other));
        let (least, most) = (self.least.min(other.least), self.most.max(other.most));
        // A next delay may grow from its own base, which may be longer than any previous delay.
        let prev = if self.prev == other.prev { self.prev } else { Some(Duration::MAX) };
        Self { least, most, prev, used: self.used }
    }
}

/// Whether the next delay after `this` is at least as long as that after `other`, under every
/// strategy. Without a previous delay it grows from the strategy's base.
fn leaves_as_long(this: Option<Duration>, other: Option<Duration>) -> bool {
    match (this, other) {
        (Some(this), Some(other)) => this >= other,
        (this, other) => this == other,
    }
}

/// One more wait.
pub(crate) struct Step {
    /// The way that is taken, and whether it has a cap.
    pub(crate) way: usize,
    pub(crate) capped: bool,
    pub(crate) range: WaitRange,
    /// The longest delay that the strategy computes with it.
    pub(crate) prev: Option<Duration>,
}

/// The courses with the same number of waits.
pub(crate) struct Frontier {
    courses: Vec<Course>,
}

impl Frontier {
    /// The course without a wait.
    pub(crate) fn new(ways: usize) -> Self {
        let start = Course { used: vec![0; ways], least: Duration::ZERO, most: Duration::ZERO, prev: None };
        Self { courses: vec![start] }
    }

    pub(crate) fn courses(&self) -> impl Iterator<Item = &Course> {
        self.courses.iter()
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&Course) -> bool) {
        self.courses.retain(|course| keep(course));
    }

    /// Replaces each course by those that have one more wait.
    pub(crate) fn advance(&mut self, steps: impl Fn(&Course, &mut dyn FnMut(Step))) {
        let mut next: Vec<Course> = Vec::new();
        for course in &self.courses {
            steps(course, &mut |step| {
                let course = course.after(&step);
                if !next.iter().any(|other| other.beats(&course)) {
                    next.retain(|other| !course.beats(other));
                    next.push(course);
                }
            });
        }
        if next.len() > KEPT {
            next = next.into_iter().reduce(|course, other| course.merged(&other)).into_iter().collect();
        }
        self.courses = next;
    }
}
