//! The form encoding that Stripe's API takes: `a[b]=c&d=e`, every name and value percent-encoded.
//! Not here: reading a form, which only the emulator does.

use std::fmt::Write;

/// Text as one name or value of a form, one value of a query or one segment of a path: only what RFC 3986
/// leaves unreserved stays itself.
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

/// A form of these pairs, in their order.
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
