//! An order that comes again under the same key is carried out once.
//!
//! Invariant: of one key at most one order is under way, and what an earlier one has done is on the disk before it is looked
//! for. A key stands for one order: for another plugin, or another thing to do, it is refused.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use patchbay_delivery::{DeliveryError, Ordered};
use patchbay_state::{AuditRecord, Entry, Write};
use patchbay_vocab::{PluginName, RevisionNumber};
use serde_json::{Value as Json, json};

use crate::{ControlError, Patchbay};

/// How the audit calls an order that had a key and changed nothing.
const UNCHANGED: &str = "order.unchanged";

/// The keys of orders that are under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(Arc<Mutex<HashSet<String>>>);

/// An order under a key, while it is under way.
#[derive(Debug)]
pub(crate) struct UnderWay {
    keys: Keys,
    key: Option<String>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.keys.0.lock().remove(key);
        }
    }
}

/// Whether an order is to be carried out.
pub(crate) enum Once {
    /// It is new.
    New(UnderWay),
    /// It was carried out: this is its record.
    Done(AuditRecord),
}

impl Patchbay {
    /// Whether an order is to be carried out, which is `what` of `plugin`; `is_it` says whether a record is of such an
    /// order.
    ///
    /// # Errors
    /// When the key stands for another order, or one under it is under way.
    pub(crate) fn once(
        &self,
        by: &Ordered,
        what: &str,
        plugin: &PluginName,
        is_it: impl Fn(&Entry, &Json) -> bool,
    ) -> Result<Once, ControlError> {
        let keys = self.inner.keys.clone();
        let Some(key) = &by.key else {
            return Ok(Once::New(UnderWay { keys, key: None }));
        };
        if !keys.0.lock().insert(key.clone()) {
            return Err(DeliveryError::KeyBusy { key: key.clone() }.into());
        }
        let under_way = UnderWay {
            keys,
            key: Some(key.clone()),
        };
        if !self.inner.state.may_have_key(key) {
            return Ok(Once::New(under_way));
        }
        // What was queued under it is on the disk first, or nobody can say what it did.
        self.settle()?;
        let record = self.inner.state.audit_by_key(key).map_err(DeliveryError::from)?;
        let Some(record) = record else {
            return Ok(Once::New(under_way));
        };
        let detail: Json = serde_json::from_str(&record.entry.detail).unwrap_or_default();
        let is_unchanged = record.entry.action == UNCHANGED && order_of(&detail) == Some(what);
        let is_same = is_unchanged || is_it(&record.entry, &detail);
        if record.entry.plugin.as_ref() == Some(plugin) && is_same {
            return Ok(Once::Done(record));
        }
        Err(DeliveryError::KeyUsed {
            key: key.clone(),
            action: record.entry.action,
        }
        .into())
    }

    /// Remembers an order under a key that changed nothing: should it come again, it still does not.
    pub(crate) fn unchanged(
        &self,
        by: &Ordered,
        what: &str,
        plugin: &PluginName,
        to: Option<RevisionNumber>,
    ) -> Result<(), ControlError> {
        let Some(key) = by.key.as_ref().filter(|key| !self.inner.state.may_have_key(key)) else {
            return Ok(());
        };
        let generation = self.inner.registry.snapshot().generation();
        self.inner.state.tell(vec![Write::Audit(Entry {
            at: self.inner.clock.wall(),
            actor: by.actor.clone(),
            action: UNCHANGED.to_owned(),
            plugin: Some(plugin.clone()),
            revision: to,
            tenant: None,
            workflow: None,
            reason: by.reason.clone(),
            key: Some(key.clone()),
            detail: json!({"order": what, "from": to, "generation": generation}).to_string(),
        })]);
        self.settle()
    }
}

/// What an entry says was ordered.
pub(crate) fn order_of(detail: &Json) -> Option<&str> {
    detail.get("order").and_then(Json::as_str)
}
