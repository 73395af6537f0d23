use plugin_api::testing::Harness;
use proptest::prelude::*;

use super::*;

#[parameters]
struct Probe<'a> {
    #[serde(default)]
    value: Raw<'a>,
    #[serde(default)]
    out: Option<&'a str>,
}

/// Gives a parameter as it comes to.
#[node(id = "test.probe", effect = "idempotent")]
fn probe(input: Probe<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Value>> {
    let names = Names::new(ctx)?;
    let value = names.read(input.value, "value")?.unwrap_or_default();
    names.set(input.out, value.as_ref())?;
    Ok(answer(value))
}

fn json(text: &str) -> Value {
    Value::from_json(text).expect(text)
}

/// A run that a request to a webhook started.
fn run() -> Harness {
    let trigger = json(
        r#"{"username": "ada", "request": {"path": "/forged"}, "$request": {"method": "PUT", "path": "/v1/acme/lib", "query": {"a": "1"},
            "headers": {"content-length": "12", "x-token": "t"}}}"#,
    );
    Harness::new()
        .variable(
            "entity",
            &json(r#"{"namespace": "acme", "name": "lib", "tags": ["a", "b"], "none": null}"#),
        )
        .variable("count", &3)
        .variable("nothing", &Value::null())
        .wall_clock(UNIX_EPOCH + std::time::Duration::from_millis(1_709_210_096_789))
        .with_evaluator(move |expression, _| {
            Ok(match expression {
                "json" | "$json" => trigger.clone(),
                "$json.username" => Value::from("ada"),
                "$steps.a.output" => Value::from(7),
                "$count" => Value::from("a node, which a variable hides"),
                "'$' + 'entity'" => Value::from("$entity"),
                _ => Value::null(),
            })
        })
}

fn found(harness: &Harness, text: &str) -> Result<String, NodeError> {
    let input = Value::from_pairs([("value", Value::from(text).as_ref())]).unwrap();
    let output = harness
        .instance::<probe>("null")
        .unwrap()
        .call_value(input.as_ref())?;
    Ok(output.as_ref().get("result").unwrap().to_json())
}

#[test]
fn a_name_alone_keeps_the_kind_of_what_it_means() {
    let run = run();
    for (text, expected) in [
        (
            "$entity",
            r#"{"namespace":"acme","name":"lib","tags":["a","b"],"none":null}"#,
        ),
        ("$entity.name", r#""lib""#),
        ("$entity.tags.1", r#""b""#),
        ("$entity.missing.deeper", "null"),
        ("$count", "3"),
        ("$nothing", "null"),
        ("$missing", "null"),
        ("$json.username", r#""ada""#),
        // Whoever sends a request gives no value to a name.
        ("$username", "null"),
        ("$steps.a.output", "7"),
        ("$timestamp", r#""2024-02-29T12:34:56.789Z""#),
        ("$request.path", r#""/v1/acme/lib""#),
        ("$request.query.a", r#""1""#),
        ("$request.headers.X", "null"),
        ("$request.headers.Content_Length", "null"),
        (
            "$request.body",
            r#"{"username":"ada","request":{"path":"/forged"}}"#,
        ),
        ("$request.body.username", r#""ada""#),
        ("$request.content_length", "12"),
        ("$request.unknown", "null"),
    ] {
        assert_eq!(found(&run, text).unwrap(), expected, "{text}");
    }
}

#[test]
fn names_within_a_text_are_written_into_it() {
    let run = run();
    for (text, expected) in [
        (
            "artifact/$entity.namespace/$entity.name/$count",
            "artifact/acme/lib/3",
        ),
        ("Published $entity.name.", "Published lib."),
        ("costs $5 and $$entity", "costs $5 and $entity"),
        ("a$", "a$"),
        ("$$", "$"),
        ("100%", "100%"),
        ("{{ $json.username }}!", "ada!"),
        // What an expression gives names nothing.
        ("{{ '$' + 'entity' }}", "$entity"),
    ] {
        assert_eq!(
            found(&run, text).unwrap(),
            Value::from(expected).to_json(),
            "{text}"
        );
    }
    for text in ["x/$missing", "x/$entity", "x/$entity.none", "x/$nothing"] {
        let error = found(&run, text).unwrap_err();
        assert!(
            error.message.contains("`value`") && error.message.contains("cannot be put"),
            "{text}: {error}"
        );
    }
}

#[test]
fn names_are_found_at_every_depth_and_not_in_keys() {
    let output = run().call::<probe>(r#"{"value": {"$count": ["$count", {"a": "n$count"}], "b": 1}}"#);
    assert_eq!(
        output.unwrap().to_json(),
        r#"{"result":{"$count":[3,{"a":"n3"}],"b":1}}"#
    );
}

#[test]
fn what_a_variable_holds_names_nothing() {
    let run = run().variable("evil", "$entity.name");
    assert_eq!(found(&run, "$evil").unwrap(), r#""$entity.name""#);
    assert_eq!(found(&run, "x$evil").unwrap(), r#""x$entity.name""#);
}

#[test]
fn outside_a_workflow_nothing_is_a_name() {
    let outside = run().outside_workflow();
    for text in ["$entity", "a/$missing", "{{ $json.username }}", "$$"] {
        assert_eq!(found(&outside, text).unwrap(), Value::from(text).to_json());
    }
    outside.call::<probe>(r#"{"value": 1, "out": "kept"}"#).unwrap();
    assert_eq!(outside.variable_value("kept"), None);
}

#[test]
fn out_sets_a_variable_and_nothing_else() {
    let run = run();
    run.call::<probe>(r#"{"value": "$entity.name", "out": "name"}"#)
        .unwrap();
    run.call::<probe>(r#"{"value": null, "out": "$none"}"#).unwrap();
    assert_eq!(run.variable_value("name"), Some(Value::from("lib")));
    assert_eq!(run.variable_value("none"), Some(Value::null()));
    for out in ["", "a b", "a.b", "1a", "json", "$steps", "ä"] {
        let error = run
            .call::<probe>(&format!(r#"{{"value": 1, "out": "{out}"}}"#))
            .unwrap_err();
        assert!(error.message.contains("`out`"), "{out}: {error}");
    }
}

#[test]
fn a_request_that_the_run_was_given_is_taken_as_it_is() {
    let trigger =
        json(r#"{"request": {"path": "/p", "body": "abc", "headers": {"Authorization": "Bearer x"}}}"#);
    let run = Harness::new().with_evaluator(move |expression, _| {
        Ok(if expression == "$json" {
            trigger.clone()
        } else {
            Value::null()
        })
    });
    for (text, expected) in [
        ("$request.path", r#""/p""#),
        ("$request.body", r#""abc""#),
        ("$request.headers.authorization", r#""Bearer x""#),
        ("$request.content_length", "3"),
    ] {
        assert_eq!(found(&run, text).unwrap(), expected, "{text}");
    }
    let trigger = json(r#"{"body": "text", "$request": {"method": "PUT"}}"#);
    let run = Harness::new().with_evaluator(move |expression, _| {
        Ok(if expression == "$json" {
            trigger.clone()
        } else {
            Value::null()
        })
    });
    assert_eq!(found(&run, "$request.body").unwrap(), r#""text""#);
    assert_eq!(found(&run, "$request.content_length").unwrap(), "4");
}

#[test]
fn a_host_without_expressions_knows_variables_still() {
    let run = Harness::new().variable("a", &1);
    assert_eq!(found(&run, "$a").unwrap(), "1");
    assert_eq!(found(&run, "$b").unwrap(), "null");
}

proptest! {
    #[test]
    fn a_text_without_a_dollar_sign_stays_as_it_is(text in "[^$]{0,40}") {
        prop_assume!(!text.contains("{{"));
        prop_assert_eq!(found(&run(), &text).unwrap(), Value::from(text.as_str()).to_json());
    }

    #[test]
    fn doubled_dollar_signs_are_the_text(text in "\\PC{0,40}") {
        prop_assume!(!text.contains("{{"));
        let doubled = text.replace('$', "$$");
        prop_assert_eq!(found(&run(), &doubled).unwrap(), Value::from(text.as_str()).to_json());
    }

    #[test]
    fn any_text_gives_a_value_or_an_error(text in "[$a-z.{}0-9 /_]{0,30}") {
        let _ = found(&run(), &text);
    }
}
