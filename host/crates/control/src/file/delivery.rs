//! The tables about rollouts, breakers and retention.
//!
//! ```toml
//! [rollout]
//! policy = "immediate"             # of plugins that have none of their own; see rollouts.md for the others
//! tick_ms = 250                    # how often rollouts and breakers are looked at
//! stable_after_ms = 60000          # how long a host has to run with a set of versions for it to be a good one
//!
//! [plugin.string]
//! policy = "manual"
//!
//! [plugin.pricing.policy.canary]
//! steps = [5, 25, 50]
//! pause = { after_ms = 60000 }     # or "promote"
//! bake_ms = 300000
//! sticky = "tenant"
//!
//! [plugin.pricing.policy.canary.analysis]
//! min_calls = 200
//! max_error_rate_increase = 0.005
//!
//! [breaker]
//! window_ms = 60000                # over how long faults are counted
//! panics = 5                       # so many take a version out of service; 0 for never
//! timeouts = 20                    # calls that had the time that the node says it needs
//! share = 0.01                     # panics and time-outs count from this share of the version's calls on
//! error_rate = 0.5                 # of a version that was first live less than young_ms ago; 0 for never
//! min_calls = 100
//! young_ms = 600000
//!
//! [retention]
//! revisions = 20                   # of one plugin, the newest first
//! rollbacks = 5                    # of what was live, how many a rollback still reaches
//! artifact_bytes = 10737418240     # what all artifacts may take
//! every_ms = 600000
//! ```

use std::time::Duration;

use patchbay_delivery::DeliveryConfig;
use patchbay_rollout::Policy;
use serde::Deserialize;

use super::{ConfigError, ConfigFile, MOST_IDLE_MILLIS, MOST_MILLIS, bounded, set};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RolloutTable {
    policy: Option<Policy>,
    tick_ms: Option<u64>,
    stable_after_ms: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PluginTable {
    policy: Option<Policy>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BreakerTable {
    window_ms: Option<u64>,
    panics: Option<u64>,
    timeouts: Option<u64>,
    share: Option<f64>,
    error_rate: Option<f64>,
    min_calls: Option<u64>,
    young_ms: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetentionTable {
    revisions: Option<u64>,
    rollbacks: Option<u64>,
    artifact_bytes: Option<u64>,
    every_ms: Option<u64>,
}

impl ConfigFile {
    pub(super) fn apply_delivery(&self, config: &mut DeliveryConfig) -> Result<(), ConfigError> {
        let millis = |setting, value, least, most| {
            let value = bounded(setting, value, least, most, " milliseconds")?;
            Ok(value.map(Duration::from_millis))
        };
        let checked = |setting: String, policy: &Policy| {
            let cause = policy.validate();
            cause.map_err(|cause| ConfigError::Policy { setting, cause })
        };
        let rollout = &self.rollout;
        if let Some(policy) = &rollout.policy {
            checked("rollout.policy".to_owned(), policy)?;
            config.policy = policy.clone();
        }
        set(
            &mut config.tick,
            millis("rollout.tick_ms", rollout.tick_ms, 10, MOST_MILLIS)?,
        );
        set(
            &mut config.stable_after,
            millis("rollout.stable_after_ms", rollout.stable_after_ms, 1, MOST_MILLIS)?,
        );
        for (plugin, table) in &self.plugin {
            if let Some(policy) = &table.policy {
                checked(format!("plugin.{plugin}.policy"), policy)?;
                config.policies.insert(plugin.clone(), policy.clone());
            }
        }
        let (table, breaker) = (&self.breaker, &mut config.breaker);
        set(
            &mut breaker.window,
            millis("breaker.window_ms", table.window_ms, 100, MOST_MILLIS)?,
        );
        set(
            &mut breaker.young,
            millis("breaker.young_ms", table.young_ms, 0, MOST_IDLE_MILLIS)?,
        );
        set(&mut breaker.panics, table.panics);
        set(&mut breaker.timeouts, table.timeouts);
        set(&mut breaker.min_calls, table.min_calls);
        let share = |setting, value: Option<f64>| match value {
            Some(share) if !(0.0..=1.0).contains(&share) => Err(ConfigError::Parse {
                path: self.folder.clone(),
                reason: format!("`{setting}` is {share}; it has to be from 0 to 1"),
            }),
            value => Ok(value),
        };
        set(
            &mut breaker.error_rate,
            share("breaker.error_rate", table.error_rate)?,
        );
        set(&mut breaker.share, share("breaker.share", table.share)?);
        let (table, retention) = (&self.retention, &mut config.retention);
        let count = |setting, value, least| {
            let value = bounded(setting, value, least, 100_000, "")?;
            Ok(value.and_then(|value| usize::try_from(value).ok()))
        };
        set(
            &mut retention.revisions,
            count("retention.revisions", table.revisions, 1)?,
        );
        set(
            &mut retention.rollbacks,
            count("retention.rollbacks", table.rollbacks, 1)?,
        );
        set(&mut retention.bytes, table.artifact_bytes);
        set(
            &mut retention.every,
            millis("retention.every_ms", table.every_ms, 1_000, MOST_IDLE_MILLIS)?,
        );
        Ok(())
    }
}
