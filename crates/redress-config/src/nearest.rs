//! The nearest of several names to one that is unknown, for errors.

/// Longer names are compared to nothing: the table of distances is quadratic.
const LONGEST: usize = 64;

/// Returns the candidate that differs least from `name`, unless it is another word.
pub(crate) fn nearest<'n>(name: &str, candidates: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > LONGEST {
        return None;
    }
    let folded = fold(name);
    let allowed = folded.len().max(3) / 3;
    let near = candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (distance(&folded, &fold(candidate)), candidate));
    near.filter(|(distance, _)| *distance <= allowed).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Letters and digits in lower case, so that spellings of one name are equal.
fn fold(name: &str) -> Vec<char> {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many letters are to insert, remove, replace or swap with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, other) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(letter != other);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == b[j - 1] && a[i - 1] == *other {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_finds_the_name_and_another_word_finds_none() {
        let names = ["max_attempts", "max_unknown_retries", "budget", "window"];
        assert_eq!(nearest("max_atempts", names), Some("max_attempts"));
        assert_eq!(nearest("maxAttempts", names), Some("max_attempts"));
        assert_eq!(nearest("bugdet", names), Some("budget"));
        assert_eq!(nearest("wnidow", names), Some("window"));
        assert_eq!(nearest("gadget", names), Some("budget"));
        assert_eq!(nearest("gadgex", names), None);
        assert_eq!(nearest("mxa", ["max"]), Some("max"));
        assert_eq!(nearest("mixa", ["max"]), None);
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest(&"x".repeat(100), names), None);
    }
}
