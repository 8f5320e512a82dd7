//! Outgoing HTTP, with TLS for `https` URLs. Certificates are checked against this machine's authorities, so
//! that a developer's own authority counts. Redirects are not followed, and proxies not used. URLs chosen by
//! customers go through `notices`, which guards them.

pub(crate) mod date;
mod exchange;
mod guard;
pub(crate) mod notices;

use std::error::Error;
use std::fmt::Display;
use std::io;
use std::sync::Arc;

use axum::http::Uri;
use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as SendError};
use hyper_util::rt::TokioExecutor;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::failure::Failure;

pub(crate) use exchange::{ExchangeError, ResponseLimits, exchange, exchange_head};

/// An HTTP client with TLS for `https` URLs.
pub(crate) type Outgoing = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Whether the server's certificate is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificates {
    Checked,
    /// For a server under development with a self-signed certificate.
    Unchecked,
}

/// A client for this URL; sends nothing yet.
///
/// # Errors
/// When it is an `https` URL and this machine has no certificate authorities.
pub(crate) fn way_to(address: &Uri, certificates: Certificates) -> Result<Outgoing, Failure> {
    let provider = Arc::new(ring::default_provider());
    let unusable = |error: rustls::Error| Failure::failed(format!("TLS cannot be used: {error}"));
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let config = match (address.scheme_str(), certificates) {
        (Some("https"), Certificates::Checked) => config.with_root_certificates(authorities()?),
        (Some("https"), Certificates::Unchecked) => {
            config.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(provider)))
        }
        _ => config.with_root_certificates(RootCertStore::empty()),
    };
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config.with_no_client_auth())
        .https_or_http()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

fn authorities() -> Result<RootCertStore, Failure> {
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if authorities.is_empty() {
        return Err(Failure::configuration(
            "this machine has no certificate authorities, so no certificate can be verified: install the \
             package ca-certificates, or name a file of them in SSL_CERT_FILE",
        ));
    }
    Ok(authorities)
}

/// Whether the URL's host is this machine's loopback.
pub(crate) fn is_this_machine(address: &Uri) -> bool {
    let host = address.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Why there was no response: the innermost cause, which says the most.
pub(crate) fn reason(error: &SendError, address: &impl Display) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    match cause.downcast_ref::<io::Error>() {
        Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            format!("nothing listens at {address}")
        }
        _ => format!("{address}: {cause}"),
    }
}

/// Accepts every certificate. Handshake signatures are still verified, which the library requires.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
