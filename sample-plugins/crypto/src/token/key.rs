//! Keys and signatures. Invariant: a key is used for the algorithm that the workflow named, and for no other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use plugin_api::prelude::*;

use crate::algorithm::{Code, same};

/// How a token is signed.
#[parameters]
#[serde(rename_all = "UPPERCASE")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Algorithm {
    #[default]
    Hs256,
    Hs384,
    Hs512,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 and in a SubjectPublicKeyInfo (RFC 8410, sections 10.3
/// and 10.1).
pub(super) const PRIVATE: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
pub(super) const PUBLIC: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

impl Algorithm {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The code beneath HMAC, and the length of its digest.
    const fn code(self) -> Option<(Code, usize)> {
        match self {
            Self::Hs256 => Some((Code::Sha256, 32)),
            Self::Hs384 => Some((Code::Sha384, 48)),
            Self::Hs512 => Some((Code::Sha512, 64)),
            Self::EdDsa => None,
        }
    }

    pub(crate) fn sign(self, message: &[u8], key: &[u8], ctx: &Ctx<'_>) -> NodeResult<Vec<u8>> {
        let Some((code, least)) = self.code() else {
            return ed25519_sign(message, key);
        };
        not_pem(key)?;
        if key.len() < least {
            // RFC 7518, section 3.2. Whoever has a token of a shorter key can try keys until one fits.
            let why = format_args!("{} needs a key of at least {least} bytes", self.name());
            return Err(NodeError::invalid("secret", why));
        }
        code.of(key, message, ctx)
    }

    /// Whether a signature is right. Keys that are too short to sign with are taken here: what others signed is theirs.
    pub(crate) fn verify(
        self,
        message: &[u8],
        signature: &[u8],
        key: &[u8],
        ctx: &Ctx<'_>,
    ) -> NodeResult<bool> {
        let Some((code, _)) = self.code() else {
            return ed25519_verify(message, signature, key);
        };
        not_pem(key)?;
        Ok(same(&code.of(key, message, ctx)?, signature))
    }
}

/// A public key is no secret, and a token that was signed with its text as the key of an HMAC would be anybody's.
fn not_pem(key: &[u8]) -> NodeResult<()> {
    if key.trim_ascii_start().starts_with(b"-----BEGIN") {
        return Err(NodeError::invalid(
            "secret",
            "is a key in PEM, which is not for HMAC: set `algorithm`",
        ));
    }
    Ok(())
}

/// The signature of a message (RFC 8037, section 3.1).
pub(crate) fn ed25519_sign(message: &[u8], key: &[u8]) -> NodeResult<Vec<u8>> {
    let key = SigningKey::from_bytes(&bytes_of(key, "PRIVATE KEY", PRIVATE)?);
    Ok(key.sign(message).to_bytes().to_vec())
}

/// Keys and signatures that would fit many messages are refused, too.
pub(crate) fn ed25519_verify(message: &[u8], signature: &[u8], key: &[u8]) -> NodeResult<bool> {
    let wrong = |_| NodeError::invalid("secret", "is no public key of Ed25519");
    let key = VerifyingKey::from_bytes(&bytes_of(key, "PUBLIC KEY", PUBLIC)?).map_err(wrong)?;
    let signature = Signature::from_slice(signature);
    Ok(signature.is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()))
}

/// The 32 bytes of a key: alone, or in PEM.
fn bytes_of(key: &[u8], label: &str, prefix: &[u8]) -> NodeResult<[u8; 32]> {
    if let Ok(bytes) = key.try_into() {
        return Ok(bytes);
    }
    let der = std::str::from_utf8(key).ok().and_then(|text| pem(text, label));
    let bytes = der.as_deref().and_then(|der| der.strip_prefix(prefix));
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        let why = format_args!(
            "expected an Ed25519 {}, as PEM or as its 32 bytes",
            label.to_lowercase()
        );
        NodeError::invalid("secret", why)
    })
}

/// What a PEM text of one label holds.
fn pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let body = text.trim().strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let body = body.strip_suffix(&format!("-----END {label}-----"))?;
    let body: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(body).ok()
}
