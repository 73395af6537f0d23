use proptest::prelude::*;

use super::*;

fn violated(input: &str) -> Vec<(String, String)> {
    match around().call::<validate>(input) {
        Ok(_) => Vec::new(),
        Err(error) => {
            assert_eq!(
                (&*error.code, error.status_code),
                (INVALID, Some(400)),
                "{input}: {error}"
            );
            let details = error.details.clone().expect(input);
            let list = details.as_ref().get("violations").unwrap().as_list().unwrap();
            let text = |one: ValueRef<'_>, key: &str| one.get(key).unwrap().as_str().unwrap().to_owned();
            list.iter()
                .map(|one| (text(one, "field"), text(one, "rule")))
                .collect()
        }
    }
}

/// Whether a value does what a rule demands.
fn fits(rule: &str, value: &str) -> bool {
    let rule = Value::from(rule).to_json();
    let found = violated(&format!(
        r#"{{"input": {{"x": {value}, "y": "other", "n": 1}}, "rules": {{"x": {rule}}}}}"#
    ));
    assert!(found.iter().all(|(field, _)| field == "x"));
    found.is_empty()
}

#[test]
fn each_rule_tells_what_fits_from_what_does_not() {
    for (rule, good, bad) in [
        (
            "required",
            &["0", "false", r#""a""#, "[0]", r#"{"a": 1}"#][..],
            &["null", r#""""#, r#"" ""#, "[]", "{}"][..],
        ),
        ("string", &[r#""""#, "null"], &["1", "true", "[]"]),
        (
            "number",
            &["1", "1.5", r#""-1.5e3""#, "null"],
            &[
                r#""x""#,
                r#""""#,
                r#""NaN""#,
                r#""inf""#,
                r#""12345678901234567890""#,
                "true",
            ],
        ),
        (
            "integer",
            &["1", "2.0", r#""7""#],
            &["1.5", r#""1.5""#, r#""7 ""#, "true"],
        ),
        ("boolean", &["true", r#""false""#], &["1", r#""yes""#]),
        ("array", &["[]"], &["{}", r#""a""#]),
        ("object", &["{}"], &["[]", "1"]),
        (
            "min:2",
            &["2", "2.5", r#""ab""#, "[1, 2]"],
            &["1", r#""a""#, "[1]", "true"],
        ),
        (
            "max:2",
            &["2", "-5", r#""äö""#, "[]"],
            &["2.1", r#""abc""#, "[1, 2, 3]"],
        ),
        ("number|max:5", &[r#""4""#], &[r#""6""#]),
        ("length:2", &[r#""ab""#, "[1, 2]"], &[r#""a""#, "2"]),
        ("minLength:2", &[r#""ab""#], &[r#""a""#, "5"]),
        ("maxLength:2", &[r#""ab""#], &[r#""abc""#, "1"]),
        ("in:asc,desc", &[r#""asc""#], &[r#""up""#, "1"]),
        ("in:1,2", &["1", "2.0", r#""1""#], &["3"]),
        ("notIn:root", &[r#""ada""#], &[r#""root""#]),
        ("same:y", &[r#""other""#], &[r#""x""#]),
        ("same:n", &["1.0"], &["2", r#""1""#]),
        ("same:missing", &["null"], &["1"]),
        ("different:y", &[r#""x""#], &[r#""other""#]),
        ("different:missing", &["1"], &[]),
        (
            "email",
            &[r#""a@b.co""#, r#""x.y+z@sub.example.org""#],
            &[
                r#""a""#,
                r#""a@b""#,
                r#""@b.co""#,
                r#""a@@b.co""#,
                r#""a b@c.de""#,
                r#""a@-b.co""#,
                r#""a..b@c.de""#,
                "5",
            ],
        ),
        (
            "uuid",
            &[r#""123e4567-e89b-12d3-a456-426614174000""#],
            &[
                r#""123e4567e89b12d3a456426614174000""#,
                r#""123e4567-e89b-12d3-a456-42661417400g""#,
            ],
        ),
        (
            "url",
            &[
                r#""https://example.org/a?b""#,
                r#""http://localhost:3000""#,
                r#""https://[::1]:8080/""#,
                r#""https://u:p@h.de""#,
            ],
            &[
                r#""ftp://a.b""#,
                r#""https://""#,
                r#""https://a b""#,
                r#""http://a:99999""#,
                r#""http://[x]""#,
            ],
        ),
        (
            "date",
            &[
                r#""2024-02-29""#,
                r#""2026-03-01T12:00:00.5Z""#,
                r#""2026-03-01 12:00""#,
                r#""2026-03-01T12:00:00+05:30""#,
            ],
            &[
                r#""2023-02-29""#,
                r#""2026-13-01""#,
                r#""2026-3-1""#,
                r#""2026-03-01T25:00""#,
                r#""today""#,
            ],
        ),
        ("nullable|email", &["null"], &[r#""a""#]),
        (
            "required|string|minLength:3",
            &[r#""abc""#],
            &["null", r#""ab""#, "5"],
        ),
    ] {
        for value in good {
            assert!(fits(rule, value), "{rule} {value}");
        }
        for value in bad {
            assert!(!fits(rule, value), "{rule} {value}");
        }
    }
}

#[test]
fn all_that_is_wrong_is_told_and_no_value_is_shown() {
    let input = r#"{"input": {"password": "hunter2", "confirm": "hunter3", "email": "nope"},
        "rules": {"email": "required|email", "password": "required|minLength:8|same:confirm", "age": "required|number"}}"#;
    let error = around().call::<validate>(input).unwrap_err();
    assert_eq!(
        error.details.as_ref().unwrap().to_json(),
        r#"{"violations":[{"field":"email","rule":"email","message":"`email` must be an e-mail address"},{"field":"password","rule":"minLength:8","message":"`password` must have at least 8 characters"},{"field":"password","rule":"same:confirm","message":"`password` must be the same as `confirm`"},{"field":"age","rule":"required","message":"`age` is required"}],"count":4}"#
    );
    assert!(error.message.ends_with("and 1 more"), "{error}");
    assert!(!format!("{error:?}").contains("hunter"));
    let own = around()
        .call::<validate>(r#"{"input": null, "validator": "required", "errorMessage": "who are you?"}"#);
    let own = own.unwrap_err();
    assert_eq!((&*own.message, own.retryable), ("who are you?", Some(false)));
}

#[test]
fn the_input_goes_on_with_its_defaults_and_its_numbers() {
    for (input, expected) in [
        (r#"{"input": "acme", "validator": "required"}"#, r#""acme""#),
        (r#"{"input": "7", "validator": "integer"}"#, "7"),
        (
            r#"{"input": {"a": 1, "b": 2}, "rules": {"b": "number"}}"#,
            r#"{"a":1,"b":2}"#,
        ),
        (
            r#"{"input": {"b": "2", "a": "x"}, "rules": {"b": "number"}}"#,
            r#"{"b":2,"a":"x"}"#,
        ),
        (
            r#"{"input": null, "rules": {"a": "default:[1]"}}"#,
            r#"{"a":[1]}"#,
        ),
        (
            r#"{"input": {"a": null}, "rules": {"a": "required|default:x"}}"#,
            r#"{"a":"x"}"#,
        ),
        (
            r#"{"input": {}, "rules": {"a": ["default:x|y"]}}"#,
            r#"{"a":"x|y"}"#,
        ),
        (
            r#"{"input": {"p": {"q": "1"}}, "rules": {"p.q": "integer", "p.r": "default:2"}}"#,
            r#"{"p":{"q":1,"r":2}}"#,
        ),
        (
            r#"{"input": {"p.q": "1"}, "rules": {"p.q": "integer"}}"#,
            r#"{"p.q":1}"#,
        ),
        (
            r#"{"input": {"l": ["1", {"n": "2"}]}, "rules": {"l.0": "integer", "l.1.n": "number"}}"#,
            r#"{"l":[1,{"n":2}]}"#,
        ),
        (
            r#"{"input": {}, "rules": {"a": "number|max:5"}, "defaults": {"a": 3, "b": {"c": 1}}}"#,
            r#"{"a":3,"b":{"c":1}}"#,
        ),
        (r#"{"input": {"x": 1}, "rules": {}}"#, r#"{"x":1}"#),
    ] {
        assert_eq!(
            around().call::<validate>(input).unwrap().to_json(),
            expected,
            "{input}"
        );
    }
    let arrived = around()
        .input(0, &json(r#"{"a": "1"}"#))
        .call::<validate>(r#"{"rules": {"a": "number"}}"#);
    assert_eq!(arrived.unwrap().to_json(), r#"{"a":1}"#);
}

#[test]
fn a_value_that_has_no_fields_is_a_violation() {
    for value in ["5", r#""x""#, "[]", "true"] {
        let found = violated(&format!(r#"{{"input": {value}, "rules": {{"a": "required"}}}}"#));
        assert_eq!(found, [("input".to_owned(), "object".to_owned())], "{value}");
    }
}

#[test]
fn a_unique_value_is_looked_up() {
    let calls = Calls::default();
    let taken = calls.answer(Harness::new(), "dbal-read", records::ONE);
    let rule = r#"{"input": {"email": "ada@example.org"}, "rules": {"email": "required|email|unique:User"}}"#;
    let error = taken.call::<validate>(rule).unwrap_err();
    assert!(error.message.contains("`email` is taken"), "{error}");
    let (node_type, asked) = calls.taken().remove(0);
    assert_eq!(node_type, "dbal-read");
    assert_eq!(
        asked,
        r#"{"entity":"User","operation":"count","filter":{"email":"ada@example.org"}}"#
    );
    let free = calls.answer(Harness::new(), "dbal-read", records::NONE);
    free.call::<validate>(&rule.replace("unique:User", "unique:User, mail"))
        .unwrap();
    assert!(
        calls.taken()[0]
            .1
            .contains(r#""filter":{"mail":"ada@example.org"}"#)
    );
    // What breaks another rule before is not looked up as something else.
    let list = r#"{"input": {"email": ["a"]}, "rules": {"email": "unique:User"}}"#;
    assert!(free.call::<validate>(list).is_err());
    assert!(calls.taken().is_empty());
    check_errors::<validate>(&Harness::new(), &[(rule, "UNKNOWN_NODE_TYPE", "`dbal-read`")]);
}

#[test]
fn rules_that_are_none_are_the_documents_fault() {
    for (rules, why) in [
        (r#""a""#, "`rules`: expected a map"),
        (r#"{"a": 5}"#, "`rules.a`: expected rules"),
        (r#"{"a": "requird"}"#, "rule `requird`: is no rule"),
        (r#"{"a": ""}"#, "is no rule"),
        (r#"{"a": "min"}"#, "rule `min`"),
        (r#"{"a": "min:x"}"#, "rule `min:x`"),
        (r#"{"a": "max:1e999"}"#, "needs a number"),
        (r#"{"a": "maxLength:-1"}"#, "needs a number"),
        (r#"{"a": "in:"}"#, "rule `in:`"),
        (r#"{"a": "same"}"#, "rule `same`"),
        (r#"{"a": "unique"}"#, "rule `unique`"),
        (r#"{"a": "unique:User,"}"#, "needs an entity"),
        (r#"{"a": "default"}"#, "rule `default`"),
        (r#"{"a": "required:true"}"#, "takes nothing"),
        (r#"{"a": [5]}"#, "expected a rule"),
        (r#"{"": "required"}"#, "`rules`"),
        (r#"{"a..b": "default:1"}"#, "without empty parts"),
    ] {
        let input = format!(r#"{{"input": {{}}, "rules": {rules}}}"#);
        check_errors::<validate>(&around(), &[(&input, INVALID, why)]);
        assert!(around().call::<validate>(&input).unwrap_err().details.is_none());
    }
    let many = vec!["string"; 65].join("|");
    let many = format!(r#"{{"input": {{}}, "rules": {{"a": "{many}"}}}}"#);
    let long = format!(
        r#"{{"input": {{}}, "rules": {{"a": "in:{}"}}}}"#,
        "x".repeat(10_000)
    );
    check_errors::<validate>(
        &around(),
        &[
            (&many, INVALID, "more than 64 rules"),
            (&long, INVALID, "at most 10000 bytes"),
            ("{}", INVALID, "`rules`: is missing"),
            (
                r#"{"input": 1, "validator": null, "rules": null}"#,
                INVALID,
                "`rules`: is missing",
            ),
            (
                r#"{"input": 1, "validator": {}}"#,
                INVALID,
                "`validator`: expected rules",
            ),
            (
                r#"{"input": 1, "validator": "odd"}"#,
                INVALID,
                "`validator`: rule `odd`",
            ),
            (
                r#"{"input": 1, "validator": "number", "defaults": {"a": 1}}"#,
                INVALID,
                "`defaults`",
            ),
            (
                r#"{"input": {}, "rules": {}, "defaults": []}"#,
                INVALID,
                "`defaults`",
            ),
            (r#"{"operation": "check", "rules": {}}"#, INVALID, "`operation`"),
            (
                r#"{"input": {"a": 5}, "rules": {}, "defaults": {"a.b": 1}}"#,
                INVALID,
                "leads into a number",
            ),
        ],
    );
}

proptest! {
    #[test]
    fn any_text_as_rules_is_read_or_refused(rules in "\\PC{0,40}", value in "\\PC{0,10}") {
        let (rules, value) = (Value::from(rules.as_str()).to_json(), Value::from(value.as_str()).to_json());
        let _ = around().call::<validate>(&format!(r#"{{"input": {{"x": {value}}}, "rules": {{"x": {rules}}}}}"#));
    }

    #[test]
    fn what_went_through_goes_through_again_as_it_is(n in "-?[0-9]{1,6}(\\.[0-9]{1,3})?", flag in "true|false") {
        let rules = r#"{"n": "required|number", "f": "boolean", "d": "default:1|integer"}"#;
        let once = around().call::<validate>(&format!(r#"{{"input": {{"n": "{n}", "f": "{flag}"}}, "rules": {rules}}}"#)).unwrap();
        let twice = around().call::<validate>(&format!(r#"{{"input": {}, "rules": {rules}}}"#, once.to_json())).unwrap();
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn bounds_are_those_of_the_number(n in -1_000_i64..1_000, least in -1_000_i64..1_000, most in -1_000_i64..1_000) {
        let good = fits(&format!("number|min:{least}|max:{most}"), &n.to_string());
        prop_assert_eq!(good, least <= n && n <= most);
    }

    #[test]
    fn a_text_is_as_long_as_its_characters(text in "\\PC{0,12}", most in 0_usize..14) {
        let quoted = Value::from(text.as_str()).to_json();
        prop_assert_eq!(fits(&format!("maxLength:{most}"), &quoted), text.chars().count() <= most);
    }

    #[test]
    fn what_must_be_required_is_missing_or_there(present in any::<bool>()) {
        let input = if present { r#"{"x": 0}"# } else { "{}" };
        let found = violated(&format!(r#"{{"input": {input}, "rules": {{"x": "required"}}}}"#));
        prop_assert_eq!(found.is_empty(), present);
    }
}
