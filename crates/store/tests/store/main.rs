//! The tests of the store: what every database must do (`conformance`), what SQLite promises beyond that
//! (`sqlite`), and the bodies of events (`body`). One program, because linking costs more than running.

mod body;
mod conformance;
mod folder;
mod sqlite;
