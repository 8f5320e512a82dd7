//! The table: medians over the rounds, and ratios between faireplace and the other targets. Figures are
//! integers, ratios are in hundredths.

use std::fmt::Write as _;

use crate::target::Kind;

/// Conditions of the run, the same for every target.
pub(crate) struct Run {
    /// Cores, CPU, kernel and file system in one line.
    pub(crate) machine: String,
    /// Length of every body.
    pub(crate) body_bytes: usize,
    pub(crate) connections: u32,
    pub(crate) rounds: u32,
    pub(crate) seconds: u64,
}

/// Result of one round of one target.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Answers with status 200 per second.
    pub(crate) per_second: u64,
    pub(crate) p50_micros: u64,
    pub(crate) p99_micros: u64,
    /// The target's CPU time per request, during the load.
    pub(crate) cpu_micros: u64,
    pub(crate) resident_kib: u64,
    pub(crate) backlog: Option<Backlog>,
}

/// Work left when the load ended.
#[derive(Clone, Copy)]
pub(crate) struct Backlog {
    /// Time from the last answer until nothing was pending.
    pub(crate) millis: u64,
    /// The target's CPU time per event, from its start until then.
    pub(crate) cpu_micros: u64,
}

/// The report as text.
pub(crate) fn render(run: &Run, figures: &[(Kind, Vec<Figures>)]) -> String {
    let medians: Vec<(Kind, Figures)> =
        figures.iter().filter_map(|(kind, rounds)| Some((*kind, median_figures(rounds)?))).collect();
    let faireplace = medians.iter().find(|(kind, _)| *kind == Kind::Faireplace).map(|(_, figures)| *figures);
    let mut text = format!(
        "\nmachine     {}\n\
         durability  faireplace: 200 when the event is on disk (SQLite, WAL, synchronous=FULL,\n\
         \x20           group commit);\n\
         \u{20}           the others store nothing\n\
         load        {}-byte bodies, {} connections, closed loop; medians of {} rounds of {} s\n\n",
        run.machine, run.body_bytes, run.connections, run.rounds, run.seconds
    );
    text.push_str("| target | requests/s | p50 ms | p99 ms | CPU µs/request | resident MiB |");
    text.push_str(" faireplace's rate | faireplace's CPU |\n|---|--:|--:|--:|--:|--:|--:|--:|\n");
    for (kind, own) in &medians {
        let ratio = |of: fn(&Figures) -> u64| match faireplace {
            Some(faireplace) if *kind != Kind::Faireplace && of(own) > 0 => {
                format!("{} ×", hundredths(of(&faireplace) * 100 / of(own)))
            }
            _ => "–".to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            kind.name(),
            own.per_second,
            hundredths(own.p50_micros / 10),
            hundredths(own.p99_micros / 10),
            own.cpu_micros,
            hundredths(own.resident_kib * 100 / 1024),
            ratio(|figures| figures.per_second),
            ratio(|figures| figures.cpu_micros),
        );
    }
    match faireplace.map(|figures| figures.backlog) {
        None => {}
        Some(None) => text.push_str("\nfaireplace does not report its backlog\n"),
        Some(Some(Backlog { millis, cpu_micros })) => {
            let _ = writeln!(
                text,
                "\nall applied {millis} ms after the last answer; {cpu_micros} µs CPU per event in all"
            );
        }
    }
    text
}

fn median_figures(rounds: &[Figures]) -> Option<Figures> {
    let of = |figure: fn(&Figures) -> u64| median(rounds.iter().map(figure).collect());
    let backlogs: Vec<Backlog> = rounds.iter().filter_map(|round| round.backlog).collect();
    let of_backlog = |figure: fn(&Backlog) -> u64| median(backlogs.iter().map(figure).collect());
    let backlog = of_backlog(|backlog| backlog.millis)
        .zip(of_backlog(|backlog| backlog.cpu_micros))
        .map(|(millis, cpu_micros)| Backlog { millis, cpu_micros });
    Some(Figures {
        per_second: of(|figures| figures.per_second)?,
        p50_micros: of(|figures| figures.p50_micros)?,
        p99_micros: of(|figures| figures.p99_micros)?,
        cpu_micros: of(|figures| figures.cpu_micros)?,
        resident_kib: of(|figures| figures.resident_kib)?,
        backlog,
    })
}

/// The median; of an even number of values, the lower of the two in the middle.
pub(crate) fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// An integer number of hundredths, as a decimal number.
pub(crate) fn hundredths(value: u64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

#[cfg(test)]
mod tests;
