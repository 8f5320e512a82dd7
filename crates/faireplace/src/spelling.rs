//! How far one word is from another, for whoever misspelt one.
//! Not here: which words there are; that is said where they are asked for.

/// How many letters to insert, drop or change (Levenshtein), one row of the table at a time.
pub(crate) fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for letter in one.chars() {
        let mut diagonal = row[0];
        row[0] += 1;
        for (index, counterpart) in other.chars().enumerate() {
            let changed = diagonal + usize::from(letter != counterpart);
            diagonal = row[index + 1];
            row[index + 1] = changed.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
