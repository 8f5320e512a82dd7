//! From written notices to requests: with a real database in a folder of its own, a clock that stands still,
//! and receivers that tests play. Not here: the bytes of a request (`notice`), and the network.

mod fixture;
mod lanes;

use ledger::Timestamp;

/// When every test begins.
const NOW: Timestamp = Timestamp::from_seconds(1_710_000_000);
