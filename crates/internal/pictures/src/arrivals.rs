//! A plot of the retries of many callers that failed together: when they reach the server.

use std::time::Duration;

use anyhow::Result;
use redress::strategy::{Jitter, Strategy as Backoff, decorrelated_jitter, equal_jitter, exponential};

use crate::draws::delays;
use crate::picture::{Picture, in_each_theme};
use crate::plot::{Area, Axis, Frame, Head, Mark, draw_box, figure, panel, whole};
use crate::theme::Theme;

const CALLERS: usize = 200;
const RETRIES: u32 = 5;
const SEED: u64 = 1;
const LONGEST: Duration = Duration::from_secs(5);

/// Seconds in the plot, and the steps that each is divided into.
const SPAN: u32 = 8;
const STEPS: u32 = 10;
const HEIGHT: u32 = 520;

struct Strategy {
    title: &'static str,
    /// By step.
    retries: Vec<u32>,
}

pub(crate) fn pictures() -> Result<Vec<Picture>> {
    let strategies = strategies()?;
    in_each_theme("arrivals", |theme| {
        let head = Head {
            title: "200 callers fail at the same moment: their retries",
            legend: &[(Mark::Area(theme.blue, 1.0), "retries that reach the server in a tenth of a second")],
        };
        figure(theme, HEIGHT, &head, |area| {
            for (place, strategy) in area.split_evenly((2, 2)).iter().zip(&strategies) {
                draw(place, theme, strategy)?;
            }
            Ok(())
        })
    })
}

fn strategies() -> Result<Vec<Strategy>> {
    let doubling = || exponential().max(LONGEST);
    Ok(vec![
        measured("exponential().jitter(None)", doubling().jitter(Jitter::None))?,
        measured("equal_jitter()", equal_jitter().max(LONGEST).seed(SEED))?,
        measured("exponential()", doubling().seed(SEED))?,
        measured("decorrelated_jitter()", decorrelated_jitter().max(LONGEST).seed(SEED))?,
    ])
}

fn measured(title: &'static str, strategy: impl Backoff + 'static) -> Result<Strategy> {
    Ok(Strategy { title, retries: by_step(&delays(strategy, CALLERS, RETRIES)?) })
}

/// Counts the retries in each step; attempts take no time.
fn by_step(delays: &[Vec<f64>]) -> Vec<u32> {
    let mut counts = vec![0; (SPAN * STEPS) as usize];
    for call in delays {
        let mut at = 0.0;
        for delay in call {
            at += delay;
            if let Some(count) = counts.get_mut((at * f64::from(STEPS)) as usize) {
                *count += 1;
            }
        }
    }
    counts
}

fn draw(area: &Area<'_>, theme: &Theme, strategy: &Strategy) -> Result<()> {
    let frame = Frame {
        title: strategy.title,
        x: Axis { name: "seconds after the failure", from: 0.0, to: f64::from(SPAN), labels: 9, text: &whole },
        y: Axis { name: "retries", from: 0.0, to: 210.0, labels: 5, text: &whole },
    };
    let mut chart = panel(area, theme, &frame)?;
    for (step, count) in (0_u32..).zip(&strategy.retries) {
        let (left, right) = (f64::from(step) / f64::from(STEPS), f64::from(step + 1) / f64::from(STEPS));
        draw_box(&mut chart, (left, 0.0), (right, f64::from(*count)), theme.blue)?;
    }
    Ok(())
}
