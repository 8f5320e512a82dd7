//! A blocked writer does not block its callers, and counts the lines that it drops.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, mpsc};

use super::{BackgroundWriter, MAX_BYTES, MAX_LINES};

#[test]
fn the_queue_is_bounded_by_bytes_and_dropped_lines_are_counted() {
    let (unblock, blocked) = mpsc::channel::<()>();
    let written = Arc::new(Mutex::new(Vec::new()));
    let sink = written.clone();
    let writer = BackgroundWriter::start("test", move |line| {
        // Blocks until the sender is dropped.
        let _ = blocked.recv();
        sink.lock().unwrap().push(line.to_vec());
    });
    let writer = writer.unwrap();
    let long = vec![b'x'; 1024];
    let lines = 2 * MAX_BYTES / long.len();
    for _ in 0..lines {
        writer.line(long.clone());
    }
    let dropped = usize::try_from(writer.dropped().load(Relaxed)).unwrap();
    assert_eq!(dropped, lines - MAX_BYTES / long.len(), "bounded by bytes");
    assert!(writer.is_stuck());
    drop(unblock);
    writer.flush();
    assert_eq!(written.lock().unwrap().len(), lines - dropped, "all others are written");
    assert!(!writer.is_stuck());
}

#[test]
fn the_queue_is_bounded_by_lines() {
    let (unblock, blocked) = mpsc::channel::<()>();
    let writer = BackgroundWriter::start("test", move |_| {
        let _ = blocked.recv();
    });
    let writer = writer.unwrap();
    for _ in 0..2 * MAX_LINES {
        writer.line(b"x".to_vec());
    }
    let dropped = usize::try_from(writer.dropped().load(Relaxed)).unwrap();
    // One is being written, and may have been taken before the queue was full.
    assert!((MAX_LINES - 1..=MAX_LINES).contains(&dropped), "{dropped}");
    assert!(writer.is_stuck());
    drop(unblock);
}
