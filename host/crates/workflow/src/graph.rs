//! Nodes and connections of one document, or of the body of a loop that is written into a parameter.
//!
//! Invariant: reading never fails; what cannot be read is noted and left out, and what is kept refers to nodes that
//! are there.

use std::borrow::Cow;
use std::collections::HashMap;

use plugin_api::value::{Kind, ValueRef};

use crate::connection::{self, EdgeDraft};
use crate::field::{Object, wrong};
use crate::notes::{Notes, Place, Shown};
use crate::role::{Role, is_class, role};
use crate::{beside, code, spelling, ways};

/// What is known of a node before there is a plan.
pub(crate) struct NodeDraft<'a> {
    /// Its place in the list of nodes.
    pub(crate) at: usize,
    pub(crate) value: ValueRef<'a>,
    pub(crate) id: Cow<'a, str>,
    pub(crate) name: Cow<'a, str>,
    /// The executor id; empty when none is named.
    pub(crate) node_type: &'a str,
    /// `type` when it is a class of the v3 shape; else empty.
    pub(crate) class: &'a str,
    pub(crate) role: Role,
    pub(crate) parameters: Option<ValueRef<'a>>,
}

impl NodeDraft<'_> {
    /// The node type as a plan names it.
    pub(crate) fn spelled(&self) -> &str {
        if self.node_type.is_empty() {
            self.class
        } else {
            self.node_type
        }
    }
}

/// Nodes and connections.
pub(crate) struct Graph<'a> {
    pub(crate) nodes: Vec<NodeDraft<'a>>,
    /// Grouped by the node they leave, in the order in which they fire.
    pub(crate) edges: Vec<EdgeDraft<'a>>,
    ids: HashMap<Cow<'a, str>, u32>,
    names: HashMap<Cow<'a, str>, u32>,
}

impl<'a> Graph<'a> {
    /// Reads `nodes` and `connections` of `object`.
    pub(crate) fn read(object: &Object<'a, '_>, notes: &mut Notes<'a>) -> Self {
        let mut graph = Self {
            nodes: Vec::new(),
            edges: Vec::new(),
            ids: HashMap::new(),
            names: HashMap::new(),
        };
        graph.read_nodes(object, notes);
        let connections = object.get("connections");
        let place = object.place.field("connections", connections);
        if let Some(connections) = connections {
            connection::read(&mut graph, connections, &place, notes);
        }
        ways::name(&mut graph);
        beside::name(&mut graph, object, notes);
        graph
    }

    /// A node by id, else by name.
    pub(crate) fn find(&self, reference: &str) -> Option<u32> {
        self.ids
            .get(reference)
            .or_else(|| self.names.get(reference))
            .copied()
    }

    /// An id or name that is spelled much like `reference`.
    fn nearest(&self, reference: &str) -> Option<&str> {
        let ids = self.nodes.iter().map(|node| &*node.id);
        let names = self.nodes.iter().map(|node| &*node.name);
        spelling::nearest(reference, ids.chain(names))
    }

    /// The end of a hint: what might have been meant.
    pub(crate) fn suggestion(&self, reference: &str, notes: &mut Notes<'_>) -> String {
        match notes.suggest(|| self.nearest(reference)) {
            Some(near) => format!("use the id or name of a node; did you mean `{}`?", Shown(near)),
            None => "use the id or name of a node".to_owned(),
        }
    }

    /// Runs `look` with the place of a node.
    pub(crate) fn at_node<T>(
        &self,
        object: &Object<'_, '_>,
        node: u32,
        look: impl FnOnce(&NodeDraft<'a>, &Place<'_>) -> T,
    ) -> Option<T> {
        let draft = self.nodes.get(node as usize)?;
        let list = object.place.absent("nodes");
        Some(look(draft, &list.index(draft.at, draft.value)))
    }

    fn read_nodes(&mut self, object: &Object<'a, '_>, notes: &mut Notes<'a>) {
        let value = object.get("nodes");
        let list_place = object.place.field("nodes", value);
        let Some(list) = value.and_then(|value| value.as_list()) else {
            notes.error(
                code::NOT_A_WORKFLOW,
                &list_place,
                format_args!("there is no list of nodes"),
                "write `nodes`: a list of objects with `id`, `name`, `nodeType` and `parameters`",
            );
            return;
        };
        if list.is_empty() {
            notes.error(
                code::NOT_A_WORKFLOW,
                &list_place,
                format_args!("there is no node"),
                "write at least one node",
            );
        }
        self.nodes.reserve(list.len());
        for (at, value) in list.iter().enumerate() {
            let place = list_place.index(at, value);
            if value.kind() != Kind::Map {
                wrong(notes, &place, value, "an object");
                continue;
            }
            let node = read_node(at, value, &place, notes);
            self.insert(node, &place, notes);
        }
    }

    fn insert(&mut self, node: NodeDraft<'a>, place: &Place<'_>, notes: &mut Notes<'a>) {
        let index = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        notes.node = Some(node.id.clone());
        if node.id.is_empty() {
            // Noted where it was read.
        } else if self.ids.contains_key(&node.id) {
            notes.error(
                code::DUPLICATE_NODE_ID,
                &place.field("id", node.value.get("id")),
                format_args!("another node has the id `{}`", Shown(&node.id)),
                "rename one of them, and the connections and expressions that mean it",
            );
        } else {
            self.ids.insert(node.id.clone(), index);
        }
        if node.name.is_empty() {
            // Noted where it was read.
        } else if self.names.contains_key(&node.name) {
            notes.error(
                code::DUPLICATE_NODE_NAME,
                &place.field("name", node.value.get("name")),
                format_args!("another node has the name `{}`", Shown(&node.name)),
                "rename one of them",
            );
        } else {
            self.names.insert(node.name.clone(), index);
        }
        notes.node = None;
        self.nodes.push(node);
    }
}

fn read_node<'a>(at: usize, value: ValueRef<'a>, place: &Place<'_>, notes: &mut Notes<'a>) -> NodeDraft<'a> {
    let object = Object {
        map: value.as_map(),
        place: *place,
    };
    let id = label(&object, "id", notes);
    let name = label(&object, "name", notes);
    notes.node = id.clone().or_else(|| name.clone());
    // A blank one is a mistake; one that is not there is looseness when the other can stand for it.
    if id
        .as_deref()
        .map_or(name.as_deref().is_none_or(is_blank), is_blank)
    {
        notes.error(
            code::MISSING_NODE_ID,
            &place.field("id", value.get("id")),
            format_args!("the node has no id"),
            "give it an id that no other node has",
        );
    } else if id.is_none() {
        notes.warning(
            code::MISSING_NODE_ID,
            &place.absent("id"),
            format_args!("the node has no id, so that its name is its id"),
            "give it an id that no other node has",
        );
    }
    if name
        .as_deref()
        .map_or(id.as_deref().is_none_or(is_blank), is_blank)
    {
        notes.error(
            code::MISSING_NODE_NAME,
            &place.field("name", value.get("name")),
            format_args!("the node has no name"),
            "give it a name that no other node has",
        );
    } else if name.is_none() {
        notes.warning(
            code::MISSING_NODE_NAME,
            &place.absent("name"),
            format_args!("the node has no name, so that its id is its name"),
            "give it a name that no other node has",
        );
    }
    let usable = |text: Option<Cow<'a, str>>| text.filter(|text| !is_blank(text));
    let (id, name) = (usable(id), usable(name));
    let fallback = id.clone().or_else(|| name.clone()).unwrap_or_default();
    let parameters = object.get("parameters").filter(|parameters| {
        let fits = parameters.kind() == Kind::Map;
        if !fits {
            wrong(
                notes,
                &place.key("parameters", *parameters),
                *parameters,
                "an object",
            );
        }
        fits
    });
    let (node_type, class) = executor_id(&object, notes);
    let role = role(node_type, class, parameters);
    if node_type.is_empty() && role == Role::Call {
        let typed = value.get("type").filter(|found| found.as_str().is_some());
        let (key, what) = match typed {
            Some(_) if !class.is_empty() => {
                ("nodeType", "the node has a class, and nothing says what it runs")
            }
            _ => ("type", "the node has no type"),
        };
        notes.error(
            code::MISSING_NODE_TYPE,
            &place.field(key, value.get(key)),
            format_args!("{what}"),
            "write `nodeType`, such as `string.upper`",
        );
    }
    notes.node = None;
    NodeDraft {
        at,
        value,
        id: id.unwrap_or_else(|| fallback.clone()),
        name: name.unwrap_or(fallback),
        node_type,
        class,
        role,
        parameters,
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// An id or a name: a text, or a number that is taken as one.
pub(crate) fn label<'a>(object: &Object<'a, '_>, key: &str, notes: &mut Notes<'_>) -> Option<Cow<'a, str>> {
    let found = object.get(key)?;
    let place = &object.place;
    if let Some(text) = found.as_str() {
        if text.len() > 256 || text.chars().any(char::is_control) {
            wrong(
                notes,
                &place.key(key, found),
                found,
                "a text of 256 bytes at most, without control characters",
            );
            return Some(Cow::Owned(
                text.chars().filter(|l| !l.is_control()).take(64).collect(),
            ));
        }
        return Some(Cow::Borrowed(text));
    }
    if let Some(number) = found.as_i64() {
        notes.warning(
            code::INVALID_FIELD,
            &place.key(key, found),
            format_args!("the number {number} is taken as the text `{number}`"),
            "write it in quotes",
        );
        return Some(Cow::Owned(number.to_string()));
    }
    wrong(notes, &place.key(key, found), found, "a text");
    None
}

/// The executor id and the class of a node; empty where there is none.
fn executor_id<'a>(node: &Object<'a, '_>, notes: &mut Notes<'_>) -> (&'a str, &'a str) {
    let kind = node.text("type", notes);
    let class = kind.filter(|kind| is_class(kind)).unwrap_or("");
    let named = node.text("nodeType", notes).filter(|id| !is_blank(id));
    if let Some(named) = named {
        if kind.is_some_and(is_blank) {
            notes.error(
                code::MISSING_NODE_TYPE,
                &node.place.field("type", node.get("type")),
                format_args!("the node has no type"),
                "write one of the classes, such as `operation`, or leave `type` out",
            );
        }
        return (named, class);
    }
    if let Some(kind) = kind.filter(|kind| class.is_empty() && !is_blank(kind)) {
        return (kind, "");
    }
    // Some files have the class alone, and the executor id in one of these.
    let nested = node.get("parameters");
    let outer = [(node.map, "plugin"), (node.map, "op")];
    let inner = nested.and_then(|nested| nested.as_map());
    let guesses = outer
        .into_iter()
        .chain([(inner, "operation"), (inner, "plugin"), (inner, "op")]);
    // Those of the executor itself do without.
    if class.is_empty() || role("", class, nested) != Role::Call {
        return ("", class);
    }
    for (map, key) in guesses {
        let guess = map
            .and_then(|map| map.get(key))
            .and_then(|value| value.as_str())
            // An at sign is in no id, and in every range of versions.
            .filter(|text| !is_blank(text) && !text.contains("{{") && !text.contains('@'));
        if let Some(guess) = guess {
            notes.warning(
                code::MISSING_NODE_TYPE,
                &node.place.absent("nodeType"),
                format_args!(
                    "the node has no `nodeType`; `{}` of `{key}` is taken",
                    Shown(guess)
                ),
                "write `nodeType`",
            );
            return (guess, class);
        }
    }
    // The one class that is a node type as well.
    if class == "wait" {
        return ("wait", class);
    }
    ("", class)
}
