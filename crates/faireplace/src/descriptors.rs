//! The limit on open files. Many systems start at 1,024 and allow more.

use rustix::process::{Resource, getrlimit, setrlimit};

/// File descriptors reserved for other uses than connections: the database, outgoing calls, the log.
const RESERVED: u64 = 256;

/// Raises the limit on open files as far as the system allows. Returns the number of connections that fit, at
/// most `wanted`.
pub(crate) fn room_for_connections(wanted: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum || limit.maximum.is_none() && limit.current.is_some() {
        let needed = wanted as u64 + RESERVED;
        let enough = limit.maximum.map_or(needed, |most| most.min(needed));
        let before = limit.current;
        limit.current = before.map(|before| before.max(enough));
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!(%error, "cannot raise the limit on open files");
            limit.current = before;
        }
    }
    let room = limit.current.map_or(u64::MAX, |most| most.saturating_sub(RESERVED).max(1));
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if room < wanted {
        tracing::warn!(
            connections = room,
            "the limit on open files is low, so few connections are accepted: raise it (`ulimit -n`, \
             LimitNOFILE=)"
        );
    }
    room.min(wanted)
}
