//! Where notices may be sent: to public addresses over TLS, and to hosts that the operator allows by name.
//! Customers choose these addresses, so this check keeps notices out of the internal network (reliability:
//! T12).
//!
//! Checked twice: when an endpoint is created, for a helpful error; and before each connection, for the
//! addresses that the name resolves to.

mod address;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::Uri;

pub use address::special;

/// The most characters of a URL.
pub const MAX_URL_CHARS: usize = 2048;

/// Hosts that are allowed although they are private, also over plain `http`; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destinations {
    allowed: Vec<(Host, Option<u16>)>,
}

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name, in lower case.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// The destination of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The host.
    pub host: Host,
    /// Its port.
    pub port: u16,
    /// Whether the operator allows it by name: then no address of it is refused.
    pub allowed: bool,
}

impl Destinations {
    /// Parses a comma-separated list of host names, each with or without a port.
    ///
    /// # Errors
    /// The entry that is neither.
    pub fn parse(list: &str) -> Result<Self, String> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let read = |entry: &str| authority(entry).ok_or_else(|| entry.to_owned());
        Ok(Self { allowed: entries.map(read).collect::<Result<_, _>>()? })
    }

    /// The destination of this URL, if its form is allowed.
    ///
    /// # Errors
    /// The requirement that the URL violates, as the end of a sentence that begins with "url must be".
    pub fn check(&self, url: &str) -> Result<Destination, &'static str> {
        if url.len() > MAX_URL_CHARS || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("at most 2048 visible ASCII characters");
        }
        let uri: Uri = url.parse().map_err(|_| EXPECTED)?;
        let (Some(scheme), Some(named)) = (uri.scheme_str(), uri.authority()) else { return Err(EXPECTED) };
        if named.as_str().contains('@') {
            return Err("without a user name or password: notices are signed instead");
        }
        if url.contains('#') {
            return Err("without a fragment (#…), which is never sent");
        }
        let Some((host, port)) = authority(named.as_str()) else { return Err(EXPECTED) };
        let port = match (scheme, port) {
            (_, Some(port)) => port,
            ("https", None) => 443,
            ("http", None) => 80,
            (_, None) => return Err(EXPECTED),
        };
        let allowed =
            self.allowed.iter().any(|(name, only)| *name == host && only.is_none_or(|only| only == port));
        match (scheme, &host) {
            ("http" | "https", _) if allowed => {}
            ("https", Host::Address(address)) if special(*address).is_some() => return Err(PRIVATE),
            ("https", Host::Name(name)) if name == "localhost" || name.ends_with(".localhost") => {
                return Err(PRIVATE);
            }
            ("https", _) => {}
            _ => return Err(EXPECTED),
        }
        Ok(Destination { host, port, allowed })
    }
}

const EXPECTED: &str = "an address that begins with https://, such as https://example.com/notices (the \
                        operator can allow plain http to hosts of their own, in FAIREPLACE_NOTICE_HOSTS)";
const PRIVATE: &str = "an address on the public internet: this one is private, local or reserved (the \
                       operator can allow hosts of their own, in FAIREPLACE_NOTICE_HOSTS)";

/// Splits a host and an optional port.
fn authority(text: &str) -> Option<(Host, Option<u16>)> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(inner) => {
            let (address, rest) = inner.split_once(']')?;
            (Host::Address(IpAddr::V6(address.parse::<Ipv6Addr>().ok()?)), rest)
        }
        None => {
            let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            (host(name)?, rest)
        }
    };
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|port| *port > 0)?)
        }
        _ => return None,
    };
    Some((host, port))
}

/// A name, or an IPv4 address in dotted decimal form. Other forms (`0x7f.1`, `2130706433`, `127.1`) are
/// refused, because resolvers read them as addresses (url.spec.whatwg.org, IPv4 parser).
fn host(text: &str) -> Option<Host> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let last = name.rsplit('.').next()?;
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if numeric {
        return name.parse::<Ipv4Addr>().ok().map(|address| Host::Address(address.into()));
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    (name.len() <= 253 && name.split('.').all(label)).then_some(Host::Name(name))
}

#[cfg(test)]
mod tests;
