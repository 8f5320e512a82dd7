//! The windows of the rate limit, as tables: the tenant, the time of its request, and the remaining limit.

use ledger::Timestamp;
use uuid::Uuid;

use super::*;

const START: i64 = 1_708_425_700;

/// Tenant, seconds after the start: remaining, reset (after the start), seconds to wait.
type Row = (u128, i64, (u32, i64, Option<i64>));

fn at(after: i64) -> Clock {
    Clock::from_fn(move || Timestamp::from_seconds(START + after))
}

fn check(limiter: &Limiter, rows: &[Row]) {
    for (number, &(tenant, after, (remaining, reset, refused_for))) in rows.iter().enumerate() {
        let taken = limiter.take(TenantId(Uuid::from_u128(tenant)), &at(after));
        let expected = Allowance { limit: limiter.limit, remaining, reset: START + reset, refused_for };
        assert_eq!(taken, Some(expected), "row {number}");
    }
}

#[test]
fn a_window_is_an_hour_from_its_first_request() {
    check(
        &Limiter::new(2),
        &[
            (1, 0, (1, 3600, None)),
            (1, 10, (0, 3600, None)),
            (1, 11, (0, 3600, Some(3589))),
            (2, 11, (1, 3611, None)),
            (1, 3599, (0, 3600, Some(1))),
            (1, 3600, (1, 7200, None)),
            (2, 3611, (1, 7211, None)),
        ],
    );
}

#[test]
fn the_thousandth_is_the_last() {
    let limiter = Limiter::new(1000);
    for number in 1..=999 {
        check(&limiter, &[(1, 5, (1000 - number, 3605, None))]);
    }
    check(&limiter, &[(1, 5, (0, 3605, None)), (1, 5, (0, 3605, Some(3600)))]);
}

#[test]
fn memory_is_bounded() {
    let limiter = Limiter { tenants_max: 2, ..Limiter::new(1) };
    check(
        &limiter,
        &[
            (1, 0, (0, 3600, None)),
            (2, 1, (0, 3601, None)),
            (3, 2, (0, 3602, None)), // for which the first window is removed
            (2, 3, (0, 3601, Some(3598))),
            (1, 4, (0, 3604, None)), // and now the second window
            (3, 3605, (0, 7205, None)),
        ],
    );
    assert!(limiter.windows.lock().unwrap().len() <= 2);
}

#[test]
fn zero_counts_nothing() {
    let limiter = Limiter::new(0);
    assert_eq!(limiter.take(TenantId(Uuid::nil()), &at(0)), None);
    assert!(limiter.windows.lock().unwrap().is_empty());
}
