//! Unknown settings: a misspelt setting must not go unnoticed.

use std::path::Path;

use strsim::levenshtein;

use super::{Environment, FILE_VARIABLE, SETTINGS, Setting};
use crate::terminal::shown;

/// Variables that `dev` and the guides use for the API's address and key. They are often exported in the
/// shell that runs this program, so they are not reported as unknown settings.
const OF_CLIENTS: [&str; 2] = ["FAIREPLACE_URL", "FAIREPLACE_KEY"];

/// A message about the first variable with our prefix that is not a setting.
pub(super) fn variable(environment: &Environment) -> Option<String> {
    let known = |name: &str| {
        name == FILE_VARIABLE || OF_CLIENTS.contains(&name) || SETTINGS.iter().any(|one| one.variable == name)
    };
    let stray = environment.0.keys().find(|name| name.starts_with("FAIREPLACE_") && !known(name))?;
    let nearest = nearest(stray).map_or("none", |setting| setting.variable);
    Some(format!(
        "the environment variable {} is not a setting; the most similar one is {nearest}. \
         `faireplace config show` lists them",
        shown(stray)
    ))
}

/// A message about a key of the file that is not a setting.
pub(super) fn key(file: &Path, key: &str) -> String {
    let (file, stray) = (file.display(), shown(key));
    match SETTINGS.iter().find(|setting| setting.variable.eq_ignore_ascii_case(key)) {
        Some(meant) => format!("{file}: `{stray}` is not a setting; in the file it is `{}`", meant.key()),
        None => {
            let nearest = nearest(key).map_or_else(|| "none".to_owned(), Setting::key);
            format!("{file}: `{stray}` is not a setting; the most similar one is `{nearest}`")
        }
    }
}

fn nearest(name: &str) -> Option<&'static Setting> {
    let key = name.trim_start_matches("FAIREPLACE_").to_ascii_lowercase();
    SETTINGS.iter().min_by_key(|setting| levenshtein(&setting.key(), &key))
}
