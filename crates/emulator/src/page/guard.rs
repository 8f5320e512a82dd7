//! Who may use the pages: a browser on this machine, from these pages. A page of another site that posts here
//! (its `Origin` tells), or whose name was pointed at this machine (the `Host` tells), is refused.
//!
//! Not here: keys. There is no money, but another site must not be able to play with somebody's rehearsal.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Emulator;

/// Lets a request pass, or answers 403 and why.
pub(crate) async fn guard(State(emulator): State<Emulator>, request: Request, next: Next) -> Response {
    match refusal(request.method(), request.headers(), &emulator.options().url) {
        None => next.run(request).await,
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
    }
}

fn refusal(method: &Method, headers: &HeaderMap, own_url: &str) -> Option<&'static str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST).filter(|host| is_here(host, own_url)) else {
        return Some("The Host is not this machine. Open the address that the emulator printed.\n");
    };
    if method.is_safe() {
        return None;
    }
    // Every browser sends it with a POST; other programs need not.
    let foreign = headers.contains_key(header::ORIGIN)
        && text(header::ORIGIN).and_then(authority).is_none_or(|origin| !origin.eq_ignore_ascii_case(host));
    foreign.then_some("A page of another site sent this. Nothing was done.\n")
}

/// The machine itself by one of its own names, or the name under which the emulator was started.
fn is_here(host: &str, own_url: &str) -> bool {
    let name = without_port(host);
    let loopback = name.eq_ignore_ascii_case("localhost")
        || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    loopback || authority(own_url).is_some_and(|own| without_port(own).eq_ignore_ascii_case(name))
}

fn authority(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    rest.split('/').next()
}

/// An IPv6 address keeps its brackets: the colons in them are none of a port.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn asked(method: &Method, host: &'static str, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        refusal(method, &headers, "http://emulator.test:12111").is_none()
    }

    #[test]
    fn only_this_machine_and_only_from_these_pages() {
        for (method, host, origin, may) in [
            (Method::GET, "127.0.0.1:12111", None, true),
            (Method::GET, "localhost", None, true),
            (Method::GET, "[::1]:12111", None, true),
            (Method::GET, "emulator.test:12111", None, true),
            (Method::GET, "evil.example", None, false),
            (Method::GET, "127.0.0.1.evil.example", None, false),
            (Method::GET, "localhost:12111", Some("https://evil.example"), true),
            (Method::POST, "localhost:12111", None, true),
            (Method::POST, "localhost:12111", Some("http://localhost:12111"), true),
            (Method::POST, "localhost:12111", Some("http://localhost:3000"), false),
            (Method::POST, "localhost:12111", Some("https://evil.example"), false),
            (Method::POST, "localhost:12111", Some("null"), false),
            (Method::POST, "evil.example", Some("http://evil.example"), false),
        ] {
            assert_eq!(asked(&method, host, origin), may, "{method} {host} {origin:?}");
        }
    }

    #[test]
    fn a_request_that_names_no_host_is_refused() {
        assert!(refusal(&Method::GET, &HeaderMap::new(), "http://127.0.0.1:12111").is_some());
    }
}
