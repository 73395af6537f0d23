use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;
use plugin_api::value::Writer;

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

pub(crate) fn call<N: Export>(input: &Value) -> NodeResult<Value> {
    let harness = Harness::new();
    let output = harness.instance::<N>("null")?.call_value(input.as_ref())?;
    Ok(output.as_ref().get("result").unwrap().to_value())
}

/// Parameters with one value that JSON has no form for.
fn with_bytes(bytes: &[u8]) -> Value {
    let mut out = Vec::new();
    let write = Writer::new(&mut out).map(|map| map.entry("value", |entry| entry.bytes(bytes)));
    write.unwrap();
    Value::from_encoded(out).unwrap()
}

pub(crate) fn with_value(value: &Value) -> Value {
    let mut out = Vec::new();
    let write = Writer::new(&mut out).map(|map| map.entry("value", |entry| entry.value(value.as_ref())));
    write.unwrap();
    Value::from_encoded(out).unwrap()
}

#[test]
fn text_is_what_javascript_writes() {
    check::<to_string>(&[
        (r#"{"value": null}"#, Ok(r#""""#)),
        (r#"{"value": 3.0}"#, Ok(r#""3""#)),
        (r#"{"value": -0.0}"#, Ok(r#""0""#)),
        (r#"{"value": 1e21}"#, Ok(r#""1e+21""#)),
        (r#"{"value": 1.5e-7}"#, Ok(r#""1.5e-7""#)),
        (r#"{"value": [1, "é"]}"#, Ok(r#""[1,\"é\"]""#)),
    ]);
    assert_eq!(
        call::<to_string>(&with_bytes("é".as_bytes())).unwrap(),
        Value::from("é")
    );
    let error = call::<to_string>(&with_bytes(&[0xff])).unwrap_err();
    assert!(error.message.contains("`value`"), "{error}");
}

#[test]
fn booleans_come_of_words_numbers_and_presence() {
    check::<to_boolean>(&[
        (r#"{"value": " On "}"#, Ok("true")),
        (r#"{"value": "2"}"#, Ok("false")),
        (r#"{"value": -0.0}"#, Ok("false")),
        (r#"{"value": 9007199254740993}"#, Ok("true")),
        (r#"{"value": {}}"#, Ok("true")),
        (r#"{}"#, Ok("false")),
    ]);
}

#[test]
fn a_whole_text_is_a_number_or_the_default() {
    check::<to_number>(&[
        (r#"{"value": " -12 "}"#, Ok("-12")),
        (r#"{"value": "1e3"}"#, Ok("1000")),
        (r#"{"value": ".5"}"#, Ok("0.5")),
        (r#"{"value": "5."}"#, Ok("5")),
        (r#"{"value": "."}"#, Ok("0")),
        (r#"{"value": "12px", "default": null}"#, Ok("0")),
        (r#"{"value": "12px", "default": "none"}"#, Ok(r#""none""#)),
        (r#"{"value": "0b101"}"#, Ok("5")),
        (r#"{"value": "0o17"}"#, Ok("15")),
        (r#"{"value": "0x", "default": 9}"#, Ok("9")),
        (r#"{"value": "-0x10", "default": 9}"#, Ok("9")),
        (r#"{"value": "0x-1", "default": 9}"#, Ok("9")),
        (r#"{"value": "1_000", "default": 9}"#, Ok("9")),
        (r#"{"value": "nan", "default": 9}"#, Ok("9")),
        (r#"{"value": "inf", "default": 9}"#, Ok("9")),
        (r#"{"value": "9223372036854775807"}"#, Ok("9223372036854775807")),
        (r#"{"value": 9007199254740993}"#, Ok("9007199254740993")),
        (r#"{"value": 2.0}"#, Ok("2")),
        (r#"{"value": true}"#, Ok("1")),
        (r#"{"value": [5], "default": 9}"#, Ok("9")),
        (
            r#"{"value": "1e999"}"#,
            Err("`value`: \"1e999\" is no finite number"),
        ),
        (
            r#"{"value": "-Infinity"}"#,
            Err("`value`: \"-Infinity\" is no finite number"),
        ),
        (r#"{"value": "0xffffffffffffffff"}"#, Err("`value`")),
    ]);
}

#[test]
fn the_number_a_text_starts_with_is_read_and_the_rest_left() {
    check::<to_float>(&[
        (r#"{"value": " -1.5e2x"}"#, Ok("-150")),
        (r#"{"value": "1e"}"#, Ok("1")),
        (r#"{"value": "1e+"}"#, Ok("1")),
        (r#"{"value": "1.2.3"}"#, Ok("1.2")),
        (r#"{"value": "-.5€"}"#, Ok("-0.5")),
        (r#"{"value": "é", "default": 7}"#, Ok("7")),
        (r#"{"value": "", "default": 7}"#, Ok("7")),
        (r#"{"value": 0.1}"#, Ok("0.1")),
        (r#"{"value": "1e999x"}"#, Err("`value`")),
        (r#"{"value": "Infinity!"}"#, Err("`value`")),
    ]);
    check::<to_integer>(&[
        (r#"{"value": "-7.9"}"#, Ok("-7")),
        (r#"{"value": -7.9}"#, Ok("-7")),
        (r#"{"value": "0x1F", "radix": 16}"#, Ok("31")),
        (r#"{"value": "0x1F"}"#, Ok("0")),
        (r#"{"value": "zz", "radix": 36}"#, Ok("1295")),
        (r#"{"value": "-9223372036854775808"}"#, Ok("-9223372036854775808")),
        (r#"{"value": 11, "radix": 2}"#, Ok("3")),
        (r#"{"value": "é9", "default": null}"#, Ok("0")),
        (r#"{"value": true}"#, Ok("1")),
        (
            r#"{"value": "9223372036854775808"}"#,
            Err("`value`: \"9223372036854775808\" is no integer of 64 bits"),
        ),
        (r#"{"value": 1e300}"#, Err("`value`")),
        (
            r#"{"value": "1", "radix": 37}"#,
            Err("`radix`: must be from 2 to 36, but is 37"),
        ),
        (r#"{"value": "1", "radix": -1}"#, Err("`radix`")),
        (r#"{"value": "1", "radix": "ten"}"#, Err("`radix`")),
    ]);
}

#[test]
fn json_that_is_none_gives_the_default() {
    check::<parse_json>(&[
        (r#"{"text": " 1 "}"#, Ok("1")),
        (r#"{"string": "[1"}"#, Ok("null")),
        (r#"{"value": "1 2", "default": "bad"}"#, Ok(r#""bad""#)),
        (r#"{"value": {"a": 1}}"#, Ok(r#"{"a": 1}"#)),
        (r#"{}"#, Ok("null")),
        (r#"{"value": "1", "text": "2"}"#, Err("`value`")),
    ]);
    let deep = format!(r#"{{"value": "{}", "default": "deep"}}"#, "[".repeat(100_000));
    let output = Harness::new().call::<parse_json>(&deep).unwrap();
    assert_eq!(output.to_json(), r#"{"result":"deep"}"#);
}

#[test]
fn json_is_indented_as_told() {
    check::<to_json>(&[
        (r#"{}"#, Ok(r#""null""#)),
        (
            r#"{"value": {"a": [1], "b": {}}, "pretty": true, "indent": 4}"#,
            Ok(r#""{\n    \"a\": [\n        1\n    ],\n    \"b\": {}\n}""#),
        ),
        (
            r#"{"value": ["\n  x"], "indent": 1}"#,
            Ok(r#""[\n \"\\n  x\"\n]""#),
        ),
        (r#"{"value": [1], "pretty": false, "indent": 4}"#, Ok(r#""[1]""#)),
        (r#"{"value": [1], "pretty": true, "indent": 0}"#, Ok(r#""[1]""#)),
        (r#"{"value": [1], "indent": -1}"#, Ok(r#""[1]""#)),
        (r#"{"value": [1], "indent": "1"}"#, Ok(r#""[\n 1\n]""#)),
        (
            r#"{"value": [1], "pretty": "False", "indent": 4}"#,
            Ok(r#""[1]""#),
        ),
        (r#"{"value": [1], "indent": 99}"#, Ok(r#""[\n          1\n]""#)),
        (r#"{"value": [1], "indent": "x"}"#, Err("`indent`")),
        (r#"{"value": [1], "pretty": 1}"#, Err("`pretty`")),
    ]);
}

#[test]
fn anything_becomes_a_list_or_a_map() {
    check::<to_array>(&[
        (r#"{"value": "[1, "}"#, Ok(r#"["[1", ""]"#)),
        (r#"{"value": ""}"#, Ok("[]")),
        (r#"{"value": "aé", "separator": ""}"#, Ok(r#"["a", "é"]"#)),
        (r#"{"value": "a1b", "separator": 1}"#, Ok(r#"["a", "b"]"#)),
        (r#"{"value": false}"#, Ok("[false]")),
        (r#"{}"#, Ok("[]")),
        (
            r#"{"value": "a", "separator": ["a"]}"#,
            Err("expected a text, found a list, at `separator`"),
        ),
    ]);
    check::<to_object>(&[
        (r#"{"value": {"b": 1, "a": 2}}"#, Ok(r#"{"b": 1, "a": 2}"#)),
        (r#"{"value": "{oops"}"#, Ok(r#"{"value": "{oops"}"#)),
        (r#"{"value": []}"#, Ok("{}")),
        (r#"{}"#, Ok(r#"{"value": null}"#)),
    ]);
    let many = Value::from_serialize(&vec![1; 100]).unwrap();
    assert_eq!(
        call::<to_object>(&with_value(&many)).unwrap().as_ref().get("99"),
        Some(Value::from(1).as_ref())
    );
}

#[test]
fn encodings_say_where_a_text_is_broken() {
    check::<base64_encode>(&[(r#"{}"#, Ok(r#""""#)), (r#"{"value": 12}"#, Ok(r#""MTI=""#))]);
    check::<base64_decode>(&[
        (r#"{"value": "YT8_"}"#, Ok(r#""a??""#)),
        (r#"{"value": "aGk=\n"}"#, Ok(r#""hi""#)),
        (r#"{"value": null}"#, Ok(r#""""#)),
        (r#"{"value": "a!b"}"#, Err("`value`: is no Base64")),
        (r#"{"value": {}}"#, Err("`value`: expected a text, found a map")),
    ]);
    check::<url_encode>(&[
        (r#"{"value": "-_.!~*'()"}"#, Ok(r#""-_.!~*'()""#)),
        (r#"{"value": 1.5}"#, Ok(r#""1.5""#)),
        (r#"{"value": []}"#, Err("`value`")),
        (r#"{"value": "a", "component": 1}"#, Err("`component`")),
    ]);
    check::<url_decode>(&[
        (r#"{"value": "a+%c3%a9"}"#, Ok(r#""a+é""#)),
        (r#"{"value": "%2f%20", "component": false}"#, Ok(r#""%2f ""#)),
        (
            r#"{"value": "ab%"}"#,
            Err("`value`: `%` at byte 2 is not followed by"),
        ),
        (r#"{"value": "%zz"}"#, Err("`value`")),
        (
            r#"{"value": "%ff"}"#,
            Err("`value`: what is decoded is no UTF-8 text"),
        ),
    ]);
}

#[test]
fn base64_of_what_is_no_text_gives_the_bytes_back() {
    let encoded = call::<base64_encode>(&with_bytes(&[0xff, 0xfe])).unwrap();
    let decoded = call::<base64_decode>(&with_value(&encoded)).unwrap();
    assert_eq!(decoded.as_ref().as_bytes(), Some([0xff, 0xfe].as_slice()));
}

#[test]
fn dates_are_read_in_many_forms_and_none_is_told() {
    let harness = Harness::new();
    harness.check_examples::<parse_date>();
    let noon = 1_709_209_800_000;
    let cases: &[(&str, Option<i64>)] = &[
        (r#""2024-02-29T12:30:00""#, Some(noon)),
        (r#""2024-02-29 12:30""#, Some(noon)),
        (r#""2024-02-29T12:30:00.999999999Z""#, Some(noon + 999)),
        (r#"" Thu, 29 Feb 2024 12:30:00 +0000 ""#, Some(noon)),
        (r#""Thu, 29 Feb 2024 12:30:00 GMT""#, Some(noon)),
        (r#""2/29/2024, 12:30:00 PM""#, Some(noon)),
        (r#""Feb 29, 2024""#, Some(noon - 45_000_000)),
        (r#""February 29, 2024""#, Some(noon - 45_000_000)),
        (r#""2024-02-29""#, Some(noon - 45_000_000)),
        (r#""Thu Feb 29 2024""#, Some(noon - 45_000_000)),
        (r#""29 feb 2024""#, Some(noon - 45_000_000)),
        (r#""2024-02-29T13:30+0100""#, Some(noon)),
        (r#""2024-02-29T12:30Z""#, Some(noon)),
        (r#""9999-12-31T23:59:59-01:00""#, None),
        (r#""2023-02-29""#, None),
        (r#""""#, None),
        ("null", None),
        ("-1.9", Some(-1)),
        ("1e300", None),
        ("9223372036854775807", None),
    ];
    for (value, expected) in cases {
        let output = harness
            .call::<parse_date>(&format!(r#"{{"value": {value}}}"#))
            .unwrap();
        let output = output.as_ref();
        assert_eq!(
            output.get("timestamp").and_then(|stamp| stamp.as_i64()),
            *expected,
            "{value}"
        );
        assert_eq!(
            output.get("valid").and_then(|valid| valid.as_bool()),
            Some(expected.is_some()),
            "{value}"
        );
    }
    let long = format!(r#"{{"value": "{}"}}"#, "2".repeat(1 << 20));
    assert_eq!(
        harness.call::<parse_date>(&long).unwrap().to_json(),
        r#"{"result":null,"valid":false}"#
    );
    let error = harness.call::<parse_date>(r#"{"value": true}"#).unwrap_err();
    assert!(error.message.contains("`value`: expected a date"), "{error}");
}

#[test]
fn dates_are_written_as_in_the_us() {
    check::<format_date>(&[
        (
            r#"{"value": 0, "format": "locale"}"#,
            Ok(r#""1/1/1970, 12:00:00 AM""#),
        ),
        (r#"{"value": -1, "format": "unix"}"#, Ok(r#""-1""#)),
        (r#"{"value": -1}"#, Ok(r#""1969-12-31T23:59:59.999Z""#)),
        (r#"{}"#, Ok("null")),
        (r#"{"value": [], "format": "iso"}"#, Err("`value`")),
        (r#"{"value": 0, "format": 1}"#, Err("`format`")),
    ]);
}

#[test]
fn names_of_other_languages_lead_to_the_same_node() {
    let names = |node: plugin_api::meta::NodeMeta| node.aliases.join(" ");
    assert_eq!(
        names(to_array::meta()),
        "convert.to_array convert.toList convert.to_list"
    );
    assert_eq!(
        names(to_object::meta()),
        "convert.to_object convert.toDict convert.to_dict"
    );
    for name in ["value", "text", "string"] {
        let output = Harness::new()
            .call::<parse_json>(&format!(r#"{{"{name}": "[1]"}}"#))
            .unwrap();
        assert_eq!(output.to_json(), r#"{"result":[1]}"#, "{name}");
    }
}

#[test]
fn a_schema_tells_the_bases_of_digits() {
    let radix = &to_integer::meta().parameters["properties"]["radix"];
    assert_eq!(
        [&radix["minimum"], &radix["maximum"], &radix["default"]],
        [2, 36, 10],
        "{radix}"
    );
}
