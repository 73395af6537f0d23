//! TLS and secrets.

use std::io::{Read, Write};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::server::{Answer, Server, raw};
use super::{harness, number, text};
use crate::request::http_request;
use plugin_api::testing::Harness;

/// An authority that nobody knows, and a server with a certificate of its for a name.
fn authority_and_server(name: &str) -> (String, Server) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, format!("authority of {name}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let config = Arc::new(config);
    let server = raw(move |_, stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut tls = StreamOwned::new(connection, stream.into_inner());
        let mut read = [0; 4096];
        // A client that does not trust this server says no more.
        let Ok(bytes @ 1..) = tls.read(&mut read) else {
            return;
        };
        let host = String::from_utf8_lossy(&read[..bytes]).to_lowercase();
        let host = host
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .unwrap_or_default()
            .to_owned();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{host}",
            host.len()
        );
        let _ = tls.write_all(answer.as_bytes());
        tls.conn.send_close_notify();
        let _ = tls.flush();
    });
    (authority.pem(), server)
}

fn secure(server: &Server) -> Harness {
    Harness::new().setting(
        "http.connect_to",
        &format!("api.example:443=127.0.0.1:{}", server.port),
    )
}

const GET: &str = r#"{"url": "https://api.example/", "retries": 2, "retryDelay": 0}"#;

#[test]
fn a_server_is_believed_whose_certificate_comes_from_the_authority_that_was_set() {
    let (pem, server) = authority_and_server("api.example");
    let output = secure(&server)
        .setting("http.ca", &pem)
        .call::<http_request>(GET)
        .unwrap();
    assert_eq!(
        (number(&output, "/statusCode"), text(&output, "/body")),
        (200, "api.example")
    );
    let file = std::env::temp_dir().join(format!("patchbay-http-ca-{}.pem", server.port));
    std::fs::write(&file, &pem).unwrap();
    let output = secure(&server)
        .setting("http.ca", file.to_str().unwrap())
        .call::<http_request>(GET);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(number(&output.unwrap(), "/statusCode"), 200);
}

#[test]
fn a_bad_certificate_is_an_error_that_stays() {
    let (pem, server) = authority_and_server("other.example");
    let (other_pem, _) = authority_and_server("api.example");
    for (ca, why) in [
        (None, "UnknownIssuer"),
        (Some(&other_pem), "UnknownIssuer"),
        (Some(&pem), "not valid for name"),
    ] {
        let harness = secure(&server);
        let harness = match ca {
            Some(pem) => harness.setting("http.ca", pem),
            None => harness,
        };
        let error = harness.call::<http_request>(GET).unwrap_err();
        assert_eq!(
            (error.code.as_ref(), error.retryable),
            ("EXECUTION_ERROR", Some(false)),
            "{error}"
        );
        assert!(
            error
                .message
                .contains("https://api.example cannot be called with TLS"),
            "{error}"
        );
        assert!(error.message.contains(why), "{error}");
    }
}

#[test]
fn a_server_without_tls_is_not_believed() {
    let plain = raw(|_, mut stream| {
        let _ = stream
            .get_mut()
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        super::server::until_closed(&mut stream);
    });
    let error = secure(&plain).call::<http_request>(GET).unwrap_err();
    assert!(error.message.contains("TLS"), "{error}");
}

#[test]
fn a_secret_is_sent_as_the_workflow_says_and_shown_nowhere() {
    for (auth, sent) in [
        (r#"{"type": "bearer"}"#, ("authorization", "Bearer hidden-1")),
        (
            r#"{"type": "bearer", "secret": "HTTP_TOKEN_B"}"#,
            ("authorization", "Bearer hidden-2"),
        ),
        (
            r#"{"type": "basic", "user": "ada"}"#,
            ("authorization", "Basic YWRhOmhpZGRlbi0z"),
        ),
        (
            r#"{"type": "header", "header": "X-Key", "secret": "HTTP_TOKEN_B"}"#,
            ("x-key", "hidden-2"),
        ),
    ] {
        let server = Server::start(|_| Answer::of(500, "text/plain", "no"));
        let harness = harness(&server)
            .secret("HTTP_TOKEN", "hidden-1\n")
            .secret("HTTP_TOKEN_B", "hidden-2")
            .secret("HTTP_PASSWORD", "hidden-3\n");
        let error = harness
            .call::<http_request>(&format!(r#"{{"url": "http://api.example/", "auth": {auth}}}"#))
            .unwrap_err();
        assert_eq!(server.seen()[0].header(sent.0), Some(sent.1), "{auth}");
        let shown = format!("{error:?} {:?}", harness.logged());
        assert!(
            !shown.contains("hidden") && !shown.contains("aGlkZGVu") && !shown.contains("YWRh"),
            "{shown}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_secret_is_told_without_it() {
    let server = Server::start(|_| Answer::bare(200));
    for (auth, code) in [
        (
            r#"{"type": "bearer", "secret": "HTTP_TOKEN_NONE"}"#,
            "CREDENTIAL_MISSING",
        ),
        (
            r#"{"type": "bearer", "secret": "DATABASE_URL"}"#,
            "VALIDATION_FAILED",
        ),
        (
            r#"{"type": "bearer", "secret": "HTTP_TOKEN_"}"#,
            "VALIDATION_FAILED",
        ),
        (
            r#"{"type": "bearer", "secret": "HTTP_TOKENS"}"#,
            "VALIDATION_FAILED",
        ),
        (
            r#"{"type": "bearer", "secret": "HTTP_TOKEN_BAD"}"#,
            "VALIDATION_FAILED",
        ),
        (r#"{"type": "basic"}"#, "VALIDATION_FAILED"),
        (r#"{"type": "basic", "user": "a:b"}"#, "VALIDATION_FAILED"),
        (r#"{"type": "header"}"#, "VALIDATION_FAILED"),
        (r#"{"type": "header", "header": "Host"}"#, "VALIDATION_FAILED"),
        (r#"{"type": "digest"}"#, "VALIDATION_FAILED"),
    ] {
        let harness = harness(&server)
            .secret("HTTP_TOKEN", "hidden")
            .secret("HTTP_PASSWORD", "hidden")
            .secret("HTTP_TOKEN_BAD", "hidden\r\nX-A: 1");
        let error = harness
            .call::<http_request>(&format!(r#"{{"url": "http://api.example/", "auth": {auth}}}"#))
            .unwrap_err();
        assert_eq!(error.code, code, "{auth}: {error}");
        assert!(!format!("{error:?}").contains("hidden"), "{auth}: {error}");
    }
    assert!(server.seen().is_empty());
}

#[test]
fn a_secret_needs_its_capability_alone() {
    let server = Server::start(|_| Answer::bare(200));
    let harness = harness(&server);
    // Without `auth` nobody asks for a secret.
    assert!(
        harness
            .call::<http_request>(r#"{"url": "http://api.example/"}"#)
            .is_ok()
    );
}
