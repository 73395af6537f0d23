//! `cargo xtask`: checks of the tree that the compiler does not make, and the tour of the README.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command speaks through its streams"
)]

mod abi;
mod tidy;
mod tour;
mod tree;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  tidy        check imports, unsafe zones, file lengths, names, error codes, the contract's document
  seal-abi    record the contract: its types, fields and constants under plugin-api/abi, and the hash of plugin-api/src/abi.rs in
              plugin-api/docs/abi.md, after the prose was brought up to date
  tour        run the tour of README.md against the debug binary and compare what it shows";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["tidy"] => tidy::tidy(),
        ["seal-abi"] => tidy::seal_abi(),
        ["tour"] => tour::tour(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
