//! Who may do something: accounts with passwords.
//!
//! Invariant: a password leaves this module only to the node that hashes it. Whether a name is unknown or a password is
//! wrong cannot be told from the answer, nor from the time that it takes.

use plugin_api::prelude::*;
use plugin_api::reading::{Outcome, Whole, kind_name};

use crate::other::result_of;
use crate::reference::{Names, Raw, cut};

/// The longest name of an account.
const MAX_NAME: usize = 128;
/// The longest password that is compared: no more than 72 bytes of one count.
const MAX_PASSWORD: usize = 1_024;
/// Scopes of one account or token.
const MAX_SCOPES: usize = 100;
/// What a password is compared with when there is no such account: the hash of a text that nobody has.
const NOBODY: &str = "$2b$12$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";

/// Where an account is.
fn place(username: &str) -> String {
    format!("packagerepo/users/{username}")
}

/// Scopes: a list of texts, or a text with spaces or commas between them.
pub(crate) fn scopes(value: Option<&Value>, parameter: &str) -> NodeResult<Vec<String>> {
    let Some(value) = value.map(Value::as_ref) else {
        return Ok(Vec::new());
    };
    let wrong = |why: std::fmt::Arguments<'_>| NodeError::invalid(parameter, why);
    let found: Vec<String> = if let Some(text) = value.as_str() {
        let words = text.split([' ', ',']).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    } else if let Some(list) = value.as_list() {
        let items = list.iter().map(|item| {
            let text = item
                .as_str()
                .filter(|text| !text.is_empty() && !text.contains(' '));
            let wrong = || {
                wrong(format_args!(
                    "an item is {}, and should be a text without spaces",
                    kind_name(item)
                ))
            };
            text.map(str::to_owned).ok_or_else(wrong)
        });
        items.collect::<NodeResult<_>>()?
    } else {
        return Err(wrong(format_args!(
            "expected a list of texts, found {}",
            kind_name(value)
        )));
    };
    if found.len() > MAX_SCOPES {
        return Err(wrong(format_args!("must have at most {MAX_SCOPES} items")));
    }
    if let Some(scope) = found.iter().find(|scope| scope.len() > MAX_NAME) {
        return Err(wrong(format_args!("`{}` is too long", cut(scope))));
    }
    Ok(found)
}

/// A list of texts as a value.
pub(crate) fn listed(texts: &[String]) -> NodeResult<Value> {
    Ok(Value::from_serialize(texts)?)
}

fn pairs(entries: &[(&str, Value)]) -> NodeResult<Value> {
    Ok(Value::from_pairs(
        entries.iter().map(|(key, value)| (*key, value.as_ref())),
    )?)
}

#[parameters]
pub(crate) struct PutUser<'a> {
    /// The name of the account.
    #[serde(default)]
    username: Raw<'a>,
    /// Its password, of at most 72 bytes; its hash alone is kept.
    #[serde(default)]
    password: Raw<'a>,
    /// What it may do, such as `["read", "write"]`.
    #[serde(default)]
    scopes: Raw<'a>,
    /// Whether it is there and cannot be used.
    #[serde(default)]
    disabled: bool,
    /// The cost of the hash, from 4 to 14; 12 if missing.
    #[serde(default)]
    rounds: Option<Whole>,
}

/// An account as it is told.
#[output]
pub(crate) struct Account {
    /// The name of the account.
    result: String,
    /// What it may do.
    scopes: Vec<String>,
    /// Whether it is there and cannot be used.
    disabled: bool,
}

/// Writes an account, or replaces the one of that name. `crypto.bcryptHash` hashes the password.
#[node(
    id = "packagerepo.userPut",
    aliases = ["packagerepo.user_put"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["account", "password"],
    example(
        title = "one that may publish",
        input = r#"{"username": "ada", "password": "correct horse", "scopes": ["read", "write"]}"#,
        output = r#"{"result": "ada", "scopes": ["read", "write"], "disabled": false}"#
    ),
    example(
        title = "one that is closed",
        input = r#"{"username": "bob", "password": "battery staple", "scopes": "read", "disabled": true}"#,
        output = r#"{"result": "bob", "scopes": ["read"], "disabled": true}"#
    )
)]
pub(crate) fn user_put(input: PutUser<'_>, ctx: &Ctx<'_>) -> NodeResult<Account> {
    let names = Names::new(ctx)?;
    let username = names.text(input.username, "username", MAX_NAME)?;
    let password = names.needed(input.password, "password")?;
    if password.as_ref().as_str().is_none_or(str::is_empty) {
        return Err(NodeError::invalid(
            "password",
            "expected a text that is not empty",
        ));
    }
    let scopes = scopes(names.read(input.scopes, "scopes")?.as_ref(), "scopes")?;
    let rounds = input.rounds.unwrap_or(Whole(12)).within("rounds", 4..=14)?;
    let asked = pairs(&[("input", password), ("rounds", Value::from(rounds))])?;
    let hash = result_of("crypto.bcryptHash", &asked, ctx)?;
    let account = pairs(&[
        ("username", Value::from(username.as_str())),
        ("passwordHash", hash),
        ("scopes", listed(&scopes)?),
        ("disabled", Value::from(input.disabled)),
    ])?;
    ctx.kv_put(&place(&username), &account)?;
    Ok(Account {
        result: username,
        scopes,
        disabled: input.disabled,
    })
}

#[parameters]
pub(crate) struct Verify<'a> {
    /// The name of the account.
    #[serde(default)]
    username: Raw<'a>,
    /// The password to try.
    #[serde(default)]
    password: Raw<'a>,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Gives the account of a name and password, `{username, scopes}`; null for a wrong password, an unknown name and an
/// account that is disabled. `packagerepo.userPut` writes accounts, `crypto.bcryptCompare` compares.
#[node(
    id = "packagerepo.authVerifyPassword",
    aliases = ["packagerepo.auth_verify_password"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["account", "password", "login"],
    example(
        title = "nobody of that name",
        input = r#"{"username": "eve", "password": "guess"}"#,
        output = r#"{"result": null}"#
    ),
    example(
        title = "into a variable",
        input = r#"{"username": "eve", "password": "guess again", "out": "user"}"#,
        output = r#"{"result": null}"#
    )
)]
pub(crate) fn verify_password(input: Verify<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    let username = names.text(input.username, "username", MAX_NAME)?;
    let password = names.needed(input.password, "password")?;
    let length = password.as_ref().as_str().map(str::len);
    if length.is_none_or(|length| length > MAX_PASSWORD) {
        let why = format_args!("expected a text of at most {MAX_PASSWORD} bytes");
        return Err(NodeError::invalid("password", why));
    }
    let account: Option<Value> = ctx.kv_get(&place(&username))?;
    let account = account.unwrap_or_default();
    let account = account.as_ref();
    let hash = account.get("passwordHash").and_then(|hash| hash.as_str());
    let asked = pairs(&[("input", password), ("hash", Value::from(hash.unwrap_or(NOBODY)))])?;
    let fits = result_of("crypto.bcryptCompare", &asked, ctx)?.as_ref().as_bool() == Some(true);
    let enabled = account.get("disabled").and_then(|disabled| disabled.as_bool()) != Some(true);
    let result = if fits && enabled && hash.is_some() {
        let scopes = account
            .get("scopes")
            .map_or_else(|| listed(&[]), |scopes| Ok(scopes.to_value()))?;
        pairs(&[("username", Value::from(username.as_str())), ("scopes", scopes)])?
    } else {
        Value::null()
    };
    names.set(input.out, result.as_ref())?;
    Ok(answer(Outcome::Made(result)))
}
