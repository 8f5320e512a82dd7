//! Percentiles, compared with values computed by hand.

use super::*;

#[test]
fn a_percentile_is_a_sample_by_nearest_rank() {
    let hundred: Vec<u64> = (1..=100).collect();
    for (samples, percent, expected) in [
        (&hundred[..], 50, 50),
        (&hundred, 99, 99),
        (&hundred, 100, 100),
        (&hundred[..3], 50, 2),
        (&hundred[..3], 99, 3),
        (&hundred[..1], 50, 1),
        (&[], 50, 0),
    ] {
        assert_eq!(percentile(samples, percent), expected, "{percent} % of {} samples", samples.len());
    }
}
