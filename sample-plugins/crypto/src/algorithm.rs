//! The algorithms. Invariant: however long the message, a call that is over ends soon.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use plugin_api::prelude::*;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

/// The caller is looked at once for this many bytes.
const CHUNK: usize = 1 << 20;

/// The digest of a message in one algorithm.
pub(crate) fn digest<D: Digest>(message: &[u8], ctx: &Ctx<'_>) -> NodeResult<Vec<u8>> {
    let mut state = D::new();
    for chunk in message.chunks(CHUNK) {
        ctx.check()?;
        state.update(chunk);
    }
    Ok(state.finalize().to_vec())
}

pub(crate) fn blake3(message: &[u8], ctx: &Ctx<'_>) -> NodeResult<Vec<u8>> {
    let mut state = blake3::Hasher::new();
    for chunk in message.chunks(CHUNK) {
        ctx.check()?;
        state.update(chunk);
    }
    Ok(state.finalize().as_bytes().to_vec())
}

pub(crate) fn md5(message: &[u8], ctx: &Ctx<'_>) -> NodeResult<Vec<u8>> {
    digest::<Md5>(message, ctx)
}

/// The algorithm beneath a message code.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Code {
    #[default]
    Sha256,
    Sha384,
    Sha512,
    Sha1,
}

impl Code {
    /// The HMAC of a message (RFC 2104).
    pub(crate) fn of(self, key: &[u8], message: &[u8], ctx: &Ctx<'_>) -> NodeResult<Vec<u8>> {
        match self {
            Self::Sha256 => code::<Hmac<Sha256>>(key, message, ctx),
            Self::Sha384 => code::<Hmac<Sha384>>(key, message, ctx),
            Self::Sha512 => code::<Hmac<Sha512>>(key, message, ctx),
            Self::Sha1 => code::<Hmac<Sha1>>(key, message, ctx),
        }
    }
}

fn code<M: Mac + KeyInit>(key: &[u8], message: &[u8], ctx: &Ctx<'_>) -> NodeResult<Vec<u8>> {
    // HMAC takes keys of any length; what cannot fail today is still no reason to panic.
    let mut state = <M as KeyInit>::new_from_slice(key)
        .map_err(|_| NodeError::invalid("secret", "has a length that no key has"))?;
    for chunk in message.chunks(CHUNK) {
        ctx.check()?;
        state.update(chunk);
    }
    Ok(state.finalize().into_bytes().to_vec())
}

/// Whether two byte strings are the same, in a time that depends on their lengths alone.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}
