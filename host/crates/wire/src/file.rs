//! What is known of one file, before any host serves it.

use patchbay_vocab::{Digest, NodeType, PluginName, Version};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ExampleRunView;
use crate::trust::SignerView;

/// What the bytes of an artifact say, read without running any of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InspectView {
    /// The file.
    pub path: String,
    /// The BLAKE3 hash of its content.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The plugin's name.
    #[schema(value_type = String, example = "string")]
    pub plugin: PluginName,
    /// The plugin's version.
    #[schema(value_type = String, example = "1.2.0")]
    pub version: Version,
    /// The contract it was built for.
    #[schema(example = "1.0")]
    pub contract: String,
    /// The version of the SDK it was built with; empty for a plugin that was written without it.
    pub sdk: String,
    /// The compiler that built it.
    pub compiler: String,
    /// The target triple it was built for.
    pub target: String,
    /// How the host enters it: `sdk` or `c`.
    pub entry: String,
    /// Who signed it; null for an unsigned one.
    pub signed_by: Option<SignerView>,
    /// The libraries it needs.
    pub needed: Vec<String>,
    /// How many symbols it takes from other libraries.
    pub imports: u64,
    /// The symbols it exports.
    pub exports: Vec<String>,
}

/// The verdict of the full vetting of one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckView {
    /// Whether a host would admit it.
    pub fit: bool,
    /// The stable code of the refusal; null for a fit file.
    pub code: Option<String>,
    /// What is wrong; null for a fit file.
    pub message: Option<String>,
    /// What to do; null for a fit file.
    pub hint: Option<String>,
    /// The plugin's name, once it is known.
    #[schema(value_type = Option<String>)]
    pub plugin: Option<PluginName>,
    /// The plugin's version, once it is known.
    #[schema(value_type = Option<String>)]
    pub version: Option<Version>,
    /// Who signed it, once it is known; null for an unsigned file.
    pub signed_by: Option<SignerView>,
    /// The nodes it offers, once they are known.
    #[schema(value_type = Vec<String>)]
    pub nodes: Vec<NodeType>,
    /// The stages it went through, in order; the last one may have failed.
    pub stages: Vec<CheckStageView>,
    /// What does not stand in the way, and should be mended all the same: the messages of findings that are warnings.
    pub warnings: Vec<String>,
    /// What the file says of itself, once that could be read.
    pub identity: Option<InspectView>,
    /// Where its bytes go, once that could be read.
    pub size: Option<SizeView>,
    /// The examples of its nodes, run in the trial load.
    pub examples: Vec<ExampleRunView>,
    /// What should be mended, the worst first.
    pub findings: Vec<FindingView>,
}

/// Where the bytes of a file go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SizeView {
    /// The whole file.
    pub file: u64,
    /// Machine code.
    pub code: u64,
    /// What is only read: constants, unwinding, relocations.
    pub constants: u64,
    /// What is written to.
    pub variables: u64,
    /// Debug information.
    pub debug: u64,
    /// Symbols that only tools need.
    pub symbols: u64,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Callers will be misled by it.
    Error,
    /// Callers or admins will miss something.
    Warning,
    /// Worth a thought.
    Note,
}

/// Something that an author should mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingView {
    /// How much it matters.
    pub level: Severity,
    /// The stable code.
    pub code: String,
    /// Where: a node and a field of it, or a part of the file.
    pub place: String,
    /// What is so.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// One stage of the vetting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckStageView {
    /// Its name, such as `inspect` or `probe`.
    pub stage: String,
    /// Whether the file passed it.
    pub ok: bool,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// The stable code of the failure.
    pub code: Option<String>,
    /// What failed.
    pub message: Option<String>,
}
