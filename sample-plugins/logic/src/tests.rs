use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

/// Parameters, and the result or the part of an error's message that names the parameter.
type Case = (&'static str, Result<&'static str, &'static str>);

fn check<N: Export>(cases: &[Case]) {
    let harness = Harness::new();
    harness.check_examples::<N>();
    assert!(N::meta().examples.len() >= 2, "{}", N::NODE_TYPE);
    for (input, expected) in cases {
        match (harness.call::<N>(input), expected) {
            (Ok(output), Ok(expected)) => {
                let expected = Value::from_json(&format!("{{\"result\":{expected}}}")).unwrap();
                assert_eq!(output, expected, "{} {input}", N::NODE_TYPE);
            }
            (Err(error), Err(part)) => {
                assert_eq!(error.code, code::VALIDATION_FAILED, "{} {input}", N::NODE_TYPE);
                assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
            }
            (found, expected) => panic!("{} {input}: {found:?}, expected {expected:?}", N::NODE_TYPE),
        }
    }
}

#[test]
fn truth_follows_javascript() {
    check::<not>(&[
        (r#"{"value": null}"#, Ok("true")),
        (r#"{"value": ""}"#, Ok("true")),
        (r#"{"value": -0.0}"#, Ok("true")),
        (r#"{"value": "false"}"#, Ok("false")),
        (r#"{"value": {}}"#, Ok("false")),
        (r#"{"value": 9007199254740993}"#, Ok("false")),
    ]);
}

#[test]
fn and_and_or_take_a_list_of_anything() {
    check::<and>(&[
        (r#"{"values": null}"#, Ok("true")),
        (r#"{"values": [[], {}, "0"]}"#, Ok("true")),
        (
            r#"{"values": true}"#,
            Err("expected a list, found true, at `values`"),
        ),
        (r#"{"values": {"a": 1}}"#, Err("`values`")),
    ]);
    check::<or>(&[
        (r#"{}"#, Ok("false")),
        (r#"{"values": [null, 0, [0]]}"#, Ok("true")),
        (r#"{"values": "yes"}"#, Err("`values`")),
    ]);
}

#[test]
fn xor_takes_two_values_or_a_list_and_not_both() {
    check::<xor>(&[
        (r#"{}"#, Ok("false")),
        (r#"{"a": 1}"#, Ok("true")),
        (r#"{"values": [1, 1, 1]}"#, Ok("false")),
        (r#"{"values": [0, 0, 5]}"#, Ok("true")),
        (r#"{"values": null, "b": 1}"#, Ok("true")),
        (r#"{"values": [1], "b": null}"#, Err("`values`: give either")),
        (r#"{"values": 1}"#, Err("`values`")),
    ]);
}

#[test]
fn equality_is_deep_and_types_count_unless_told_otherwise() {
    check::<equals>(&[
        (
            r#"{"a": {"x": [1, 2], "y": null}, "b": {"y": null, "x": [1.0, 2]}}"#,
            Ok("true"),
        ),
        (r#"{"a": {"x": 1}, "b": {"x": 1, "y": 2}}"#, Ok("false")),
        (r#"{"a": {"x": null}, "b": {"y": null}}"#, Ok("false")),
        (r#"{"a": [1, 2], "b": [2, 1]}"#, Ok("false")),
        (r#"{"a": 0.0, "b": -0.0}"#, Ok("true")),
        (r#"{"a": 9007199254740993, "b": 9007199254740992.0}"#, Ok("false")),
        (r#"{"a": 9007199254740993, "b": 9007199254740993}"#, Ok("true")),
        (r#"{"a": true, "b": 1}"#, Ok("false")),
        (r#"{"a": true, "b": 1, "strict": false}"#, Ok("true")),
        (r#"{"a": "1e1", "b": 10, "strict": false}"#, Ok("true")),
        (r#"{"a": "1", "b": "1.0", "strict": false}"#, Ok("false")),
        (r#"{"a": [1, "2"], "b": ["1", 2], "strict": false}"#, Ok("true")),
        (r#"{"a": null, "b": 0, "strict": false}"#, Ok("false")),
        (r#"{}"#, Ok("true")),
        (r#"{"b": null}"#, Ok("false")),
        (r#"{"b": null, "strict": false}"#, Ok("true")),
        (r#"{"a": 1, "b": 1, "strict": "no"}"#, Err("`strict`")),
    ]);
    check::<not_equals>(&[
        (r#"{"a": [1], "b": [1]}"#, Ok("false")),
        (r#"{"a": 1, "b": "1"}"#, Ok("true")),
    ]);
}

#[test]
fn membership_is_by_deep_equality_under_any_name_of_the_list() {
    check::<contained>(&[
        (r#"{"value": [1], "collection": [[1.0]]}"#, Ok("true")),
        (r#"{"value": null, "list": [1, null]}"#, Ok("true")),
        (r#"{"value": 1, "array": {"a": 1}}"#, Ok("false")),
        (r#"{"value": 1, "array": [1], "list": [1]}"#, Err("`array`")),
    ]);
}

#[test]
fn order_is_of_two_numbers_or_two_texts_and_else_an_error() {
    check::<gt>(&[
        (r#"{"a": "10", "b": "9"}"#, Ok("false")),
        (r#"{"a": 9007199254740993, "b": 9007199254740992.0}"#, Ok("true")),
        (r#"{"a": 1e300, "b": 9223372036854775807}"#, Ok("true")),
        (r#"{"a": -1e300, "b": -9223372036854775808}"#, Ok("false")),
        (r#"{"a": true, "b": 0}"#, Ok("true")),
        (
            r#"{"a": "x", "b": 1}"#,
            Err("`a`: expected a number, or a text beside another text, found \"x\""),
        ),
        (r#"{"a": 1, "b": "inf"}"#, Err("`b`")),
        (r#"{"a": 1, "b": "NaN"}"#, Err("`b`")),
        (
            r#"{"a": 1}"#,
            Err("`b`: expected a number, or a text beside another text, found nothing"),
        ),
        (r#"{"a": null, "b": 1}"#, Err("`a`")),
        (r#"{"a": [2], "b": 1}"#, Err("`a`")),
    ]);
    check::<gte>(&[(r#"{"a": "b", "b": "b"}"#, Ok("true"))]);
    check::<lt>(&[
        (r#"{"a": "B", "b": "a"}"#, Ok("true")),
        (r#"{"a": {}, "b": 1}"#, Err("`a`")),
    ]);
    check::<lte>(&[(r#"{"a": 2.5, "b": 2}"#, Ok("false"))]);
    check::<between>(&[
        (r#"{"value": 3, "min": "1", "max": 4.5}"#, Ok("true")),
        (r#"{"value": "m", "min": "a", "max": "z"}"#, Ok("true")),
        (r#"{"value": 3, "min": 4, "max": 1}"#, Ok("false")),
        (
            r#"{"value": 1, "min": 1, "max": 3, "inclusive": false}"#,
            Ok("false"),
        ),
        (r#"{"value": 1, "max": 3}"#, Err("`min`")),
        (r#"{"min": 1, "max": 3}"#, Err("`value`")),
        (r#"{"value": 1, "min": 0, "max": []}"#, Err("`max`")),
    ]);
}

#[test]
fn choices_keep_the_type_of_what_is_chosen() {
    check::<ternary>(&[
        (r#"{"condition": [], "then": [1.5]}"#, Ok("[1.5]")),
        (r#"{"condition": "", "then": 1}"#, Ok("null")),
        (r#"{}"#, Ok("null")),
    ]);
    check::<coalesce>(&[
        (r#"{"values": [null, "", 1]}"#, Ok(r#""""#)),
        (r#"{"values": []}"#, Ok("null")),
        (r#"{"values": "a"}"#, Err("`values`")),
    ]);
}

#[test]
fn presence_and_type_tell_missing_from_null() {
    check::<is_null>(&[(r#"{"value": []}"#, Ok("false"))]);
    check::<is_empty>(&[
        (r#"{}"#, Ok("true")),
        (r#"{"value": false}"#, Ok("false")),
        (r#"{"value": " "}"#, Ok("false")),
        (r#"{"value": [null]}"#, Ok("false")),
    ]);
    check::<type_of>(&[
        (r#"{"value": true}"#, Ok(r#""boolean""#)),
        (r#"{"value": 1.5}"#, Ok(r#""number""#)),
        (r#"{"value": "a"}"#, Ok(r#""string""#)),
    ]);
}
