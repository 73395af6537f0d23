//! Rollouts as they are shown.

use patchbay_rollout::{Phase, Rollout};
use patchbay_state::StoredRollout;
use patchbay_vocab::{PluginName, RevisionNumber, UnixMillis};

use crate::active::Active;
use crate::delivery::Delivery;
use crate::error::DeliveryError;
use crate::stages::LeftOut;

/// A rollout as it is shown.
#[derive(Clone, Debug)]
pub struct RolloutStatus {
    /// What is stored of it, as it is now.
    pub stored: StoredRollout,
    /// How far it is; `None` for one whose record cannot be read any more.
    pub rollout: Option<Rollout>,
    /// In words.
    pub message: String,
    /// Nodes that are not tried.
    pub left_out: Vec<LeftOut>,
    /// When it goes on by itself, if time is what it waits for.
    pub next_at: Option<UnixMillis>,
    /// Copies of calls for which there was no room.
    pub dropped: u64,
    /// Whether the order that this answers has changed anything.
    pub changed: bool,
}

impl RolloutStatus {
    pub(crate) fn of(active: &Active) -> Self {
        Self {
            stored: active.as_stored(),
            message: active.rollout.message(),
            left_out: active.left_out.clone(),
            next_at: active.rollout.next_at(),
            dropped: active
                .shadowing
                .as_ref()
                .map_or(0, crate::shadow::Shadowing::dropped),
            rollout: Some(active.rollout.clone()),
            changed: false,
        }
    }
}

impl Delivery {
    /// The rollouts under way, in the order of the plugins.
    #[must_use]
    pub fn running(&self) -> Vec<RolloutStatus> {
        let all = self.all();
        let running = all.iter().filter_map(|entry| {
            let active = entry.lock();
            // One that has just ended is let go of in a moment.
            (!active.rollout.phase().is_finished()).then(|| RolloutStatus::of(&active))
        });
        running.collect()
    }

    /// All rollouts that are remembered, the newest first; of one plugin, if it is named.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn remembered(
        &self,
        plugin: Option<&PluginName>,
        limit: u32,
    ) -> Result<Vec<RolloutStatus>, DeliveryError> {
        self.catch_up();
        let stored = self.parts().state.rollouts(plugin, limit)?;
        Ok(stored.iter().map(|stored| self.status_of(stored)).collect())
    }

    /// One rollout, by its id, or the latest one of a plugin by the plugin's name.
    ///
    /// # Errors
    /// When there is none.
    pub fn rollout(&self, named: &str) -> Result<RolloutStatus, DeliveryError> {
        if let Some(entry) = self.by_id(named) {
            return Ok(RolloutStatus::of(&entry.lock()));
        }
        let unknown = || DeliveryError::UnknownRollout {
            id: named.chars().take(128).flat_map(char::escape_debug).collect(),
        };
        self.catch_up();
        if let Some(stored) = self.parts().state.rollout(named)? {
            return Ok(self.status_of(&stored));
        }
        let plugin: PluginName = named.parse().map_err(|_| unknown())?;
        if let Some(entry) = self.of_plugin(&plugin) {
            return Ok(RolloutStatus::of(&entry.lock()));
        }
        let last = self.parts().state.rollouts(Some(&plugin), 1)?.pop();
        last.map(|last| self.status_of(&last)).ok_or_else(unknown)
    }

    /// A rollout that has just ended is on its way to the disk: what is read there is to have it. A disk that does not
    /// answer is not waited for any longer.
    fn catch_up(&self) {
        const MOST: std::time::Duration = std::time::Duration::from_secs(1);
        if let Err(error) = self.parts().state.settle(MOST) {
            tracing::debug!(error = %patchbay_vocab::Explain::chain(&error), "what is read may be old");
        }
    }

    /// The rollout of a plugin that is under way: its candidate, and whether that is live.
    #[must_use]
    pub fn under_way(&self, plugin: &PluginName) -> Option<(RevisionNumber, Phase)> {
        let entry = self.of_plugin(plugin)?;
        let active = entry.lock();
        Some((active.to, active.rollout.phase()))
    }

    pub(crate) fn status_of(&self, stored: &StoredRollout) -> RolloutStatus {
        if !stored.finished
            && let Some(entry) = self.by_id(&stored.id)
        {
            return RolloutStatus::of(&entry.lock());
        }
        let rollout = crate::active::read(&stored.state)
            .ok()
            .map(|(rollout, _)| rollout);
        RolloutStatus {
            message: rollout
                .as_ref()
                .map_or_else(|| "its record cannot be read".to_owned(), Rollout::message),
            stored: stored.clone(),
            rollout,
            left_out: Vec::new(),
            next_at: None,
            dropped: 0,
            changed: false,
        }
    }
}
