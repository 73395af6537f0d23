//! Plugins, their revisions, and the files that did not make it.

use patchbay_vocab::{Digest, NodeType, PluginName, RevisionNumber, RevisionState, UnixMillis, Version};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::change::RevisionRef;
use crate::node::DependencyView;
use crate::problem::ProblemView;
use crate::trust::SignerView;

/// A plugin and all its revisions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginView {
    /// Its name.
    #[schema(value_type = String, example = "string")]
    pub name: PluginName,
    /// One sentence for people.
    pub description: String,
    /// Who to ask.
    pub author: String,
    /// The version that receives the calls; null when none does.
    #[schema(value_type = Option<String>, example = "1.2.0")]
    pub live: Option<Version>,
    /// The revision that receives the calls.
    #[schema(value_type = Option<u64>)]
    pub live_revision: Option<RevisionNumber>,
    /// The revision that should receive the calls, as it is remembered; another one than the live one when that could not
    /// be loaded at the start.
    #[serde(default)]
    pub desired: Option<RevisionRef>,
    /// The revision that receives a share of the calls, and how much in percent; null when none does.
    #[serde(default)]
    pub canary: Option<ShareView>,
    /// The generation of the routing in which it went live.
    pub generation: Option<u64>,
    /// Every revision, oldest first.
    pub revisions: Vec<RevisionView>,
    /// The node types of the live revision.
    #[schema(value_type = Vec<String>)]
    pub nodes: Vec<NodeType>,
    /// The plugins that the live revision needs.
    pub dependencies: Vec<DependencyView>,
}

/// A share of the calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShareView {
    /// Who receives it.
    pub to: RevisionRef,
    /// How much, in percent.
    pub weight: f64,
}

/// One revision of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevisionView {
    /// Its number.
    #[schema(value_type = u64)]
    pub revision: RevisionNumber,
    /// Its version.
    #[schema(value_type = String, example = "1.2.0")]
    pub version: Version,
    /// The BLAKE3 hash of its artifact.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Where it stands: `vetted`, `warm`, `shadow`, `canary`, `live`, `draining`, `retired` or `quarantined`.
    #[schema(value_type = String, example = "live")]
    pub state: RevisionState,
    /// Whether it was unmapped because nobody called it; its routes stay, and the next call maps it again.
    #[serde(default)]
    pub asleep: bool,
    /// Calls inside it now: its leases.
    pub calls_in_flight: u64,
    /// Calls that ever began.
    pub calls_total: u64,
    /// What keeps it mapped although it receives no calls, in words.
    pub pinned_by: Vec<String>,
    /// The address space it holds; null when it is not mapped.
    pub memory_bytes: Option<u64>,
    /// Threads it started that are still running.
    pub threads: u64,
    /// The file it came from.
    pub origin: String,
    /// Who signed it; null for an unsigned one.
    pub signed_by: Option<SignerView>,
    /// When it was admitted, in milliseconds since 1970-01-01 UTC.
    #[schema(value_type = u64)]
    pub admitted_at: UnixMillis,
    /// Why it cannot go live; null when nothing is in the way.
    pub blocked_by: Option<ProblemView>,
}

/// A file that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RejectedView {
    /// The file.
    pub path: String,
    /// The BLAKE3 hash of its content, when it could be read.
    #[schema(value_type = Option<String>)]
    pub digest: Option<Digest>,
    /// Who signed it, when that was found out before it was refused.
    pub signed_by: Option<SignerView>,
    /// The stable code.
    #[schema(example = "PB-INSPECT-003")]
    pub code: String,
    /// What is wrong with it.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// When, in milliseconds since 1970-01-01 UTC.
    #[schema(value_type = u64)]
    pub at: UnixMillis,
}
