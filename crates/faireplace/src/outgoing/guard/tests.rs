//! Which resolved addresses may be connected to, with a resolver that reads the addresses from the name. The
//! tables of addresses are tested in `web::destination`.

use super::*;

/// A resolver whose names contain their addresses: `a-10.0.0.1--1.1.1.1.test`.
#[expect(clippy::needless_pass_by_value, reason = "resolvers take the name by value")]
fn resolve_from_name(host: String, port: u16) -> Future<Vec<SocketAddr>> {
    let list = host.trim_start_matches("a-").trim_end_matches(".test").replace('_', ":");
    let read = |text: &str| SocketAddr::new(text.parse().unwrap(), port);
    let found = match &*list {
        "nobody" => Ok(Vec::new()),
        "unknown" => Err(io::Error::other("Name or service not known")),
        list => Ok(list.split("--").map(read).collect()),
    };
    Box::pin(async move { found })
}

async fn addresses_or_error(allowed: &str, url: &str) -> String {
    let guard =
        Guard { destinations: Arc::new(Destinations::parse(allowed).unwrap()), resolve: resolve_from_name };
    match guard.destinations.check(url) {
        Ok(destination) => match guard.addresses(&destination).await {
            Ok(addresses) => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        },
        Err(why) => why.to_owned(),
    }
}

#[tokio::test]
async fn resolved_addresses_are_checked() {
    let refused = NOWHERE;
    for (allowed, url, expected) in [
        ("", "https://a-1.1.1.1.test/", "1.1.1.1:443"),
        ("", "https://a-1.1.1.1--8.8.8.8.test:8443/", "1.1.1.1:8443 8.8.8.8:8443"),
        ("", "https://a-127.0.0.1.test/", refused),
        ("", "https://a-1.1.1.1--10.0.0.1.test/", refused),
        ("", "https://a-169.254.169.254.test/", refused),
        ("", "https://a-__1.test/", refused),
        ("", "https://a-__ffff_7f00_1.test/", refused),
        ("", "https://a-fd00__1.test/", refused),
        ("", "https://a-nobody.test/", ""),
        // The error must not reveal whether the name exists in the internal network.
        ("", "https://a-unknown.test/", refused),
        ("", "https://127.0.0.1/", "on the public internet"),
        ("a-10.0.0.1.test", "http://a-10.0.0.1.test:81/", "10.0.0.1:81"),
        ("127.0.0.1", "http://127.0.0.1:82/", "127.0.0.1:82"),
        ("127.0.0.1", "https://a-127.0.0.1.test/", refused),
    ] {
        let found = addresses_or_error(allowed, url).await;
        let matches = if expected.contains("public") { found.contains(expected) } else { found == expected };
        assert!(matches, "{url}: {found}");
    }
}

/// Every form that the system's resolver reads as an address of this machine.
#[tokio::test]
async fn addresses_of_this_machine_are_refused_in_every_form() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["localhost", "127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "0"] {
        let uri: Uri = format!("https://{host}:{port}/").parse().unwrap();
        let result = Guard::new(Arc::default()).connect(uri).await;
        assert!(result.is_err(), "{host}");
    }
    let uri: Uri = format!("http://127.0.0.1:{port}/").parse().unwrap();
    let ours = Arc::new(Destinations::parse("127.0.0.1").unwrap());
    assert!(Guard::new(ours).connect(uri).await.is_ok());
}
