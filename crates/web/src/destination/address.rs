//! Addresses that are not on the public internet: the special-purpose registries of IANA (RFC 6890 and its
//! updates), and every form in which IPv6 carries an IPv4 address. For names, the resolved addresses are
//! checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The special purpose of an address; None for a public one.
pub fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    Some(match address.octets() {
        [0, ..] => "of this network",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "private",
        [100, 64..=127, ..] => "shared by a provider",
        [127, ..] => "loopback",
        [169, 254, ..] => "link-local",
        // The platform address of Azure, reachable on every virtual machine.
        [168, 63, 129, 16] => "a cloud platform's own",
        [192, 0, 0, _] => "of protocols",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "for documentation",
        [192, 88, 99, _] => "a 6to4 relay",
        [198, 18..=19, ..] => "for benchmarks",
        [224..=239, ..] => "multicast",
        [240..=255, ..] => "reserved",
        _ => return None,
    })
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_loopback() {
        return Some("loopback");
    }
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => "unspecified",
        [0, 0, 0, 0, 0, 0xffff, ..] => "an IPv4 address in an IPv6 one",
        // NAT64 (RFC 6052): how networks with only IPv6 reach IPv4 addresses.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            return special_v4(Ipv4Addr::new(a, b, c, d));
        }
        [0xfe80..=0xfebf, ..] => "link-local",
        [0xfc00..=0xfdff, ..] => "private",
        [0xff00..=0xffff, ..] => "multicast",
        // 2001::/23: Teredo, benchmarks, ORCHID and other protocols.
        [0x2001, 0..=0x1ff, ..] => "of protocols",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => "for documentation",
        [0x2002, ..] => "a 6to4 address",
        [0x2000..=0x3fff, ..] => return None,
        // Everything outside 2000::/3 is unassigned or has another purpose.
        _ => "reserved",
    })
}
