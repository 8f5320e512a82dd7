//! Which addresses are trusted proxies, and the client address that they forward.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue};

use super::{FORWARDED_FOR, TrustedProxies, grouped};

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn proxies_are_addresses_and_networks() {
    for (text, inside, outside) in [
        ("loopback", &["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"][..], &["128.0.0.1", "::2"][..]),
        ("none", &[], &["127.0.0.1", "::1"]),
        ("10.0.0.0/8", &["10.0.0.0", "10.255.255.255", "::ffff:10.1.1.1"], &["11.0.0.0", "9.255.255.255"]),
        ("192.0.2.7", &["192.0.2.7"], &["192.0.2.6"]),
        ("128.0.0.0/1", &["255.255.255.255"], &["127.0.0.1", "::1"]),
        ("8000::/1", &["ffff::1"], &["::1", "1.1.1.1"]),
        ("fd00::/8, loopback", &["fdff::1", "127.0.0.1"], &["fe00::1"]),
    ] {
        let proxies = TrustedProxies::parse(text).unwrap();
        for one in inside {
            assert!(proxies.contain(address(one)), "{text}: {one}");
        }
        for one in outside {
            assert!(!proxies.contain(address(one)), "{text}: {one}");
        }
    }
    for (text, wrong) in [
        ("", ""),
        ("10.0.0.0/33", "10.0.0.0/33"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("loopback, ::/0", "::/0"),
        ("::ffff:10.0.0.0/104", "::ffff:10.0.0.0/104"),
        ("::/129", "::/129"),
        ("10.0.0/8", "10.0.0/8"),
        ("proxy.internal", "proxy.internal"),
        ("10.0.0.1, ", ""),
        ("none, 10.0.0.1", "none"),
        ("10.0.0.0/-1", "10.0.0.0/-1"),
    ] {
        assert_eq!(TrustedProxies::parse(text), Err(wrong), "{text}");
    }
}

#[test]
fn the_client_is_the_last_address_that_is_no_proxy() {
    let proxies = TrustedProxies::parse("127.0.0.0/8, 10.0.0.0/8").unwrap();
    let proxy = address("127.0.0.1");
    for (fields, client) in [
        (&[][..], None),
        (&["203.0.113.7"][..], Some("203.0.113.7")),
        (&["198.51.100.1, 203.0.113.7"], Some("203.0.113.7")),
        (&["203.0.113.7, 10.0.0.9"], Some("203.0.113.7")),
        (&["198.51.100.1", "203.0.113.7"], Some("203.0.113.7")),
        (&["203.0.113.7:51000"], Some("203.0.113.7")),
        (&["[2001:db8::1]:51000"], Some("2001:db8::1")),
        (&["[2001:db8::1]"], Some("2001:db8::1")),
        (&["::ffff:203.0.113.7"], Some("203.0.113.7")),
        (&["10.0.0.9, 127.0.0.1"], None),
        // An unreadable entry: the request counts as the proxy's own.
        (&["203.0.113.7, unknown"], Some("127.0.0.1")),
        (&["203.0.113.7,"], Some("127.0.0.1")),
        (&["\u{e4}"], Some("127.0.0.1")),
    ] {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(field.as_bytes()).unwrap());
        }
        assert_eq!(proxies.client(proxy, &headers), client.map(address), "{fields:?}");
    }
}

#[test]
fn an_ipv6_client_is_its_network() {
    for (one, counted) in [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
    ] {
        assert_eq!(grouped(address(one)), address(counted), "{one}");
    }
}
