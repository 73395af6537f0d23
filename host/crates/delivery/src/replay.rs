//! Recorded calls, made again on the candidate and on what is live, before any caller reaches the candidate.
//!
//! Both versions are asked now: an answer of yesterday may differ for reasons that have nothing to do with the version.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;
use patchbay_dispatch::{Dispatcher, Mount, Served};
use patchbay_vocab::{NodeType, PluginName, TenantId};
use plugin_api::value::Value;

use crate::driver::Message;
use crate::shadow::{Again, Comparison, difference, differences};

/// A call that was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The node type.
    pub node_type: NodeType,
    /// Whose call it was.
    pub tenant: TenantId,
    /// Its parameters.
    pub input: Value,
}

/// Where recorded calls are found.
pub trait Recordings: Send + Sync + 'static {
    /// The last calls of these nodes of a plugin, the newest first; not more than `last`.
    ///
    /// # Errors
    /// In words, why they cannot be read.
    fn recorded(&self, plugin: &PluginName, nodes: &[NodeType], last: u32) -> Result<Vec<Recorded>, String>;
}

/// What a replay needs.
pub(crate) struct Replaying {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) stable: Arc<Mount<Served>>,
    pub(crate) candidate: Arc<Mount<Served>>,
    pub(crate) comparison: Comparison,
    /// Set when nobody waits for it any more.
    pub(crate) ended: Arc<AtomicBool>,
    pub(crate) told: Sender<Message>,
}

impl Replaying {
    /// Makes the calls again, on a thread of its own.
    pub(crate) fn start(self, calls: Vec<Recorded>) -> std::io::Result<()> {
        std::thread::Builder::new()
            .name("pb-replay".into())
            .spawn(move || self.run(&calls))
            .map(drop)
    }

    fn run(&self, calls: &[Recorded]) {
        let (mut compared, mut differing) = (0, 0);
        for call in calls {
            if self.ended.load(Ordering::Relaxed) {
                return;
            }
            let answer = |mount: &Arc<Mount<Served>>| {
                let again = Again {
                    dispatcher: &self.dispatcher,
                    mount,
                    node_type: call.node_type.as_str(),
                    tenant: &call.tenant,
                    variables: None,
                };
                again.answer(&call.input)
            };
            let found = differences(&self.comparison, &answer(&self.stable), &answer(&self.candidate));
            compared += 1;
            if !found.is_empty() {
                differing += 1;
                let body = difference(call.node_type.as_str(), &call.tenant, &call.input, &found);
                let id = self.id.clone();
                let _ = self.told.send(Message::Difference { id, body });
            }
        }
        let _ = self.told.send(Message::Replayed {
            id: self.id.clone(),
            number: self.number,
            compared,
            differing,
        });
    }
}

/// The names of nodes that can be compared, as a query needs them.
pub(crate) fn names(fit: &BTreeSet<NodeType>) -> Vec<NodeType> {
    fit.iter().cloned().collect()
}
