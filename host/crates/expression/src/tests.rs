use crate::testing::{LIMITS, Run, value};
use crate::{EvalErrorKind, Expression};

fn check(cases: &[(&str, &str)]) {
    let run = Run::default();
    for (source, expected) in cases {
        match run.eval(source) {
            Ok(found) => assert_eq!(found, *expected, "{source}"),
            Err(error) => panic!("{source}: {error}"),
        }
    }
}

#[test]
fn roots_lead_to_their_values_and_what_is_missing_is_null() {
    check(&[
        ("$json.n", "5"),
        ("$json.big", "9007199254740993"),
        ("$json.nope", "null"),
        ("$json.nope.deep[3].x", "null"),
        ("$json?.user?.name", r#""Ada""#),
        ("$json['with-dash']", "1"),
        ("$json[\"user\"][`name`]", r#""Ada""#),
        ("$json.list[1]", "1"),
        ("$json.list[$json.list.length - 1]", "2"),
        ("$json.list[9]", "null"),
        ("$json[1]", r#""one""#),
        ("$json.list.length", "3"),
        ("$json.text.length", "8"),
        ("$json.s[0]", r#""x""#),
        ("$input.x", "1"),
        ("$input.json.x", "1"),
        ("$input.item.json.deep.y", "2"),
        ("$input.first().json.x", "1"),
        ("$input.all()[0].json.x", "1"),
        ("$input.all().length", "1"),
        ("$context.tenantId", r#""acme""#),
        ("$context.user.level >= 3", "true"),
        ("$context.variables.o.p[1]", "2"),
        ("$context.token", "null"),
        ("$workflow.name", r#""Flow""#),
        ("$workflow.variables.x", "7"),
        ("$vars.x + $variables.x", "14"),
        ("$vars", r#"{"x":7,"o":{"p":[1,2]}}"#),
        ("$env.APP_URL", r#""http://app""#),
        ("$env.SECRET", "null"),
        ("$env", "null"),
        ("$now", r#""2025-12-31T23:59:59.999Z""#),
        ("$today", r#""2025-12-31""#),
        ("$null", "null"),
        ("$item.age", "null"),
        ("item.age > 18", "false"),
    ]);
}

#[test]
fn nodes_show_their_status_and_their_output() {
    check(&[
        ("$steps.a.output.result", r#""ONE""#),
        ("$state.a.output.result", r#""ONE""#),
        ("$a.output.result", r#""ONE""#),
        ("$a.result", r#""ONE""#),
        ("$node[\"Node A\"].json.result", r#""ONE""#),
        ("$nodes['with-dash'].result[2]", "3"),
        ("$nodes['with-' + 'dash'].data.result[2]", "3"),
        (
            "$steps['failed'].success ? 1 : $steps.failed.errorCode + ': ' + $steps.failed.error",
            r#""TIMEOUT: took too long""#,
        ),
        ("$steps.failed.status", r#""error""#),
        ("$steps.failed.output", "null"),
        ("$steps.later.status", r#""pending""#),
        ("$steps.later.success", "false"),
        ("$steps.later.output.x", "null"),
        ("$steps.nobody.output.x", "null"),
        (
            "$steps.failed",
            r#"{"status":"error","success":false,"output":null,"error":"took too long","errorCode":"TIMEOUT"}"#,
        ),
        ("$steps[$json.nope]", "null"),
        ("Object.keys($nodes)", r#"["a","with-dash","failed"]"#),
    ]);
}

#[test]
fn operators_bind_and_coerce_as_in_javascript() {
    check(&[
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("2 ** 3 ** 2", "512"),
        ("10 - 2 - 3", "5"),
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("1 / 4", "0.25"),
        ("'1' + 2", r#""12""#),
        ("'3' * '4'", "12"),
        ("'a' + null + undefined + true", r#""anullundefinedtrue""#),
        ("[1, [2, null]] + ''", r#""1,2,""#),
        ("({}) + ''", r#""[object Object]""#),
        ("1 < 2 === true", "true"),
        ("'10' < '9'", "true"),
        ("'10' < 9", "false"),
        ("null == undefined", "true"),
        ("null === undefined", "false"),
        ("null == 0", "false"),
        ("'1' == 1", "true"),
        ("true == '1'", "true"),
        ("NaN === NaN", "false"),
        ("NaN < 1", "false"),
        ("0 || 'a'", r#""a""#),
        ("0 ?? 'a'", "0"),
        ("$json.nope ?? 'a'", r#""a""#),
        ("1 && 2 || 3", "2"),
        ("false ? 1 : true ? 2 : 3", "2"),
        ("!''", "true"),
        ("typeof $json.nope", r#""undefined""#),
        ("typeof $json.list", r#""object""#),
        ("$json.nope !== undefined", "false"),
        ("$json.z === null", "true"),
        ("'a' in $json.o", "true"),
        ("'constructor' in $json", "false"),
        ("+'0x1f'", "31"),
        ("-'2'", "-2"),
        ("void 0", "null"),
        ("9007199254740993 === $json.big", "true"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("1e21 + ''", r#""1e+21""#),
        ("1e-7 + ''", r#""1e-7""#),
        ("123456789012345680000 + ''", r#""123456789012345680000""#),
        ("[1, 2] === [1, 2]", "true"),
        ("-0", "0"),
        ("1 / -0 === -Infinity", "true"),
        ("($json.page || 1 - 1) * ($json.limit || 50)", "0"),
    ]);
}

#[test]
fn literals_and_templates_are_values() {
    check(&[
        (r"'it\'s \u0041\x42\n'", r#""it's AB\n""#),
        (
            "{a: 1, 'b c': [true, null,], [`k${1}`]: $json.n}",
            r#"{"a":1,"b c":[true,null],"k1":5}"#,
        ),
        ("{a: 1, a: 2}", r#"{"a":2}"#),
        ("{a: $json.nope}", r#"{"a":null}"#),
        ("`n=${$json.n} ${`in ${$json.s}`}`", r#""n=5 in x""#),
        ("0x10 + .5 + 1e3", "1016.5"),
        ("/* why */ 1 // because", "1"),
        ("{{ $json.n }}", "5"),
        ("  {{ {a: {b: 1}} }}  ", r#"{"a":{"b":1}}"#),
    ]);
}

#[test]
fn calls_that_are_compiled_give_what_javascript_gives() {
    check(&[
        ("$json.tags.includes('y')", "true"),
        ("$json.text.toLowerCase()", r#""grüße 😀""#),
        ("$json.text.toUpperCase().slice(0, 3)", r#""GRÜ""#),
        ("' a '.trim()", r#""a""#),
        ("(12).toString()", r#""12""#),
        ("$json.s.startsWith('x') && $json.s.endsWith('x')", "true"),
        ("$json.list.join('-')", r#""3-1-2""#),
        ("$json.list.slice(-2)", "[1,2]"),
        ("$json.list.slice($json.nope, 1)", "[3]"),
        ("$json.nope?.trim()", "null"),
        ("Math.max($json.page || 1, 1)", "1"),
        ("Math.max()  === -Infinity", "true"),
        ("Math.ceil($json.list.length / 2)", "2"),
        ("Math.round(-0.5) + Math.round(2.5)", "3"),
        ("JSON.stringify($json.o)", r#""{\"a\":1}""#),
        ("Array.isArray($json.list)", "true"),
        ("Object.keys($json.o)", r#"["a"]"#),
        ("Object.values($json.o)", "[1]"),
        ("Date.now()", "1767225599999"),
        ("parseInt('12px') + parseFloat('1.5em')", "13.5"),
        ("parseInt('ff', 16)", "255"),
        ("Number('') + Number(null) + Number(true)", "1"),
        ("String([1, 2])", r#""1,2""#),
        ("Boolean('false')", "true"),
    ]);
}

#[test]
fn utils_do_what_their_names_say() {
    check(&[
        ("$utils.flatten([[1, [2]], 3])", "[1,[2],3]"),
        ("$utils.flatten([[1, [2]], 3], 2)", "[1,2,3]"),
        ("$utils.pick($json.user, 'id')", r#"{"id":"u1"}"#),
        ("$utils.omit($json.user, ['id'])", r#"{"name":"Ada"}"#),
        ("$utils.merge({a: 1, b: 1}, null, {a: 2})", r#"{"a":2,"b":1}"#),
        ("$utils.keys($json.o)", r#"["a"]"#),
        ("$utils.values($json.o)", "[1]"),
        ("$utils.entries($json.o)", r#"[["a",1]]"#),
        ("$utils.length($json.list) + $utils.length(null)", "3"),
        ("$utils.first($json.list) + $utils.last($json.list)", "5"),
        ("$utils.reverse('abc')", r#""cba""#),
        ("$utils.sort([3, 1, 'b', 'a', 2])", r#"[1,2,3,"a","b"]"#),
        (
            "$utils.sort($json.items, 'k')",
            r#"[{"k":"a","v":1},{"k":"a","v":3},{"k":"b","v":2}]"#,
        ),
        ("$utils.unique([1, 1.0, '1', [1], [1]])", r#"[1,"1",[1]]"#),
        ("$utils.join([1, null, 2], '-')", r#""1--2""#),
        ("$utils.split('a,b', ',')", r#"["a","b"]"#),
        (
            "$utils.uppercase(\"abc\") + $utils.lowercase('D') + $utils.trim(' e ')",
            r#""ABCde""#,
        ),
        ("$utils.replace('a-b-c', '-', '+')", r#""a+b+c""#),
        (
            "$utils.includes('abc', 'b') && $utils.startsWith('ab', 'a') && $utils.endsWith('ab', 'b')",
            "true",
        ),
        ("$utils.now()", r#""2025-12-31T23:59:59.999Z""#),
        ("$utils.timestamp()", "1767225599999"),
        (
            "$utils.groupBy($json.items, 'k')",
            r#"{"a":[{"k":"a","v":1},{"k":"a","v":3}],"b":[{"k":"b","v":2}]}"#,
        ),
    ]);
}

#[test]
fn a_password_has_every_kind_of_character_and_is_another_each_time() {
    let run = Run::default();
    let ask = |source: &str| run.eval(source);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..200 {
        for (source, length) in [
            ("$utils.generateSecurePassword()", 20),
            ("$utils.generateSecurePassword(8)", 8),
        ] {
            let password = ask(source).unwrap();
            let password = password.trim_matches('"');
            assert_eq!(password.len(), length, "{password}");
            assert!(password.chars().any(|c| c.is_ascii_lowercase()), "{password}");
            assert!(password.chars().any(|c| c.is_ascii_uppercase()), "{password}");
            assert!(password.chars().any(|c| c.is_ascii_digit()), "{password}");
            assert!(password.chars().any(|c| c.is_ascii_punctuation()), "{password}");
            assert!(seen.insert(password.to_owned()), "{password} came twice");
        }
    }
    for bad in ["7", "129", "1.5", "'8'", "null"] {
        let error = ask(&format!("$utils.generateSecurePassword({bad})")).unwrap_err();
        assert!(error.to_string().contains("from 8 to 128"), "{error}");
    }
}

#[test]
fn prototypes_are_out_of_reach() {
    check(&[
        ("$json.constructor", "null"),
        ("$json['__proto__']", "null"),
        ("$json['__pro' + 'to__'].polluted", "null"),
        ("$json.o.constructor.constructor", "null"),
        ("$json.list.map(x => x).__proto__", "null"),
    ]);
}

#[test]
fn errors_say_what_happened_and_where() {
    let run = Run::default();
    for (source, kind, position, part) in [
        ("1 + $json.s * 2", EvalErrorKind::Failed, 3, "not a number"),
        ("$json.n / 0", EvalErrorKind::Failed, 9, "infinite"),
        (
            "$json.nope.trim()",
            EvalErrorKind::Failed,
            12,
            "`trim` cannot be called on nothing",
        ),
        ("'a' in 'b'", EvalErrorKind::Failed, 5, "`in` needs a map"),
        ("[1, NaN]", EvalErrorKind::Failed, 1, "no value"),
        ("$utils.uppercase([])", EvalErrorKind::Failed, 1, "argument 1"),
        ("[1].map(x => x.y.z)", EvalErrorKind::Failed, 14, "TypeError"),
    ] {
        let error = run.eval(source).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert_eq!(error.position, position, "{error}");
        assert!(error.message.contains(part), "{error}");
        assert_eq!(error.expression, source);
    }
}

#[test]
fn what_is_no_expression_is_refused_with_a_place() {
    let run = Run::default();
    for (source, position, part) in [
        ("", 1, "empty"),
        ("1 +", 4, ""),
        ("(1", 1, "not closed"),
        ("1)", 2, "closes nothing"),
        ("'abc", 1, "not closed"),
        ("$json.a b", 9, ""),
        ("$utils.uppercas('a')", 8, "`uppercase` is near"),
        ("$utils.nope", 8, "no function `nope`"),
        ("[1].map(x => $utils.flaten(x))", 21, "`flatten` is near"),
        ("name", 1, "`name` is not defined"),
        ("1; 2", 2, ""),
        ("import('x')", 1, "import"),
        ("-2 ** 2", 4, ""),
        ("1 ?? 2 || 3", 8, ""),
        ("1 ?? 2 && 3", 8, ""),
        ("a\0b", 2, ""),
    ] {
        let error = Expression::compile(source, &run).map(|_| ()).expect_err(source);
        assert_eq!(error.position, position, "{source}: {error}");
        assert!(error.message.contains(part), "{source}: {error}");
    }
}

#[test]
fn nodes_are_bound_when_an_expression_is_compiled() {
    let run = Run::default();
    let compiled = Expression::compile(
        "$steps.a.x + $a.y + $nodes['with-dash'] + $steps.nope + $gone + $steps.nope",
        &run,
    )
    .unwrap();
    let places: Vec<u32> = compiled.nodes().iter().map(|node| node.index).collect();
    assert_eq!(places, [0, 1]);
    let unknown: Vec<&str> = compiled.unknown_nodes().iter().map(|name| &**name).collect();
    assert_eq!(unknown, ["nope", "gone"]);
    let script = Expression::compile("[1].map(x => $steps.a.result + $gone)", &run).unwrap();
    assert!(script.is_script());
    assert_eq!((script.nodes().len(), script.unknown_nodes().len()), (1, 1));
}

#[test]
fn a_name_that_no_node_has_is_a_variable_of_the_run() {
    let mut run = Run::default();
    for (source, expected) in [
        ("$o.p[1]", "2"),
        ("$x + 1", "8"),
        ("$x == null", "false"),
        ("$nothing == null", "true"),
        ("$nothing.there", "null"),
        ("[1, 7].filter(n => n === $x)", "[7]"),
        ("$steps.x == null", "true"),
    ] {
        assert_eq!(run.eval(source).unwrap(), expected, "{source}");
    }
    // A node comes first.
    run.variables = value(r#"{"a": {"result": "mine"}}"#);
    assert_eq!(run.eval("$a.result").unwrap(), r#""ONE""#);
}

#[test]
fn callbacks_read_what_is_bound_to_them() {
    let mut run = Run::default();
    run.bindings = value(r#"{"item": {"age": 30}, "index": 2, "acc": 4}"#);
    for (source, expected) in [
        ("item.age > 18", "true"),
        ("$item.age", "30"),
        ("$acc + $item.age * index", "64"),
        ("$item.nope.deep", "null"),
        ("[1, 2].map(item => item + $index)", "[3,4]"),
        ("[1, 2].map(x => ({ item, x }))[1].item.age", "30"),
        ("value", "null"),
    ] {
        assert_eq!(run.eval(source).unwrap(), expected, "{source}");
    }
}

#[test]
fn truth_is_javascripts() {
    let run = Run::default();
    for (source, expected) in [
        ("''", false),
        ("'0'", true),
        ("0", false),
        ("NaN", false),
        ("[]", true),
        ("{}", true),
        ("null", false),
        ("$json.nope", false),
        ("$json.list.map(x => 0)", true),
        ("$steps.later", true),
        ("true", true),
    ] {
        let compiled = Expression::compile(source, &run).unwrap();
        assert_eq!(compiled.truthy(&run, &LIMITS).unwrap(), expected, "{source}");
    }
}
