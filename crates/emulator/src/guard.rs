//! Who may use what needs no key: programs and pages of this machine, not a page from elsewhere in this
//! machine's browser.
//!
//! Not here: Stripe's API, which asks for a key.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};

/// Whether a request comes from here: its `Host` is an address, a name without dots, `….localhost`, or the
/// name in `url` (a page of a stranger whose name was made to point at this machine has another), and its
/// `Origin`, if it has one, is the same place.
pub(crate) fn is_from_here(headers: &HeaderMap, url: &str) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let own = url.parse::<Uri>().ok().and_then(|url| url.host().map(str::to_owned));
    let name = name_of(host);
    let local = name.parse::<IpAddr>().is_ok()
        || (!name.is_empty() && !name.contains('.'))
        || name.ends_with(".localhost")
        || name == "host.docker.internal"
        || own.is_some_and(|own| own.eq_ignore_ascii_case(name));
    let same = headers.get(header::ORIGIN).is_none_or(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        origin.is_some_and(|(_, place)| place.eq_ignore_ascii_case(host))
    });
    local && same
}

/// The host without its port, and without the brackets of an IPv6 address.
fn name_of(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    }
}

#[cfg(test)]
mod tests;
