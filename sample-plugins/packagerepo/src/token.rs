//! Tokens, and what they allow. The plugin for cryptography signs and checks them.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Outcome, Whole, kind_name};

use crate::account::{listed, scopes};
use crate::other::result_of;
use crate::reference::{Names, Raw, cut};

/// The secret of the tenant that signs when the document names no key.
const SECRET: &str = "SIGNING_KEY_PACKAGEREPO";
/// The longest name of whom a token is about.
const MAX_SUBJECT: usize = 256;
/// The longest token.
const MAX_TOKEN: usize = 64 << 10;
/// The longest time that a token is good for: a year.
const MAX_SECONDS: i64 = 366 * 86_400;

/// The key, or the name of the secret that is one.
fn keyed<'v>(
    names: &Names<'_>,
    secret: Raw<'_>,
    secret_name: Raw<'_>,
    mut asked: Vec<(&'v str, Value)>,
) -> NodeResult<Vec<(&'v str, Value)>> {
    match (
        names.read(secret, "secret")?,
        names.read(secret_name, "secretName")?,
    ) {
        (Some(secret), _) => asked.push(("secret", secret)),
        (None, Some(name)) => asked.push(("secretName", name)),
        (None, None) => asked.push(("secretName", Value::from(SECRET))),
    }
    Ok(asked)
}

fn pairs(entries: &[(&str, Value)]) -> NodeResult<Value> {
    Ok(Value::from_pairs(
        entries.iter().map(|(key, value)| (*key, value.as_ref())),
    )?)
}

#[parameters]
pub(crate) struct Generate<'a> {
    /// Whom the token is about.
    #[serde(default)]
    subject: Raw<'a>,
    /// What it allows: a list of texts, or a text with spaces between them.
    #[serde(default)]
    scopes: Raw<'a>,
    /// For how many seconds it is good; a day if missing.
    #[serde(default, alias = "expires_in")]
    expires_in: Option<Whole>,
    /// The key, which is kept with the record of the run: `secretName` is better.
    #[serde(default)]
    secret: Raw<'a>,
    /// The name of the tenant's secret that is the key, as `crypto.jwtSign` reads it; `SIGNING_KEY_PACKAGEREPO` if both
    /// are missing.
    #[serde(default, alias = "secret_name")]
    secret_name: Raw<'a>,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Makes a token (JWT) that says whom it is about (`sub`) and what it allows (`scopes`). `crypto.jwtSign` signs it.
#[node(
    id = "packagerepo.authGenerateJwt",
    aliases = ["packagerepo.auth_generate_jwt"],
    category = "packagerepo",
    effect = "effectful",
    tags = ["token", "jwt", "login"],
    example(
        title = "for a day",
        input = r#"{"subject": "ada", "scopes": ["read", "write"], "expires_in": 86400}"#,
        output = r#"{"result": "signed"}"#
    ),
    example(
        title = "with another key",
        input = r#"{"subject": "ada", "scopes": "read", "secretName": "SIGNING_KEY"}"#,
        output = r#"{"result": "signed"}"#
    )
)]
pub(crate) fn generate_jwt(input: Generate<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    let subject = names.text(input.subject, "subject", MAX_SUBJECT)?;
    let scopes = scopes(names.read(input.scopes, "scopes")?.as_ref(), "scopes")?;
    let seconds = input
        .expires_in
        .unwrap_or(Whole(86_400))
        .within("expiresIn", 1..=MAX_SECONDS)?;
    let payload = pairs(&[
        ("sub", Value::from(subject.as_str())),
        ("scopes", listed(&scopes)?),
    ])?;
    let asked = vec![("payload", payload), ("expiresIn", Value::from(seconds))];
    let asked = keyed(&names, input.secret, input.secret_name, asked)?;
    let token = result_of("crypto.jwtSign", &pairs(&asked)?, ctx)?;
    names.set(input.out, token.as_ref())?;
    Ok(answer(Outcome::Made(token)))
}

#[parameters]
pub(crate) struct Verify<'a> {
    /// The token; the word `Bearer` before it does not count.
    #[serde(default)]
    token: Raw<'a>,
    /// The key, which is kept with the record of the run: `secretName` is better.
    #[serde(default)]
    secret: Raw<'a>,
    /// The name of the tenant's secret that is the key, as `crypto.jwtVerify` reads it; `SIGNING_KEY_PACKAGEREPO` if both
    /// are missing.
    #[serde(default, alias = "secret_name")]
    secret_name: Raw<'a>,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Gives the claims of a token that is good; any other one, and none, is an error with the status 401.
/// `crypto.jwtVerify` checks it.
#[node(
    id = "packagerepo.authVerifyJwt",
    aliases = ["packagerepo.auth_verify_jwt"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["token", "jwt"],
    example(
        title = "a good one",
        input = r#"{"token": "Bearer signed"}"#,
        output = r#"{"result": {"sub": "ada", "scopes": ["read"]}}"#
    ),
    example(
        title = "with another key",
        input = r#"{"token": "signed", "secretName": "SIGNING_KEY", "out": "principal"}"#,
        output = r#"{"result": {"sub": "ada", "scopes": ["read"]}}"#
    )
)]
pub(crate) fn verify_jwt(input: Verify<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    if names.read(input.token, "token")?.is_none() {
        return Err(unauthorized("parameter `token`: there is no token"));
    }
    let token = names.text(input.token, "token", MAX_TOKEN)?;
    let bare = token.get(..7).filter(|word| word.eq_ignore_ascii_case("bearer "));
    let bare = bare.map_or(&*token, |_| token.get(7..).unwrap_or_default().trim());
    let asked = keyed(
        &names,
        input.secret,
        input.secret_name,
        vec![("token", Value::from(bare))],
    )?;
    let claims = result_of("crypto.jwtVerify", &pairs(&asked)?, ctx)?;
    if claims.as_ref().as_map().is_none() {
        return Err(unauthorized("parameter `token`: the token has no claims"));
    }
    names.set(input.out, claims.as_ref())?;
    Ok(answer(Outcome::Made(claims)))
}

fn unauthorized(message: &'static str) -> NodeError {
    NodeError::with_code("TOKEN_INVALID", message)
        .status(401)
        .retryable(false)
}

#[parameters]
pub(crate) struct CheckScopes<'a> {
    /// The claims of a token, or an account: a map with `scopes`.
    #[serde(default)]
    principal: Raw<'a>,
    /// What is needed, all of it: a list of texts, or a text with spaces between them. It must be given; an empty list needs
    /// nothing.
    #[serde(default, alias = "required_scopes", alias = "scopes")]
    required_scopes: Raw<'a>,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Goes on when somebody has all scopes that are needed (those under `scopes` or `scope`; `*` is all of them). Otherwise
/// fails with `NOT_ALLOWED`, status 403, and the missing ones in `details.missing`; with 401 when there is nobody.
#[node(
    id = "packagerepo.authCheckScopes",
    aliases = ["packagerepo.auth_check_scopes"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["token", "scopes", "permission"],
    example(
        title = "enough",
        input = r#"{"principal": {"sub": "ada", "scopes": ["read", "write"]}, "required_scopes": ["write"]}"#,
        output = r#"{"result": true}"#
    ),
    example(
        title = "scopes as a text",
        input = r#"{"principal": {"sub": "ada", "scope": "read write"}, "requiredScopes": "read"}"#,
        output = r#"{"result": true}"#
    )
)]
pub(crate) fn check_scopes(input: CheckScopes<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<bool>> {
    let names = Names::new(ctx)?;
    let Some(principal) = names.read(input.principal, "principal")? else {
        return Err(unauthorized("parameter `principal`: there is nobody"));
    };
    let principal = principal.as_ref();
    if principal.as_map().is_none() {
        let why = format_args!("expected a map, found {}", kind_name(principal));
        return Err(NodeError::invalid("principal", why));
    }
    let has = principal.get("scopes").or_else(|| principal.get("scope"));
    let has = has.filter(|has| !has.is_null()).map(|has| has.to_value());
    let has = scopes(has.as_ref(), "principal")?;
    // A name that means nothing must not come to nothing being needed.
    let needed = names.needed(input.required_scopes, "requiredScopes")?;
    let needed = scopes(Some(&needed), "requiredScopes")?;
    let lacks = |scope: &&String| !has.contains(scope) && !has.iter().any(|has| has == "*");
    let missing: Vec<String> = needed.iter().filter(lacks).cloned().collect();
    if let Some(first) = missing.first() {
        let message = format!("the scope `{}` is missing", cut(first));
        let details = pairs(&[("missing", listed(&missing)?)])?;
        return Err(NodeError::with_code(code::NOT_ALLOWED, message)
            .status(403)
            .retryable(false)
            .details(details));
    }
    names.set(input.out, Value::from(true).as_ref())?;
    Ok(answer(true))
}
