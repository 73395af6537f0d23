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

fn error_code<N: Export>(input: &str) -> String {
    Harness::new().call::<N>(input).unwrap_err().code.into_owned()
}

#[test]
fn adding_is_exact_and_never_wraps() {
    let cases: &[Case] = &[
        (r#"{"values": [1, 2, 3.5]}"#, Ok("6.5")),
        (r#"{"values": ["1", 2, null, true]}"#, Ok("4")),
        (r#"{"values": [1.5, 1.5]}"#, Ok("3")),
        (r#"{"numbers": [1, "0.5", " 2e1 "]}"#, Ok("21.5")),
        (r#"{"values": [9007199254740993, 2]}"#, Ok("9007199254740995")),
        (
            r#"{"values": [9223372036854775807, 1, -1]}"#,
            Ok("9223372036854775807"),
        ),
        (
            r#"{"values": [9223372036854775807, 1]}"#,
            Ok("9.223372036854776e18"),
        ),
        (r#"{}"#, Ok("0")),
        (r#"{"values": null}"#, Ok("0")),
        (
            r#"{"values": ["abc", 1]}"#,
            Err(r#"`values[0]`: expected a number, found "abc""#),
        ),
        (r#"{"values": [1, "NaN"]}"#, Err("`values[1]`")),
        (r#"{"values": [1, "-inf"]}"#, Err("`values[1]`")),
        (r#"{"values": [1, "1e999"]}"#, Err("`values[1]`")),
        (r#"{"values": [1, ""]}"#, Err("`values[1]`")),
        (
            r#"{"values": [1, [2]]}"#,
            Err("`values[1]`: expected a number, found a list"),
        ),
        (
            r#"{"values": [1.7e308, 1.7e308]}"#,
            Err("`values`: the result is no finite number"),
        ),
        (
            r#"{"values": 5}"#,
            Err("`values`: expected a list of numbers, found 5"),
        ),
    ];
    check::<add>(cases);
    check::<sum>(cases);
}

#[test]
fn multiplying_is_exact_and_never_wraps() {
    check::<multiply>(&[
        (r#"{"values": []}"#, Ok("1")),
        (r#"{"values": [4294967296, 4294967296, 0]}"#, Ok("0")),
        (
            r#"{"values": [3037000500, 3037000500]}"#,
            Ok("9.22337203700025e18"),
        ),
        (
            r#"{"values": [-9223372036854775808, -1]}"#,
            Ok("9.223372036854776e18"),
        ),
        (r#"{"values": [1e200, 1e200]}"#, Err("`values`")),
        (r#"{"values": {}}"#, Err("`values`")),
    ]);
}

#[test]
fn the_mean_of_finite_numbers_is_finite() {
    check::<average>(&[
        (r#"{}"#, Ok("0")),
        (
            r#"{"values": [9223372036854775807, 9223372036854775805]}"#,
            Ok("9223372036854775806"),
        ),
        (r#"{"values": [1.5e308, 1.5e308]}"#, Ok("1.5e308")),
        (r#"{"values": [1, "x"]}"#, Err("`values[1]`")),
    ]);
}

#[test]
fn subtracting_and_dividing_take_two_numbers_or_a_list() {
    check::<subtract>(&[
        (r#"{"a": 10, "b": "3"}"#, Ok("7")),
        (r#"{"numbers": [10, 3, 2]}"#, Ok("5")),
        (
            r#"{"a": -9223372036854775808, "b": 1}"#,
            Ok("-9.223372036854776e18"),
        ),
        (r#"{"a": 5}"#, Err("`b`: is missing")),
        (r#"{"b": 5}"#, Err("`a`: is missing")),
        (r#"{"a": 5, "b": null}"#, Err("`b`: is missing")),
        (
            r#"{"a": [5], "b": 1}"#,
            Err("expected a number, found a list, at `a`"),
        ),
        (r#"{"numbers": [1]}"#, Err("`numbers`")),
        (r#"{"numbers": [1, 2], "a": 1}"#, Err("`numbers`")),
    ]);
    check::<divide>(&[
        (r#"{"a": 7, "b": 2}"#, Ok("3.5")),
        (r#"{"a": 0, "b": -5}"#, Ok("0")),
        (r#"{"a": 0.0, "b": -5}"#, Ok("0")),
        (
            r#"{"a": -9223372036854775808, "b": -1}"#,
            Ok("9.223372036854776e18"),
        ),
        (r#"{"numbers": [100, 5, 2]}"#, Ok("10")),
        (r#"{"a": 1, "b": 0}"#, Err("`b`: division by zero")),
        (r#"{"a": 1, "b": -0.0}"#, Err("`b`: division by zero")),
        (r#"{"numbers": [1, 0]}"#, Err("`numbers`: division by zero")),
        (
            r#"{"a": 1e308, "b": 1e-10}"#,
            Err("`b`: the result is no finite number"),
        ),
    ]);
    assert_eq!(error_code::<divide>(r#"{"a": 1, "b": 0}"#), code::EXECUTION_ERROR);
    assert_eq!(error_code::<divide>(r#"{"a": 1}"#), code::VALIDATION_FAILED);
}

#[test]
fn modulo_keeps_the_sign_of_the_first_number() {
    check::<modulo>(&[
        (r#"{"a": -7, "b": 3}"#, Ok("-1")),
        (r#"{"a": 7.5, "b": 2}"#, Ok("1.5")),
        (r#"{"a": -9223372036854775808, "b": -1}"#, Ok("0")),
        (r#"{"a": 1, "b": 0}"#, Err("`b`: modulo by zero")),
        (r#"{"a": 1}"#, Err("`b`")),
    ]);
    assert_eq!(error_code::<modulo>(r#"{"a": 1, "b": 0}"#), code::EXECUTION_ERROR);
}

#[test]
fn powers_are_exact_while_they_fit() {
    check::<power>(&[
        (r#"{"base": 3, "exponent": 39}"#, Ok("4052555153018976267")),
        (r#"{"base": 2, "exponent": 64}"#, Ok("1.8446744073709552e19")),
        (r#"{"a": 2, "b": -1}"#, Ok("0.5")),
        (r#"{"base": 0, "exponent": 0}"#, Ok("1")),
        (r#"{"base": -1, "exponent": 8589934593}"#, Ok("-1")),
        (r#"{"base": 10, "exponent": 400}"#, Err("`exponent`")),
        (r#"{"base": 0, "exponent": -1}"#, Err("`base`")),
        (r#"{"base": -8, "exponent": 0.5}"#, Err("`base`")),
        (r#"{"base": 2}"#, Err("`exponent`: is missing")),
        (r#"{}"#, Err("`base`: is missing")),
    ]);
}

#[test]
fn comparing_tells_large_integers_from_the_floats_beside_them() {
    check::<min>(&[
        (r#"{"values": [3, "1.5", 2]}"#, Ok("1.5")),
        (
            r#"{"values": [9223372036854775807, 9223372036854775808.0]}"#,
            Ok("9223372036854775807"),
        ),
        (r#"{"values": [2, 1.0]}"#, Ok("1")),
        (r#"{}"#, Err("`values`: needs at least one number")),
        (
            r#"{"values": 5}"#,
            Err("`values`: expected a list of numbers, found 5"),
        ),
    ]);
    check::<max>(&[
        (
            r#"{"values": [9007199254740993, 9007199254740992.0]}"#,
            Ok("9007199254740993"),
        ),
        (r#"{"numbers": [-1, null]}"#, Ok("0")),
        (r#"{"values": []}"#, Err("`values`")),
        (r#"{"values": [1, {}]}"#, Err("`values[1]`")),
    ]);
    assert_eq!(error_code::<min>(r#"{"values": 5}"#), code::EXECUTION_ERROR);
    check::<clamp>(&[
        (r#"{"value": -1, "min": 0, "max": 10}"#, Ok("0")),
        (r#"{"value": "5", "min": 0, "max": 10}"#, Ok("5")),
        (
            r#"{"value": 5, "min": 10, "max": 0}"#,
            Err("`min`: must not be larger than `max`"),
        ),
        (r#"{"value": 5, "min": 0}"#, Err("`max`")),
        (r#"{"min": 0, "max": 1}"#, Err("`value`")),
        (r#"{"value": null, "min": 0, "max": 1}"#, Err("`value`")),
    ]);
}

#[test]
fn one_number_is_missed_when_it_is_missing() {
    check::<abs>(&[
        (r#"{"value": -9223372036854775808}"#, Ok("9.223372036854776e18")),
        (r#"{"value": "-2"}"#, Ok("2")),
        (r#"{}"#, Err("`value`")),
        (
            r#"{"value": "abc"}"#,
            Err(r#"expected a number, found "abc", at `value`"#),
        ),
    ]);
    check::<floor>(&[
        (r#"{"value": -0.5}"#, Ok("-1")),
        (r#"{"value": 1e300}"#, Ok("1e300")),
        (r#"{}"#, Err("`value`")),
    ]);
    check::<ceil>(&[
        (r#"{"value": -0.5}"#, Ok("0")),
        (r#"{"value": 7}"#, Ok("7")),
        (r#"{"value": []}"#, Err("`value`")),
    ]);
    check::<sqrt>(&[
        (r#"{"value": 9223372030926249001}"#, Ok("3037000499")),
        (r#"{"value": 2.25}"#, Ok("1.5")),
        (r#"{"value": -0.0}"#, Ok("0")),
        (r#"{"value": -1}"#, Err("`value`")),
        (r#"{}"#, Err("`value`")),
    ]);
    assert_eq!(error_code::<sqrt>(r#"{"value": -1}"#), code::EXECUTION_ERROR);
}

#[test]
fn rounding_takes_halves_away_from_zero() {
    check::<round>(&[
        (r#"{"value": 2.5}"#, Ok("3")),
        (r#"{"value": -2.5}"#, Ok("-3")),
        (r#"{"value": 0.49999999999999994}"#, Ok("0")),
        (r#"{"value": 2.675, "decimals": 2}"#, Ok("2.68")),
        (r#"{"value": -1.005, "precision": "2"}"#, Ok("-1.01")),
        (r#"{"value": 0.05, "decimals": 1}"#, Ok("0.1")),
        (r#"{"value": 0.04, "decimals": 1}"#, Ok("0")),
        (r#"{"value": 9.99, "decimals": 1}"#, Ok("10")),
        (r#"{"value": 1.25, "decimals": 300}"#, Ok("1.25")),
        (r#"{"value": 1250, "decimals": -2}"#, Ok("1300")),
        (r#"{"value": -1250.0, "decimals": -2}"#, Ok("-1300")),
        (r#"{"value": 9223372036854775807, "decimals": -19}"#, Ok("1e19")),
        (r#"{"value": 9223372036854775807, "decimals": -100}"#, Ok("0")),
        (r#"{"value": 1.7e308, "decimals": -308}"#, Err("`value`")),
        (r#"{"value": 1, "decimals": 1.5}"#, Err("`decimals`")),
        (r#"{"value": 1, "decimals": 309}"#, Err("`decimals`")),
        (r#"{"decimals": 1}"#, Err("`value`")),
    ]);
}

#[test]
fn random_numbers_stay_in_their_range_and_refuse_an_empty_one() {
    check::<random>(&[
        (r#"{"min": 0.5, "max": 1.5, "integer": true}"#, Ok("1")),
        (r#"{"min": 3, "max": 3, "integer": true}"#, Ok("3")),
        (r#"{"min": 2, "max": 1}"#, Err("`min`")),
        (r#"{"min": 0.1, "max": 0.9, "integer": true}"#, Err("`max`")),
        (r#"{"max": 1e300, "integer": true}"#, Err("`max`")),
        (r#"{"max": "x"}"#, Err("`max`")),
        (r#"{"integer": "yes"}"#, Err("`integer`")),
    ]);
    let harness = Harness::new();
    let draws: Vec<f64> = (0..100)
        .map(|_| {
            harness
                .call::<random>("{}")
                .unwrap()
                .as_ref()
                .get("result")
                .unwrap()
                .as_f64()
                .unwrap()
        })
        .collect();
    assert!(
        draws.iter().all(|number| (0.0..1.0).contains(number)),
        "{draws:?}"
    );
    assert!(draws.windows(2).any(|pair| pair[0] != pair[1]), "{draws:?}");
}

#[test]
fn schemas_ask_for_what_has_no_default_under_any_of_its_names() {
    assert_eq!(abs::meta().required, ["value"]);
    assert_eq!(clamp::meta().required, ["value", "min", "max"]);
    assert_eq!(modulo::meta().required, ["a", "b"]);
    let of_divide = divide::meta().parameters;
    assert_eq!(of_divide.pointer("/anyOf/1/required/0").unwrap(), "numbers");
    let of_power = power::meta().parameters;
    assert_eq!(of_power.pointer("/allOf/1/anyOf/1/required/0").unwrap(), "b");
    let of_abs = abs::meta();
    assert_eq!(
        of_abs.parameters.pointer("/properties/value/type/1").unwrap(),
        "string"
    );
    assert_eq!(
        of_abs.result.pointer("/properties/result/type").unwrap(),
        "number"
    );
}

#[test]
fn names_of_other_languages_lead_to_the_same_answer() {
    fn same<N: Export>(input: &str) {
        let canonical = N::meta().examples[0].input.to_string();
        let harness = Harness::new();
        let answer = harness.call::<N>(&canonical).unwrap();
        assert_eq!(
            harness.call::<N>(input).unwrap(),
            answer,
            "{} {input}",
            N::NODE_TYPE
        );
    }
    same::<add>(r#"{"numbers": [1, 2, 3.5]}"#);
    same::<sum>(r#"{"numbers": [1, 2, 3]}"#);
    same::<multiply>(r#"{"numbers": [2, 3, 4]}"#);
    same::<average>(r#"{"numbers": [1, 2, 3]}"#);
    same::<min>(r#"{"numbers": [3, 1.5, 2]}"#);
    same::<max>(r#"{"numbers": [3, 1.5, 2]}"#);
    same::<subtract>(r#"{"numbers": [10, 3]}"#);
    same::<divide>(r#"{"numbers": [6, 2]}"#);
    same::<power>(r#"{"a": 2, "b": 10}"#);
    same::<round>(r#"{"value": -2.5, "precision": 0}"#);
}

#[test]
fn workflows_pass_their_parameters_flat() {
    check::<add>(&[(r#"{"numbers": [1, 2, 3, 4, 5]}"#, Ok("15"))]);
    check::<multiply>(&[(r#"{"numbers": [2, 3, 4]}"#, Ok("24"))]);
    check::<subtract>(&[(r#"{"a": 10, "b": 3}"#, Ok("7"))]);
    check::<divide>(&[(r#"{"a": 20, "b": 4}"#, Ok("5"))]);
    check::<max>(&[(r#"{"numbers": [3, 7, 2, 9, 1]}"#, Ok("9"))]);
    check::<min>(&[(r#"{"numbers": [3, 7, 2, 9, 1]}"#, Ok("1"))]);
}
