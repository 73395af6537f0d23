//! Names with values: queries, headers, forms.
//!
//! Invariant: a pair is two texts. What cannot be written as a text without losing something is an error that names the
//! parameter, never `[object Object]`.

use plugin_api::prelude::*;
use plugin_api::reading::{kind_name, text_of};

/// The most pairs of one parameter.
const MOST_PAIRS: usize = 1_000;

/// Names and their values, in order; a name may come more than once.
pub(crate) type Pairs = Vec<(String, String)>;

/// Reads a map of names to values, a list of `{name, value}`, or a map that has such a list under `parameters`,
/// `entries` or `values` (as n8n writes it). A value that is null is left out; one that is a list gives a pair for each
/// item.
///
/// # Errors
/// When it is something else.
pub(crate) fn pairs(value: ValueRef<'_>, parameter: &str) -> NodeResult<Pairs> {
    let mut found = Pairs::new();
    if let Some(list) = listed(value) {
        for item in list.iter() {
            let name = item.get("name").or_else(|| item.get("key"));
            let name = name.and_then(text_of).filter(|name| !name.is_empty());
            let missing = || NodeError::invalid(parameter, "an item of the list lacks its `name`");
            let name = name.ok_or_else(missing)?;
            add(
                &mut found,
                &name,
                item.get("value").unwrap_or(ValueRef::NULL),
                parameter,
            )?;
        }
    } else if let Some(map) = value.as_map() {
        for (name, value) in map.iter() {
            add(&mut found, name, value, parameter)?;
        }
    } else if !value.is_null() {
        return Err(NodeError::invalid(
            parameter,
            format_args!(
                "expected a map of names to values, or a list of `name` and `value`, found {}",
                kind_name(value)
            ),
        ));
    }
    Ok(found)
}

fn listed(value: ValueRef<'_>) -> Option<plugin_api::value::ListRef<'_>> {
    if let Some(list) = value.as_list() {
        return Some(list);
    }
    let map = value.as_map().filter(|map| map.len() == 1)?;
    let wrapped = |key| map.get(key).and_then(|inner: ValueRef<'_>| inner.as_list());
    let list = ["parameters", "entries", "values"]
        .into_iter()
        .find_map(wrapped)?;
    list.iter().all(|item| item.as_map().is_some()).then_some(list)
}

fn add(found: &mut Pairs, name: &str, value: ValueRef<'_>, parameter: &str) -> NodeResult<()> {
    if let Some(list) = value.as_list() {
        return list.iter().try_for_each(|item| one(found, name, item, parameter));
    }
    one(found, name, value, parameter)
}

fn one(found: &mut Pairs, name: &str, value: ValueRef<'_>, parameter: &str) -> NodeResult<()> {
    if value.is_null() {
        return Ok(());
    }
    // What is found is not shown: it may be secret.
    let wrong = || {
        NodeError::invalid(
            parameter,
            format_args!(
                "the value of `{}` must be a text, a number or a boolean, but is {}",
                brief(name),
                kind_name(value)
            ),
        )
    };
    let text = text_of(value).ok_or_else(wrong)?;
    if found.len() >= MOST_PAIRS {
        return Err(NodeError::invalid(
            parameter,
            format_args!("must not have more than {MOST_PAIRS} values"),
        ));
    }
    found.push((name.to_owned(), text.into_owned()));
    Ok(())
}

/// A name as it is shown in a message: short, and without control characters.
pub(crate) fn brief(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_control())
        .take(60)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Pairs, NodeError> {
        pairs(Value::from_json(json).unwrap().as_ref(), "query")
    }

    fn texts(pairs: &Pairs) -> Vec<String> {
        pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    #[test]
    fn all_ways_of_writing_pairs_are_read() {
        for (json, expected) in [
            ("null", vec![]),
            ("{}", vec![]),
            ("[]", vec![]),
            (
                r#"{"b": 1, "a": "x", "c": true, "d": 0.5}"#,
                vec!["b=1", "a=x", "c=true", "d=0.5"],
            ),
            (r#"{"a": null, "b": ""}"#, vec!["b="]),
            (r#"{"a": [1, null, 2]}"#, vec!["a=1", "a=2"]),
            (
                r#"[{"name": "a", "value": 1}, {"name": "a", "value": 2}]"#,
                vec!["a=1", "a=2"],
            ),
            (r#"{"parameters": [{"name": "a", "value": 1}]}"#, vec!["a=1"]),
            (r#"{"entries": [{"name": "a", "value": "x"}]}"#, vec!["a=x"]),
            (
                r#"{"parameters": ["x", "y"]}"#,
                vec!["parameters=x", "parameters=y"],
            ),
        ] {
            assert_eq!(texts(&read(json).unwrap()), expected, "{json}");
        }
    }

    #[test]
    fn what_is_no_pair_is_an_error_that_names_the_parameter_and_not_the_value() {
        for json in [
            "1",
            r#""a=1""#,
            "true",
            r#"{"a": {"hidden": 1}}"#,
            r#"{"a": [["hidden"]]}"#,
            r#"[{"value": "hidden"}]"#,
            r#"["hidden"]"#,
        ] {
            let error = read(json).unwrap_err();
            assert_eq!(error.code, "VALIDATION_FAILED", "{json}");
            assert!(error.message.contains("`query`"), "{json}: {error}");
            assert!(!error.message.contains("hidden"), "{json}: {error}");
        }
    }

    #[test]
    fn the_number_of_pairs_is_bounded() {
        let list = |count: usize| format!(r#"{{"a": [{}]}}"#, vec!["1"; count].join(","));
        assert_eq!(read(&list(MOST_PAIRS)).unwrap().len(), MOST_PAIRS);
        assert!(read(&list(MOST_PAIRS + 1)).is_err());
    }
}
