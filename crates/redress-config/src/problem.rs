//! [`FileError`], all that is wrong with a file, as [`Problem`]s with their [`Place`]s.

use std::error::Error;
use std::fmt;
use std::io;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

/// The longest part of a line that is shown.
const SHOWN: usize = 120;

/// A place in a file, or a variable of the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    file: Arc<str>,
    position: Option<(NonZeroU32, NonZeroU32)>,
}

impl Place {
    pub(crate) const fn whole(file: Arc<str>) -> Self {
        Self { file, position: None }
    }

    /// A place in the text of a file. Line and column are counted from 0.
    pub(crate) fn at(file: Arc<str>, line: usize, column: usize) -> Self {
        Self { file, position: one_based(line).zip(one_based(column)) }
    }

    /// The name of the file, or of the variable.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, counted from 1; `None` for a variable and for a file as a whole.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.position.map(|(line, _)| line.get())
    }

    /// The column in characters, counted from 1; `None` for a variable and for a file as a whole.
    #[must_use]
    pub fn column(&self) -> Option<u32> {
        self.position.map(|(_, column)| column.get())
    }
}

fn one_based(index: usize) -> Option<NonZeroU32> {
    NonZeroU32::MIN.checked_add(u32::try_from(index).ok()?)
}

/// `file:line:column`, or the name of the file or variable.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some((line, column)) => write!(f, "{}:{line}:{column}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

/// One thing that is wrong in a file, or one warning about it.
///
/// `Display` writes one line: `policies.toml:3:16: policy.orders.retry.max_attempts = 0 must be at
/// least 1`. The alternate form `{:#}` adds the line of the file with a mark below the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub(crate) place: Place,
    pub(crate) field: String,
    pub(crate) value: Option<String>,
    /// Follows "must" if there is a field.
    pub(crate) rule: String,
    pub(crate) nearest: Option<String>,
    pub(crate) excerpt: Option<Excerpt>,
}

impl Problem {
    /// The file, line and column.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The setting, such as `policy.orders.retry.max_attempts`. Empty if the file cannot be read as
    /// its format.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The value as the file has it. `None` if the setting is missing or is not known.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The rule, phrased to follow "must". A sentence if there is no field.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The known name that is nearest to an unknown one.
    #[must_use]
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        match (&*self.field, &self.value) {
            ("", _) => f.write_str(&self.rule)?,
            (field, Some(value)) => write!(f, "{field} = {value} must {}", self.rule)?,
            (field, None) => write!(f, "{field} must {}", self.rule)?,
        }
        if let Some(nearest) = &self.nearest {
            write!(f, ": did you mean `{nearest}`?")?;
        }
        match (&self.excerpt, f.alternate()) {
            (Some(excerpt), true) => write!(f, "\n{excerpt}"),
            _ => Ok(()),
        }
    }
}

/// A line of a source with a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// The number of the line, or nothing for a variable.
    label: String,
    line: String,
    /// Characters before the mark, and the length of the mark.
    mark: (usize, usize),
}

impl Excerpt {
    /// The line around a span, in bytes of `text`. Long lines are cut around the mark, and
    /// characters that move the cursor are blanks.
    pub(crate) fn of(place: &Place, text: &str, start: usize, end: usize) -> Option<Self> {
        let start = start.min(text.len());
        let is_in_line = |character: &char| *character != '\n';
        let before: Vec<char> = text.get(..start)?.chars().rev().take_while(is_in_line).take(SHOWN / 2).collect();
        let after = || text.get(start..).into_iter().flat_map(str::chars).take_while(is_in_line);
        let line = before.iter().rev().copied().chain(after()).take(SHOWN);
        let line: String = line.map(|c| if c.is_control() { ' ' } else { c }).collect();
        let before = before.len();
        let marked = text.get(start..end).map_or(0, |marked| marked.chars().take_while(is_in_line).take(SHOWN).count());
        let length = marked.clamp(1, SHOWN - before);
        let label = place.line().map(|line| line.to_string()).unwrap_or_default();
        Some(Self { label, line: line.trim_end().to_owned(), mark: (before, length) })
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (blank, (before, length)) = (" ".repeat(self.label.len()), self.mark);
        writeln!(f, "{blank} |")?;
        writeln!(f, "{} | {}", self.label, self.line)?;
        write!(f, "{blank} | {}{}", " ".repeat(before), "^".repeat(length))
    }
}

/// A file that was refused, with everything that is wrong in it.
///
/// `Display` writes each problem with the line of the file that it is in.
///
/// ```
/// use redress::config::PolicyFile;
///
/// let refused = PolicyFile::parse("policy.orders.retry = { max_atempts = 4 }\n", "policies.toml").unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "policies.toml:1:25: policy.orders.retry.max_atempts must be a setting of a retry: \
///      did you mean `max_attempts`?\n\
///      \x20 |\n\
///      1 | policy.orders.retry = { max_atempts = 4 }\n\
///      \x20 |                         ^^^^^^^^^^^"
/// );
/// assert_eq!(refused.problems()[0].nearest(), Some("max_attempts"));
/// ```
#[derive(Clone, Debug)]
pub struct FileError {
    problems: Vec<Problem>,
    omitted: usize,
    unreadable: Option<Arc<io::Error>>,
}

impl FileError {
    pub(crate) const fn new(problems: Vec<Problem>, omitted: usize) -> Self {
        Self { problems, omitted, unreadable: None }
    }

    /// The one sentence about a file as a whole.
    pub(crate) fn of(file: &Path, sentence: String) -> Self {
        let problem = Problem {
            place: Place::whole(file.display().to_string().into()),
            field: String::new(),
            value: None,
            rule: sentence,
            nearest: None,
            excerpt: None,
        };
        Self::new(vec![problem], 0)
    }

    pub(crate) fn unreadable(file: &Path, error: io::Error) -> Self {
        let refused = Self::of(file, format!("could not be read: {error}"));
        Self { unreadable: Some(Arc::new(error)), ..refused }
    }

    #[cfg(feature = "watch")]
    pub(crate) fn unwatched(file: &Path, error: io::Error) -> Self {
        let refused = Self::of(file, format!("could not be watched: {error}"));
        Self { unreadable: Some(Arc::new(error)), ..refused }
    }

    /// The problems in the order of the file, at least one and at most 100.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many more problems there are.
    #[must_use]
    pub const fn omitted(&self) -> usize {
        self.omitted
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n\n" };
            write!(f, "{separator}{problem:#}")?;
        }
        match self.omitted {
            0 => Ok(()),
            1 => f.write_str("\n\nand 1 more problem"),
            omitted => write!(f, "\n\nand {omitted} more problems"),
        }
    }
}

/// The source is the error of the file system, if the file could not be read or watched.
impl Error for FileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.unreadable.as_deref().map(|error| error as _)
    }
}
