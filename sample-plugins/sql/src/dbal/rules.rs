//! Rules that values have to meet: `"amount": "required|number|min:1"`.
//!
//! Invariant: a field is told of by the first rule that it breaks; what is not there breaks only `required`. A rule that is
//! not known is a mistake of the workflow and not of the data.

use plugin_api::prelude::*;
use plugin_api::reading::shown;
use plugin_api::value::{Kind, ListRef};

const RULES: &str = "rules";

const KNOWN: &str = "required, string, number, integer, boolean, array, object, email, uuid, url, date, min:n, max:n and \
                     in:a,b,c";

/// What the rules found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Findings {
    /// By field, in the order of the rules.
    pub(crate) errors: Vec<(String, String)>,
}

/// Holds a row against rules.
pub(crate) fn check(data: ValueRef<'_>, rules: ValueRef<'_>) -> NodeResult<Findings> {
    let Some(rules) = rules.as_map() else {
        return Err(NodeError::invalid(
            RULES,
            format_args!(
                "must be a map like {{\"email\": \"required|email\"}}, but is {}",
                shown(rules)
            ),
        ));
    };
    if data.as_map().is_none() {
        return Err(NodeError::invalid(
            "data",
            format_args!("must be a map, but is {}", shown(data)),
        ));
    }
    let mut findings = Findings::default();
    for (field, rules) in rules.iter() {
        let value = data.get(field).unwrap_or(ValueRef::NULL);
        if let Some(why) = broken(field, value, rules)? {
            findings.errors.push((field.to_owned(), why));
        }
    }
    Ok(findings)
}

fn broken(field: &str, value: ValueRef<'_>, rules: ValueRef<'_>) -> NodeResult<Option<String>> {
    let texts: Option<Vec<&str>> = match rules.kind() {
        Kind::Str => rules.as_str().map(|text| text.split('|').collect()),
        Kind::List => {
            let list = rules.as_list();
            list.iter()
                .flat_map(ListRef::iter)
                .map(|rule| rule.as_str())
                .collect()
        }
        _ => None,
    };
    let texts = texts.ok_or_else(|| {
        NodeError::invalid(
            RULES,
            format_args!(
                "`{field}` must have a text like `required|email`, but has {}",
                shown(rules)
            ),
        )
    })?;
    let is_missing = value.is_null() || value.as_str() == Some("");
    // All rules are read, so that a mistake among them is told whatever the data.
    let mut found = None;
    for text in texts.into_iter().map(str::trim).filter(|text| !text.is_empty()) {
        let (name, bound) = match text.split_once(':') {
            Some((name, bound)) => (name.trim(), Some(bound.trim())),
            None => (text, None),
        };
        let why = rule(field, value, name, bound)?;
        if found.is_none() && (!is_missing || name == "required") {
            found = why;
        }
    }
    Ok(found.map(|why| format!("{field} {why}")))
}

/// What is wrong with a value, in words that follow its name.
fn rule(field: &str, value: ValueRef<'_>, name: &str, bound: Option<&str>) -> NodeResult<Option<String>> {
    let kind = value.kind();
    let text = value.as_str();
    let when = |is_met: bool, why: &str| Ok((!is_met).then(|| why.to_owned()));
    match (name, bound) {
        ("required", None) => when(!(kind == Kind::Null || text == Some("")), "is required"),
        ("string", None) => when(kind == Kind::Str, "must be a text"),
        ("number", None) => when(matches!(kind, Kind::I64 | Kind::F64), "must be a number"),
        ("integer", None) => when(
            kind == Kind::I64 || value.as_f64().is_some_and(|number| number.fract() == 0.0),
            "must be a whole number",
        ),
        ("boolean", None) => when(kind == Kind::Bool, "must be true or false"),
        ("array", None) => when(kind == Kind::List, "must be a list"),
        ("object", None) => when(kind == Kind::Map, "must be a map"),
        ("email", None) => when(text.is_some_and(is_email), "must be an e-mail address"),
        ("uuid", None) => when(text.is_some_and(is_uuid), "must be a UUID"),
        ("url", None) => when(text.is_some_and(is_url), "must be a URL"),
        ("date", None) => when(text.is_some_and(is_date), "must be a date like 2024-12-31"),
        ("min" | "max", Some(bound)) => {
            let limit: f64 = bound
                .parse()
                .ok()
                .filter(|limit: &f64| limit.is_finite())
                .ok_or_else(|| {
                    NodeError::invalid(
                        RULES,
                        format_args!("`{name}` of `{field}` needs a number, not `{bound}`"),
                    )
                })?;
            let (size, of) = match kind {
                Kind::I64 | Kind::F64 => (value.as_f64().or(value.as_i64().map(|n| n as f64)), ""),
                Kind::Str => (text.map(|text| text.chars().count() as f64), " characters"),
                Kind::List => (value.as_list().map(|list| list.len() as f64), " items"),
                _ => (None, ""),
            };
            Ok(match size {
                Some(size) if name == "min" && size < limit => Some(format!("must be at least {bound}{of}")),
                Some(size) if name == "max" && size > limit => Some(format!("must be at most {bound}{of}")),
                Some(_) => None,
                None => Some("must be a number, a text or a list".to_owned()),
            })
        }
        ("in", Some(bound)) => {
            let shown = plugin_api::reading::text_of(value).unwrap_or_default();
            let is_one = bound.split(',').any(|choice| choice.trim() == shown);
            when(is_one, &format!("must be one of {bound}"))
        }
        _ => Err(NodeError::invalid(
            RULES,
            format_args!("`{name}` of `{field}` is not known, or lacks its number; known are {KNOWN}"),
        )),
    }
}

fn is_email(text: &str) -> bool {
    let mut parts = text.split('@');
    let (Some(local), Some(domain), None) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let dotted = domain
        .rsplit_once('.')
        .is_some_and(|(host, top)| !host.is_empty() && !top.is_empty());
    !local.is_empty() && dotted && !text.contains(char::is_whitespace)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !text.contains(char::is_whitespace)
    })
}

fn is_date(text: &str) -> bool {
    let mut parts = text.get(..10).unwrap_or_default().splitn(3, '-');
    let mut number = |digits: usize| {
        let part = parts.next()?;
        (part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())?
    };
    let (Some(year), Some(month), Some(day)) = (number(4), number(2), number(2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => 0,
    };
    let ends = text
        .get(10..)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('T'));
    ends && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(data: &str, rules: &str) -> Result<Vec<(String, String)>, NodeError> {
        let value = |json: &str| Value::from_json(json).unwrap();
        check(value(data).as_ref(), value(rules).as_ref()).map(|findings| findings.errors)
    }

    #[test]
    fn rules_are_broken_by_what_does_not_meet_them() {
        for (rule, good, bad) in [
            ("required", "0", "null"),
            ("required", "false", "\"\""),
            ("string", "\"x\"", "1"),
            ("number", "1.5", "\"1\""),
            ("integer", "2.0", "2.5"),
            ("boolean", "false", "0"),
            ("array", "[]", "{}"),
            ("object", "{}", "[]"),
            ("email", "\"a@b.c\"", "\"a@b\""),
            ("email", "\"a.b@c.d.e\"", "\"a @b.c\""),
            (
                "uuid",
                "\"123e4567-e89b-42d3-a456-426614174000\"",
                "\"123e4567e89b42d3a456426614174000\"",
            ),
            ("url", "\"https://a.b/c?d\"", "\"ftp://a\""),
            ("date", "\"2024-02-29\"", "\"2023-02-29\""),
            ("date", "\"2024-12-31T00:00:00Z\"", "\"2024-13-01\""),
            ("min:2", "2", "1.9"),
            ("max:2", "\"ab\"", "\"abc\""),
            ("max:1", "[1]", "[1, 2]"),
            ("in:a,b", "\"b\"", "\"c\""),
        ] {
            let rules = format!("{{\"x\": \"{rule}\"}}");
            assert_eq!(
                found(&format!("{{\"x\": {good}}}"), &rules).unwrap(),
                [],
                "{rule} {good}"
            );
            let broken = found(&format!("{{\"x\": {bad}}}"), &rules).unwrap();
            assert_eq!(broken.len(), 1, "{rule} {bad}");
        }
    }

    #[test]
    fn the_first_broken_rule_is_told_and_what_is_missing_breaks_only_one() {
        let rules = r#"{"a": "required|number|min:1", "b": "email", "c": ["string", "max:3"]}"#;
        let told = found(r#"{"c": "long text"}"#, rules).unwrap();
        assert_eq!(
            told,
            [
                ("a".to_owned(), "a is required".to_owned()),
                ("c".to_owned(), "c must be at most 3 characters".to_owned())
            ]
        );
    }

    #[test]
    fn rules_that_are_not_known_are_the_workflows_mistake() {
        for (data, rules, part) in [
            ("{}", r#"{"a": "emial"}"#, "`emial` of `a`"),
            ("{}", r#"{"a": "min"}"#, "lacks its number"),
            ("{}", r#"{"a": "min:x"}"#, "needs a number"),
            ("{}", r#"{"a": 1}"#, "must have a text"),
            ("{}", "[]", "must be a map"),
            ("[]", "{}", "parameter `data`"),
        ] {
            let error = found(data, rules).unwrap_err();
            assert!(error.message.contains(part), "{rules}: {error}");
        }
    }
}
