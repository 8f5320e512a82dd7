//! Who may use the emulator: programs, and pages of its own. A page of another site in a browser on this
//! machine may not, whatever key it sends: the emulator's key is well known, and a form's address carries it.
//!
//! Not here: whether the key of an API request is right (`api::exchange`).

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
    /// `Host` is a name that anybody could point at this machine (DNS rebinding).
    Host,
    /// A browser asks on behalf of another site's page.
    Site,
}

impl Forbidden {
    fn message(self) -> &'static str {
        match self {
            Self::Host => {
                "Nothing was done: the emulator does not know the host name in this request. Use the address \
                 that it printed, another IP address, or a name without dots, as in docker-compose. To use \
                 another name, start it with `faireplace emulate --url http://NAME:PORT`."
            }
            Self::Site => {
                "Nothing was done: a browser sent this request for a page of another site. Such a page may \
                 link to the emulator's pages and nothing more. Call the API from your server, and open the \
                 pages at the address that the emulator printed."
            }
        }
    }
}

/// Passes a request on, or refuses it: in plain text where a page was asked for, else as Stripe's API would.
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

/// What a person opens in a browser; everything else is an API.
fn is_page(path: &str) -> bool {
    path == "/" || path.starts_with("/c/pay/") || path.starts_with("/_control/")
}

/// `url` is where the emulator says that it is.
fn judge(method: &Method, page: bool, headers: &HeaderMap, url: &str) -> Result<(), Forbidden> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).ok_or(Forbidden::Host)?;
    if !is_known(host, url) {
        return Err(Forbidden::Host);
    }
    // Programs send no `Sec-Fetch-Site`, and no browser lets a page write it.
    let own_site =
        headers.get_all("sec-fetch-site").iter().all(|site| site == "same-origin" || site == "none");
    let leads_to_page = page && method == Method::GET && opens_a_tab(headers);
    if !own_site && !leads_to_page {
        return Err(Forbidden::Site);
    }
    // After a shop's form that ends in a redirect to a page, some browsers still name the shop in `Origin`.
    let same =
        |origin: &str| origin.split_once("://").is_some_and(|(_, place)| place.eq_ignore_ascii_case(host));
    let own_origin = headers.get_all(header::ORIGIN).iter().all(|origin| origin.to_str().is_ok_and(same));
    if own_origin || (page && method.is_safe()) { Ok(()) } else { Err(Forbidden::Site) }
}

/// A link, a redirect or a form leads there, and what it leads to replaces the page: no frame, no picture.
fn opens_a_tab(headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document")
}

/// An address, a name that no stranger can own, or the emulator's own name.
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
