use std::collections::BTreeSet;

use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::meta::{Effect, NodeMeta};
use plugin_api::testing::Harness;
use plugin_api::value::Writer;

use super::*;

/// Parameters, and the result or a part of the error's message.
pub(crate) type Case = (&'static str, Result<&'static str, &'static str>);

pub(crate) fn check<N: Export>(cases: &[Case]) {
    let harness = Harness::new();
    harness.check_examples::<N>();
    for (input, expected) in cases {
        match (harness.call::<N>(input), expected) {
            (Ok(output), Ok(expected)) => {
                let output = output.as_ref().get("result").unwrap().to_value();
                assert_eq!(
                    output,
                    Value::from_json(expected).unwrap(),
                    "{} {input}",
                    N::NODE_TYPE
                );
            }
            (Err(error), Err(part)) => {
                assert_eq!(error.code, code::VALIDATION_FAILED, "{} {input}", N::NODE_TYPE);
                assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
            }
            (found, expected) => panic!("{} {input}: {found:?}, expected {expected:?}", N::NODE_TYPE),
        }
    }
}

macro_rules! metas {
    ($($node:ident),+ $(,)?) => { vec![$((stringify!($node), $node::meta())),+] };
}

fn metas() -> Vec<(&'static str, NodeMeta)> {
    metas![parse, stringify]
}

#[test]
fn every_node_is_described_and_has_two_examples() {
    let exported = include_str!("lib.rs").split_once("nodes: [").unwrap().1;
    let exported = exported.split_once(']').unwrap().0.split(',').map(str::trim);
    let exported: BTreeSet<&str> = exported.filter(|name| !name.is_empty()).collect();
    let metas = metas();
    assert_eq!(exported, metas.iter().map(|(name, _)| *name).collect());
    for (_, meta) in metas {
        assert!(meta.examples.len() >= 2, "{}", meta.node_type);
        assert!(!meta.description.is_empty(), "{}", meta.node_type);
        assert!(meta.node_type.starts_with("csv."), "{}", meta.node_type);
        assert_eq!(meta.effect, Effect::Pure, "{}", meta.node_type);
        for (name, parameter) in meta.parameters["properties"].as_object().unwrap() {
            let described = parameter["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            assert!(described, "{} {name}", meta.node_type);
        }
    }
}

#[test]
fn a_table_is_read_as_rfc_4180_has_it() {
    check::<parse>(&[
        (r#"{"value": "a,b\r\n1,2\r\n"}"#, Ok(r#"[{"a": "1", "b": "2"}]"#)),
        (r#"{"value": "a,b\n1,2"}"#, Ok(r#"[{"a": "1", "b": "2"}]"#)),
        (r#"{"value": "a,b\r1,2\r"}"#, Ok(r#"[{"a": "1", "b": "2"}]"#)),
        (r#"{"value": "\ufeffa\n1"}"#, Ok(r#"[{"a": "1"}]"#)),
        (
            r#"{"text": "a\n\"x,\"\"y\"\"\n\"\n"}"#,
            Ok(r#"[{"a": "x,\"y\"\n"}]"#),
        ),
        (r#"{"csv": "b,a\n1,2"}"#, Ok(r#"[{"b": "1", "a": "2"}]"#)),
        (r#"{"value": ",a\n1,2"}"#, Ok(r#"[{"": "1", "a": "2"}]"#)),
        (r#"{"value": "a\n\n\n1\n\n"}"#, Ok(r#"[{"a": "1"}]"#)),
        (r#"{"value": "a\n\"\"\n"}"#, Ok(r#"[{"a": ""}]"#)),
        (r#"{"value": "a,b"}"#, Ok("[]")),
        (r#"{"value": ""}"#, Ok("[]")),
        (r#"{"value": "\n\n", "headers": false}"#, Ok("[]")),
        (r#"{"value": "x", "headers": false}"#, Ok(r#"[["x"]]"#)),
        (
            r#"{"value": "x\nx\n", "headers": false}"#,
            Ok(r#"[["x"], ["x"]]"#),
        ),
        (r#"{"value": "x\n\n\n", "headers": false}"#, Ok(r#"[["x"]]"#)),
        (r#"{"value": "\"\nx\"", "headers": false}"#, Ok(r#"[["\nx"]]"#)),
        (r#"{"value": 5, "headers": false}"#, Ok(r#"[["5"]]"#)),
    ]);
}

#[test]
fn parameters_say_how_a_table_is_read() {
    check::<parse>(&[
        (
            r#"{"value": "1,2\n3,4", "headers": ["x", "y"]}"#,
            Ok(r#"[{"x": "1", "y": "2"}, {"x": "3", "y": "4"}]"#),
        ),
        (r#"{"value": "1,2", "headers": "false"}"#, Ok(r#"[["1", "2"]]"#)),
        (
            r#"{"value": "a\tb\n1\t2", "delimiter": "\t"}"#,
            Ok(r#"[{"a": "1", "b": "2"}]"#),
        ),
        (
            r#"{"value": "a\tb\n1\t2", "separator": "tab"}"#,
            Ok(r#"[{"a": "1", "b": "2"}]"#),
        ),
        (
            r#"{"value": "axb\n1x2", "delimiter": "x"}"#,
            Ok(r#"[{"a": "1", "b": "2"}]"#),
        ),
        (
            r#"{"value": "a\n'x,''y'", "quote": "'"}"#,
            Ok(r#"[{"a": "x,'y"}]"#),
        ),
        (r#"{"value": "a\n\"x", "quote": ""}"#, Ok(r#"[{"a": "\"x"}]"#)),
        (
            r#"{"value": " a , b \n 1 ,\" 2 \"", "trim": true}"#,
            Ok(r#"[{"a": "1", "b": "2"}]"#),
        ),
        (r#"{"value": " a \n 1 "}"#, Ok(r#"[{" a ": " 1 "}]"#)),
        (
            r#"{"value": "a,b,c,d\n1,-2.5,true,", "typed": true}"#,
            Ok(r#"[{"a": 1, "b": -2.5, "c": true, "d": null}]"#),
        ),
        (
            r#"{"value": "007,1e3,x", "headers": false, "typed": true}"#,
            Ok(r#"[["007", 1000.0, "x"]]"#),
        ),
        (
            r#"{"value": "a,b\n1\n", "flexible": true}"#,
            Ok(r#"[{"a": "1"}]"#),
        ),
        (
            r#"{"value": "1\n1,2\n", "headers": false, "flexible": true}"#,
            Ok(r#"[["1"], ["1", "2"]]"#),
        ),
        (
            r#"{"value": "a\n1\n2\n3", "limit": 2}"#,
            Ok(r#"[{"a": "1"}, {"a": "2"}]"#),
        ),
        (r#"{"value": "a\n1\n\"2", "limit": 1}"#, Ok(r#"[{"a": "1"}]"#)),
        (r#"{"value": "a\n1", "limit": 0}"#, Ok("[]")),
    ]);
    let output = Harness::new()
        .call::<parse>(r#"{"value": "1,2\n3,4", "headers": ["x", "y"]}"#)
        .unwrap();
    assert_eq!(output.as_ref().get("headers").unwrap().to_json(), r#"["x","y"]"#);
    assert_eq!(output.as_ref().get("count").unwrap().as_i64(), Some(2));
}

#[test]
fn a_table_that_is_wrong_is_refused_with_the_row() {
    check::<parse>(&[
        (r#"{}"#, Err("`value`: is missing")),
        (
            r#"{"value": null}"#,
            Err("`value`: expected a text or bytes, found null"),
        ),
        (
            r#"{"value": ["a"]}"#,
            Err("`value`: expected a text or bytes, found a list"),
        ),
        (
            r#"{"value": "a,b\n1,2\n3\n"}"#,
            Err("`value`: row 3 has 1 cells, and 2 were expected"),
        ),
        (
            r#"{"value": "a,b\n1,2,3\n"}"#,
            Err("`value`: row 2 has 3 cells, and 2 were expected"),
        ),
        (
            r#"{"value": "a,b\n1,2,3\n", "flexible": true}"#,
            Err("`value`: row 2 has 3 cells"),
        ),
        (
            r#"{"value": "1\n1,2", "headers": false}"#,
            Err("`value`: row 2 has 2 cells, and 1 were expected"),
        ),
        (
            r#"{"value": "a,b\n1,\"2\n3,4\n"}"#,
            Err("`value`: a cell of row 2 is never closed: a quote is missing"),
        ),
        (
            r#"{"value": "\"a,b\n1,2\n"}"#,
            Err("`value`: a cell of row 1 is never closed"),
        ),
        (
            r#"{"value": "a\n\""}"#,
            Err("`value`: a cell of row 2 is never closed"),
        ),
        (
            r#"{"value": "a\n\"x\"\""}"#,
            Err("`value`: a cell of row 2 is never closed"),
        ),
        (
            r#"{"value": "\"\n", "headers": false, "trim": true}"#,
            Err("`value`: a cell of row 1 is never closed"),
        ),
        (
            r#"{"value": "a,a\n1,2"}"#,
            Err("`value`: the column \"a\" is there twice, again as number 2"),
        ),
        (
            r#"{"value": "a, a\n1,2", "trim": true}"#,
            Err("`value`: the column \"a\" is there twice"),
        ),
        (
            r#"{"value": "1,2", "headers": ["a", "a"]}"#,
            Err("`headers`: the column \"a\" is there twice"),
        ),
        (
            r#"{"value": "1,2", "headers": ["a", 1]}"#,
            Err("expected a name, found a number, at `headers`"),
        ),
        (
            r#"{"value": "1,2", "headers": "first"}"#,
            Err("expected true, false or a list of names, found \"first\", at `headers`"),
        ),
        (
            r#"{"value": "a", "delimiter": ""}"#,
            Err("`delimiter`: must be one character of ASCII"),
        ),
        (r#"{"value": "a", "delimiter": "||"}"#, Err("`delimiter`")),
        (r#"{"value": "a", "delimiter": "é"}"#, Err("`delimiter`")),
        (r#"{"value": "a", "delimiter": "\n"}"#, Err("`delimiter`")),
        (r#"{"value": "a", "delimiter": ["a"]}"#, Err("at `delimiter`")),
        (
            r#"{"value": "a", "quote": "''"}"#,
            Err("`quote`: must be one character of ASCII"),
        ),
        (
            r#"{"value": "a", "quote": ","}"#,
            Err("`quote`: must not be what `delimiter` is"),
        ),
        (r#"{"value": "a", "trim": "both"}"#, Err("at `trim`")),
        (r#"{"value": "a", "typed": 5}"#, Err("at `typed`")),
        (r#"{"value": "a", "flexible": []}"#, Err("at `flexible`")),
        (
            r#"{"value": "a", "limit": -1}"#,
            Err("`limit`: must not be negative"),
        ),
    ]);
}

#[test]
fn bytes_are_read_as_utf_8() {
    let call = |bytes: &[u8]| {
        let mut input = Vec::new();
        Writer::new(&mut input)
            .map(|map| map.entry("value", |value| value.bytes(bytes)))
            .unwrap();
        let instance = Harness::new().instance::<parse>("null").unwrap();
        instance.call_value(ValueRef::parse(&input).unwrap())
    };
    let output = call("n\né".as_bytes()).unwrap();
    assert_eq!(output.as_ref().get("result").unwrap().to_json(), r#"[{"n":"é"}]"#);
    let error = call(b"n\n\xe9").unwrap_err();
    assert!(
        error.message.contains("`value`: is no UTF-8 text from byte 2 on"),
        "{error}"
    );
}

#[test]
fn small_texts_do_not_become_large_tables() {
    let name = "n".repeat(1 << 16);
    let names: Vec<String> = (0..16).map(|number| format!("{name}{number}")).collect();
    let rows = ",,,,,,,,,,,,,,,\n".repeat(100);
    let input = format!(r#"{{"value": "{}\n{}"}}"#, names.join(","), rows).replace('\n', "\\n");
    let error = Harness::new().call::<parse>(&input).unwrap_err();
    assert_eq!(error.code, code::LIMIT_EXCEEDED, "{error}");
    let input = format!(r#"{{"value": "{}"}}"#, ",".repeat(20_000));
    let error = Harness::new().call::<parse>(&input).unwrap_err();
    assert!(error.message.contains("twice"), "{error}");
    let input = format!(r#"{{"value": "{}", "headers": false}}"#, ",".repeat(20_000));
    let error = Harness::new().call::<parse>(&input).unwrap_err();
    assert!(error.message.contains("row 1 has 20001 cells"), "{error}");
    // Many rows, each with a column of its own.
    let rows: Vec<String> = (0..16_384)
        .map(|number| format!(r#"{{"{number}": 1}}"#))
        .collect();
    let error = Harness::new()
        .call::<stringify>(&format!(r#"{{"value": [{}]}}"#, rows.join(",")))
        .unwrap_err();
    assert_eq!(error.code, code::LIMIT_EXCEEDED, "{error}");
    let rows: Vec<String> = (0..16_385)
        .map(|number| format!(r#"{{"{number}": 1}}"#))
        .collect();
    let error = Harness::new()
        .call::<stringify>(&format!(r#"{{"value": [{}]}}"#, rows.join(",")))
        .unwrap_err();
    assert!(error.message.contains("more than 16384 columns"), "{error}");
}

#[test]
fn a_call_that_is_over_reads_and_writes_no_further() {
    let gone = Harness::new().cancelled();
    assert_eq!(
        gone.call::<parse>(r#"{"value": "a\n1"}"#).unwrap_err().code,
        code::CANCELLED
    );
    assert_eq!(
        gone.call::<stringify>(r#"{"value": [[1]]}"#).unwrap_err().code,
        code::CANCELLED
    );
    assert_eq!(
        gone.call::<stringify>(r#"{"value": [{"a": 1}]}"#)
            .unwrap_err()
            .code,
        code::CANCELLED
    );
}
