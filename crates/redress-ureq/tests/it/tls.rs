//! TLS: certificates, and servers that speak none.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use redress::ErrorClass;
use redress::integration::ureq::RetryingAgent;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::classes::class_of;
use crate::support::{OK, Server, policy};

const CERTIFICATE: &[u8] = include_bytes!("tls/cert.der");

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A server with a self-signed certificate for `localhost`, which answers each connection once.
fn server() -> Server {
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(include_bytes!("tls/key.der").to_vec().into());
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("a version")
        .with_no_client_auth()
        .with_single_cert(vec![CERTIFICATE.to_vec().into()], key)
        .expect("a certificate");
    let config = Arc::new(config);
    Server::start(move |peer| {
        let connection = rustls::ServerConnection::new(Arc::clone(&config)).expect("a configuration");
        let mut stream = rustls::StreamOwned::new(connection, peer.stream);
        // The client may refuse the certificate.
        let is_request = stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0);
        if is_request && stream.write_all(OK.as_bytes()).is_ok() {
            let _ = stream.flush();
        }
    })
}

fn trusting(certificates: &[Certificate<'static>]) -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(certificates))
        .unversioned_rustls_crypto_provider(provider())
        .build();
    Agent::config_builder().tls_config(tls).build().into()
}

fn trusted() -> Agent {
    trusting(&[Certificate::from_der(CERTIFICATE).to_owned()])
}

fn https(server: &Server) -> String {
    format!("https://localhost:{}/", server.address().port())
}

#[test]
fn a_refused_certificate_is_permanent() {
    let server = server();
    assert!(trusted().get(https(&server)).call().is_ok());
    let result = trusting(&[]).get(https(&server)).call();
    let failure = class_of(&result);
    assert_eq!((failure.class(), failure.detail("io")), (ErrorClass::Permanent, Some("InvalidData")), "{result:?}");
    let agent = RetryingAgent::new(trusting(&[]), policy(3));
    assert_eq!(agent.get(https(&server)).execute().attempts(), 1);
}

#[test]
fn a_server_that_closes_in_the_handshake_is_transient() {
    let server = Server::start(drop);
    let failure = class_of(&trusted().get(https(&server)).call());
    assert_eq!((failure.class(), failure.is_unsent()), (ErrorClass::Transient, false));
}

#[test]
fn an_error_of_rustls_has_the_class_of_what_it_prints() {
    use rustls::{AlertDescription, CertificateError, Error as Tls};
    let rows = [
        (Tls::InvalidCertificate(CertificateError::Expired), ErrorClass::Permanent),
        (Tls::AlertReceived(AlertDescription::HandshakeFailure), ErrorClass::Permanent),
        (Tls::AlertReceived(AlertDescription::InternalError), ErrorClass::Transient),
        (Tls::General("?".to_owned()), ErrorClass::Transient),
        (Tls::General("certificate verify failed".to_owned()), ErrorClass::Permanent),
    ];
    for (error, class) in rows {
        assert_eq!(class_of(&Err(ureq::Error::Rustls(error))).class(), class);
    }
}

#[test]
fn a_server_that_speaks_no_tls_is_permanent() {
    let server = Server::start(|mut peer| {
        peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        peer.closed();
    });
    let failure = class_of(&trusted().get(https(&server)).call());
    assert_eq!((failure.class(), failure.detail("io")), (ErrorClass::Permanent, Some("InvalidData")));
}
