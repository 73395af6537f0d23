//! JSON Web Tokens (RFC 7519) in their compact form (RFC 7515).
//!
//! Invariant: nothing of a token is believed before its signature was checked, and nothing of it chooses how that is done:
//! the algorithm is the workflow's, and `none` is no algorithm.

mod claims;
mod compact;
mod key;
mod span;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Given, Text, Whole, shown, text_of};

use self::claims::{Demands, Wish, filled};
use self::compact::{sealed, split};
use self::key::Algorithm;
use self::span::Span;
use crate::material::{Material, Reading, given};
use crate::secret::key;

/// The longest token, in bytes.
const MAX_TOKEN: usize = 256 << 10;

/// Why a token is refused. Nobody should go on with one, so it is an error and not an answer.
fn refused(code: &'static str, why: impl Into<std::borrow::Cow<'static, str>>) -> NodeError {
    NodeError::with_code(code, why).status(401).retryable(false)
}

/// Seconds since 1970, as tokens count time.
fn now(ctx: &Ctx<'_>) -> NodeResult<i64> {
    let since = ctx
        .wall_clock()
        .and_then(|now| now.duration_since(std::time::UNIX_EPOCH).ok());
    let since = since.ok_or_else(|| NodeError::with_code(code::UNSUPPORTED, "the host lends no clock"))?;
    Ok(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

#[parameters]
pub(crate) struct Sign<'a> {
    /// The claims: a map.
    #[serde(default, alias = "claims")]
    payload: Given<'a>,
    /// The key, for HMAC at least as long as the digest; for EdDSA the private key, as PEM or as its 32 bytes. It is kept
    /// with the record of the run: `secretName` is better.
    #[serde(default, alias = "key", alias = "privateKey")]
    secret: Option<Material<'a>>,
    /// The name of the tenant's secret that is the key: `JWT_SECRET`, `SIGNING_KEY`, or one that begins with
    /// `SIGNING_KEY_`.
    #[serde(default)]
    secret_name: Option<Text<'a>>,
    /// What the text of the key stands for: its own bytes, or bytes that it writes in some encoding.
    #[serde(default)]
    #[schemars(extend("default" = "text"))]
    secret_encoding: Option<Reading>,
    /// How it is signed.
    #[serde(default)]
    #[schemars(extend("default" = "HS256"))]
    algorithm: Option<Algorithm>,
    /// How long it is good, from when it was issued: `24h`, `30m`, `7d`, or a number of seconds. For ever when missing.
    #[serde(default, alias = "expires_in")]
    expires_in: Option<Span>,
    /// After how long it begins to be good: as `expiresIn`.
    #[serde(default, alias = "not_before")]
    not_before: Option<Span>,
    /// The claim `iss`: who issues it.
    #[serde(default)]
    issuer: Option<Text<'a>>,
    /// The claim `sub`: whom it is about.
    #[serde(default)]
    subject: Option<Text<'a>>,
    /// The claim `aud`: for whom it is; one text or a list of them.
    #[serde(default)]
    audience: Given<'a>,
    /// The header `kid`: which key it is.
    #[serde(default)]
    key_id: Option<Text<'a>>,
}

/// Makes a signed token (JWT) of claims. When it was issued (`iat`) is the time of the host's clock, unless the claims say.
#[node(
    id = "crypto.jwtSign",
    aliases = ["crypto.jwt_sign", "generate_jwt"],
    effect = "idempotent",
    capabilities = ["secrets"],
    secrets = ["SIGNING_KEY", "SIGNING_KEY_*", "JWT_SECRET"],
    tags = ["jwt", "token", "signature"],
    example(
        title = "good for a day",
        input = r#"{"payload": {"sub": "ada", "iat": 1516239022}, "secret": "a key of thirty-two bytes or more", "expiresIn": "24h"}"#,
        output = r#"{"result": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJpYXQiOjE1MTYyMzkwMjIsImV4cCI6MTUxNjMyNTQyMn0.HjlzJsBUJIkYSFHFl3IQQN2QccKHlLBDz-SrzPdwfg0"}"#
    ),
    example(
        title = "with EdDSA",
        input = r#"{"payload": {"iat": 1516239022}, "algorithm": "EdDSA", "secret": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "secretEncoding": "base64url", "issuer": "patchbay"}"#,
        output = r#"{"result": "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE1MTYyMzkwMjIsImlzcyI6InBhdGNoYmF5In0.i3u7T9UPON1dnjm6I6jmMo-Lj8JVNgwzysIZLn01WegaBKbcXO4btM0xXN5PruYZNUl6SQrl83Z-Z8bPBXPbCQ"}"#
    )
)]
pub(crate) fn jwt_sign(input: Sign<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<String>> {
    let payload = input.payload.of("payload")?;
    let wish = Wish {
        expires_in: input.expires_in,
        not_before: input.not_before,
        issuer: input.issuer,
        subject: input.subject,
        audience: input.audience.0,
    };
    let claims = filled(payload, &wish, || now(ctx))?.to_json();
    let algorithm = input.algorithm.unwrap_or_default();
    let key = key(input.secret, input.secret_name, input.secret_encoding, ctx)?;
    let token = sealed(
        &claims,
        algorithm,
        &key,
        input.key_id.as_ref().map(Text::as_str),
        ctx,
    )?;
    if token.len() > MAX_TOKEN {
        let message = format!(
            "parameter `payload`: the token would be longer than {} KiB",
            MAX_TOKEN >> 10
        );
        return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message));
    }
    Ok(answer(token))
}

#[parameters]
pub(crate) struct Verify<'a> {
    /// The token; the word `Bearer` before it is passed over.
    #[serde(default, alias = "jwt")]
    token: Option<Material<'a>>,
    /// The key; for EdDSA the public key, as PEM or as its 32 bytes. It is kept with the record of the run: `secretName`
    /// is better.
    #[serde(default, alias = "key", alias = "publicKey")]
    secret: Option<Material<'a>>,
    /// The name of the tenant's secret that is the key: `JWT_SECRET`, `SIGNING_KEY`, or one that begins with
    /// `SIGNING_KEY_`.
    #[serde(default)]
    secret_name: Option<Text<'a>>,
    /// What the text of the key stands for: its own bytes, or bytes that it writes in some encoding.
    #[serde(default)]
    #[schemars(extend("default" = "text"))]
    secret_encoding: Option<Reading>,
    /// How the token must be signed. What the token says of itself does not count.
    #[serde(default)]
    #[schemars(extend("default" = "HS256"))]
    algorithm: Option<Algorithm>,
    /// What the claim `iss` must be.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "number", "boolean"]))]
    issuer: Given<'a>,
    /// What the claim `sub` must be.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "number", "boolean"]))]
    subject: Given<'a>,
    /// What the claim `aud` must be or contain.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "number", "boolean"]))]
    audience: Given<'a>,
    /// By how many seconds clocks may differ, up to 600.
    #[serde(default, alias = "clockTolerance")]
    #[schemars(extend("default" = 0))]
    leeway: Option<Whole>,
    /// Whether a token that is good for ever is refused.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    require_expiry: Option<Flag>,
}

/// A demand on a claim. Null is none of those: an expression that came to nothing would let every token pass.
fn demanded<'a>(parameter: &str, given: Given<'a>) -> NodeResult<Option<Text<'a>>> {
    let Some(value) = given.0 else { return Ok(None) };
    let text = text_of(value).filter(|_| !value.is_null());
    let wrong = || NodeError::invalid(parameter, format_args!("expected a text, found {}", shown(value)));
    text.map(|text| Some(Text(text))).ok_or_else(wrong)
}

/// What a token says.
#[output]
pub(crate) struct Verified {
    /// The claims.
    result: Value,
    /// The header.
    header: Value,
}

/// Gives the claims of a token (JWT) whose signature is right and whose time is now, by the host's clock.
///
/// Any other token is an error, so that nothing goes on with it: `TOKEN_INVALID`, `TOKEN_EXPIRED`, `TOKEN_NOT_YET_VALID`,
/// or `TOKEN_CLAIM_REFUSED` where it was issued by or for somebody else.
#[node(
    id = "crypto.jwtVerify",
    aliases = ["crypto.jwt_verify"],
    effect = "idempotent",
    capabilities = ["secrets"],
    secrets = ["SIGNING_KEY", "SIGNING_KEY_*", "JWT_SECRET"],
    tags = ["jwt", "token", "signature"],
    example(
        title = "with HMAC",
        input = r#"{"token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJpYXQiOjE1MTYyMzkwMjJ9.LkV1nQft-JwfaNwg8-4mxPHlFPt5erUSH6Ik5aQafTg", "secret": "a key of thirty-two bytes or more"}"#,
        output = r#"{"result": {"sub": "ada", "iat": 1516239022}, "header": {"alg": "HS256", "typ": "JWT"}}"#
    ),
    example(
        title = "with EdDSA, from one issuer",
        input = r#"{"token": "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE1MTYyMzkwMjIsImlzcyI6InBhdGNoYmF5In0.i3u7T9UPON1dnjm6I6jmMo-Lj8JVNgwzysIZLn01WegaBKbcXO4btM0xXN5PruYZNUl6SQrl83Z-Z8bPBXPbCQ", "algorithm": "EdDSA", "secret": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "secretEncoding": "base64url", "issuer": "patchbay"}"#,
        output = r#"{"result": {"iat": 1516239022, "iss": "patchbay"}, "header": {"alg": "EdDSA", "typ": "JWT"}}"#
    )
)]
pub(crate) fn jwt_verify(input: Verify<'_>, ctx: &Ctx<'_>) -> NodeResult<Verified> {
    let token = given("token", input.token)?;
    let leeway = input.leeway.unwrap_or(Whole(0)).within("leeway", 0..=600)?;
    let algorithm = input.algorithm.unwrap_or_default();
    let key = key(input.secret, input.secret_name, input.secret_encoding, ctx)?;
    let parts = split(token.plain())?;
    let header = parts.checked(algorithm, &key, ctx)?;
    let claims = parts.claims()?;
    let demands = Demands {
        issuer: demanded("issuer", input.issuer)?,
        subject: demanded("subject", input.subject)?,
        audience: demanded("audience", input.audience)?,
        leeway,
        expiry: input.require_expiry == Some(Flag(true)),
    };
    demands.check(claims.as_ref(), now(ctx)?)?;
    Ok(Verified {
        result: claims,
        header,
    })
}

#[cfg(test)]
mod tests;
