//! The frame of every plot: a title, a legend, and panels with axes.

use anyhow::Result;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{PathElement, Polygon, Rectangle, Text};
use plotters::prelude::{Cartesian2d, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle, TextStyle};
use plotters::style::{FontStyle, IntoFont, IntoTextStyle};

use crate::theme::Theme;

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

pub(crate) const WIDTH: u32 = 860;
const MARGIN: i32 = 16;
const HEAD_HEIGHT: u32 = 72;

/// The width of a letter of the legend, for the gap to the next entry.
const LETTER: i32 = 6;

/// A generic family: the viewer's system chooses the font.
const FONT: &str = "sans-serif";

/// What is above the panels.
pub(crate) struct Head<'a> {
    pub(crate) title: &'a str,
    pub(crate) legend: &'a [(Mark, &'a str)],
}

/// A sample of a colour in a legend.
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    Line(RGBColor),
    /// An area, and how opaque it is.
    Area(RGBColor, f64),
}

/// The title, axes and ranges of a panel.
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: Axis<'a>,
    pub(crate) y: Axis<'a>,
}

pub(crate) struct Axis<'a> {
    /// With the unit; empty for none.
    pub(crate) name: &'a str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// About how many labels.
    pub(crate) labels: usize,
    pub(crate) text: &'a dyn Fn(&f64) -> String,
}

/// Draws a plot of `height` pixels: the head, then what `panels` draws below it.
pub(crate) fn figure(
    theme: &Theme,
    height: u32,
    head: &Head<'_>,
    panels: impl FnOnce(&Area<'_>) -> Result<()>,
) -> Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        root.fill(&theme.page)?;
        let (top, body) = root.split_vertically(HEAD_HEIGHT);
        draw_head(&top, theme, head)?;
        panels(&body)?;
        root.present()?;
    }
    Ok(svg)
}

fn draw_head(area: &Area<'_>, theme: &Theme, head: &Head<'_>) -> Result<()> {
    let title = (FONT, 18).into_font().style(FontStyle::Bold).color(&theme.ink);
    area.draw(&Text::new(head.title, (MARGIN, MARGIN), title))?;
    let label = text(&theme.faint, 13).pos(Pos::new(HPos::Left, VPos::Center));
    let (mut x, y) = (MARGIN, 54);
    for (mark, name) in head.legend {
        match *mark {
            Mark::Line(colour) => area.draw(&PathElement::new([(x, y), (x + 22, y)], line(colour)))?,
            Mark::Area(colour, opacity) => {
                area.draw(&Rectangle::new([(x, y - 6), (x + 22, y + 6)], colour.mix(opacity).filled()))?;
            }
        }
        area.draw(&Text::new(*name, (x + 30, y), label.clone()))?;
        x += 30 + LETTER * i32::try_from(name.len())? + 26;
    }
    Ok(())
}

/// Draws the axes of a panel.
pub(crate) fn panel<'a>(area: &Area<'a>, theme: &Theme, frame: &Frame<'_>) -> Result<Chart<'a>> {
    let mut builder = ChartBuilder::on(area);
    builder.margin(8).margin_right(18);
    builder.x_label_area_size(if frame.x.name.is_empty() { 24 } else { 42 });
    builder.y_label_area_size(58);
    if !frame.title.is_empty() {
        builder.caption(frame.title, (FONT, 14).into_font().style(FontStyle::Bold).color(&theme.ink));
    }
    let mut chart = builder.build_cartesian_2d(frame.x.from..frame.x.to, frame.y.from..frame.y.to)?;
    let none = theme.page.mix(0.0);
    chart
        .configure_mesh()
        .light_line_style(none)
        .bold_line_style(theme.grid)
        .axis_style(theme.faint)
        .label_style(text(&theme.faint, 12))
        .axis_desc_style(text(&theme.faint, 12))
        .x_desc(frame.x.name)
        .y_desc(frame.y.name)
        .x_labels(frame.x.labels)
        .y_labels(frame.y.labels)
        .x_label_formatter(&frame.x.text)
        .y_label_formatter(&frame.y.text)
        .draw()?;
    Ok(chart)
}

pub(crate) fn draw_line(chart: &mut Chart<'_>, points: Vec<(f64, f64)>, colour: RGBColor) -> Result<()> {
    chart.draw_series([PathElement::new(points, line(colour))])?;
    Ok(())
}

/// Fills the area between two lines with the same x values.
pub(crate) fn draw_band(
    chart: &mut Chart<'_>,
    lower: &[(f64, f64)],
    upper: &[(f64, f64)],
    colour: RGBColor,
    opacity: f64,
) -> Result<()> {
    let outline: Vec<(f64, f64)> = lower.iter().chain(upper.iter().rev()).copied().collect();
    chart.draw_series([Polygon::new(outline, colour.mix(opacity))])?;
    Ok(())
}

pub(crate) fn draw_box(
    chart: &mut Chart<'_>,
    (left, bottom): (f64, f64),
    (right, top): (f64, f64),
    colour: RGBColor,
) -> Result<()> {
    chart.draw_series([Rectangle::new([(left, bottom), (right, top)], colour.filled())])?;
    Ok(())
}

/// A number of seconds or calls without decimals.
pub(crate) fn whole(value: &f64) -> String {
    format!("{value:.0}")
}

fn line(colour: RGBColor) -> ShapeStyle {
    colour.stroke_width(2)
}

fn text(colour: &RGBColor, size: u32) -> TextStyle<'_> {
    (FONT, size).into_font().into_text_style(&(1, 1)).color(colour)
}
