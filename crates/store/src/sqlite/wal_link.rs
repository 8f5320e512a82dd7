//! Checks whether a write-ahead log belongs to the database file beside it. SQLite cannot tell: if a backup
//! is copied over a database and the old `-wal` stays, it silently mixes the two.
//!
//! Therefore every commit replaces a random token in a table of one row, and stores the previous token with
//! it. The token in the file alone identifies the state of the file, and the tokens in the log identify the
//! states before and after its commits: the log belongs to the file if the file's token is among them.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::files::with_suffix;
use crate::error::OpenError;

type Token = [u8; 16];

/// Executed in every commit: a new token, linked to the previous one.
pub(super) const ADVANCE: &str = "UPDATE wal_link SET before = token, token = randomblob(16) WHERE id = 1";

const WAL_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;
/// The two byte orders of the checksums.
const MAGIC: [u32; 2] = [0x377f_0682, 0x377f_0683];

/// Refuses a write-ahead log that belongs to another database or to another state. Changes nothing. Returns
/// whether the file alone has a token; a file that is not ours, or whose creation was interrupted, has none.
pub(super) fn check(path: &Path) -> Result<bool, OpenError> {
    let opened = |source| OpenError::Io { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(opened)?.len() == 0 {
        return Ok(false);
    }
    let Some((root, token)) = of_file_alone(path)? else { return Ok(false) };
    let log = with_suffix(&std::fs::canonicalize(path).map_err(opened)?, "-wal");
    let io = |source| OpenError::Io { path: log.clone(), source };
    let Some(wal) = Wal::open(&log).map_err(io)? else { return Ok(true) };
    let links = wal.links(root).map_err(io)?;
    let matches = links.first().is_some_and(|first| first.before == token)
        || links.iter().any(|link| link.token == token);
    // Every commit of this program has a link; a log of commits without links is foreign.
    if matches || (links.is_empty() && !wal.has_commits().map_err(io)?) {
        return Ok(true);
    }
    Err(OpenError::StaleLog { path: path.to_owned(), log: with_suffix(path, "-wal") })
}

/// Whether there is a write-ahead log with commits in it.
pub(super) fn has_commits(log: &Path) -> bool {
    matches!(Wal::open(log), Ok(Some(wal)) if wal.has_commits().unwrap_or(true))
}

/// Opens the file for reading without its write-ahead log.
pub(super) fn without_log(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(uri(path), flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // An interrupted checkpoint may have written the header before the pages that it counts.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true)?;
    Ok(connection)
}

/// The root page of the link table in the file alone, and its token; `None` if there is no such table.
fn of_file_alone(path: &Path) -> Result<Option<(u32, Token)>, OpenError> {
    let sqlite = |error: rusqlite::Error| OpenError::sqlite(path, &error);
    let connection = without_log(path).map_err(sqlite)?;
    let root = connection
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'wal_link'", [], |row| row.get(0))
        .optional()
        .map_err(sqlite)?;
    let Some(root) = root else { return Ok(None) };
    let token = connection
        .query_row("SELECT token FROM wal_link WHERE id = 1", [], |row| row.get(0))
        .optional()
        .map_err(sqlite)?;
    Ok(token.map(|token| (root, token)))
}

/// An SQLite URI for a file that does not change while it is read.
fn uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/.-_".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            uri.push_str(&format!("%{byte:02x}"));
        }
    }
    uri + "?immutable=1"
}

/// The link of one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    token: Token,
    before: Token,
}

/// A write-ahead log, read by its file format (<https://www.sqlite.org/fileformat2.html#walformat>).
struct Wal {
    file: File,
    page_size: u64,
    salts: [u8; 8],
}

impl Wal {
    /// `None` if there is no log, or nothing that SQLite would accept as one.
    fn open(path: &Path) -> std::io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut header = [0; WAL_HEADER as usize];
        if !filled(file.read_exact_at(&mut header, 0))? || !MAGIC.contains(&number(&header, 0)) {
            return Ok(None);
        }
        let page_size = u64::from(number(&header, 8));
        if !page_size.is_power_of_two() || !(512..=65_536).contains(&page_size) {
            return Ok(None);
        }
        let mut salts = [0; 8];
        salts.copy_from_slice(&header[16..24]);
        Ok(Some(Self { file, page_size, salts }))
    }

    /// The links in the log, in commit order.
    fn links(&self, root: u32) -> std::io::Result<Vec<Link>> {
        let mut links = Vec::new();
        let mut page = vec![0; usize::try_from(self.page_size).unwrap_or_default()];
        let mut offset = WAL_HEADER;
        while let Some(header) = self.frame(offset)? {
            if number(&header, 0) == root
                && filled(self.file.read_exact_at(&mut page, offset + FRAME_HEADER))?
            {
                links.extend(link(&page));
            }
            offset += FRAME_HEADER + self.page_size;
        }
        Ok(links)
    }

    /// Whether the log contains a commit.
    fn has_commits(&self) -> std::io::Result<bool> {
        let mut offset = WAL_HEADER;
        while let Some(header) = self.frame(offset)? {
            if number(&header, 4) > 0 {
                return Ok(true);
            }
            offset += FRAME_HEADER + self.page_size;
        }
        Ok(false)
    }

    /// The header of the frame at this offset; `None` after the last one. Frames of an earlier use of the log
    /// have other salts.
    fn frame(&self, offset: u64) -> std::io::Result<Option<[u8; FRAME_HEADER as usize]>> {
        let mut header = [0; FRAME_HEADER as usize];
        let whole = filled(self.file.read_exact_at(&mut header, offset))?;
        Ok((whole && header[8..16] == self.salts).then_some(header))
    }
}

/// Whether the buffer was filled.
fn filled(read: std::io::Result<()>) -> std::io::Result<bool> {
    match read {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The big-endian number at this offset.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

/// Reads the only row from the table's only page: a leaf of a table b-tree whose cell is a record with an id
/// and two blobs of 16 bytes.
fn link(page: &[u8]) -> Option<Link> {
    const LEAF: u8 = 13;
    const ROW: [u8; 6] = [36, 1, 4, 0, 44, 44];
    if page[0] != LEAF || page[3..5] != [0, 1] {
        return None;
    }
    let cell = usize::from(page[8]) << 8 | usize::from(page[9]);
    let blobs = page.get(cell..)?.strip_prefix(&ROW)?;
    let token = blobs.get(..16)?.try_into().ok()?;
    let before = blobs.get(16..32)?.try_into().ok()?;
    Some(Link { token, before })
}

#[cfg(test)]
mod tests;
