//! Arguments of the commands that make or weigh signatures.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use patchbay_vocab::TeamName;

use crate::input;

/// Whom `inspect` and `check` believe.
#[derive(Clone, Debug, Default, Args)]
pub struct TrustArgs {
    /// Configuration file whose table `[trust]` says who may sign
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A public key that may sign: its text, or its .pub file; may be repeated
    #[arg(long = "key", value_name = "KEY")]
    pub keys: Vec<String>,
    /// Refuse a file without a signature
    #[arg(long)]
    pub require_signature: bool,
}

/// Where the password of a secret key comes from.
#[derive(Clone, Debug, Default, Args)]
pub struct PasswordArgs {
    /// File with the password of the key [default: PATCHBAY_KEY_PASSWORD, then the terminal]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Arguments of `keygen`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay keygen --name payments
  patchbay keygen --out ~/.patchbay --no-password

Writes NAME.key, the secret half, and NAME.pub; never over files that are there. Prints what to paste into patchbay.toml.")]
pub struct KeygenArgs {
    /// Folder for the two files
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// What the files, and the team in the printed table, are called
    #[arg(long, value_name = "NAME", default_value = "patchbay")]
    pub name: TeamName,
    /// Make a key that whoever reads its file can use
    #[arg(long, conflicts_with = "password_file")]
    pub no_password: bool,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its own documentation would replace that of its fields in the help"
    )]
    pub password: PasswordArgs,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `sign`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay sign target/release/libledger.so --key payments.key
  patchbay sign target/release/*.so --key payments.key --json

Writes FILE.so.minisig beside each file. Put both into the plugin directory, in any order.")]
pub struct SignArgs {
    /// The plugin files
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The secret key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its own documentation would replace that of its fields in the help"
    )]
    pub password: PasswordArgs,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `trust`.
#[derive(Debug, Args)]
pub(crate) struct TrustCommandArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: TrustCommand,
}

/// What can be done with what a data directory remembers.
#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    /// Let a data directory be served with looser settings than before
    Relax(RelaxArgs),
}

/// Arguments of `trust relax`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  patchbay trust relax --data data --reason 'the signing service is gone'

A data directory remembers the strictest settings it was served with: required signatures, revoked keys, minimum \
versions. This makes it forget them; the next start remembers its own. The versions that were live stay remembered. \
No host may be using the directory.")]
pub struct RelaxArgs {
    /// The host's data directory
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Why; kept in the directory
    #[arg(long, value_name = "TEXT", value_parser = input::reason)]
    pub reason: String,
    /// Who orders it; kept in the directory [default: the user's name]
    #[arg(long, env = "PATCHBAY_ACTOR", value_name = "NAME")]
    pub actor: Option<String>,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
}
