//! A plot of the scenario `overload`, with a preset and with plain retries, by the simulator.

use std::time::Duration;

use anyhow::Result;
use redress::{AsyncPolicy, Retry, exponential};
use redress_sim::{Clients, Phase, Report, Scenario, Second};

use crate::picture::{Picture, in_each_theme};
use crate::plot::{Area, Axis, Frame, Head, Mark, draw_box, draw_line, figure, panel, whole};
use crate::theme::Theme;

const HEIGHT: u32 = 400;

pub(crate) fn pictures() -> Result<Vec<Picture>> {
    let scenario = Scenario::named("overload")?;
    let of_clients = |builder| scenario.run(Clients::alike(scenario.client_count(), builder));
    let second = Duration::from_secs(1);
    let preset = of_clients(AsyncPolicy::http().attempt_timeout(second))?;
    let retry = Retry::builder().strategy(exponential()).max_attempts(4);
    let plain = of_clients(AsyncPolicy::builder().retry(retry).attempt_timeout(second))?;
    in_each_theme("simulation", |theme| {
        let head = Head {
            title: "500 clients call, for half a minute, more often than the server can answer",
            legend: &[
                (Mark::Line(theme.grey), "calls"),
                (Mark::Line(theme.blue), "succeed with the preset http"),
                (Mark::Line(theme.red), "succeed with 4 attempts and nothing else"),
                (Mark::Area(theme.shade, 1.0), "too many calls"),
            ],
        };
        figure(theme, HEIGHT, &head, |area| draw(area, theme, &plain, &preset))
    })
}

fn draw(area: &Area<'_>, theme: &Theme, plain: &Report, preset: &Report) -> Result<()> {
    let seconds = u32::try_from(plain.seconds().len())?;
    let frame = Frame {
        title: "",
        x: Axis { name: "seconds", from: 0.0, to: f64::from(seconds), labels: 13, text: &whole },
        y: Axis { name: "calls per second", from: 0.0, to: 800.0, labels: 9, text: &whole },
    };
    let mut chart = panel(area, theme, &frame)?;
    let trouble = plain.phase(Phase::During);
    let [from, until] = [u32::try_from(trouble.start)?, u32::try_from(trouble.end)?].map(f64::from);
    draw_box(&mut chart, (from, 0.0), (until, frame.y.to), theme.shade)?;
    draw_line(&mut chart, line(plain, |second| second.offered), theme.grey)?;
    draw_line(&mut chart, line(plain, |second| second.good), theme.red)?;
    draw_line(&mut chart, line(preset, |second| second.good), theme.blue)
}

fn line(report: &Report, count: impl Fn(&Second) -> u64) -> Vec<(f64, f64)> {
    let point = |(at, second): (u32, &Second)| (f64::from(at) + 0.5, count(second) as f64);
    (0..).zip(report.seconds()).map(point).collect()
}
