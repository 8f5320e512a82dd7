//! Random malformed deliveries: signed correctly, then changed. The signatures are computed here, and not by
//! the crate under test.

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::RngExt as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom as _;
use sha2::Sha256;
use std::fmt;

/// A delivery, the secrets of its receiver, and the time of receipt.
pub(crate) struct Case {
    pub(crate) body: Vec<u8>,
    pub(crate) header: Vec<u8>,
    pub(crate) secrets: Vec<String>,
    pub(crate) now: i64,
    /// The changes, for messages.
    changes: Vec<&'static str>,
}

impl Case {
    pub(crate) fn draw(random: &mut Xoshiro256PlusPlus) -> Self {
        let now = 1_700_000_000 + random.random_range(0..100_000_000);
        let (body, signed_body, changed_body) = draw_body(random);
        let (t, signed_t, changed_t) = draw_time(random, now);
        let (signers, secrets, changed_secrets) = draw_secrets(random);
        let mut parts = vec![format!("t={t}").into_bytes()];
        parts.extend(
            signers
                .iter()
                .map(|secret| format!("v1={}", digest(secret, &signed_t, &signed_body)).into_bytes()),
        );
        let mut changes = vec![changed_body, changed_t, changed_secrets];
        let count = pick(random, &[0, 0, 0, 1, 1, 1, 1, 2, 3]);
        let mut separator = ",";
        for _ in 0..count {
            changes.push(change_parts(random, &mut parts, &mut separator));
        }
        let mut header = parts.join(separator.as_bytes());
        if random.random_ratio(1, 30) {
            changes.push(change_bytes(random, &mut header));
        }
        Self { body, header, secrets, now, changes }
    }

    /// The comma-separated parts of the header, without surrounding blanks.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.header.split(|byte| *byte == b',').map(|part| {
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
            let start = part.iter().position(|byte| !blank(byte)).unwrap_or(part.len());
            let end = part.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
            &part[start..end]
        })
    }

    /// The values of the parts with this key: everything after the first `=`.
    pub(crate) fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.parts().filter_map(move |part| part.strip_prefix(key.as_bytes())?.strip_prefix(b"="))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { body, header, secrets, now, changes } = self;
        let changes: Vec<&str> = changes.iter().copied().filter(|change| !change.is_empty()).collect();
        writeln!(formatter, "  {}", changes.join("; "))?;
        writeln!(formatter, "  header  {}", header.escape_ascii())?;
        writeln!(formatter, "  body    {}", body.escape_ascii())?;
        write!(formatter, "  secrets {secrets:?}, received at {now}")
    }
}

fn pick<T: Clone>(random: &mut Xoshiro256PlusPlus, choices: &[T]) -> T {
    choices.choose(random).expect("there are choices").clone()
}

fn digest(secret: &str, t: &str, body: &[u8]) -> String {
    let mut hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length is a key");
    hmac.update(t.as_bytes());
    hmac.update(b".");
    hmac.update(body);
    hmac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The received body, the signed body, and the change.
fn draw_body(random: &mut Xoshiro256PlusPlus) -> (Vec<u8>, Vec<u8>, &'static str) {
    let number = random.random_range(0..1000);
    let plain =
        format!("{{\n  \"id\": \"evt_{number}\",\n  \"object\": \"event\",\n  \"note\": \"é€🪙\"\n}}")
            .into_bytes();
    let with = |opening: &[u8], closing: &[u8]| [opening, &plain, closing].concat();
    let (mark, broken): (&[u8], &[u8]) = (b"\xef\xbb\xbf", b"\xff\xc3(");
    let both = |body: Vec<u8>, changes| (body.clone(), body, changes);
    if !random.random_ratio(1, 4) {
        return both(plain, "");
    }
    match random.random_range(0..10) {
        0 => both(Vec::new(), "empty body"),
        1 => both(with(b"", b"\r\n"), "body ends in CRLF"),
        2 => both(with(mark, b""), "byte order mark, signed"),
        3 => (with(mark, b""), plain, "byte order mark, not signed"),
        4 => both(with(b"", broken), "body is not UTF-8"),
        5 => (
            with(b"", broken),
            String::from_utf8_lossy(&with(b"", broken)).into_owned().into(),
            "signed with invalid UTF-8 replaced",
        ),
        6 => (with(b"", b"\n"), plain, "line end added to the body"),
        7 => (plain[..plain.len() - 1].to_vec(), plain, "body cut short"),
        _ => {
            let mut flipped = plain.clone();
            flipped[random.random_range(0..plain.len())] ^= 1 << random.random_range(0..8);
            (flipped, plain, "a bit of the body flipped")
        }
    }
}

/// The text of `t`, the text signed as `t`, and the change.
fn draw_time(random: &mut Xoshiro256PlusPlus, now: i64) -> (String, String, &'static str) {
    let near = random.random_range(0..299_i64);
    let edge = 299 + random.random_range(0..4_i64);
    let far = 303 + random.random_range(0..1_000_000_i64);
    let age = pick(random, &[near, near, near, near, -near, -near, edge, -edge, far, -far]);
    let number = (now - age).to_string();
    let as_is = |text: String, changes| (text.clone(), text, changes);
    if !random.random_ratio(1, 4) {
        return as_is(number, "");
    }
    match random.random_range(0..14) {
        0 => as_is(format!("00{number}"), "leading zeros, signed"),
        1 => (format!("00{number}"), number, "leading zeros, not signed"),
        2 => (format!("+{number}"), number, "a plus before t"),
        3 => (format!("{}_{}", &number[..1], &number[1..]), number, "an underscore in t"),
        4 => (format!("{number}abc"), number, "letters after t"),
        5 => (format!("{number}.0"), number, "a fraction after t"),
        6 => (format!(" {number}"), number, "a blank before t"),
        7 => (format!("{number} "), number, "a blank after t"),
        8 => as_is(format!("{number}000"), "t in milliseconds"),
        9 => as_is(pick(random, &["9223372036854775807", "9223372036854775808"]).to_string(), "t of 64 bits"),
        10 => as_is("9".repeat(20 + random.random_range(0..400)), "huge t"),
        11 => ("today".to_owned(), "NaN".to_owned(), "t is not a number"),
        12 => as_is(format!("-{number}"), "t is negative"),
        _ => as_is(String::new(), "t is empty"),
    }
}

/// The secrets of the sender, the secrets of the receiver, and the change.
fn draw_secrets(random: &mut Xoshiro256PlusPlus) -> (Vec<String>, Vec<String>, &'static str) {
    let [right, other, wrong] = ["whsec_Q2xpZW50", "whsec_b3RoZXI3", "whsec_d3Jvbmc5"].map(str::to_owned);
    let one = |secret: String| (vec![secret.clone()], vec![secret]);
    if !random.random_ratio(1, 3) {
        let (signers, known) = one(right);
        return (signers, known, "");
    }
    let ((signers, known), changes) = match random.random_range(0..12) {
        0 => ((vec![right], vec![wrong]), "wrong secret"),
        1 => ((vec![right.clone()], vec![wrong, right]), "second secret of two"),
        2 => ((vec![right.clone(), other], vec![right]), "two signatures, first known"),
        3 => ((vec![other, right.clone()], vec![right]), "two signatures, second known"),
        4 => ((vec![right.clone(), other.clone()], vec![other, right]), "two signatures, both known"),
        5 => ((vec![right], Vec::new()), "no secret"),
        6 => ((vec![right.clone()], vec![format!("{right}\n")]), "line end after the secret"),
        7 => (one(format!("{right}\n")), "line end after the secret, signed with it"),
        8 => (one(format!("\"{right}\"")), "quoted secret, signed with it"),
        9 => (one(String::new()), "empty secret, signed with it"),
        10 => (one(" \t".to_owned()), "blank secret, signed with it"),
        _ => (one("whsec_é".to_owned()), "secret outside ASCII, signed with it"),
    };
    (signers, known, changes)
}

/// Changes the header as a list of parts.
fn change_parts(
    random: &mut Xoshiro256PlusPlus,
    parts: &mut Vec<Vec<u8>>,
    separator: &mut &'static str,
) -> &'static str {
    let place = random.random_range(0..=parts.len());
    let no_digest = pick(random, &[b"v1=potato".to_vec(), [b"v1=\xe9".as_slice(), &[b'0'; 63]].concat()]);
    let mut insert = |part: &[u8], changes| {
        parts.insert(place, part.to_vec());
        changes
    };
    match random.random_range(0..27) {
        0 => insert(b"", "an empty part"),
        1 => insert(b"t", "a bare t"),
        2 => insert(b"v1", "a bare v1"),
        3 => insert(b"v1=", "an empty v1"),
        4 => insert(&no_digest, "a v1 that is not hexadecimal"),
        5 => insert(format!("v1={}", "0".repeat(64)).as_bytes(), "a wrong v1"),
        6 => insert(format!("v0={}", "0".repeat(64)).as_bytes(), "a v0"),
        7 => insert(b"scheme=v1;q", "an unknown key"),
        8 => insert(b"token", "a bare word"),
        9 => insert(b"t=1699999999", "another time"),
        10 => insert("x".repeat(4100).as_bytes(), "a very long part"),
        11 => {
            let wrong = format!("v1={}", "f".repeat(64)).into_bytes();
            parts
                .splice(1.min(parts.len())..1.min(parts.len()), vec![wrong; 10 + random.random_range(0..10)]);
            "many v1 before the good one"
        }
        12 => {
            parts.reverse();
            "reordered"
        }
        13 => {
            let again = pick(random, parts);
            parts.insert(place, again);
            "a part repeated"
        }
        14 => {
            parts.remove(random.random_range(0..parts.len()));
            parts.push(Vec::new());
            "a part removed"
        }
        15 => {
            *separator = ", ";
            "blanks after commas"
        }
        16 => {
            *separator = pick(random, &[",\t", " ,", ",\n", ";", ",,", " "]);
            "another separator"
        }
        change => change_one(change, &mut parts[place.saturating_sub(1)], random),
    }
}

/// Changes one part of the header.
fn change_one(change: usize, part: &mut Vec<u8>, random: &mut Xoshiro256PlusPlus) -> &'static str {
    match change {
        17 => {
            part.make_ascii_uppercase();
            "upper case, key included"
        }
        18 => {
            let key = part.iter().position(|byte| *byte == b'=').unwrap_or(0);
            part[key..].make_ascii_uppercase();
            "upper case, value only"
        }
        19 => {
            part.truncate(random.random_range(0..=part.len()));
            "a part cut short"
        }
        20 => {
            part.push(b'=');
            "an equals sign after a part"
        }
        21 => {
            part.extend(pick(random, &[b"=", b"0", b"g", b"\0", b"\n", b"\xa0"]));
            "a character after a part"
        }
        22 => {
            part.push(pick(random, b" \t"));
            "a blank after a part"
        }
        23 => {
            part.insert(0, pick(random, b" \t"));
            "a blank before a part"
        }
        24 => {
            *part = String::from_utf8_lossy(part).replace('=', " = ").into();
            "blanks around an equals sign"
        }
        25 => {
            *part = String::from_utf8_lossy(part).replace("v1=", "v0=").into();
            "v1 called v0"
        }
        _ => {
            *part = [b"\"", part.as_slice(), b"\""].concat();
            "a quoted part"
        }
    }
}

/// Changes the header as bytes.
fn change_bytes(random: &mut Xoshiro256PlusPlus, header: &mut Vec<u8>) -> &'static str {
    match random.random_range(0..3) {
        0 => {
            *header = (0..random.random_range(0..120)).map(|_| pick(random, b"tv01=, 9af\xe9\t")).collect();
            "garbage"
        }
        1 if !header.is_empty() => {
            let place = random.random_range(0..header.len());
            header[place] ^= 1 << random.random_range(0..8);
            "a bit of the header flipped"
        }
        _ => {
            header.truncate(random.random_range(0..=header.len()));
            "header cut short"
        }
    }
}
