//! The commands and their arguments.

mod audit;
mod local;
mod rollouts;
mod trust;
mod workflows;

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use patchbay_vocab::{NodeType, PluginName, TenantId};

pub(crate) use audit::{AuditArgs, AuditCommand, AuditExportArgs, AuditListArgs, AuditVerifyArgs, GcArgs};
pub use audit::{AuditSource, DoctorArgs, VerifyArgs};
pub use local::{
    BenchArgs, BenchSubject, CheckArgs, DEFAULT_LISTEN, DevArgs, InspectArgs, Language, Local, NewArgs,
    UpArgs,
};
pub(crate) use rollouts::{
    PinArgs, PinsArgs, PolicyFlags, RolloutArgs, RolloutCommand, RolloutOrderArgs, RolloutPlanArgs,
    RolloutPolicyArgs, RolloutPromoteArgs, RolloutStartArgs, RolloutStatusArgs, UnpinArgs,
};
pub use trust::{KeygenArgs, PasswordArgs, RelaxArgs, SignArgs, TrustArgs};
pub(crate) use trust::{TrustCommand, TrustCommandArgs};
pub(crate) use workflows::{
    CachesArgs, FailuresArgs, ReplayArgs, RunArg, RunsArgs, RunsCommand, WorkflowsArgs,
};
pub use workflows::{RunArgs, ValidateArgs};

use crate::input;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the answer is no: an unfit file, a node, a run or a rollout that failed, a change that the host refused, an audit \
that is not whole
  2  usage error, bad input, a document that is refused, or a name that nothing has
  3  the host cannot be reached, or cannot serve now
  4  something broke

Answers go to stdout, everything else to stderr. With --json an answer is the JSON of the HTTP API \
and an error is one line of JSON: {\"code\", \"message\", \"hint\", \"requestId\"}.

Examples:
  patchbay new greet && cd greet && patchbay dev
  patchbay up --plugins ./plugins
  patchbay nodes
  patchbay call string.upper '{\"value\": \"hello\"}'
  patchbay validate order.json && patchbay run order.json
  patchbay promote string 1.2.0 --reason 'fixes the umlauts'
  patchbay rollout start string 1.3.0 --canary 5,25,50 --watch
  patchbay rollback string";

/// A host for native plugins that never has to restart
#[derive(Debug, Parser)]
#[command(name = "patchbay", version, after_long_help = EXIT_CODES, max_term_width = 110, infer_long_args = false)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a host: watch a directory, serve what lands in it
    Up(UpArgs),
    /// Make a plugin project that builds, passes its tests and loads
    New(NewArgs),
    /// Build a plugin on every save, and serve what was built
    Dev(DevArgs),
    /// Run a workflow, with no server or on one
    Run(Box<RunArgs>),
    /// Find everything that is wrong with a workflow
    Validate(Box<ValidateArgs>),
    /// List the runs of a host; show, watch, cancel or replay one
    Runs(RunsArgs),
    /// List the workflows that a host serves, or show one
    Workflows(WorkflowsArgs),
    /// Call a node
    Call(CallArgs),
    /// List plugins with their versions, or the files that were refused
    Plugins(PluginsArgs),
    /// List nodes, or show the manual page of one
    Nodes(NodesArgs),
    /// Show what was changed in a plugin, by whom and why
    History(HistoryArgs),
    /// Make a version live
    Promote(PromoteArgs),
    /// Make the version before live again
    Rollback(RollbackArgs),
    /// Take a version out of service
    Quarantine(QuarantineArgs),
    /// Bring a version live step by step: plan, start, watch, pause, abort
    Rollout(RolloutArgs),
    /// Hold a tenant, a workflow or everybody at a version
    Pin(PinArgs),
    /// Let go of whoever was held
    Unpin(UnpinArgs),
    /// List who is held where
    Pins(PinsArgs),
    /// Show how the host is
    Status(StatusArgs),
    /// Show what the host's caches hold, and how often they hit
    Caches(CachesArgs),
    /// Show how often nodes of workflows failed, by kind, and how recovery went
    Failures(FailuresArgs),
    /// List, verify or export what was done, by whom and why
    Audit(AuditArgs),
    /// Remove stored artifacts that nothing needs any more
    Gc(GcArgs),
    /// Follow what happens in the host
    Events(EventsArgs),
    /// Show what a file says of itself, without running any of it
    Inspect(InspectArgs),
    /// Vet a file as a host would, trial load included
    Check(CheckArgs),
    /// Make a key pair to sign plugins with
    Keygen(KeygenArgs),
    /// Sign plugin files
    Sign(SignArgs),
    /// Change what a data directory remembers of trust
    Trust(TrustCommandArgs),
    /// Find and mend what is wrong with a data directory
    Doctor(DoctorArgs),
    /// Measure this build on this machine
    Bench(BenchArgs),
}

/// How to reach the host, and how to answer.
#[derive(Clone, Debug, Args)]
pub(crate) struct Server {
    /// Address of the host
    #[arg(
        long,
        env = "PATCHBAY_URL",
        default_value = "http://127.0.0.1:7411",
        value_name = "URL"
    )]
    pub(crate) url: String,
    /// Answer with the JSON of the HTTP API
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who orders a change, and why.
#[derive(Clone, Debug, Args)]
pub(crate) struct WhoArgs {
    /// Why; kept in the history
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who orders it; kept in the history [default: the user's name]
    #[arg(long, env = "PATCHBAY_ACTOR", value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// What this order is called: sent again under the same name, it is not done twice [default: a random one]
    #[arg(long, value_name = "TEXT", value_parser = input::key)]
    pub(crate) key: Option<String>,
}

/// Who orders a change, why, and whether refusals may be overridden.
#[derive(Clone, Debug, Args)]
pub(crate) struct OrderArgs {
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    /// Override the refusals that may be overridden, such as a quarantine or a dependent that would break
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `call`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay call string.upper '{\"value\": \"hello\"}'
  patchbay call string.upper @input.json --tenant acme
  echo '{\"value\": \"hello\"}' | patchbay call string.upper - --timeout 500ms --json")]
pub(crate) struct CallArgs {
    /// The node, such as `string.upper`
    #[arg(value_name = "NODE_TYPE")]
    pub(crate) node_type: NodeType,
    /// The parameters: JSON, @FILE, or - for stdin [default: {}]
    #[arg(value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    pub(crate) input: Option<String>,
    /// Whose data the call may see
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<TenantId>,
    /// How long the call may take, such as 500ms, 2s, 1m [default: the node's own limit]
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    pub(crate) timeout: Option<Duration>,
    /// What the instance of a stateful node is made from: JSON or @FILE
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) config: Option<String>,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `plugins`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay plugins
  patchbay plugins string
  patchbay plugins --rejected --json")]
pub(crate) struct PluginsArgs {
    /// Show this plugin in full
    #[arg(value_name = "PLUGIN", conflicts_with = "rejected")]
    pub(crate) plugin: Option<PluginName>,
    /// List the files that were refused, with code, reason and hint
    #[arg(long)]
    pub(crate) rejected: bool,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `nodes`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay nodes
  patchbay nodes string.upper
  patchbay nodes --category list
  patchbay nodes --search 'sort order'")]
pub(crate) struct NodesArgs {
    /// Show the manual page of this node
    #[arg(value_name = "NODE_TYPE", conflicts_with_all = ["category", "search"])]
    pub(crate) node_type: Option<NodeType>,
    /// List the nodes of this category
    #[arg(long, value_name = "NAME")]
    pub(crate) category: Option<String>,
    /// List the nodes that have all these words in a name, a tag or the description, the best first
    #[arg(long, value_name = "WORDS")]
    pub(crate) search: Option<String>,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  patchbay history string")]
pub(crate) struct HistoryArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: PluginName,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `promote`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay promote string 1.2.0 --reason 'fixes the umlauts'
  patchbay promote string r3 --force")]
pub(crate) struct PromoteArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: PluginName,
    /// What becomes live: a version such as 1.2.0, or a revision such as r3
    #[arg(value_name = "VERSION|REV")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) order: OrderArgs,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `rollback`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay rollback string
  patchbay rollback string --to 1.1.0 --reason 'slow since 1.2'
  patchbay rollback string --key \"$CI_JOB_ID\"

An order is sent once more when the connection is lost; its key keeps a host from doing it twice. --key names it, so that \
a script that is run again does not roll back again.")]
pub(crate) struct RollbackArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: PluginName,
    /// What becomes live [default: what was live before]
    #[arg(long, value_name = "VERSION|REV")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) order: OrderArgs,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `quarantine`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay quarantine string --reason 'corrupts texts'
  patchbay quarantine string r3")]
pub(crate) struct QuarantineArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: PluginName,
    /// What goes out of service [default: what is live]
    #[arg(value_name = "VERSION|REV")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) order: OrderArgs,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `events`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay events
  patchbay events --json | jq .kind")]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    pub(crate) server: Server,
}
