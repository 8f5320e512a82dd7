//! What SQLite guarantees beyond the verbs: exclusive files, durability, and detection of tampering. The
//! crash test of the whole program covers a kill during a commit.

mod commits;
mod deliveries;
mod file_changes;
mod files;
mod restore;
mod tampering;
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

/// Opens the file as another program would.
fn raw(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}
