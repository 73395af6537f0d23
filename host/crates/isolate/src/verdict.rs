//! What crosses the pipe between host and child: one JSON line each way, and a line for each stage begun.

use std::collections::BTreeSet;
use std::path::PathBuf;

use patchbay_vocab::{Digest, Explained, PinReason};
use plugin_api::meta::PluginMeta;
use serde::{Deserialize, Serialize};

/// What the host asks for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Repeated in every answer: a plugin's own output is not taken for the child's.
    pub(crate) nonce: String,
    pub(crate) store: PathBuf,
    pub(crate) max_bytes: u64,
    pub(crate) maps: PathBuf,
    pub(crate) digest: Digest,
    pub(crate) allowed_libraries: BTreeSet<String>,
    pub(crate) forbidden_imports: BTreeSet<String>,
    /// Major and minor of the contract that the host speaks.
    pub(crate) contract: (u32, u32),
    pub(crate) cpu_seconds: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) example_millis: u64,
    pub(crate) depth: Depth,
}

/// How much is to be told of a fit file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Depth {
    /// What decides.
    Brief,
    /// All that its author may want to know.
    Full,
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) nonce: String,
    pub(crate) says: Says,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Says {
    /// This stage begins.
    Begins(String),
    /// Everything is prepared; the plugin is mapped when the host says so.
    Ready {
        /// Why there is no fence around it, when there is none.
        unfenced: Option<String>,
    },
    /// The file is unfit.
    Unfit(Explained),
    /// The file is fit.
    Fit(Box<Verdict>),
}

/// What a trial load found of a fit file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// The stages with their times.
    pub stages: Vec<StageRun>,
    /// The hash of the description, which has to be the same when it is loaded for service.
    pub description: Digest,
    /// The nodes.
    pub nodes: Vec<NodeFacts>,
    /// The examples that were run: those of nodes without effect.
    pub examples: Vec<ExampleRun>,
    /// What would keep the version mapped, as seen in the child; empty when it could be unmapped at once.
    pub pinned_by: Vec<PinReason>,
    /// Thread-specific keys it left.
    pub keys: usize,
    /// What the plugin says of itself; only in a full report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<PluginMeta>,
    /// What the system did not give to the trial; the host's own knowledge, not the child's word.
    #[serde(default)]
    pub missing: Vec<Layer>,
}

/// A layer of a trial load that not every system gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The filter of system calls, and why it could not be raised.
    Fence(String),
    /// The kernel's word on where the child halts.
    Witness,
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fence(why) => write!(
                f,
                "its system calls were not filtered ({why}): what it started, signalled, wrote or connected to went unseen"
            ),
            Self::Witness => f.write_str(
                "the system does not show where the child halts: a constructor could have given the verdict itself",
            ),
        }
    }
}

/// One stage of a trial load.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageRun {
    /// Its name.
    pub stage: String,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// One node of a plugin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeFacts {
    /// The node type.
    pub node_type: String,
    /// What calling it does to the world.
    pub effect: String,
    /// Examples it has.
    pub examples: usize,
}

/// One example that was run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExampleRun {
    /// The node type.
    pub node_type: String,
    /// The example's title.
    pub title: String,
    /// Whether the output was the expected one.
    pub holds: bool,
    /// How long the call took, in microseconds.
    pub micros: u64,
    /// Whether the node failed, instead of giving an output.
    pub failed: bool,
    /// What was given instead, when it was not; cut when it is long.
    pub got: Option<String>,
}
