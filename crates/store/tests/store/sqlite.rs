//! What SQLite promises beyond the verbs: whose file it is, what survives, and what tampering leaves behind.
//!
//! Not here: a kill in the middle of a commit, which the whole program's crash test does.

mod commits;
mod files;
mod mistakes;
mod restore;
mod tampering;
mod telling;
mod waiting;

use std::path::Path;

use rusqlite::Connection;
use store::{Mode, Store};

use crate::conformance;
use crate::folder::Folder;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_conforms() {
    let folder = Folder::new();
    conformance::check(|case| open(&folder.file(case.name))).await;
}

fn open(path: &Path) -> Store {
    Store::open_sqlite(path, Mode::Test).unwrap()
}

/// Another program's way to the same file.
fn raw(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}
