//! A rollout under way, with what it needs of this process.

use std::sync::Arc;

use patchbay_registry::Force;
use patchbay_rollout::{Measured, Rollout, Tickets};
use patchbay_state::{StoredRollout, Write};
use patchbay_vocab::{PluginName, RevisionNumber, UnixMillis, Version};

use crate::shadow::Shadowing;
use crate::stages::LeftOut;

pub(crate) struct Active {
    pub(crate) id: String,
    pub(crate) plugin: PluginName,
    /// What was live when it began.
    pub(crate) from: Option<RevisionNumber>,
    pub(crate) to: RevisionNumber,
    pub(crate) version: Version,
    pub(crate) rollout: Rollout,
    pub(crate) force: Force,
    pub(crate) actor: String,
    pub(crate) reason: String,
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) tickets: Arc<Tickets>,
    pub(crate) since: Option<Since>,
    /// Counts at the last look, to see how many calls there are between two.
    pub(crate) looked: Option<(u64, u64)>,
    /// Copies of calls on their way to the candidate.
    pub(crate) shadowing: Option<Shadowing>,
    /// Counts the replays, so that what an earlier one still says is not taken for the later one's.
    pub(crate) replays: u64,
}

/// Where a window begins.
pub(crate) struct Since {
    pub(crate) at: UnixMillis,
    pub(crate) stable: Measured,
    pub(crate) candidate: Measured,
}

impl std::fmt::Debug for Active {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Active")
            .field("id", &self.id)
            .field("phase", &self.rollout.phase())
            .finish_non_exhaustive()
    }
}

impl Active {
    /// Mixed into every key: the same for the whole rollout, also after a restart.
    pub(crate) fn salt(&self) -> u64 {
        let seed = self.id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        seed | 1
    }

    pub(crate) fn stored(&self) -> Write {
        Write::Rollout(self.as_stored())
    }

    pub(crate) fn as_stored(&self) -> StoredRollout {
        let text = |value: serde_json::Result<String>| value.unwrap_or_default();
        StoredRollout {
            id: self.id.clone(),
            plugin: self.plugin.clone(),
            from: self.from,
            to: self.to,
            policy: text(serde_json::to_string(self.rollout.policy())),
            state: text(serde_json::to_string(&self.rollout)),
            phase: self.rollout.phase().as_str().to_owned(),
            finished: self.rollout.phase().is_finished(),
            started_at: self.rollout.started_at(),
            changed_at: self.rollout.changed_at(),
            actor: self.actor.clone(),
            reason: self.reason.clone(),
        }
    }
}
