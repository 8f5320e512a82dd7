//! From written notices to letters: with a real database in a folder of its own, a clock that stands still,
//! and receivers that tests play. Not here: what a request's bytes are (`notice`), and the network.

mod lanes;
mod post;

use ledger::Timestamp;

/// When every test begins.
const NOW: Timestamp = Timestamp::from_seconds(1_710_000_000);
