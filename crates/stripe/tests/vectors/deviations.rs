//! Where we differ from an SDK, by the name of the case, and why.

/// Each reason with the cases that it explains.
pub(crate) const DEVIATIONS: &[(&str, &[&str])] = &[
    (
        "the age check has no off switch: a header that leaked would be good for ever",
        &[
            "N22 old, age unchecked",
            "P13 old, age unchecked",
            "R10 old, age unchecked",
            "H11 testTimestampOffButNoTolerance",
            "J11 testTimestampOffButNoTolerance",
            "G11 old, age unchecked",
        ],
    ),
    (
        "a signature from the future is good for as long as it is ahead; Stripe never sends one",
        &[
            "J12 testTimestampWithClock",
            "100,000 s in the future",
            "t of the year 2038",
            "t of 14 digits",
            "301 s ahead",
        ],
    ),
    (
        "`t` is 1 to 12 digits and hashed as received: one text, one number, one reading",
        &[
            "`t=+1700000000`",
            "leading zeros of t, signed with them",
            "leading zeros of t, signed without",
            "`t=1700000000abc`",
            "`t=1700000000.0`",
            "`t=1_700_000_000`",
            "`t=0x6553f100`",
        ],
    ),
    (
        "two different times: nobody can say which was meant",
        &["two t, the first signed", "two t, the last signed"],
    ),
    (
        "proxies add blanks and join headers, and broken extra parts carry no meaning; the signature decides",
        &[
            "trailing blank",
            "leading blank",
            "blank after comma",
            "v1 first, blank after comma",
            "trailing comma",
            "leading comma",
            "bare token",
            "bare `v1`, then good",
            "empty `v1=`, then good",
        ],
    ),
    (
        "`v1` is 64 lower-case hex digits, the only form that Stripe sends",
        &["upper-case hex", "`=` after the hex"],
    ),
    (
        "any `v1` may be the good one: during a roll Stripe sends one for each secret",
        &["v1 good, then bad", "v1 good, then non-hex"],
    ),
    (
        "the signature is checked before the age, so that an unsigned request learns nothing about our clock",
        &["bad signature and too old"],
    ),
    (
        "an empty secret is refused at start, and without a secret nothing is accepted",
        &["empty secret, signed with it"],
    ),
    (
        "the bytes are hashed as received, neither decoded nor repaired; reading them is a later step",
        &["BOM, signed with it", "BOM, signed without it", "invalid UTF-8, signed raw", "empty body"],
    ),
    ("an event is a JSON object", &["event: a JSON array"]),
    ("the sample of FairePlace's guide has no `object`", &["event: no `object`"]),
];
