//! Refuses requests that a browser sends for pages of other sites. The API key cannot protect against them,
//! because it is well known. Programs and the emulator's own pages pass.
//!
//! Not here: the check of the API key (`api::exchange`).

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Emulator;
use crate::wire::StripeError;
use crate::wire::error::ErrorType;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forbidden {
    /// `Host` is a name that a stranger could point at this machine (DNS rebinding).
    Host,
    /// A browser sent the request for a page of another site.
    Site,
}

impl Forbidden {
    fn message(self) -> &'static str {
        match self {
            Self::Host => {
                "Nothing was done: the emulator does not know the host name in this request. Use the URL \
                 that it printed, an IP address, or a name without dots, as in docker-compose. To use \
                 another name, start it with `faireplace emulate --url http://NAME:PORT`."
            }
            Self::Site => {
                "Nothing was done: a browser sent this request for a page of another site. Such a page may \
                 link to the emulator's pages and nothing more. Call the API from your server, and open the \
                 pages at the URL that the emulator printed."
            }
        }
    }
}

/// Passes a request on, or refuses it: in plain text for a page, otherwise with an error like Stripe's.
pub(crate) async fn only_from_here(
    State(emulator): State<Emulator>,
    request: Request,
    next: Next,
) -> Response {
    let page = is_page(request.uri().path());
    match judge(request.method(), page, request.headers(), &emulator.options().url) {
        Ok(()) => next.run(request).await,
        Err(why) if page => (StatusCode::FORBIDDEN, format!("{}\n", why.message())).into_response(),
        Err(why) => {
            StripeError::new(StatusCode::FORBIDDEN, ErrorType::InvalidRequest, why.message()).into_response()
        }
    }
}

/// Whether the path belongs to a page; every other path belongs to an API.
fn is_page(path: &str) -> bool {
    path == "/" || path.starts_with("/c/pay/") || path.starts_with("/_control/")
}

/// `url` is the emulator's own URL.
fn judge(method: &Method, page: bool, headers: &HeaderMap, url: &str) -> Result<(), Forbidden> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).ok_or(Forbidden::Host)?;
    if !is_known(host, url) {
        return Err(Forbidden::Host);
    }
    // Programs do not send `Sec-Fetch-Site`, and browsers do not let a page set it.
    let own_site =
        headers.get_all("sec-fetch-site").iter().all(|site| site == "same-origin" || site == "none");
    let leads_to_page = page && method == Method::GET && opens_in_a_tab(headers);
    if !own_site && !leads_to_page {
        return Err(Forbidden::Site);
    }
    // After a form of the shop that redirects to a page here, some browsers still send the shop's `Origin`.
    let same =
        |origin: &str| origin.split_once("://").is_some_and(|(_, place)| place.eq_ignore_ascii_case(host));
    let own_origin = headers.get_all(header::ORIGIN).iter().all(|origin| origin.to_str().is_ok_and(same));
    if own_origin || (page && method.is_safe()) { Ok(()) } else { Err(Forbidden::Site) }
}

/// Whether a link, a redirect or a form opens the page in a tab; frames and images do not.
fn opens_in_a_tab(headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document")
}

/// Whether the host is an IP address, a name that a stranger cannot register, or the emulator's own name.
fn is_known(host: &str, url: &str) -> bool {
    let name = name_of(host);
    let own = || url.parse::<Uri>().ok().and_then(|url| url.host().map(str::to_owned));
    name.parse::<IpAddr>().is_ok()
        || (!name.is_empty() && !name.contains('.'))
        || name.to_ascii_lowercase().ends_with(".localhost")
        || name.eq_ignore_ascii_case("host.docker.internal")
        || own().is_some_and(|own| own.eq_ignore_ascii_case(name))
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
