//! Values held to rules.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Given, Outcome, field, kind_name, shown, step};
use plugin_api::value::{Kind, MapRef};

use crate::check::{Checked, Taken, Violation, check};
use crate::dbal;
use crate::given::{arrived, cut, only, some};
use crate::rule::{Demand, read};

/// Fields that may have rules.
const MAX_FIELDS: usize = 1_000;
/// The longest name of a field.
const MAX_NAME: usize = 256;
/// Violations that are told.
const MAX_TOLD: usize = 100;
/// Violations that the message is made of.
const MAX_IN_MESSAGE: usize = 3;

#[parameters]
pub(crate) struct Validate<'a> {
    /// `validate`, which is what the node does anyway.
    #[serde(default)]
    #[schemars(length(max = 100))]
    operation: Option<&'a str>,
    /// What is looked at; what arrived at the first input, if missing.
    #[serde(default, alias = "value", alias = "data")]
    input: Given<'a>,
    /// Rules for the value as a whole, such as `required` or `required|email`.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "array", "null"]))]
    validator: Given<'a>,
    /// Rules for each field of a map: `{"email": "required|email", "page": "number|min:1"}`. A dot in a name leads into a
    /// map.
    #[serde(default)]
    #[schemars(extend("type" = ["object", "null"]))]
    rules: Given<'a>,
    /// Values of fields that are not there, or null.
    #[serde(default)]
    #[schemars(extend("type" = ["object", "null"]))]
    defaults: Given<'a>,
    /// What the error says, instead of what is wrong.
    #[serde(default, alias = "error_message", alias = "message")]
    #[schemars(length(max = 10_000))]
    error_message: Option<&'a str>,
}

/// Holds a value to rules and gives it on, with its defaults, and with texts made numbers where a rule asks for numbers.
/// All that is wrong with it is in the `details` of one error `VALIDATION_FAILED`; the values themselves are not.
///
/// Rules are `required`, `string`, `number`, `integer`, `boolean`, `array`, `object`, `email`, `uuid`, `url`, `date`,
/// `min:N` and `max:N` (of a number, or of how long a text, list or map is), `length:N`, `minLength:N`, `maxLength:N`,
/// `in:A,B`, `notIn:A,B`, `same:FIELD`, `different:FIELD`, `unique:ENTITY` or `unique:ENTITY,FIELD` (no record has it),
/// and `default:VALUE`, with `|` between them, or as a list. What is not there, or null, breaks `required` alone.
#[node(
    id = "metabuilder.validate",
    category = "metabuilder",
    effect = "idempotent",
    tags = ["validation", "rules", "schema"],
    example(
        title = "rules for fields",
        input = r#"{"input": {"entity": "User", "limit": "50"}, "rules": {"entity": "required|string", "limit": "number|max:500"}, "defaults": {"page": 1}}"#,
        output = r#"{"entity": "User", "limit": 50, "page": 1}"#
    ),
    example(
        title = "one value",
        input = r#"{"input": "ada@example.org", "validator": "required|email"}"#,
        output = r#""ada@example.org""#
    ),
    example(
        title = "a default among the rules",
        input = r#"{"input": {}, "rules": {"order": "in:asc,desc|default:desc"}}"#,
        output = r#"{"order": "desc"}"#
    )
)]
pub(crate) fn validate(input: Validate<'_>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'static>> {
    only(input.operation, &["validate"])?;
    if some(input.validator).is_none() && some(input.rules).is_none() {
        let why = "is missing, and so is `validator`; give one of them";
        return Err(NodeError::invalid("rules", why));
    }
    let came;
    let whole = match input.input.0 {
        Some(value) => value,
        None => {
            came = arrived(ctx)?;
            came.as_ref()
        }
    };
    let mut taken =
        |entity: &str, field: &str, value: ValueRef<'_>| dbal::is_taken(entity, field, value, ctx);
    let mut found = Found::default();
    let mut result = whole.to_value();
    if let Some(validator) = some(input.validator) {
        let rules = read(validator, "validator")?;
        let checked = check("input", Some(whole), ValueRef::NULL, &rules, &mut taken)?;
        if let Some(becomes) = found.take(checked) {
            result = becomes;
        }
    }
    if let Some(rules) = some(input.rules) {
        let defaults = entries(input.defaults, "defaults")?;
        let rules = entries(Given(Some(rules)), "rules")?;
        fields(rules, defaults, &mut result, &mut found, &mut taken, ctx)?;
    } else if some(input.defaults).is_some() {
        return Err(NodeError::invalid(
            "defaults",
            "belong to `rules`, which are missing",
        ));
    }
    found.judged(input.error_message)?;
    Ok(Outcome::Made(result))
}

/// The entries of a map that may be missing.
fn entries<'a>(given: Given<'a>, parameter: &str) -> NodeResult<Option<MapRef<'a>>> {
    let Some(value) = some(given) else { return Ok(None) };
    match value.as_map() {
        Some(map) if map.len() <= MAX_FIELDS => Ok(Some(map)),
        Some(map) => Err(NodeError::invalid(
            parameter,
            format_args!("must have at most {MAX_FIELDS} fields, but has {}", map.len()),
        )),
        None => Err(NodeError::invalid(
            parameter,
            format_args!("expected a map with the names of fields, found {}", shown(value)),
        )),
    }
}

fn fields(
    rules: Option<MapRef<'_>>,
    defaults: Option<MapRef<'_>>,
    result: &mut Value,
    found: &mut Found,
    taken: &mut Taken<'_>,
    ctx: &Ctx<'_>,
) -> NodeResult<()> {
    match result.as_ref().kind() {
        Kind::Map => {}
        // What is not there has no field.
        Kind::Null => *result = Value::empty_map(),
        _ => {
            found.count(Violation {
                field: "input".to_owned(),
                rule: "object".to_owned(),
                message: "`input` must be an object".to_owned(),
            });
            return Ok(());
        }
    }
    for (name, value) in defaults.into_iter().flatten() {
        if field(result.as_ref(), name).is_none_or(|there| there.is_null()) {
            *result = put(result.as_ref(), name, value)?;
        }
    }
    for (name, rules) in rules.into_iter().flatten() {
        ctx.check()?;
        let parameter = format!("rules.{}", cut(name));
        if name.is_empty() || name.len() > MAX_NAME {
            return Err(NodeError::invalid(
                "rules",
                format_args!("names of fields have from 1 to {MAX_NAME} bytes"),
            ));
        }
        let rules = read(rules, &parameter)?;
        // A dot could lead anywhere; a default has to have one place.
        let defaulted = rules.iter().any(|rule| matches!(rule.demand, Demand::Default(_)));
        if defaulted && name.split('.').any(str::is_empty) {
            return Err(NodeError::invalid(
                &parameter,
                "a field with a default needs a name without empty parts",
            ));
        }
        let there = field(result.as_ref(), name);
        let checked = check(name, there, result.as_ref(), &rules, taken)?;
        if let Some(becomes) = found.take(checked) {
            *result = put(result.as_ref(), name, becomes.as_ref())?;
        }
    }
    Ok(())
}

/// The value with another one in a field; a dot in its name leads into maps, which are made where there is nothing, and
/// to positions of lists that are there.
fn put(whole: ValueRef<'_>, name: &str, value: ValueRef<'_>) -> NodeResult<Value> {
    let (key, rest) = match name.split_once('.') {
        Some((key, rest)) if whole.get(name).is_none() => (key, Some(rest)),
        _ => (name, None),
    };
    let empty = Value::empty_map();
    let there = step(whole, key);
    let inner = match rest {
        None => value.to_value(),
        Some(rest) => {
            let there = there.filter(|there| !there.is_null());
            put(there.unwrap_or(empty.as_ref()), rest, value)?
        }
    };
    if let (Some(list), Some(_)) = (whole.as_list(), there) {
        let items = list.iter().enumerate();
        let is_it = |place: usize| key.parse() == Ok(place);
        let items = items.map(|(place, item)| if is_it(place) { inner.as_ref() } else { item });
        return Ok(Value::from_items(items)?);
    }
    let Some(entries) = whole.as_map() else {
        let why = format_args!(
            "`{}` leads into {}, which has no fields",
            cut(name),
            kind_name(whole)
        );
        return Err(NodeError::invalid("rules", why));
    };
    let kept = entries.iter();
    let kept = kept.map(|(there, value)| (there, if there == key { inner.as_ref() } else { value }));
    let new = there.is_none().then_some((key, inner.as_ref()));
    Ok(Value::from_pairs(kept.chain(new))?)
}

/// The violations so far.
#[derive(Default)]
struct Found {
    told: Vec<Violation>,
    count: usize,
}

impl Found {
    fn count(&mut self, violation: Violation) {
        self.count += 1;
        if self.told.len() < MAX_TOLD {
            self.told.push(violation);
        }
    }

    /// What the field becomes; its violations are counted.
    fn take(&mut self, checked: Checked) -> Option<Value> {
        checked
            .violations
            .into_iter()
            .for_each(|violation| self.count(violation));
        checked.becomes
    }

    /// An error for what is wrong.
    fn judged(self, message: Option<&str>) -> NodeResult<()> {
        if self.count == 0 {
            return Ok(());
        }
        let told = self.told.iter().take(MAX_IN_MESSAGE);
        let mut why: Vec<&str> = told.map(|violation| violation.message.as_str()).collect();
        let more = format!("and {} more", self.count - why.len());
        if self.count > why.len() {
            why.push(&more);
        }
        let message = message.map_or_else(|| why.join("; "), str::to_owned);
        let details = Details {
            violations: &self.told,
            count: self.count,
        };
        Err(NodeError::with_code(code::VALIDATION_FAILED, message)
            .status(400)
            .retryable(false)
            .details(Value::from_serialize(&details)?))
    }
}

#[output]
struct Details<'f> {
    /// What is wrong, field by field.
    violations: &'f [Violation],
    /// How much is wrong, also where it is too much to be told.
    count: usize,
}
