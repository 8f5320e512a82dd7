//! The form encoding of Stripe's API: `a[b]=c&d=e`, every name and value percent-encoded.
//! Not here: parsing a form, which only the emulator does.

use std::fmt::Write;

/// Percent-encodes a name or value of a form, a value of a query or a segment of a path: everything but the
/// unreserved characters of RFC 3986.
#[must_use]
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// The form of these pairs, in this order.
pub fn of<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    pairs.into_iter().fold(String::new(), |mut form, (name, value)| {
        if !form.is_empty() {
            form.push('&');
        }
        form.push_str(&encoded(name));
        form.push('=');
        form.push_str(&encoded(value));
        form
    })
}
