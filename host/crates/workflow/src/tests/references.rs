//! What expressions may read.

use super::{planned, said, validated};
use crate::Work;
use patchbay_expression::NodeRef;

/// `a -> b -> c`, and `d` beside them; `b` has the parameters.
fn chain(parameters: &str) -> String {
    format!(
        r#"{{"id":"w","name":"w","tenantId":"t","nodes":[
            {{"id":"a","name":"First node","type":"t"}},
            {{"id":"b","name":"b","type":"t","parameters":{parameters}}},
            {{"id":"c","name":"c","type":"t"}},
            {{"id":"d","name":"d","type":"t"}}],
          "connections":{{"a":{{"main":[[{{"node":"b"}}]]}},"b":{{"main":[[{{"node":"c"}}]]}}}}}}"#
    )
}

#[test]
fn references_are_resolved_by_id_and_by_name() {
    for text in [
        "{{ $steps.a.output.x }}",
        "{{ $nodes['a'].output }}",
        "{{ $node[\\\"First node\\\"].json }}",
    ] {
        let plan = planned(&chain(&format!(r#"{{"k":"{text}"}}"#)));
        assert_eq!(
            plan.nodes[1].input.nodes(),
            [NodeRef { up: 0, index: 0 }],
            "{text}"
        );
    }
}

#[test]
fn a_reference_that_cannot_be_meant_is_named() {
    let cases = [
        ("{{ $steps.bb.output }}", "UNKNOWN_REFERENCE"),
        ("{{ $steps.c.output }}", "REFERENCE_NOT_BEFORE"),
        ("{{ $steps.b.output }}", "REFERENCE_NOT_BEFORE"),
    ];
    for (text, code) in cases {
        let found = said(&chain(&format!(r#"{{"k":"{text}"}}"#)));
        assert_eq!(found, [(code, "nodes[1].parameters".to_owned())], "{text}");
    }
    // A node beside may have run.
    assert_eq!(said(&chain(r#"{"k":"{{ $steps.d.output }}"}"#)), []);
    let valid = validated(&chain(r#"{"k":"{{ $steps.bb.output }}"}"#)).expect("it is a warning");
    assert!(
        valid.warnings().0[0].hint.contains("did you mean `b`?"),
        "{:?}",
        valid.warnings()
    );
}

#[test]
fn what_is_no_expression_is_found_where_it_stands() {
    let found = said(&chain(r#"{"k":{"l/x":[1,"{{ $json.( }}"]},"m":"{{ a b }}"}"#));
    assert_eq!(
        found,
        [
            ("EXPRESSION_SYNTAX", "nodes[1].parameters.k.l/x[1]".to_owned()),
            ("EXPRESSION_SYNTAX", "nodes[1].parameters.m".to_owned()),
        ]
    );
    let json = chain("{}").replace(
        r#"[[{"node":"c"}]]"#,
        r#"[[{"node":"c","conditional":true,"condition":"$json.("}]]"#,
    );
    assert_eq!(
        said(&json),
        [("EXPRESSION_SYNTAX", "connections.b.main.0".to_owned())]
    );
}

#[test]
fn a_condition_may_read_the_node_that_its_connection_leaves() {
    let with = |condition: &str| {
        let edge = format!(r#"[[{{"node":"c","conditional":true,"condition":"{condition}"}}]]"#);
        said(&chain("{}").replace(r#"[[{"node":"c"}]]"#, &edge))
    };
    assert_eq!(with("$steps.b.output.x > 1"), []);
    assert_eq!(
        with("$steps.c.output.x > 1"),
        [("REFERENCE_NOT_BEFORE", "connections.b.main.0".to_owned())]
    );
}

/// A drawn loop `l` after `a`, with `x` in its body and `end` after it.
fn looped(body: &str, end: &str, parameters: &str) -> String {
    format!(
        r#"{{"id":"w","name":"w","tenantId":"t","nodes":[
            {{"id":"x","name":"x","type":"t","parameters":{{"k":"{body}"}}}},
            {{"id":"l","name":"l","type":"loop","parameters":{parameters}}},
            {{"id":"a","name":"a","type":"t"}},
            {{"id":"end","name":"end","type":"t","parameters":{{"k":"{end}"}}}}],
          "connections":{{"a":{{"main":[[{{"node":"l"}}]]}},
            "l":{{"main":[[{{"node":"end"}}],[{{"node":"x"}}]]}},
            "x":{{"main":[[{{"node":"l"}}]]}}}}}}"#
    )
}

#[test]
fn a_body_reads_what_is_around_it_and_not_the_other_way_round() {
    let plan = planned(&looped(
        "{{ $steps.a.output }}",
        "{{ $steps.l.output }}",
        r#"{"count":2,"until":"$steps.x.output.done"}"#,
    ));
    let Work::Loop(repeat) = &plan.nodes[0].work else {
        panic!("{:?}", plan.nodes[0])
    };
    assert_eq!(repeat.body.nodes[0].input.nodes(), [NodeRef { up: 1, index: 1 }]);
    assert_eq!(plan.nodes[2].input.nodes(), [NodeRef { up: 0, index: 0 }]);
    let until = repeat.until.as_ref().expect("there is one");
    assert_eq!(until.nodes(), [NodeRef { up: 0, index: 0 }]);
    let cases = [
        (
            looped("{{ $steps.end.output }}", "", "{}"),
            "REFERENCE_NOT_BEFORE",
            "nodes[0].parameters",
        ),
        (
            looped("{{ $steps.l.output }}", "", "{}"),
            "REFERENCE_NOT_BEFORE",
            "nodes[0].parameters",
        ),
        (
            looped("", "{{ $steps.x.output }}", "{}"),
            "UNKNOWN_REFERENCE",
            "nodes[3].parameters",
        ),
        (
            looped("", "", r#"{"while":"$json.("}"#),
            "EXPRESSION_SYNTAX",
            "nodes[1].parameters.while",
        ),
    ];
    for (json, code, path) in cases {
        assert_eq!(said(&json), [(code, path.to_owned())], "{json}");
    }
}

#[test]
fn a_body_in_a_parameter_reads_what_is_around_its_loop() {
    let json = |text: &str| {
        let body =
            format!(r#"{{"nodes":[{{"id":"x","name":"x","type":"t","parameters":{{"k":"{text}"}}}}]}}"#);
        chain("{}").replace(
            r#"{"id":"b","name":"b","type":"t","parameters":{}}"#,
            &format!(r#"{{"id":"b","name":"b","type":"loop","parameters":{{"count":1,"body":{body}}}}}"#),
        )
    };
    let plan = planned(&json("{{ $steps.a.output }}"));
    let Work::Loop(repeat) = &plan.nodes[1].work else {
        panic!("{:?}", plan.nodes[1])
    };
    assert_eq!(repeat.body.nodes[0].input.nodes(), [NodeRef { up: 1, index: 0 }]);
    let path = "nodes[1].parameters.body.nodes[0].parameters".to_owned();
    assert_eq!(
        said(&json("{{ $steps.c.output }}")),
        [("REFERENCE_NOT_BEFORE", path.clone())]
    );
    assert_eq!(
        said(&json("{{ $steps.b.output }}")),
        [("REFERENCE_NOT_BEFORE", path)]
    );
}
