//! Workflows: running, validating, looking at runs.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use patchbay_vocab::{PluginName, RunId, TenantId, WorkflowId};

use super::Server;
use crate::input;

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay run order.json --input '{\"total\": 12}'
  patchbay run order.json --input @order-17.json --json | jq .state
  patchbay run order.json --version math=1.3.0 --data .patchbay-run
  patchbay run order.json --config patchbay.toml --tenant acme
  patchbay run order.json --url http://127.0.0.1:7411

Without --url a host of its own is opened over --plugins for this one run. It tries every plugin in a child process \
first; --data DIR keeps the verdicts and the record of the run, so that the next run with the same DIR starts sooner. \
Secrets and settings of tenants come from --config FILE, the file that a served host reads.

The result goes to stdout, everything else to stderr. Exits with 0 when the run succeeded, with 1 when a node failed it, \
it took too long or was cancelled (Ctrl-C), with 2 when the document is refused: then all findings are printed.")]
pub struct RunArgs {
    /// The document, or - for stdin
    #[arg(value_name = "WORKFLOW.json")]
    pub workflow: PathBuf,
    /// What triggers it, `$json`: JSON, @FILE, or - for stdin [default: {}]
    #[arg(long, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    pub input: Option<String>,
    /// Variables over the document's defaults: a JSON object, or @FILE
    #[arg(long, value_name = "JSON|@FILE")]
    pub variables: Option<String>,
    /// Whose data the run may see [default: the document's tenant]
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<TenantId>,
    /// `$context.user`: a JSON object, or @FILE
    #[arg(long, value_name = "JSON|@FILE")]
    pub user: Option<String>,
    /// A version to run on instead of the highest: string=1.2.0; may be repeated
    #[arg(long = "version", value_name = "PLUGIN=VERSION", value_parser = input::version)]
    pub versions: Vec<(PluginName, String)>,
    /// How long it may take, such as 500ms, 2s, 1m [default: the document's limit]
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    pub timeout: Option<Duration>,
    /// Configuration file (TOML) with secrets, settings and rules of tenants; its plugins are used, its data is not
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub config: Option<PathBuf>,
    /// Directory with the plugins [default: that of the configuration, else plugins, else .patchbay/plugins]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub plugins: Option<PathBuf>,
    /// Directory for the host's own files, kept for the next run [default: a temporary one]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub data: Option<PathBuf>,
    /// Have the host at this address run it
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Print the record of the run as JSON
    #[arg(long)]
    pub json: bool,
    /// Print the result and errors, and nothing else
    #[arg(long)]
    pub quiet: bool,
    /// What is logged: error, warn, info, debug, trace or off, also by target [default: off]
    #[arg(long, env = "PATCHBAY_LOG", value_name = "LEVEL", value_parser = input::log_filter)]
    pub log: Option<String>,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay validate order.json
  patchbay validate order.json --strict --json
  patchbay validate order.json --config patchbay.toml
  patchbay validate order.json --url http://127.0.0.1:7411 --tenant acme

Node types, their parameters and secrets are checked against the plugins of --plugins and the secrets of --config, or \
against the host at --url; where there are none, the document alone is checked.

Exits with 0 when the document can be run, with 1 when not; with --strict a warning is enough.")]
pub struct ValidateArgs {
    /// The document, or - for stdin
    #[arg(value_name = "WORKFLOW.json")]
    pub workflow: PathBuf,
    /// For whom it would run [default: the document's tenant]
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<TenantId>,
    /// Configuration file (TOML) with secrets, settings and rules of tenants; its plugins are used, its data is not
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub config: Option<PathBuf>,
    /// Directory with the plugins [default: that of the configuration, else plugins, else .patchbay/plugins]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub plugins: Option<PathBuf>,
    /// Directory for the host's own files, kept for the next time [default: a temporary one]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub data: Option<PathBuf>,
    /// Have the host at this address check it
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Exit with 1 for warnings, too
    #[arg(long)]
    pub strict: bool,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `runs`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  patchbay runs --workflow orders --status error --since 2h
  patchbay runs r019ab3f4c2d100010a1b2c3d
  patchbay runs watch r019ab3f4c2d100010a1b2c3d
  patchbay runs replay r019ab3f4c2d100010a1b2c3d --from price --version math=1.3.0"
)]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<RunsCommand>,
    /// Show this run
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<RunId>,
    /// Runs of this workflow
    #[arg(long, value_name = "ID", conflicts_with = "run")]
    pub(crate) workflow: Option<WorkflowId>,
    /// Runs of this tenant
    #[arg(long, value_name = "TENANT", conflicts_with = "run")]
    pub(crate) tenant: Option<TenantId>,
    /// Runs that stand like this: success, error, cancelled, timeout, running, queued, interrupted
    #[arg(long, value_name = "STATUS", conflicts_with = "run")]
    pub(crate) status: Option<String>,
    /// Runs that began at most so long ago, such as 10m, 2h, 7d
    #[arg(long, value_name = "DURATION", value_parser = input::span, conflicts_with = "run")]
    pub(crate) since: Option<Duration>,
    /// How many at most [default: 50]
    #[arg(long, value_name = "N", conflicts_with = "run")]
    pub(crate) limit: Option<u32>,
    /// The page after this one, as the end of that page names it
    #[arg(long, value_name = "CURSOR", conflicts_with = "run")]
    pub(crate) before: Option<String>,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// What is asked about a run.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// Show a run with its nodes
    Show(RunArg),
    /// Follow a run that has not ended
    Watch(RunArg),
    /// End a run: nothing new starts in it
    Cancel(RunArg),
    /// Do a run again and compare: exit 0 for the same, 1 for another outcome
    Replay(ReplayArgs),
    /// Print the document that a run ran
    Document(RunArg),
}

/// One run.
#[derive(Debug, Args)]
pub(crate) struct RunArg {
    /// The run
    #[arg(value_name = "RUN")]
    pub(crate) run: RunId,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `runs replay`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay runs replay r019ab3f4c2d100010a1b2c3d
  patchbay runs replay r019ab3f4c2d100010a1b2c3d --from price --version math=1.3.0

Nodes that do something to the world do it again; the answer names them. With --from, what came before that node is \
taken from the run.")]
pub(crate) struct ReplayArgs {
    /// The run
    #[arg(value_name = "RUN")]
    pub(crate) run: RunId,
    /// The node to begin at [default: the start]
    #[arg(long, value_name = "NODE")]
    pub(crate) from: Option<String>,
    /// A version to run on instead of what is live: string=1.2.0; may be repeated
    #[arg(long = "version", value_name = "PLUGIN=VERSION", value_parser = input::version)]
    pub(crate) versions: Vec<(PluginName, String)>,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `workflows`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay workflows
  patchbay workflows orders --json")]
pub(crate) struct WorkflowsArgs {
    /// Show this workflow in full
    #[arg(value_name = "ID")]
    pub(crate) workflow: Option<WorkflowId>,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `failures`.
#[derive(Debug, Args)]
pub(crate) struct FailuresArgs {
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `caches`.
#[derive(Debug, Args)]
pub(crate) struct CachesArgs {
    #[command(flatten)]
    pub(crate) server: Server,
}
