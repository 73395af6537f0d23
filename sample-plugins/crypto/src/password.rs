//! Passwords as they are kept.

use plugin_api::prelude::*;
use plugin_api::reading::Whole;

use crate::algorithm::same;
use crate::bcrypt::{COST, Hashed, MAX_PASSWORD, read_salt};
use crate::chance::fill;
use crate::material::{Material, given};

#[parameters]
pub(crate) struct Hash<'a> {
    /// The password: up to 72 bytes, none of which is zero.
    #[serde(default, alias = "value", alias = "password", alias = "text")]
    input: Option<Material<'a>>,
    /// The cost, from 4 to 14. One more doubles the time.
    #[serde(default, alias = "cost", alias = "saltRounds", alias = "salt_rounds")]
    #[schemars(extend("default" = 12))]
    rounds: Option<Whole>,
    /// Only to compute a known hash again: the 22 characters after its cost. They are drawn by chance otherwise, and
    /// should be.
    #[serde(default)]
    salt: Option<Material<'a>>,
}

/// Gives the bcrypt hash of a password, to be kept instead of it.
///
/// It is made to take long and keeps a processor busy all that time: a third of a second or so with the cost 12, more than
/// a second with 14. The thread of the call works meanwhile; a call that is cancelled ends at once.
#[node(
    id = "crypto.bcryptHash",
    aliases = ["crypto.bcrypt_hash", "bcrypt_hash"],
    effect = "idempotent",
    tags = ["password", "bcrypt", "hash"],
    example(
        title = "a known hash again",
        input = r#"{"input": "abc", "rounds": 6, "salt": "If6bvum7DFjUnE9p2uDeDu"}"#,
        output = r#"{"result": "$2b$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"}"#
    ),
    example(
        title = "an empty password",
        input = r#"{"input": "", "rounds": "6", "salt": "DCq7YPn5Rq63x1Lad4cll."}"#,
        output = r#"{"result": "$2b$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."}"#
    )
)]
pub(crate) fn bcrypt_hash(input: Hash<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<String>> {
    let password = given("input", input.input)?;
    let password = password.plain();
    if password.len() > MAX_PASSWORD {
        let why = format_args!(
            "bcrypt looks at {MAX_PASSWORD} bytes alone: hash a longer password before, with crypto.hash in Base64"
        );
        return Err(NodeError::invalid("input", why));
    }
    if password.contains(&0) {
        return Err(NodeError::invalid(
            "input",
            "bcrypt knows no passwords with a zero byte",
        ));
    }
    let range = i64::from(*COST.start())..=i64::from(*COST.end());
    let cost = input.rounds.unwrap_or(Whole(12)).within("rounds", range)?;
    let salt = match input.salt {
        Some(salt) => std::str::from_utf8(salt.plain())
            .ok()
            .and_then(read_salt)
            .ok_or_else(|| {
                NodeError::invalid(
                    "salt",
                    "expected the 22 characters after the cost of a bcrypt hash",
                )
            })?,
        None => {
            let mut salt = [0; 16];
            fill(&mut salt)?;
            salt
        }
    };
    let cost = u32::try_from(cost).unwrap_or(*COST.end());
    Ok(answer(Hashed::of(password, salt, cost, ctx)?.write()))
}

#[parameters]
pub(crate) struct Compare<'a> {
    /// The password.
    #[serde(default, alias = "value", alias = "password", alias = "text")]
    input: Option<Material<'a>>,
    /// The bcrypt hash that was kept.
    #[serde(default, alias = "hashed")]
    hash: Option<Material<'a>>,
}

/// Says whether a bcrypt hash is that of a password. As everywhere, the first 72 bytes of the password count.
///
/// It takes as long as making the hash did, and keeps a processor busy all that time. Hashes of a cost above 14 are
/// refused; a call that is cancelled ends at once.
// Not pure: what a pure node gave is kept with its parameters, and a password is kept nowhere; and the second answer would
// come at once.
#[node(
    id = "crypto.bcryptCompare",
    aliases = ["crypto.bcrypt_compare", "bcrypt_compare", "crypto.bcryptVerify"],
    effect = "idempotent",
    tags = ["password", "bcrypt", "compare"],
    example(
        title = "the password",
        input = r#"{"input": "abc", "hash": "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"}"#,
        output = r#"{"result": true}"#
    ),
    example(
        title = "another one",
        input = r#"{"input": "abd", "hash": "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"}"#,
        output = r#"{"result": false}"#
    )
)]
pub(crate) fn bcrypt_compare(input: Compare<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<bool>> {
    let password = given("input", input.input)?;
    let hash = given("hash", input.hash)?;
    let hash = std::str::from_utf8(hash.plain()).ok().and_then(Hashed::read);
    let hash = hash.ok_or_else(|| NodeError::invalid("hash", "is no bcrypt hash, such as `$2b$12$...`"))?;
    if !COST.contains(&hash.cost) {
        let why = format_args!(
            "has the cost {}, and from {} to {} is computed here",
            hash.cost,
            COST.start(),
            COST.end()
        );
        return Err(NodeError::invalid("hash", why));
    }
    if password.plain().contains(&0) {
        // No hash was made of such a password, and what stands before the zero is not it.
        return Ok(answer(false));
    }
    let found = Hashed::of(password.plain(), hash.salt, hash.cost, ctx)?;
    Ok(answer(same(&found.digest, &hash.digest)))
}
