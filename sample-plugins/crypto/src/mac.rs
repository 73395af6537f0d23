//! Message codes, and comparing what must not be guessed step by step.

use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Text};

use crate::algorithm::{Code, same};
use crate::digest::not_legacy;
use crate::material::{Encoding, Material, Reading, Writing, given};
use crate::secret::key;

#[parameters]
pub(crate) struct Sign<'a> {
    /// The message: a text or bytes.
    #[serde(default, alias = "input", alias = "data", alias = "message")]
    value: Option<Material<'a>>,
    /// The key. It is kept with the record of the run: `secretName` is better.
    #[serde(default, alias = "key")]
    secret: Option<Material<'a>>,
    /// The name of the tenant's secret that is the key: `SIGNING_KEY`, `JWT_SECRET`, or one that begins with
    /// `SIGNING_KEY_`.
    #[serde(default)]
    secret_name: Option<Text<'a>>,
    /// What the text of the key stands for: its own bytes, or bytes that it writes in some encoding.
    #[serde(default)]
    #[schemars(extend("default" = "text"))]
    secret_encoding: Option<Reading>,
    /// The algorithm. `sha1` is there for old systems and needs `allowLegacy`.
    #[serde(default)]
    #[schemars(extend("default" = "sha256"))]
    algorithm: Option<Code>,
    /// What the text of the message stands for.
    #[serde(default)]
    #[schemars(extend("default" = "text"))]
    input_encoding: Option<Reading>,
    /// How the code is written.
    #[serde(default)]
    #[schemars(extend("default" = "hex"))]
    encoding: Option<Writing>,
    /// Whether algorithms may be used that are no longer safe.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    allow_legacy: Option<Flag>,
}

/// Gives the HMAC of a message: a code that only who has the key can make, as webhooks are signed with.
#[node(
    id = "crypto.hmac",
    effect = "idempotent",
    capabilities = ["secrets"],
    secrets = ["SIGNING_KEY", "SIGNING_KEY_*", "JWT_SECRET"],
    tags = ["hmac", "signature", "webhook"],
    example(
        title = "SHA-256 in hexadecimal",
        input = r#"{"value": "what do ya want for nothing?", "secret": "Jefe"}"#,
        output = r#"{"result": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"}"#
    ),
    example(
        title = "a key in Base64",
        input = r#"{"value": "what do ya want for nothing?", "secret": "SmVmZQ==", "secretEncoding": "base64", "encoding": "base64"}"#,
        output = r#"{"result": "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="}"#
    )
)]
pub(crate) fn hmac(input: Sign<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Value>> {
    let writing = input.encoding.unwrap_or_default();
    Ok(answer(writing.write(&code_of(input, ctx)?)?))
}

fn code_of(input: Sign<'_>, ctx: &Ctx<'_>) -> NodeResult<Vec<u8>> {
    let algorithm = input.algorithm.unwrap_or_default();
    if algorithm == Code::Sha1 {
        not_legacy(input.allow_legacy, "sha1")?;
    }
    let message = given("value", input.value)?.read("value", input.input_encoding.unwrap_or_default())?;
    let key = key(input.secret, input.secret_name, input.secret_encoding, ctx)?;
    algorithm.of(&key, &message, ctx)
}

#[parameters]
pub(crate) struct Verify<'a> {
    /// The message: a text or bytes.
    #[serde(default, alias = "input", alias = "data", alias = "message")]
    value: Option<Material<'a>>,
    /// The code that came with it.
    #[serde(default, alias = "hmac", alias = "expected")]
    signature: Option<Material<'a>>,
    /// What stands before the code in `signature`, such as `sha256=`.
    #[serde(default)]
    prefix: Option<Text<'a>>,
    /// The key. It is kept with the record of the run: `secretName` is better.
    #[serde(default, alias = "key")]
    secret: Option<Material<'a>>,
    /// The name of the tenant's secret that is the key: `SIGNING_KEY`, `JWT_SECRET`, or one that begins with
    /// `SIGNING_KEY_`.
    #[serde(default)]
    secret_name: Option<Text<'a>>,
    /// What the text of the key stands for: its own bytes, or bytes that it writes in some encoding.
    #[serde(default)]
    #[schemars(extend("default" = "text"))]
    secret_encoding: Option<Reading>,
    /// The algorithm. `sha1` is there for old systems and needs `allowLegacy`.
    #[serde(default)]
    #[schemars(extend("default" = "sha256"))]
    algorithm: Option<Code>,
    /// What the text of the message stands for.
    #[serde(default)]
    #[schemars(extend("default" = "text"))]
    input_encoding: Option<Reading>,
    /// How the code is written. Where it came as bytes, those are meant.
    #[serde(default)]
    #[schemars(extend("default" = "hex"))]
    encoding: Option<Writing>,
    /// Whether algorithms may be used that are no longer safe.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    allow_legacy: Option<Flag>,
}

/// Says whether a code is the HMAC of a message, in a time that tells nothing of how much of it was right. A text that is
/// no code at all is not.
#[node(
    id = "crypto.hmacVerify",
    aliases = ["crypto.hmac_verify"],
    effect = "idempotent",
    capabilities = ["secrets"],
    secrets = ["SIGNING_KEY", "SIGNING_KEY_*", "JWT_SECRET"],
    tags = ["hmac", "signature", "webhook"],
    example(
        title = "as GitHub signs its webhooks",
        input = r#"{"value": "Hello, World!", "secret": "It's a Secret to Everybody", "prefix": "sha256=", "signature": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}"#,
        output = r#"{"result": true}"#
    ),
    example(
        title = "of another message",
        input = r#"{"value": "Hello!", "secret": "It's a Secret to Everybody", "signature": "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}"#,
        output = r#"{"result": false}"#
    )
)]
pub(crate) fn hmac_verify(input: Verify<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<bool>> {
    let signature = given("signature", input.signature)?;
    let prefix = input.prefix.unwrap_or_default();
    let encoding = input.encoding.unwrap_or_default();
    let expected = code_of(
        Sign {
            value: input.value,
            secret: input.secret,
            secret_name: input.secret_name,
            secret_encoding: input.secret_encoding,
            algorithm: input.algorithm,
            input_encoding: input.input_encoding,
            encoding: None,
            allow_legacy: input.allow_legacy,
        },
        ctx,
    )?;
    let found = found(&signature, prefix.as_str(), encoding);
    Ok(answer(found.is_some_and(|found| same(&found, &expected))))
}

/// The bytes of a code that somebody sent; `None` when it is none, which is no error of the workflow.
fn found(signature: &Material<'_>, prefix: &str, encoding: Writing) -> Option<Vec<u8>> {
    if !signature.is_text() {
        return Some(signature.plain().to_vec());
    }
    let text = signature.plain().strip_prefix(prefix.as_bytes())?.trim_ascii();
    match encoding {
        Writing::Hex => Encoding::Hex.decode(text),
        Writing::Base64 => Encoding::Base64.decode(text),
        Writing::Base64url => Encoding::Base64url.decode(text),
        Writing::Bytes => None,
    }
}

#[parameters]
pub(crate) struct Pair<'a> {
    /// A text or bytes.
    #[serde(default, alias = "left", alias = "value")]
    a: Option<Material<'a>>,
    /// Another one.
    #[serde(default, alias = "right", alias = "expected")]
    b: Option<Material<'a>>,
}

/// Says whether two texts or byte strings are the same, in a time that depends on their lengths alone: for tokens and
/// codes, which could be guessed character by character from how long a usual comparison takes.
// Not pure: what a pure node gave is kept with its parameters, which are secrets here, and found again by a usual comparison.
#[node(
    id = "crypto.constantTimeEquals",
    aliases = ["crypto.constant_time_equals", "crypto.timingSafeEqual"],
    effect = "idempotent",
    tags = ["compare", "token"],
    example(title = "the same", input = r#"{"a": "s3cret", "b": "s3cret"}"#, output = r#"{"result": true}"#),
    example(title = "another", input = r#"{"a": "s3cret", "b": "s3cret?"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn constant_time_equals(input: Pair<'_>) -> NodeResult<Answer<bool>> {
    let (a, b) = (given("a", input.a)?, given("b", input.b)?);
    Ok(answer(same(a.plain(), b.plain())))
}
