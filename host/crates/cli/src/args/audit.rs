//! What was done, what is kept, and whether it is whole.

use std::path::PathBuf;

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
    /// Records after this number [default: the last ones; of a plugin or an actor the first ones]
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
  patchbay audit verify --data /var/lib/patchbay
  patchbay audit export | patchbay audit verify --file -

Each record carries the hash of the one before. The hash of the last one, the head, is printed: keep it elsewhere, and \
name it with --head later, to learn whether records were cut off since. Exits with 0 when the audit is whole, with 1 \
when it is not. With --data or --file no host is asked.")]
pub(crate) struct AuditVerifyArgs {
    /// A head that was printed before, which has to be among the records
    #[arg(long, value_name = "HASH", value_parser = input::hash)]
    pub(crate) head: Option<String>,
    /// Read the data directory of a host, which may be running
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Read what `audit export` wrote, - for stdin
    #[arg(long, value_name = "EXPORT.jsonl|-", conflicts_with = "data")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// What `audit verify` reads when it asks no host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditSource {
    /// A data directory.
    Data(PathBuf),
    /// An export; `-` is stdin.
    File(PathBuf),
}

/// `audit verify` without a host.
#[derive(Clone, Debug)]
pub struct VerifyArgs {
    /// What is read.
    pub source: AuditSource,
    /// A head that has to be among the records.
    pub head: Option<String>,
    /// Answer with JSON.
    pub json: bool,
}

/// Arguments of `audit export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay audit export > audit.jsonl
  patchbay audit export --after 1200 > audit-from-1201.jsonl

The last line says from where to where the records go: each export is a file of its own, which \
`patchbay audit verify --file` finds whole or not.")]
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

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay doctor
  patchbay doctor --data /var/lib/patchbay --json
  patchbay doctor --data /var/lib/patchbay --repair

Reads every file that a host keeps: databases, audit, artifacts. No host may be using the directory. A repair moves what \
is damaged aside and never deletes what might be the only copy. Exits with 0 when a host can serve the directory, and \
with 1 when something keeps it from that.")]
pub struct DoctorArgs {
    /// The host's data directory
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// Mend what can be mended
    #[arg(long)]
    pub repair: bool,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
}
