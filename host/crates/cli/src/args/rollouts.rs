//! Rollouts, and who is held where.

use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use patchbay_vocab::{PluginName, TenantId, WorkflowId};

use super::{OrderArgs, Server, WhoArgs};
use crate::input;
use crate::policy::{Pauses, Share, Steps, Sticky};

/// Arguments of `rollout`.
#[derive(Debug, Args)]
pub(crate) struct RolloutArgs {
    #[command(subcommand)]
    pub(crate) command: RolloutCommand,
}

/// What can be done with rollouts.
#[derive(Debug, Subcommand)]
pub(crate) enum RolloutCommand {
    /// Show what a rollout would change, and for whom; nothing is changed
    Plan(Box<RolloutPlanArgs>),
    /// Bring a version live, step by step
    Start(Box<RolloutStartArgs>),
    /// Show the rollouts that run, or one in full
    Status(RolloutStatusArgs),
    /// Hold a rollout where it is
    Pause(RolloutOrderArgs),
    /// Let a rollout that is paused go on
    Resume(RolloutOrderArgs),
    /// Take a rollout to its next step, or live
    Promote(RolloutPromoteArgs),
    /// End a rollout: the version before receives every call again
    Abort(RolloutOrderArgs),
    /// Show, set or clear the policy of a plugin
    Policy(RolloutPolicyArgs),
}

/// The arguments that say how by parts. That one needs another is not enough: what conflicts with that other one would
/// excuse its absence.
const PARTS: [&str; 11] = [
    "canary",
    "pause",
    "bake",
    "sticky",
    "min_calls",
    "max_error_rate_increase",
    "deadline",
    "on_deadline",
    "tried",
    "calls",
    "ignore",
];

/// How a version goes live; without any, as the plugin's policy says.
#[derive(Debug, Default, Args)]
#[command(
    next_help_heading = "Policy (without any of these: the plugin's own)",
    group = ArgGroup::new("watched").args(["canary", "shadow", "replay"]).multiple(true),
    group = ArgGroup::new("tried").args(["shadow", "replay"]),
)]
pub(crate) struct PolicyFlags {
    /// At once, for everybody
    #[arg(long, conflicts_with_all = PARTS, conflicts_with = "policy")]
    pub(crate) immediate: bool,
    /// In steps of so many percent of the calls; when a shadow or a replay is named, too, after that
    #[arg(long, value_name = "PERCENT,...")]
    pub(crate) canary: Option<Steps>,
    /// What ends a step: so much time, such as 60s, or an order to promote; one for all steps, or a list
    #[arg(long, value_name = "DURATION|promote", requires = "canary")]
    pub(crate) pause: Option<Pauses>,
    /// How long it is live for everybody before that is final
    #[arg(long, value_name = "DURATION", value_parser = input::lapse, requires = "canary")]
    pub(crate) bake: Option<Duration>,
    /// What stays on one version: run, tenant, or variable:NAME
    #[arg(long, value_name = "WHAT", requires = "canary")]
    pub(crate) sticky: Option<Sticky>,
    /// How many calls each side needs before they are compared
    #[arg(long, value_name = "N", requires = "canary")]
    pub(crate) min_calls: Option<u64>,
    /// By how many percent more of the calls may fail than on the version before
    #[arg(long, value_name = "PERCENT", requires = "canary")]
    pub(crate) max_error_rate_increase: Option<Share>,
    /// How long a step, a shadow or a replay may take
    #[arg(long, value_name = "DURATION", value_parser = input::lapse, requires = "watched")]
    pub(crate) deadline: Option<Duration>,
    /// What happens to a step that takes longer
    #[arg(long, value_enum, value_name = "WHAT", requires = "canary")]
    pub(crate) on_deadline: Option<OnDeadline>,
    /// First it answers copies of so many percent of the calls; nobody sees its answers, which are compared
    #[arg(long, value_name = "PERCENT")]
    pub(crate) shadow: Option<Share>,
    /// How many copies of calls are enough
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), requires = "shadow", conflicts_with = "replay")]
    pub(crate) calls: Option<u64>,
    /// First it answers the last so many recorded calls; its answers are compared
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) replay: Option<u32>,
    /// Where answers may differ, such as /meta/at or $.items[*].id; may be repeated
    #[arg(long, value_name = "PATH", requires = "tried")]
    pub(crate) ignore: Vec<String>,
    /// The whole policy: JSON or @FILE, as rollouts.md describes it
    #[arg(long, value_name = "JSON|@FILE", conflicts_with_all = PARTS)]
    pub(crate) policy: Option<String>,
}

/// What a deadline does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnDeadline {
    /// The version before receives every call again
    Rollback,
    /// It waits for an order
    Pause,
    /// It goes on to the next step
    Promote,
}

/// Arguments of `rollout plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay rollout plan string 1.3.0
  patchbay rollout plan string r4 --canary 5,25,50 --json

Shows the steps, the tenants and workflows that would see it, what would be wrong with them then, how the nodes \
differ (what can break first), and who is pinned. Exits with 1 when the rollout would be refused.")]
pub(crate) struct RolloutPlanArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: PluginName,
    /// What would become live: a version such as 1.2.0, or a revision such as r3
    #[arg(value_name = "VERSION|REV")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) how: PolicyFlags,
    /// Plan as if the refusals that may be overridden were
    #[arg(long, help_heading = "Options")]
    pub(crate) force: bool,
    #[command(flatten, next_help_heading = "Options")]
    pub(crate) server: Server,
}

/// Arguments of `rollout start`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay rollout start string 1.3.0 --watch
  patchbay rollout start string 1.3.0 --canary 5,25,50 --pause 5m --bake 10m --sticky tenant
  patchbay rollout start string 1.3.0 --shadow 10 --calls 500 --ignore /meta/at --canary 25,50
  patchbay rollout start string r4 --policy @careful.json --reason 'the new parser'

With --watch it exits with 0 when the version went live, and with 1 when it did not.")]
pub(crate) struct RolloutStartArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: PluginName,
    /// What becomes live: a version such as 1.2.0, or a revision such as r3
    #[arg(value_name = "VERSION|REV")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) how: PolicyFlags,
    /// Follow it until it ends
    #[arg(long, help_heading = "Options")]
    pub(crate) watch: bool,
    #[command(flatten, next_help_heading = "Options")]
    pub(crate) order: OrderArgs,
    #[command(flatten, next_help_heading = "Options")]
    pub(crate) server: Server,
}

/// Arguments of `rollout status`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay rollout status
  patchbay rollout status string --watch
  patchbay rollout status --all --json
  patchbay rollout status string --watch --json | jq .phase

With --watch there is a line, or with --json one line of JSON, for each change until the end. It exits with 0 when \
the version went live, and with 1 when the rollout failed or was aborted. A host that restarts meanwhile is waited for.")]
pub(crate) struct RolloutStatusArgs {
    /// Show the latest rollout of this plugin, or the one with this id, in full
    #[arg(value_name = "PLUGIN|ID", value_parser = input::rollout)]
    pub(crate) which: Option<String>,
    /// List those that have ended, too
    #[arg(long, conflicts_with = "watch")]
    pub(crate) all: bool,
    /// Follow it, or all that run, to the end
    #[arg(long)]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `rollout pause`, `resume` and `abort`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay rollout pause string --reason 'asking the payments team'
  patchbay rollout resume string
  patchbay rollout abort string --reason 'wrong totals'")]
pub(crate) struct RolloutOrderArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: PluginName,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `rollout promote`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay rollout promote string
  patchbay rollout promote string --full --reason 'urgent'")]
pub(crate) struct RolloutPromoteArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: PluginName,
    /// Leave out the steps that are left: live for everybody now
    #[arg(long)]
    pub(crate) full: bool,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `rollout policy`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay rollout policy string
  patchbay rollout policy string --set '{\"canary\": {\"steps\": [5, 25, 50]}}'
  patchbay rollout policy string --set @careful.json --reason 'it is on the way of every payment'
  patchbay rollout policy string --clear

A policy that is set here goes before that of the configuration file; --clear goes back to it.")]
pub(crate) struct RolloutPolicyArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: PluginName,
    /// The new policy: JSON or @FILE
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) set: Option<String>,
    /// Go back to the policy of the configuration
    #[arg(long, conflicts_with = "set")]
    pub(crate) clear: bool,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Who is held; everybody when nothing is said.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ScopeArgs {
    /// The calls and runs of this tenant
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<TenantId>,
    /// The runs of this workflow
    #[arg(long, value_name = "ID")]
    pub(crate) workflow: Option<WorkflowId>,
}

/// Arguments of `pin`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay pin string 1.2.0 --tenant acme --reason 'until their audit is over'
  patchbay pin string r3 --workflow orders
  patchbay pin string 1.2.0

Whoever is pinned stays where he is, whatever is promoted or rolled out, until `patchbay unpin`.")]
pub(crate) struct PinArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: PluginName,
    /// Where to hold: a version such as 1.2.0, or a revision such as r3
    #[arg(value_name = "VERSION|REV")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `unpin`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay unpin string --tenant acme
  patchbay unpin string")]
pub(crate) struct UnpinArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: PluginName,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `pins`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay pins
  patchbay pins string --json")]
pub(crate) struct PinsArgs {
    /// Those of this plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: Option<PluginName>,
    #[command(flatten)]
    pub(crate) server: Server,
}
