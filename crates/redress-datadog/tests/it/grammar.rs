//! A strict reader of DogStatsD's datagrams.
//!
//! The grammar is that of <https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/>:
//! `name:value|type|@rate|#key:value,..`, one metric a line. It panics on everything that an agent
//! would drop or read as something else.

/// One metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) value: f64,
    /// `c`, `d`, `g` or `ms`.
    pub(crate) kind: String,
    pub(crate) tags: Vec<(String, String)>,
}

impl Metric {
    /// Returns the value of a tag.
    pub(crate) fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(of, _)| of == key).map(|(_, value)| value.as_str())
    }

    fn parse(line: &str) -> Self {
        let mut sections = line.split('|');
        let (name, value) = sections.next().unwrap().split_once(':').unwrap_or_else(|| panic!("no value: {line:?}"));
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.len() <= 200
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        assert!(is_name, "not a name: {line:?}");
        let kind = sections.next().unwrap_or_else(|| panic!("no type: {line:?}"));
        assert!(["c", "d", "g", "ms"].contains(&kind), "{line:?}");
        let tags = sections.next().map(|tags| tags.strip_prefix('#').unwrap_or_else(|| panic!("not tags: {line:?}")));
        assert_eq!(sections.next(), None, "a stray section: {line:?}");
        let tags = tags.into_iter().flat_map(|tags| tags.split(',')).map(|tag| {
            let (key, value) = tag.split_once(':').unwrap_or_else(|| panic!("a tag without a value: {line:?}"));
            assert!(key.starts_with(|c: char| c.is_ascii_lowercase()), "{line:?}");
            (key.to_owned(), value.to_owned())
        });
        let value = value.parse().unwrap_or_else(|_| panic!("not a number: {line:?}"));
        Self { name: name.to_owned(), value, kind: kind.to_owned(), tags: tags.collect() }
    }
}

/// Reads a datagram.
pub(crate) fn parse(datagram: &[u8]) -> Vec<Metric> {
    let text = std::str::from_utf8(datagram).unwrap();
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    text.split('\n').map(Metric::parse).collect()
}
