//! Who may use what needs no key, as a table of `Host` and `Origin`.

use super::*;

#[test]
fn strangers_are_kept_out() {
    let cases = [
        ("127.0.0.1:12111", None, true),
        ("localhost:12111", None, true),
        ("[::1]:12111", None, true),
        ("emulator:12111", None, true),
        ("shop.localhost", None, true),
        ("stripe.ci.example:80", None, true),
        ("localhost:12111", Some("http://localhost:12111"), true),
        ("localhost:12111", Some("http://localhost:3000"), false),
        ("localhost:12111", Some("https://evil.example"), false),
        ("localhost:12111", Some("null"), false),
        ("evil.example:12111", None, false),
        ("evil.example:12111", Some("http://evil.example:12111"), false),
        ("", None, false),
    ];
    for (host, origin, allowed) in cases {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        assert_eq!(is_from_here(&headers, "http://stripe.ci.example"), allowed, "{host} {origin:?}");
    }
    assert!(!is_from_here(&HeaderMap::new(), "http://127.0.0.1:12111"));
}
