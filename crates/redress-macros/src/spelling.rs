//! Finds the word that was probably meant.

/// Of `words`, the one that `written` most resembles, if it is close enough to be a slip.
pub(crate) fn closest<'w>(written: &str, words: &[&'w str]) -> Option<&'w str> {
    let written = plain(written);
    let near = words.iter().map(|word| (distance(&written, &plain(word)), *word)).min_by_key(|(distance, _)| *distance);
    near.filter(|(distance, word)| *distance <= word.len() / 3).map(|(_, word)| word)
}

/// A word without case and underscores, so that `RATE_LIMIT` is `RateLimit`.
fn plain(word: &str) -> String {
    word.chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect()
}

/// The Levenshtein distance, in letters.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, wanted) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(letter != wanted);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{closest, distance};

    const WORDS: &[&str] = &["Auth", "Permanent", "RateLimit", "Transient"];

    #[test]
    fn a_slip_is_mended() {
        assert_eq!(closest("Transiet", WORDS), Some("Transient"));
        assert_eq!(closest("RATE_LIMIT", WORDS), Some("RateLimit"));
        assert_eq!(closest("auth", WORDS), Some("Auth"));
        assert_eq!(closest("Oth", WORDS), None);
        assert_eq!(closest("Retry", WORDS), None);
    }

    #[test]
    fn distances_are_letters_added_dropped_or_replaced() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!((distance("ab", "a"), distance("a", "ab")), (1, 1));
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
