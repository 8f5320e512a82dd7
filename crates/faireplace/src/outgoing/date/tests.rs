//! The date of a server behind TLS, whose certificate is valid for one year.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// 2026-06-01, while the certificate is valid, and a year later.
const VALID: Timestamp = Timestamp::from_seconds(1_780_272_000);
const OVER: Timestamp = Timestamp::from_seconds(1_811_808_000);

/// Starts a server with this response. Returns its address, and the roots that trust its certificate.
async fn server(answer: &'static str) -> (Uri, RootCertStore) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2027, 1, 1));
    let own = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 1024];
            let length = stream.read(&mut head).await.unwrap();
            let head = String::from_utf8_lossy(&head[..length]).to_lowercase();
            assert!(head.starts_with("head / http/1.1\r\n") && !head.contains("authorization"), "{head}");
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    let mut roots = RootCertStore::empty();
    roots.add(own.der().clone()).unwrap();
    (url, roots)
}

#[tokio::test]
async fn the_date_of_any_response_is_read() {
    for (answer, expected) in [
        (
            "HTTP/1.1 404 Not Found\r\ndate: Mon, 01 Jun 2026 00:00:07 GMT\r\ncontent-length: 2\r\n\r\n",
            Ok(VALID.plus_seconds(7)),
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Err("answered without a date")),
        ("HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 0\r\n\r\n", Err("answered without a date")),
    ] {
        let (url, roots) = server(answer).await;
        match (ask(&url, roots, VALID).await, expected) {
            (Ok(at), Ok(expected)) => assert_eq!(at, expected),
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{why}"),
            (found, _) => panic!("{answer:?}: {found:?}"),
        }
    }
}

#[tokio::test]
async fn a_certificate_must_be_valid_at_the_given_time() {
    let answer = "HTTP/1.1 200 OK\r\ndate: Mon, 01 Jun 2026 00:00:07 GMT\r\ncontent-length: 0\r\n\r\n";
    let (url, roots) = server(answer).await;
    let why = ask(&url, roots.clone(), OVER).await.unwrap_err();
    assert!(why.contains("expired"), "{why}");
    assert_eq!(ask(&url, roots, VALID).await, Ok(VALID.plus_seconds(7)));
    // No root trusts the certificate.
    let why = ask(&url, RootCertStore::empty(), VALID).await.unwrap_err();
    assert!(why.contains("UnknownIssuer"), "{why}");
}

#[test]
fn only_https_addresses_are_time_sources() {
    for (base, used) in [
        ("https://api.stripe.com", true),
        ("https://stripe.example/proxy/", true),
        ("http://127.0.0.1:12111", false),
        ("api.stripe.com", false),
        ("", false),
    ] {
        assert_eq!(source(base).is_some(), used, "{base}");
    }
}
