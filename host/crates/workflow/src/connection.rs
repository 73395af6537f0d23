//! Connections, in all their spellings.
//!
//! Invariant: the edges that come out are grouped by the node they leave, and within it in the order in which they
//! fire: as the document has them, the outputs of one port by number.

use plugin_api::value::{Kind, ValueRef};

use crate::field::{kind_name, whole};
use crate::graph::Graph;
use crate::notes::{Notes, Place, Shown};
use crate::{Port, code};

/// An edge whose ends are there.
#[derive(Clone, Copy)]
pub(crate) struct EdgeDraft<'a> {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) port: Port,
    pub(crate) output: u16,
    pub(crate) input: u16,
    /// Fires only when this is truthy.
    pub(crate) condition: Option<&'a str>,
    /// What the document calls the node it leaves.
    pub(crate) source: &'a str,
    pub(crate) value: ValueRef<'a>,
}

impl EdgeDraft<'_> {
    /// Runs `look` with the place of the edge, below that of the document.
    pub(crate) fn at<T>(&self, document: &Place<'_>, look: impl FnOnce(&Place<'_>) -> T) -> T {
        let output = self.output.to_string();
        let port = match self.port {
            Port::Main => "main",
            Port::Error => "error",
        };
        let connections = document.absent("connections");
        let source = connections.absent(self.source);
        let port = source.absent(port);
        look(&port.key(&output, self.value))
    }
}

const SHAPE: &str = r#"write `{"from": {"main": {"0": [{"node": "to", "type": "main", "index": 0}]}}}`"#;

pub(crate) fn read<'a>(
    graph: &mut Graph<'a>,
    connections: ValueRef<'a>,
    place: &Place<'_>,
    notes: &mut Notes<'a>,
) {
    let Some(sources) = connections.as_map() else {
        format(notes, place, connections, "an object");
        return;
    };
    let mut edges = Vec::new();
    for (source, ports) in sources {
        let place = place.key(source, ports);
        notes.node = None;
        let Some(from) = graph.find(source) else {
            if source.contains("[object Object]") {
                lost(notes, &place);
            } else {
                let hint = graph.suggestion(source, notes);
                notes.error(
                    code::INVALID_CONNECTION_SOURCE,
                    &place,
                    format_args!("no node is called `{}`", Shown(source)),
                    &hint,
                );
            }
            continue;
        };
        notes.node = graph.nodes.get(from as usize).map(|node| node.id.clone());
        let Some(ports) = ports.as_map() else {
            format(notes, &place, ports, "an object");
            continue;
        };
        for (name, outputs) in ports {
            let place = place.key(name, outputs);
            let port = match name {
                "main" => Port::Main,
                "error" => Port::Error,
                _ => {
                    notes.error(
                        code::INVALID_OUTPUT_TYPE,
                        &place,
                        format_args!("there is no port `{}`", Shown(name)),
                        "use `main` for success and `error` for failure",
                    );
                    continue;
                }
            };
            let mut reader = Reader {
                graph,
                edges: &mut edges,
                source,
                from,
                port,
            };
            reader.outputs(outputs, &place, notes);
        }
    }
    notes.node = None;
    // Two keys may mean one node: its id and its name. The sort is stable, so the order of the document stays.
    edges.sort_by_key(|edge: &EdgeDraft<'_>| edge.from);
    graph.edges = edges;
}

struct Reader<'g, 'a> {
    graph: &'g Graph<'a>,
    edges: &'g mut Vec<EdgeDraft<'a>>,
    source: &'a str,
    from: u32,
    port: Port,
}

impl<'a> Reader<'_, 'a> {
    /// The outputs of a port: an object by number, or a list.
    fn outputs(&mut self, outputs: ValueRef<'a>, place: &Place<'_>, notes: &mut Notes<'a>) {
        let before = self.edges.len();
        if let Some(list) = outputs.as_list() {
            for (number, targets) in list.iter().enumerate() {
                let text = number.to_string();
                let place = place.key(&text, targets);
                match u16::try_from(number) {
                    // Some files have null for an output that leads nowhere.
                    Ok(_) if targets.is_null() => {}
                    Ok(output) => self.targets(output, targets, &place, notes),
                    Err(_) => number_is_none(notes, &place, &text),
                }
            }
            return;
        }
        let Some(map) = outputs.as_map() else {
            format(notes, place, outputs, "an object or a list");
            return;
        };
        for (number, targets) in map {
            let place = place.key(number, targets);
            // `+1` and `01` parse as numbers, and are none.
            match number.parse::<u16>() {
                Ok(output) if output.to_string() == number => self.targets(output, targets, &place, notes),
                _ => number_is_none(notes, &place, number),
            }
        }
        if let Some(new) = self.edges.get_mut(before..) {
            new.sort_by_key(|edge| edge.output);
        }
    }

    fn targets(&mut self, output: u16, targets: ValueRef<'a>, place: &Place<'_>, notes: &mut Notes<'a>) {
        let Some(list) = targets.as_list() else {
            format(notes, place, targets, "a list");
            return;
        };
        for value in list {
            // All targets of an output share its path, as in the peer's reports; their places differ.
            let place = place.same(value);
            self.target(output, value, &place, notes);
        }
    }

    fn target(&mut self, output: u16, value: ValueRef<'a>, place: &Place<'_>, notes: &mut Notes<'a>) {
        let name = match value.kind() {
            Kind::Str => value.as_str(),
            _ => value.get("node").and_then(|node| node.as_str()),
        };
        let Some(name) = name.filter(|_| value.kind() == Kind::Map) else {
            if name.is_some_and(|name| name.contains("[object Object]")) {
                lost(notes, place);
                return;
            }
            if value.get("node").is_some_and(|node| node.kind() == Kind::Map) {
                lost(notes, place);
                return;
            }
            notes.error(
                code::INVALID_CONNECTION_TARGET,
                place,
                format_args!("the target names no node"),
                r#"write `{"node": "to", "type": "main", "index": 0}`"#,
            );
            return;
        };
        let Some(to) = self.graph.find(name) else {
            if name.contains("[object Object]") {
                lost(notes, place);
            } else {
                let hint = self.graph.suggestion(name, notes);
                notes.error(
                    code::INVALID_CONNECTION_TARGET_NODE,
                    place,
                    format_args!("no node is called `{}`", Shown(name)),
                    &hint,
                );
            }
            return;
        };
        let input = match value.get("index").filter(|index| !index.is_null()) {
            None => Some(0),
            Some(index) => whole(index).and_then(|index| u16::try_from(index).ok()),
        };
        let Some(input) = input else {
            notes.error(
                code::INVALID_FIELD,
                place,
                format_args!("`index` is no number of an input"),
                "write a whole number from 0 to 65535",
            );
            return;
        };
        self.edges.push(EdgeDraft {
            from: self.from,
            to,
            port: self.port,
            output,
            input,
            condition: condition(value, place, notes),
            source: self.source,
            value,
        });
    }
}

fn condition<'a>(target: ValueRef<'a>, place: &Place<'_>, notes: &mut Notes<'_>) -> Option<&'a str> {
    if let Some(kind) = target.get("type").filter(|kind| !kind.is_null())
        && !matches!(kind.as_str(), Some("main" | "error"))
    {
        notes.warning(
            code::UNSUPPORTED_SETTING,
            place,
            format_args!("`type` of the target is not `main`; inputs are told apart by `index` alone"),
            "write `main`",
        );
    }
    let text = target.get("condition").filter(|condition| !condition.is_null());
    match target.get("conditional").filter(|flag| !flag.is_null()) {
        None => {
            if text.is_some() {
                notes.warning(
                    code::UNSUPPORTED_SETTING,
                    place,
                    format_args!("`condition` counts only where `conditional` is true"),
                    "write `conditional: true`, or remove the condition",
                );
            }
            None
        }
        Some(flag) => match (flag.as_bool(), text.and_then(|text| text.as_str())) {
            (Some(false), _) => None,
            (Some(true), Some(text)) if !text.trim().is_empty() => Some(text),
            (Some(true), _) => {
                notes.error(
                    code::INVALID_FIELD,
                    place,
                    format_args!("the connection is conditional, and has no condition"),
                    "write `condition`, an expression",
                );
                None
            }
            (None, _) => {
                notes.error(
                    code::INVALID_FIELD,
                    place,
                    format_args!("`conditional` is neither true nor false"),
                    "write true or false",
                );
                None
            }
        },
    }
}

fn format(notes: &mut Notes<'_>, place: &Place<'_>, value: ValueRef<'_>, expected: &str) {
    notes.error(
        code::INVALID_CONNECTION_FORMAT,
        place,
        format_args!("{} is not {expected}", kind_name(value)),
        SHAPE,
    );
}

fn number_is_none(notes: &mut Notes<'_>, place: &Place<'_>, number: &str) {
    notes.error(
        code::INVALID_OUTPUT_INDEX,
        place,
        format_args!("`{}` is no number of an output", Shown(number)),
        "use whole numbers from 0 to 65535",
    );
}

fn lost(notes: &mut Notes<'_>, place: &Place<'_>) {
    notes.error(
        code::OBJECT_SERIALIZATION_FAILURE,
        place,
        format_args!("a node's name was lost: an object stands where a text should"),
        "write the id or name of the node that was meant",
    );
}
