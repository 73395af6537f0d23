use proptest::prelude::*;

use crate::Expression;
use crate::Template;
use crate::testing::Run;
use plugin_api::value::Value;

fn leaf() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "0",
        "1",
        "-1",
        "2.5",
        "1e21",
        "1e-7",
        "9007199254740991",
        "''",
        "'a'",
        "'10'",
        "'9'",
        "' 7 '",
        "'0x1f'",
        "'é😀'",
        "true",
        "false",
        "null",
        "undefined",
        "NaN",
        "Infinity",
        "-0",
        "$json.n",
        "$json.s",
        "$json.nope",
        "$json.list",
        "$json.user.name",
        "[]",
        "[1]",
        "[1, 'b', null]",
        "$json.text.length",
    ])
    .prop_map(str::to_owned)
}

/// Operator expressions with brackets left out at random, so that precedence is tried, too.
fn operators() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 24, 3, |inner| {
        let binary = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "**", "<", "<=", ">", ">=", "==", "!=", "===", "!==", "&&", "||", "??",
        ]);
        prop_oneof![
            4 => (inner.clone(), binary, inner.clone(), any::<bool>()).prop_map(|(a, op, b, bare)| {
                if bare { format!("{a} {op} {b}") } else { format!("({a} {op} {b})") }
            }),
            1 => (prop::sample::select(vec!["!", "- ", "+", "typeof "]), inner.clone()).prop_map(|(op, a)| format!("{op}({a})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            1 => inner.clone().prop_map(|a| format!("`<${{{a}}}>`")),
            1 => (prop::sample::select(vec!["String", "Number", "Boolean", "Math.round", "Math.max", "parseInt", "parseFloat", "JSON.stringify"]), inner.clone())
                .prop_map(|(f, a)| format!("{f}({a})")),
            1 => (inner, -4..4_i32, -4..4_i32).prop_map(|(a, from, to)| format!("String({a}).slice({from}, {to})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn what_is_compiled_gives_what_the_engine_gives(source in operators()) {
        let run = Run::default();
        // Lists are compared by their contents here, and by identity there.
        let compiled = Expression::compile(&source, &run);
        let script = Expression::compile(&format!("(() => {source})()"), &run);
        prop_assert_eq!(compiled.is_ok(), script.is_ok(), "{}: {:?} {:?}", source, compiled, script);
        if let (Ok(compiled), Ok(script)) = (compiled, script) {
            let lists = source.matches("list").count() + source.matches('[').count();
            prop_assume!(lists < 2 || !(source.contains("==") || source.contains("!=")));
            prop_assert!(script.is_script());
            prop_assert!(!compiled.is_script(), "{}", source);
            let (a, b) = (run.evaluate(&compiled), run.evaluate(&script));
            match (a, b) {
                (Ok(a), Ok(b)) => prop_assert_eq!(a, b, "{}", source),
                (a, b) => prop_assert_eq!(a.is_ok(), b.is_ok(), "{}: {:?} {:?}", source, a, b),
            }
        }
    }

    #[test]
    fn numbers_are_written_as_the_engine_writes_them(number in any::<f64>()) {
        let run = Run::default();
        prop_assume!(number.is_finite());
        let mut ours = String::new();
        crate::number::write_number(number, &mut ours);
        prop_assert_eq!(run.eval(&format!("(() => String({number:e}))()")).unwrap(), format!("\"{ours}\""));
        prop_assert_eq!(crate::number::read_number(&ours).to_bits(), (number + 0.0).to_bits());
    }

    #[test]
    fn no_text_makes_the_compiler_panic(text in "\\PC*") {
        let run = Run::default();
        let _ = Expression::compile(&text, &run);
        let _ = Template::compile(Value::from(text.as_str()).as_ref(), &run);
        let _ = Template::compile(Value::from(format!("{{{{ {text} }}}}").as_str()).as_ref(), &run);
    }

    #[test]
    fn no_heap_of_tokens_makes_the_compiler_panic(tokens in prop::collection::vec(prop::sample::select(vec![
        "$json", "$utils", ".", "?.", "[", "]", "(", ")", "{", "}", "`", "${", "'", "\"", "/", "\\", "a", "item", "=>", ",",
        ":", "?", "+", "**", "in", "1", "0x", "\n", "//", "/*", "*/", "let", "=", "...", "{{", "}}", "é", "😀", "join", "function",
    ]), 0..24)) {
        let run = Run::default();
        let text = tokens.concat();
        if let Ok(compiled) = Expression::compile(&text, &run) {
            let _ = run.evaluate(&compiled);
        }
        let _ = Template::compile(Value::from(text.as_str()).as_ref(), &run);
    }
}

#[test]
fn nesting_is_bounded() {
    let run = Run::default();
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("[", "", "]"),
        ("!", "1", ""),
        ("-", "1", ""),
        ("{a:", "1", "}"),
        ("$json[", "1", "]"),
        ("1+(", "1", ")"),
        ("1**", "1", ""),
        ("1?", "1", ":1"),
        ("1?1:", "1", ""),
        ("`${", "1", "}`"),
        ("", "1", "+1"),
        ("", "''", ".trim()"),
        ("", "$json", ".a"),
        ("x=>", "1", ""),
        ("[].map(x=>", "1", ")"),
        ("", "1", "||1"),
        ("f(", "", ")"),
    ] {
        for count in [5, 150, 10_000] {
            let source = format!("{}{middle}{}", open.repeat(count), close.repeat(count));

            match Expression::compile(&source, &run) {
                Ok(compiled) => drop(run.evaluate(&compiled)),
                Err(error) => assert!(error.expression.chars().count() <= 200),
            }
        }
    }
    assert!(Expression::compile(&"1+".repeat(40_000), &run).is_err());
    let long = format!("'{}'", "x".repeat(70_000));
    assert!(
        Expression::compile(&long, &run)
            .unwrap_err()
            .message
            .contains("at most")
    );
}
