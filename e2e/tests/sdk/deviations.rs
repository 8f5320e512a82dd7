//! Every way in which our verdict differs from an official client's, by name and with its reason.
//!
//! A difference that no row explains fails the test, and so does a row that explains nothing.

use crate::Verdict::{self, Accept, Refuse};
use crate::cases::Case;
use stripe::Secret;
use stripe::signature::TOLERANCE_SECONDS;

/// One difference: from whom, our side of it, and which deliveries show it.
pub(crate) struct Deviation {
    pub(crate) name: &'static str,
    pub(crate) clients: &'static [&'static str],
    pub(crate) ours: Verdict,
    /// Why our side is the better one.
    pub(crate) reason: &'static str,
    pub(crate) explains: fn(&Case) -> bool,
}

const BOTH: &[&str] = &["node", "python"];
const NODE: &[&str] = &["node"];

pub(crate) const DEVIATIONS: &[Deviation] = &[
    Deviation {
        name: "time ahead of the clock",
        clients: BOTH,
        ours: Refuse,
        reason: "a signature from the future could be kept and repeated for as long as it is ahead",
        explains: |case| times(case).any(|t| number(t).is_some_and(|t| t > case.now + TOLERANCE_SECONDS)),
    },
    Deviation {
        name: "two different times",
        clients: BOTH,
        ours: Refuse,
        reason: "the last counts for Node, the first for Python: a header that readers disagree on is nobody's",
        explains: |case| times(case).any(|t| times(case).any(|other| other != t)),
    },
    Deviation {
        name: "time is not 1 to 12 digits",
        clients: BOTH,
        ours: Refuse,
        reason: "Node takes trailing letters and \"NaN\", Python signs and underscores; Stripe sends none of these",
        explains: |case| times(case).any(|t| number(t).is_none()) || case.parts().any(|part| part == b"t"),
    },
    Deviation {
        name: "leading zeros, not signed",
        clients: BOTH,
        ours: Refuse,
        reason: "what was signed is the text of t as it stands, not the number that it reads as",
        explains: |case| times(case).any(|t| t.len() > 1 && t.starts_with(b"0")),
    },
    Deviation {
        name: "leading zeros, signed",
        clients: BOTH,
        ours: Accept,
        reason: "the same rule from the other side",
        explains: |case| times(case).any(|t| t.len() > 1 && t.starts_with(b"0")),
    },
    Deviation {
        name: "blanks around a part",
        clients: BOTH,
        ours: Accept,
        reason: "proxies that join or normalise headers put blanks after commas, and HTTP lets them",
        explains: |case| {
            case.header.split(|byte| *byte == b',').zip(case.parts()).any(|(raw, part)| raw != part)
        },
    },
    Deviation {
        name: "empty v1",
        clients: NODE,
        ours: Accept,
        reason: "Node throws a plain Error at it; a part that proves nothing takes nothing from a good one",
        explains: |case| case.values("v1").any(|value| value.is_empty() || value.starts_with(b"=")),
    },
    Deviation {
        name: "v1 outside ASCII",
        clients: BOTH,
        ours: Accept,
        reason: "both throw an error of their language while comparing it, even with a good one beside it",
        explains: |case| case.values("v1").any(|value| !value.is_ascii()),
    },
    Deviation {
        name: "bare t or v1",
        clients: BOTH,
        ours: Accept,
        reason: "without a value it is an unknown word, and those are ignored",
        explains: |case| case.parts().any(|part| part == b"t" || part == b"v1"),
    },
    Deviation {
        name: "more after the digest",
        clients: BOTH,
        ours: Refuse,
        reason: "both drop a second equals sign and all that follows; a v1 is 64 digits and no more",
        explains: |case| case.values("v1").any(|value| value.contains(&b'=')),
    },
    Deviation {
        name: "byte order mark, signed",
        clients: NODE,
        ours: Accept,
        reason: "Node hashes the body without its first character; the bytes that were signed are the bytes hashed",
        explains: |case| case.body.starts_with(BYTE_ORDER_MARK),
    },
    Deviation {
        name: "byte order mark, not signed",
        clients: NODE,
        ours: Refuse,
        reason: "the same rule from the other side",
        explains: |case| case.body.starts_with(BYTE_ORDER_MARK),
    },
    Deviation {
        name: "body is not UTF-8",
        clients: BOTH,
        ours: Accept,
        reason: "the signature is over bytes; that they are no text is found, and kept, when the event is read",
        explains: |case| std::str::from_utf8(&case.body).is_err(),
    },
    Deviation {
        name: "body signed as repaired",
        clients: NODE,
        ours: Refuse,
        reason: "Node replaces broken bytes before it hashes, so many bodies pass for one signature",
        explains: |case| std::str::from_utf8(&case.body).is_err(),
    },
    Deviation {
        name: "secret that is none",
        clients: BOTH,
        ours: Refuse,
        reason: "quotes, white space and letters outside ASCII are slips of copying, told at start",
        explains: |case| case.secrets.iter().any(|secret| Secret::parse(secret).is_err()),
    },
    Deviation {
        name: "more than 16 v1",
        clients: BOTH,
        ours: Refuse,
        reason: "a bound on the work that a stranger can ask for; Stripe sends one for each secret",
        explains: |case| case.values("v1").count() > 16,
    },
    Deviation {
        name: "header of more than 4096 bytes",
        clients: BOTH,
        ours: Refuse,
        reason: "a bound on the work that a stranger can ask for; Stripe's own is about 150 bytes",
        explains: |case| case.header.len() > 4096,
    },
];

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn times(case: &Case) -> impl Iterator<Item = &[u8]> {
    case.values("t")
}

/// What we read as a time.
fn number(t: &[u8]) -> Option<i64> {
    let plain = (1..=12).contains(&t.len()) && t.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(t).ok()?.parse().ok()).flatten()
}
