//! The tests of the store: the behaviour that every driver must have (`conformance`), what SQLite guarantees
//! beyond that (`sqlite`), and event bodies (`body`). One binary, because linking takes longer than running.

mod body;
mod conformance;
mod folder;
mod sqlite;
