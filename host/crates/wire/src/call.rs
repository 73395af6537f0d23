//! One call of a node.

use patchbay_vocab::{PluginName, RevisionNumber, TenantId, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

/// A call of a node from outside any workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallRequest {
    /// The parameters; an empty object when left out.
    #[serde(default = "no_parameters")]
    pub input: Json,
    /// Whose data the call may see; the host's default tenant when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "acme")]
    pub tenant: Option<TenantId>,
    /// How long the call may take, in milliseconds; the node's own limit when left out.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// What the instance of a stateful node is made from, for each configuration and tenant one; null when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Json>,
}

impl CallRequest {
    /// A call with these parameters, and nothing else said.
    #[must_use]
    pub const fn of(input: Json) -> Self {
        Self {
            input,
            tenant: None,
            timeout_ms: None,
            config: None,
        }
    }
}

fn no_parameters() -> Json {
    Json::Object(serde_json::Map::new())
}

/// What a node answered, and which version of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallReply {
    /// The result.
    pub output: Json,
    /// The plugin that answered.
    #[schema(value_type = String, example = "string")]
    pub plugin: PluginName,
    /// Its version.
    #[schema(value_type = String, example = "1.2.0")]
    pub version: Version,
    /// The revision of that version.
    #[schema(value_type = u64)]
    pub revision: RevisionNumber,
    /// How long the call took, in microseconds.
    pub micros: u64,
}
