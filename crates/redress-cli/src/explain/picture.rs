//! A picture of the waits: for each attempt and strategy a bar from the least to the most, with the
//! median as a dot.

use std::error::Error;
use std::time::Duration;

use plotters::element::ErrorBar;
use plotters::prelude::{ChartBuilder, Circle, Color, IntoDrawingArea, RGBColor, SVGBackend, SeriesLabelPosition};
use plotters::style::WHITE;

use super::waits::{Wait, Waits};

/// Width and height.
const SIZE: (u32, u32) = (720, 420);

/// How far the bars of two strategies are apart, in attempts.
const APART: f64 = 0.12;

/// Colours that people who do not tell red from green tell apart, by Okabe and Ito.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
];

/// Returns the picture as SVG.
pub(crate) fn draw(groups: &[Waits]) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let last = groups.iter().flat_map(|group| &group.waits).map(|wait| wait.attempt).max().unwrap_or(1);
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.5..f64::from(last) + 0.5, 0.0..longest(groups))?;
    let whole = |at: &f64| if at.fract() == 0.0 { at.to_string() } else { String::new() };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(2 * last as usize + 1)
        .x_label_formatter(&whole)
        .x_desc("after attempt")
        .y_desc("wait in seconds")
        .max_light_lines(1)
        .draw()?;
    let middle = (groups.len() as f64 - 1.0) / 2.0;
    for (index, (group, colour)) in groups.iter().zip(COLOURS.into_iter().cycle()).enumerate() {
        let shift = (index as f64 - middle) * APART;
        let bar = |wait: &Wait| {
            let ends = (wait.least.as_secs_f64(), wait.median.as_secs_f64(), most(wait));
            ErrorBar::new_vertical(f64::from(wait.attempt) + shift, ends.0, ends.1, ends.2, colour.filled(), 10)
        };
        chart
            .draw_series(group.waits.iter().map(bar))?
            .label(group.classes.join(", "))
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).background_style(WHITE.mix(0.8)).draw()?;
    area.present()?;
    drop(chart);
    drop(area);
    Ok(svg)
}

/// The longest wait; one without a limit ends at the median.
fn most(wait: &Wait) -> f64 {
    if wait.most == Duration::MAX { wait.median.as_secs_f64() } else { wait.most.as_secs_f64() }
}

/// The height of the picture: the longest wait, and room above for the names.
fn longest(groups: &[Waits]) -> f64 {
    let longest = groups.iter().flat_map(|group| &group.waits).map(most).fold(0.0, f64::max);
    if longest > 0.0 { longest * (1.1 + 0.06 * groups.len() as f64) } else { 1.0 }
}
