//! A signal is sent after the commit, once, and only for writes that changed rows.

use super::*;

#[test]
fn every_receiver_sees_once_what_was_written_and_sent() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (n)").unwrap();
    let signals = Signals::default();
    let mut receivers = [signals.changes.subscribe(), signals.changes.subscribe()];
    let arrivals = signals.arrivals.subscribe();
    let mut seen = || {
        receivers.each_mut().map(|receiver| {
            let seen = receiver.has_changed().unwrap();
            receiver.mark_unchanged();
            seen
        })
    };
    let run = |sql: &'static str| {
        signals.changes.raised_by(move |c| c.execute_batch(sql).unwrap())(&connection);
    };
    run("DELETE FROM t");
    signals.send();
    assert_eq!(seen(), [false, false], "it wrote nothing");
    run("INSERT INTO t VALUES (1)");
    run("INSERT INTO t VALUES (2)");
    assert_eq!(seen(), [false, false], "not committed yet");
    signals.send();
    assert_eq!(seen(), [true, true]);
    signals.send();
    assert_eq!(seen(), [false, false], "once");
    assert!(!arrivals.has_changed().unwrap());
}
