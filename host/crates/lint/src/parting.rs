//! Where two values part.

use serde_json::Value as Json;

/// Places that are told; two values that differ in more of them are of two kinds.
const MOST_PLACES: usize = 20;
/// Characters of a value that are quoted.
const MOST_QUOTED: usize = 120;

/// One line for each place at which `got` is not what was `expected`, as a JSON pointer with both values.
#[must_use]
pub fn parting(expected: &Json, got: &Json) -> Vec<String> {
    let mut places = Vec::new();
    walk("", expected, got, &mut places);
    if places.len() > MOST_PLACES {
        places.truncate(MOST_PLACES);
        places.push("and more".into());
    }
    places
}

fn walk(at: &str, expected: &Json, got: &Json, places: &mut Vec<String>) {
    if places.len() > MOST_PLACES || expected == got {
        return;
    }
    let shown = if at.is_empty() { "the output" } else { at };
    match (expected, got) {
        (Json::Object(expected), Json::Object(got)) => {
            for (key, value) in expected {
                let at = format!("{at}/{}", escaped(key));
                match got.get(key) {
                    Some(other) => walk(&at, value, other, places),
                    None => places.push(format!("{at}: expected {}, and it is missing", quoted(value))),
                }
            }
            for (key, value) in got.iter().filter(|(key, _)| !expected.contains_key(*key)) {
                places.push(format!(
                    "{at}/{}: {} was not expected",
                    escaped(key),
                    quoted(value)
                ));
            }
        }
        (Json::Array(expected), Json::Array(got)) if expected.len() == got.len() => {
            for (index, (value, other)) in expected.iter().zip(got).enumerate() {
                walk(&format!("{at}/{index}"), value, other, places);
            }
        }
        (Json::Array(wanted), Json::Array(found)) => places.push(format!(
            "{shown}: expected {} items, got {}: {}",
            wanted.len(),
            found.len(),
            quoted(got)
        )),
        _ => places.push(format!(
            "{shown}: expected {}, got {}",
            quoted(expected),
            quoted(got)
        )),
    }
}

/// A key as a JSON pointer spells it.
fn escaped(key: &str) -> String {
    cut(&key.replace('~', "~0").replace('/', "~1"))
}

fn quoted(value: &Json) -> String {
    cut(&value.to_string())
}

fn cut(text: &str) -> String {
    if text.chars().count() <= MOST_QUOTED {
        return text.to_owned();
    }
    let start: String = text.chars().take(MOST_QUOTED).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_values_part_nowhere() {
        assert!(parting(&json!({"a": [1, {"b": null}]}), &json!({"a": [1, {"b": null}]})).is_empty());
    }

    #[test]
    fn each_place_is_named_by_its_pointer_with_both_values() {
        let expected = json!({"a": {"b/c": 1, "gone": true}, "list": [1, 2], "same": 0});
        let got = json!({"a": {"b/c": "1", "new": []}, "list": [1, 3], "same": 0});
        assert_eq!(
            parting(&expected, &got),
            [
                "/a/b~1c: expected 1, got \"1\"",
                "/a/gone: expected true, and it is missing",
                "/a/new: [] was not expected",
                "/list/1: expected 2, got 3",
            ]
        );
        assert_eq!(parting(&json!(1), &json!(2)), ["the output: expected 1, got 2"]);
        assert_eq!(
            parting(&json!([1]), &json!([1, 2])),
            ["the output: expected 1 items, got 2: [1,2]"]
        );
    }

    #[test]
    fn large_values_are_quoted_in_part_and_many_places_are_cut() {
        let long = "x".repeat(1 << 20);
        let told = parting(&json!(long), &json!(0));
        assert!(told[0].len() < 400, "{}", told[0].len());
        let many: Vec<u32> = (0..1000).collect();
        let others: Vec<u32> = (1..1001).collect();
        let told = parting(&json!(many), &json!(others));
        assert_eq!((told.len(), told[20].as_str()), (21, "and more"));
    }
}
