//! Which requests are refused: as a table of headers, and on every route.

use axum::body::{Body, to_bytes};
use axum::http::HeaderName;
use tower::ServiceExt;

use super::*;
use crate::api::{self, tests::Account};

const OWN: &str = "http://stripe.ci.example:12111";

/// The guard's decision about a request with these headers: `name: value`, separated by ` | `.
fn decide(method: &Method, page: bool, lines: &str) -> Result<(), Forbidden> {
    let mut headers = HeaderMap::new();
    for line in lines.split(" | ").filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        headers.append(name.parse::<HeaderName>().unwrap(), value.trim().parse().unwrap());
    }
    judge(method, page, &headers, OWN)
}

#[test]
fn known_hosts_are_accepted_and_other_names_refused() {
    let known = ["127.0.0.1:12111", "localhost:12111", "LOCALHOST", "[::1]:12111", "192.168.0.7:12111"];
    let neighbours = ["emulator:12111", "shop.localhost", "host.docker.internal:12111"];
    let own = ["stripe.ci.example:12111", "STRIPE.CI.EXAMPLE", "stripe.ci.example:80"];
    let strange =
        ["evil.example:12111", "stripe.ci.example.evil.example", "127.0.0.1.evil.example", "evil.", "", ":1"];
    let all = [(&known[..], Ok(())), (&neighbours, Ok(())), (&own, Ok(())), (&strange, Err(Forbidden::Host))];
    for (hosts, expected) in all {
        for host in hosts {
            // The headers that `fetch` of Node sends.
            for more in ["", " | sec-fetch-mode: cors"] {
                for (method, page) in [(Method::GET, true), (Method::GET, false), (Method::POST, false)] {
                    let lines = format!("host: {host}{more}");
                    assert_eq!(decide(&method, page, &lines), expected, "{method} {page} {lines}");
                }
            }
        }
    }
    assert_eq!(decide(&Method::GET, true, ""), Err(Forbidden::Host), "no host at all");
}

/// A browser's headers, and which requests are allowed: GET a page, POST to a page, GET from an API, POST to
/// one.
#[rustfmt::skip]
const BROWSERS: &[(&str, [bool; 4])] = &[
    // Pages of the emulator, and URLs typed into the address bar.
    ("sec-fetch-site: same-origin | origin: http://localhost:12111",                        [true, true, true, true]),
    ("sec-fetch-site: same-origin | sec-fetch-mode: navigate | sec-fetch-dest: document",   [true, true, true, true]),
    ("sec-fetch-site: none | sec-fetch-mode: navigate | sec-fetch-dest: document",          [true, true, true, true]),
    ("origin: http://LOCALHOST:12111",                                                      [true, true, true, true]),
    // A shop's link, redirect or form. The form is a POST, which no other site may send.
    ("sec-fetch-site: same-site | sec-fetch-mode: navigate | sec-fetch-dest: document",     [true, false, false, false]),
    ("sec-fetch-site: cross-site | sec-fetch-mode: navigate | sec-fetch-dest: document",    [true, false, false, false]),
    ("sec-fetch-site: cross-site | sec-fetch-mode: navigate | sec-fetch-dest: document | origin: null", [true, false, false, false]),
    // Other resources that a page loads.
    ("sec-fetch-site: cross-site | sec-fetch-mode: navigate | sec-fetch-dest: iframe",      [false; 4]),
    ("sec-fetch-site: cross-site | sec-fetch-mode: no-cors | sec-fetch-dest: image",        [false; 4]),
    ("sec-fetch-site: cross-site | sec-fetch-mode: no-cors | sec-fetch-dest: document",     [false; 4]),
    ("sec-fetch-site: same-site | sec-fetch-mode: cors | sec-fetch-dest: empty",            [false; 4]),
    ("sec-fetch-site: cross-site",                                                          [false; 4]),
    ("sec-fetch-site: same-origin | sec-fetch-site: cross-site",                            [false; 4]),
    ("sec-fetch-site: same-origin, cross-site",                                             [false; 4]),
    ("sec-fetch-site: ",                                                                    [false; 4]),
    // Browsers that send only `Origin`.
    ("origin: http://localhost:3000",                                                       [true, false, false, false]),
    ("origin: https://evil.example",                                                        [true, false, false, false]),
    ("origin: null",                                                                        [true, false, false, false]),
    ("origin: http://localhost:12111 | origin: https://evil.example",                       [true, false, false, false]),
];

#[test]
fn another_site_may_only_link_to_pages() {
    for (sent, expected) in BROWSERS {
        let lines = format!("host: localhost:12111 | {sent}");
        let kinds = [(Method::GET, true), (Method::POST, true), (Method::GET, false), (Method::POST, false)];
        for ((method, page), allowed) in kinds.into_iter().zip(expected) {
            let decision = decide(&method, page, &lines);
            let expected = if *allowed { Ok(()) } else { Err(Forbidden::Site) };
            assert_eq!(decision, expected, "{method} {} {sent}", if page { "a page" } else { "an API" });
        }
    }
}

/// The path of every route, and some unknown paths.
fn paths() -> Vec<String> {
    let mut paths: Vec<String> =
        ["/v1", "/v1/", "/v1/none", "/v2/none", "/none", "/_emulator", "/c/pay"].map(str::to_owned).to_vec();
    paths.extend(crate::page::routes().map(|(path, _)| path.to_owned()));
    paths.extend(api::control_routes().map(|(path, _)| path.to_owned()));
    paths.extend(api::stripe_paths());
    paths
}

#[tokio::test]
async fn every_route_is_guarded() {
    let account = Account::new();
    let (_, charge) = account.paid("4242424242424242").await;
    let before = account.account_json();
    let foreign = [
        ("evil.example:12111", "accept", "*/*", "--url http://NAME:PORT"),
        ("127.0.0.1:12111", "sec-fetch-site", "cross-site", "another site"),
        ("127.0.0.1:12111", "origin", "http://localhost:3000", "another site"),
    ];
    let paths = paths();
    assert!(paths.len() > 60, "{} paths", paths.len());
    for path in paths.iter().map(|path| path.replace("{id}", &charge)) {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            for (host, name, value, reason) in foreign {
                if name == "origin" && is_page(&path) && ["GET", "HEAD", "OPTIONS"].contains(&method) {
                    continue;
                }
                let request = Request::builder()
                    .method(method)
                    .uri(&path)
                    .header("host", host)
                    .header(name, value)
                    .header("authorization", "Bearer sk_test_emulator")
                    .header("content-type", "application/x-www-form-urlencoded");
                let answer = crate::router(&account.emulator)
                    .oneshot(request.body(Body::empty()).unwrap())
                    .await
                    .unwrap();
                let line = format!("{method} {path} {host} {name}: {value}");
                assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{line}");
                let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                if method == "HEAD" {
                    continue;
                }
                assert!(text.contains(reason), "{line}: {text}");
                assert_eq!(text.starts_with('{'), !is_page(&path), "{line}: {text}");
            }
        }
    }
    assert_eq!(account.account_json(), before);
}
