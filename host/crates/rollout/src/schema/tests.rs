use serde_json::json;

use super::*;

/// Path, kind and whether it breaks, of each change.
fn found(old: &Value, new: &Value) -> Vec<(String, Kind)> {
    let found = changes(old, new);
    for change in &found {
        assert_eq!(change.breaking, change.kind.is_breaking(), "{change:?}");
        assert!(!change.text.is_empty());
    }
    found
        .into_iter()
        .map(|change| (change.path, change.kind))
        .collect()
}

fn only(old: &Value, new: &Value) -> (String, Kind) {
    let mut found = found(old, new);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn with(properties: &Value) -> Value {
    json!({"type": "object", "properties": properties})
}

#[test]
fn a_schema_does_not_differ_from_itself() {
    let schema = json!({
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "default": "x", "maxLength": 5, "pattern": "^a"},
            "b": {"anyOf": [{"$ref": "#/$defs/b"}, {"type": "null"}]},
            "c": {"oneOf": [{"const": "x"}, {"const": "y"}]},
            "d": {"type": "array", "items": {"$ref": "#"}, "uniqueItems": true, "multipleOf": 2},
        },
        "required": ["a"],
        "additionalProperties": false,
        "$defs": {"b": {"type": "object", "properties": {"again": {"$ref": "#/$defs/b"}}}},
    });
    assert_eq!(changes(&schema, &schema.clone()), []);
}

#[test]
fn what_must_be_given_breaks_and_what_may_be_given_does_not() {
    let old = with(&json!({"a": {}}));
    let mut new = with(&json!({"a": {}, "b": {}}));
    assert_eq!(only(&old, &new), ("b".into(), Kind::PropertyAdded));
    assert_eq!(only(&new, &old), ("b".into(), Kind::PropertyRemoved));
    new["required"] = json!(["b"]);
    assert_eq!(only(&old, &new), ("b".into(), Kind::BecameRequired));
    let mut requires = old.clone();
    requires["required"] = json!(["a"]);
    assert_eq!(only(&old, &requires), ("a".into(), Kind::BecameRequired));
    assert_eq!(only(&requires, &old), ("a".into(), Kind::BecameOptional));
}

#[test]
fn a_narrower_type_breaks_and_a_wider_one_does_not() {
    let of = |kind: Value| with(&json!({"a": {"type": kind}}));
    for (narrow, wide) in [
        (json!("integer"), json!("number")),
        (json!("string"), json!(["string", "null"])),
        (json!(["array", "object"]), json!(["array", "object", "boolean"])),
    ] {
        let (narrow, wide) = (of(narrow), of(wide));
        assert_eq!(only(&wide, &narrow), ("a".into(), Kind::TypeNarrowed));
        assert_eq!(only(&narrow, &wide), ("a".into(), Kind::TypeWidened));
    }
    assert_eq!(
        found(&of(json!("string")), &of(json!("integer"))),
        [("a".into(), Kind::TypeNarrowed), ("a".into(), Kind::TypeWidened)]
    );
    assert_eq!(
        only(&with(&json!({"a": true})), &with(&json!({"a": false}))),
        ("a".into(), Kind::TypeNarrowed)
    );
    assert_eq!(
        only(&with(&json!({"a": {}})), &of(json!("integer"))),
        ("a".into(), Kind::TypeNarrowed)
    );
}

#[test]
fn an_option_is_its_type_and_null() {
    let plain = json!({"properties": {"a": {"$ref": "#/$defs/t"}}, "$defs": {"t": {"type": "string", "maxLength": 9}}});
    let option = json!({
        "properties": {"a": {"anyOf": [{"$ref": "#/$defs/t"}, {"type": "null"}]}},
        "$defs": {"t": {"type": "string", "maxLength": 9}},
    });
    assert_eq!(only(&plain, &option), ("a".into(), Kind::TypeWidened));
    assert_eq!(only(&option, &plain), ("a".into(), Kind::TypeNarrowed));
}

#[test]
fn a_shorter_list_of_values_breaks_however_it_is_written() {
    let list = |values: Value| with(&json!({"a": {"enum": values}}));
    let forms = with(&json!({"a": {"oneOf": [{"const": "x", "description": "first"}, {"const": "y"}]}}));
    let (two, three) = (list(json!(["x", "y"])), list(json!(["x", "y", "z"])));
    assert_eq!(only(&three, &two), ("a".into(), Kind::EnumNarrowed));
    assert_eq!(only(&two, &three), ("a".into(), Kind::EnumWidened));
    assert_eq!(only(&three, &forms), ("a".into(), Kind::EnumNarrowed));
    assert_eq!(changes(&two, &forms), []);
    assert_eq!(
        only(&with(&json!({"a": {}})), &two),
        ("a".into(), Kind::EnumNarrowed)
    );
    assert!(changes(&three, &two)[0].text.contains("\"z\""));
}

#[test]
fn tighter_bounds_break_and_looser_ones_do_not() {
    let rows = [
        (json!({"minimum": 1}), json!({"minimum": 2})),
        (json!({"minimum": 1}), json!({"exclusiveMinimum": 1})),
        (json!({}), json!({"maximum": 2})),
        (json!({"maximum": 2.5}), json!({"exclusiveMaximum": 2.5})),
        (json!({"minLength": 0}), json!({"minLength": 1})),
        (json!({"maxLength": 9}), json!({"maxLength": 8})),
        (json!({}), json!({"minItems": 1})),
        (json!({"maxItems": 9}), json!({"maxItems": 8})),
        (json!({}), json!({"maxProperties": 8})),
        (json!({"multipleOf": 2}), json!({"multipleOf": 4})),
        (json!({}), json!({"multipleOf": 4})),
        (json!({}), json!({"uniqueItems": true})),
    ];
    for (loose, tight) in rows {
        let (loose, tight) = (with(&json!({"a": loose})), with(&json!({"a": tight})));
        assert_eq!(
            only(&loose, &tight),
            ("a".into(), Kind::BoundTightened),
            "{tight}"
        );
        assert_eq!(only(&tight, &loose), ("a".into(), Kind::BoundLoosened), "{tight}");
    }
    let nothing = with(&json!({"a": {"minLength": 0, "uniqueItems": false}}));
    assert_eq!(changes(&with(&json!({"a": {}})), &nothing), []);
}

#[test]
fn a_map_that_is_closed_breaks() {
    let open = with(&json!({"a": {"type": "object"}}));
    let closed = with(&json!({"a": {"type": "object", "additionalProperties": false}}));
    let typed = with(&json!({"a": {"type": "object", "additionalProperties": {"type": "string"}}}));
    assert_eq!(only(&open, &closed), ("a".into(), Kind::Closed));
    assert_eq!(only(&closed, &open), ("a".into(), Kind::Opened));
    assert_eq!(only(&open, &typed), ("a.*".into(), Kind::TypeNarrowed));
}

#[test]
fn defaults_do_not_break_and_rules_that_are_not_understood_do() {
    let of = |rule: Value| with(&json!({"a": {"type": "array", "items": rule}}));
    let path = "a[*]".to_owned();
    assert_eq!(
        only(&of(json!({"default": 1})), &of(json!({"default": 2}))),
        (path.clone(), Kind::DefaultChanged)
    );
    assert_eq!(
        only(&of(json!({})), &of(json!({"default": 2}))),
        (path.clone(), Kind::DefaultChanged)
    );
    assert_eq!(
        only(&of(json!({})), &of(json!({"pattern": "x"}))),
        (path.clone(), Kind::RuleChanged)
    );
    assert_eq!(
        only(&of(json!({"pattern": "x"})), &of(json!({}))),
        (path.clone(), Kind::BoundLoosened)
    );
    assert_eq!(
        only(&of(json!({"not": {}})), &of(json!({"not": true}))),
        (path.clone(), Kind::RuleChanged)
    );
    assert_eq!(
        only(&of(json!({})), &of(json!({"$ref": "#/gone"}))),
        (path, Kind::RuleChanged)
    );
    assert_eq!(
        only(
            &with(&json!({"a": {"type": "array"}})),
            &of(json!({"type": "string"}))
        ),
        ("a[*]".into(), Kind::TypeNarrowed)
    );
}

#[test]
fn forms_are_told_apart_by_their_tag() {
    let form = |tag: &str, more: Value| {
        let mut form =
            json!({"type": "object", "properties": {"kind": {"const": tag}}, "required": ["kind"]});
        form["properties"]["more"] = more;
        form
    };
    let old = json!({"oneOf": [form("a", json!({"type": "number"})), form("b", json!({}))]});
    let new = json!({"oneOf": [form("c", json!({})), form("a", json!({"type": "integer"}))]});
    assert_eq!(
        found(&old, &new),
        [
            ("(kind=\"a\").more".into(), Kind::TypeNarrowed),
            (String::new(), Kind::AlternativeRemoved),
            (String::new(), Kind::AlternativeAdded),
        ]
    );
    let untagged = json!({"anyOf": [{"type": "string"}, {"type": "number"}]});
    let narrower = json!({"anyOf": [{"type": "string"}, {"type": "integer"}]});
    assert!(found(&untagged, &narrower).contains(&(String::new(), Kind::TypeNarrowed)));
}

#[test]
fn schemas_that_refer_to_themselves_come_to_an_end() {
    let round = json!({"$ref": "#"});
    let other =
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}});
    assert!(changes(&round, &other).len() <= MOST_CHANGES);
    // Each definition refers to the next one twice: without a memory that would be 2^60 pairs.
    let doubling = |last: &str| {
        let mut defs = serde_json::Map::new();
        for level in 0..60 {
            let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
            defs.insert(
                format!("d{level}"),
                json!({"properties": {"l": next, "r": next}, "required": ["l"]}),
            );
        }
        defs.insert("d60".into(), json!({"type": last}));
        json!({"$ref": "#/$defs/d0", "$defs": defs})
    };
    let found = changes(&doubling("string"), &doubling("integer"));
    assert!(
        !found.is_empty() && found.len() <= MOST_CHANGES,
        "{}",
        found.len()
    );
    // Each of many pairs has many large forms.
    let large = |default: i64| {
        let big: serde_json::Map<_, _> = (0..2_000)
            .map(|n| (format!("p{n}"), json!({"default": default})))
            .collect();
        let forms: Vec<_> = (0..90).map(|_| json!({"$ref": "#/$defs/big"})).collect();
        let users: serde_json::Map<_, _> = (0..900)
            .map(|n| (format!("u{n}"), json!({"anyOf": forms})))
            .collect();
        json!({"properties": users, "$defs": {"big": {"type": "object", "properties": big}}})
    };
    let found = changes(&large(1), &large(1));
    assert!(
        found.iter().any(|change| change.text.contains("too large")),
        "{}",
        found.len()
    );
    let many = |count: usize| {
        let all: serde_json::Map<_, _> = (0..count).map(|n| (n.to_string(), json!({}))).collect();
        with(&Value::Object(all))
    };
    assert_eq!(changes(&many(0), &many(5_000)).len(), MOST_CHANGES);
}

proptest::proptest! {
    #[test]
    fn whatever_the_schemas_are_comparing_them_ends(old in crate::compare::arbitrary_json(), new in crate::compare::arbitrary_json()) {
        let wrap = |inner: Value| json!({
            "properties": inner, "required": inner, "anyOf": inner, "enum": inner, "items": inner, "type": inner, "$ref": inner,
            "additionalProperties": inner, "minimum": inner,
        });
        proptest::prop_assert!(changes(&wrap(old.clone()), &wrap(new.clone())).len() <= MOST_CHANGES);
        proptest::prop_assert!(changes(&old, &new).len() <= MOST_CHANGES);
    }
}
