//! How often nodes fail, and how recovery goes: by kind, node type and version.
//!
//! Invariant: counting costs a run nothing: it is done where runs are recorded, from what a run left.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use patchbay_executor::Finished;
use patchbay_vocab::{NodeId, PluginName, Version};
use patchbay_wire::FailureCountView;

/// Different failures that are counted apart; beyond that they are counted together under `OTHER`.
const MOST: usize = 10_000;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    code: String,
    node_type: String,
    served_by: Option<(PluginName, Version)>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    failed: u64,
    recovery_attempts: u64,
    recovery_successes: u64,
    recovering: Duration,
}

/// Counts since the host began.
#[derive(Default)]
pub(crate) struct Failures {
    counts: Mutex<HashMap<Key, Counts>>,
}

impl Failures {
    /// Counts what failed in a run, and what recovery made of it. In a replay from a node on, what was not called and is
    /// not refused was taken over from the run before, and counted then.
    pub(crate) fn count(&self, finished: &Finished, from: Option<&NodeId>) {
        for node in finished.nodes() {
            if from.is_some() && node.attempts == 0 && node.validation.is_empty() {
                continue;
            }
            let Some(failure) = node.failure else {
                // A retry or a fallback that helped leaves no failure behind.
                if let Some(recovered) = node.recovery {
                    let key = Key {
                        code: "RECOVERED".to_owned(),
                        node_type: node.node_type.to_owned(),
                        served_by: node.served_by.map(|by| (by.plugin.clone(), by.version.clone())),
                    };
                    self.add(key, 0, recovered.applied, node.took);
                }
                continue;
            };
            let key = Key {
                code: failure.error_code().to_owned(),
                node_type: node.node_type.to_owned(),
                served_by: node.served_by.map(|by| (by.plugin.clone(), by.version.clone())),
            };
            match node.recovery {
                Some(recovered) => self.add(key, 1, recovered.applied, node.took),
                None => self.counts_of(key, |counts| counts.failed += 1),
            }
        }
    }

    fn add(&self, key: Key, failed: u64, applied: bool, took: Duration) {
        self.counts_of(key, |counts| {
            counts.failed += failed;
            counts.recovery_attempts += 1;
            if applied {
                counts.recovery_successes += 1;
                counts.recovering += took;
            }
        });
    }

    fn counts_of(&self, key: Key, change: impl FnOnce(&mut Counts)) {
        let mut all = self.counts.lock();
        let key = if all.len() < MOST || all.contains_key(&key) {
            key
        } else {
            Key {
                code: "OTHER".to_owned(),
                node_type: String::new(),
                served_by: None,
            }
        };
        change(all.entry(key).or_default());
    }

    /// What was counted, the most frequent first.
    pub(crate) fn list(&self) -> Vec<FailureCountView> {
        let all = self.counts.lock();
        let mut views: Vec<_> = all
            .iter()
            .map(|(key, counts)| FailureCountView {
                code: key.code.clone(),
                node_type: key.node_type.clone(),
                plugin: key.served_by.as_ref().map(|(plugin, _)| plugin.clone()),
                version: key.served_by.as_ref().map(|(_, version)| version.clone()),
                count: counts.failed,
                recovery_attempts: counts.recovery_attempts,
                recovery_successes: counts.recovery_successes,
                mean_recovery_ms: match counts.recovery_successes {
                    0 => None,
                    successes => Some(counts.recovering.as_secs_f64() * 1e3 / successes as f64),
                },
            })
            .collect();
        drop(all);
        views.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.node_type.cmp(&b.node_type)));
        views
    }
}
