//! Whom a connection trusts: the well-known authorities, and those that the administrator adds with `email.ca`.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use plugin_api::prelude::*;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The setting with more authorities: their PEM, or the path of a file of it.
const SETTING: &str = "email.ca";
/// The largest file of certificates.
const LARGEST: u64 = 4 << 20;

/// The administrator's certificates as PEM, if any are set; a file is read beside the calling thread.
pub(crate) async fn authorities(ctx: Ctx<'_>) -> NodeResult<Option<String>> {
    let Some(text) = ctx.setting(SETTING)?.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    if text.trim_start().starts_with("-----") {
        return Ok(Some(text));
    }
    let pem = plugin_io::run_blocking(ctx, move |_| {
        pem(text.trim()).map_err(|error| unusable(&format!("its file cannot be read: {error}")))
    });
    pem.await.map(Some)
}

fn pem(path: &str) -> std::io::Result<String> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(std::io::Error::other("it has more than 4 MiB"));
    }
    Ok(text)
}

/// The configuration of a connection.
pub(crate) fn configuration(authorities: Option<&str>) -> NodeResult<Arc<ClientConfig>> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(pem) = authorities {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|_| unusable("it is no PEM"))?;
            let added = roots.add(certificate);
            added.map_err(|_| unusable("a certificate in it cannot be an authority's"))?;
        }
        if roots.len() == before {
            return Err(unusable("it has no certificate"));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(
        builder.with_root_certificates(roots).with_no_client_auth(),
    ))
}

fn unusable(why: &str) -> NodeError {
    NodeError::new(format!("the setting `{SETTING}` cannot be used: {why}")).retryable(false)
}
