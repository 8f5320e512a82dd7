//! Describes the machine in one line, for the report. The host name is left out on purpose.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    thread,
};

use crate::load::{now, percentile};

/// Cores, CPU, kernel, file system of `directory`, and the time of one durable write there.
pub(crate) fn describe(directory: &Path) -> anyhow::Result<String> {
    let cores = thread::available_parallelism()?;
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let model =
        info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    let model = model.map_or("unknown CPU", |(_, model)| model);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let (system, sync) = (file_system(directory)?, sync_micros(directory)?);
    Ok(format!("{cores} × {model}, Linux {}, {system} (fdatasync of 4 KiB: {sync} µs)", kernel.trim()))
}

/// The type of the file system that contains `directory`: the longest matching mount point decides.
fn file_system(directory: &Path) -> anyhow::Result<String> {
    let directory = directory.canonicalize()?;
    let mounts = fs::read_to_string("/proc/mounts")?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = mounts.filter(|(point, _)| directory.starts_with(point));
    Ok(above
        .max_by_key(|(point, _)| point.len())
        .map_or("unknown file system", |(_, system)| system)
        .to_owned())
}

/// The median time of 200 small appends, each followed by fdatasync, as a write-ahead log does.
fn sync_micros(directory: &Path) -> anyhow::Result<u64> {
    let path = directory.join("sync-probe");
    let mut file = File::create(&path)?;
    let mut micros = Vec::new();
    for _ in 0..200 {
        let start = now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        micros.push(u64::try_from(start.elapsed().as_micros())?);
    }
    fs::remove_file(path)?;
    micros.sort_unstable();
    Ok(percentile(&micros, 50))
}
