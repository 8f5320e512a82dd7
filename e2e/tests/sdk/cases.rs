//! Deliveries as no test author would write them: drawn from a seed, signed by our own hand, then bent.
//!
//! The signatures are made here and not by the crate under test. Not here: which verdict is right.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;

/// One delivery, the secrets that its receiver knows, and the moment of receipt.
pub(crate) struct Case {
    pub(crate) body: Vec<u8>,
    pub(crate) header: Vec<u8>,
    pub(crate) secrets: Vec<String>,
    pub(crate) now: i64,
    /// What was done to it, to print.
    story: Vec<&'static str>,
}

impl Case {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let now = 1_700_000_000 + random.below(100_000_000) as i64;
        let (body, signed_body, bent_body) = draw_body(random);
        let (t, signed_t, bent_t) = draw_time(random, now);
        let (signers, secrets, bent_secrets) = draw_secrets(random);
        let mut parts = vec![format!("t={t}").into_bytes()];
        parts.extend(
            signers
                .iter()
                .map(|secret| format!("v1={}", digest(secret, &signed_t, &signed_body)).into_bytes()),
        );
        let mut story = vec![bent_body, bent_t, bent_secrets];
        let bends = random.pick(&[0, 0, 0, 1, 1, 1, 1, 2, 3]);
        let mut separator = ",";
        for _ in 0..bends {
            story.push(bend_parts(random, &mut parts, &mut separator));
        }
        let mut header = parts.join(separator.as_bytes());
        if random.one_in(30) {
            story.push(bend_bytes(random, &mut header));
        }
        Self { body, header, secrets, now, story }
    }

    /// The parts of the header between its commas, without the blanks around them.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.header.split(|byte| *byte == b',').map(|part| {
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
            let start = part.iter().position(|byte| !blank(byte)).unwrap_or(part.len());
            let end = part.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
            &part[start..end]
        })
    }

    /// The values of the parts with this key, all that follows the first `=`.
    pub(crate) fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.parts().filter_map(move |part| part.strip_prefix(key.as_bytes())?.strip_prefix(b"="))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { body, header, secrets, now, story } = self;
        let story: Vec<&str> = story.iter().copied().filter(|bend| !bend.is_empty()).collect();
        writeln!(formatter, "  {}", story.join("; "))?;
        writeln!(formatter, "  header  {}", header.escape_ascii())?;
        writeln!(formatter, "  body    {}", body.escape_ascii())?;
        write!(formatter, "  secrets {secrets:?}, received at {now}")
    }
}

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

fn digest(secret: &str, t: &str, body: &[u8]) -> String {
    let mut hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length is a key");
    hmac.update(t.as_bytes());
    hmac.update(b".");
    hmac.update(body);
    hmac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The body as received, the body as signed, and how they came about.
fn draw_body(random: &mut Random) -> (Vec<u8>, Vec<u8>, &'static str) {
    let number = random.below(1000);
    let plain =
        format!("{{\n  \"id\": \"evt_{number}\",\n  \"object\": \"event\",\n  \"note\": \"é€🪙\"\n}}")
            .into_bytes();
    let with = |opening: &[u8], closing: &[u8]| [opening, &plain, closing].concat();
    let (mark, broken): (&[u8], &[u8]) = (b"\xef\xbb\xbf", b"\xff\xc3(");
    let both = |body: Vec<u8>, story| (body.clone(), body, story);
    if !random.one_in(4) {
        return both(plain, "");
    }
    match random.below(10) {
        0 => both(Vec::new(), "empty body"),
        1 => both(with(b"", b"\r\n"), "body ends in CRLF"),
        2 => both(with(mark, b""), "byte order mark, signed"),
        3 => (with(mark, b""), plain, "byte order mark, not signed"),
        4 => both(with(b"", broken), "body is not UTF-8"),
        5 => (
            with(b"", broken),
            String::from_utf8_lossy(&with(b"", broken)).into_owned().into(),
            "signed as repaired",
        ),
        6 => (with(b"", b"\n"), plain, "line end added to the body"),
        7 => (plain[..plain.len() - 1].to_vec(), plain, "body cut short"),
        _ => {
            let mut flipped = plain.clone();
            flipped[random.below(plain.len())] ^= 1 << random.below(8);
            (flipped, plain, "a bit of the body flipped")
        }
    }
}

/// The text of `t`, the text that was signed for it, and how they came about.
fn draw_time(random: &mut Random, now: i64) -> (String, String, &'static str) {
    let near = random.below(299) as i64;
    let edge = 299 + random.below(4) as i64;
    let far = 303 + random.below(1_000_000) as i64;
    let age = random.pick(&[near, near, near, near, -near, -near, edge, -edge, far, -far]);
    let number = (now - age).to_string();
    let as_is = |text: String, story| (text.clone(), text, story);
    if !random.one_in(4) {
        return as_is(number, "");
    }
    match random.below(14) {
        0 => as_is(format!("00{number}"), "leading zeros, signed"),
        1 => (format!("00{number}"), number, "leading zeros, not signed"),
        2 => (format!("+{number}"), number, "a plus before t"),
        3 => (format!("{}_{}", &number[..1], &number[1..]), number, "an underscore in t"),
        4 => (format!("{number}abc"), number, "letters after t"),
        5 => (format!("{number}.0"), number, "a fraction after t"),
        6 => (format!(" {number}"), number, "a blank before t"),
        7 => (format!("{number} "), number, "a blank after t"),
        8 => as_is(format!("{number}000"), "t in milliseconds"),
        9 => as_is(random.pick(&["9223372036854775807", "9223372036854775808"]).to_string(), "t of 64 bits"),
        10 => as_is("9".repeat(20 + random.below(400)), "huge t"),
        11 => ("today".to_owned(), "NaN".to_owned(), "t is no number"),
        12 => as_is(format!("-{number}"), "t is negative"),
        _ => as_is(String::new(), "t is empty"),
    }
}

/// The secrets that signed, the secrets that the receiver knows, and how they came about.
fn draw_secrets(random: &mut Random) -> (Vec<String>, Vec<String>, &'static str) {
    let [right, other, wrong] = ["whsec_Q2xpZW50", "whsec_b3RoZXI3", "whsec_d3Jvbmc5"].map(str::to_owned);
    let one = |secret: String| (vec![secret.clone()], vec![secret]);
    if !random.one_in(3) {
        let (signers, known) = one(right);
        return (signers, known, "");
    }
    let ((signers, known), story) = match random.below(12) {
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
    (signers, known, story)
}

/// Bends the header as a list of parts.
fn bend_parts(random: &mut Random, parts: &mut Vec<Vec<u8>>, separator: &mut &'static str) -> &'static str {
    let place = random.below(parts.len() + 1);
    let no_digest = random.pick(&[b"v1=potato".to_vec(), [b"v1=\xe9".as_slice(), &[b'0'; 63]].concat()]);
    let mut insert = |part: &[u8], story| {
        parts.insert(place, part.to_vec());
        story
    };
    match random.below(27) {
        0 => insert(b"", "an empty part"),
        1 => insert(b"t", "a bare t"),
        2 => insert(b"v1", "a bare v1"),
        3 => insert(b"v1=", "an empty v1"),
        4 => insert(&no_digest, "a v1 that is not hexadecimal"),
        5 => insert(format!("v1={}", "0".repeat(64)).as_bytes(), "a v1 that fits nothing"),
        6 => insert(format!("v0={}", "0".repeat(64)).as_bytes(), "a v0"),
        7 => insert(b"scheme=v1;q", "an unknown key"),
        8 => insert(b"token", "a bare word"),
        9 => insert(b"t=1699999999", "another time"),
        10 => insert("x".repeat(4100).as_bytes(), "a very long part"),
        11 => {
            let wrong = format!("v1={}", "f".repeat(64)).into_bytes();
            parts.splice(1.min(parts.len())..1.min(parts.len()), vec![wrong; 10 + random.below(10)]);
            "many v1 before the good one"
        }
        12 => {
            parts.reverse();
            "reordered"
        }
        13 => {
            let again = random.pick(parts);
            parts.insert(place, again);
            "a part repeated"
        }
        14 => {
            parts.remove(random.below(parts.len()));
            parts.push(Vec::new());
            "a part removed"
        }
        15 => {
            *separator = ", ";
            "blanks after commas"
        }
        16 => {
            *separator = random.pick(&[",\t", " ,", ",\n", ";", ",,", " "]);
            "another separator"
        }
        bend => bend_one(bend, &mut parts[place.saturating_sub(1)], random),
    }
}

/// Bends one part of the header.
fn bend_one(bend: usize, part: &mut Vec<u8>, random: &mut Random) -> &'static str {
    match bend {
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
            part.truncate(random.below(part.len() + 1));
            "a part cut short"
        }
        20 => {
            part.push(b'=');
            "an equals sign after a part"
        }
        21 => {
            part.extend(random.pick(&[b"=", b"0", b"g", b"\0", b"\n", b"\xa0"]));
            "a character after a part"
        }
        22 => {
            part.push(random.pick(b" \t"));
            "a blank after a part"
        }
        23 => {
            part.insert(0, random.pick(b" \t"));
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

/// Bends the header as bytes.
fn bend_bytes(random: &mut Random, header: &mut Vec<u8>) -> &'static str {
    match random.below(3) {
        0 => {
            *header = (0..random.below(120)).map(|_| random.pick(b"tv01=, 9af\xe9\t")).collect();
            "garbage"
        }
        1 if !header.is_empty() => {
            let place = random.below(header.len());
            header[place] ^= 1 << random.below(8);
            "a bit of the header flipped"
        }
        _ => {
            header.truncate(random.below(header.len() + 1));
            "header cut short"
        }
    }
}
