//! Packages and their versions, as requests name them.

use std::borrow::Cow;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Outcome, kind_name, shown};
use plugin_api::value::MapRef;
use semver::Version;

use crate::reference::{Names, Raw, cut};
use crate::schema::{self, Violation};

/// Fields that an entity may have.
const MAX_FIELDS: usize = 200;
/// The longest name of a namespace, package or variant.
const MAX_NAME: usize = 128;

/// What is done with a text.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Trim,
    Lower,
    Upper,
    Collapse,
}

impl Change {
    fn named(name: &str) -> Option<Self> {
        Some(match name.trim() {
            "trim" | "strip" => Self::Trim,
            "lower" | "lowercase" => Self::Lower,
            "upper" | "uppercase" => Self::Upper,
            "collapse" => Self::Collapse,
            _ => return None,
        })
    }

    fn done(self, text: &str) -> String {
        match self {
            Self::Trim => text.trim().to_owned(),
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::Collapse => text.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }
}

/// What is done with each field; without rules every text is trimmed, and `namespace` and `name` are in small letters.
fn changes(rules: Option<MapRef<'_>>, field: &str) -> NodeResult<Vec<Change>> {
    let Some(rules) = rules.filter(|rules| !rules.is_empty()) else {
        return Ok(match field {
            "namespace" | "name" => vec![Change::Trim, Change::Lower],
            _ => vec![Change::Trim],
        });
    };
    let Some(rule) = rules.get(field).or_else(|| rules.get("*")) else {
        return Ok(Vec::new());
    };
    let wrong = |name: &str| {
        let why = format_args!(
            "`{}` of `{}` is none of trim, lower, upper, collapse",
            cut(name),
            cut(field)
        );
        NodeError::invalid("rules", why)
    };
    let named = |name: &str| Change::named(name).ok_or_else(|| wrong(name));
    match (rule.as_str(), rule.as_list()) {
        (Some(text), _) => text.split('|').map(named).collect(),
        (_, Some(list)) => list
            .iter()
            .take(16)
            .map(|name| named(name.as_str().unwrap_or_default()))
            .collect(),
        _ => Err(wrong(&shown(rule))),
    }
}

/// The entity in one form, however it was written.
pub(crate) fn normalized(entity: MapRef<'_>, rules: Option<MapRef<'_>>) -> NodeResult<Value> {
    let mut fields = Vec::with_capacity(entity.len());
    for (field, value) in entity {
        let changes = changes(rules, field)?;
        let value = match value.as_str() {
            Some(text) => {
                let text = changes
                    .iter()
                    .fold(Cow::Borrowed(text), |text, change| Cow::Owned(change.done(&text)));
                Value::from(&*text)
            }
            None => value.to_value(),
        };
        fields.push((field, value));
    }
    Ok(Value::from_pairs(
        fields.iter().map(|(field, value)| (*field, value.as_ref())),
    )?)
}

fn read<'v>(names: &Names<'_>, entity: Raw<'_>, kept: &'v mut Option<Value>) -> NodeResult<MapRef<'v>> {
    let value = kept.insert(names.needed(entity, "entity")?).as_ref();
    match value.as_map() {
        Some(map) if map.len() <= MAX_FIELDS => Ok(map),
        Some(_) => Err(NodeError::invalid(
            "entity",
            format_args!("must have at most {MAX_FIELDS} fields"),
        )),
        None => Err(NodeError::invalid(
            "entity",
            format_args!("expected a map, found {}", kind_name(value)),
        )),
    }
}

#[parameters]
pub(crate) struct Normalize<'a> {
    /// The entity: a map, such as `{namespace, name, version, variant}`.
    #[serde(default)]
    entity: Raw<'a>,
    /// What to do with each field: `{"name": "trim|lower", "*": "trim"}` with `trim`, `lower`, `upper` and `collapse` (one
    /// space where there are several).
    #[serde(default)]
    rules: Raw<'a>,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Brings the texts of an entity into one form. Without `rules` every text is trimmed, and `namespace` and `name` are
/// written in small letters; what is no text stays as it is.
#[node(
    id = "packagerepo.normalizeEntity",
    aliases = ["packagerepo.normalize_entity"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["package", "text"],
    example(
        title = "as it is usual",
        input = r#"{"entity": {"namespace": " Acme", "name": "Lib", "version": "1.0.0 ", "size": 7}}"#,
        output = r#"{"result": {"namespace": "acme", "name": "lib", "version": "1.0.0", "size": 7}}"#
    ),
    example(
        title = "by rules",
        input = r#"{"entity": {"name": "Lib", "title": "A  b"}, "rules": {"title": ["collapse", "upper"]}}"#,
        output = r#"{"result": {"name": "Lib", "title": "A B"}}"#
    )
)]
pub(crate) fn normalize_entity(input: Normalize<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    let mut kept = None;
    let entity = read(&names, input.entity, &mut kept)?;
    let rules = names.read(input.rules, "rules")?;
    let rules = rules.as_ref().map(Value::as_ref);
    if let Some(rules) = rules.filter(|rules| rules.as_map().is_none()) {
        return Err(NodeError::invalid(
            "rules",
            format_args!("expected a map, found {}", kind_name(rules)),
        ));
    }
    let result = normalized(entity, rules.and_then(|rules| rules.as_map()))?;
    names.set(input.out, result.as_ref())?;
    Ok(answer(Outcome::Made(result)))
}

#[parameters]
pub(crate) struct Validate<'a> {
    /// The entity: a map.
    #[serde(default)]
    entity: Raw<'a>,
    /// A JSON Schema, of these keywords: `type`, `properties`, `required`, `additionalProperties`, `items`, `enum`,
    /// `const`, `pattern` (which `regex.test` knows), and the least and most of numbers, texts and lists. Without it, the
    /// rules for packages.
    #[serde(default)]
    schema: Raw<'a>,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Gives an entity on if it is valid; all that is wrong with it is in the `details` of one error `VALIDATION_FAILED`.
/// Without a `schema`, a package has a `namespace` and a `name` of small letters, digits, `.`, `_` and `-`, and, where
/// they are there, a `version` as semver.org has them and a `variant` of letters, digits, `.`, `_` and `-`.
#[node(
    id = "packagerepo.validateEntity",
    aliases = ["packagerepo.validate_entity"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["package", "schema"],
    example(
        title = "a package",
        input = r#"{"entity": {"namespace": "acme", "name": "lib", "version": "1.0.0", "variant": "linux-x64"}}"#,
        output = r#"{"result": {"namespace": "acme", "name": "lib", "version": "1.0.0", "variant": "linux-x64"}}"#
    ),
    example(
        title = "by a schema",
        input = r#"{"entity": {"port": 80}, "schema": {"type": "object", "required": ["port"], "properties": {"port": {"type": "integer", "minimum": 1}}}}"#,
        output = r#"{"result": {"port": 80}}"#
    )
)]
pub(crate) fn validate_entity(input: Validate<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    let mut kept = None;
    let entity = read(&names, input.entity, &mut kept)?;
    let violations = match names.read(input.schema, "schema")? {
        None => of_a_package(entity),
        Some(schema) => {
            let entity = kept.as_ref().map_or(ValueRef::NULL, Value::as_ref);
            schema::check(schema.as_ref(), entity, ctx)?
        }
    };
    judged(&violations)?;
    let result = kept.unwrap_or_default();
    names.set(input.out, result.as_ref())?;
    Ok(answer(Outcome::Made(result)))
}

/// An error for what is wrong.
fn judged(violations: &[Violation]) -> NodeResult<()> {
    let Some(first) = violations.first() else {
        return Ok(());
    };
    let more = match violations.len() - 1 {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let message = format!("parameter `entity`: {}{more}", first.message);
    Err(NodeError::with_code(code::VALIDATION_FAILED, message)
        .status(400)
        .retryable(false)
        .details(Value::from_serialize(&Details { violations })?))
}

#[output]
struct Details<'v> {
    violations: &'v [Violation],
}

/// What is wrong with a package.
fn of_a_package(entity: MapRef<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut wrong = |field: &str, why: &str| {
        violations.push(Violation {
            path: format!("/{field}"),
            message: format!("`{field}` {why}"),
        });
    };
    let text = |field: &str| entity.get(field).filter(|value| !value.is_null());
    for field in ["namespace", "name"] {
        match text(field).map(|value| value.as_str()) {
            None => wrong(field, "is missing"),
            Some(name) if name.is_none_or(|name| !is_name(name) || name.chars().any(char::is_uppercase)) => {
                let letters = "small letters, digits, `.`, `_` and `-`";
                wrong(
                    field,
                    &format!("must begin with a small letter or a digit, and have {letters}"),
                );
            }
            Some(_) => {}
        }
    }
    if let Some(version) = text("version")
        && version
            .as_str()
            .is_none_or(|version| version.len() > MAX_NAME || Version::parse(version).is_err())
    {
        wrong("version", "must be a version such as 1.2.0 or 2.0.0-rc.1");
    }
    if let Some(variant) = text("variant")
        && variant.as_str().is_none_or(|variant| !is_name(variant))
    {
        wrong(
            "variant",
            "must begin with a letter or a digit, and have letters, digits, `.`, `_` and `-`",
        );
    }
    violations
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !name.contains("..")
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}
