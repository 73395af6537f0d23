//! The audit, and what is kept of old versions.

use patchbay_delivery::{Collect, DeliveryError, Kept};
use patchbay_state::{AuditFilter as StateFilter, AuditRecord, StateError, Verdict};
use patchbay_vocab::PluginName;
use patchbay_wire as wire;

use crate::patchbay::Order;
use crate::{ControlError, Patchbay};

/// Which records of the audit are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Those behind this one; the last ones when it is `None`.
    pub after: Option<u64>,
    /// How many at most; 0 for the standard.
    pub limit: u32,
    /// Those of this plugin.
    pub plugin: Option<PluginName>,
    /// Those of this actor.
    pub actor: Option<String>,
}

impl Patchbay {
    /// Records of the audit, oldest first.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn audit(&self, filter: &AuditFilter) -> Result<Vec<wire::AuditView>, ControlError> {
        let wanted = StateFilter {
            after_seq: filter.after.unwrap_or(0),
            limit: filter.limit,
            plugin: filter.plugin.clone(),
            actor: filter.actor.clone(),
        };
        let records = match filter.after {
            Some(_) => self.inner.state.audit(&wanted),
            None => self.inner.state.audit_last(&wanted).map(|mut last| {
                last.reverse();
                last
            }),
        };
        let records = records.map_err(of_state)?;
        let mut before: Option<(u64, String)> = None;
        let views = records.into_iter().map(|record| {
            let is_next = before.as_ref().is_some_and(|(seq, _)| seq + 1 == record.seq);
            let prev = match before.take() {
                Some((_, hash)) if is_next => hash,
                _ => self.hash_before(record.seq)?,
            };
            before = Some((record.seq, record.hash.clone()));
            Ok(view(record, prev))
        });
        views.collect()
    }

    /// The hash of the record before this one.
    fn hash_before(&self, seq: u64) -> Result<String, ControlError> {
        if seq <= 1 {
            return Ok(patchbay_state::GENESIS.to_owned());
        }
        let filter = StateFilter {
            after_seq: seq - 2,
            limit: 1,
            ..StateFilter::default()
        };
        let found = self.inner.state.audit(&filter).map_err(of_state)?.pop();
        Ok(found.map_or_else(String::new, |record| record.hash))
    }

    /// Whether every record of the audit is what was written, in its place; `head` is the hash that the last one should
    /// have, as it was noted elsewhere.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn audit_verify(&self, head: Option<&str>) -> Result<wire::AuditVerifiedView, ControlError> {
        self.settle()?;
        let verdict = self.inner.state.verify_audit(head).map_err(of_state)?;
        Ok(match verdict {
            Verdict::Whole(verified) => wire::AuditVerifiedView {
                intact: true,
                records: verified.records,
                head: verified.head.hash,
                broken_at: None,
                message: format!("{} records, each as it was written", verified.records),
            },
            Verdict::Broken(broken) => wire::AuditVerifiedView {
                intact: false,
                records: broken.seq.saturating_sub(1),
                head: String::new(),
                broken_at: Some(broken.seq),
                message: broken.message,
            },
        })
    }

    /// Writes the records behind `after`, each as a line of JSON; says which the last one was.
    ///
    /// # Errors
    /// When they cannot be read or written.
    pub fn audit_export(&self, after: u64, mut out: &mut dyn std::io::Write) -> Result<u64, ControlError> {
        Ok(self
            .inner
            .state
            .export_audit(after, &mut out)
            .map_err(of_state)?
            .seq)
    }

    /// Removes old versions that nobody needs and the limits do not allow.
    ///
    /// # Errors
    /// When what was removed could not be remembered.
    pub fn collect(&self, how: Collect, order: Order) -> Result<wire::CollectedView, ControlError> {
        let collected = self.inner.delivery.collect(how, &order.into_ordered())?;
        Ok(wire::CollectedView {
            dry_run: how == Collect::DryRun,
            bytes_before: collected.bytes,
            bytes_freed: collected.removed.iter().map(|one| one.bytes).sum(),
            removed: collected.removed.into_iter().map(artifact).collect(),
            kept: collected.kept.into_iter().map(artifact).collect(),
        })
    }

    /// Waits until everything that was changed is on the disk.
    pub(crate) fn settle(&self) -> Result<(), ControlError> {
        const WITHIN: std::time::Duration = std::time::Duration::from_secs(10);
        self.inner.state.settle(WITHIN).map_err(of_state)
    }
}

fn of_state(error: StateError) -> ControlError {
    DeliveryError::from(error).into()
}

fn view(record: AuditRecord, prev: String) -> wire::AuditView {
    let entry = record.entry;
    wire::AuditView {
        seq: record.seq,
        at: entry.at,
        actor: entry.actor,
        action: entry.action,
        plugin: entry.plugin,
        revision: entry.revision,
        tenant: entry.tenant,
        workflow: entry.workflow,
        reason: entry.reason,
        key: entry.key,
        detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
        prev,
        hash: record.hash,
    }
}

fn artifact(one: Kept) -> wire::ArtifactView {
    wire::ArtifactView {
        digest: one.digest,
        bytes: one.bytes,
        plugin: Some(one.plugin),
        version: Some(one.version),
        revision: Some(one.revision),
        why: one.why.to_owned(),
    }
}
