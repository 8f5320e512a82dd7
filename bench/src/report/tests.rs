//! The table that a run prints, compared as text.

use super::*;

fn figures(per_second: u64, cpu_micros: u64, backlog: Option<Backlog>) -> Figures {
    Figures { per_second, p50_micros: 1234, p99_micros: 98_765, cpu_micros, resident_kib: 12_800, backlog }
}

#[test]
fn the_table_shows_medians_and_ratios() {
    let backlog = |millis| Some(Backlog { millis, cpu_micros: 45 });
    let run = Run { machine: "2 × CPU".into(), body_bytes: 3000, connections: 32, rounds: 3, seconds: 10 };
    let rounds = [
        (Kind::Noop, vec![figures(50_000, 10, None), figures(70_000, 10, None), figures(60_000, 11, None)]),
        (Kind::Faireplace, vec![figures(30_000, 30, backlog(90)), figures(24_000, 40, backlog(70))]),
        (Kind::Node, vec![]),
    ];
    let text = render(&run, &rounds);
    for line in [
        "machine     2 × CPU",
        "load        3000-byte bodies, 32 connections, closed loop; medians of 3 rounds of 10 s",
        "| no-op axum handler | 60000 | 1.23 | 98.76 | 10 | 12.50 | 0.40 × | 3.00 × |",
        "| faireplace serve | 24000 | 1.23 | 98.76 | 30 | 12.50 | – | – |",
        "all applied 70 ms after the last answer; 45 µs CPU per event in all",
    ] {
        assert!(text.lines().any(|it| it == line), "no {line:?} in:\n{text}");
    }
    assert!(!text.contains("Node"), "a target without rounds is left out:\n{text}");
}
