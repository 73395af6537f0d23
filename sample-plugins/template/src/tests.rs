use std::collections::BTreeSet;
use std::time::Duration;

use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::meta::{Effect, NodeMeta};
use plugin_api::testing::Harness;

use super::*;

/// Parameters, and the result or a part of the error's message.
type Case = (&'static str, Result<&'static str, &'static str>);

fn check<N: Export>(cases: &[Case]) {
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
    metas![render, validate, variables]
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
        assert!(meta.node_type.starts_with("template."), "{}", meta.node_type);
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
fn a_template_reaches_its_node_as_it_is_and_a_source_does_not() {
    for (_, meta) in metas() {
        let parameters = &meta.parameters["properties"];
        assert_eq!(parameters["template"]["x-template"], false, "{}", meta.node_type);
        assert!(
            parameters["source"].get("x-template").is_none(),
            "{}",
            meta.node_type
        );
    }
}

#[test]
fn a_template_comes_from_one_place() {
    check::<render>(&[
        (r#"{"source": "{{ a }}", "variables": {"a": 1}}"#, Ok(r#""1""#)),
        (r#"{"template": "", "data": null}"#, Ok(r#""""#)),
        (r#"{"template": 5}"#, Ok(r#""5""#)),
        (r#"{}"#, Err("`template`: is missing")),
        (r#"{"template": null}"#, Err("`template`: is missing")),
        (
            r#"{"template": "a", "source": "b"}"#,
            Err("`source`: give a template or a source, not both"),
        ),
        (
            r#"{"template": ["a"]}"#,
            Err("expected a text, found a list, at `template`"),
        ),
        (
            r#"{"template": "a", "data": [1]}"#,
            Err("expected a map, found a list, at `data`"),
        ),
        (r#"{"template": "a", "escape": "xml"}"#, Err("at `escape`")),
        (r#"{"template": "a", "strict": "very"}"#, Err("at `strict`")),
        (r#"{"template": "a", "trimBlocks": 1}"#, Err("at `trimBlocks`")),
        (
            r#"{"source": "a\n{{ b"}"#,
            Err("`source`: line 2, column 5: the tag is never closed"),
        ),
        (
            r#"{"template": "ä {{ $json.a }}"}"#,
            Err("`template`: line 1, column 6: `$` is for expressions of the workflow"),
        ),
    ]);
    let long = format!(r#"{{"template": "{}"}}"#, "a".repeat((1 << 20) + 1));
    let error = Harness::new().call::<render>(&long).unwrap_err();
    assert!(
        error.message.contains("`template`: a template has at most 1 MiB"),
        "{error}"
    );
}

#[test]
fn what_is_missing_is_nothing_or_an_error() {
    check::<render>(&[
        (
            r#"{"template": "[{{ a }}{{ a.b.c }}{{ a['b'][0] }}]"}"#,
            Ok(r#""[]""#),
        ),
        (
            r#"{"template": "[{% for x in a %}x{% else %}none{% endfor %}]"}"#,
            Ok(r#""[none]""#),
        ),
        (
            r#"{"template": "{{ a | default('x') }}", "strict": true}"#,
            Ok(r#""x""#),
        ),
        (
            r#"{"template": "{{ a is defined }}", "strict": true}"#,
            Ok(r#""false""#),
        ),
        (
            r#"{"template": "{{ n }}", "data": {"n": null}, "strict": true}"#,
            Ok(r#""""#),
        ),
        (
            r#"{"template": "{{ user.name }}", "data": {"user": {}}, "strict": true}"#,
            Err("`template`: line 1, column 4: there is no `user.name` in the data"),
        ),
        (
            r#"{"template": "{{ user.name }}", "strict": true}"#,
            Err("there is no `user` in the data"),
        ),
        (
            r#"{"template": "{{ l[3] }}", "data": {"l": [1]}, "strict": true}"#,
            Err("there is no `l[3]` in the data"),
        ),
        (
            r#"{"template": "{% if a %}x{% endif %}", "strict": true}"#,
            Err("there is no `a` in the data"),
        ),
        (
            r#"{"template": "{% for x in a %}x{% endfor %}", "strict": true}"#,
            Err("there is no `a` in the data"),
        ),
        (
            r#"{"template": "{{ a | upper }}", "strict": true}"#,
            Err("there is no `a` in the data"),
        ),
        (
            r#"{"template": "{{ 1 + a }}", "strict": true}"#,
            Err("there is no `a` in the data"),
        ),
        (
            r#"{"template": "{{ 1 + a }}"}"#,
            Err("`+` is not for a number and nothing"),
        ),
    ]);
}

#[test]
fn html_is_escaped_when_that_was_asked_for() {
    check::<render>(&[
        (
            r#"{"template": "<p>{{ a }}</p>", "data": {"a": "<\"&'>"}}"#,
            Ok(r#""<p><\"&'></p>""#),
        ),
        (
            r#"{"template": "<p>{{ a }}</p>", "data": {"a": "<\"&'>"}, "escape": "html"}"#,
            Ok(r#""<p>&lt;&quot;&amp;&#39;&gt;</p>""#),
        ),
        (
            r#"{"template": "{{ a | safe }}{{ a | e }}", "data": {"a": "<"}, "escape": "html"}"#,
            Ok(r#""<&lt;""#),
        ),
        (
            r#"{"template": "{{ a | e | e }}", "data": {"a": "<"}}"#,
            Ok(r#""&lt;""#),
        ),
        (
            r#"{"template": "{{ (a | safe) ~ a }}", "data": {"a": "<"}, "escape": "html"}"#,
            Ok(r#""&lt;&lt;""#),
        ),
        (
            r#"{"template": "{{ a | safe | upper }}", "data": {"a": "<b>"}, "escape": "html"}"#,
            Ok(r#""&lt;B&gt;""#),
        ),
        (
            r#"{"template": "{{ a | tojson }}", "data": {"a": {"k": "</script>'&"}}, "escape": "html"}"#,
            Ok(r#""{\"k\":\"\\u003c/script\\u003e\\u0027\\u0026\"}""#),
        ),
        (
            r#"{"template": "{{ a }}", "data": {"a": ["<"]}, "escape": "html"}"#,
            Ok(r#""[&quot;&lt;&quot;]""#),
        ),
        (
            r#"{"template": "{{ a | join('<br>') }}", "data": {"a": ["<", ">"]}, "escape": "html"}"#,
            Ok(r#""&lt;&lt;br&gt;&gt;""#),
        ),
    ]);
}

#[test]
fn a_text_is_told_to_be_a_template_or_none() {
    let validated = |template: &str| {
        let input = Value::from_pairs([("template", Value::from(template).as_ref())]).unwrap();
        let instance = Harness::new().instance::<validate>("null").unwrap();
        instance.call_value(input.as_ref()).unwrap().to_json()
    };
    assert_eq!(
        validated(""),
        r#"{"result":true,"error":null,"line":null,"column":null}"#
    );
    assert!(
        validated("\n  {{ x | shout }}")
            .starts_with(r#"{"result":false,"error":"`shout` is no filter; there are abs, capitalize,"#)
    );
    assert!(validated("\n  {{ x | shout }}").ends_with(r#""line":2,"column":10}"#));
    check::<validate>(&[
        (r#"{"source": "{% if %}"}"#, Ok("false")),
        (r#"{}"#, Err("`template`: is missing")),
        (
            r#"{"template": "a", "source": "b"}"#,
            Err("`source`: give a template or a source, not both"),
        ),
    ]);
}

#[test]
fn variables_are_those_that_the_data_has_to_have() {
    check::<variables>(&[
        (r#"{"template": "no"}"#, Ok("[]")),
        (r#"{"template": "{{ b }}{{ a }}{{ b }}"}"#, Ok(r#"["a", "b"]"#)),
        (r#"{"template": "{% set a = b %}{{ a }}"}"#, Ok(r#"["b"]"#)),
        (r#"{"template": "{{ a }}{% set a = 1 %}"}"#, Ok(r#"["a"]"#)),
        (r#"{"template": "{% set a = a %}"}"#, Ok(r#"["a"]"#)),
        (
            r#"{"template": "{% for a in b %}{{ a.c }}{{ loop.index }}{% endfor %}{{ a }}"}"#,
            Ok(r#"["a", "b"]"#),
        ),
        (
            r#"{"template": "{% for a in b %}{% set c = 1 %}{{ c }}{% endfor %}{{ c }}"}"#,
            Ok(r#"["b", "c"]"#),
        ),
        (
            r#"{"template": "{% if x %}{% set a = 1 %}{{ a }}{% endif %}{{ a }}"}"#,
            Ok(r#"["a", "x"]"#),
        ),
        (
            r#"{"template": "{% if x %}{% set a = 1 %}{% else %}{{ a }}{% endif %}"}"#,
            Ok(r#"["a", "x"]"#),
        ),
        (
            r#"{"template": "{% set a = 1 %}{% if x %}{% set a = 2 %}{% endif %}{{ a }}"}"#,
            Ok(r#"["x"]"#),
        ),
        (
            r#"{"template": "{% if x %}{% set a = 2 %}{% endif %}{% set a = 1 %}{{ a }}"}"#,
            Ok(r#"["x"]"#),
        ),
        (
            r#"{"template": "{{ x | default(y) if z is defined else w }}"}"#,
            Ok(r#"["w", "x", "y", "z"]"#),
        ),
        (
            r#"{"template": "{% raw %}{{ a }}{% endraw %}{# {{ b }} #}"}"#,
            Ok("[]"),
        ),
        (
            r#"{"template": "{{ a.b.c }}{{ a.b['x'].d }}{{ a[i].e }}", "nested": true}"#,
            Ok(r#"["a", "a.b", "a.b.c", "i"]"#),
        ),
        (
            r#"{"template": "{{ loop }}{{ range }}"}"#,
            Ok(r#"["loop", "range"]"#),
        ),
        (
            r#"{"template": "{{"}"#,
            Err("`template`: line 1, column 3: the tag is never closed"),
        ),
        (r#"{"template": "a", "nested": "deep"}"#, Err("at `nested`")),
    ]);
}

#[test]
fn a_call_that_is_over_ends() {
    let input =
        r#"{"template": "{% for i in range(50000) %}{% for j in range(50000) %}{% endfor %}{% endfor %}"}"#;
    let gone = Harness::new().cancelled();
    assert_eq!(gone.call::<render>(input).unwrap_err().code, code::CANCELLED);
    let late = Harness::new().deadline(Duration::from_millis(20));
    assert_eq!(late.call::<render>(input).unwrap_err().code, code::TIMEOUT);
}
