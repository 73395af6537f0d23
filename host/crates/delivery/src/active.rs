//! A rollout under way, with what it needs of this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use patchbay_registry::Force;
use patchbay_rollout::{Input, Measured, RestoreError, Rollout, Tickets};
use patchbay_state::{StoredRollout, Write};
use patchbay_vocab::{PluginName, RevisionNumber, UnixMillis, Version};
use serde_json::Value as Json;

use crate::shadow::Shadowing;
use crate::stages::LeftOut;

/// In what is stored of a rollout: whether it overrides what may be overridden.
const FORCED: &str = "forced";

/// What was stored of a rollout, and whether it overrides what may be overridden: what was let pass when it began is let
/// pass after a restart.
pub(crate) fn read(state: &str) -> Result<(Rollout, Force), RestoreError> {
    let Ok(Json::Object(mut fields)) = serde_json::from_str(state) else {
        return Ok((Rollout::restore(state)?, Force::No));
    };
    let force = match fields.remove(FORCED) {
        Some(Json::Bool(true)) => Force::Yes,
        _ => Force::No,
    };
    Ok((Rollout::restore(&Json::Object(fields).to_string())?, force))
}

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
    /// Revisions that are kept loaded and awake for it, each as often as it is named.
    pub(crate) holds: Vec<RevisionNumber>,
    /// When what failed is tried again.
    pub(crate) rests_until: Option<UnixMillis>,
    /// What it was told, and what could not be done then: it is told again.
    pub(crate) untold: Option<Input>,
    /// Copies of calls on their way to the candidate.
    pub(crate) shadowing: Option<Shadowing>,
    /// Set to end a replay that is under way.
    pub(crate) replaying: Option<Arc<AtomicBool>>,
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
    /// Ends copies of calls and replays.
    pub(crate) fn stop_trial(&mut self) {
        self.shadowing = None;
        if let Some(replay) = self.replaying.take() {
            replay.store(true, Ordering::Relaxed);
        }
    }

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

    fn state(&self) -> serde_json::Result<String> {
        let mut state = serde_json::to_value(&self.rollout)?;
        if let Some(fields) = state.as_object_mut().filter(|_| self.force == Force::Yes) {
            fields.insert(FORCED.to_owned(), Json::Bool(true));
        }
        serde_json::to_string(&state)
    }

    pub(crate) fn as_stored(&self) -> StoredRollout {
        let text = |value: serde_json::Result<String>| value.unwrap_or_default();
        StoredRollout {
            id: self.id.clone(),
            plugin: self.plugin.clone(),
            from: self.from,
            to: self.to,
            policy: text(serde_json::to_string(self.rollout.policy())),
            state: text(self.state()),
            phase: self.rollout.phase().as_str().to_owned(),
            finished: self.rollout.phase().is_finished(),
            started_at: self.rollout.started_at(),
            changed_at: self.rollout.changed_at(),
            actor: self.actor.clone(),
            reason: self.reason.clone(),
        }
    }
}
