//! The catalogue.

use patchbay_wire::NodeView;

use super::render_table;
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
