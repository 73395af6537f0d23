//! What is wrong with parameters whatever node they are of.
//!
//! Invariant: every text of the parameters is looked at, at every depth; depth is bounded by the value format.

use plugin_api::value::{Kind, ValueRef};

use crate::code;
use crate::graph::NodeDraft;
use crate::notes::{Notes, Place};

const LOST: &str = "[object Object]";

/// Looks at the parameters of a node. Keys in `without` are documents of their own.
pub(crate) fn check(
    node: &NodeDraft<'_>,
    parameters: ValueRef<'_>,
    place: &Place<'_>,
    without: &[&str],
    notes: &mut Notes<'_>,
) {
    nesting(parameters, place, notes);
    for (key, value) in parameters.as_map().into_iter().flatten() {
        if without.contains(&key) {
            continue;
        }
        let place = place.key(key, value);
        if is_attribute(key, node) {
            notes.warning(
                code::NESTED_NODE_ATTRIBUTES,
                &place,
                format_args!("`{key}` is an attribute of nodes, and stands in the parameters"),
                "move it one level up, unless the node takes such a parameter",
            );
        }
        texts(value, &place, notes);
    }
}

fn is_attribute(key: &str, node: &NodeDraft<'_>) -> bool {
    match key {
        "position" | "typeVersion" | "nodeType" => true,
        // Variables are parameters by name.
        "name" => !node.node_type.starts_with("var."),
        _ => false,
    }
}

/// `parameters` within `parameters`: one level too many happens; three mean that something wraps them at each save.
fn nesting(parameters: ValueRef<'_>, place: &Place<'_>, notes: &mut Notes<'_>) {
    let mut depth = 0;
    let mut inner = parameters;
    while let Some(next) = inner.get("parameters").filter(|next| next.kind() == Kind::Map) {
        depth += 1;
        inner = next;
    }
    if depth >= 3 {
        notes.error(
            code::EXCESSIVE_PARAMETER_NESTING,
            &place.field("parameters", parameters.get("parameters")),
            format_args!("parameters are nested {depth} times in one another"),
            "take out the levels that were added when the document was saved",
        );
    }
}

fn texts(value: ValueRef<'_>, place: &Place<'_>, notes: &mut Notes<'_>) {
    if let Some(text) = value.as_str() {
        if text.trim() == LOST {
            notes.error(
                code::OBJECT_SERIALIZATION_FAILURE,
                place,
                format_args!("the text is `{LOST}`: an object was lost"),
                "write the value that was meant",
            );
        } else if text.contains(LOST) {
            notes.warning(
                code::OBJECT_SERIALIZATION_FAILURE,
                place,
                format_args!("the text holds `{LOST}`: an object may have been lost"),
                "write the value that was meant",
            );
        }
    } else if let Some(list) = value.as_list() {
        for (index, item) in list.iter().enumerate() {
            texts(item, &place.index(index, item), notes);
        }
    } else if let Some(map) = value.as_map() {
        for (key, item) in map {
            texts(item, &place.key(key, item), notes);
        }
    }
}
