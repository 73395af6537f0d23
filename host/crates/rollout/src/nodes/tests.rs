use serde_json::json;

use super::*;

fn name(text: &str) -> NodeType {
    text.parse().expect("a node type")
}

fn words(old: &[Node<'_>], new: &[Node<'_>]) -> Vec<(String, &'static str, bool)> {
    let found = changes(old, new);
    found
        .iter()
        .map(|change| {
            (
                format!("{} {}", change.node, change.path),
                change.kind.as_str(),
                change.breaking,
            )
        })
        .collect()
}

#[test]
fn names_that_nothing_answers_to_are_breaking_and_come_first() {
    let (a, b, c, other, also) = (
        name("t.a"),
        name("t.b"),
        name("t.c"),
        name("t.other"),
        name("t.also"),
    );
    let node = |node_type, aliases| Node {
        node_type,
        aliases,
        effect: Effect::Pure,
        parameters: &Value::Null,
        config: &Value::Null,
    };
    let (others, alsos, old_names) = (vec![other.clone()], vec![also.clone()], vec![b.clone()]);
    let found = words(&[node(&a, &others), node(&b, &[])], &[node(&a, &alsos)]);
    assert_eq!(
        found,
        [
            ("t.a ".into(), "aliasRemoved", true),
            ("t.b ".into(), "nodeRemoved", true),
            ("t.a ".into(), "aliasAdded", false),
        ]
    );
    // A renamed node that answers to its old name breaks nobody.
    let found = words(&[node(&b, &[])], &[node(&c, &old_names)]);
    assert_eq!(
        found,
        [
            ("t.b ".into(), "nodeRenamed", false),
            ("t.c ".into(), "nodeAdded", false)
        ]
    );
    assert_eq!(words(&[node(&a, &others)], &[node(&a, &others)]), []);
}

#[test]
fn more_effect_breaks_and_less_does_not() {
    let a = name("t.a");
    let with = |effect| {
        [Node {
            node_type: &a,
            aliases: &[],
            effect,
            parameters: &Value::Null,
            config: &Value::Null,
        }]
    };
    let (pure, idempotent, effectful) = (
        with(Effect::Pure),
        with(Effect::Idempotent),
        with(Effect::Effectful),
    );
    assert_eq!(
        words(&pure, &idempotent),
        [("t.a ".into(), "effectChanged", true)]
    );
    assert_eq!(
        words(&effectful, &idempotent),
        [("t.a ".into(), "effectChanged", false)]
    );
    assert_eq!(words(&pure, &pure), []);
}

#[test]
fn changes_of_parameters_and_configuration_say_where() {
    let a = name("t.a");
    let (old, new) = (
        json!({"properties": {"x": {"type": "number"}}}),
        json!({"properties": {"x": {"type": "integer"}}}),
    );
    let with = |parameters, config| {
        [Node {
            node_type: &a,
            aliases: &[],
            effect: Effect::Pure,
            parameters,
            config,
        }]
    };
    assert_eq!(
        words(&with(&old, &Value::Null), &with(&new, &old)),
        [
            ("t.a parameters.x".into(), "typeNarrowed", true),
            ("t.a config.x".into(), "propertyAdded", false),
        ]
    );
    let change = &changes(&with(&old, &Value::Null), &with(&new, &Value::Null))[0];
    let json = serde_json::to_value(change).expect("JSON");
    assert_eq!(json["kind"], "typeNarrowed");
    assert_eq!(
        serde_json::from_value::<NodeChange>(json).expect("a change"),
        *change
    );
}
