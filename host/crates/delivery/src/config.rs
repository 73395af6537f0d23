//! What delivery is made from.

use std::collections::BTreeMap;
use std::time::Duration;

use patchbay_rollout::Policy;
use patchbay_vocab::PluginName;

use crate::breaker::BreakerConfig;

/// What delivery is made from. Start from the standard and change fields.
#[derive(Clone, Debug)]
pub struct DeliveryConfig {
    /// How versions of plugins go live that have no policy of their own.
    pub policy: Policy,
    /// How versions of these plugins go live.
    pub policies: BTreeMap<PluginName, Policy>,
    /// How often rollouts and breakers are looked at.
    pub tick: Duration,
    /// When a version is taken out of service.
    pub breaker: BreakerConfig,
    /// What is kept of old versions.
    pub retention: RetentionConfig,
    /// How long a host has to run with a set of versions for it to be a good one.
    pub stable_after: Duration,
    /// Whether anything goes forward by itself.
    pub mode: Mode,
}

/// Whether anything goes forward by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Rollouts go on and versions arrive.
    #[default]
    Normal,
    /// Rollouts go on; versions that arrive wait for orders, since the host kept ending.
    Recovered,
    /// Only orders change anything: somebody looks for what is wrong.
    Safe,
}

/// What is kept of versions that are not live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionConfig {
    /// Revisions of one plugin that stay known, the newest first; what is live, pinned, part of a rollout or within a
    /// rollback's reach stays beyond that.
    pub revisions: usize,
    /// Of what was live, how many revisions a rollback reaches without their being among the newest.
    pub rollbacks: usize,
    /// Bytes that all artifacts may take; beyond it the oldest go that nothing needs.
    pub bytes: u64,
    /// How often this is looked at.
    pub every: Duration,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            revisions: 20,
            rollbacks: 5,
            bytes: 10 << 30,
            every: Duration::from_secs(600),
        }
    }
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            policy: Policy::Immediate,
            policies: BTreeMap::new(),
            tick: Duration::from_millis(250),
            breaker: BreakerConfig::default(),
            retention: RetentionConfig::default(),
            stable_after: Duration::from_secs(60),
            mode: Mode::Normal,
        }
    }
}
