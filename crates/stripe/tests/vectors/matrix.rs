//! The behaviour matrix: headers and bodies off the beaten track, with what eight SDKs make of each.

use crate::case::*;

const GOOD: &str = "t=1700000000,v1={v1}";
const ALL: &str = "OOOOOOOO";
const NONE: &str = "XXXXXXXX";
const BAD: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The signature of body A under S at 1700000000.
const OF_A: &str = "t=1700000000,v1=4f1cd7feda9826e746b7d482c4badebb657398df1099e1046364f6196a230150";

pub(crate) fn cases() -> Vec<Case> {
    [accepted_by_all(), refused_by_all(), header_shape(), signatures(), timestamps(), bodies(), limits()]
        .concat()
}

fn leak(text: String) -> &'static str {
    text.leak()
}

fn accepted_by_all() -> Vec<Case> {
    let bad_then_good = leak(format!("t=1700000000,v1={BAD},v1={{v1}}"));
    vec![
        case("canonical header", ALL, A, GOOD, OK),
        case("v1 before t", ALL, A, "v1={v1},t=1700000000", OK),
        case("unknown key", ALL, A, "t=1700000000,v2=later,v1={v1}", OK),
        case("v1 bad, then good", ALL, A, bad_then_good, OK),
        case("v1 non-hex, then good", ALL, A, "t=1700000000,v1=potato,v1={v1}", OK),
        case("headers joined by a proxy", ALL, A, "t=1700000000,v1={v1}, t=1700000000,v1={v1}", OK),
        case("CRLF body signed as it is", ALL, A_CRLF, GOOD, OK),
        case("multi-byte UTF-8", ALL, "{\"name\":\"Žofie 😀\"}".as_bytes(), GOOD, OK),
        case("escaped unicode", ALL, br#"{"name":"\u017dofie"}"#, GOOD, OK),
        case("`t=+1700000000`", "OOOOOOOX", A, "t=+1700000000,v1={v1@1700000000}", MALFORMED),
    ]
}

fn refused_by_all() -> Vec<Case> {
    let wrong_v1_right_v0 = leak(format!("t=1700000000,v1={BAD},v0={{v1}}"));
    let newline_in_secret =
        "t=1700000000,v1=9753c5b2f646419d395e4024b84d29a179493d1bbaa1bc1b384aefacde13738b";
    // A reader that took g for sixteen would find the right bytes: 10 is 0g.
    let beyond_f = "t=1700000000,v1=4f1cd7feda9826e746b7d482c4badebb657398df0g99e1046364f6196a230150";
    let cut = "t=1700000000,v1=4f1cd7feda9826e746b7d482c4badebb";
    vec![
        case("v0 only", NONE, A, "t=1700000000,v0={v1}", NO_V1),
        case("right under v0, wrong under v1", NONE, A, wrong_v1_right_v0, MISMATCH),
        case("non-hex only", NONE, A, "t=1700000000,v1=potato", MISMATCH),
        case("a digit beyond f", NONE, A, beyond_f, MISMATCH),
        case("odd length", NONE, A, "t=1700000000,v1={v1}0", MISMATCH),
        case("cut to 32 digits", NONE, A, cut, MISMATCH),
        case("quoted value", NONE, A, "t=1700000000,v1=\"{v1}\"", MISMATCH),
        case("key `T`", NONE, A, "T=1700000000,v1={v1@1700000000}", MALFORMED),
        case("key `V1`", NONE, A, "t=1700000000,V1={v1}", NO_V1),
        case("semicolons", NONE, A, "t=1700000000;v1={v1@1700000000}", MALFORMED),
        case("`t=` empty", NONE, A, "t=,v1={v1@}", MALFORMED),
        case("`t` without `=`", NONE, A, "t,v1={v1@}", MALFORMED),
        case("no t", NONE, A, "v1={v1@1700000000}", MALFORMED),
        case("t not a number", NONE, A, "t=yesterday,v1={v1}", MALFORMED),
        case("empty header", NONE, A, "", MISSING),
        case("blank header", NONE, A, " \t ", MISSING),
        case("newline appended to the body", NONE, A_LF, OF_A, MISMATCH),
        case("LF changed to CRLF", NONE, A_CRLF, OF_A, MISMATCH),
        case("secret with a newline", NONE, A, newline_in_secret, MISMATCH),
        case("blanks around `=` of t", NONE, A, "t = 1700000000,v1={v1@1700000000}", MALFORMED),
        case("blanks around `=` of v1", NONE, A, "t=1700000000,v1 = {v1}", NO_V1),
        case("trailing blank", "XXXXXXXO", A, "t=1700000000,v1={v1} ", OK),
        case("leading zeros of t, signed with them", "XXXXXXXO", A, "t=001700000000,v1={v1}", OK),
    ]
}

fn header_shape() -> Vec<Case> {
    vec![
        case("blank after comma", "XXXOOXXO", A, "t=1700000000, v1={v1}", OK),
        case("v1 first, blank after comma", "XXXOXXXO", A, "v1={v1@1700000000}, t=1700000000", OK),
        case("leading blank", "XXXXXXXO", A, " t=1700000000,v1={v1}", OK),
        case("trailing comma", "OOXOOOXX", A, "t=1700000000,v1={v1},", OK),
        case("leading comma", "OOXOOOXX", A, ",t=1700000000,v1={v1}", OK),
        case("bare token", "OOXOOOXX", A, "t=1700000000,token,v1={v1}", OK),
        case("bare `v1`, then good", NONE, A, "t=1700000000,v1,v1={v1}", OK),
    ]
}

fn signatures() -> Vec<Case> {
    let good_then_bad = leak(format!("t=1700000000,v1={{v1}},v1={BAD}"));
    let bad_and_old = leak(format!("t=1600000000,v1={BAD}"));
    let of_nothing = "t=1700000000,v1=93d7da3c9798a96e4536e9aec3dbab614a9e6b5a9b595375af6956516a501688";
    vec![
        case("upper-case hex", "XXOXXXOX", A, "t=1700000000,v1={upper}", MISMATCH),
        case("v1 good, then bad", "OOOOOOXO", A, good_then_bad, OK),
        case("v1 good, then non-hex", "OOOOOOXO", A, "t=1700000000,v1={v1},v1=potato", OK),
        case("empty `v1=`, then good", "XOOOOOOO", A, "t=1700000000,v1=,v1={v1}", OK),
        case("`=` after the hex", "OXXXXXXX", A, "t=1700000000,v1={v1}=", MISMATCH),
        case("bad signature and too old", "XXSXXXXX", A, bad_and_old, MISMATCH),
        case("empty secret, signed with it", "XXOOOXOO", A, of_nothing, MISMATCH).under(""),
    ]
}

fn timestamps() -> Vec<Case> {
    let canonical = |name, theirs, header| case(name, theirs, A, header, MALFORMED);
    vec![
        canonical("two t, the first signed", "XOXOOOXO", "t=1700000000,t=1700000001,v1={v1@1700000000}"),
        canonical("two t, the last signed", "OXOXXXOX", "t=1700000001,t=1700000000,v1={v1@1700000000}"),
        canonical("`t=1700000000abc`", "OXXXXXXX", "t=1700000000abc,v1={v1@1700000000}"),
        case(
            "leading zeros of t, signed without",
            "OOOXOOOX",
            A,
            "t=001700000000,v1={v1@1700000000}",
            MISMATCH,
        ),
        canonical("`t=1700000000.0`", "OXXXOXXX", "t=1700000000.0,v1={v1@1700000000}"),
        canonical("`t=1_700_000_000`", "XOXOXXXX", "t=1_700_000_000,v1={v1@1700000000}"),
        canonical("`t=0x6553f100`", "XXXOXXXX", "t=0x6553f100,v1={v1@1700000000}"),
        case("100,000 s in the future", "OOOOXOXX", A, "t=1700100000,v1={v1}", FUTURE),
        case("t of the year 2038", "OOOOXOXX", A, "t=2147483648,v1={v1}", FUTURE),
        case("t of 14 digits", "OOOOXOXX", A, "t=99999999999999,v1={v1}", MALFORMED),
        case("exactly 300 s old", ALL, A, "t=1699999700,v1={v1}", OK),
        case("exactly 300 s ahead", ALL, A, "t=1700000300,v1={v1}", OK),
        case("301 s old", NONE, A, "t=1699999699,v1={v1}", STALE),
        case("301 s ahead", "OOOOXOXX", A, "t=1700000301,v1={v1}", FUTURE),
    ]
}

fn bodies() -> Vec<Case> {
    let bare = br#"{"id":"evt_1","type":"charge.pending","created":1700000000,"data":{"object":{}}}"#;
    vec![
        case("BOM, signed with it", "XOOOOOO-", A_BOM, GOOD, OK),
        case("BOM, signed without it", "OXXXXXX-", A_BOM, OF_A, MISMATCH),
        case("invalid UTF-8, signed raw", "XXOOOX-X", b"{\"n\":\"\xFF\"}", GOOD, OK),
        case("empty body", "XOOOOOOO", b"", GOOD, OK),
        case("event: a JSON array", "OXXXO---", b"[]", GOOD, Verdict::Refused("not_an_event")).reads(),
        case("event: no `object`", "OOXOO---", bare, GOOD, OK).reads(),
    ]
}

/// Our own bounds; no SDK has any.
fn limits() -> Vec<Case> {
    let among = |others: usize| leak(format!("t=1700000000,{}v1={{v1}}", "v1=0,".repeat(others)));
    let padded = |bytes: usize| leak(format!("t=1700000000,v1={{v1}},{}", "x".repeat(bytes - 81)));
    let none = "--------";
    vec![
        case("the 16th v1 is good", none, A, among(15), OK),
        case("the 17th v1 is good", none, A, among(16), MISMATCH),
        case("header of 4096 bytes", none, A, padded(4096), OK),
        case("header of 4097 bytes", none, A, padded(4097), MALFORMED),
        case("t of 12 digits", none, A, "t=999999999999,v1={v1}", OK).at(999_999_999_999),
        case("t of 13 digits", none, A, "t=0001700000000,v1={v1}", MALFORMED),
        case("tolerance 0, same second", none, A, GOOD, OK).within(0),
        case("tolerance 0, one second", none, A, GOOD, STALE).within(0).at(1_700_000_001),
        case("tolerance below 0", none, A, GOOD, STALE).within(-1),
        case("clock at the end of time", none, A, GOOD, STALE).at(i64::MAX),
        case("clock at the beginning of time", none, A, GOOD, FUTURE).at(i64::MIN),
        case("no secrets", none, A, GOOD, MISMATCH).under(""),
    ]
}
