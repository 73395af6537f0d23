//! Who is held where.

use patchbay_vocab::{PluginName, TenantId, WorkflowId};
use patchbay_wire::{PinRequest, PinView, PinnedView};

use super::render_table;
use super::rollouts::named;
use crate::clock::stamp;
use crate::streams::Layout;
use crate::text;

pub(crate) fn pins(views: &[PinView], layout: Layout) -> String {
    if views.is_empty() {
        return "nobody is pinned\n".into();
    }
    let all = |name: Option<&str>| name.unwrap_or("all").to_owned();
    let rows: Vec<_> = views
        .iter()
        .map(|pin| {
            vec![
                pin.plugin.to_string(),
                all(pin.tenant.as_ref().map(TenantId::as_str)),
                all(pin.workflow.as_ref().map(WorkflowId::as_str)),
                named(&pin.to),
                stamp(pin.at),
                pin.actor.clone(),
                pin.reason.clone(),
            ]
        })
        .collect();
    render_table(
        &["plugin", "tenant", "workflow", "held at", "since", "by", "reason"],
        &rows,
        layout,
    )
}

/// Whom a pin holds, in words.
pub(super) fn who(tenant: Option<&TenantId>, workflow: Option<&WorkflowId>) -> String {
    match (tenant, workflow) {
        (None, None) => "everybody".to_owned(),
        (Some(tenant), None) => format!("tenant {tenant}"),
        (None, Some(workflow)) => format!("workflow {}", text::line(workflow.as_str())),
        (Some(tenant), Some(workflow)) => {
            format!("workflow {} of tenant {tenant}", text::line(workflow.as_str()))
        }
    }
}

/// What a pin, or its end, has changed.
pub(crate) fn pinned(view: &PinnedView, plugin: &PluginName, asked: &PinRequest) -> String {
    let who = who(asked.tenant.as_ref(), asked.workflow.as_ref());
    match (&view.pin, &view.before) {
        (Some(pin), _) if !view.changed => format!("{plugin}: {who} was held at {} already", named(&pin.to)),
        (Some(pin), Some(before)) => {
            format!(
                "{plugin}: {who} is held at {}, and was at {}",
                named(&pin.to),
                named(before)
            )
        }
        (Some(pin), None) => format!("{plugin}: {who} is held at {}", named(&pin.to)),
        (None, Some(before)) => format!("{plugin}: {who} is no longer held at {}", named(before)),
        (None, None) => format!("{plugin}: {who} was not pinned"),
    }
}
