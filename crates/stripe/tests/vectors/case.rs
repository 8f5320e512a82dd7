//! One row: a header and a body, what each SDK makes of them, and what we do.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use stripe::{Envelope, Secret, signature};

/// The SDKs in the order of a row's eight columns.
pub(crate) const SDKS: [&str; 8] = ["node", "python", "go", "ruby", "php", "java", "async-stripe", "dotnet"];

/// The secret of nearly every row.
pub(crate) const S: &str = "whsec_test_secret";
pub(crate) const ROLLED: &str = "whsec_test_secret_rolled_key";

pub(crate) const A: &[u8] = b"{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\"\n}";
pub(crate) const A_LF: &[u8] = b"{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\"\n}\n";
pub(crate) const A_CRLF: &[u8] = b"{\r\n  \"id\": \"evt_test_webhook\",\r\n  \"object\": \"event\"\r\n}";
pub(crate) const A_BOM: &[u8] = b"\xEF\xBB\xBF{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\"\n}";
pub(crate) const B: &[u8] = b"{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\",\n  \
    \"data\": { \"object\": { \"id\": \"rdr_123\", \"object\": \"terminal.reader\" } }\n}";
pub(crate) const V2: &[u8] = b"{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"v2.core.event\"\n}";

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    /// With this fault's code.
    Refused(&'static str),
}

pub(crate) const OK: Verdict = Verdict::Accepted;
pub(crate) const MISSING: Verdict = Verdict::Refused("missing");
pub(crate) const MALFORMED: Verdict = Verdict::Refused("malformed");
pub(crate) const NO_V1: Verdict = Verdict::Refused("no_v1");
pub(crate) const MISMATCH: Verdict = Verdict::Refused("mismatch");
pub(crate) const STALE: Verdict = Verdict::Refused("stale");
pub(crate) const FUTURE: Verdict = Verdict::Refused("future");

#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// One letter for each SDK: `O` accepts, `X` refuses, `S` refuses for another reason, `-` is not known.
    pub(crate) theirs: &'static str,
    pub(crate) ours: Verdict,
    body: &'static [u8],
    header: &'static str,
    secrets: &'static str,
    now: i64,
    tolerance: i64,
    reads: bool,
}

/// A row under secret S, at 1700000000, with Stripe's tolerance.
///
/// In the header `{v1}` stands for the right signature of the body under S and the header's own first `t`;
/// `{v1@TEXT}` for the one over another `t`, `{rolled}` under the other secret, `{upper}` in capitals.
pub(crate) fn case(
    name: &'static str,
    theirs: &'static str,
    body: &'static [u8],
    header: &'static str,
    ours: Verdict,
) -> Case {
    assert_eq!(theirs.len(), SDKS.len(), "{name}");
    let tolerance = signature::TOLERANCE_SECONDS;
    Case { name, theirs, ours, body, header, secrets: S, now: 1_700_000_000, tolerance, reads: false }
}

impl Case {
    pub(crate) fn at(self, now: i64) -> Case {
        Case { now, ..self }
    }

    pub(crate) fn within(self, tolerance: i64) -> Case {
        Case { tolerance, ..self }
    }

    pub(crate) fn under(self, secrets: &'static str) -> Case {
        Case { secrets, ..self }
    }

    /// The row is about the event too, not about its signature alone.
    pub(crate) fn reads(self) -> Case {
        Case { reads: true, ..self }
    }

    pub(crate) fn run(&self) -> Verdict {
        let secrets = Secret::parse_list(self.secrets).unwrap_or_default();
        let header = self.render();
        let header = (self.header != "(none)").then_some(header.as_bytes());
        match signature::verify(self.body, header, &secrets, self.now, self.tolerance) {
            Err(fault) => Verdict::Refused(fault.as_str()),
            Ok(_) if !self.reads => Verdict::Accepted,
            Ok(_) => match Envelope::parse(self.body) {
                Err(fault) => Verdict::Refused(fault.code()),
                Ok(_) => Verdict::Accepted,
            },
        }
    }

    pub(crate) fn deviates_from(&self) -> Vec<&'static str> {
        let same = if self.ours == Verdict::Accepted { 'O' } else { 'X' };
        let columns = SDKS.into_iter().zip(self.theirs.chars());
        columns.filter(|(_, theirs)| *theirs != '-' && *theirs != same).map(|(sdk, _)| sdk).collect()
    }

    fn render(&self) -> String {
        let own_t = self.header.split_once("t=").map_or("", |(_, rest)| rest.split(',').next().unwrap_or(""));
        let mut rendered = String::new();
        let mut rest = self.header;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').expect("a closing brace");
            let value = match name.split_once('@') {
                Some(("v1", t)) => reference(S, t, self.body),
                None if name == "v1" => reference(S, own_t, self.body),
                None if name == "rolled" => reference(ROLLED, own_t, self.body),
                None if name == "upper" => reference(S, own_t, self.body).to_uppercase(),
                _ => panic!("{}: what is {{{name}}}?", self.name),
            };
            rendered.push_str(before);
            rendered.push_str(&value);
            rest = after;
        }
        rendered + rest
    }
}

/// An independent signer, itself checked by the fixed vectors.
pub(crate) fn reference(secret: &str, t: &str, body: &[u8]) -> String {
    let mut hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    hmac.update(&[t.as_bytes(), b".", body].concat());
    hmac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
