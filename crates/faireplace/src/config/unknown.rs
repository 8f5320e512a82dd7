//! What looks like a setting and is none: a misspelt setting must not go unnoticed, and its writer meant one
//! of the settings.

use std::path::Path;

use super::{Environment, FILE_VARIABLE, SETTINGS, Setting};
use crate::terminal::shown;

/// The first variable that has our prefix and is no setting, in words.
pub(super) fn variable(environment: &Environment) -> Option<String> {
    let known = |name: &str| name == FILE_VARIABLE || SETTINGS.iter().any(|one| one.variable == name);
    let stray = environment.0.keys().find(|name| name.starts_with("FAIREPLACE_") && !known(name))?;
    let nearest = nearest(stray).map_or("none", |setting| setting.variable);
    Some(format!(
        "the environment variable {} is not a setting; the nearest is {nearest}. `faireplace config show` \
         lists them",
        shown(stray)
    ))
}

/// A key of the file that is no setting, in words.
pub(super) fn key(file: &Path, key: &str) -> String {
    let (file, stray) = (file.display(), shown(key));
    match SETTINGS.iter().find(|setting| setting.variable.eq_ignore_ascii_case(key)) {
        Some(meant) => format!("{file}: `{stray}` is not a setting; in the file it is `{}`", meant.key()),
        None => {
            let nearest = nearest(key).map_or_else(|| "none".to_owned(), Setting::key);
            format!("{file}: `{stray}` is not a setting; the nearest is `{nearest}`")
        }
    }
}

fn nearest(name: &str) -> Option<&'static Setting> {
    let key = name.trim_start_matches("FAIREPLACE_").to_ascii_lowercase();
    SETTINGS.iter().min_by_key(|setting| distance(&setting.key(), &key))
}

/// How many letters to insert, drop or change (Levenshtein), one row of the table at a time.
fn distance(one: &str, other: &str) -> usize {
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
