//! Draws the output of a terminal.

use anstyle_svg::Term;
use anyhow::{Context as _, Result};

use crate::theme::{Theme, of_terminal};

/// Draws lines with ANSI colours as SVG text, in the viewer's monospaced font.
pub(crate) fn draw(ansi: &str, theme: &Theme) -> Result<String> {
    let term = Term::new().palette(theme.terminal).fg_color(of_terminal(theme.ink)).bg_color(of_terminal(theme.screen));
    scalable(&with_generic_font(&term.render_svg(ansi)))
}

fn with_generic_font(svg: &str) -> String {
    svg.replace("SFMono-Regular, Consolas, Liberation Mono, Menlo, monospace", "ui-monospace, monospace")
}

/// Adds a view box of the picture's size, so that a page can show it smaller.
fn scalable(svg: &str) -> Result<String> {
    let size = |name: &str| {
        let (_, rest) = svg.split_once(&format!("{name}=\""))?;
        rest.split_once("px\"").map(|(size, _)| size)
    };
    let (width, height) = size("width").zip(size("height")).context("the SVG has no size in pixels")?;
    Ok(svg.replacen("<svg ", &format!("<svg viewBox=\"0 0 {width} {height}\" "), 1))
}
