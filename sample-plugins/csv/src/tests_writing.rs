use super::*;
use crate::tests::check;

#[test]
fn a_table_is_written_as_its_rows_say() {
    check::<stringify>(&[
        (
            r#"{"rows": [{"a": 1, "b": null}, {"c": true}]}"#,
            Ok(r#""a,b,c\n1,,\n,,true\n""#),
        ),
        (
            r#"{"value": [{"a": 1, "b": 2}], "headers": ["b", "z"]}"#,
            Ok(r#""b,z\n2,\n""#),
        ),
        (r#"{"value": [{"a": 1}], "headers": false}"#, Ok(r#""1\n""#)),
        (r#"{"value": [{"a": 1}], "headers": true}"#, Ok(r#""a\n1\n""#)),
        (
            r#"{"value": [[1, 2.5], ["x", false]]}"#,
            Ok(r#""1,2.5\nx,false\n""#),
        ),
        (
            r#"{"value": [[1, 2]], "headers": ["a", "b"]}"#,
            Ok(r#""a,b\n1,2\n""#),
        ),
        (r#"{"value": [], "headers": ["a", "b"]}"#, Ok(r#""a,b\n""#)),
        (r#"{"value": []}"#, Ok(r#""""#)),
        (r#"{"value": [], "headers": true}"#, Ok(r#""""#)),
        (r#"{"value": [{}]}"#, Ok(r#""""#)),
        (r#"{"value": [[""]]}"#, Ok(r#""\"\"\n""#)),
        (
            r#"{"value": [["a,b", "c\nd", "e\"f"]]}"#,
            Ok(r#""\"a,b\",\"c\nd\",\"e\"\"f\"\n""#),
        ),
        (
            r#"{"value": [["a", 1]], "quoteAll": true}"#,
            Ok(r#""\"a\",\"1\"\n""#),
        ),
        (
            r#"{"value": [["a'b", "c"]], "quote": "'", "delimiter": "tab"}"#,
            Ok(r#""'a''b'\tc\n""#),
        ),
        (
            r#"{"value": [[1], [2]], "lineEnding": "crlf"}"#,
            Ok(r#""1\r\n2\r\n""#),
        ),
        (r#"{"value": [[1]], "bom": true}"#, Ok(r#""\ufeff1\n""#)),
        (
            r#"{"value": [[1], [1, 2]], "flexible": true}"#,
            Ok(r#""1\n1,2\n""#),
        ),
        (
            r#"{"value": [[{"a": [1]}]], "nested": "json"}"#,
            Ok(r#""\"{\"\"a\"\":[1]}\"\n""#),
        ),
        (
            r#"{"value": [{"=a": "@b"}], "escapeFormulas": true}"#,
            Ok(r#""'=a\n'@b\n""#),
        ),
        (
            r#"{"value": [{"a": -5, "b": "-5"}], "escapeFormulas": true}"#,
            Ok(r#""a,b\n-5,-5\n""#),
        ),
        (r#"{"value": [["=a"]]}"#, Ok(r#""=a\n""#)),
    ]);
}

#[test]
fn what_is_no_table_is_refused_with_its_place() {
    check::<stringify>(&[
        (r#"{}"#, Err("`value`: is missing")),
        (
            r#"{"value": null}"#,
            Err("`value`: expected a list of rows, found null"),
        ),
        (
            r#"{"value": {"a": 1}}"#,
            Err("`value`: expected a list of rows, found a map"),
        ),
        (
            r#"{"value": [1]}"#,
            Err("`value[0]`: expected a map or a list, found a number"),
        ),
        (
            r#"{"value": [{"a": 1}, [1]]}"#,
            Err("`value[1]`: expected a map, found a list"),
        ),
        (
            r#"{"value": [[1], null]}"#,
            Err("`value[1]`: expected a list, found null"),
        ),
        (
            r#"{"value": [[1], [1, 2]]}"#,
            Err("`value[1]`: has 2 cells, and 1 were expected; with `flexible`, that may be"),
        ),
        (
            r#"{"value": [[1]], "headers": ["a", "b"]}"#,
            Err("`value[0]`: has 1 cells, and 2 were expected"),
        ),
        (
            r#"{"value": [{"a": {"b": 1}}]}"#,
            Err("`value[0].a`: a map is no cell; write it as a text before, or set `nested` to `json`"),
        ),
        (
            r#"{"value": [[1, [2]]]}"#,
            Err("`value[0][1]`: a list is no cell"),
        ),
        (
            r#"{"value": [[1]], "headers": true}"#,
            Err("`headers`: rows that are lists have no names: give a list of them"),
        ),
        (
            r#"{"value": [{"a": 1}], "headers": ["a", "a"]}"#,
            Err("`headers`: the column \"a\" is there twice"),
        ),
        (
            r#"{"value": [[1]], "quote": ""}"#,
            Err("`quote`: must be one character"),
        ),
        (
            r#"{"value": [[1]], "delimiter": "\""}"#,
            Err("`quote`: must not be what `delimiter` is"),
        ),
        (r#"{"value": [[1]], "lineEnding": "cr"}"#, Err("at `lineEnding`")),
        (r#"{"value": [[1]], "nested": "yaml"}"#, Err("at `nested`")),
        (
            r#"{"value": [[1]], "escapeFormulas": 1}"#,
            Err("at `escapeFormulas`"),
        ),
    ]);
}
