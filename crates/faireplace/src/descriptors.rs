//! How many files and connections this process may have open. Many systems begin with 1,024 and allow more.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Descriptors that are needed for other things than connections: the database, outgoing calls, the log.
const RESERVED: u64 = 256;

/// Raises the limit on open files as far as the system allows, and answers how many connections that leaves
/// room for, `wanted` at most.
pub(crate) fn room_for_connections(wanted: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum || limit.maximum.is_none() && limit.current.is_some() {
        let needed = wanted as u64 + RESERVED;
        let enough = limit.maximum.map_or(needed, |most| most.min(needed));
        let before = limit.current;
        limit.current = before.map(|before| before.max(enough));
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!(%error, "the limit on open files stays as it was");
            limit.current = before;
        }
    }
    let room = limit.current.map_or(u64::MAX, |most| most.saturating_sub(RESERVED).max(1));
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if room < wanted {
        tracing::warn!(
            connections = room,
            "this process may open few files, so it takes few connections: raise the limit (`ulimit -n`, \
             LimitNOFILE=)"
        );
    }
    room.min(wanted)
}
