//! The `patchbay` binary: wires the command line to the library.
#![forbid(unsafe_code)]

mod audit;
mod bench;
mod dev;
mod doctor;
mod local;
mod new;
mod run;
mod trust;
mod up;

use std::process::ExitCode;

use patchbay_cli::{Local, Outcome};

fn main() -> ExitCode {
    // First: this executable is also the child that makes trial loads.
    patchbay::serve_if_asked();
    let exit = match patchbay_cli::run(std::env::args_os()) {
        Outcome::Done(exit) => exit,
        Outcome::Local(Local::Up(arguments)) => up::up(&arguments),
        Outcome::Local(Local::New(arguments)) => new::new(&arguments),
        Outcome::Local(Local::Dev(arguments)) => dev::dev(&arguments),
        Outcome::Local(Local::Run(arguments)) => run::run(&arguments),
        Outcome::Local(Local::Validate(arguments)) => run::validate(&arguments),
        Outcome::Local(Local::Inspect(arguments)) => local::inspect(&arguments),
        Outcome::Local(Local::Check(arguments)) => local::check(&arguments),
        Outcome::Local(Local::Keygen(arguments)) => trust::keygen(&arguments),
        Outcome::Local(Local::Sign(arguments)) => trust::sign(&arguments),
        Outcome::Local(Local::Relax(arguments)) => trust::relax(&arguments),
        Outcome::Local(Local::VerifyAudit(arguments)) => audit::verify(&arguments),
        Outcome::Local(Local::Doctor(arguments)) => doctor::doctor(&arguments),
        Outcome::Local(Local::Bench(arguments)) => bench::bench(&arguments),
    };
    exit.into()
}
