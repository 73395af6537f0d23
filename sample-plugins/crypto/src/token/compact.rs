//! The three parts of a token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plugin_api::prelude::*;

use super::key::Algorithm;
use super::{MAX_TOKEN, refused};

/// A token that was cut into its parts, and not believed yet.
#[derive(Debug)]
pub(crate) struct Parts {
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
    /// What the signature is of.
    signed: Vec<u8>,
}

fn malformed(why: &'static str) -> NodeError {
    refused("TOKEN_INVALID", why)
}

/// Cuts a token into its parts.
pub(crate) fn split(token: &[u8]) -> NodeResult<Parts> {
    let token = token.trim_ascii();
    let token = match token.split_at_checked(7) {
        Some((word, rest)) if word.eq_ignore_ascii_case(b"bearer ") => rest.trim_ascii(),
        _ => token,
    };
    if token.len() > MAX_TOKEN {
        return Err(malformed("the token is too long"));
    }
    let parts: Vec<&[u8]> = token.splitn(4, |byte| *byte == b'.').collect();
    let [header, payload, signature] = parts[..] else {
        return Err(malformed(
            "the token does not have three parts with dots between them",
        ));
    };
    let decoded = |part: &[u8]| URL_SAFE_NO_PAD.decode(part).ok();
    let decoded = (decoded(header), decoded(payload), decoded(signature));
    let (Some(in_header), Some(in_payload), Some(signature)) = decoded else {
        return Err(malformed("a part of the token is not in the Base64 of URLs"));
    };
    Ok(Parts {
        header: in_header,
        payload: in_payload,
        signature,
        signed: [header, payload].join(&b'.'),
    })
}

impl Parts {
    /// The header, if it says the algorithm that was asked for and the signature is right.
    pub(crate) fn checked(&self, algorithm: Algorithm, key: &[u8], ctx: &Ctx<'_>) -> NodeResult<Value> {
        let header = map(&self.header).ok_or_else(|| malformed("the token's header is no JSON object"))?;
        let said = header.as_ref().get("alg").and_then(|alg| alg.as_str());
        if said != Some(algorithm.name()) {
            return Err(malformed(
                "the token does not say the algorithm that was asked for",
            ));
        }
        if header.as_ref().get("crit").is_some() {
            // RFC 7515, section 4.1.11: whoever does not know what is critical has to refuse.
            return Err(malformed(
                "the token has critical headers, none of which is known here",
            ));
        }
        if !algorithm.verify(&self.signed, &self.signature, key, ctx)? {
            return Err(malformed("the token's signature is wrong"));
        }
        Ok(header)
    }

    /// The claims; to be asked for when the signature was checked.
    pub(crate) fn claims(&self) -> NodeResult<Value> {
        map(&self.payload).ok_or_else(|| malformed("the token's payload is no JSON object"))
    }
}

fn map(json: &[u8]) -> Option<Value> {
    let value = Value::from_json_slice(json).ok()?;
    value.as_ref().as_map()?;
    Some(value)
}

/// The token of claims.
pub(crate) fn sealed(
    claims: &str,
    algorithm: Algorithm,
    key: &[u8],
    key_id: Option<&str>,
    ctx: &Ctx<'_>,
) -> NodeResult<String> {
    let (name, key_id) = (Value::from(algorithm.name()), key_id.map(Value::from));
    let kind = Value::from("JWT");
    let mut header = vec![("alg", name.as_ref()), ("typ", kind.as_ref())];
    header.extend(key_id.as_ref().map(|key_id| ("kid", key_id.as_ref())));
    let header = Value::from_pairs(header)?.to_json();
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let signature = algorithm.sign(token.as_bytes(), key, ctx)?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}
