//! The links between pages: each relative link, and each link into this repository on its host,
//! names a file that exists and a heading that it has.
//!
//! Links to other places are not followed. Paths of items, which the READMEs of crates may link to,
//! are left to rustdoc.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::Finding;

/// The addresses of files and folders of this repository.
const OWN: &[&str] =
    &["https://github.com/redress-rs/redress/blob/main/", "https://github.com/redress-rs/redress/tree/main/"];

/// The links and headings of the tree, collected file by file.
#[derive(Default)]
pub(super) struct Links {
    links: Vec<Link>,
    /// The anchors of each page.
    anchors: BTreeMap<String, BTreeSet<String>>,
}

struct Link {
    place: String,
    /// The path from the root.
    target: String,
    anchor: Option<String>,
}

impl Links {
    pub(super) fn read(&mut self, path: &str, text: &str) {
        if path.ends_with(".md") {
            self.read_page(path, text);
        } else if path.starts_with("crates/") && path.ends_with(".rs") {
            self.read_comments(path, text);
        }
    }

    fn read_page(&mut self, path: &str, text: &str) {
        let mut headings = Headings::default();
        let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            headings.read(&event);
            if let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = &event {
                let line = text[..range.start].lines().count().max(1);
                self.add(format!("{path}:{line}"), path, dest_url);
            }
        }
        self.anchors.insert(path.to_owned(), headings.anchors);
    }

    /// Documentation in code links to pages by their address.
    fn read_comments(&mut self, path: &str, text: &str) {
        for (index, line) in text.lines().enumerate() {
            for (start, _) in line.match_indices("https://") {
                let address = line[start..].split([')', '>', '"', ' ', '`']).next().unwrap_or_default();
                if within(address).is_some() {
                    self.add(format!("{path}:{}", index + 1), path, address);
                }
            }
        }
    }

    fn add(&mut self, place: String, page: &str, destination: &str) {
        let (address, anchor) = match destination.split_once('#') {
            Some((address, anchor)) => (address, Some(anchor.to_owned())),
            None => (destination, None),
        };
        let target = match within(address) {
            Some(inside) => inside.trim_end_matches('/').to_owned(),
            None if address.contains(':') => return,
            None if address.is_empty() => page.to_owned(),
            None => from(page, address),
        };
        self.links.push(Link { place, target, anchor });
    }

    pub(super) fn check(&self, root: &Path) -> Vec<Finding> {
        let breaches = self.links.iter().filter_map(|link| Some((link, self.breach(root, link)?)));
        breaches.map(|(link, breach)| Finding { place: link.place.clone(), breach }).collect()
    }

    fn breach(&self, root: &Path, link: &Link) -> Option<String> {
        let Link { target, anchor, .. } = link;
        if !root.join(target).exists() {
            return Some(format!("the link leads to {target}, which does not exist"));
        }
        let (anchor, page) = (anchor.as_ref()?, self.anchors.get(target)?);
        (!page.contains(anchor)).then(|| format!("{target} has no heading for `#{anchor}`"))
    }
}

fn within(address: &str) -> Option<&str> {
    OWN.iter().find_map(|own| address.strip_prefix(own))
}

/// The path from the root that an address on a page leads to.
fn from(page: &str, address: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in address.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Collects the anchors that the repository's host gives to headings: their words in lower case,
/// joined by hyphens, and numbered if they repeat.
#[derive(Default)]
struct Headings {
    current: Option<String>,
    anchors: BTreeSet<String>,
}

impl Headings {
    fn read(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(Tag::Heading { .. }) => self.current = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => self.end(),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut self.current {
                    heading.push_str(text);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self) {
        let slug = slug(&self.current.take().unwrap_or_default());
        let numbered = (1..).map(|number| format!("{slug}-{number}"));
        let free = std::iter::once(slug.clone()).chain(numbered).find(|anchor| !self.anchors.contains(anchor));
        self.anchors.extend(free);
    }
}

fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Links, from, slug};

    /// Looks paths up in the checkout.
    fn breaches(files: &[(&str, &str)]) -> Vec<String> {
        let mut links = Links::default();
        files.iter().for_each(|(path, text)| links.read(path, text));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        links.check(&root).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_link_leads_to_a_file() {
        let page = "# A\n\n[here](Cargo.toml) [there](docs/none.md), [out](https://example.org/none)\n";
        assert_eq!(
            breaches(&[("README.md", page)]),
            ["README.md:3: the link leads to docs/none.md, which does not exist"]
        );
    }

    #[test]
    fn a_link_into_the_repository_is_one_too() {
        let code = "//! See [a](https://github.com/redress-rs/redress/blob/main/docs/none.md).";
        let found = breaches(&[("crates/a/src/lib.rs", code)]);
        assert_eq!(found, ["crates/a/src/lib.rs:1: the link leads to docs/none.md, which does not exist"]);
    }

    #[test]
    fn an_anchor_is_a_heading() {
        let page = "## Two `words`, here\n\n[a](#two-words-here) [b](#two) [c](::item)\n\n```text\n[d](none.md)\n```\n";
        assert_eq!(breaches(&[("README.md", page)]), ["README.md:3: README.md has no heading for `#two`"]);
    }

    #[test]
    fn a_relative_path_starts_at_the_page() {
        assert_eq!(from("docs/guide/a.md", "../b.md"), "docs/b.md");
        assert_eq!(from("README.md", "docs/./b.md"), "docs/b.md");
    }

    #[test]
    fn a_heading_becomes_its_anchor() {
        assert_eq!(slug("What `a_b` is: 2 things"), "what-a_b-is-2-things");
    }
}
