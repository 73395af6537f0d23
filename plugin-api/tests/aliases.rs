//! The other names of a parameter are in its schema, where those who write workflows find them.

#![cfg(feature = "testing")]
#![forbid(unsafe_code)]

use plugin_api::export::Export;
use plugin_api::prelude::*;
use serde_json::json;

#[parameters]
struct Named<'a> {
    /// Two other names.
    #[serde(default, alias = "text", alias = "string")]
    value: &'a str,
    /// Another name beside other attributes, in both notations.
    #[serde(alias = "n", rename = "count", default)]
    #[schemars(range(min = 1))]
    number: u8,
    /// Named by hand.
    #[serde(default, alias = "kept")]
    #[schemars(extend("x-aliases" = ["by-hand"]))]
    own: bool,
    /// No other name.
    #[serde(default, rename(deserialize = "only"))]
    plain: bool,
}

/// Takes parameters by several names.
#[node(id = "test.named", effect = "pure")]
fn named(input: Named<'_>) -> Answer<String> {
    answer(format!(
        "{} {} {} {}",
        input.value, input.number, input.own, input.plain
    ))
}

#[test]
fn aliases_stand_in_the_schema_of_their_parameter() {
    let schema = <named as Export>::meta().parameters;
    let aliases = |parameter: &str| schema["properties"][parameter]["x-aliases"].clone();
    assert_eq!(aliases("value"), json!(["text", "string"]), "{schema}");
    assert_eq!(aliases("count"), json!(["n"]));
    assert_eq!(schema["properties"]["count"]["minimum"], 1);
    assert_eq!(aliases("own"), json!(["by-hand"]));
    assert_eq!(aliases("only"), json!(null));
}

#[test]
fn a_parameter_is_read_by_any_of_its_names() {
    let harness = plugin_api::testing::Harness::new();
    for name in ["value", "text", "string"] {
        let input = json!({name: "a", "n": 2}).to_string();
        let answer = harness.call::<named>(&input).unwrap().to_json();
        assert_eq!(answer, r#"{"result":"a 2 false false"}"#, "{name}");
    }
}
