//! Who stands behind a plugin, and what was made to show it.

use patchbay_vocab::{Digest, KeyId, PluginName, TeamName, UnixMillis, Version};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who signed a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignerView {
    /// The team whose key it was; null when the host knows no keys, so that nothing was verified.
    #[schema(value_type = Option<String>, example = "payments")]
    pub team: Option<TeamName>,
    /// The key's id.
    #[schema(value_type = String, example = "E7620F1842B4E81F")]
    pub key: KeyId,
    /// When it was signed, as the signer says, in milliseconds since 1970-01-01 UTC; null when it is not said.
    #[schema(value_type = Option<u64>)]
    pub signed_at: Option<UnixMillis>,
}

/// A signature that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedView {
    /// The file that was signed.
    pub path: String,
    /// The signature beside it.
    pub signature: String,
    /// The plugin's name.
    #[schema(value_type = String, example = "string")]
    pub plugin: PluginName,
    /// The plugin's version.
    #[schema(value_type = String, example = "1.2.0")]
    pub version: Version,
    /// The BLAKE3 hash of the file.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The key's id.
    #[schema(value_type = String, example = "E7620F1842B4E81F")]
    pub key: KeyId,
}

/// A key pair that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyPairView {
    /// The key's id.
    #[schema(value_type = String, example = "E7620F1842B4E81F")]
    pub key: KeyId,
    /// The public half, for configurations.
    pub public_key: String,
    /// The file with the secret half.
    pub secret_file: String,
    /// The file with the public half.
    pub public_file: String,
}

/// What a data directory demands no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RelaxedView {
    /// When, in milliseconds since 1970-01-01 UTC.
    #[schema(value_type = u64)]
    pub at: UnixMillis,
    /// Who ordered it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// What was demanded until then, in words; empty when nothing was.
    pub relaxed: Vec<String>,
}
