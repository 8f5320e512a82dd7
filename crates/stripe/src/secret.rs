//! The endpoint's signing secret: checked strictly, and never printed.
//!
//! An empty or mangled secret is the most common configuration error of a webhook, and the worst: several
//! SDKs accept what an attacker signs with the same empty key. So it is refused here, at start. Not here:
//! where the text comes from.

use hmac::{Hmac, KeyInit};
use sha2::Sha256;
use std::fmt;

/// How many secrets may be valid at once. Rotating one needs two; a few endpoints may share one URL.
const MAX_SECRETS: usize = 5;

/// One signing secret of a webhook endpoint. The whole text, `whsec_…` included, is the HMAC key.
#[derive(Clone)]
pub struct Secret {
    text: String,
    keyed: Hmac<Sha256>,
}

impl Secret {
    /// Reads one secret.
    ///
    /// ```
    /// use stripe::{Secret, SecretFault};
    ///
    /// assert!(Secret::parse("whsec_5Yw3ZkQmN8tR").is_ok());
    /// assert_eq!(Secret::parse("whsec_your_secret").unwrap_err(), SecretFault::Placeholder);
    /// ```
    ///
    /// # Errors
    /// If the text cannot be a secret: empty, quoted, with white space, a placeholder, or a key of another
    /// kind.
    pub fn parse(text: &str) -> Result<Secret, SecretFault> {
        check(text)?;
        // HMAC hashes longer keys and pads shorter ones: every length is a valid key.
        let keyed = Hmac::new_from_slice(text.as_bytes()).expect("HMAC takes keys of any length");
        Ok(Secret { text: text.to_owned(), keyed })
    }

    /// Reads one to five secrets, separated by commas. Two are valid at once while one is being rotated.
    ///
    /// # Errors
    /// If [`Secret::parse`] refuses one of them, or there are more than five.
    pub fn parse_list(text: &str) -> Result<Vec<Secret>, SecretFault> {
        if text.split(',').count() > MAX_SECRETS {
            return Err(SecretFault::TooMany);
        }
        text.split(',').map(Secret::parse).collect()
    }

    /// The text of the secret, for the file of a development secret. Never log it.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// HMAC-SHA256 with this key, ready for the message.
    pub(crate) fn hmac(&self) -> Hmac<Sha256> {
        self.keyed.clone()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Why a text is not a signing secret. No message contains the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// Nothing, or nothing between two commas.
    #[error(
        "the webhook signing secret is empty: copy it from the endpoint's page in Stripe's Dashboard \
         (Signing secret, whsec_…), or from the output of `stripe listen`"
    )]
    Empty,
    /// White space within or around the secret.
    #[error(
        "the webhook signing secret contains white space: remove blanks and line ends, also around commas"
    )]
    Whitespace,
    /// A quotation mark that the shell or the file format did not remove.
    #[error("the webhook signing secret contains a quotation mark: write it without quotes")]
    Quote,
    /// A comma in one secret, a control character, or a character outside ASCII.
    #[error("the webhook signing secret contains a character that no secret has: copy it again, completely")]
    Character,
    /// A text from an example.
    #[error("the webhook signing secret is a placeholder: replace it with the endpoint's secret (whsec_…)")]
    Placeholder,
    /// An API key or an endpoint's id.
    #[error(
        "this is an API key or an endpoint id, not a webhook signing secret: the secret begins with whsec_; \
         find it on the endpoint's page in Stripe's Dashboard"
    )]
    OtherKind,
    /// More secrets than can be valid at once.
    #[error("there are more than 5 webhook signing secrets: keep those that Stripe still signs with")]
    TooMany,
}

fn check(text: &str) -> Result<(), SecretFault> {
    if text.is_empty() {
        return Err(SecretFault::Empty);
    }
    if text.contains(char::is_whitespace) {
        let blank = text.trim().is_empty();
        return Err(if blank { SecretFault::Empty } else { SecretFault::Whitespace });
    }
    if text.contains(['"', '\'', '`', '‘', '’', '“', '”']) {
        return Err(SecretFault::Quote);
    }
    if is_placeholder(text) {
        return Err(SecretFault::Placeholder);
    }
    if text.contains(|character: char| character == ',' || !character.is_ascii_graphic()) {
        return Err(SecretFault::Character);
    }
    if ["sk_", "rk_", "pk_", "we_"].iter().any(|prefix| text.starts_with(prefix)) {
        return Err(SecretFault::OtherKind);
    }
    Ok(())
}

/// Words of templates that a random secret does not contain by chance.
const WORDS: [&str; 8] =
    ["changeme", "replace", "example", "placeholder", "yoursecret", "yourwebhook", "yourstripe", "xxxxxx"];
/// Shorter words, which count only as a whole part between separators.
const SHORT_WORDS: [&str; 9] = ["change", "dummy", "fixme", "insert", "todo", "your", "xxx", "xxxx", "xxxxx"];

/// Whether a secret, with or without `whsec_`, or the part of a key after `sk_live_`, is a placeholder:
/// `replace_me`, `your_secret_here`, `<secret>`, `xxxxxxxx`.
pub fn is_placeholder(text: &str) -> bool {
    let lower = text.to_lowercase();
    let core = lower.strip_prefix("whsec_").unwrap_or(&lower);
    let one_character_repeated = |filler: char| core.chars().all(|character| character == filler);
    WORDS.iter().any(|word| core.contains(word))
        || core.split(['_', '-', '.']).any(|word| SHORT_WORDS.contains(&word))
        || ["***", "..."].iter().any(|gap| core.contains(gap))
        || text.contains(['<', '>', '…', '$', '{', '}'])
        || ['x', '0', '*', '.', '-', '_'].into_iter().any(one_character_repeated)
}
