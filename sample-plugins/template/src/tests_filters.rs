//! What filters make, and what can be asked with `is`.

use crate::tests_language::{all, wrong};

#[test]
fn filters_do_what_they_say() {
    all(&[
        (
            "{{ name | upper }} {{ name | lower }} {{ 'aDA b' | capitalize }} {{ words | title }} {{ ' a ' | trim }}",
            "ADA ada Ada b To Be Or Not To Be a",
        ),
        (
            "{{ name | length }} {{ list | count }} {{ map | length }} {{ nobody | length }} {{ missing | length }} {{ 'é😀' | length }}",
            "3 3 2 0 0 2",
        ),
        (
            "{{ missing | default('x') }} {{ nothing | d('y') }} [{{ missing | default }}] [{{ empty | d('z') }}] {{ empty | d('z', true) }} {{ no | default(1) }}",
            "x y [] [] z false",
        ),
        (
            "{{ list | join(', ') }} {{ list | join }} {{ people | join('/', 'name') }} [{{ missing | join }}]",
            "3, 1, 2 312 Bob/Ada/Cy []",
        ),
        (
            "{{ list | first }} {{ list | last }} {{ name | first }}{{ name | last }} [{{ nobody | first }}{{ missing | last }}] {{ [4, 5] | last }}",
            "3 2 Aa [] 5",
        ),
        (
            "{{ list | sort }} {{ list | sort | reverse }} {{ ['b', 'a'] | sort }} {{ people | sort('age') | map('name') }} {{ name | reverse }}",
            r#"[1,2,3] [3,2,1] ["a","b"] ["Bob","Cy","Ada"] adA"#,
        ),
        (
            "{{ [1, 1.0, '1', 2, 1] | unique }} {{ ['a', 'a'] | unique }} {{ [[1], [1.0]] | unique }}",
            r#"[1,"1",2] ["a"] [[1]]"#,
        ),
        (
            "{{ map | keys }} {{ map | values }} {{ map | items }} {{ missing | keys }}",
            r#"["b","a"] [1,2] [["b",1],["a",2]] []"#,
        ),
        (
            "{{ 'a-b-c' | replace('-', '+') }} {{ 'aaa' | replace('a', '') }} {{ 'ab' | replace('', '.') }}",
            "a+b+c  .a.b.",
        ),
        (
            "{{ 2.5 | round }} {{ -2.5 | round }} {{ 1.005 | round(2) }} {{ 7 | round(1) }} {{ 1234.5678 | round(2) }} {{ big | round }}",
            "3 -3 1.01 7 1234.57 1e+300",
        ),
        (
            "{{ '12' | int }} {{ '12.9' | int }} {{ 'x' | int }} {{ 'x' | int(7) }} {{ 2.9 | int }} {{ true | int }} {{ none | int }}",
            "12 12 0 7 2 1 0",
        ),
        (
            "{{ '1.5' | float }} {{ 'x' | float(2.5) }} {{ '1e400' | float }} {{ 'inf' | float }} {{ 3 | float }}",
            "1.5 2.5 0 0 3",
        ),
        (
            "{{ -3 | abs }} {{ 2.5 | abs }} {{ 5 | string ~ 1 }} {{ list | string | length }}",
            "3 2.5 51 7",
        ),
        (
            "{{ 'a,b' | split(',') }} {{ ' a  b ' | split }} {{ 'a\\nb' | lines }}",
            r#"["a","b"] ["a","b"] ["a","b"]"#,
        ),
        (
            "{{ 'abcdef' | truncate(4) }} {{ 'abcdef' | truncate(6) }} {{ 'abcdef' | truncate(4, '') }} {{ 'äöü' | truncate(2, '…') }} {{ 'abc' | truncate(0) }}",
            "a... abcdef abcd ä… ...",
        ),
        (
            "{{ 'a\\nb\\n\\nc' | indent(2) }}|{{ 'a\\nb' | indent(1, true) }}",
            "a\n  b\n\n  c| a\n b",
        ),
        (
            "{{ [1, 2.5] | sum }} {{ people | sum('age') }} {{ nobody | sum }} {{ list | min }} {{ list | max }} [{{ nobody | max }}]",
            "3.5 54 0 1 3 []",
        ),
        (
            "{{ people | map('pet.kind') }} {{ people | select('pet') | map('name') }} {{ people | select('age', 9) | length }} {{ people | reject('age', 9) | map('name') }}",
            r#"["cat",null,null] ["Bob"] 2 ["Ada"]"#,
        ),
        (
            "{{ list | slice(1) }} {{ list | slice(0, 2) }} {{ list | slice(-1) }} {{ name | slice(1, -1) }} {{ list | slice(2, 1) }} {{ list | slice(9) }}",
            "[1,2] [3,1] [2] d [] []",
        ),
        (
            "{{ 'a b&c/é' | urlencode }} {{ {} }}".get(..28).unwrap(),
            "a%20b%26c%2F%C3%A9",
        ),
        (
            "{{ map | tojson }} {{ 'a\"<' | tojson }} {{ [none, 'x'] | tojson }}",
            r#"{"b":1,"a":2} "a\"\u003c" [null,"x"]"#,
        ),
    ]);
    wrong(&[
        (
            "{{ list | upper }}",
            "the filter `upper`: expected a text, found a list",
        ),
        (
            "{{ name | sort }}",
            "the filter `sort`: expected a list, found a text",
        ),
        (
            "{{ [1, 'a'] | sort }}",
            "the filter `sort`: a number and a text have no order",
        ),
        ("{{ people | sort('name') | sort('pet') }}", "have no order"),
        (
            "{{ name | keys }}",
            "the filter `keys`: expected a map, found a text",
        ),
        ("{{ 5 | length }}", "the filter `length`: a number has no length"),
        (
            "{{ 5 | first }}",
            "the filter `first`: expected a list or a text, found a number",
        ),
        (
            "{{ map | last }}",
            "the filter `last`: expected a list or a text, found a map",
        ),
        (
            "{{ name | round }}",
            "the filter `round`: expected a number, found a text",
        ),
        (
            "{{ f | round(99) }}",
            "the filter `round`: a number is rounded to 0 to 15 digits",
        ),
        (
            "{{ name | abs }}",
            "the filter `abs`: expected a number, found a text",
        ),
        (
            "{{ name | truncate('a') }}",
            "the filter `truncate`: expected a whole number as an argument, found a text",
        ),
        (
            "{{ name | truncate(-1) }}",
            "the filter `truncate`: a text is cut to a length that is not negative",
        ),
        (
            "{{ name | split('') }}",
            "the filter `split`: a text is not split at nothing",
        ),
        (
            "{{ name | split(1) }}",
            "the filter `split`: expected a text as an argument, found a number",
        ),
        (
            "{{ name | indent(5000) }}",
            "the filter `indent`: a text is indented by 0 to 1000 blanks",
        ),
        (
            "{{ ['a', 1] | sum }}",
            "the filter `sum`: `+` is not for a number and a text",
        ),
        (
            "{{ list | max | min }}",
            "the filter `min`: expected a list, found a number",
        ),
        ("{{ name | shout }}", "`shout` is no filter; there are abs"),
        (
            "{{ name | upper(1) }}",
            "the filter `upper` takes no arguments, and has 1 here",
        ),
        (
            "{{ name | replace('a') }}",
            "the filter `replace` takes 2 arguments, and has 1 here",
        ),
        (
            "{{ name | map }}",
            "the filter `map` takes one argument, and has 0 here",
        ),
        ("{{ name | default(value=1) }}", "arguments have no names here"),
        ("{{ name | 5 }}", "a number is no filter"),
    ]);
}

#[test]
fn questions_are_answered() {
    all(&[
        (
            "{{ name is defined }} {{ x is defined }} {{ x is undefined }} {{ name is not undefined }} {{ nothing is defined }}",
            "true false true true true",
        ),
        (
            "{{ nothing is none }} {{ x is none }} {{ name is string }} {{ n is number }} {{ f is integer }} {{ n is integer }} {{ yes is boolean }}",
            "true false true true false true true",
        ),
        (
            "{{ list is sequence }} {{ map is mapping }} {{ map is sequence }} {{ map is iterable }} {{ name is iterable }} {{ [1] is sequence }}",
            "true true false true false true",
        ),
        (
            "{{ 3 is odd }} {{ 4 is even }} {{ -3 is odd }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ 1 is in [1] }} {{ 1 is not in list }}",
            "true true true true false true false",
        ),
    ]);
    wrong(&[
        ("{{ name is odd }}", "`odd` is for whole numbers, not for a text"),
        ("{{ 1 is divisibleby 0 }}", "nothing is divisible by zero"),
        ("{{ 1.5 is divisibleby 1 }}", "`divisibleby` is for whole numbers"),
        (
            "{{ name is pretty }}",
            "nothing can be asked with `pretty`; there are boolean, defined",
        ),
        (
            "{{ name is defined(1) }}",
            "`is defined` takes 0 arguments, and has 1 here",
        ),
        ("{{ 1 is in() }}", "`is in` takes 1 arguments, and has 0 here"),
    ]);
}
