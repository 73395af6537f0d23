//! What a workflow says of itself: its id, its name, whose it is.
//!
//! Invariant: a frame's ids are valid, whatever the document holds.

use patchbay_vocab::{TenantId, WorkflowId};
use plugin_api::value::Value;

use crate::field::{Object, wrong};
use crate::graph::label;
use crate::notes::Notes;
use crate::{SavePolicy, code, settings};

/// What the plans of bodies take over from that of the workflow.
pub(crate) struct Frame {
    pub(crate) id: WorkflowId,
    pub(crate) name: String,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) about: Value,
    pub(crate) active: bool,
    pub(crate) save: SavePolicy,
}

/// Whether a document stands for itself.
#[derive(Clone, Copy)]
pub(crate) enum Standing<'s> {
    /// It was given as it is.
    Alone,
    /// It is a parameter of the node with this id, of a workflow of this tenant.
    Within(&'s str, &'s Frame),
}

/// Reads it.
pub(crate) fn read(object: &Object<'_, '_>, standing: Standing<'_>, notes: &mut Notes<'_>) -> Option<Frame> {
    let map = object.map;
    let mut text = |key| {
        map.and_then(|_| label(object, key, notes))
            .filter(|text| !text.trim().is_empty())
    };
    let (id, name) = (text("id"), text("name"));
    let id = match (&id, &name, standing) {
        (Some(id), _, _) | (None, Some(id), Standing::Alone) => id,
        (None, _, Standing::Within(node, _)) => node,
        (None, None, Standing::Alone) => {
            notes.warning(
                code::INVALID_FIELD,
                &object.place.absent("id"),
                format_args!("the workflow has neither an id nor a name, so that it is called `workflow`"),
                "write `id` and `name`",
            );
            "workflow"
        }
    };
    let name = name.as_deref().unwrap_or(id).to_owned();
    let active = object.flag("active", notes).unwrap_or(true);
    Some(Frame {
        about: settings::about(id, &name, active),
        id: id.parse().or_else(|_| "workflow".parse()).ok()?,
        name,
        tenant: tenant(object, standing, notes),
        active,
        save: settings::save(object, notes),
    })
}

fn tenant(object: &Object<'_, '_>, standing: Standing<'_>, notes: &mut Notes<'_>) -> Option<TenantId> {
    let own = object
        .text("tenantId", notes)
        // Files of packages are filled in when they are installed.
        .filter(|text| !text.trim().is_empty() && !text.starts_with("${"));
    match (own, standing) {
        (Some(own), _) => {
            let tenant = own.parse().ok();
            if tenant.is_none()
                && let Some(value) = object.get("tenantId")
            {
                wrong(
                    notes,
                    &object.place.key("tenantId", value),
                    value,
                    "the id of a tenant: 1 to 128 letters, digits, `.`, `-`, `_` and `@`",
                );
            }
            tenant
        }
        (None, Standing::Within(_, frame)) => frame.tenant.clone(),
        (None, Standing::Alone) => {
            let place = object.place.field("tenantId", object.get("tenantId"));
            let message = format_args!("the workflow is of no tenant");
            let hint = "write `tenantId`; until then it is of whoever runs it";
            if settings::is_enforced(object) {
                notes.error(code::MISSING_TENANT_ID, &place, message, hint);
            } else {
                notes.warning(code::MISSING_TENANT_ID, &place, message, hint);
            }
            None
        }
    }
}
