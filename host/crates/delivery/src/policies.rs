//! Which policy holds for a plugin.
//!
//! Invariant: what was ordered goes before the configuration, and what is said of a plugin before what is said of all.

use std::collections::BTreeMap;

use parking_lot::RwLock;
use patchbay_lifecycle::GoLive;
use patchbay_rollout::Policy;
use patchbay_vocab::PluginName;

/// Where a policy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// It was ordered, and is remembered.
    Ordered,
    /// The configuration says so of the plugin.
    Configured,
    /// It holds for every plugin that has none.
    Standard,
}

impl PolicySource {
    /// Its word: `api`, `file` or `default`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordered => "api",
            Self::Configured => "file",
            Self::Standard => "default",
        }
    }
}

/// The policies of all plugins.
#[derive(Debug)]
pub struct Policies {
    standard: Policy,
    configured: BTreeMap<PluginName, Policy>,
    ordered: RwLock<BTreeMap<PluginName, Policy>>,
}

impl Policies {
    /// The policies of a configuration, with what was ordered before. What was ordered and cannot be read any more is
    /// left out, with a warning.
    #[must_use]
    pub fn new(
        standard: Policy,
        configured: BTreeMap<PluginName, Policy>,
        ordered: &[(PluginName, String)],
    ) -> Self {
        let mut known = BTreeMap::new();
        for (plugin, text) in ordered {
            match Policy::from_json(text) {
                Ok(policy) => {
                    known.insert(plugin.clone(), policy);
                }
                Err(error) => tracing::warn!(%plugin, %error, "a stored policy is left out"),
            }
        }
        Self {
            standard,
            configured,
            ordered: RwLock::new(known),
        }
    }

    /// The policy that holds for a plugin.
    #[must_use]
    pub fn of(&self, plugin: &PluginName) -> (Policy, PolicySource) {
        if let Some(policy) = self.ordered.read().get(plugin) {
            return (policy.clone(), PolicySource::Ordered);
        }
        match self.configured.get(plugin) {
            Some(policy) => (policy.clone(), PolicySource::Configured),
            None => (self.standard.clone(), PolicySource::Standard),
        }
    }

    /// How a higher version of a plugin goes live.
    #[must_use]
    pub fn go_live(&self, plugin: &PluginName) -> GoLive {
        let ordered = self.ordered.read();
        let policy = ordered
            .get(plugin)
            .or_else(|| self.configured.get(plugin))
            .unwrap_or(&self.standard);
        match policy {
            Policy::Immediate => GoLive::Immediate,
            Policy::Manual => GoLive::Manual,
            Policy::Canary(_) | Policy::Shadow(_) | Policy::Replay(_) => GoLive::Rollout,
        }
    }

    /// Sets what was ordered for a plugin; where that changes anything, `remember` is told of what holds now, before
    /// anybody else can set it again.
    pub(crate) fn set(
        &self,
        plugin: &PluginName,
        policy: Option<Policy>,
        remember: impl FnOnce(&Policy, PolicySource),
    ) {
        let mut ordered = self.ordered.write();
        let changed = match policy {
            Some(policy) => ordered.insert(plugin.clone(), policy.clone()) != Some(policy),
            None => ordered.remove(plugin).is_some(),
        };
        if changed {
            let (now, source) = match (ordered.get(plugin), self.configured.get(plugin)) {
                (Some(policy), _) => (policy, PolicySource::Ordered),
                (None, Some(policy)) => (policy, PolicySource::Configured),
                (None, None) => (&self.standard, PolicySource::Standard),
            };
            remember(now, source);
        }
    }
}
