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
    metas![escape, first_match, match_all, replace, split, test]
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
        assert!(meta.node_type.starts_with("regex."), "{}", meta.node_type);
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
fn patterns_are_read_as_javascript_reads_them() {
    check::<test>(&[
        (r#"{"value": "é", "pattern": "^\\w$"}"#, Ok("false")),
        (r#"{"value": "é", "pattern": "^\\w$", "flags": "u"}"#, Ok("true")),
        (r#"{"value": "é", "pattern": "^\\W$"}"#, Ok("true")),
        (r#"{"value": "é", "pattern": "^[^\\w]$"}"#, Ok("true")),
        (r#"{"value": "é", "pattern": "^[\\W]$"}"#, Ok("true")),
        (r#"{"value": "_-", "pattern": "^[\\w-]+$"}"#, Ok("true")),
        (r#"{"value": "é", "pattern": "^[\\wé]$"}"#, Ok("true")),
        (r#"{"value": "٣", "pattern": "\\d"}"#, Ok("false")),
        (r#"{"value": "٣", "pattern": "\\d", "flags": "u"}"#, Ok("true")),
        (r#"{"value": "٣", "pattern": "^[\\D]$"}"#, Ok("true")),
        (r#"{"value": "éa", "pattern": "\\ba"}"#, Ok("true")),
        (r#"{"value": "éa", "pattern": "\\ba", "flags": "u"}"#, Ok("false")),
        (r#"{"value": "éa", "pattern": "\\Ba"}"#, Ok("false")),
        (r#"{"value": "\u2003", "pattern": "^\\s$"}"#, Ok("true")),
        (r#"{"value": "K", "pattern": "^\\w$", "flags": "i"}"#, Ok("true")),
        (
            r#"{"value": "\u212a", "pattern": "^\\w$", "flags": "i"}"#,
            Ok("false"),
        ),
        (r#"{"value": "😀", "pattern": "^.$"}"#, Ok("true")),
        (r#"{"value": "a/b", "pattern": "a\\/b"}"#, Ok("true")),
        (r#"{"value": "π", "pattern": "^\\p{L}\\p{Lu}?$"}"#, Ok("true")),
    ]);
}

#[test]
fn flags_do_what_they_say() {
    check::<test>(&[
        (r#"{"value": "ABC", "pattern": "b"}"#, Ok("false")),
        (r#"{"value": "ABC", "pattern": "b", "flags": "i"}"#, Ok("true")),
        (
            r#"{"value": "STRASSE Ä", "pattern": "ä", "flags": "i"}"#,
            Ok("true"),
        ),
        (r#"{"value": "a\nb", "pattern": "^b"}"#, Ok("false")),
        (r#"{"value": "a\nb", "pattern": "^b", "flags": "m"}"#, Ok("true")),
        (r#"{"value": "a\nb", "pattern": "a.b"}"#, Ok("false")),
        (r#"{"value": "a\nb", "pattern": "a.b", "flags": "s"}"#, Ok("true")),
        (r#"{"value": "ab", "pattern": "a b # both"}"#, Ok("false")),
        (
            r#"{"value": "ab", "pattern": "a b # both", "flags": "x"}"#,
            Ok("true"),
        ),
        (
            r#"{"value": "A\nB", "pattern": "a . \\w", "flags": "isxmui"}"#,
            Ok("true"),
        ),
        (
            r#"{"value": "a", "pattern": "a", "flags": "g"}"#,
            Err("`flags`: `g` is none here: take regex.matchAll"),
        ),
        (
            r#"{"value": "a", "pattern": "a", "flags": "y"}"#,
            Err("`flags`: expected some of i, m, s, x and u, found \"y\""),
        ),
        (r#"{"value": "a", "pattern": "a", "flags": "I"}"#, Err("`flags`")),
        (
            r#"{"value": "a", "pattern": "a", "flags": ["i"]}"#,
            Err("at `flags`"),
        ),
    ]);
}

#[test]
fn what_is_no_pattern_is_said_with_its_place() {
    check::<test>(&[
        (r#"{"value": "a"}"#, Err("`pattern`: is missing")),
        (r#"{"value": "a", "pattern": null}"#, Err("`pattern`: is missing")),
        (
            r#"{"value": "a", "pattern": ["a"]}"#,
            Err("expected a text, found a list, at `pattern`"),
        ),
        (
            r#"{"value": {}, "pattern": "a"}"#,
            Err("expected a text, found a map, at `value`"),
        ),
        (
            r#"{"value": "a", "pattern": "é("}"#,
            Err("`pattern`: unclosed group, at character 1"),
        ),
        (
            r#"{"value": "a", "pattern": "[a"}"#,
            Err("`pattern`: unclosed character class, at character 0"),
        ),
        (
            r#"{"value": "a", "pattern": "*"}"#,
            Err("`pattern`: repetition operator missing expression, at character 0"),
        ),
        (
            r#"{"value": "a", "pattern": "a(?=b)"}"#,
            Err("`pattern`: look-around is not known, since matching takes linear time, at character 1"),
        ),
        (
            r#"{"value": "a", "pattern": "(a)\\1"}"#,
            Err("`pattern`: back-references are not known"),
        ),
        (
            r#"{"value": "a", "pattern": "\\p{Klingon}"}"#,
            Err("`pattern`: Unicode property not found"),
        ),
        (
            r#"{"value": "a", "pattern": "(?<a>.)(?<a>.)"}"#,
            Err("`pattern`: duplicate capture group name"),
        ),
        (
            r#"{"value": "a", "pattern": "((a{100}){100}){100}"}"#,
            Err("`pattern`: would take more than 10 MiB: ask for fewer repetitions"),
        ),
        (r#"{"value": 12, "pattern": "^12$"}"#, Ok("true")),
        (r#"{"pattern": "^$"}"#, Ok("true")),
    ]);
    for (pattern, part) in [
        ("a".repeat(10_001), "`pattern`: must have at most 10000 bytes"),
        (
            "(".repeat(5_000) + &")".repeat(5_000),
            "`pattern`: exceed the maximum number of nested parentheses",
        ),
    ] {
        let error = Harness::new()
            .call::<test>(&format!(r#"{{"pattern": "{pattern}"}}"#))
            .unwrap_err();
        assert!(error.message.contains(part), "{error}");
    }
}

#[test]
fn a_text_that_could_take_too_long_is_refused_before_it_does() {
    let text = "01".repeat(200_000);
    let input = |pattern: &str| format!(r#"{{"value": "{text}", "pattern": "{pattern}"}}"#);
    let harness = Harness::new();
    for node in ["[01]*1[01]{3000}2", "(a?){3000}"] {
        for error in [
            harness.call::<test>(&input(node)).unwrap_err(),
            harness.call::<first_match>(&input(node)).unwrap_err(),
            harness.call::<match_all>(&input(node)).unwrap_err(),
            harness.call::<replace>(&input(node)).unwrap_err(),
            harness.call::<split>(&input(node)).unwrap_err(),
        ] {
            assert_eq!(error.code, code::LIMIT_EXCEEDED);
            assert!(
                error.message.contains("`value`: a text may have at most"),
                "{error}"
            );
        }
    }
    let found = harness.call::<test>(&input("01010$")).unwrap();
    assert_eq!(found.to_json(), r#"{"result":false}"#);
}

#[test]
fn a_search_whose_caller_gave_up_ends() {
    let input = r#"{"value": "aaa", "pattern": "a", "replacement": "b", "all": true}"#;
    let gone = Harness::new().cancelled();
    for error in [
        gone.call::<test>(r#"{"value": "a", "pattern": "a"}"#)
            .unwrap_err(),
        gone.call::<first_match>(r#"{"value": "a", "pattern": "a"}"#)
            .unwrap_err(),
        gone.call::<match_all>(r#"{"value": "a", "pattern": "a"}"#)
            .unwrap_err(),
        gone.call::<split>(r#"{"value": "a", "pattern": "a"}"#)
            .unwrap_err(),
        gone.call::<replace>(input).unwrap_err(),
    ] {
        assert_eq!(error.code, code::CANCELLED);
    }
    let late = Harness::new().deadline(Duration::ZERO);
    assert_eq!(late.call::<replace>(input).unwrap_err().code, code::TIMEOUT);
}

#[test]
fn positions_count_characters() {
    check::<first_match>(&[
        (
            r#"{"value": "é😀ab", "pattern": "(?<first>a)(x)?"}"#,
            Ok(r#"{"match": "a", "start": 2, "end": 3, "groups": ["a", null], "named": {"first": "a"}}"#),
        ),
        (
            r#"{"value": "é", "pattern": ""}"#,
            Ok(r#"{"match": "", "start": 0, "end": 0, "groups": [], "named": {}}"#),
        ),
        (
            r#"{"value": "z", "pattern": "(?<z>z)|(?<a>a)"}"#,
            Ok(
                r#"{"match": "z", "start": 0, "end": 1, "groups": ["z", null], "named": {"z": "z", "a": null}}"#,
            ),
        ),
    ]);
    check::<match_all>(&[
        (
            r#"{"value": "éaéa", "pattern": "a"}"#,
            Ok(
                r#"[{"match": "a", "start": 1, "end": 2, "groups": [], "named": {}}, {"match": "a", "start": 3, "end": 4, "groups": [], "named": {}}]"#,
            ),
        ),
        (
            r#"{"value": "é", "pattern": "x*"}"#,
            Ok(
                r#"[{"match": "", "start": 0, "end": 0, "groups": [], "named": {}}, {"match": "", "start": 1, "end": 1, "groups": [], "named": {}}]"#,
            ),
        ),
        (r#"{"value": "aaa", "pattern": "a", "limit": 0}"#, Ok("[]")),
        (r#"{"value": "aaa", "pattern": "b"}"#, Ok("[]")),
        (
            r#"{"value": "a", "pattern": "a", "limit": -1}"#,
            Err("`limit`: must not be negative"),
        ),
        (
            r#"{"value": "a", "pattern": "a", "limit": "few"}"#,
            Err("at `limit`"),
        ),
    ]);
}

#[test]
fn there_is_an_end_to_what_is_found() {
    // A hundred groups of which each has the whole text.
    let pattern = "(".repeat(99) + "a+" + &")".repeat(99);
    let text = "a".repeat(400_000);
    let input = format!(r#"{{"value": "{text}", "pattern": "{pattern}"}}"#);
    let error = Harness::new().call::<first_match>(&input).unwrap_err();
    assert_eq!(error.code, code::LIMIT_EXCEEDED, "{error}");
    let input = format!(r#"{{"value": "{}", "pattern": "a"}}"#, "a".repeat((1 << 20) + 1));
    let error = Harness::new().call::<match_all>(&input).unwrap_err();
    assert_eq!(error.code, code::LIMIT_EXCEEDED, "{error}");
    let error = Harness::new().call::<split>(&input).unwrap_err();
    assert_eq!(error.code, code::LIMIT_EXCEEDED, "{error}");
    // Twenty thousand times as long as the match.
    let (text, long) = ("a".repeat(20_000), "$&".repeat(20_000));
    let input = format!(r#"{{"value": "{text}", "pattern": "a+", "replacement": "{long}"}}"#);
    let error = Harness::new().call::<replace>(&input).unwrap_err();
    assert_eq!(error.code, code::LIMIT_EXCEEDED, "{error}");
}

#[test]
fn a_replacement_may_name_what_was_found() {
    check::<replace>(&[
        (
            r#"{"value": "aa", "pattern": "a", "replacement": "b"}"#,
            Ok(r#""ba""#),
        ),
        (
            r#"{"value": "aa", "regex": "a", "with": "$$$&", "all": "true"}"#,
            Ok(r#""$a$a""#),
        ),
        (
            r#"{"value": "ab", "pattern": "(?<x>a)(b)", "replacement": "${2}${x}$<x>$1"}"#,
            Ok(r#""baaa""#),
        ),
        (
            r#"{"value": "ab", "pattern": "(a)|(b)", "replacement": "[$1$2]", "all": true}"#,
            Ok(r#""[a][b]""#),
        ),
        (
            r#"{"value": "ab", "pattern": "", "replacement": "-", "all": true}"#,
            Ok(r#""-a-b-""#),
        ),
        (r#"{"value": "abc", "pattern": "b"}"#, Ok(r#""ac""#)),
        (
            r#"{"value": "abc", "pattern": "x", "replacement": "y"}"#,
            Ok(r#""abc""#),
        ),
        (
            r#"{"value": "5", "pattern": "5", "replacement": "$5"}"#,
            Err("`replacement`: the pattern has no group \"5\"; write `$$` for a dollar sign"),
        ),
        (
            r#"{"value": "a", "pattern": "x", "replacement": "${nobody}"}"#,
            Err("`replacement`: the pattern has no group \"nobody\""),
        ),
        (
            r#"{"value": "a", "pattern": "x", "replacement": {}}"#,
            Err("at `replacement`"),
        ),
        (
            r#"{"value": "a", "pattern": "x", "all": "some"}"#,
            Err("at `all`"),
        ),
    ]);
}

#[test]
fn a_text_is_split_as_javascript_splits_it() {
    check::<split>(&[
        (r#"{"value": "abc", "pattern": ""}"#, Ok(r#"["a", "b", "c"]"#)),
        (r#"{"value": "a,b", "pattern": ",*"}"#, Ok(r#"["a", "b"]"#)),
        (r#"{"value": "a,", "pattern": ","}"#, Ok(r#"["a", ""]"#)),
        (
            r#"{"value": ",a,,b", "pattern": ","}"#,
            Ok(r#"["", "a", "", "b"]"#),
        ),
        (r#"{"value": "", "pattern": ","}"#, Ok(r#"[""]"#)),
        (r#"{"value": "", "pattern": ",*"}"#, Ok("[]")),
        (r#"{"value": "", "pattern": ",", "limit": 0}"#, Ok("[]")),
        (
            r#"{"value": "a,b,c", "pattern": ",", "limit": 2}"#,
            Ok(r#"["a", "b"]"#),
        ),
        (r#"{"value": "a,b,c", "pattern": ",", "limit": 0}"#, Ok("[]")),
        (
            r#"{"value": "a1b2c", "pattern": "(\\d)"}"#,
            Ok(r#"["a", "b", "c"]"#),
        ),
        (r#"{"value": "a b", "pattern": "(?:)"}"#, Ok(r#"["a", " ", "b"]"#)),
        (r#"{"value": "a", "pattern": "a", "limit": -1}"#, Err("`limit`")),
    ]);
}

#[test]
fn an_escaped_text_is_a_pattern() {
    check::<escape>(&[
        (
            r#"{"value": "a.b*c+d?(e)[f]{g}^h$i|j\\k/l-m#n&o~p"}"#,
            Ok(r#""a\\.b\\*c\\+d\\?\\(e\\)\\[f\\]\\{g\\}\\^h\\$i\\|j\\\\k/l\\-m\\#n\\&o\\~p""#),
        ),
        (r#"{"value": "a b\n\u00a0"}"#, Ok(r#""a\\ b\\n\\x{a0}""#)),
        (r#"{}"#, Ok(r#""""#)),
        (r#"{"value": 1.5}"#, Ok(r#""1\\.5""#)),
        (
            r#"{"value": []}"#,
            Err("expected a text, found a list, at `value`"),
        ),
    ]);
}
