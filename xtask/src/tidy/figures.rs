//! The figures in the README: each stands on the page that it is quoted from.
//!
//! A figure is a number with a thousands separator, such as `26,742`, or a percentage, such as
//! `98.7 %`. Rounded figures, such as `1.3 billion`, are not compared.

use super::Finding;

const README: &str = "crates/redress/README.md";
const PAGES: [&str; 2] = ["docs/reliability.md", "docs/performance.md"];

/// The README's figures with their lines, and those of the pages.
#[derive(Default)]
pub(super) struct Figures {
    quoted: Vec<(usize, String)>,
    known: Vec<String>,
}

impl Figures {
    pub(super) fn read(&mut self, path: &str, text: &str) {
        if path == README {
            let lines = text.lines().enumerate();
            self.quoted.extend(lines.flat_map(|(index, line)| figures(line).map(move |figure| (index + 1, figure))));
        } else if PAGES.contains(&path) {
            self.known.extend(text.lines().flat_map(figures));
        }
    }

    pub(super) fn check(&self) -> Vec<Finding> {
        let unknown = self.quoted.iter().filter(|(_, figure)| !self.known.contains(figure));
        let breach = |figure: &str| format!("`{figure}` is on none of {}: quote the present figure", PAGES.join(", "));
        unknown.map(|(line, figure)| Finding { place: format!("{README}:{line}"), breach: breach(figure) }).collect()
    }
}

fn figures(line: &str) -> impl Iterator<Item = String> {
    let mut words = line.split_whitespace().peekable();
    std::iter::from_fn(move || {
        loop {
            let word = words.next()?.trim_matches(|c: char| !c.is_ascii_digit());
            if words.peek().is_some_and(|next| next.starts_with('%')) && word.parse::<f64>().is_ok() {
                return Some(format!("{word} %"));
            }
            if word.contains(',') && word.bytes().all(|byte| byte == b',' || byte.is_ascii_digit()) {
                return Some(word.to_owned());
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Figures, PAGES, README};

    fn breaches(readme: &str, page: &str) -> Vec<String> {
        let mut figures = Figures::default();
        figures.read(README, readme);
        figures.read(PAGES[0], page);
        figures.check().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_figure_that_is_on_no_page_is_found() {
        let page = "| 2 | 1,179,181 |\n98.1 %, and 26,742 cases";
        assert_eq!(breaches("every poll (26,742 cases)\nand 98.1 % caught, 45 million, 1.3 billion", page), [""; 0]);
        let found = breaches("a\n(26,743 cases), 98.2 % of them", page);
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found[0].starts_with("crates/redress/README.md:2: `26,743` is on none of "), "{found:?}");
        assert!(found[1].contains("`98.2 %`"), "{found:?}");
    }

    #[test]
    fn other_files_quote_nothing_and_know_nothing() {
        let mut figures = Figures::default();
        figures.read("docs/guide/start.md", "1,000 calls");
        figures.read(README, "1,000 calls");
        assert_eq!(figures.check().len(), 1);
    }
}
