use crate::Template;
use crate::testing::{LIMITS, Run, value};

#[test]
fn a_text_that_is_one_expression_keeps_the_type_of_its_value() {
    let run = Run::default();
    for (template, expected) in [
        (
            r#"{"name": "{{ $json.user.name }}", "tag": "{{ $json.tags[1] }}", "text": "Hi {{ $json.user.name }}!", "num": "{{ $json.n }}",
            "missing": "{{ $json.nope }}", "deep": {"x": "{{$json.n}}"}, "list": ["{{ $json.n }}", "lit"], "lit": 5}"#,
            r#"{"name":"Ada","tag":"y","text":"Hi Ada!","num":5,"missing":null,"deep":{"x":5},"list":[5,"lit"],"lit":5}"#,
        ),
        (
            r#"{"o": "{{ $json.o }}", "l": "{{ $json.list }}", "b": "{{ $json.t }}", "z": "{{ $json.z }}"}"#,
            r#"{"o":{"a":1},"l":[3,1,2],"b":true,"z":null}"#,
        ),
        (
            r#"{"gt": "{{ $json.n > 3 }}", "eq": "{{ $json.s === \"x\" }}", "add": "{{ $json.n + 1 }}", "lit": "{{ 1 + 1 }}"}"#,
            r#"{"gt":true,"eq":true,"add":6,"lit":2}"#,
        ),
        (
            r#""Hi {{ $json.user.name }}, {{ $json.n }} + {{ 1 }} {{ \"q\" }}""#,
            r#""Hi Ada, 5 + 1 q""#,
        ),
        (r#""{{ $json.s }} and {{ $json.n }}""#, r#""x and 5""#),
        (r#""{{ $json.s }} tail""#, r#""x tail""#),
        (r#""  {{ $json.n }}\n""#, "5"),
        (r#""{{ $json.s }}{{ $json.n }}""#, r#""x5""#),
        (
            r#"["{{ $steps.a.output.result }}", "{{ $state.a.output.result }}", "{{ $workflow.variables.x }}", "{{ $a.output.result }}"]"#,
            r#"["ONE","ONE",7,"ONE"]"#,
        ),
        (
            r#"{"up": "{{ $utils.uppercase(\"abc\") }}", "m": "{{ $utils.merge({\"a\":1}) }}"}"#,
            r#"{"up":"ABC","m":{"a":1}}"#,
        ),
        (
            r#""null: {{ $json.z }}, missing: {{ $json.nope }}, {{ 0.5 }}, {{ $json.o }}, {{ $json.list }}""#,
            r#""null: null, missing: null, 0.5, {\"a\":1}, [3,1,2]""#,
        ),
        (r#""{{ {a: {b: '}}'}} }}""#, r#"{"a":{"b":"}}"}}"#),
        (r#""{{ `${'}}'}` }}!""#, r#""}}!""#),
        (r#""{{ {a:1}.a }}""#, "1"),
        (
            r#""{{ $json.items.map(i => { return {v: i.v}; }) }}""#,
            r#"[{"v":1},{"v":2},{"v":3}]"#,
        ),
        (r#""open {{ and nothing""#, r#""open {{ and nothing""#),
        (r#""}} {single} { {""#, r#""}} {single} { {""#),
        (r#"{"condition": "$json.ok"}"#, r#"{"condition":"$json.ok"}"#),
    ] {
        assert_eq!(
            run.render(template).unwrap_or_else(|e| panic!("{template}: {e}")),
            expected,
            "{template}"
        );
    }
}

#[test]
fn what_a_callback_reads_stays_as_it_is_written_until_it_is_bound() {
    let mut run = Run::default();
    let template = r#"{"v": "{{ $item }}", "t": "v={{ $value.x }} {{ $json.n }}", "n": "{{ $json.n }}", "s": "{{ [1].map(x => x + $index) }}"}"#;
    assert_eq!(
        run.render(template).unwrap(),
        r#"{"v":"{{ $item }}","t":"v={{ $value.x }} {{ $json.n }}","n":5,"s":"{{ [1].map(x => x + $index) }}"}"#
    );
    run.bindings = value(r#"{"item": [1], "value": {}, "index": 2}"#);
    assert_eq!(
        run.render(template).unwrap(),
        r#"{"v":[1],"t":"v=null 5","n":5,"s":[3]}"#
    );
    // Without a dollar sign it is no variable in a template.
    let bare = value(r#""{{ item }}""#);
    assert!(Template::compile(bare.as_ref(), &run).is_err());
}

#[test]
fn a_template_without_expressions_is_its_own_value() {
    let run = Run::default();
    let source = value(r#"{"a": [1, "x"], "b": null}"#);
    let template = Template::compile(source.as_ref(), &run).unwrap();
    assert_eq!(template.fixed(), Some(source.as_ref()));
    assert!(template.open().is_empty());
    let mut out = vec![7];
    template.render(&run, &LIMITS, &mut out).unwrap();
    assert_eq!(&out[1..], source.as_bytes());
}

#[test]
fn open_places_nodes_and_errors_have_pointers() {
    let run = Run::default();
    let source = value(r#"{"a/b": ["x", "{{ $a.x }}"], "c": {"d": "{{ $gone }} {{ $item }}"}}"#);
    let template = Template::compile(source.as_ref(), &run).unwrap();
    assert_eq!(template.open(), ["/a~1b/1", "/c/d"]);
    assert_eq!(template.fixed(), None);
    assert_eq!(template.nodes().len(), 1);
    assert_eq!(template.unknown_nodes(), [Box::from("gone")]);

    let wrong = value(
        r#"{"a": ["{{ 1 + }}"], "b": "{{ 'x }}", "c": "ok {{ $json.n }} {{ $utils.x() }}", "d": "{{ }}"}"#,
    );
    let errors = Template::compile(wrong.as_ref(), &run).unwrap_err();
    let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/a/0", "/b", "/c", "/d"]);

    let error = run
        .render(r#"{"a": {"b": ["x", "n: {{ $json.nope.trim() }}"]}}"#)
        .unwrap_err();
    assert_eq!((error.pointer.as_str(), error.position), ("/a/b/1", 12));
}

#[test]
fn what_is_rendered_is_bounded() {
    let mut run = Run::default();
    run.json = value(&format!(r#"{{"big": "{}"}}"#, "x".repeat(400_000)));
    assert!(run.render(r#"["{{ $json.big }}", "{{ $json.big }}"]"#).is_ok());
    for template in [
        r#"["{{ $json.big }}", "{{ $json.big }}", "{{ $json.big }}"]"#,
        r#""{{ $json.big }} {{ $json.big }} {{ $json.big }}""#,
        r#""{{ $json.big + $json.big + $json.big }}""#,
        r#""{{ [$json.big, $json.big, $json.big] }}""#,
        r#"["{{ $json.big }}", "{{ $json.big }}", "{{ [1].map(x => $json.big) }}"]"#,
    ] {
        let error = run.render(template).unwrap_err();
        assert_eq!(
            error.kind,
            crate::EvalErrorKind::Size,
            "{template}: {}",
            error.message
        );
    }
}
