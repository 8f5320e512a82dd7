//! How many requests a tenant may make: all of its keys share one fixed window of an hour, which begins with
//! the first of them. Counted in memory, for as many tenants as `MAX_TENANTS`.
//! Windows are counted by the time since boot: no wrong clock locks a tenant out.
//! Not here: the header fields (`server::allowance`), and whose request it is (`api::request`).

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine::Clock;
use ledger::TenantId;

/// How long a window is.
const WINDOW: Duration = Duration::from_secs(3_600);
/// Tenants that are counted at one time: a few megabytes.
const MAX_TENANTS: usize = 65_536;

/// Counts the requests of every tenant.
#[derive(Debug)]
pub struct Limiter {
    limit: u32,
    tenants_max: usize,
    windows: Mutex<HashMap<TenantId, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    /// Since boot.
    ends_at: Duration,
    left: u32,
}

/// What a tenant may still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests in a window.
    pub limit: u32,
    /// Of these, still left after this one.
    pub remaining: u32,
    /// When the next window may begin, in Unix seconds.
    pub reset: i64,
    /// Seconds until then, where this request is one too many.
    pub refused_for: Option<i64>,
}

impl Limiter {
    /// At most `limit` requests in an hour; 0 counts nothing and refuses nothing.
    pub fn new(limit: u32) -> Self {
        Self { limit, tenants_max: MAX_TENANTS, windows: Mutex::default() }
    }

    /// What a tenant may do who has asked for nothing yet: what is said where no request is taken off,
    /// because nobody in particular asks, or an operator. None where nothing is counted.
    pub fn untouched(&self, clock: &Clock) -> Option<Allowance> {
        let whole = Allowance {
            limit: self.limit,
            remaining: self.limit,
            reset: reset(clock, WINDOW),
            refused_for: None,
        };
        (self.limit > 0).then_some(whole)
    }

    /// Takes one request off what the tenant may make; none where nothing is counted.
    pub fn take(&self, tenant: TenantId, clock: &Clock) -> Option<Allowance> {
        if self.limit == 0 {
            return None;
        }
        let now = clock.since_boot();
        // Whoever panicked held nothing half done: a window is written in one go.
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let current = windows.get(&tenant).copied().filter(|window| now < window.ends_at);
        let window = current.unwrap_or_else(|| {
            if windows.len() >= self.tenants_max {
                make_room(&mut windows, self.tenants_max, now);
            }
            Window { ends_at: now + WINDOW, left: self.limit }
        });
        let remaining = window.left.saturating_sub(1);
        windows.insert(tenant, Window { left: remaining, ..window });
        let rest = window.ends_at - now;
        let refused_for = (window.left == 0).then_some(seconds_up(rest.as_micros()));
        Some(Allowance { limit: self.limit, remaining, reset: reset(clock, rest), refused_for })
    }
}

/// The Unix second after which `rest` has passed.
fn reset(clock: &Clock, rest: Duration) -> i64 {
    let now = u128::try_from(clock.now().0).unwrap_or_default();
    seconds_up(now + rest.as_micros())
}

fn seconds_up(micros: u128) -> i64 {
    i64::try_from(micros.div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

/// Forgets the windows that are over; where none is, the one that ends first, whose tenant gains a few
/// requests by it.
fn make_room(windows: &mut HashMap<TenantId, Window>, most: usize, now: Duration) {
    windows.retain(|_, window| now < window.ends_at);
    if windows.len() < most {
        return;
    }
    let first = windows.iter().min_by_key(|(_, window)| window.ends_at).map(|(tenant, _)| *tenant);
    if let Some(tenant) = first {
        windows.remove(&tenant);
    }
}
