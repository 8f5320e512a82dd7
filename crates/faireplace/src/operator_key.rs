//! This machine's operator key: kept beside the database and readable by its owner only, so that whoever can
//! read the database can use the commands. It acts for the only registered person; if several people are
//! registered, it can only read.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use engine::Clock;
use store::{KeyHolder, Store};
use web::auth;

use crate::config::{Config, Database};
use crate::failure::Failure;

/// An operator key from the settings. It is never printed.
#[derive(Clone)]
pub(crate) struct OperatorKey(String);

impl OperatorKey {
    /// Accepts only text that starts with `fp_`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("fp_")?;
        let plain = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain.then(|| Self(text.to_owned()))
    }

    /// The key itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for OperatorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorKey(hidden)")
    }
}

const SUFFIX: &str = ".operator-key";
/// The key's name in lists and in the journal.
const NAME: &str = "operator on this machine";

/// The file of the key.
pub(crate) fn path(database: &Database) -> PathBuf {
    database.beside(SUFFIX)
}

/// The key, if there is one.
pub(crate) fn read(database: &Database) -> Option<String> {
    std::fs::read_to_string(path(database)).ok().map(|text| text.trim().to_owned())
}

/// Ensures that there is a valid key, creating one if necessary. If nobody is registered, this also registers
/// the first person, for whom the key acts.
pub(crate) async fn ensure(config: &Config, store: &Store, clock: &Clock) -> Result<String, Failure> {
    let database = &config.database;
    store.register_first(auth::new_person(config.first_person.clone(), clock.now())).await?;
    if let Some(secret) = read(database) {
        let found = store.find_key(auth::hash(&secret)).await?;
        if found.is_some_and(|key| key.works(clock.now())) {
            return Ok(secret);
        }
    }
    let secret = auth::create_key(store, NAME.to_owned(), KeyHolder::Machine, clock.now()).await?;
    write_private(&path(database), &secret)?;
    Ok(secret)
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let failed = |error| Failure::failed(format!("cannot write {}: {error}", path.display()));
    let mut file = options.open(path).map_err(failed)?;
    // An existing file may have been readable by others.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
