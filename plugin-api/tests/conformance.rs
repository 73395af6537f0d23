//! The flaws of a node that has every one of them are told, and of a sound node none is.

#![cfg(feature = "testing")]
#![forbid(unsafe_code)]

use plugin_api::conformance::flaws;
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

#[parameters]
struct Sound<'a> {
    /// A number.
    #[serde(alias = "number")]
    value: i64,
    /// A word.
    #[serde(default)]
    word: Option<&'a str>,
}

/// Gives its parameters back.
#[node(
    id = "test.soundNode",
    aliases = ["test.sound_node"],
    effect = "pure",
    example(title = "both", input = r#"{"value": 1, "word": "a"}"#, output = r#"{"result": [1, "a"]}"#),
    example(title = "one", input = r#"{"value": 1}"#, output = r#"{"result": [1, null]}"#)
)]
fn sound<'a>(input: Sound<'a>) -> Answer<(i64, Option<&'a str>)> {
    answer((input.value, input.word))
}

#[parameters]
struct Flawed<'a> {
    #[serde(default)]
    #[schemars(extend("type" = "integer", "x-aliases" = ["other"]))]
    value: Option<ValueRef<'a>>,
    /// A word.
    #[serde(default)]
    word: Option<bool>,
}

#[node(
    id = "test.flawedNode",
    effect = "pure",
    example(
        title = "one",
        input = r#"{"value": 1, "word": true}"#,
        output = r#"{"result": 2}"#
    )
)]
fn flawed(input: Flawed<'_>) -> NodeResult<Answer<i64>> {
    if input.word.is_none() {
        return Err(NodeError::new("something is wrong"));
    }
    Ok(answer(input.value.and_then(|value| value.as_i64()).unwrap_or(0)))
}

#[test]
fn a_sound_node_has_no_flaw() {
    assert_eq!(flaws::<sound>(&Harness::new), Vec::<String>::new());
}

#[test]
fn every_flaw_is_told() {
    let flaws = flaws::<flawed>(&Harness::new);
    for told in [
        "test.flawedNode: has no description",
        "test.flawedNode: parameter `value`: has no description",
        "test.flawedNode: has 1 examples, not 2",
        "test.flawedNode: `test.flawed_node` is no alias",
        r#"test.flawedNode: example `one`: expected {"result":2}, found {"result":1}"#,
        "test.flawedNode: example `one`: with `other` for `value` it does not hold",
        r#"test.flawedNode: parameter `value`: {"value":"?","word":true} is taken"#,
    ] {
        assert!(
            flaws.iter().any(|flaw| flaw == told),
            "{told}\n{}",
            flaws.join("\n")
        );
    }
}
