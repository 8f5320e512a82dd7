//! All differences between our verdict and an official client's, with reasons. The test fails for a
//! difference without a row, and for a row without a difference.

use crate::Verdict::{self, Accept, Reject};
use crate::cases::Case;
use stripe::Secret;
use stripe::signature::TOLERANCE_SECONDS;

/// A difference: the clients concerned, our verdict, and the deliveries with this difference.
pub(crate) struct Deviation {
    pub(crate) name: &'static str,
    pub(crate) clients: &'static [&'static str],
    pub(crate) ours: Verdict,
    /// Why our verdict is better.
    pub(crate) reason: &'static str,
    pub(crate) explains: fn(&Case) -> bool,
}

const BOTH: &[&str] = &["node", "python"];
const NODE: &[&str] = &["node"];

pub(crate) const DEVIATIONS: &[Deviation] = &[
    Deviation {
        name: "time ahead of the clock",
        clients: BOTH,
        ours: Reject,
        reason: "a signature from the future could be replayed until that time",
        explains: |case| times(case).any(|t| number(t).is_some_and(|t| t > case.now + TOLERANCE_SECONDS)),
    },
    Deviation {
        name: "two different times",
        clients: BOTH,
        ours: Reject,
        reason: "Node uses the last, Python the first; Stripe never sends two",
        explains: |case| times(case).any(|t| times(case).any(|other| other != t)),
    },
    Deviation {
        name: "time is not 1 to 12 digits",
        clients: BOTH,
        ours: Reject,
        reason: "Node accepts trailing letters and \"NaN\", Python signs and underscores; Stripe sends none of these",
        explains: |case| times(case).any(|t| number(t).is_none()) || case.parts().any(|part| part == b"t"),
    },
    Deviation {
        name: "leading zeros, not signed",
        clients: BOTH,
        ours: Reject,
        reason: "the text of t is signed, not its numeric value",
        explains: |case| times(case).any(|t| t.len() > 1 && t.starts_with(b"0")),
    },
    Deviation {
        name: "leading zeros, signed",
        clients: BOTH,
        ours: Accept,
        reason: "the reverse of the rule above",
        explains: |case| times(case).any(|t| t.len() > 1 && t.starts_with(b"0")),
    },
    Deviation {
        name: "blanks around a part",
        clients: BOTH,
        ours: Accept,
        reason: "proxies that join or normalise headers may add blanks after commas",
        explains: |case| {
            case.header.split(|byte| *byte == b',').zip(case.parts()).any(|(raw, part)| raw != part)
        },
    },
    Deviation {
        name: "empty v1",
        clients: NODE,
        ours: Accept,
        reason: "Node throws a plain Error; an empty part does not invalidate a good one",
        explains: |case| case.values("v1").any(|value| value.is_empty() || value.starts_with(b"=")),
    },
    Deviation {
        name: "v1 outside ASCII",
        clients: BOTH,
        ours: Accept,
        reason: "both throw while comparing it, even beside a good one",
        explains: |case| case.values("v1").any(|value| !value.is_ascii()),
    },
    Deviation {
        name: "bare t or v1",
        clients: BOTH,
        ours: Accept,
        reason: "without a value it is an unknown word, which is ignored",
        explains: |case| case.parts().any(|part| part == b"t" || part == b"v1"),
    },
    Deviation {
        name: "more after the digest",
        clients: BOTH,
        ours: Reject,
        reason: "both ignore a second equals sign and the rest; a v1 is exactly 64 digits",
        explains: |case| case.values("v1").any(|value| value.contains(&b'=')),
    },
    Deviation {
        name: "byte order mark, signed",
        clients: NODE,
        ours: Accept,
        reason: "Node hashes the body without the mark; we hash the signed bytes",
        explains: |case| case.body.starts_with(BYTE_ORDER_MARK),
    },
    Deviation {
        name: "byte order mark, not signed",
        clients: NODE,
        ours: Reject,
        reason: "the reverse of the rule above",
        explains: |case| case.body.starts_with(BYTE_ORDER_MARK),
    },
    Deviation {
        name: "body is not UTF-8",
        clients: BOTH,
        ours: Accept,
        reason: "the signature covers bytes; invalid text is quarantined when the event is read",
        explains: |case| std::str::from_utf8(&case.body).is_err(),
    },
    Deviation {
        name: "body signed with invalid UTF-8 replaced",
        clients: NODE,
        ours: Reject,
        reason: "Node replaces invalid bytes before hashing, so that many bodies match one signature",
        explains: |case| std::str::from_utf8(&case.body).is_err(),
    },
    Deviation {
        name: "invalid secret",
        clients: BOTH,
        ours: Reject,
        reason: "quotes, white space and letters outside ASCII are copying mistakes, reported at the start",
        explains: |case| case.secrets.iter().any(|secret| Secret::parse(secret).is_err()),
    },
    Deviation {
        name: "more than 16 v1",
        clients: BOTH,
        ours: Reject,
        reason: "limits the work that anybody can cause; Stripe sends one per secret",
        explains: |case| case.values("v1").count() > 16,
    },
    Deviation {
        name: "header of more than 4096 bytes",
        clients: BOTH,
        ours: Reject,
        reason: "limits the work that anybody can cause; Stripe's header has about 150 bytes",
        explains: |case| case.header.len() > 4096,
    },
];

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn times(case: &Case) -> impl Iterator<Item = &[u8]> {
    case.values("t")
}

/// A time as we parse it.
fn number(t: &[u8]) -> Option<i64> {
    let plain = (1..=12).contains(&t.len()) && t.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(t).ok()?.parse().ok()).flatten()
}
