use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

/// Parameters, and the result or the part of an error's message that names the parameter.
type Case = (&'static str, Result<&'static str, &'static str>);

fn check<N: Export>(cases: &[Case]) {
    let harness = Harness::new();
    harness.check_examples::<N>();
    for (input, expected) in cases {
        match (harness.call::<N>(input), expected) {
            (Ok(output), Ok(expected)) => {
                let expected = Value::from_json(&format!("{{\"result\":{expected}}}")).unwrap();
                assert_eq!(output, expected, "{} {input}", N::NODE_TYPE);
            }
            (Err(error), Err(part)) => {
                assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
            }
            (found, expected) => panic!("{} {input}: {found:?}, expected {expected:?}", N::NODE_TYPE),
        }
    }
}

#[test]
fn case_follows_unicode_and_takes_numbers_and_booleans_as_text() {
    check::<upper>(&[
        (r#"{"value": "straße é"}"#, Ok(r#""STRASSE É""#)),
        (r#"{"value": 42}"#, Ok(r#""42""#)),
        (r#"{"value": 0}"#, Ok(r#""0""#)),
        (r#"{"value": false}"#, Ok(r#""FALSE""#)),
        (r#"{"value": null}"#, Ok(r#""""#)),
        (r#"{}"#, Ok(r#""""#)),
        (r#"{"text": "a"}"#, Ok(r#""A""#)),
        (r#"{"string": "a"}"#, Ok(r#""A""#)),
        (r#"{"string": "a", "value": "b"}"#, Err("`value`")),
        (
            r#"{"value": ["a"]}"#,
            Err("expected a text, found a list, at `value`"),
        ),
        (
            r#"{"value": {}}"#,
            Err("expected a text, found a map, at `value`"),
        ),
    ]);
    check::<lower>(&[
        (r#"{"value": "HeLLo"}"#, Ok(r#""hello""#)),
        (r#"{"value": "ÀÉ İ"}"#, Ok("\"àé i\u{307}\"")),
        (r#"{"value": 1.5}"#, Ok(r#""1.5""#)),
        (r#"{"value": 3.0}"#, Ok(r#""3""#)),
        (r#"{"value": -0.0}"#, Ok(r#""0""#)),
        (r#"{"value": 1e21}"#, Ok(r#""1e+21""#)),
        (r#"{"value": 1.5e-7}"#, Ok(r#""1.5e-7""#)),
    ]);
}

#[test]
fn concat_and_join_take_scalars_and_name_the_item_that_is_none() {
    check::<concat>(&[
        (
            r#"{"values": ["a", 1, true, null], "separator": "-"}"#,
            Ok(r#""a-1-true-""#),
        ),
        (r#"{"strings": ["a", "b"]}"#, Ok(r#""ab""#)),
        (r#"{}"#, Ok(r#""""#)),
        (
            r#"{"values": ["a", ["b"]]}"#,
            Err("`values[1]`: expected a text, found a list"),
        ),
        (r#"{"values": {"a": 1}}"#, Err("`values`")),
    ]);
    check::<join>(&[
        (r#"{"values": ["x", "y"]}"#, Ok(r#""x,y""#)),
        (r#"{"values": ["x", "y"], "separator": null}"#, Ok(r#""x,y""#)),
        (r#"{"values": ["x", "y"], "separator": ""}"#, Ok(r#""xy""#)),
        (r#"{"values": "notalist"}"#, Ok(r#""notalist""#)),
        (r#"{}"#, Ok(r#""""#)),
        (r#"{"values": [], "separator": []}"#, Err("`separator`")),
    ]);
}

#[test]
fn format_fills_each_placeholder_once_and_leaves_the_rest_alone() {
    check::<format>(&[
        (
            r#"{"template": "{a}{a}", "variables": {"a": "$&"}}"#,
            Ok(r#""$&$&""#),
        ),
        (
            r#"{"template": "{a}", "variables": {"a": "{b}", "b": 1}}"#,
            Ok(r#""{b}""#),
        ),
        (
            r#"{"template": "{a{b}} {", "variables": {"b": 1}}"#,
            Ok(r#""{a1} {""#),
        ),
        (
            r#"{"template": "} {} {é}", "variables": {"é": null, "": 2}}"#,
            Ok(r#""} 2 ""#),
        ),
        (
            r#"{"template": "{a}", "variables": {"a": {"k": [1]}}}"#,
            Ok(r#""{\"k\":[1]}""#),
        ),
        (r#"{}"#, Ok(r#""""#)),
        (r#"{"template": "{a}", "variables": []}"#, Err("`variables`")),
        (r#"{"template": {}}"#, Err("`template`")),
    ]);
}

#[test]
fn a_template_of_braces_is_read_once() {
    // Read again for each of its braces, this one would take hours.
    let template = "{".repeat(8 << 20);
    let output = Harness::new()
        .call::<format>(&format!(r#"{{"template": "{template}"}}"#))
        .unwrap();
    let result = output.as_ref().get("result");
    assert!(result.and_then(|text| text.as_str()) == Some(template.as_str()));
}

#[test]
fn searching_finds_what_is_there_and_the_empty_text_everywhere() {
    check::<includes>(&[
        (r#"{"value": "abc", "search": "c"}"#, Ok("true")),
        (r#"{"string": "abc", "substring": "d"}"#, Ok("false")),
        (r#"{}"#, Ok("true")),
        (r#"{"value": 123, "search": 2}"#, Ok("true")),
        (r#"{"value": "abc", "search": ["a"]}"#, Err("`search`")),
    ]);
    check::<starts_with>(&[
        (r#"{"value": "abc", "prefix": "ab"}"#, Ok("true")),
        (r#"{"value": "abc"}"#, Ok("true")),
        (r#"{"value": "abc", "prefix": {}}"#, Err("`prefix`")),
    ]);
    check::<ends_with>(&[
        (r#"{"value": "abc", "suffix": "bc"}"#, Ok("true")),
        (r#"{"value": "c", "suffix": "bc"}"#, Ok("false")),
        (r#"{"value": "abc", "suffix": []}"#, Err("`suffix`")),
    ]);
}

#[test]
fn replace_takes_the_replacement_as_it_stands_and_counts_when_told() {
    check::<replace>(&[
        (
            r#"{"value": "abc", "search": "x", "replacement": "y"}"#,
            Ok(r#""abc""#),
        ),
        (r#"{"value": "abc", "search": "b"}"#, Ok(r#""ac""#)),
        (
            r#"{"value": "abc", "search": "b", "replacement": "$&"}"#,
            Ok(r#""a$&c""#),
        ),
        (
            r#"{"value": "ab", "search": "", "replacement": "-"}"#,
            Ok(r#""-ab""#),
        ),
        (
            r#"{"value": "ab", "search": "", "replacement": "-", "all": true}"#,
            Ok(r#""-a-b-""#),
        ),
        (
            r#"{"text": "a-b-c", "old": "-", "new": "+", "count": 1}"#,
            Ok(r#""a+b-c""#),
        ),
        (
            r#"{"text": "a-b-c", "old": "-", "new": "+", "count": -1}"#,
            Ok(r#""a+b+c""#),
        ),
        (
            r#"{"text": "a-b-c", "old": "-", "new": "+", "count": 0}"#,
            Ok(r#""a-b-c""#),
        ),
        (r#"{"value": "a", "search": "a", "count": -2}"#, Err("`count`")),
        (
            r#"{"value": "a", "search": "a", "count": 1, "all": true}"#,
            Err("`count`"),
        ),
        (r#"{"value": "a", "search": "a", "all": "yes"}"#, Err("`all`")),
    ]);
}

#[test]
fn length_counts_code_points() {
    check::<length>(&[
        (r#"{"value": "héllo😀"}"#, Ok("6")),
        (r#"{"value": 0}"#, Ok("1")),
        (r#"{"value": ""}"#, Ok("0")),
        (r#"{}"#, Ok("0")),
        (r#"{"value": []}"#, Err("`value`")),
    ]);
}

#[test]
fn padding_counts_code_points_and_refuses_what_would_not_fit() {
    check::<pad_start>(&[
        (
            r#"{"value": "é", "length": 3, "fillString": "😀"}"#,
            Ok(r#""😀😀é""#),
        ),
        (r#"{"value": "5", "length": "3"}"#, Ok(r#""  5""#)),
        (r#"{"value": "5", "length": 3, "fillString": ""}"#, Ok(r#""5""#)),
        (r#"{"value": "5"}"#, Ok(r#""5""#)),
        (r#"{"length": 2, "fillString": "ab"}"#, Ok(r#""ab""#)),
        (
            r#"{"value": "5", "length": -1}"#,
            Err("`length`: must not be negative"),
        ),
        (
            r#"{"value": "5", "length": 1.5}"#,
            Err("expected a whole number, found 1.5, at `length`"),
        ),
        (
            r#"{"value": "5", "length": 1000000000000}"#,
            Err("`length`: the result would be longer than"),
        ),
    ]);
    check::<pad_end>(&[
        (
            r#"{"value": "abc", "length": 6, "fillString": "12"}"#,
            Ok(r#""abc121""#),
        ),
        (r#"{"value": 1, "length": 2, "fillString": 0}"#, Ok(r#""10""#)),
        (
            r#"{"value": "5", "length": 9223372036854775807}"#,
            Err("`length`"),
        ),
        (r#"{"value": "5", "length": "x"}"#, Err("`length`")),
    ]);
}

#[test]
fn trim_knows_its_modes_and_every_blank() {
    check::<trim>(&[
        (r#"{"value": "  x ", "mode": "end"}"#, Ok(r#""  x""#)),
        (r#"{"value": "\t\n x\u00a0", "mode": "nonsense"}"#, Ok(r#""x""#)),
        (r#"{"value": "\ufeffx\u2003"}"#, Ok(r#""x""#)),
        (r#"{"value": 5}"#, Ok(r#""5""#)),
        (r#"{"value": " ", "mode": 1}"#, Err("`mode`")),
        (r#"{"value": [" "]}"#, Err("`value`")),
    ]);
}

#[test]
fn substring_counts_code_points_and_swaps_its_ends() {
    check::<substring>(&[
        (r#"{"value": "workflow", "start": 0, "end": 4}"#, Ok(r#""work""#)),
        (r#"{"value": "workflow", "start": -3}"#, Ok(r#""workflow""#)),
        (r#"{"value": "workflow", "start": 4, "end": 0}"#, Ok(r#""work""#)),
        (r#"{"value": "abc", "start": 10}"#, Ok(r#""""#)),
        (r#"{"value": "abc", "start": 1, "end": 1}"#, Ok(r#""""#)),
        (r#"{"value": 12345, "start": "1", "end": 3.0}"#, Ok(r#""23""#)),
        (r#"{"value": "abc", "start": 0.5}"#, Err("`start`")),
        (r#"{"value": "abc", "end": true}"#, Err("`end`")),
    ]);
}

#[test]
fn split_keeps_empty_parts_and_knows_both_kinds_of_limit() {
    check::<split>(&[
        (r#"{"value": "a,b"}"#, Ok(r#"["a","b"]"#)),
        (r#"{}"#, Ok(r#"[""]"#)),
        (r#"{"value": "", "separator": ""}"#, Ok("[]")),
        (r#"{"value": "h😀", "separator": ""}"#, Ok(r#"["h","😀"]"#)),
        (r#"{"value": "a,b,c", "limit": 2}"#, Ok(r#"["a","b"]"#)),
        (r#"{"value": "a,b,c", "limit": 0}"#, Ok("[]")),
        (r#"{"value": "a,b,c", "maxSplits": 1}"#, Ok(r#"["a","b,c"]"#)),
        (r#"{"value": "a,b,c", "max_splits": -1}"#, Ok(r#"["a","b","c"]"#)),
        (
            r#"{"value": "abc", "separator": "", "maxSplits": 1}"#,
            Ok(r#"["a","bc"]"#),
        ),
        (r#"{"value": 1.5, "separator": "."}"#, Ok(r#"["1","5"]"#)),
        (r#"{"value": "a", "limit": -1}"#, Err("`limit`")),
        (r#"{"value": "a", "maxSplits": -2}"#, Err("`maxSplits`")),
        (r#"{"value": "a", "separator": {}}"#, Err("`separator`")),
    ]);
}

#[test]
fn outputs_far_beyond_their_inputs_are_refused_before_they_are_made() {
    let harness = Harness::new();
    let long = "x".repeat(100_000);
    let refused = |result: NodeResult<Value>| assert_eq!(result.unwrap_err().code, code::LIMIT_EXCEEDED);
    refused(harness.call::<replace>(&format!(
        r#"{{"value": "{long}", "search": "x", "replacement": "{long}", "all": true}}"#
    )));
    refused(harness.call::<join>(&format!(
        r#"{{"values": [{}0], "separator": "{long}"}}"#,
        "0,".repeat(10_000)
    )));
    refused(harness.call::<format>(&format!(
        r#"{{"template": "{}", "variables": {{"a": "{long}"}}}}"#,
        "{a}".repeat(10_000)
    )));
    refused(harness.call::<split>(&format!(r#"{{"value": "{}"}}"#, ",".repeat(1 << 20))));
}

#[test]
fn schemas_take_what_the_nodes_take() {
    let of_upper = upper::meta().parameters;
    assert_eq!(
        of_upper.pointer("/properties/value/type").unwrap().to_string(),
        r#"["string","number","boolean","null"]"#
    );
    let of_join = join::meta().parameters;
    assert_eq!(of_join.pointer("/properties/separator/default").unwrap(), ",");
    let of_format = format::meta().parameters;
    assert_eq!(
        of_format
            .pointer("/properties/variables/type")
            .unwrap()
            .to_string(),
        r#"["object","null"]"#
    );
    for parameters in [of_upper, of_join, of_format] {
        assert_eq!(parameters.get("required"), None, "{parameters}");
    }
}

#[test]
fn names_of_other_languages_lead_to_the_same_answer() {
    use serde_json::json;
    fn same<N: Export>(names: &[(&str, &str)], inputs: &[&str]) {
        let canonical = &N::meta().examples[0];
        let answer = Harness::new().call::<N>(&canonical.input.to_string()).unwrap();
        for (name, others) in names {
            for other in others.split(' ') {
                let mut input = canonical.input.clone();
                let map = input.as_object_mut().unwrap();
                let value = map.remove(*name).unwrap_or(json!(null));
                map.insert(other.to_owned(), value);
                let output = Harness::new().call::<N>(&input.to_string()).unwrap();
                assert_eq!(output, answer, "{} {input}", N::NODE_TYPE);
            }
        }
        for input in inputs {
            let output = Harness::new().call::<N>(input).unwrap();
            assert_eq!(output, answer, "{} {input}", N::NODE_TYPE);
        }
    }
    let of_text: &[_] = &[("value", "text string")];
    same::<upper>(of_text, &[]);
    same::<lower>(of_text, &[]);
    same::<trim>(of_text, &[]);
    same::<length>(of_text, &[]);
    same::<substring>(of_text, &[]);
    same::<starts_with>(of_text, &[]);
    same::<ends_with>(of_text, &[]);
    same::<split>(
        of_text,
        &[r#"{"text": "a,b,,c", "separator": ",", "max_splits": null}"#],
    );
    same::<pad_start>(&[("value", "text string"), ("fillString", "fill_string")], &[]);
    same::<pad_end>(&[("value", "text string"), ("fillString", "fill_string")], &[]);
    same::<includes>(
        &[("value", "text string"), ("search", "substring")],
        &[r#"{"string": "workflow", "substring": "flow"}"#],
    );
    same::<replace>(
        &[
            ("value", "text string"),
            ("search", "old"),
            ("replacement", "new"),
        ],
        &[r#"{"text": "a-b-c", "old": "-", "new": "+", "count": 1}"#],
    );
    same::<concat>(
        &[("values", "strings")],
        &[r#"{"strings": ["ab", "c"], "separator": ""}"#],
    );
    same::<join>(&[("values", "strings")], &[]);
    assert_eq!(includes::meta().aliases, ["string.contains"]);
}

#[test]
fn workflows_pass_their_parameters_flat() {
    check::<concat>(&[(
        r#"{"strings": ["Hello", "World"], "separator": " "}"#,
        Ok(r#""Hello World""#),
    )]);
    check::<upper>(&[(r#"{"text": "hello"}"#, Ok(r#""HELLO""#))]);
    check::<lower>(&[(r#"{"text": "WORLD"}"#, Ok(r#""world""#))]);
    check::<split>(&[(r#"{"text": "a,b,c", "separator": ","}"#, Ok(r#"["a","b","c"]"#))]);
    check::<length>(&[(r#"{"text": "Hello"}"#, Ok("5"))]);
    check::<format>(&[(
        r#"{"template": "User: {name}, Age: {age}, Adult: {is_adult}", "variables": {"name": "Alice", "age": 25, "is_adult": true}}"#,
        Ok(r#""User: Alice, Age: 25, Adult: true""#),
    )]);
}
