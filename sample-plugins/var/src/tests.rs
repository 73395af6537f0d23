use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

type Call = fn(&Harness, &str) -> NodeResult<Value>;

/// A node's call: parameters, and the output or a part of the message.
type Step = (Call, &'static str, Result<&'static str, &'static str>);

fn call<N: Export>(harness: &Harness, input: &str) -> NodeResult<Value> {
    harness.call::<N>(input)
}

/// Runs the steps one after the other over one store, and compares what it holds in the end.
fn run(harness: &Harness, steps: &[Step], variables: &str) {
    for (number, (call, input, expected)) in steps.iter().enumerate() {
        match (call(harness, input), expected) {
            (Ok(output), Ok(expected)) => assert_eq!(
                output,
                Value::from_json(expected).unwrap(),
                "step {number}, {input}"
            ),
            (Err(error), Err(part)) => {
                assert!(error.message.contains(part), "step {number}, {input}: {error}");
            }
            (found, expected) => panic!("step {number}, {input}: {found:?}, expected {expected:?}"),
        }
    }
    assert_eq!(harness.variables(), Value::from_json(variables).unwrap());
}

#[test]
fn every_example_holds_in_a_new_run() {
    fn each<N: Export>() {
        Harness::new().check_examples::<N>();
        assert!(N::meta().examples.len() >= 2, "{}", N::NODE_TYPE);
    }
    each::<append>();
    each::<clear>();
    each::<concat>();
    each::<decrement>();
    each::<delete>();
    each::<exists>();
    each::<get>();
    each::<get_all>();
    each::<increment>();
    each::<list>();
    each::<merge>();
    each::<set>();
    each::<set_multiple>();
    each::<toggle>();
}

#[test]
fn numbers_count_and_switches_turn() {
    run(
        &Harness::new(),
        &[
            (
                call::<increment>,
                r#"{"name": "n"}"#,
                Ok(r#"{"result": 1, "previous": 0}"#),
            ),
            (
                call::<increment>,
                r#"{"name": "n", "amount": 5}"#,
                Ok(r#"{"result": 6, "previous": 1}"#),
            ),
            (
                call::<decrement>,
                r#"{"name": "n", "amount": 2}"#,
                Ok(r#"{"result": 4, "previous": 6}"#),
            ),
            (
                call::<toggle>,
                r#"{"name": "f"}"#,
                Ok(r#"{"result": true, "previous": false}"#),
            ),
            (
                call::<toggle>,
                r#"{"name": "f"}"#,
                Ok(r#"{"result": false, "previous": true}"#),
            ),
            (
                call::<set>,
                r#"{"name": "x", "value": "abc"}"#,
                Ok(r#"{"result": "abc", "name": "x"}"#),
            ),
            (
                call::<increment>,
                r#"{"name": "x"}"#,
                Err("`name`: the variable `x` is a text, not a number"),
            ),
            (
                call::<get_all>,
                "{}",
                Ok(r#"{"result": {"n": 4, "f": false, "x": "abc"}}"#),
            ),
        ],
        r#"{"n": 4, "f": false, "x": "abc"}"#,
    );
}

#[test]
fn texts_lists_and_maps_become_longer() {
    const ALL: &str =
        r#"{"result": {"l": [1, 2], "s": "x-y", "o": {"a": 1, "b": 2}, "new": {"z": 1}, "p": 1, "q": "Q"}}"#;
    const CLEARED: &str = r#"{"result": 6, "previous":
        {"l": [1, 2], "s": "x-y", "o": {"a": 1, "b": 2}, "new": {"z": 1}, "p": 1, "q": "Q"}}"#;
    run(
        &Harness::new(),
        &[
            (
                call::<append>,
                r#"{"name": "l", "value": 1}"#,
                Ok(r#"{"result": [1], "length": 1}"#),
            ),
            (
                call::<append>,
                r#"{"name": "l", "value": 2}"#,
                Ok(r#"{"result": [1, 2], "length": 2}"#),
            ),
            (
                call::<concat>,
                r#"{"name": "s", "value": "x"}"#,
                Ok(r#"{"result": "x"}"#),
            ),
            (
                call::<concat>,
                r#"{"name": "s", "value": "y", "separator": "-"}"#,
                Ok(r#"{"result": "x-y"}"#),
            ),
            (
                call::<set>,
                r#"{"name": "o", "value": {"a": 1}}"#,
                Ok(r#"{"result": {"a": 1}, "name": "o"}"#),
            ),
            (
                call::<merge>,
                r#"{"name": "o", "value": {"b": 2}}"#,
                Ok(r#"{"result": {"a": 1, "b": 2}}"#),
            ),
            (
                call::<merge>,
                r#"{"name": "new", "value": {"z": 1}}"#,
                Ok(r#"{"result": {"z": 1}}"#),
            ),
            (
                call::<set_multiple>,
                r#"{"variables": {"p": 1, "q": "Q"}}"#,
                Ok(r#"{"result": {"p": 1, "q": "Q"}, "count": 2}"#),
            ),
            (call::<get_all>, "{}", Ok(ALL)),
            (call::<clear>, "{}", Ok(CLEARED)),
            (call::<list>, "{}", Ok(r#"{"result": [], "count": 0}"#)),
        ],
        "{}",
    );
}

#[test]
fn a_variable_that_is_null_is_there_and_begins_anew() {
    let harness = Harness::new().variable("v", &()).variable("w", &());
    run(
        &harness,
        &[
            (call::<exists>, r#"{"name": "v"}"#, Ok(r#"{"result": true}"#)),
            (
                call::<get>,
                r#"{"name": "v", "default": 1}"#,
                Ok(r#"{"result": null}"#),
            ),
            (
                call::<append>,
                r#"{"name": "v", "value": [1]}"#,
                Ok(r#"{"result": [[1]], "length": 1}"#),
            ),
            (
                call::<delete>,
                r#"{"key": "v"}"#,
                Ok(r#"{"result": true, "previousValue": [[1]]}"#),
            ),
            (call::<exists>, r#"{"key": "v"}"#, Ok(r#"{"result": false}"#)),
            (
                call::<get>,
                r#"{"key": "v", "default": 1}"#,
                Ok(r#"{"result": 1}"#),
            ),
            (call::<list>, "{}", Ok(r#"{"result": ["w"], "count": 1}"#)),
        ],
        r#"{"w": null}"#,
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_an_error_and_stays() {
    let harness = Harness::new()
        .variable("t", "5")
        .variable("n", &1_i64)
        .variable("m", &[("a", 1)]);
    run(
        &harness,
        &[
            (
                call::<increment>,
                r#"{"name": "t"}"#,
                Err("`t` is a text, not a number"),
            ),
            (
                call::<decrement>,
                r#"{"name": "m"}"#,
                Err("`m` is a list, not a number"),
            ),
            (
                call::<toggle>,
                r#"{"name": "n"}"#,
                Err("`n` is a number, not true or false"),
            ),
            (
                call::<append>,
                r#"{"name": "n", "value": 1}"#,
                Err("`n` is a number, not a list"),
            ),
            (
                call::<concat>,
                r#"{"name": "m", "value": "x"}"#,
                Err("`m` is a list, not a text"),
            ),
            (
                call::<merge>,
                r#"{"name": "t", "value": {}}"#,
                Err("`t` is a text, not a map"),
            ),
        ],
        r#"{"t": "5", "n": 1, "m": [["a", 1]]}"#,
    );
}

#[test]
fn numbers_stay_exact_as_long_as_they_can() {
    let harness = Harness::new()
        .variable("n", &i64::MAX)
        .variable("h", &0.5)
        .variable("huge", &f64::MAX);
    run(
        &harness,
        &[
            (
                call::<decrement>,
                r#"{"name": "n"}"#,
                Ok(r#"{"result": 9223372036854775806, "previous": 9223372036854775807}"#),
            ),
            (
                call::<increment>,
                r#"{"name": "n", "amount": 2}"#,
                Ok(r#"{"result": 9223372036854775808.0, "previous": 9223372036854775806}"#),
            ),
            (
                call::<increment>,
                r#"{"name": "h", "amount": 0.5}"#,
                Ok(r#"{"result": 1, "previous": 0.5}"#),
            ),
            (
                call::<increment>,
                r#"{"name": "h", "amount": " 2 "}"#,
                Ok(r#"{"result": 3, "previous": 1}"#),
            ),
            (
                call::<increment>,
                r#"{"name": "h", "amount": null}"#,
                Ok(r#"{"result": 4, "previous": 3}"#),
            ),
            (
                call::<increment>,
                r#"{"name": "huge", "amount": 1.7e308}"#,
                Err("`amount`"),
            ),
        ],
        r#"{"n": 9223372036854775808.0, "h": 4, "huge": 1.7976931348623157e308}"#,
    );
}

#[test]
fn a_bad_parameter_is_refused_by_name() {
    let long = format!(r#"{{"name": "{}"}}"#, "n".repeat(257));
    let table: &[(Call, &str, &str)] = &[
        (call::<get>, "{}", "`name`"),
        (call::<get>, r#"{"name": ""}"#, "`name`"),
        (call::<get>, r#"{"name": 5}"#, "`name`"),
        (call::<exists>, &long, "`name`"),
        (call::<set>, r#"{"value": 5}"#, "`name`"),
        (call::<delete>, r#"{"name": []}"#, "`name`"),
        (
            call::<increment>,
            r#"{"name": "n", "amount": "five"}"#,
            "`amount`",
        ),
        (call::<increment>, r#"{"name": "n", "amount": true}"#, "`amount`"),
        (call::<increment>, r#"{"name": "n", "amount": "nan"}"#, "`amount`"),
        (call::<toggle>, "{}", "`name`"),
        (call::<concat>, r#"{"name": "s", "value": [1]}"#, "`value`"),
        (
            call::<concat>,
            r#"{"name": "s", "value": "x", "separator": {}}"#,
            "`separator`",
        ),
        (call::<merge>, r#"{"name": "o"}"#, "`value`"),
        (call::<merge>, r#"{"name": "o", "value": [1]}"#, "`value`"),
        (call::<set_multiple>, r#"{"variables": [1]}"#, "`variables`"),
        (
            call::<set_multiple>,
            r#"{"variables": {"a": 1, "": 2}}"#,
            "`variables`",
        ),
    ];
    for (call, input, parameter) in table {
        let harness = Harness::new();
        let error = call(&harness, input).unwrap_err();
        assert_eq!(error.code, code::VALIDATION_FAILED, "{input}: {error}");
        assert!(error.message.contains(parameter), "{input}: {error}");
        assert_eq!(harness.variables().to_json(), "{}", "{input}");
    }
}

#[test]
fn concat_takes_scalars_and_needs_no_separator_at_the_beginning() {
    run(
        &Harness::new().variable("n", &1.5),
        &[
            (
                call::<concat>,
                r#"{"name": "n", "value": true, "separator": 0}"#,
                Ok(r#"{"result": "1.50true"}"#),
            ),
            (
                call::<concat>,
                r#"{"name": "s", "separator": ","}"#,
                Ok(r#"{"result": ""}"#),
            ),
            (
                call::<concat>,
                r#"{"name": "s", "value": "a", "separator": ","}"#,
                Ok(r#"{"result": "a"}"#),
            ),
        ],
        r#"{"n": "1.50true", "s": "a"}"#,
    );
}

#[test]
fn branches_that_count_at_the_same_time_all_count() {
    let harness = Harness::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let instance = harness.instance::<increment>("null").unwrap();
                for _ in 0..250 {
                    instance.call(r#"{"name": "n"}"#).unwrap();
                }
            });
        }
    });
    assert_eq!(harness.variables().to_json(), r#"{"n":1000}"#);
}

#[test]
fn aliases_name_the_ids_of_the_other_languages() {
    assert_eq!(list::meta().aliases, ["var.keys"]);
    assert_eq!(get_all::meta().aliases, ["var.get_all"]);
    assert_eq!(set_multiple::meta().aliases, ["var.set_multiple"]);
}
