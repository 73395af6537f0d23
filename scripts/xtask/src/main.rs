//! `cargo xtask`: checks of the tree that the compiler does not make, and the tour of the README.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command speaks through its streams"
)]

mod abi;
mod corpus;
mod tidy;
mod tour;
mod tree;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  tidy        check imports, unsafe zones, file lengths, names, error codes, the contract's document
  seal-abi    record the contract: its types, fields and constants under plugin-api/abi, and the hash of plugin-api/src/abi.rs in
              plugin-api/docs/abi.md, after the prose was brought up to date
  mutants     --count N: damage good plugins at random, and count where a host catches them
  tour        run the tour of README.md against the debug binary and compare what it shows
  corpus      DIR [--built DIR] [--json]: validate every workflow document of a directory, and run it, in a world made up from
              what the documents read; --built names the folder with the binary and the plugins, else it is that of this build";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["tidy"] => tidy::tidy(),
        ["seal-abi"] => tidy::seal_abi(),
        ["mutants", "--count", count] => mutants(count),
        ["tour"] => tour::tour(),
        ["corpus", folder, ref options @ ..] => match corpus_options(options) {
            Some((built, form)) => corpus::corpus(Path::new(folder), built, form),
            None => return usage(),
        },
        _ => return usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

fn corpus_options<'w>(mut words: &[&'w str]) -> Option<(Option<&'w Path>, corpus::Form)> {
    let (mut built, mut form) = (None, corpus::Form::Table);
    loop {
        words = match *words {
            [] => return Some((built, form)),
            ["--json", ref rest @ ..] => {
                form = corpus::Form::Json;
                rest
            }
            ["--built", folder, ref rest @ ..] => {
                built = Some(Path::new(folder));
                rest
            }
            _ => return None,
        };
    }
}

/// Runs the test of mutants with this many of them, in sight.
fn mutants(count: &str) -> anyhow::Result<()> {
    let count: u32 = count.parse()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = std::process::Command::new(cargo)
        .args([
            "test",
            "--quiet",
            "-p",
            "patchbay-tests-suite",
            "--test",
            "mutants",
            "--",
            "--nocapture",
        ])
        .env("PATCHBAY_MUTANTS", count.to_string())
        .status()?;
    anyhow::ensure!(status.success(), "the mutants were not survived");
    Ok(())
}
