//! Draws recorded timelines: one row per call, time from left to right.

use std::time::Duration;

use anstyle::Style;
use redress::{EventName, RetryTimeline};

use super::story::{BAD, DIM, GOOD, NOTE};

pub(crate) const LEGEND: &str = "= running   x failed   . waiting   o answered   - rejected by the breaker";

const WIDTH: usize = 46;

/// A row of `WIDTH` columns for `span`.
pub(crate) struct Row {
    cells: [char; WIDTH],
    span: Duration,
}

impl Row {
    pub(crate) fn new(span: Duration) -> Self {
        Self { cells: [' '; WIDTH], span }
    }

    /// Draws a call that started at `began`.
    pub(crate) fn draw(mut self, began: Duration, timeline: &RetryTimeline) -> Self {
        let mut started = began;
        for event in timeline.events() {
            let at = began + event.elapsed;
            self.fill(started, at, '=');
            match event.event {
                EventName::Success => self.mark(at, 'o'),
                EventName::Retry => {
                    started = at + event.delay;
                    self.fill(at, started, '.');
                    self.mark(at, 'x');
                }
                _ => self.mark(at, 'x'),
            }
        }
        self
    }

    /// Draws a call that the breaker rejected.
    pub(crate) fn draw_rejection(mut self, at: Duration) -> Self {
        self.mark(at, '-');
        self
    }

    pub(crate) fn paint(&self) -> String {
        let painted = self.cells.iter().map(|cell| {
            let style = match cell {
                'o' => GOOD,
                'x' => BAD,
                '-' => NOTE,
                '=' | '.' => DIM,
                _ => Style::new(),
            };
            format!("{style}{cell}{style:#}")
        });
        painted.collect()
    }

    fn mark(&mut self, at: Duration, mark: char) {
        self.cells[self.column(at)] = mark;
    }

    fn fill(&mut self, from: Duration, to: Duration, with: char) {
        let (from, to) = (self.column(from), self.column(to));
        self.cells[from..to].fill(with);
    }

    fn column(&self, at: Duration) -> usize {
        let share = at.as_micros() * (WIDTH - 1) as u128 / self.span.as_micros().max(1);
        usize::try_from(share).map_or(WIDTH - 1, |column| column.min(WIDTH - 1))
    }
}
