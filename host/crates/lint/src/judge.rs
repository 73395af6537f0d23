//! Values against schemas.
//!
//! Invariant: nothing is fetched, patterns are matched in linear time, and a schema that refers to itself without taking
//! a step into the value, which would never end, is refused before it is used.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value as Json;

/// Reasons that are told for one value.
const MOST_REASONS: usize = 3;
/// Steps that are followed from one reference to the next.
const MOST_STEPS: usize = 64;
/// Values of a schema that are looked at.
const MOST_VALUES: usize = 100_000;

/// A schema that can be asked.
pub(crate) struct Judge(Validator);

impl Judge {
    /// Prepares a schema.
    pub(crate) fn of(schema: &Json) -> Result<Self, String> {
        let mut left = MOST_VALUES;
        if !every_reference_ends(schema, schema, &mut left) {
            return Err("a reference leads nowhere, to another document, or back to itself".into());
        }
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        options.build(schema).map(Self).map_err(|error| error.to_string())
    }

    /// Why a value does not fit; empty when it does.
    pub(crate) fn reasons(&self, value: &Json) -> Vec<String> {
        let reasons = self.0.iter_errors(value).take(MOST_REASONS);
        reasons
            .map(|error| {
                let place = error.instance_path().to_string();
                let text: String = error.to_string().chars().take(200).collect();
                if place.is_empty() {
                    text
                } else {
                    format!("{place}: {text}")
                }
            })
            .collect()
    }
}

/// Keywords whose schemas are asked about the same value.
const SAME_VALUE: [&str; 7] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else"];

/// Whether every reference in `part` is to a place in `root` from which no chain of references comes back to it without
/// a step into the value.
fn every_reference_ends(part: &Json, root: &Json, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else {
        return false;
    };
    *left = rest;
    match part {
        Json::Object(map) => {
            (!map.contains_key("$ref") || ends(part, root, MOST_STEPS, left))
                && map.values().all(|value| every_reference_ends(value, root, left))
        }
        Json::Array(items) => items.iter().all(|value| every_reference_ends(value, root, left)),
        _ => true,
    }
}

fn ends(schema: &Json, root: &Json, steps: usize, left: &mut usize) -> bool {
    let (Some(steps), Some(rest)) = (steps.checked_sub(1), left.checked_sub(1)) else {
        return false;
    };
    *left = rest;
    let Json::Object(map) = schema else { return true };
    if ["$dynamicRef", "$recursiveRef", "$id", "$anchor"]
        .iter()
        .any(|key| map.contains_key(*key))
    {
        return false;
    }
    if let Some(reference) = map.get("$ref") {
        let target = reference.as_str().and_then(|text| text.strip_prefix('#'));
        match target.and_then(|pointer| root.pointer(pointer)) {
            Some(target) if ends(target, root, steps, left) => {}
            _ => return false,
        }
    }
    SAME_VALUE
        .iter()
        .filter_map(|key| map.get(*key))
        .all(|value| match value {
            Json::Array(items) => items.iter().all(|item| ends(item, root, steps, left)),
            other => ends(other, root, steps, left),
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_that_refers_to_itself_for_ever_is_refused_and_a_tree_is_not() {
        for schema in [
            json!({"$ref": "#"}),
            json!({"allOf": [{"$ref": "#"}]}),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}}),
            json!({"$ref": "https://example.com/schema.json"}),
            json!({"$ref": "#/$defs/nowhere"}),
            json!({"properties": {"a": {"not": {"$ref": "#/properties/a"}}}}),
        ] {
            assert!(Judge::of(&schema).is_err(), "{schema}");
        }
        let tree =
            json!({"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}});
        let judge = Judge::of(&tree).unwrap();
        assert!(judge.reasons(&json!({"children": [{"children": []}]})).is_empty());
        assert_eq!(judge.reasons(&json!({"children": [{"children": 1}]})).len(), 1);
    }

    #[test]
    fn reasons_name_the_place_and_are_few() {
        let judge = Judge::of(&json!({"items": {"type": "string"}})).unwrap();
        let reasons = judge.reasons(&json!(vec![1; 1000]));
        assert_eq!(reasons.len(), MOST_REASONS);
        assert!(reasons[0].starts_with("/0: "), "{reasons:?}");
    }

    #[test]
    fn a_pattern_cannot_take_for_ever() {
        let judge = Judge::of(&json!({"pattern": "^(a|a)*b$"})).unwrap();
        assert_eq!(judge.reasons(&json!("a".repeat(100_000))).len(), 1);
    }
}
