//! Versions that nodes ask for.

use patchbay_vocab::Version;

use super::{planned, said};
use crate::{VersionRange, no_version, read};

fn ranges(nodes: &str) -> Vec<(String, String)> {
    let json = format!(r#"{{"nodes":[{nodes}],"connections":{{}}}}"#);
    let ranges = read(json.as_bytes()).expect("it is an object").ranges();
    let shown = |range: VersionRange| (range.plugin.to_string(), range.range.to_string());
    ranges.into_iter().map(shown).collect()
}

fn versions(texts: &[&str]) -> Vec<Version> {
    texts
        .iter()
        .map(|text| text.parse().expect("a version"))
        .collect()
}

#[test]
fn ranges_are_found_wherever_nodes_are_and_other_texts_are_none() {
    let nodes = r#"
        {"id":"a","type":"text.upper","plugin":"text@^1.2"},
        {"id":"b","type":"text.lower","plugin":" text @ >=1.2, <2 "},
        {"id":"c","type":"control.loop","parameters":{"items":[1],"body":{"nodes":[
            {"id":"d","type":"math.add","plugin":"math@=1.2.3"}],"connections":{}}}},
        {"id":"e","type":"workflow.run","parameters":{"workflow":{"nodes":[
            {"id":"f","type":"math.add","plugin":"math@*"}],"connections":{}}}},
        {"id":"g","type":"x.y","plugin":"x.y"},
        {"id":"h","type":"x.y","plugin":"@scope/package"},
        {"id":"i","type":"x.y","plugin":5}"#;
    let found = ranges(nodes);
    let expected = [
        ("text", "^1.2"),
        ("text", ">=1.2, <2"),
        ("math", "=1.2.3"),
        ("math", "*"),
    ];
    let found: Vec<_> = found
        .iter()
        .map(|(plugin, range)| (&**plugin, &**range))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_plan_and_the_plans_within_it_share_the_ranges() {
    let json = r#"{"name":"w","nodes":[
        {"id":"a","name":"a","type":"text.upper","plugin":"text@^1.2"},
        {"id":"c","name":"c","type":"control.loop","parameters":{"items":[1],"body":{"nodes":[
            {"id":"d","name":"d","type":"math.add","plugin":"math@^3"}],"connections":{}}}}],"connections":{}}"#;
    let plan = planned(json);
    assert_eq!(plan.ranges.len(), 2);
    let crate::Work::Loop(spec) = &plan.nodes[1].work else {
        panic!("it is a loop");
    };
    assert!(std::sync::Arc::ptr_eq(&spec.body.ranges, &plan.ranges));
}

#[test]
fn what_is_meant_as_a_range_and_is_none_is_an_error_where_it_stands() {
    let one = |plugin: &str| {
        let json = format!(
            r#"{{"name":"w","tenantId":"t","nodes":[{{"id":"a","name":"a","type":"text.upper","plugin":"{plugin}"}}],"connections":{{}}}}"#
        );
        said(&json)
    };
    let at = || "nodes[0].plugin".to_owned();
    let long = format!("text@{}", ">=1.0,".repeat(60));
    for wrong in [
        "text@",
        "text@new",
        "text@1.2.3.4",
        "Text Tools@^1.2",
        "text@^1.2@^2",
        &long,
    ] {
        assert_eq!(one(wrong), [("INVALID_VERSION_RANGE", at())], "{wrong}");
    }
    for ignored in ["text", "@scope/package"] {
        assert_eq!(one(ignored), [("UNSUPPORTED_SETTING", at())], "{ignored}");
    }
    for right in ["text@^1.2", "text@*", "text.upper", "text@~1.2.3", "text@>=1, <3"] {
        assert_eq!(one(right), [], "{right}");
    }
}

#[test]
fn a_range_is_no_node_type() {
    let json = r#"{"name":"w","nodes":[{"id":"a","name":"a","type":"action","plugin":"text@^1.2"}],"connections":{}}"#;
    let found = said(json);
    assert!(
        found.contains(&("MISSING_NODE_TYPE", "nodes[0].nodeType".to_owned())),
        "{found:?}"
    );
}

#[test]
fn that_no_version_fits_names_the_ranges_the_versions_and_the_nearest() {
    let document = |first: &str, second: &str| {
        let json = format!(
            r#"{{"nodes":[{{"id":"a","type":"t.a","plugin":"t@{first}"}},{{"id":"b","type":"t.b","plugin":"t@{second}"}}]}}"#
        );
        read(json.as_bytes()).expect("it is an object").ranges()
    };
    let told = |first: &str, second: &str, there: &[&str]| {
        let ranges = document(first, second);
        let ranges: Vec<_> = ranges.iter().collect();
        no_version(&ranges, &versions(there)).expect("there are ranges")
    };
    let found = told("^1.2", "^2", &["1.0.0", "1.3.0", "3.0.0", "1.2.0"]);
    assert_eq!(
        (found.code.0, found.path.as_str()),
        ("NO_MATCHING_VERSION", "nodes[0].plugin")
    );
    assert_eq!(
        found.message,
        "no version of t is in ^1.2 and in ^2; there are 3.0.0, 1.3.0, 1.2.0, 1.0.0"
    );
    assert!(found.hint.contains("the nearest is 1.3.0"), "{}", found.hint);
    let found = told("^2.1", "^2", &["1.0.0", "2.0.0"]);
    assert!(found.hint.contains("the nearest is 2.0.0"), "{}", found.hint);
    let found = told("^3", "^3", &["1.0.0", "2.5.0"]);
    assert_eq!(found.message, "no version of t is in ^3; there are 2.5.0, 1.0.0");
    assert!(found.hint.contains("the nearest is 2.5.0"), "{}", found.hint);
    let many: Vec<String> = (0..50).map(|minor| format!("1.{minor}.0")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let found = told("^3", "^3", &many);
    assert!(found.message.ends_with("1.42.0 and 42 more"), "{}", found.message);
    assert!(
        told("^3", "^3", &[])
            .message
            .ends_with("there is none that may serve")
    );
    assert!(no_version(&[], &[]).is_none());
}

#[test]
fn an_unknown_plugin_and_a_version_beside_the_range_are_told_at_the_range() {
    let json = r#"{"nodes":[{"id":"a","type":"t.a","plugin":"txet@^1.2"}]}"#;
    let ranges = read(json.as_bytes()).expect("it is an object").ranges();
    let unknown = ranges[0].unknown_plugin(["math", "text"].into_iter());
    assert_eq!(unknown.code.0, "UNKNOWN_PLUGIN");
    assert!(
        unknown.hint.starts_with("correct its spelling"),
        "{}",
        unknown.hint
    );
    let near = ranges[0].unknown_plugin(["math", "txt"].into_iter());
    assert!(near.hint.contains("did you mean `txt`?"), "{}", near.hint);
    let overruled = ranges[0].overruled(&versions(&["2.0.0"])[0]);
    assert_eq!(
        (overruled.code.0, overruled.node.as_deref()),
        ("VERSION_OUT_OF_RANGE", Some("a"))
    );
    assert_eq!(overruled.level, crate::Level::Warning);
}
