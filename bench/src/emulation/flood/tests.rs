//! The printed row, compared as text. Ratios are computed per round, before the median.

use super::*;

fn flood(emulator: u64, plain: u64) -> Flood {
    let cost = |per_second| Cost { per_second, cpu_nanos: 40_900 };
    Flood { deliveries: 20_000, body_bytes: 2_900, emulator: cost(emulator), plain: cost(plain) }
}

#[test]
fn a_row_shows_medians_of_figures_and_of_ratios() {
    let rounds = [flood(8_000, 16_000), flood(9_000, 36_000), flood(7_000, 20_000)];
    assert_eq!(row(1, &rounds), "| 1 | 20000 | 2900 | 8000 | 20000 | 0.35 × | 40 | 40 |");
}
