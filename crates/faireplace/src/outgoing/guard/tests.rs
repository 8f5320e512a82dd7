//! What a name may lead to, with a resolver that says whatever the table asks for. Not here: the tables of
//! addresses (`web::destination`).

use super::*;

/// A resolver of which every name is an address in disguise: `a-10.0.0.1--1.1.1.1.test`.
#[expect(clippy::needless_pass_by_value, reason = "what resolves takes the name with it")]
fn disguised(host: String, port: u16) -> Future<Vec<SocketAddr>> {
    let list = host.trim_start_matches("a-").trim_end_matches(".test").replace('_', ":");
    let read = |text: &str| SocketAddr::new(text.parse().unwrap(), port);
    let found = match &*list {
        "nobody" => Ok(Vec::new()),
        "unknown" => Err(io::Error::other("Name or service not known")),
        list => Ok(list.split("--").map(read).collect()),
    };
    Box::pin(async move { found })
}

async fn reached(allowed: &str, url: &str) -> String {
    let guard = Guard { destinations: Arc::new(Destinations::parse(allowed).unwrap()), resolve: disguised };
    match guard.destinations.check(url) {
        Ok(destination) => match guard.addresses(&destination).await {
            Ok(addresses) => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        },
        Err(why) => why.to_owned(),
    }
}

#[tokio::test]
async fn what_a_name_resolves_to_is_judged() {
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
        // Whether there is such a name in our network is not for whoever asks.
        ("", "https://a-unknown.test/", refused),
        ("", "https://127.0.0.1/", "on the public internet"),
        ("a-10.0.0.1.test", "http://a-10.0.0.1.test:81/", "10.0.0.1:81"),
        ("127.0.0.1", "http://127.0.0.1:82/", "127.0.0.1:82"),
        ("127.0.0.1", "https://a-127.0.0.1.test/", refused),
    ] {
        let found = reached(allowed, url).await;
        let right = if expected.contains("public") { found.contains(expected) } else { found == expected };
        assert!(right, "{url}: {found}");
    }
}

/// What this machine's own resolver reads as 127.0.0.1, whatever it looks like.
#[tokio::test]
async fn nothing_that_means_this_machine_is_connected_to() {
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
