//! The rate limit of tenants: all keys of a tenant share one fixed window of an hour, which begins with the
//! first request. Counted in memory, for at most `MAX_TENANTS` tenants. Windows use the time since boot, so a
//! wrong clock locks nobody out. The headers are in `server::allowance`.
//!
//! Written here, because the crates for this (`governor`, `tower_governor`) are token buckets without the
//! window's end and the remaining count, which the `X-RateLimit-*` headers show.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine::Clock;
use ledger::TenantId;

/// The length of a window.
const WINDOW: Duration = Duration::from_secs(3_600);
/// The most tenants counted at a time: a few megabytes.
const MAX_TENANTS: usize = 65_536;

/// Counts the requests of every tenant.
#[derive(Debug)]
pub struct Limiter {
    limit: u32,
    tenants_max: usize,
    windows: Mutex<HashMap<TenantId, RateWindow>>,
}

#[derive(Clone, Copy, Debug)]
struct RateWindow {
    /// Since boot.
    ends_at: Duration,
    left: u32,
}

/// The remaining limit of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests in a window.
    pub limit: u32,
    /// Of these, left after this request.
    pub remaining: u32,
    /// When the next window may begin, in Unix seconds.
    pub reset: i64,
    /// Seconds until then, if this request exceeds the limit.
    pub refused_for: Option<i64>,
}

impl Limiter {
    /// At most `limit` requests per hour; 0 for no limit.
    pub fn new(limit: u32) -> Self {
        Self { limit, tenants_max: MAX_TENANTS, windows: Mutex::default() }
    }

    /// The full allowance, when no request was charged. None without a limit.
    pub fn untouched(&self, clock: &Clock) -> Option<Allowance> {
        let whole = Allowance {
            limit: self.limit,
            remaining: self.limit,
            reset: reset(clock, WINDOW),
            refused_for: None,
        };
        (self.limit > 0).then_some(whole)
    }

    /// Charges one request to the tenant. None without a limit.
    pub fn take(&self, tenant: TenantId, clock: &Clock) -> Option<Allowance> {
        if self.limit == 0 {
            return None;
        }
        let now = clock.since_boot();
        // A window is written in one step, so it is consistent even after a panic.
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let current = windows.get(&tenant).copied().filter(|window| now < window.ends_at);
        let window = current.unwrap_or_else(|| {
            if windows.len() >= self.tenants_max {
                make_room(&mut windows, self.tenants_max, now);
            }
            RateWindow { ends_at: now + WINDOW, left: self.limit }
        });
        let remaining = window.left.saturating_sub(1);
        windows.insert(tenant, RateWindow { left: remaining, ..window });
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

/// Removes the windows that have ended; if there are none, the one that ends first, whose tenant gains a few
/// requests.
fn make_room(windows: &mut HashMap<TenantId, RateWindow>, most: usize, now: Duration) {
    windows.retain(|_, window| now < window.ends_at);
    if windows.len() < most {
        return;
    }
    let first = windows.iter().min_by_key(|(_, window)| window.ends_at).map(|(tenant, _)| *tenant);
    if let Some(tenant) = first {
        windows.remove(&tenant);
    }
}
