//! The cases of the SDKs' own webhook test suites that concern a verifier, one row each.
//!
//! N node, P python, R ruby, H php, J java, G go, D dotnet, A async-stripe; numbers as in the suites' order.
//! A suite that switches the age check off has a row here too: we have no such switch.

use crate::case::*;

const INVALID: &[u8] = b"this is not valid JSON";
const NOT_EVEN: &str = "I'm not even a real signature header";
const GOOD: &str = "t=1700000000,v1={v1}";
const V0_ONLY: &str = "t=1700000000,v0={v1}";
const NONSENSE: &str = "t=1700000000,v1=bad_signature";
const GOOD_AND_NONSENSE: &str = "t=1700000000,v1={v1},v1=bad_signature";
const FIFTEEN_AGO: &str = "t=1699999985,v1={v1}";
const IN_1970: &str = "t=12345,v1={v1}";

pub(crate) fn cases() -> Vec<Case> {
    [node(), python(), ruby(), php(), java(), go(), dotnet(), async_stripe()].concat()
}

fn node() -> Vec<Case> {
    let invalid = b"} I am not valid JSON; 123][";
    vec![
        case("N4 valid", "O-------", A, GOOD, OK),
        case("N7 invalid JSON", "X-------", invalid, GOOD, Verdict::Refused("not_json")).reads(),
        case("N8 bad header", "X-------", A, "bad_header", MALFORMED),
        case("N9 empty body, bad header", "X-------", b"", "bad_header", MALFORMED),
        case("N12 v2 event without type", "X-------", V2, GOOD, Verdict::Refused("field_missing")).reads(),
        case("N13 malformed header", "X-------", A, NOT_EVEN, MALFORMED),
        case("N14 empty header", "X-------", A, "", MISSING),
        case("N14 no header", "X-------", A, "(none)", MISSING),
        case("N15 scheme v0", "X-------", A, V0_ONLY, NO_V1),
        case("N16 bad signature", "X-------", A, NONSENSE, MISMATCH),
        case("N17 15 s old, tolerance 10", "X-------", A, "t=19985,v1={v1}", STALE).at(20_000).within(10),
        case("N18 15 s old, tolerance 10", "X-------", A, FIFTEEN_AGO, STALE).within(10),
        case("N19 fresh, tolerance 10", "O-------", A, GOOD, OK).within(10),
        case("N20 9 s old, tolerance 10", "O-------", A, "t=19991,v1={v1}", OK).at(20_000).within(10),
        case("N21 one valid of two", "O-------", A, "t=1700000000,v1={v1},v1=potato", OK),
        case("N22 old, age unchecked", "O-------", A, IN_1970, STALE),
        case("N30 100 s old, age unchecked", "O-------", A, "t=1699999900,v1={v1}", OK),
        case("N31 fresh, tolerance 300", "O-------", A, GOOD, OK).within(300),
        case("N32 400 s old", "X-------", A, "t=1699999600,v1={v1}", STALE),
    ]
}

fn python() -> Vec<Case> {
    vec![
        case("P1 valid", "-O------", B, GOOD, OK),
        case("P2 invalid JSON", "-X------", INVALID, GOOD, Verdict::Refused("not_json")).reads(),
        case("P3 bad header", "-X------", B, "bad_header", MALFORMED),
        case("P6 v2 event without type", "-X------", V2, GOOD, Verdict::Refused("field_missing")).reads(),
        case("P7 malformed header", "-X------", B, "i'm not even a real signature header", MALFORMED),
        case("P8 scheme v0", "-X------", B, V0_ONLY, NO_V1),
        case("P9 bad signature", "-X------", B, NONSENSE, MISMATCH),
        case("P10 15 s old, tolerance 10", "-X------", B, FIFTEEN_AGO, STALE).within(10),
        case("P11 fresh, tolerance 10", "-O------", B, GOOD, OK).within(10),
        case("P12 one valid of two", "-O------", B, GOOD_AND_NONSENSE, OK).within(10),
        case("P13 old, age unchecked", "-O------", B, IN_1970, STALE),
    ]
}

fn ruby() -> Vec<Case> {
    vec![
        case("R1 compute, then verify", "---O----", A_LF, GOOD, OK),
        case("R2 invalid JSON", "---X----", INVALID, GOOD, Verdict::Refused("not_json")).reads(),
        case("R3 bad header", "---X----", A_LF, "bad_header", MALFORMED),
        case("R4 malformed header", "---X----", A_LF, NOT_EVEN, MALFORMED),
        case("R5 scheme v0", "---X----", A_LF, V0_ONLY, NO_V1),
        case("R6 bad signature", "---X----", A_LF, NONSENSE, MISMATCH),
        case("R7 15 s old, tolerance 10", "---X----", A_LF, FIFTEEN_AGO, STALE).within(10),
        case("R8 fresh, tolerance 10", "---O----", A_LF, GOOD, OK).within(10),
        case("R9 one valid of two", "---O----", A_LF, GOOD_AND_NONSENSE, OK).within(10),
        case("R10 old, age unchecked", "---O----", A_LF, IN_1970, STALE),
    ]
}

fn php() -> Vec<Case> {
    vec![
        case("H1 testValidJsonAndHeader", "----O---", B, GOOD, OK),
        case("H2 testInvalidJson", "----X---", INVALID, GOOD, Verdict::Refused("not_json")).reads(),
        case("H3 testValidJsonAndInvalidHeader", "----X---", B, "bad_header", MALFORMED),
        case("H4 testMalformedHeader", "----X---", B, NOT_EVEN, MALFORMED),
        case("H5 testNoSignaturesWithExpectedScheme", "----X---", B, V0_ONLY, NO_V1),
        case("H6 testNoValidSignatureForPayload", "----X---", B, NONSENSE, MISMATCH),
        case("H7 testTimestampTooOld", "----X---", B, FIFTEEN_AGO, STALE).within(10),
        case("H8 testTimestampTooRecent", "----X---", B, "t=1700000015,v1={v1}", FUTURE).within(10),
        case("H9 testValidHeaderAndSignature", "----O---", B, GOOD, OK).within(10),
        case("H10 testHeaderContainsValidSignature", "----O---", B, GOOD_AND_NONSENSE, OK).within(10),
        case("H11 testTimestampOffButNoTolerance", "----O---", B, IN_1970, STALE),
    ]
}

fn java() -> Vec<Case> {
    let not_a_number = "t=not_a_number,v1=somesignature";
    vec![
        case("J1 testValidJsonAndHeader", "-----O--", A, GOOD, OK),
        case("J2 outside the tolerance of 10", "-----X--", A, "t=1,v1={v1}", STALE).at(12).within(10),
        case("J3 testInvalidJson", "-----X--", INVALID, GOOD, Verdict::Refused("not_json")).reads(),
        case("J4 testValidJsonAndInvalidHeader", "-----X--", A, "bad_header", MALFORMED),
        case("J5 testMalformedHeader", "-----X--", A, NOT_EVEN, MALFORMED),
        case("J6 testMalformedTimestampValue", "-----X--", A, not_a_number, MALFORMED),
        case("J7 testNoSignaturesWithExpectedScheme", "-----X--", A, V0_ONLY, NO_V1),
        case("J8 testNoValidSignatureForPayload", "-----X--", A, NONSENSE, MISMATCH),
        case("J9 testTimestampOutsideTolerance", "-----X--", A, FIFTEEN_AGO, STALE).within(10),
        case("J10 testHeaderContainsValidSignature", "-----O--", A, GOOD_AND_NONSENSE, OK),
        case("J11 testTimestampOffButNoTolerance", "-----O--", A, IN_1970, STALE),
        case("J12 testTimestampWithClock", "-----O--", A, "t=11,v1={v1}", FUTURE).at(0).within(10),
    ]
}

fn go() -> Vec<Case> {
    let both = "t=1700000000,v1={v1},v1={rolled}";
    let body = br#"{"id":"evt_test"}"#;
    let published = "t=1700000000,v1=14c4f43763339dcb1c15f41a1ff31a94f2f09f8de278f8b4392ca0d7cbcd257e";
    vec![
        case("G1 valid", "--O-----", A, GOOD, OK),
        case("G2 broken JSON, signed", "--X-----", b"{}[", GOOD, Verdict::Refused("not_json")).reads(),
        case("G3 empty header", "--X-----", A, "", MISSING),
        case("G4 bare v1", "--X-----", A, "v1,t=1", NO_V1),
        case("G5 empty t", "--X-----", A, "t=", MALFORMED),
        case("G6 unreadable signature ignored", "--O-----", A, GOOD_AND_NONSENSE, OK),
        case("G7 scheme v0", "--X-----", A, V0_ONLY, NO_V1),
        case("G8 short signature", "--X-----", A, "t=1700000000,v1=6465616462656566", MISMATCH),
        case("G9 two secrets, checked with the old", "--O-----", A, both, OK),
        case("G9 two secrets, checked with the new", "--O-----", A, both, OK).under(ROLLED),
        case("G10 15 s old, tolerance 10", "--X-----", A, FIFTEEN_AGO, STALE).within(10),
        case("G10 15 s old, tolerance 20", "--O-----", A, FIFTEEN_AGO, OK).within(20),
        case("G11 old, age unchecked", "--O-----", A, IN_1970, STALE),
        case("G12 299 s old", "--O-----", A, "t=1699999701,v1={v1}", OK),
        case("G12 301 s old", "--X-----", A, "t=1699999699,v1={v1}", STALE),
        case("G16 test payload", "--O-----", body, published, OK).under("whsec_test"),
        case("G17 deadbeef", "--X-----", A, "t=1700000000,v1=deadbeef", MISMATCH),
    ]
}

fn dotnet() -> Vec<Case> {
    let header = "t=1533204620,v1=ce7c8ae9028c255f3569f6bc3149d2ee7025705423b340b062ceba8081df3f7f";
    let fixture = |name, theirs, body, ours| {
        case(name, theirs, body, header, ours).under("webhook_secret").at(1_533_204_720)
    };
    let deadbeef = "deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
    let with_deadbeef: &'static str = format!("{header},v1={deadbeef}").leak();
    let d18 = case("D18 one valid of two", "-------O", b"{}", with_deadbeef, OK).under("webhook_secret");
    vec![
        fixture("D1 100 s old", "-------O", b"{}", OK),
        fixture("D2 400 s old", "-------X", b"{}", STALE).at(1_533_205_020),
        fixture("D3 body changed", "-------X", b"{}this_changes_the_json", MISMATCH),
        case("D9 empty t", "-------X", b"{}", "t=,v1={v1},v0={v1}", MALFORMED),
        case("D9 bare t", "-------X", b"{}", "t,v1=,v0=", MALFORMED),
        case("D9 bare t and v0", "-------X", b"{}", "t,v1=,v0", MALFORMED),
        case("D9 bare t, empty v1", "-------X", b"{}", "t,v1=,", MALFORMED),
        case("D9 bare t, commas", "-------X", b"{}", "t,,", MALFORMED),
        case("D9 commas only", "-------X", b"{}", ",,", MALFORMED),
        case("D9 t only", "-------X", b"{}", "t", MALFORMED),
        fixture("D11 other secret", "-------X", b"{}", MISMATCH).under("wrong_secret"),
        case("D14 generated header", "-------O", b"{}", GOOD, OK),
        d18.at(1_533_204_720),
        fixture("D19 any age, tolerance without end", "-------O", b"{}", OK)
            .at(1_700_000_000)
            .within(i64::MAX),
        case("D20 v0 only", "-------X", b"{}", V0_ONLY, NO_V1),
        case("D23 bad signature of 1970", "-------X", b"{}", "t=1234,v1=invalidsignature", MISMATCH),
    ]
}

/// The example of Stripe's documentation reads well and fits no body.
fn async_stripe() -> Vec<Case> {
    let v1 = "t=1492774577,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd";
    let v1_v0 = "t=1492774577,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd,\
                 v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39";
    let generated = "t=1492774577,v1={v1}";
    vec![
        case("A1 example with v1", "------X-", A, v1, MISMATCH).at(1_492_774_577),
        case("A2 example with v1 and v0", "------X-", A, v1_v0, MISMATCH).at(1_492_774_577),
        case("A3 generated header", "------O-", A, generated, OK).at(1_492_774_577),
    ]
}
