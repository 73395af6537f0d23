//! Templates that would like to take everything.

use plugin_api::error::code;
use plugin_api::testing::Harness;
use proptest::prelude::*;

use super::*;

fn rendered(template: &str) -> Result<String, NodeError> {
    let data =
        Value::from_json(r#"{"a": [1, {"b": "x"}], "s": "0123456789", "t": true, "m": {"k": [1]}}"#).unwrap();
    let input = Value::from_pairs([
        ("template", Value::from(template).as_ref()),
        ("data", data.as_ref()),
    ])
    .unwrap();
    let output = Harness::new()
        .instance::<render>("null")?
        .call_value(input.as_ref())?;
    Ok(output
        .as_ref()
        .get("result")
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned())
}

/// The code and a part of the message of what comes of a template.
fn refused(template: &str, code: &str, part: &str) {
    let start = template.chars().take(60).collect::<String>();
    match rendered(template) {
        Ok(text) => panic!("{start}: {} bytes", text.len()),
        Err(error) => {
            assert_eq!(error.code, code, "{start}: {error}");
            assert!(error.message.contains(part), "{start}: {error}");
        }
    }
}

#[test]
fn nothing_that_lies_in_itself_fills_the_stack() {
    let deep = "an expression goes no deeper than 32 levels";
    for template in [
        format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("{{{{ {}{} }}}}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{{{{ {}a }}}}", "not ".repeat(100_000)),
        format!("{{{{ {}1 }}}}", "-".repeat(100_000)),
        format!("{{{{ {}1{} }}}}", "a[".repeat(100_000), "]".repeat(100_000)),
        format!("{{{{ 1 {} }}}}", "if a else 1 ".repeat(50_000)),
        format!("{{{{ 1 is in {}1 }}}}", "-".repeat(50_000)),
        format!(
            "{{{{ {}1{} }}}}",
            "a | default(".repeat(50_000),
            ")".repeat(50_000)
        ),
    ] {
        refused(&template, code::VALIDATION_FAILED, deep);
    }
    for block in ["{% if a %}", "{% for x in a %}"] {
        refused(
            &block.repeat(50_000),
            code::VALIDATION_FAILED,
            "no more than 64 blocks may lie in one another",
        );
    }
    let nested = format!("{}{{{{ x }}}}", "{% set x = [x] %}".repeat(50_000));
    refused(
        &nested,
        code::VALIDATION_FAILED,
        "lists may lie in one another up to 16 times",
    );
}

#[test]
fn what_only_goes_on_is_read() {
    let long = [
        (format!("{{{{ 1{} }}}}", "+1".repeat(50_000)), "50001"),
        (format!("{{{{ a{} }}}}", ".b".repeat(50_000)), ""),
        (format!("{{{{ s{} }}}}", "|string".repeat(100_000)), "0123456789"),
        (format!("{{{{ t{} }}}}", " and t".repeat(25_000)), "true"),
        (format!("{{{{ t{} }}}}", " is boolean".repeat(50_000)), "true"),
        (format!("{{{{ [{}] | length }}}}", "1,".repeat(50_000)), "50000"),
        (format!("{}{{{{ x }}}}", "{% set x = 1 %}".repeat(50_000)), "1"),
        (
            format!("{}{}", "{% if no %}".repeat(64), "{% endif %}".repeat(64)),
            "",
        ),
        (
            "{% if no %}{% elif no %}".to_owned()
                + &"{% elif no %}".repeat(50_000)
                + "{% else %}x{% endif %}",
            "x",
        ),
        (
            (0..40_000)
                .map(|number| format!("{{% set v{number} = 1 %}}"))
                .collect::<String>()
                + "{{ v7 }}",
            "1",
        ),
        ("{ ".repeat(100_000), ""),
    ];
    for (template, expected) in long {
        let found = rendered(&template).unwrap();
        if !expected.is_empty() {
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn what_grows_ends() {
    let limit = code::LIMIT_EXCEEDED;
    let twice = "{% set x = x ~ x %}".repeat(60);
    refused(
        &format!("{{% set x = s %}}{twice}{{{{ x | length }}}}"),
        limit,
        "MiB of values",
    );
    let twice = "{% set x = x | replace('0', x) %}".repeat(60);
    refused(&format!("{{% set x = '00' %}}{twice}"), limit, "MiB of values");
    let twice = "{% set x = [x, x] | join %}".repeat(60);
    refused(&format!("{{% set x = s %}}{twice}"), limit, "MiB of values");
    refused(
        "{% for i in range(100000) %}{% for j in range(100000) %}{{ s }}{% endfor %}{% endfor %}",
        limit,
        "`template`",
    );
    refused(
        "{% for i in range(100000) %}{{ range(100000) }}{% endfor %}",
        limit,
        "MiB of values",
    );
    refused(
        "{% for i in range(100000) %}{{ a | items }}{% endfor %}",
        code::VALIDATION_FAILED,
        "expected a map",
    );
    let wide = format!("{{% set x = [{}] %}}", "s,".repeat(1000));
    let wider = format!("{{% set x = [{}] %}}", "x,".repeat(1000)).repeat(10);
    refused(
        &format!("{wide}{wider}{{{{ x }}}}"),
        code::VALIDATION_FAILED,
        "the list would be too large",
    );
    refused(
        "{% for i in range(100000) %}{% set x = s | indent(1000, true) %}{% endfor %}",
        limit,
        "MiB of values",
    );
}

#[test]
fn what_takes_long_ends() {
    let limit = code::LIMIT_EXCEEDED;
    let steps = "takes more steps than a template may";
    refused(
        "{% set x = range(99999) %}{% for i in x %}{% for j in x %}{% endfor %}{% endfor %}",
        limit,
        steps,
    );
    let loops = "{% for i in x %}".repeat(20) + &"{% endfor %}".repeat(20);
    refused(&format!("{{% set x = range(1000) %}}{loops}"), limit, steps);
    let long = "{% set x = range(100000) | join %}".to_owned();
    refused(
        &format!("{long}{{% for i in range(100000) %}}{{% if 'z' in x %}}{{% endif %}}{{% endfor %}}"),
        limit,
        steps,
    );
    refused(
        &format!("{long}{{% for i in range(100000) %}}{{% if x | length == 1 %}}{{% endif %}}{{% endfor %}}"),
        limit,
        steps,
    );
    refused(
        "{% set x = range(100000) %}{% for i in x %}{% if -1 in x %}{% endif %}{% endfor %}",
        limit,
        steps,
    );
}

/// Words of templates, good and bad.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "{{",
        "{=",
        "=}",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "-",
        "if",
        "elif",
        "else",
        "endif",
        "for",
        "in",
        "endfor",
        "set",
        "raw",
        "endraw",
        "x",
        "a",
        "s",
        "m",
        ".b",
        "[0]",
        "[",
        "]",
        "(",
        ")",
        "|",
        "upper",
        "join",
        "sort",
        "default",
        "items",
        "length",
        "round",
        "1",
        "-1",
        "2.5",
        "'t'",
        "\"",
        "\\",
        "=",
        "==",
        "<",
        "+",
        "*",
        "/",
        "%",
        "~",
        ",",
        " ",
        "\n",
        "is",
        "not",
        "and",
        "or",
        "defined",
        "none",
        "true",
        "loop.index",
        "range(3)",
        "é😀",
        "$",
    ]);
    prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

/// Templates that can be read, of a few levels.
fn template() -> impl Strategy<Value = String> {
    let value = prop::sample::select(vec![
        "a",
        "s",
        "m.k",
        "missing",
        "a[0]",
        "x",
        "1",
        "'t'",
        "[1, s]",
        "a | length",
        "s | upper",
        "m | items",
        "a | first",
        "s ~ 1",
        "1 + 2",
        "s in m",
        "x is defined",
        "not t",
        "s if t else a",
        "range(2)",
        "missing | default('d')",
        "s | split('5') | join('-')",
        "a | tojson",
    ]);
    let leaf = prop_oneof![
        "[a-z \n]{0,6}",
        value.clone().prop_map(|value| format!("{{{{ {value} }}}}"))
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let value = value.clone();
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|parts| parts.concat()),
            (value.clone(), inner.clone(), inner.clone())
                .prop_map(|(value, yes, no)| format!("{{% if {value} %}}{yes}{{% else %}}{no}{{% endif %}}")),
            inner
                .clone()
                .prop_map(|body| format!("{{% for x in a %}}{body}{{{{ loop.index }}}}{{% endfor %}}")),
            (value, inner).prop_map(|(value, after)| format!("{{% set x = {value} %}}{after}")),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_a_panic_and_what_validates_is_read(text in words()) {
        let input = Value::from_pairs([("template", Value::from(text.as_str()).as_ref())]).unwrap();
        let call = |node: plugin_api::testing::Instance| node.call_value(input.as_ref());
        let validated = call(Harness::new().instance::<validate>("null").unwrap()).unwrap();
        let valid = validated.as_ref().get("result").unwrap().as_bool().unwrap();
        let named = call(Harness::new().instance::<variables>("null").unwrap());
        prop_assert_eq!(named.is_ok(), valid);
        let done = rendered(&text);
        prop_assert!(valid || done.is_err(), "{:?}", done);
    }

    #[test]
    fn a_text_without_braces_is_itself(text in "[^{]{0,40}") {
        prop_assert_eq!(rendered(&text).unwrap(), text);
    }

    #[test]
    fn what_is_raw_is_itself(text in "[a-z{}#% \n]{0,30}") {
        prop_assume!(!text.contains("{%"));
        // A brace at its end would belong to the end of the block.
        prop_assume!(!text.ends_with('{'));
        prop_assert_eq!(rendered(&format!("{{% raw %}}{text}{{% endraw %}}")).unwrap(), text);
    }

    #[test]
    fn a_template_gives_the_same_each_time_and_only_needs_what_it_names(template in template()) {
        let done = rendered(&template);
        prop_assert_eq!(&done, &rendered(&template));
        let input = Value::from_pairs([("template", Value::from(template.as_str()).as_ref())]).unwrap();
        let named = Harness::new().instance::<variables>("null").unwrap().call_value(input.as_ref()).unwrap();
        let names: Vec<String> = named.as_ref().get("result").unwrap().as_list().unwrap().iter()
            .map(|name| name.as_str().unwrap().to_owned()).collect();
        let data = Value::from_json(r#"{"a": [1, {"b": "x"}], "s": "0123456789", "t": true, "m": {"k": [1]}}"#).unwrap();
        let kept = data.as_ref().as_map().unwrap().iter().filter(|(name, _)| names.iter().any(|known| known == name));
        let kept = Value::from_pairs(kept).unwrap();
        let input = Value::from_pairs([("template", Value::from(template.as_str()).as_ref()), ("data", kept.as_ref())]).unwrap();
        let again = Harness::new().instance::<render>("null").unwrap().call_value(input.as_ref());
        let again = again.map(|output| output.as_ref().get("result").unwrap().as_str().unwrap().to_owned());
        prop_assert_eq!(again, done);
    }
}
