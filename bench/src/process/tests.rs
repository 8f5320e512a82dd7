//! CPU time and memory of a process, as the kernel counts them.

use std::process::Command;

use super::*;

#[test]
fn a_command_name_may_contain_brackets() {
    let line = "42 (a) b (c) S 7 42 42 0 -1 4194304 103 0 0 0 5 6 70 800 20 0 1 0 223440 3133440";
    let process = parse(42, line).unwrap();
    assert_eq!((process.parent, process.ticks), (7, 881));
}

#[test]
fn the_cpu_time_of_children_counts() {
    // The subshell does the work and has ended when we read; its time must still count.
    let work = "(i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done); sleep 5";
    let mut child = Command::new("sh").args(["-c", work]).spawn().unwrap();
    let mut used = 0;
    for _ in 0..40 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        used = cpu_micros(child.id()).unwrap();
    }
    let resident = resident_kib(child.id()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(used > 50_000, "only {used} µs");
    assert!(resident > 50, "only {resident} KiB");
}
