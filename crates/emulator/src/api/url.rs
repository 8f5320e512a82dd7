//! URLs in requests: where customers and events are sent.

use crate::wire::{Params, StripeError};

const MAX_CHARACTERS: usize = 2_048;

/// An `http` or `https` URL with a host. Braces are accepted, because of `{CHECKOUT_SESSION_ID}`.
///
/// # Errors
/// Stripe's `url_invalid`.
pub(super) fn read(params: &mut Params, name: &str) -> Result<Option<String>, StripeError> {
    let Some(url) = params.text(name)? else { return Ok(None) };
    if is_web_url(&url) {
        return Ok(Some(url));
    }
    Err(StripeError::invalid("Not a valid URL").code("url_invalid").param(params.name(name)))
}

fn is_web_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let printable = url.chars().all(|c| !c.is_control() && !c.is_whitespace());
    printable
        && url.len() <= MAX_CHARACTERS
        && host.is_some_and(|host| !host.is_empty() && !host.contains('\\'))
}
