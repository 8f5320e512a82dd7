//! Which addresses notices may be sent to, as tables.

use std::net::IpAddr;

use super::{Destinations, Host, special};

#[test]
fn only_addresses_of_the_public_internet_are_not_special() {
    for (addresses, is_special) in [
        (&["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.216.34", "126.255.255.255"][..], false),
        (&["100.63.255.255", "100.128.0.0", "128.0.0.0", "169.253.0.1", "172.15.0.1", "172.32.0.1"], false),
        (&["192.0.1.1", "192.167.0.1", "192.169.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255"], false),
        (&["2606:4700::1111", "2001:200::1", "2001:4860:4860::8888", "2a00::1", "3ffe::1"], false),
        (&["64:ff9b::8.8.8.8"], false),
        (&["0.0.0.0", "0.1.2.3", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255"], true),
        (&["127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.0", "172.31.255.255"], true),
        (
            &[
                "192.0.0.8",
                "192.0.2.1",
                "192.88.99.1",
                "192.168.0.1",
                "168.63.129.16",
                "198.18.0.0",
                "198.19.255.255",
            ],
            true,
        ),
        (&["198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"], true),
        (&["::", "::1", "::2", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8"], true),
        (&["::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::10.1.2.3", "64:ff9b:1::8.8.8.8"], true),
        (&["64:ff9b::169.254.169.254", "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1"], true),
        (&["2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "4000::1", "5f00::1"], true),
        (&["fc00::1", "fd12:3456::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "8000::1"], true),
    ] {
        for text in addresses {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(special(address).is_some(), is_special, "{text} is {:?}", special(address));
        }
    }
}

#[test]
fn which_addresses_an_endpoint_may_have() {
    let ours = Destinations::parse("localhost, 127.0.0.1:8080,[::1],Queue.Internal.:9000").unwrap();
    let long = format!("https://example.com/{}", "a".repeat(2048));
    for (url, without, with) in [
        ("https://example.com/notices?a=b", true, true),
        ("https://EXAMPLE.com:8443", true, true),
        ("https://example.com./", true, true),
        ("https://1.1.1.1/", true, true),
        ("https://[2606:4700::1111]:443/", true, true),
        ("https://xn--strae-oqa.example/", true, true),
        // The scheme.
        ("http://example.com/", false, false),
        ("ftp://example.com/", false, false),
        ("example.com", false, false),
        ("/notices", false, false),
        ("", false, false),
        // Parts that are not allowed.
        ("https://user:secret@example.com/", false, false),
        ("https://@example.com/", false, false),
        ("https://example.com/#here", false, false),
        ("https://example.com/ notices", false, false),
        ("https://straße.example/", false, false),
        ("https://example.com:0/", false, false),
        ("https://example.com:99999/", false, false),
        ("https://example.com:/", false, false),
        ("https://exa$mple.com/", false, false),
        ("https://example..com/", false, false),
        (&long, false, false),
        // Addresses that are not public, however they are written.
        ("https://169.254.169.254/latest/meta-data", false, false),
        ("https://10.0.0.1", false, false),
        ("https://[::ffff:127.0.0.1]/", false, false),
        ("https://[::ffff:7f00:1]/", false, false),
        ("https://[fe80::1%25eth0]/", false, false),
        ("https://2130706433/", false, false),
        ("https://0x7f.1/", false, false),
        ("https://0x7f000001/", false, false),
        ("https://127.1/", false, false),
        ("https://0177.0.0.1/", false, false),
        ("https://127.0.0.1./", false, false),
        ("https://localhost.localhost/", false, false),
        // Allowed by name, over http too.
        ("http://localhost:3001/notices", false, true),
        ("https://LOCALHOST/", false, true),
        ("http://127.0.0.1:8080/", false, true),
        ("http://127.0.0.1:8081/", false, false),
        ("http://127.0.0.1/", false, false),
        ("http://[::1]:5000/", false, true),
        ("http://queue.internal:9000/", false, true),
        ("https://queue.internal:9000/", true, true),
        ("ftp://localhost/", false, false),
    ] {
        assert_eq!(Destinations::default().check(url).is_ok(), without, "{url}");
        assert_eq!(ours.check(url).is_ok(), with, "{url}, allowed by name");
    }
    let found = ours.check("http://LocalHost.:81/x").unwrap();
    assert_eq!((found.host, found.port, found.allowed), (Host::Name("localhost".to_owned()), 81, true));
    assert!(!ours.check("https://example.com").unwrap().allowed);
}

#[test]
fn a_list_of_hosts_is_read_whole_or_not_at_all() {
    for list in ["", " , ", "a", "a,b:1, [::1]:9 ,1.2.3.4"] {
        assert!(Destinations::parse(list).is_ok(), "{list}");
    }
    for (list, wrong) in [
        ("http://a", "http://a"),
        ("a,b:0", "b:0"),
        ("a,*.b", "*.b"),
        ("a:b", "a:b"),
        ("::1", "::1"),
        ("a/b", "a/b"),
        ("127.1", "127.1"),
    ] {
        assert_eq!(Destinations::parse(list).unwrap_err(), wrong);
    }
}
