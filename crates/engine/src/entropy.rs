//! Randomness, from the operating system: for secrets and ids.

use ledger::Timestamp;
use uuid::Uuid;

/// Random bytes that cannot be guessed.
///
/// # Panics
/// When the operating system provides none; no secret must be made then.
#[expect(clippy::disallowed_methods, reason = "this is the one source of randomness")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness every secret could be guessed, so this stops.
    getrandom::fill(&mut bytes).expect("the operating system has no randomness to give");
    bytes
}

/// A unique id that sorts by the time it was made.
pub fn unique_id(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.0 / 1_000).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes()).into_uuid()
}
