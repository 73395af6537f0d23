//! The node: reads the parameters, finds the bucket, and says what it granted.

use std::sync::{Mutex, PoisonError};

use plugin_api::error::code;
use plugin_api::prelude::*;

use crate::bucket::{MAX_LIMIT, MAX_WINDOW, Rate};
use crate::clock::Clock;
use crate::table::Table;

/// This many accounts can have something spent at the same time.
const MAX_ACCOUNTS: usize = 10_000;

/// Names longer than this many bytes would let a caller fill the memory.
const MAX_NAME: usize = 256;

const HOUR_MS: i64 = 3_600_000;

/// The buckets of one tenant.
#[derive(Debug)]
pub(crate) struct Limiter {
    clock: Clock,
    table: Mutex<Table>,
}

#[parameters]
pub(crate) struct Request<'a> {
    /// What is to be done: `sync`, `send` or `search` with 100, 50 and 500 tokens; any other name needs `customLimit`.
    operation_type: &'a str,
    /// Who wants to do it.
    account_id: &'a str,
    /// The tenant; the caller's own, also when it is missing.
    #[serde(default)]
    tenant_id: Option<&'a str>,
    /// How many tokens it costs; 0 only looks.
    #[serde(default)]
    #[schemars(extend("default" = 1))]
    tokens_to_consume: Option<i64>,
    /// How many tokens there are, instead of the number that belongs to the operation.
    #[serde(default)]
    custom_limit: Option<i64>,
    /// How long it takes to refill all tokens, in milliseconds.
    #[serde(default)]
    #[schemars(extend("default" = HOUR_MS))]
    reset_window_ms: Option<i64>,
    /// Not supported: the buckets live in the host.
    #[serde(default)]
    redis_url: Option<&'a str>,
}

/// What was granted.
#[output]
pub(crate) struct Decision {
    /// Whether it may be done; if not, no token was taken.
    allowed: bool,
    /// Tokens taken by this call.
    tokens_consumed: u64,
    /// Whole tokens that are left.
    remaining: u64,
    /// Tokens in a full bucket.
    limit: u64,
    /// When to ask again, in milliseconds from now; 0 when it is allowed.
    retry_after_ms: u64,
    /// When the bucket is full again, in milliseconds from now.
    reset_after_ms: u64,
}

/// Says whether an account may do something now. Each account and operation has a bucket of tokens that refills steadily;
/// what it costs is taken when there is enough. A new version of the plugin takes the buckets over.
#[node(
    id = "rate-limiter",
    category = "control",
    effect = "effectful",
    tags = ["limit", "quota", "email"],
    example(
        title = "the first of 100 in an hour",
        input = r#"{"operationType": "sync", "accountId": "ada", "tenantId": null}"#,
        output = r#"{"allowed": true, "tokensConsumed": 1, "remaining": 99, "limit": 100, "retryAfterMs": 0, "resetAfterMs": 36000}"#
    ),
    example(
        title = "a limit of one's own",
        input = r#"{"operationType": "export", "accountId": "ada", "customLimit": 10, "tokensToConsume": 4, "resetWindowMs": 60000}"#,
        output = r#"{"allowed": true, "tokensConsumed": 4, "remaining": 6, "limit": 10, "retryAfterMs": 0, "resetAfterMs": 24000}"#
    )
)]
impl Node for Limiter {
    type Config = ();
    type Input<'a> = Request<'a>;
    type Output = Decision;

    fn create((): (), _ctx: &Ctx<'_>) -> NodeResult<Self> {
        Ok(Self {
            clock: Clock::start(),
            table: Mutex::new(Table::new(MAX_ACCOUNTS)),
        })
    }

    fn execute(&self, input: Request<'_>, ctx: &Ctx<'_>) -> NodeResult<Decision> {
        let rate = rate(&input)?;
        let tokens = tokens(&input, rate)?;
        let key = key(&input, ctx)?;
        let grant = self.with_table(|table| table.take(key, rate, tokens, self.clock.now()))?;
        Ok(Decision {
            allowed: grant.allowed,
            tokens_consumed: if grant.allowed { tokens } else { 0 },
            remaining: grant.remaining,
            limit: rate.limit(),
            retry_after_ms: grant.retry_after.div_ceil(1_000),
            reset_after_ms: grant.full_after.div_ceil(1_000),
        })
    }

    fn save_state(&self) -> NodeResult<Option<Value>> {
        self.with_table(|table| table.save(self.clock.now()))
    }

    fn load_state(&mut self, _from_version: &str, state: ValueRef<'_>) -> NodeResult<()> {
        self.with_table(|table| table.load(state, self.clock.now()))
    }
}

impl Limiter {
    fn with_table<T>(&self, work: impl FnOnce(&mut Table) -> T) -> T {
        // Buckets are whole between any two steps, so a panic elsewhere leaves nothing half done.
        work(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn rate(input: &Request<'_>) -> NodeResult<Rate> {
    if input.redis_url.is_some() {
        let why = "parameter `redisUrl`: is not supported, the buckets live in the host; leave it out";
        return Err(NodeError::with_code(code::UNSUPPORTED, why));
    }
    let limit = match (input.custom_limit, input.operation_type) {
        (Some(limit), _) => in_range("customLimit", limit, MAX_LIMIT)?,
        (None, "sync") => 100,
        (None, "send") => 50,
        (None, "search") => 500,
        (None, _) => {
            return Err(NodeError::invalid(
                "operationType",
                "must be `sync`, `send` or `search`, or come with `customLimit`",
            ));
        }
    };
    let window = in_range(
        "resetWindowMs",
        input.reset_window_ms.unwrap_or(HOUR_MS),
        MAX_WINDOW / 1_000,
    )?;
    Rate::new(limit, window * 1_000).ok_or_else(|| NodeError::invalid("customLimit", "is out of range"))
}

fn tokens(input: &Request<'_>, rate: Rate) -> NodeResult<u64> {
    let tokens = u64::try_from(input.tokens_to_consume.unwrap_or(1))
        .ok()
        .filter(|&tokens| tokens <= rate.limit());
    tokens.ok_or_else(|| {
        let why = format_args!("must be from 0 to {}, the size of the bucket", rate.limit());
        NodeError::invalid("tokensToConsume", why)
    })
}

fn in_range(parameter: &str, number: i64, max: u64) -> NodeResult<u64> {
    let fits = u64::try_from(number)
        .ok()
        .filter(|number| (1..=max).contains(number));
    fits.ok_or_else(|| {
        NodeError::invalid(
            parameter,
            format_args!("must be from 1 to {max}, but is {number}"),
        )
    })
}

fn key(input: &Request<'_>, ctx: &Ctx<'_>) -> NodeResult<String> {
    let tenant = ctx.tenant();
    if input.tenant_id.is_some_and(|id| id != tenant) {
        let message = "parameter `tenantId`: is not the tenant of this call";
        return Err(NodeError::with_code(code::NOT_ALLOWED, message));
    }
    for (parameter, name) in [
        ("operationType", input.operation_type),
        ("accountId", input.account_id),
    ] {
        if name.is_empty() || name.len() > MAX_NAME {
            return Err(NodeError::invalid(
                parameter,
                format_args!("must have from 1 to {MAX_NAME} bytes"),
            ));
        }
    }
    let operation = input.operation_type;
    // The lengths keep names apart that run into each other.
    Ok(format!(
        "{}:{}:{tenant}{operation}{}",
        tenant.len(),
        operation.len(),
        input.account_id
    ))
}

#[cfg(test)]
mod tests {
    use plugin_api::testing::Harness;

    use super::*;

    const SEND: &str = r#"{"operationType": "send", "accountId": "ada", "resetWindowMs": 2678400000}"#;

    fn field(decision: &Value, name: &str) -> String {
        decision.as_ref().get(name).unwrap().to_json()
    }

    #[test]
    fn every_example_holds() {
        Harness::new().check_examples::<Limiter>();
    }

    #[test]
    fn the_limit_of_an_operation_is_its_number_of_calls() {
        let instance = Harness::new().instance::<Limiter>("null").unwrap();
        for left in (0..50).rev() {
            let decision = instance.call(SEND).unwrap();
            assert_eq!(
                (field(&decision, "allowed"), field(&decision, "remaining")),
                ("true".into(), left.to_string())
            );
        }
        let decision = instance.call(SEND).unwrap();
        assert_eq!(
            (field(&decision, "allowed"), field(&decision, "tokensConsumed")),
            ("false".into(), "0".into())
        );
        assert_ne!(field(&decision, "retryAfterMs"), "0");
        let other = instance.call(&SEND.replace("ada", "bob")).unwrap();
        assert_eq!(field(&other, "remaining"), "49");
    }

    #[test]
    fn the_next_version_goes_on_with_the_buckets_of_this_one() {
        let harness = Harness::new();
        let old = harness.instance::<Limiter>("null").unwrap();
        for _ in 0..50 {
            old.call(SEND).unwrap();
        }
        let state = old.save_state().unwrap().unwrap();
        let mut new = harness.instance::<Limiter>("null").unwrap();
        new.load_state("1.0.0", state.as_ref()).unwrap();
        assert_eq!(field(&new.call(SEND).unwrap(), "allowed"), "false");
        assert!(new.load_state("1.0.0", Value::from(1).as_ref()).is_err());
        assert_eq!(field(&new.call(SEND).unwrap(), "allowed"), "false");
    }

    #[test]
    fn an_unused_limiter_has_no_state() {
        assert_eq!(
            Harness::new()
                .instance::<Limiter>("null")
                .unwrap()
                .save_state()
                .unwrap(),
            None
        );
    }

    #[test]
    fn names_that_run_into_each_other_are_different_accounts() {
        let instance = Harness::new().instance::<Limiter>("null").unwrap();
        let call = |operation: &str, account: &str| {
            let input =
                format!(r#"{{"operationType": "{operation}", "accountId": "{account}", "customLimit": 5}}"#);
            field(&instance.call(&input).unwrap(), "remaining")
        };
        assert_eq!(
            (call("ab", "c"), call("a", "bc"), call("ab", "c")),
            ("4".into(), "4".into(), "3".into())
        );
    }

    #[test]
    fn a_bad_parameter_is_refused_by_name() {
        let harness = Harness::new();
        for (parameter, value, code) in [
            ("operationType", "\"export\"", code::VALIDATION_FAILED),
            ("operationType", "1", code::VALIDATION_FAILED),
            ("accountId", "\"\"", code::VALIDATION_FAILED),
            ("accountId", "null", code::VALIDATION_FAILED),
            ("tenantId", "\"other\"", code::NOT_ALLOWED),
            ("tokensToConsume", "-1", code::VALIDATION_FAILED),
            ("tokensToConsume", "51", code::VALIDATION_FAILED),
            ("tokensToConsume", "1.5", code::VALIDATION_FAILED),
            ("customLimit", "0", code::VALIDATION_FAILED),
            ("customLimit", "1000001", code::VALIDATION_FAILED),
            ("resetWindowMs", "0", code::VALIDATION_FAILED),
            ("resetWindowMs", "2678400001", code::VALIDATION_FAILED),
            ("redisUrl", "\"redis://cache\"", code::UNSUPPORTED),
        ] {
            let mut input = vec![("operationType", "\"send\""), ("accountId", "\"ada\"")];
            input.retain(|(name, _)| *name != parameter);
            input.push((parameter, value));
            let fields: Vec<String> = input
                .iter()
                .map(|(name, value)| format!("\"{name}\": {value}"))
                .collect();
            let error = harness
                .call::<Limiter>(&format!("{{{}}}", fields.join(", ")))
                .unwrap_err();
            assert_eq!(error.code, code, "{parameter} {value}: {error}");
            assert!(
                error.message.contains(&format!("`{parameter}`")),
                "{parameter} {value}: {error}"
            );
        }
        let missing = harness
            .call::<Limiter>(r#"{"operationType": "send"}"#)
            .unwrap_err();
        assert!(missing.message.contains("`accountId`"), "{missing}");
    }
}
