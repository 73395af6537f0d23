//! Where a key comes from. Invariant: a key is never empty, and no message shows one.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::Text;

use crate::material::{Material, Reading};

/// The bytes of a key: what `secret` says, or the tenant's secret of that name.
pub(crate) fn key(
    secret: Option<Material<'_>>,
    name: Option<Text<'_>>,
    reading: Option<Reading>,
    ctx: &Ctx<'_>,
) -> NodeResult<Vec<u8>> {
    let reading = reading.unwrap_or_default();
    let name = name.filter(|name| !name.as_str().is_empty());
    let (parameter, key) = match (secret, name) {
        (Some(_), Some(_)) => {
            return Err(NodeError::invalid(
                "secret",
                "give a key or `secretName`, not both",
            ));
        }
        (None, None) => {
            let why = "is missing: give a key, or better the name of a secret in `secretName`";
            return Err(NodeError::invalid("secret", why));
        }
        (Some(secret), None) => ("secret", secret.read("secret", reading)?.into_owned()),
        (None, Some(name)) => {
            let secret = ctx.secret(name.as_str()).map_err(named)?;
            let material = Material::text(&secret);
            ("secretName", material.read("secretName", reading)?.into_owned())
        }
    };
    if key.is_empty() {
        return Err(NodeError::invalid(parameter, "the key is empty"));
    }
    Ok(key)
}

/// Says which names there are, where the host only says that this is none of them.
pub(crate) fn named(error: NodeError) -> NodeError {
    if error.code != code::NOT_ALLOWED {
        return error;
    }
    let message = "parameter `secretName`: the key may be `SIGNING_KEY`, `JWT_SECRET` or one that begins with \
                   `SIGNING_KEY_`";
    NodeError::with_code(code::NOT_ALLOWED, message)
}
