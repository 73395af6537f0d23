//! What templates mean.

use plugin_api::testing::Harness;

use super::*;

const DATA: &str = r#"{
    "name": "Ada", "n": 3, "f": 2.5, "whole": 3.0, "yes": true, "no": false, "nothing": null, "empty": "",
    "list": [3, 1, 2], "nobody": [], "big": 1e300, "map": {"b": 1, "a": 2}, "deep": {"list": [{"x": "y"}]},
    "people": [{"name": "Bob", "age": 9, "pet": {"kind": "cat"}}, {"name": "Ada", "age": 36}, {"name": "Cy", "age": 9}],
    "odd key": 7, "words": "to be or not to be", "pairs": [["a", 1], ["b", 2]]
}"#;

fn rendered_with(template: &str, more: &[(&str, Value)]) -> Result<String, NodeError> {
    let (template, data) = (Value::from(template), Value::from_json(DATA).unwrap());
    let mut input = vec![("template", template.as_ref()), ("data", data.as_ref())];
    input.extend(more.iter().map(|(name, value)| (*name, value.as_ref())));
    let input = Value::from_pairs(input).unwrap();
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

pub(crate) fn all(cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        match rendered_with(template, &[]) {
            Ok(found) => assert_eq!(&found, expected, "{template}"),
            Err(error) => panic!("{template}: {error}"),
        }
    }
}

pub(crate) fn wrong(cases: &[(&str, &str)]) {
    for (template, part) in cases {
        let error = rendered_with(template, &[]).unwrap_err();
        assert!(
            error.message.starts_with("parameter `template`: line "),
            "{template}: {error}"
        );
        assert!(error.message.contains(part), "{template}: {error}");
    }
}

#[test]
fn values_are_written_as_the_workflow_writes_them() {
    all(&[
        ("plain { text } %}", "plain { text } %}"),
        ("{{ name }}{{name}}{= name =}{=name=}", "AdaAdaAdaAda"),
        ("a {=- 1 -=} b{= 2 == 2 =}{= '=}' =}", "a1btrue=}"),
        (
            "{ = name = } {%raw%}{= name =}{%endraw%} =}",
            "{ = name = } {= name =} =}",
        ),
        (
            "{{ n }} {{ f }} {{ whole }} {{ yes }} {{ no }}",
            "3 2.5 3 true false",
        ),
        ("[{{ nothing }}{{ empty }}{{ nothing.x }}]", "[]"),
        ("{{ list }} {{ map }}", r#"[3,1,2] {"b":1,"a":2}"#),
        ("{{ [1, 'a', [true, none]] }}", r#"[1,"a",[true,null]]"#),
        (
            "{{ 1.50 }} {{ 10 }} {{ 'it\\'s' }} {{ \"a\\n\\t\\\\\" }}",
            "1.5 10 it's a\n\t\\",
        ),
        (
            "{{ map.b }} {{ map['a'] }} {{ deep.list[0].x }} {{ list[-1] }} {{ list[n - 3] }}",
            "1 2 y 2 3",
        ),
        (
            "{{ list[9] }}{{ list[-9] }}{{ map[0] }}{{ name.x }}{{ name[0] }}{{ list['a'] }}",
            "",
        ),
        ("{{ (map).b }}{{ [4, 5][1] }}", "15"),
    ]);
}

#[test]
fn operators_bind_as_in_jinja() {
    all(&[
        (
            "{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ 7 // 2 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 7 % 3 }}",
            "7 9 3 3.5 3 1",
        ),
        (
            "{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ -7.5 // 2 }} {{ 7.5 % 2 }}",
            "-4 2 -2 -4 1.5",
        ),
        ("{{ 10 - 3 - 2 }} {{ 2 - -2 }} {{ - n }}", "5 4 -3"),
        (
            "{{ 'a' ~ 1 ~ none ~ true }} {{ 1 + 1 ~ 'x' }} {{ 'a' + 'b' }}",
            "a1true 2x ab",
        ),
        (
            "{{ 1 == 1.0 }} {{ '1' == 1 }} {{ none == nothing }} {{ true == 1 }} {{ missing == none }}",
            "true false true false true",
        ),
        (
            "{{ list == [3, 1, 2] }} {{ [3, 1, 2] == list }} {{ [1, [2]] == [1.0, [2]] }} {{ map == map }} {{ list != none }}",
            "true true true true true",
        ),
        (
            "{{ 1 < 2 }} {{ 'a' < 'b' }} {{ 2 >= 2.0 }} {{ 3 > 2.5 }} {{ 2 <= 1 }}",
            "true true true true false",
        ),
        (
            "{{ 1 in list }} {{ 9 in list }} {{ 'b' in map }} {{ 'da' in name }} {{ 9 not in list }} {{ 1 in [1.0] }}",
            "true false true true true true",
        ),
        (
            "{{ 'x' in missing }} {{ not yes }} {{ not none }}",
            "false false true",
        ),
        (
            "{{ yes and no }} {{ no or yes }} {{ empty or 'fallback' }} {{ name and n }} {{ nobody and x.y }}",
            "false true fallback 3 []",
        ),
        (
            "{{ not yes or yes }} {{ no and no or yes }} {{ yes or no and no }}",
            "true true true",
        ),
        (
            "{{ 'a' if yes else 'b' }} {{ 'a' if no else 'b' }} [{{ 'a' if no }}] {{ 1 if no else 2 if no else 3 }}",
            "a b [] 3",
        ),
        (
            "{{ ('a' if yes else 'b') ~ 'c' }} {{ [1 if yes else 2, 3] }}",
            "ac [1,3]",
        ),
        (
            "{{ -1 | abs }} {{ (1 + 2) | string ~ 'x' }} {{ n is odd and f is number }}",
            "1 3x true",
        ),
        (
            "{{ 9223372036854775807 + 1 }} {{ 9007199254740993 * 1 }}",
            "9223372036854776000 9007199254740993",
        ),
    ]);
    wrong(&[
        (
            "{{ 'a' + 1 }}",
            "`+` is not for a text and a number; `~` joins values as texts",
        ),
        ("{{ 1 / 0 }}", "a division by zero has no result"),
        ("{{ 1 // 0.0 }}", "a division by zero has no result"),
        ("{{ 1 % 0 }}", "a division by zero has no result"),
        ("{{ list < 1 }}", "`<` is not for a list and a number"),
        ("{{ -name }}", "there is no negative of a text"),
        (
            "{{ 1 in 5 }}",
            "`in` looks into a list, a map or a text, not into a number",
        ),
        (
            "{{ 1 in 'a' }}",
            "`in` looks for a text in a text, not for a number",
        ),
        ("{{ 1 < 2 < 3 }}", "comparisons are not chained"),
        ("{{ 1 == 2 in list }}", "comparisons are not chained"),
    ]);
}

#[test]
fn conditions_choose() {
    all(&[
        ("{% if yes %}a{% endif %}{% if no %}b{% endif %}", "a"),
        (
            "{% if no %}a{% elif n == 3 %}b{% elif yes %}c{% else %}d{% endif %}",
            "b",
        ),
        ("{% if no %}a{% elif no %}b{% else %}d{% endif %}", "d"),
        (
            "{% if nobody %}a{% endif %}{% if list %}b{% endif %}{% if map %}c{% endif %}{% if empty %}d{% endif %}{% if 0 %}e{% endif %}",
            "bc",
        ),
        ("{% if yes %}{% if no %}x{% else %}y{% endif %}{% endif %}", "y"),
        (
            "{% if missing is not defined and nobody is sequence %}ok{% endif %}",
            "ok",
        ),
    ]);
}

#[test]
fn loops_go_through_lists_and_maps() {
    all(&[
        ("{% for x in list %}{{ x }},{% endfor %}", "3,1,2,"),
        (
            "{% for k in map %}{{ k }}{% endfor %} {% for k, v in map %}{{ k }}={{ v }} {% endfor %}",
            "ba b=1 a=2 ",
        ),
        (
            "{% for k, v in pairs %}{{ k }}{{ v }}{% endfor %}{% for k, v in map | items %}{{ k }}{{ v }}{% endfor %}",
            "a1b2b1a2",
        ),
        (
            "{% for x in nobody %}{{ x }}{% else %}nobody{% endfor %}{% for x in list %}{% else %}no{% endfor %}",
            "nobody",
        ),
        (
            "{% for x in list %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}",
            "10truefalse3 21falsefalse3 32falsetrue3 ",
        ),
        (
            "{% for x in list %}{% for y in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}",
            "121;122;123;",
        ),
        (
            "{% for x in range(3) %}{{ x }}{% endfor %}{% for x in range(2, 4) %}{{ x }}{% endfor %}{% for x in range(0) %}x{% endfor %}{{ range(3)[1] }}",
            "012231",
        ),
        (
            "{% for p in people %}{{ p.name }}{% if not loop.last %}, {% endif %}{% endfor %}",
            "Bob, Ada, Cy",
        ),
        (
            "{% for x in list %}{% if x == 1 %}{{ x }}{% endif %}{% endfor %}{{ x }}",
            "1",
        ),
    ]);
    wrong(&[
        (
            "{% for x in name %}{% endfor %}",
            "a text has no items to go through; the filters `split` and `lines`",
        ),
        (
            "{% for x in 5 %}{% endfor %}",
            "a number has no items to go through",
        ),
        (
            "{% for a, b in list %}{% endfor %}",
            "with two names, each item has to be a list of two",
        ),
        ("{{ range(200000) }}", "`range` gives 100000 numbers at most"),
        (
            "{{ range('a') }}",
            "`range` is from a whole number up to another one",
        ),
        ("{{ range() }}", "`range` takes one or two arguments"),
        (
            "{% for x in list %}{{ loop.depth }}{% endfor %}",
            "a loop knows its index, index0, first, last and length",
        ),
        (
            "{% for x in list %}{{ loop }}{% endfor %}",
            "expected `.`, found the end of the tag",
        ),
    ]);
}

#[test]
fn names_hold_until_the_end_of_their_round() {
    all(&[
        ("{% set a = 1 %}{{ a }}{% set a = a + 1 %}{{ a }}", "12"),
        ("{% set n = 9 %}{{ n }}", "9"),
        (
            "{% set t = 0 %}{% for x in list %}{% set t = t + x %}{{ t }}{% endfor %}{{ t }}",
            "3120",
        ),
        ("{% for x in list %}{{ seen }}{% set seen = x %}{% endfor %}", ""),
        ("{% if yes %}{% set a = 1 %}{% endif %}{{ a }}", "1"),
        ("{% if no %}{% set name = 1 %}{% endif %}{{ name }}", "Ada"),
        ("{% for name in list %}{{ name }}{% endfor %}{{ name }}", "312Ada"),
        (
            "{% for x in list %}{% for x in [0] %}{{ x }}{% endfor %}{{ x }}{% endfor %}",
            "030102",
        ),
        (
            "{% for x in [1, 2] %}{% for y in [1] %}{% if x == 1 %}{% set z = 5 %}{% endif %}{{ z }}{% endfor %}.{% endfor %}",
            "5..",
        ),
        (
            "{% set loop = 'mine' %}{% for x in [1] %}{{ loop }}{% endfor %}",
            "mine",
        ),
    ]);
}

#[test]
fn blanks_go_where_a_dash_says_so_and_lines_where_that_was_asked_for() {
    all(&[
        ("a {{- 1 -}} b", "a1b"),
        ("a\n{%- if yes -%}\n b \n{%- endif -%}\n c", "abc"),
        ("a {#- note -#} b", "ab"),
        ("{%- raw -%} {{ x }} {%- endraw -%} y", "{{ x }}y"),
        ("{% raw %}{% if %}{{{% endraw %}", "{% if %}{{"),
        ("a{# {{ never }} {% #}b", "ab"),
        ("{{ 'a }} b' }}", "a }} b"),
        ("line\n{% if yes %}\nx\n{% endif %}\n", "line\n\nx\n\n"),
    ]);
    let trimmed = |template: &str| rendered_with(template, &[("trimBlocks", true.into())]).unwrap();
    assert_eq!(trimmed("a\n  {% if yes %}  \nx\n{% endif %}\nb"), "a\nx\nb");
    assert_eq!(
        trimmed("{% for x in list %}\n- {{ x }}\n{% endfor %}\nend"),
        "- 3\n- 1\n- 2\nend"
    );
    assert_eq!(trimmed("a {% if yes %}\nb{% endif %}\n{# note #}\nc"), "a \nb\nc");
    assert_eq!(
        trimmed("{% if yes %}{% set a = 1 %}\n{{ a }}\n{% endif %}"),
        "\n1\n"
    );
    assert_eq!(
        trimmed("x\r\n{% if yes %}\r\ny\r\n{% endif %}\r\nz"),
        "x\r\ny\r\nz"
    );
}

#[test]
fn what_is_no_template_is_said_with_its_place() {
    wrong(&[
        (
            "a\nb{{ }}",
            "line 2, column 5: expected a value, found the end of the tag",
        ),
        ("{{ a", "the tag is never closed: `}}` is missing"),
        ("{= a", "the tag is never closed: `=}` is missing"),
        ("{= a }}", "'}' has no meaning here"),
        ("{{ a =}", "expected the end of the tag, found `=`"),
        ("{{ 'a }}", "the text is never closed: ' is missing"),
        (
            "{{ 'a\\q' }}",
            "a `\\` stands before a quote, another one, n, r or t",
        ),
        ("{{ a b }}", "expected the end of the tag, found `b`"),
        ("{{ a ? b : c }}", "'?' has no meaning here"),
        ("{{ a && b }}", "'&' has no meaning here"),
        ("{{ a ** 2 }}", "expected the end of the tag, found `**`"),
        ("{{ (a }}", "expected `)`, found the end of the tag"),
        ("{{ [a }}", "expected `,`, found the end of the tag"),
        ("{{ a. }}", "expected a name behind the dot"),
        ("{{ a.0 }}", "expected a name behind the dot; `[0]` is an item"),
        ("{{ a() }}", "there are no functions here but `range`"),
        ("{{ a.b() }}", "there are no functions here but `range`"),
        ("{{ and }}", "expected a value, found `and`"),
        ("{{ 99999999999999999999 }}", "the number is too large"),
        ("{% %}", "the end of the tag is no block"),
        (
            "{% include 'x' %}",
            "`include` is no block; there are if, elif, else, for, set and raw",
        ),
        (
            "{% if %}{% endif %}",
            "expected a value, found the end of the tag",
        ),
        ("{% if a %}", "the `if` is never closed: `{% endif %}` is missing"),
        (
            "{% for a in b %}",
            "the `for` is never closed: `{% endfor %}` is missing",
        ),
        ("{% if a %}{% endfor %}", "there is no `for` to end here"),
        ("{% for a in b %}{% endif %}", "there is no `if` to end here"),
        ("{% endif %}", "there is no `if` to end here"),
        ("{% endfor %}", "there is no `for` to end here"),
        ("{% else %}", "there is no `if` that this belongs to"),
        (
            "{% for a in b %}{% elif c %}{% endfor %}",
            "there is no `if` that this belongs to",
        ),
        (
            "{% if a %}{% else %}{% else %}{% endif %}",
            "the `else` of this `if` came before",
        ),
        (
            "{% if a %}{% else %}{% elif b %}{% endif %}",
            "the `else` of this `if` came before",
        ),
        (
            "{% for a in b %}{% else %}{% else %}{% endfor %}",
            "the `else` of this `for` came before",
        ),
        (
            "{% for a %}{% endfor %}",
            "expected `in`, found the end of the tag",
        ),
        ("{% for 1 in a %}{% endfor %}", "expected a name, found a number"),
        ("{% set a %}", "expected `=`, found the end of the tag"),
        ("{% set a.b = 1 %}", "expected `=`, found `.`"),
        (
            "{% raw %}x",
            "the `raw` is never closed: `{% endraw %}` is missing",
        ),
        ("{# a", "the comment is never closed: `#}` is missing"),
        (
            "{% if a %}x{% endif x %}",
            "expected the end of the tag, found `x`",
        ),
    ]);
}
