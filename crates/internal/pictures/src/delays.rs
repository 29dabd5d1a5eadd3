//! A plot of each strategy's delays: the median and the spread over many calls, by retry.

use std::time::Duration;

use anyhow::Result;
use redress::strategy::{
    Jitter, Strategy as Backoff, decorrelated_jitter, equal_jitter, exponential, fixed, token_backoff,
};

use crate::draws::delays;
use crate::picture::{Picture, in_each_theme};
use crate::plot::{Area, Axis, Frame, Head, Mark, draw_band, draw_line, figure, panel, whole};
use crate::theme::Theme;

const CALLS: usize = 4000;
const RETRIES: u32 = 8;
const LONGEST: Duration = Duration::from_secs(10);
const SEED: u64 = 1;
const HEIGHT: u32 = 600;

struct Strategy {
    title: &'static str,
    /// By call, then by retry.
    delays: Vec<Vec<f64>>,
}

pub(crate) fn pictures() -> Result<Vec<Picture>> {
    let strategies = strategies()?;
    in_each_theme("delays", |theme| {
        let head = Head {
            title: "The wait before each retry",
            legend: &[
                (Mark::Line(theme.blue), "half of the waits are longer"),
                (Mark::Area(theme.blue, 0.45), "the middle half of the waits"),
                (Mark::Area(theme.blue, 0.2), "nine waits in ten"),
            ],
        };
        figure(theme, HEIGHT, &head, |area| {
            for (place, strategy) in area.split_evenly((2, 3)).iter().zip(&strategies) {
                draw(place, theme, strategy)?;
            }
            Ok(())
        })
    })
}

fn strategies() -> Result<Vec<Strategy>> {
    Ok(vec![
        measured("decorrelated_jitter()", decorrelated_jitter().max(LONGEST).seed(SEED))?,
        measured("exponential()", exponential().max(LONGEST).seed(SEED))?,
        measured("equal_jitter()", equal_jitter().max(LONGEST).seed(SEED))?,
        measured("token_backoff()", token_backoff().max(LONGEST).seed(SEED))?,
        measured("exponential().jitter(None)", exponential().max(LONGEST).jitter(Jitter::None))?,
        measured("fixed(1 s)", fixed(Duration::from_secs(1)))?,
    ])
}

fn measured(title: &'static str, strategy: impl Backoff + 'static) -> Result<Strategy> {
    Ok(Strategy { title, delays: delays(strategy, CALLS, RETRIES)? })
}

fn draw(area: &Area<'_>, theme: &Theme, strategy: &Strategy) -> Result<()> {
    let frame = Frame {
        title: strategy.title,
        x: Axis { name: "retry", from: 1.0, to: f64::from(RETRIES), labels: 8, text: &whole },
        y: Axis { name: "wait in seconds", from: 0.0, to: 10.5, labels: 6, text: &whole },
    };
    let mut chart = panel(area, theme, &frame)?;
    let line = |share| quantiles(&strategy.delays, share);
    draw_band(&mut chart, &line(0.05), &line(0.95), theme.blue, 0.2)?;
    draw_band(&mut chart, &line(0.25), &line(0.75), theme.blue, 0.3)?;
    draw_line(&mut chart, line(0.5), theme.blue)
}

/// For each retry, the delay that `share` of the calls do not exceed.
fn quantiles(delays: &[Vec<f64>], share: f64) -> Vec<(f64, f64)> {
    let of_retry = |retry: u32| {
        let mut column: Vec<f64> = delays.iter().filter_map(|call| call.get(retry as usize).copied()).collect();
        column.sort_by(f64::total_cmp);
        // `share` is below 1, and every call has a delay for each retry.
        (f64::from(retry + 1), column[(share * column.len() as f64) as usize])
    };
    (0..RETRIES).map(of_retry).collect()
}
