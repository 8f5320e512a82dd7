//! Proration against results worked out by hand, and against prices for which floats give wrong results.

use super::{Credits, Minor, Rounding, prorate};

#[track_caller]
fn check(credits: i64, part: i64, whole: i64, floor: i64, ceil: i64) {
    let share = |rounding| prorate(Credits(credits), Minor(part), Minor(whole), rounding).0;
    assert_eq!(
        (share(Rounding::Floor), share(Rounding::Ceil)),
        (floor, ceil),
        "{credits} × {part} / {whole}"
    );
}

#[test]
fn shares_are_rounded_once_and_exact_at_both_ends() {
    check(10, 0, 25_000, 0, 0);
    check(10, 1, 25_000, 0, 1);
    check(10, 2_499, 25_000, 0, 1);
    check(10, 2_500, 25_000, 1, 1);
    check(10, 24_999, 25_000, 9, 10);
    check(10, 25_000, 25_000, 10, 10);
    check(10, 99_999, 25_000, 10, 10);
    check(10, 500, 0, 0, 0);
    check(1, 2_999, 3_000, 0, 1);
    check(1_000_000_000, 999_999_999_999, 1_000_000_000_000, 999_999_999, 1_000_000_000);
}

/// A double followed by a ceiling gives one credit too many for each of these.
#[test]
fn refunds_of_whole_credits_are_exact_in_either_rounding() {
    check(25, 16_100, 57_500, 7, 7);
    check(25, 32_200, 57_500, 14, 14);
    check(50, 14_000, 100_000, 7, 7);
    check(50, 28_000, 100_000, 14, 14);
    check(50, 56_000, 100_000, 28, 28);
}
