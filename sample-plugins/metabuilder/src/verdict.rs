//! Several results as one.

use plugin_api::prelude::*;
use plugin_api::reading::{Given, shown, truthy};

use crate::given::only;

/// Fields by which a result says whether it is good, in the order in which they are looked for.
const VERDICTS: [&str; 4] = ["success", "passed", "ok", "result"];

/// Whether all, or any, of the results that arrived are good.
#[output]
pub(crate) struct Aggregated {
    /// Whether they are, as `mode` says.
    result: bool,
    /// Results that arrived.
    count: usize,
    /// Those that are good.
    passed: usize,
}

#[parameters]
pub(crate) struct Aggregate<'a> {
    /// `aggregate`, which is what the node does anyway.
    #[serde(default)]
    #[schemars(length(max = 100))]
    operation: Option<&'a str>,
    /// `and`: all of them have to be good; `or`: one of them has to be. `and` if missing.
    #[serde(default)]
    #[schemars(extend("enum" = ["and", "or", null]))]
    mode: Given<'a>,
    /// The results, instead of those that arrived.
    #[serde(default, alias = "inputs")]
    #[schemars(extend("type" = ["array", "null"]))]
    values: Given<'a>,
}

/// Says whether the results that arrived are good: all of them with the mode `and`, any of them with `or`. A map with
/// `success`, `passed`, `ok` or `result` that is true or false says it by that; of everything else, null, false, 0 and the
/// empty text are not good. Of no results, `and` holds and `or` does not.
#[node(
    id = "metabuilder.aggregate",
    aliases = ["aggregate"],
    category = "metabuilder",
    effect = "idempotent",
    tags = ["join", "test"],
    example(
        title = "all",
        input = r#"{"mode": "and", "values": [{"success": true}, {"passed": false}]}"#,
        output = r#"{"result": false, "count": 2, "passed": 1}"#
    ),
    example(
        title = "any",
        input = r#"{"operation": "aggregate", "mode": "or", "values": [0, "yes"]}"#,
        output = r#"{"result": true, "count": 2, "passed": 1}"#
    )
)]
pub(crate) fn aggregate(input: Aggregate<'_>, ctx: &Ctx<'_>) -> NodeResult<Aggregated> {
    only(input.operation, &["aggregate"])?;
    let Some(values) = input.values.0 else {
        return arrived_values(input.mode.0, ctx);
    };
    let wrong = || NodeError::invalid("values", format_args!("expected a list, found {}", shown(values)));
    let list = values.as_list().ok_or_else(wrong)?;
    judged(input.mode.0, list.iter())
}

/// What arrived at the first input, judged.
pub(crate) fn arrived_values(mode: Option<ValueRef<'_>>, ctx: &Ctx<'_>) -> NodeResult<Aggregated> {
    let arrived = ctx.inputs(0).map_err(|error| {
        if error.code == plugin_api::error::code::UNSUPPORTED {
            return NodeError::invalid("values", "is missing, and nothing arrives outside a workflow");
        }
        error
    })?;
    judged(mode, arrived.iter().map(Value::as_ref))
}

fn judged<'v>(
    mode: Option<ValueRef<'_>>,
    values: impl Iterator<Item = ValueRef<'v>>,
) -> NodeResult<Aggregated> {
    let all = match mode.filter(|mode| !mode.is_null()) {
        None => true,
        Some(mode) => match mode.as_str() {
            Some("and" | "all") => true,
            Some("or" | "any") => false,
            _ => {
                let why = format_args!("must be `and` or `or`, but is {}", shown(mode));
                return Err(NodeError::invalid("mode", why));
            }
        },
    };
    let (mut count, mut passed) = (0, 0);
    for value in values {
        count += 1;
        passed += usize::from(is_good(value));
    }
    let result = if all { passed == count } else { passed > 0 };
    Ok(Aggregated {
        result,
        count,
        passed,
    })
}

fn is_good(value: ValueRef<'_>) -> bool {
    let verdict = |key: &&str| value.get(key)?.as_bool();
    VERDICTS.iter().find_map(verdict).unwrap_or_else(|| truthy(value))
}
