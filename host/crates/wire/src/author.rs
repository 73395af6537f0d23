//! What a plugin's author is told while writing it.

use patchbay_vocab::{NodeType, PluginName, RevisionNumber, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

/// A project that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewView {
    /// The plugin's name.
    #[schema(value_type = String)]
    pub plugin: PluginName,
    /// What it is written in: `rust` or `c`.
    pub language: String,
    /// The project's folder.
    pub path: String,
    /// Where the SDK lies that it is built with.
    pub sdk: String,
    /// Its files, relative to the folder.
    pub files: Vec<String>,
    /// Commands to go on with.
    pub next: Vec<String>,
}

/// How an example went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExampleOutcome {
    /// The output was the expected one.
    Holds,
    /// There was another output.
    Differs,
    /// The node failed.
    Failed,
    /// It was not run.
    NotRun,
}

/// One example of a node, run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExampleRunView {
    /// The node.
    #[schema(value_type = String)]
    pub node: NodeType,
    /// The example's title.
    pub title: String,
    /// How it went.
    pub outcome: ExampleOutcome,
    /// How long the call took, in microseconds; null when it was not run.
    pub micros: Option<u64>,
    /// What was expected.
    #[schema(value_type = Object)]
    pub expected: Json,
    /// The output that there was instead; null when it holds, failed or was not run, and when it is too long to be shown.
    #[schema(value_type = Option<Object>)]
    pub got: Option<Json>,
    /// The node's error; null when it did not fail.
    pub error: Option<String>,
    /// Where expected and actual output part, one line for each place; for one that was not run, why.
    pub notes: Vec<String>,
}

/// What happens while a project is watched; one line of JSON each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum DevEventView {
    /// The sources are watched.
    Ready {
        /// Where calls are answered; null when nothing listens.
        url: Option<String>,
        /// The project's folder.
        project: String,
    },
    /// A build began.
    Building {},
    /// A build failed; what was live stays live.
    Failed {
        /// How long it took, in microseconds.
        build_micros: u64,
        /// The compiler's words.
        diagnostics: String,
    },
    /// A build went well, but a source has changed since it began: another one follows.
    OutOfDate {
        /// How long it took, in microseconds.
        build_micros: u64,
    },
    /// What was built is what is live.
    Unchanged {
        /// How long the build took, in microseconds.
        build_micros: u64,
    },
    /// What was built does not go live; what was live stays live.
    Rejected {
        /// The stable code.
        code: String,
        /// Why.
        message: String,
        /// What to do.
        hint: String,
    },
    /// What was built receives the calls.
    Live {
        /// The plugin.
        #[schema(value_type = String)]
        plugin: PluginName,
        /// Its version.
        #[schema(value_type = String)]
        version: Version,
        /// Its revision.
        #[schema(value_type = u64)]
        revision: RevisionNumber,
        /// Whether the build linked anything; a build that found all up to date did not.
        linked: bool,
        /// How long the build took, in microseconds.
        build_micros: u64,
        /// From the last byte that the linker wrote until calls are answered, in microseconds; from the end of the build
        /// when nothing was linked.
        live_micros: u64,
    },
    /// The examples of what is live were run.
    Examples {
        /// How each went.
        runs: Vec<ExampleRunView>,
    },
}
