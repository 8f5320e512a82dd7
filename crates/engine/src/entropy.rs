//! Where randomness comes from: the operating system, for secrets and for names.

use ledger::Timestamp;
use uuid::Uuid;

/// Unguessable bytes.
///
/// # Panics
/// When the operating system has none to give; no secret must be made then.
#[expect(clippy::disallowed_methods, reason = "this is the one source of randomness")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness every secret would be guessable: stopping is the only safe thing to do.
    getrandom::fill(&mut bytes).expect("the operating system has no randomness to give");
    bytes
}

/// A name that nobody else has, and that sorts by the time it was made.
pub fn unique_id(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.0 / 1_000).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes()).into_uuid()
}
