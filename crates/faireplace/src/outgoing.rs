//! The way out: HTTP to an address that somebody named, with TLS where it says `https`. Certificates are
//! checked against this machine's authorities, so that one made for a laptop counts there. Not here:
//! redirects, which nobody here follows, proxies, and the way to our own service (`client`). The way to
//! addresses that customers chose is `notices`, with its guard.

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

pub(crate) use exchange::{ExchangeError, Limits, exchange, exchange_head};

/// Speaks HTTP, and TLS where the address says so.
pub(crate) type Outgoing = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Whether the other side must prove who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificates {
    Checked,
    /// For a server under development, whose certificate nobody signed.
    Unchecked,
}

/// A way to this address. Nothing is sent yet.
///
/// # Errors
/// When it is an `https` address, and this machine has no list of authorities.
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
            "this machine has no certificates of authorities, so nobody's can be checked: install the \
             package ca-certificates, or name a file of them in SSL_CERT_FILE",
        ));
    }
    Ok(authorities)
}

/// Whether the address is one of this machine's own, which no other machine can listen to.
pub(crate) fn is_this_machine(address: &Uri) -> bool {
    let host = address.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Why nothing came back, in words: the first cause, which says more than what was wrapped around it.
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

/// Believes every certificate. Signatures are checked still: the library needs that for the handshake.
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
