//! Rollouts as they are shown.

use patchbay_rollout::{Outcome, PauseReason, Phase, Rollout, Stage};
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
    pub(crate) fn of(active: &Active, now: UnixMillis) -> Self {
        Self {
            stored: active.as_stored(),
            message: message_of(&active.rollout),
            left_out: active.left_out.clone(),
            next_at: next_at(&active.rollout, now),
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
        let now = self.now();
        self.all()
            .iter()
            .map(|entry| RolloutStatus::of(&entry.lock(), now))
            .collect()
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
        let stored = self.parts().state.rollouts(plugin, limit)?;
        Ok(stored.iter().map(|stored| self.status_of(stored)).collect())
    }

    /// One rollout, by its id, or the latest one of a plugin by the plugin's name.
    ///
    /// # Errors
    /// When there is none.
    pub fn rollout(&self, named: &str) -> Result<RolloutStatus, DeliveryError> {
        if let Some(entry) = self.by_id(named) {
            return Ok(RolloutStatus::of(&entry.lock(), self.now()));
        }
        let unknown = || DeliveryError::UnknownRollout {
            id: named.chars().take(128).flat_map(char::escape_debug).collect(),
        };
        if let Some(stored) = self.parts().state.rollout(named)? {
            return Ok(self.status_of(&stored));
        }
        let plugin: PluginName = named.parse().map_err(|_| unknown())?;
        if let Some(entry) = self.of_plugin(&plugin) {
            return Ok(RolloutStatus::of(&entry.lock(), self.now()));
        }
        let last = self.parts().state.rollouts(Some(&plugin), 1)?.pop();
        last.map(|last| self.status_of(&last)).ok_or_else(unknown)
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
            return RolloutStatus::of(&entry.lock(), self.now());
        }
        let rollout = Rollout::restore(&stored.state).ok();
        RolloutStatus {
            message: rollout
                .as_ref()
                .map_or_else(|| "its record cannot be read".to_owned(), message_of),
            stored: stored.clone(),
            rollout,
            left_out: Vec::new(),
            next_at: None,
            dropped: 0,
            changed: false,
        }
    }
}

fn next_at(rollout: &Rollout, now: UnixMillis) -> Option<UnixMillis> {
    let progress = rollout.progress();
    if matches!(progress.phase, Phase::Paused { .. }) {
        return None;
    }
    let left = progress.at_least_ms?.saturating_sub(progress.here_ms);
    Some(UnixMillis(now.0.saturating_add(left)))
}

/// Where a rollout stands, in words.
pub(crate) fn message_of(rollout: &Rollout) -> String {
    let progress = rollout.progress();
    match &progress.phase {
        Phase::Preparing => "it begins".to_owned(),
        Phase::Replay => format!("recorded calls are made again: {} so far", progress.compared),
        Phase::Shadow => format!(
            "{} copies of calls compared, {} differ",
            progress.compared, progress.differing
        ),
        Phase::Step(_) => format!(
            "step {} of {}: {} of the calls",
            progress.step, progress.steps, progress.weight
        ),
        Phase::Baking => "the candidate is live, and watched".to_owned(),
        Phase::Paused { at, reason } => {
            let place = match at {
                Stage::Step(step) => format!("at step {} ({} of the calls)", step + 1, progress.weight),
                Stage::Baking => "while the candidate is live and watched".to_owned(),
                Stage::Waiting => "before its first call".to_owned(),
                Stage::Preparing => "before it began".to_owned(),
                Stage::Replay => "during the replay".to_owned(),
                Stage::Shadow => "during the shadow".to_owned(),
            };
            let why = match reason {
                PauseReason::Order { by, reason } if reason.is_empty() => format!("{by} paused it"),
                PauseReason::Order { by, reason } => format!("{by} paused it: {reason}"),
                PauseReason::Policy => "the policy waits for an order to promote".to_owned(),
                PauseReason::Deadline => "its deadline passed".to_owned(),
            };
            format!("paused {place}: {why}")
        }
        Phase::Promoted => "the candidate is live".to_owned(),
        Phase::Aborted | Phase::Failed => match rollout.outcome() {
            Some(Outcome::Aborted { why } | Outcome::Failed { why }) => why.clone(),
            _ => "it has ended".to_owned(),
        },
    }
}
