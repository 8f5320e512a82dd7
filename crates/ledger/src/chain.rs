//! The hash chain. Every transaction carries a hash of itself and of the transaction before it, written in
//! the same commit, so that a line changed or removed later is detected. The hashed text is plain, one field
//! per line, so that anyone can check it with `sha256sum`:
//!
//! ```text
//! faireplace-1          the format
//! <previous hash>       64 lower-case hex digits, zeros for the first
//! <seq> <tenant> <kind> <payment or -> <at, microseconds>
//! event <id>            or: operator <who> and, on the next line, reason <why>; or: command <key>;
//!                       or: clock <what expired>
//! hold <id>             only if a hold is concerned
//! reference <text>      only if the tenant gave one
//! <account> <lot or -> <amount>      one line per posting
//! <available> <held> <frozen> <debt> after the transaction
//! ```
//!
//! In names and reasons a line break is written `\n` and a backslash `\\`, so no text can pass for another
//! line.
//!
//! Against an attacker who controls the database, the chain proves something only if its head is also kept
//! elsewhere. Nothing here does that.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::posting::{Cause, Transaction};

/// The hash before the first transaction.
pub const GENESIS: [u8; 32] = [0; 32];

/// The hash that `transaction` should carry when it follows `previous`. Its own `hash` is not read.
pub fn seal(previous: &[u8; 32], transaction: &Transaction) -> [u8; 32] {
    Sha256::digest(text(previous, transaction)).into()
}

/// The text that is hashed.
pub fn text(previous: &[u8; 32], transaction: &Transaction) -> String {
    let mut text = format!("faireplace-1\n{}\n", hex(previous));
    let payment = transaction.payment.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let (seq, tenant, kind, at) =
        (transaction.seq, transaction.tenant, transaction.kind.as_str(), transaction.at);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{seq} {tenant} {kind} {payment} {at}");
    let _ = match &transaction.cause {
        Cause::Event(event) => writeln!(text, "event {}", one_line(event.as_str())),
        Cause::Operator { by, reason } => {
            writeln!(text, "operator {}\nreason {}", one_line(by), one_line(reason))
        }
        Cause::Command(key) => writeln!(text, "command {}", one_line(key)),
        Cause::Clock(what) => writeln!(text, "clock {}", one_line(what)),
    };
    if let Some(hold) = transaction.hold {
        let _ = writeln!(text, "hold {hold}");
    }
    if let Some(reference) = &transaction.reference {
        let _ = writeln!(text, "reference {}", one_line(reference));
    }
    for posting in &transaction.postings {
        let lot = posting.lot.map_or_else(|| "-".to_owned(), |lot| lot.to_string());
        let _ = writeln!(text, "{} {lot} {}", posting.account.as_str(), posting.amount);
    }
    let after = transaction.balance_after;
    let _ = writeln!(text, "{} {} {} {}", after.available, after.held, after.frozen, after.debt);
    text
}

fn one_line(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
