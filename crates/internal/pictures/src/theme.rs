//! The colours of the pictures, on a light and on a dark page.

use anstyle::RgbColor;
use anstyle_svg::Palette;
use plotters::style::RGBColor;

pub(crate) struct Theme {
    /// The end of the file's name.
    pub(crate) name: &'static str,
    pub(crate) page: RGBColor,
    pub(crate) ink: RGBColor,
    /// For labels and axes.
    pub(crate) faint: RGBColor,
    pub(crate) grid: RGBColor,
    /// Behind an outage.
    pub(crate) shade: RGBColor,
    pub(crate) blue: RGBColor,
    pub(crate) red: RGBColor,
    pub(crate) grey: RGBColor,
    /// Behind the text of a terminal.
    pub(crate) screen: RGBColor,
    /// The sixteen colours of a terminal.
    pub(crate) terminal: Palette,
}

pub(crate) const THEMES: [Theme; 2] = [
    Theme {
        name: "light",
        page: RGBColor(255, 255, 255),
        ink: RGBColor(31, 35, 40),
        faint: RGBColor(89, 99, 110),
        grid: RGBColor(225, 228, 232),
        shade: RGBColor(253, 236, 230),
        blue: RGBColor(9, 105, 218),
        red: RGBColor(207, 34, 46),
        grey: RGBColor(129, 139, 152),
        screen: RGBColor(246, 248, 250),
        terminal: palette([0x1f2328, 0xcf222e, 0x116329, 0x7d4e00, 0x0969da, 0x8250df, 0x1b7c83, 0x59636e]),
    },
    Theme {
        name: "dark",
        page: RGBColor(13, 17, 23),
        ink: RGBColor(230, 237, 243),
        faint: RGBColor(145, 152, 161),
        grid: RGBColor(38, 44, 54),
        shade: RGBColor(56, 28, 28),
        blue: RGBColor(88, 166, 255),
        red: RGBColor(255, 123, 114),
        grey: RGBColor(110, 118, 129),
        screen: RGBColor(22, 27, 34),
        terminal: palette([0x484f58, 0xff7b72, 0x3fb950, 0xd29922, 0x58a6ff, 0xbc8cff, 0x39c5cf, 0xb1bac4]),
    },
];

/// The same eight colours for normal and for bright text.
const fn palette(colours: [u32; 8]) -> Palette {
    let mut all = [RgbColor(0, 0, 0); 16];
    let mut index = 0;
    while index < all.len() {
        let [_, red, green, blue] = colours[index % colours.len()].to_be_bytes();
        all[index] = RgbColor(red, green, blue);
        index += 1;
    }
    Palette(all)
}

/// The colour as anstyle's.
pub(crate) fn of_terminal(colour: RGBColor) -> anstyle::Color {
    anstyle::Color::Rgb(RgbColor(colour.0, colour.1, colour.2))
}
