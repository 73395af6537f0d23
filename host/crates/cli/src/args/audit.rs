//! What was done, what is kept, and whether it is whole.

use clap::{Args, Subcommand};
use patchbay_vocab::PluginName;

use super::{Server, WhoArgs};
use crate::input;

/// Arguments of `audit`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  patchbay audit --plugin string
  patchbay audit --actor cli:ann --after 1200 --json
  patchbay audit verify
  patchbay audit export > audit.jsonl"
)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    pub(crate) command: Option<AuditCommand>,
    #[command(flatten)]
    pub(crate) list: AuditListArgs,
}

/// What is asked of the audit.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List what was done, by whom and why, the oldest first
    List(AuditListArgs),
    /// Find out whether a record was changed, left out, moved or cut off
    Verify(AuditVerifyArgs),
    /// Write all records as lines of JSON
    Export(AuditExportArgs),
}

/// Arguments of `audit list`.
#[derive(Debug, Args)]
pub(crate) struct AuditListArgs {
    /// What was done to this plugin
    #[arg(long, value_name = "PLUGIN")]
    pub(crate) plugin: Option<PluginName>,
    /// What this one ordered
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Records after this number
    #[arg(long, value_name = "SEQ")]
    pub(crate) after: Option<u64>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `audit verify`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay audit verify
  patchbay audit verify --head 5f1c... --json

Each record carries the hash of the one before. The hash of the last one, the head, is printed: keep it elsewhere, and \
name it with --head later, to learn whether records were cut off since. Exits with 0 when the audit is whole, with 1 \
when it is not.")]
pub(crate) struct AuditVerifyArgs {
    /// A head that was printed before, which has to be among the records
    #[arg(long, value_name = "HASH", value_parser = input::hash)]
    pub(crate) head: Option<String>,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `audit export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay audit export > audit.jsonl
  patchbay audit export --after 1200 > audit-from-1201.jsonl

The last line says from where to where the records go: each export is a file of its own.")]
pub(crate) struct AuditExportArgs {
    /// Records after this number
    #[arg(long, value_name = "SEQ")]
    pub(crate) after: Option<u64>,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Arguments of `gc`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay gc --dry-run
  patchbay gc --reason 'the disk is nearly full'

Removes stored artifacts that nothing needs any more: neither what is live, pinned, rolled out or kept for a rollback, \
nor what a run that is going on holds.")]
pub(crate) struct GcArgs {
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) server: Server,
}
