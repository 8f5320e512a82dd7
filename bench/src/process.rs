//! CPU time and memory of a process and all its descendants, read from `/proc` (Linux only).

use std::{fs, io};

/// Clock ticks per second in `/proc` (the kernel's USER_HZ): 100 on every Linux platform that Rust supports.
const TICKS_PER_SECOND: u64 = 100;

/// User and system CPU time of the process tree in microseconds, including children that have ended.
pub(crate) fn cpu_micros(root: u32) -> io::Result<u64> {
    let ticks: u64 = tree(root)?.iter().map(|process| process.ticks).sum();
    Ok(ticks * (1_000_000 / TICKS_PER_SECOND))
}

/// Resident memory of the process tree in KiB; shared pages count once (PSS).
pub(crate) fn resident_kib(root: u32) -> io::Result<u64> {
    let mut kib = 0;
    for process in tree(root)? {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.id))?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        kib += line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(kib)
}

struct Process {
    id: u32,
    parent: u32,
    ticks: u64,
}

fn tree(root: u32) -> io::Result<Vec<Process>> {
    let mut others = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let id = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        // Skips processes that end in the meantime.
        others.extend(id.and_then(|id| parse(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?)));
    }
    let mut found: Vec<Process> = Vec::new();
    loop {
        let known = found.len();
        let is_ours = |process: &Process| {
            process.id == root || found.iter().any(|ancestor| ancestor.id == process.parent)
        };
        let (ours, rest) = others.into_iter().partition(is_ours);
        let ours: Vec<Process> = ours;
        found.extend(ours);
        others = rest;
        if found.len() == known {
            return Ok(found);
        }
    }
}

/// Parses `/proc/PID/stat`. The command name, in brackets, may contain spaces and brackets: the last bracket
/// ends it.
fn parse(id: u32, stat: &str) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // Fields 14 to 17 of proc(5), counted from field 3: utime, stime, and the same of children waited for.
    let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some(Process { id, parent: fields.get(1)?.parse().ok()?, ticks })
}

#[cfg(test)]
mod tests;
