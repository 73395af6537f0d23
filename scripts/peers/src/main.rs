//! Measures Patchbay beside its peers, in one run: warm calls, a renamed file until it is called, and what bad files do.
//!
//! Invariant: every figure is measured when it is printed, and every word about a bad file comes from a process that was
//! given that file. `./scripts/peers/run` builds what this needs and starts it; README.md says what can be compared.

mod calls;
mod grpc;
mod measure;
#[expect(
    unsafe_code,
    reason = "hot-lib-reloader's macro and libloading call what they cannot check"
)]
mod native;
mod rename;
mod report;
mod stage;
mod stand;
mod variant;
mod verdict;
#[cfg(feature = "wasm")]
mod wasm;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

use report::Report;
use stage::Stage;
use stand::Who;

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    Quick,
    Full,
}

/// Measures Patchbay beside its peers.
#[derive(Parser)]
#[command(name = "peers", version, disable_help_subcommand = true)]
struct Arguments {
    /// What to measure; everything when it is not given
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Fewer and shorter rounds: seconds instead of minutes, and figures that say less
    #[arg(long)]
    quick: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    child: Option<ChildRole>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Calls,
    Rename,
    Files,
}

/// What this program is when it has started itself.
#[derive(Subcommand)]
enum ChildRole {
    /// The gRPC server.
    #[command(hide = true)]
    ServeGrpc { socket: PathBuf },
    /// The process that a bad file is given to.
    #[command(hide = true)]
    Stand { who: Who, folder: PathBuf },
}

#[expect(clippy::print_stdout, reason = "a command speaks through its streams")]
fn main() -> Result<()> {
    // First: Patchbay's trial loads run in a child of this very executable.
    patchbay::serve_if_asked();
    let arguments = Arguments::parse();
    match arguments.child {
        Some(ChildRole::ServeGrpc { socket }) => return grpc::serve(&socket, || println!("ready")),
        Some(ChildRole::Stand { who, folder }) => return stand::stand(who, &folder),
        None => {}
    }
    let effort = if arguments.quick {
        Effort::Quick
    } else {
        Effort::Full
    };
    let wanted = |part| arguments.only.is_none_or(|only| only == part);
    let mut report = Report::default();
    // Processes first: they share nothing with the figures, and no thread of the figures runs beside them.
    if wanted(Part::Files) {
        report.bad_files = verdict::run(effort)?;
    }
    if wanted(Part::Calls) || wanted(Part::Rename) {
        let stage = Stage::set()?;
        if wanted(Part::Calls) {
            report.calls = calls::run(&stage, effort)?;
        }
        if wanted(Part::Rename) {
            report.rename_to_live = rename::run(&stage, effort)?;
        }
    }
    report.notes = notes(effort);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.render());
    }
    Ok(())
}

fn notes(effort: Effort) -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut notes = vec![
        format!("{cores} core(s) here; rounds of all subjects alternate, and a ratio is the median of the rounds' ratios"),
        "wasmtime, extism and gRPC buy isolation with what they cost: a guest or a server that crashes costs its caller one call; \
         native code, Patchbay's plugins included, shares the caller's memory"
            .into(),
        "a Patchbay call is checked (its route, its gate, a panic fence, its output); a native call beside it is a bare function call"
            .into(),
    ];
    if cfg!(not(feature = "wasm")) {
        notes.push("built without wasmtime and extism".into());
    }
    if effort == Effort::Quick {
        notes.push("measured with --quick: the full run says more".into());
    }
    if cfg!(debug_assertions) {
        notes.push("this is a debug build: its figures say nothing".into());
    }
    notes
}
