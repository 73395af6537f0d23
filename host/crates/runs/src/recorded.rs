//! What nodes were given in runs that are kept, for trying another version on it.

use patchbay_journal::{InputFilter, StoredInput};
use patchbay_vocab::{NodeId, NodeType, PluginName, RunId, TenantId, Version};
use plugin_api::value::Value;

use crate::error::RunsError;
use crate::runs::Runs;

/// How long it is waited for runs that have just ended.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// What a node was given, and what it answered.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The run.
    pub run: RunId,
    /// The node.
    pub node: NodeId,
    /// Its type, as its workflow spells it.
    pub node_type: NodeType,
    /// Whose run it was.
    pub tenant: TenantId,
    /// Its parameters.
    pub input: Value,
    /// Its answer; `None` when it failed.
    pub output: Option<Value>,
    /// The version that answered, where that is known.
    pub version: Option<Version>,
}

/// Inputs of a plugin's nodes, the newest first.
#[derive(Clone, Debug, Default)]
pub struct RecordedInputs {
    /// Those that are kept whole.
    pub inputs: Vec<Recorded>,
    /// Newer ones than the last of them that are not: too large, or their workflow does not want it.
    pub skipped: u64,
}

impl Runs {
    /// The last inputs that nodes of these types were given which a plugin answered: 10,000 at most, and no more than
    /// 64 MiB of them.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn recorded(
        &self,
        plugin: &PluginName,
        node_types: &[NodeType],
        last: u32,
    ) -> Result<RecordedInputs, RunsError> {
        // What has just ended may not be written yet.
        self.sync(PATIENCE)?;
        let filter = InputFilter {
            plugin: plugin.clone(),
            node_types: node_types.iter().map(|name| name.as_str().into()).collect(),
            limit: last,
        };
        let stored = self.journal.inputs(&filter)?;
        let mut found = RecordedInputs {
            inputs: Vec::with_capacity(stored.inputs.len()),
            skipped: stored.skipped,
        };
        for input in stored.inputs {
            match whole(input) {
                Some(recorded) => found.inputs.push(recorded),
                None => found.skipped += 1,
            }
        }
        Ok(found)
    }
}

/// `None` for what somebody else has written into the journal.
fn whole(stored: StoredInput) -> Option<Recorded> {
    let output = stored.output.as_ref().map(|output| output.to_value().ok());
    Some(Recorded {
        node_type: stored.node_type.parse().ok()?,
        input: stored.input.to_value().ok()?,
        output: match output {
            Some(output) => Some(output?),
            None => None,
        },
        run: stored.run,
        node: stored.node,
        tenant: stored.tenant,
        version: stored.version,
    })
}
