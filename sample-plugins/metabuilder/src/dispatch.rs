//! Operations that a workflow names.
//!
//! Invariant: an operation that is not known here is a node type; nothing is done for a name that nobody has. The name is
//! the document's own word: it reaches the node as it is written, so that no data says what is done.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::reading::Outcome;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::value::MapRef;

use crate::dbal::{Request, Work};
use crate::given::{arrived, cut, map, text};
use crate::record::filled;
use crate::shaping::evaluated;
use crate::{dbal, other, picture, tasks, verdict};

/// The longest name of a node type.
const MAX_NAME: usize = 128;

/// All parameters: which there are depends on the operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation<'a>(MapRef<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Operation<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = ValueRef::deserialize(deserializer)?;
        all.as_map()
            .map(Self)
            .ok_or_else(|| D::Error::custom("expected a map of parameters"))
    }
}

impl JsonSchema for Operation<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Operation".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let any = ["null", "boolean", "number", "string", "array", "object"];
        json_schema!({
            "type": "object",
            "description": "The operation, and what it needs.",
            "properties": {
                "operation": {
                    "type": ["string", "null"],
                    "maxLength": MAX_NAME,
                    "x-aliases": ["op"],
                    "x-template": false,
                    "description": "What to do: one of the names in the description, or a node type, which gets all other parameters.",
                },
                "entity": {
                    "type": any,
                    "description": "Of records: their entity.",
                },
                "filter": {
                    "type": any,
                    "description": "Of records: which ones.",
                },
                "sort": {
                    "type": any,
                    "x-template": false,
                    "description": "Of records: in which order, such as `{\"createdAt\": -1}`. A name of a field may be an expression.",
                },
                "data": {
                    "type": any,
                    "description": "Of records: what to write. Of a message: what its template is filled with.",
                },
                "tasks": {
                    "type": any,
                    "x-template": false,
                    "description": "Of `parallel`: a list of `{id, op, entity, params}`. Expressions fill in all but `id` and `op`.",
                },
                "input": {
                    "type": any,
                    "description": "Of `bcrypt_hash` and `bcrypt_compare`: the password. Of `transform`: `$value` in the expression.",
                },
                "expression": {
                    "type": any,
                    "x-template": false,
                    "description": "Of `transform`: a text that is an expression, or a list or map with texts that hold some.",
                },
            },
            "additionalProperties": true,
        })
    }
}

/// Does what the workflow names.
///
/// `database_read`, `_create`, `_update`, `_upsert`, `_delete` are those of `metabuilder.database`. `database_count`,
/// `database_update_many` and `database_delete_many` give a number of records, `database_aggregate` a map of its
/// `aggregations`, or a list of maps with `groupBy`. `parallel` does its `tasks`, one after the other, and gives `{tasks: {ID: {success, output}}}`; one that
/// fails fails the node. `bcrypt_hash` gives a text, `bcrypt_compare` a boolean, `generate_jwt` a text, `verify_jwt` the
/// claims; without a key the tenant's secret `JWT_SECRET` is one. `email_send` and `smtp.sendEmail` send a message, `delete_recursive` deletes `paths`, `analyze_image` says
/// what the header of an image does, `transform` gives `{result}` of an `expression` or else its `output`, `aggregate` is
/// `metabuilder.aggregate`. Any other text is a node type: it is called with the other parameters, and the result is its
/// output. Without any parameter the node gives on what arrived.
#[node(
    id = "metabuilder.operation",
    aliases = ["operation"],
    category = "metabuilder",
    effect = "effectful",
    tags = ["database", "password", "token", "mail", "call"],
    example(
        title = "a value",
        input = r#"{"operation": "transform", "expression": {"page": 1}}"#,
        output = r#"{"result": {"page": 1}}"#
    ),
    example(
        title = "no task",
        input = r#"{"operation": "parallel", "tasks": []}"#,
        output = r#"{"tasks": {}}"#
    ),
    example(title = "no parameters", input = "{}", output = "null")
)]
pub(crate) fn operation(input: Operation<'_>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'static>> {
    let parameters = input.0;
    if parameters.is_empty() {
        return arrived(ctx).map(Outcome::Made);
    }
    let name = parameters.get("operation").or_else(|| parameters.get("op"));
    let name = text(name, "operation")?;
    if name.contains("{{") {
        let why = "must be written, and not come of an expression: data is not to say what is done";
        return Err(NodeError::invalid("operation", why));
    }
    if known(name) == "parallel" {
        return tasks::parallel(parameters.get("tasks"), ctx).map(Outcome::Made);
    }
    // The workflow has filled in the others.
    let ready = ready(name, parameters, parameters, ctx)?;
    let parameters = ready
        .as_ref()
        .and_then(|ready| ready.as_ref().as_map())
        .unwrap_or(parameters);
    perform(name, parameters, ctx).map(Outcome::Made)
}

/// The parameter of an operation that reaches the node as it is written, expressions and all.
pub(crate) fn own_parameter(name: &str) -> Option<&'static str> {
    match known(name).as_str() {
        "transform" | "transformdata" => Some("expression"),
        name => Work::named(name).map(|_| "sort"),
    }
}

/// The parameters of an operation with the one filled in that was `written` for the node to do so; `None` where there is
/// none. `others` are filled in already, and never again: no expression is looked for in what one came to.
pub(crate) fn ready(
    name: &str,
    written: MapRef<'_>,
    others: MapRef<'_>,
    ctx: &Ctx<'_>,
) -> NodeResult<Option<Value>> {
    let Some((own, given)) = own_parameter(name).and_then(|own| Some((own, written.get(own)?))) else {
        return Ok(None);
    };
    let (becomes, value) = match own {
        "sort" => ("sort", filled(given, ctx)?),
        _ => {
            let input = others.get("input").unwrap_or(ValueRef::NULL);
            ("output", evaluated(given, input, ctx)?)
        }
    };
    let kept = others.iter().filter(|(key, _)| ![own, becomes].contains(key));
    Ok(Some(Value::from_pairs(kept.chain([(becomes, value.as_ref())]))?))
}

/// A name without what its spellings differ in.
fn known(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-'));
    letters.take(MAX_NAME).map(|c| c.to_ascii_lowercase()).collect()
}

/// Does everything but several things at once, with parameters that are filled in.
pub(crate) fn perform(name: &str, parameters: MapRef<'_>, ctx: &Ctx<'_>) -> NodeResult<Value> {
    let short = known(name);
    if let Some(work) = Work::named(&short) {
        return dbal::run(work, &Request::of(parameters), ctx);
    }
    let simple = |node_type: &str| {
        let output = other::call(name, node_type, &rest(parameters)?, ctx)?;
        Ok(other::result(&output))
    };
    match short.as_str() {
        "bcrypthash" => simple("crypto.bcryptHash"),
        "bcryptcompare" => simple("crypto.bcryptCompare"),
        "generatejwt" | "jwtsign" => keyed(name, "crypto.jwtSign", parameters, ctx),
        "verifyjwt" | "jwtverify" => keyed(name, "crypto.jwtVerify", parameters, ctx),
        "emailsend" | "sendemail" | "smtp.sendemail" => {
            other::call(name, "email-send", &rest(parameters)?, ctx)
        }
        "deleterecursive" => other::call(name, "file.deleteAll", &rest(parameters)?, ctx),
        "analyzeimage" => picture::analyze(name, parameters, ctx),
        "aggregate" => verdict::arrived_values(parameters.get("mode"), ctx)
            .and_then(|found| Ok(Value::from_serialize(&found)?)),
        "transform" | "transformdata" => {
            let missing = || NodeError::invalid("expression", "is missing; give an expression or a value");
            let result = parameters.get("output").ok_or_else(missing)?.to_value();
            map(&[("result", result)])
        }
        "parallel" => Err(NodeError::invalid(
            "tasks",
            "a task cannot be `parallel` itself; list its tasks instead",
        )),
        _ => {
            if !is_node_type(name) {
                let why = format_args!("`{}` is neither an operation nor a node type", cut(name));
                return Err(NodeError::invalid("operation", why));
            }
            other::call(name, name, &rest(parameters)?, ctx)
        }
    }
}

/// Calls a node that needs a key: the one that is given, or the tenant's secret `JWT_SECRET`.
fn keyed(name: &str, node_type: &str, parameters: MapRef<'_>, ctx: &Ctx<'_>) -> NodeResult<Value> {
    let given = rest(parameters)?;
    let secret = Value::from("JWT_SECRET");
    let has_key = ["secret", "secretName", "key"]
        .iter()
        .any(|key| given.as_ref().get(key).is_some());
    let standard = (!has_key).then_some(("secretName", secret.as_ref()));
    let entries = given.as_ref().as_map().into_iter().flatten();
    let asked = Value::from_pairs(entries.chain(standard))?;
    let output = other::call(name, node_type, &asked, ctx)?;
    Ok(other::result(&output))
}

fn is_node_type(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// The parameters that are not the operation's name. One that is null says nothing, and is left out.
fn rest(parameters: MapRef<'_>) -> NodeResult<Value> {
    let rest = parameters
        .iter()
        .filter(|(key, value)| !matches!(*key, "operation" | "op") && !value.is_null());
    Ok(Value::from_pairs(rest)?)
}
