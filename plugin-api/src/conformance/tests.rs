use super::*;

#[test]
fn an_id_is_written_with_underscores() {
    for (id, wanted) in [
        ("list.indexOf", "list.index_of"),
        ("convert.parseJSON", "convert.parse_j_s_o_n"),
        ("list.at", "list.at"),
        ("set-variable", "set-variable"),
    ] {
        assert_eq!(underscored(id), wanted);
    }
}

#[test]
fn the_nodes_of_a_plugin_are_read_from_its_source() {
    let source =
        "mod at;\nexport_plugin! {\n    name: \"x\",\n    nodes: [\n        at,\n        Flaky,\n    ],\n}\n";
    assert_eq!(exported(source), ["at", "Flaky"]);
    assert_eq!(exported("nodes: [one, two]"), ["one", "two"]);
    assert!(exported("").is_empty());
}

#[test]
fn the_types_of_a_parameter_are_those_of_all_its_forms() {
    for (schema, wanted) in [
        (json!({"type": "string"}), vec!["string"]),
        (json!({"type": ["array", "null"]}), vec!["array", "null"]),
        (json!({"enum": ["a", "b"]}), vec!["string"]),
        (
            json!({"anyOf": [{"oneOf": [{"const": "a"}]}, {"type": "null"}]}),
            vec!["string", "null"],
        ),
        (json!({"anyOf": [{"type": "string"}, {}]}), vec![]),
        (json!(true), vec![]),
    ] {
        assert_eq!(types(&schema), wanted, "{schema}");
    }
}

#[test]
fn what_is_not_in_the_schema_or_not_there_is_to_be_refused() {
    let mut meta = NodeMeta {
        parameters: json!({"properties": {"n": {"type": ["number", "string", "null"]}, "any": {}}}),
        required: vec!["n".to_owned()],
        ..NodeMeta::default()
    };
    meta.examples = vec![crate::export::example("one", r#"{"n": 1, "any": 2}"#, "1")];
    let refused: Vec<Json> = refusable(&meta).into_iter().map(|(_, input)| input).collect();
    assert_eq!(
        refused,
        [
            json!({"n": true, "any": 2}),
            json!({"n": ["?"], "any": 2}),
            json!({"n": {"?": "?"}, "any": 2}),
            json!({"any": 2}),
        ]
    );
}
