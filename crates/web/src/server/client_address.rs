//! The address of the client: the peer of the connection, or the client that a trusted proxy names.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName};

/// Each proxy appends the address that connected to it.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Proxies whose `X-Forwarded-For` is trusted. Their number of connections is not limited per address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// A network: addresses with the same prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u32,
}

impl TrustedProxies {
    /// Reads addresses and networks in CIDR notation, separated by commas; `loopback` stands for this
    /// machine, `none` for no proxy at all.
    ///
    /// The entry that is neither, or that covers every address.
    pub fn parse(text: &str) -> Result<Self, &str> {
        let mut networks = Vec::new();
        for entry in text.split(',').map(str::trim) {
            match entry {
                "loopback" => networks.extend(Self::loopback().0),
                "none" if text.trim() == "none" => {}
                _ => networks.push(Network::parse(entry).ok_or(entry)?),
            }
        }
        Ok(Self(networks))
    }

    /// This machine.
    pub fn loopback() -> Self {
        let v4 = Network { address: IpAddr::from([127, 0, 0, 0]), prefix: 8 };
        Self(vec![v4, Network { address: Ipv6Addr::LOCALHOST.into(), prefix: 128 }])
    }

    /// Whether this address is a trusted proxy.
    pub(super) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }

    /// The client that a trusted `proxy` names: the last address in `X-Forwarded-For` that is not a trusted
    /// proxy, because the client may have written the addresses before it. None if the field is missing or
    /// names only trusted proxies: then the request is the proxy's own.
    pub(super) fn client(&self, proxy: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let fields: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
        let entries = fields.iter().rev().flat_map(|field| field.to_str().unwrap_or("?").rsplit(','));
        for entry in entries {
            match address_of(entry.trim()) {
                Some(address) if self.contain(address) => {}
                Some(address) => return Some(address),
                // An unreadable entry is no trusted proxy.
                None => return Some(proxy),
            }
        }
        None
    }
}

/// An address as limits count it: one IPv6 client has a whole /64.
pub(super) fn grouped(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

/// With or without a port, and the brackets that an IPv6 address with a port has.
fn address_of(entry: &str) -> Option<IpAddr> {
    let bare = entry.parse().ok();
    let address = bare.or_else(|| entry.parse::<std::net::SocketAddr>().ok().map(|it| it.ip()));
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.or_else(bracketed).map(|address: IpAddr| address.to_canonical())
}

impl Network {
    fn parse(entry: &str) -> Option<Self> {
        let (address, prefix) = match entry.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (entry, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(bits), |prefix| prefix.parse().ok())?;
        // Addresses are compared in IPv4 form where they have one. A network of every address is refused.
        ((1..=bits).contains(&prefix) && address == address.to_canonical())
            .then_some(Self { address, prefix })
    }

    fn contains(self, address: IpAddr) -> bool {
        let same = |ours: u128, theirs: u128, bits: u32| (ours ^ theirs) >> (bits - self.prefix) == 0;
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                same(ours.to_bits().into(), theirs.to_bits().into(), 32)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => same(ours.to_bits(), theirs.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests;
