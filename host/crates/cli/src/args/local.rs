//! The commands that need the host's own code; the binary carries them out.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use patchbay_vocab::PluginName;

use super::audit::{DoctorArgs, VerifyArgs};
use super::trust::{KeygenArgs, RelaxArgs, SignArgs, TrustArgs};
use super::workflows::{RunArgs, ValidateArgs};
use crate::input;

/// Where a host listens when nothing else is said.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7411);

/// A command for the binary.
#[derive(Debug)]
pub enum Local {
    /// Start a host.
    Up(UpArgs),
    /// Make a project.
    New(NewArgs),
    /// Run a project's loop.
    Dev(DevArgs),
    /// Show what a file says of itself.
    Inspect(InspectArgs),
    /// Vet a file.
    Check(CheckArgs),
    /// Make a key pair.
    Keygen(KeygenArgs),
    /// Sign files.
    Sign(SignArgs),
    /// Make a data directory forget how strictly it was served.
    Relax(RelaxArgs),
    /// Run a workflow.
    Run(Box<RunArgs>),
    /// Check a workflow.
    Validate(Box<ValidateArgs>),
    /// Verify an audit that no host is asked about.
    VerifyAudit(VerifyArgs),
    /// Look at a data directory, and mend it.
    Doctor(DoctorArgs),
    /// Measure.
    Bench(BenchArgs),
}

/// Arguments of `up`. What is left out here is taken from the configuration file, then from the defaults.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay up --plugins ./plugins
  patchbay up --config patchbay.toml --listen 127.0.0.1:8080
  patchbay up --plugins ./target/debug --dev
  patchbay up --workflows ./workflows
  patchbay up --safe-mode

Prints one line `ready http://...` on stdout when it serves.")]
pub struct UpArgs {
    /// Configuration file (TOML); arguments go before it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory to watch for plugins [default: plugins]
    #[arg(long, value_name = "DIR")]
    pub plugins: Option<PathBuf>,
    /// Directory for the host's own files [default: data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Directory of workflow documents to serve: their schedules and webhooks start runs [default: none]
    #[arg(long, value_name = "DIR")]
    pub workflows: Option<PathBuf>,
    /// Address of the HTTP API [default: 127.0.0.1:7411]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Accept other content under a version that is already known
    #[arg(long)]
    pub dev: bool,
    /// Refuse plugins without a signature; can only be switched on here, never off
    #[arg(long, env = "PATCHBAY_REQUIRE_SIGNATURE", value_parser = FalseyValueParser::new())]
    pub require_signature: bool,
    /// Serve the last good set of versions: take in no files, move no rollouts, start no triggers
    #[arg(long)]
    pub safe_mode: bool,
    /// How many earlier versions of each plugin are kept warm for a rollback
    #[arg(long, value_name = "N")]
    pub history_limit: Option<usize>,
    /// What is logged: error, warn, info, debug, trace or off, also by target: `info,patchbay::plugin=debug` [default: info]
    #[arg(long, env = "PATCHBAY_LOG", value_name = "LEVEL", value_parser = input::log_filter)]
    pub log: Option<String>,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay new greet
  patchbay new fast-hash --lang c --path plugins/fast-hash

The project builds, passes its tests and loads as it is written. The SDK, a folder `plugin-api`, is looked \
for above this program and above the current folder.")]
pub struct NewArgs {
    /// The plugin's name, such as `greet`
    #[arg(value_name = "NAME")]
    pub name: PluginName,
    /// What it is written in
    #[arg(long, value_enum, value_name = "LANG", default_value = "rust")]
    pub lang: Language,
    /// The folder to make [default: NAME]
    #[arg(long, value_name = "DIR")]
    pub path: Option<PathBuf>,
    /// The SDK: the folder `plugin-api` of a checkout [default: the nearest one]
    #[arg(long, value_name = "DIR")]
    pub sdk: Option<PathBuf>,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
}

/// What a plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Rust, over the SDK
    Rust,
    /// C, over one header
    C,
}

/// Arguments of `dev`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay dev
  patchbay dev plugins/greet --listen 127.0.0.1:7500
  patchbay dev --once --json

Builds on every save, tries what was linked as a host would, and has a host of its own serve it; what was live \
before serves until then. In another terminal, `patchbay call` reaches it. A folder with a Cargo.toml is built \
by cargo; a patchbay-dev.toml names another command:

  [build]
  command = [\"cc\", \"-shared\", \"-fPIC\", \"-o\", \"target/greet.so\", \"greet.c\"]
  artifact = \"target/greet.so\"

Ctrl-C ends it. With --once it exits with 0 when the plugin went live and its examples hold, with 1 when not.")]
pub struct DevArgs {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Address of the HTTP API [default: 127.0.0.1:7411; none with --once]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Build, go live, run the examples, and end
    #[arg(long)]
    pub once: bool,
    /// What is logged: error, warn, info, debug, trace or off, also by target [default: what the plugin logs]
    #[arg(long, env = "PATCHBAY_LOG", value_name = "LEVEL", value_parser = input::log_filter)]
    pub log: Option<String>,
    /// One line of JSON for each event
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  patchbay inspect target/release/libstring.so")]
pub struct InspectArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its own documentation would replace that of its fields in the help"
    )]
    pub trust: TrustArgs,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay check target/release/libstring.so
  patchbay check target/release/libstring.so --key payments.pub --require-signature
  patchbay check --strict --json target/release/libstring.so

Exits with 0 when a host would admit the file and its author has no error to mend, with 1 when not; with \
--strict a warning is enough. Findings have codes, which host/docs/errors.md explains.")]
pub struct CheckArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its own documentation would replace that of its fields in the help"
    )]
    pub trust: TrustArgs,
    /// Exit with 1 for warnings, too
    #[arg(long)]
    pub strict: bool,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `bench`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  patchbay bench
  patchbay bench dispatch --quick --json
  patchbay bench nodes --plugins target/release
  patchbay bench restart --count 1000")]
pub struct BenchArgs {
    /// What to measure [default: everything]
    #[arg(value_enum, value_name = "SUBJECT")]
    pub subject: Option<BenchSubject>,
    /// Directory with the plugins to measure with
    #[arg(long, value_name = "DIR")]
    pub plugins: Option<PathBuf>,
    /// How many plugins the host has that `restart` measures [default: 1000, or 100 with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub count: Option<u16>,
    /// Measure briefly: a first impression, not a figure to quote
    #[arg(long)]
    pub quick: bool,
    /// Answer with JSON
    #[arg(long)]
    pub json: bool,
}

/// What `bench` measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchSubject {
    /// A call through the registry against a direct call
    Dispatch,
    /// A change of versions under load
    Swap,
    /// Values in and out against JSON text
    Values,
    /// A node of each category against the same work done directly
    Nodes,
    /// Workflows: what a node of a run costs beside its call, runs at once, swaps during runs, caches
    Workflow,
    /// What pins, canaries and shadows cost a call, and how soon a rollback is seen
    Rollout,
    /// Records of the audit: written, verified, exported
    Audit,
    /// The start of a host that knows its plugins
    Restart,
}
