//! A chart as SVG: a few curves, each with its name at its end, and the time of trouble shaded.
//!
//! Colours are those of the light theme. The page's style sheet replaces them, by their values, in
//! the dark one.

use std::fmt;
use std::ops::Range;

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Rectangle, Text};
use plotters::prelude::SVGBackend;
use plotters::series::LineSeries;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TextStyle};
use redress_core::observe::Readable;

use super::axis::{Axis, height, label_of_second, nanos_at};
use crate::sentence::grouped;

pub(super) const GREY: RGBColor = RGBColor(0x8A, 0x90, 0x9C);
pub(super) const GREEN: RGBColor = RGBColor(0x0B, 0x83, 0x5A);
pub(super) const ORANGE: RGBColor = RGBColor(0xC9, 0x5D, 0x0A);
pub(super) const BLUE: RGBColor = RGBColor(0x25, 0x63, 0xEB);
const TEXT: RGBColor = RGBColor(0x56, 0x5D, 0x6B);
const GRID: RGBColor = RGBColor(0xE4, 0xE7, 0xEC);
const BAND: RGBColor = RGBColor(0xFB, 0xE9, 0xE5);
const BAND_TEXT: RGBColor = RGBColor(0xB4, 0x3B, 0x2A);

/// In units of half a pixel, because the backend draws at whole units.
const SIZE: (u32, u32) = (1840, 560);

/// The room for the names of curves, right of the chart.
const NAMES: u32 = 250;

/// How far two names are apart at least.
const LINE: i32 = 38;

const FONT: u32 = 28;

/// A curve. Where there is no value it has a gap. One without a name is not written at its end.
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) color: RGBColor,
    pub(super) values: Vec<Option<f64>>,
}

/// What the values of a chart are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Count,
    /// In nanoseconds, on an axis whose doublings are equally long.
    Time,
}

pub(super) struct Chart {
    pub(super) unit: Unit,
    pub(super) curves: Vec<Curve>,
    /// The seconds between two values.
    pub(super) period: usize,
    pub(super) seconds: usize,
    pub(super) trouble: Option<Range<usize>>,
}

type Area<'b> = DrawingArea<SVGBackend<'b>, Shift>;
type Context<'c, 'b> = ChartContext<'c, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// What goes wrong with drawing into a text: nothing but formatting.
struct Undrawn;

impl<E: std::error::Error + Send + Sync> From<plotters::drawing::DrawingAreaErrorKind<E>> for Undrawn {
    fn from(_: plotters::drawing::DrawingAreaErrorKind<E>) -> Self {
        Self
    }
}

impl Chart {
    /// The chart as an `svg` element.
    pub(super) fn svg(&self) -> Result<String, fmt::Error> {
        let mut drawn = String::new();
        let area = SVGBackend::with_string(&mut drawn, SIZE).into_drawing_area();
        self.draw(&area).map_err(|Undrawn| fmt::Error)?;
        drop(area);
        Ok(drawn)
    }

    fn draw(&self, area: &Area<'_>) -> Result<(), Undrawn> {
        let (plot, names) = area.split_horizontally(SIZE.0 - NAMES);
        let values = self.axis();
        let mut builder = ChartBuilder::on(&plot);
        builder.margin_top(18).margin_right(6).x_label_area_size(56).y_label_area_size(130);
        let mut chart = builder.build_cartesian_2d(Axis::seconds(self.seconds), values.clone())?;
        self.shade(&mut chart, values.end())?;
        self.mesh(&mut chart)?;
        for curve in &self.curves {
            for run in self.runs(curve) {
                chart.draw_series(LineSeries::new(
                    run,
                    ShapeStyle { color: curve.color.to_rgba(), filled: false, stroke_width: 4 },
                ))?;
            }
        }
        self.name(&chart, &names)?;
        area.present()?;
        Ok(())
    }

    fn axis(&self) -> Axis {
        let values = || self.curves.iter().flat_map(|curve| curve.values.iter().flatten().copied());
        let most = values().max_by(f64::total_cmp).unwrap_or(0.0);
        match self.unit {
            Unit::Count => Axis::counts(most),
            Unit::Time => {
                let least = values().min_by(f64::total_cmp).unwrap_or(1.0);
                Axis::times(height(least as u64), height(most as u64))
            }
        }
    }

    fn place(&self, value: f64) -> f64 {
        match self.unit {
            Unit::Count => value,
            Unit::Time => height(value as u64),
        }
    }

    fn shade(&self, chart: &mut Context<'_, '_>, top: f64) -> Result<(), Undrawn> {
        let Some(trouble) = &self.trouble else { return Ok(()) };
        let [from, until] = [trouble.start, trouble.end].map(|second| second as f64);
        let bottom = chart.as_coord_spec().get_y_range().start;
        chart.draw_series([Rectangle::new([(from, bottom), (until, top)], BAND.filled())])?;
        let style = font(FONT, &BAND_TEXT).pos(Pos::new(HPos::Left, VPos::Top));
        chart.draw_series([Text::new(
            "trouble",
            (from + self.seconds as f64 / 200.0, top - (top - bottom) / 40.0),
            style,
        )])?;
        Ok(())
    }

    fn mesh(&self, chart: &mut Context<'_, '_>) -> Result<(), Undrawn> {
        let unit = self.unit;
        let value = move |tick: &f64| match unit {
            Unit::Count => grouped(*tick as u64),
            Unit::Time => Readable(std::time::Duration::from_nanos(nanos_at(*tick))).to_string(),
        };
        let line = ShapeStyle { color: GRID.to_rgba(), filled: false, stroke_width: 2 };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(line)
            .light_line_style(ShapeStyle { color: GRID.mix(0.0), filled: false, stroke_width: 0 })
            .axis_style(line)
            .label_style(font(FONT, &TEXT))
            .x_labels(12)
            .y_labels(8)
            .x_label_formatter(&|second| label_of_second(*second, self.seconds))
            .y_label_formatter(&value)
            .draw()?;
        Ok(())
    }

    /// The parts of a curve without a gap. A part of one value is as long as its period.
    fn runs(&self, curve: &Curve) -> Vec<Vec<(f64, f64)>> {
        let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut is_new = true;
        for (index, value) in curve.values.iter().enumerate() {
            let Some(value) = value else {
                is_new = true;
                continue;
            };
            let middle = ((index * self.period) as f64 + self.period as f64 / 2.0).min(self.seconds as f64);
            match runs.last_mut() {
                Some(run) if !is_new => run.push((middle, self.place(*value))),
                _ => runs.push(vec![(middle, self.place(*value))]),
            }
            is_new = false;
        }
        for run in &mut runs {
            if let [(middle, value)] = run[..] {
                let half = self.period as f64 / 2.0;
                *run = vec![(middle - half, value), (middle + half, value)];
            }
        }
        runs
    }

    /// Writes the name of each curve where it ends.
    fn name(&self, chart: &Context<'_, '_>, area: &Area<'_>) -> Result<(), Undrawn> {
        let bottom = chart.as_coord_spec().get_y_range().start;
        let mut names: Vec<(i32, String, &Curve)> = self
            .curves
            .iter()
            .filter(|curve| !curve.name.is_empty())
            .map(|curve| {
                // A curve that ends early has nothing to be named beside.
                let last = curve.values.last().copied().flatten();
                let name = if last.is_some() { curve.name.clone() } else { format!("{}: none", curve.name) };
                let place = last.map_or(bottom, |last| self.place(last));
                (chart.backend_coord(&(self.seconds as f64, place)).1, name, curve)
            })
            .collect();
        names.sort_by_key(|(height, ..)| *height);
        spread(&mut names);
        for (height, name, curve) in names {
            let style = font(FONT + 3, &curve.color).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(name, (14, height), style))?;
        }
        Ok(())
    }
}

/// Moves names apart that would cover each other, and into the chart.
fn spread(names: &mut [(i32, String, &Curve)]) {
    let lowest = SIZE.1 as i32 - 64;
    let mut free = 24;
    for (height, ..) in &mut *names {
        *height = (*height).max(free);
        free = *height + LINE;
    }
    let mut free = lowest;
    for (height, ..) in names.iter_mut().rev() {
        *height = (*height).min(free);
        free = *height - LINE;
    }
}

fn font(size: u32, color: &RGBColor) -> TextStyle<'_> {
    TextStyle::from(("sans-serif", size).into_font()).color(color)
}
