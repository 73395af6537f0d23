//! The catalogue, and the manual page of one node.

use patchbay_wire::{Capability, NodeView};
use serde_json::Value as Json;

use super::{facts, indented, joined, render_table, schema};
use crate::streams::Layout;
use crate::text;

pub(crate) fn nodes(nodes: &[NodeView], layout: Layout) -> String {
    if nodes.is_empty() {
        return "no nodes: no plugin is live\n".into();
    }
    let rows: Vec<_> = nodes
        .iter()
        .map(|node| {
            vec![
                node.node_type.to_string(),
                format!("{}@{}", node.plugin, node.version),
                node.category.clone(),
                node.effect.as_str().into(),
                text::cut(node.description.lines().next().unwrap_or_default(), 72),
            ]
        })
        .collect();
    render_table(
        &["node", "plugin", "category", "effect", "description"],
        &rows,
        layout,
    )
}

pub(crate) fn manual(node: &NodeView, layout: Layout) -> String {
    let mut out = format!("{}\n", node.node_type);
    if !node.description.is_empty() {
        out.push('\n');
        out.push_str(&indented(&node.description, 2));
    }
    out.push('\n');
    out.push_str(&facts(&[
        ("plugin", format!("{}@{}", node.plugin, node.version)),
        ("category", node.category.clone()),
        ("also called", joined(&node.aliases)),
        ("tags", node.tags.join(", ")),
        ("author", node.author.clone()),
        ("effect", node.effect.as_str().into()),
        ("kind", kind(node)),
        (
            "time limit",
            node.timeout_ms
                .map(|limit| format!("{limit} ms"))
                .unwrap_or_default(),
        ),
        (
            "may reach",
            node.capabilities
                .iter()
                .copied()
                .map(Capability::as_str)
                .collect::<Vec<_>>()
                .join(", "),
        ),
        ("secrets", node.secrets.join(", ")),
        (
            "needs",
            node.dependencies
                .iter()
                .map(|d| format!("{}@{}", d.plugin, d.range))
                .collect::<Vec<_>>()
                .join(", "),
        ),
        ("contract", node.host_api.clone()),
    ]));
    section(&mut out, "PARAMETERS", &parameters(node, layout));
    if configurable(&node.config) {
        section(&mut out, "CONFIGURATION", &schema::result(&node.config, layout));
    }
    section(&mut out, "RESULT", &schema::result(&node.result, layout));
    section(&mut out, "EXAMPLES", &examples(node));
    out
}

fn kind(node: &NodeView) -> String {
    let words = [
        (node.is_async, "async"),
        (node.stateful, "stateful"),
        (node.experimental, "experimental"),
    ];
    words
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, word)| *word)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Whether there is anything to configure: the schema of nothing, or of null alone, says that there is not.
fn configurable(schema: &Json) -> bool {
    !schema.is_null() && schema.get("type").is_none_or(|kind| kind != "null")
}

fn section(out: &mut String, title: &str, body: &str) {
    out.push_str(&format!("\n{title}\n\n{}\n", body.trim_end()));
}

fn parameters(node: &NodeView, layout: Layout) -> String {
    let fields = schema::fields(&node.parameters, &node.required);
    if fields.is_empty() {
        return "none".into();
    }
    let rows: Vec<_> = fields
        .into_iter()
        .map(|field| {
            let given = if field.required {
                "required".to_owned()
            } else {
                field.default
            };
            vec![field.name, field.kind, given, field.description]
        })
        .collect();
    render_table(&["name", "type", "default", "description"], &rows, layout)
}

/// Each example as a line for a POSIX shell, with its result below.
fn examples(node: &NodeView) -> String {
    if node.examples.is_empty() {
        return "none".into();
    }
    let mut out = String::new();
    for example in &node.examples {
        if !example.title.is_empty() {
            out.push_str(&format!("# {}\n", text::line(&example.title)));
        }
        out.push_str(&format!(
            "patchbay call {} {}\n",
            node.node_type,
            quoted(&example.input)
        ));
        if !example.output.is_null() {
            out.push_str(&format!("{}\n", text::json(&example.output.to_string())));
        }
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// JSON as one word of a shell.
fn quoted(json: &Json) -> String {
    format!("'{}'", text::json(&json.to_string()).replace('\'', r"'\''"))
}
