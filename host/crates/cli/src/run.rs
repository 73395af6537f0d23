//! From arguments to an exit code.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use patchbay_vocab::Code;
use patchbay_wire::ProblemView;

use crate::args::{Cli, Command, Local, TrustCommand, TrustCommandArgs};
use crate::command as server;
use crate::exit::Exit;
use crate::streams::{Format, Streams, with_process_streams};
use crate::{audit, order, rollouts, workflows};

/// What became of a command line.
#[derive(Debug)]
pub enum Outcome {
    /// It was carried out, or refused, and everything was printed.
    Done(Exit),
    /// The binary has to carry it out.
    Local(Local),
}

/// Parses `args`, the program's name first, and carries out what needs no host of its own.
pub fn run<I, T>(args: I) -> Outcome
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    with_process_streams(|streams| run_on(args, streams))
}

/// Like [`run`], on other streams.
pub fn run_on<I, T>(args: I, streams: &mut Streams<'_>) -> Outcome
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    match Cli::try_parse_from(&args) {
        Ok(cli) => carry_out(cli.command, streams),
        Err(error) => Outcome::Done(refuse(&error, &args, streams)),
    }
}

/// The command line's description, for completions, manual pages and tests.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

fn carry_out(command: Command, streams: &mut Streams<'_>) -> Outcome {
    Outcome::Done(match command {
        Command::Up(args) => return Outcome::Local(Local::Up(args)),
        Command::New(args) => return Outcome::Local(Local::New(args)),
        Command::Dev(args) => return Outcome::Local(Local::Dev(args)),
        Command::Inspect(args) => return Outcome::Local(Local::Inspect(args)),
        Command::Check(args) => return Outcome::Local(Local::Check(args)),
        Command::Keygen(args) => return Outcome::Local(Local::Keygen(args)),
        Command::Sign(args) => return Outcome::Local(Local::Sign(args)),
        Command::Trust(TrustCommandArgs {
            command: TrustCommand::Relax(mut args),
        }) => {
            args.actor = Some(order::actor(args.actor));
            return Outcome::Local(Local::Relax(args));
        }
        Command::Bench(args) => return Outcome::Local(Local::Bench(args)),
        Command::Run(args) => return Outcome::Local(Local::Run(args)),
        Command::Validate(args) => match &args.url {
            Some(url) => workflows::validate(url, &args, streams),
            None => return Outcome::Local(Local::Validate(args)),
        },
        Command::Runs(args) => workflows::runs(args, streams),
        Command::Workflows(args) => workflows::workflows(&args, streams),
        Command::Caches(args) => workflows::caches(&args, streams),
        Command::Failures(args) => workflows::failures(&args, streams),
        Command::Call(args) => server::call(&args, streams),
        Command::Plugins(args) => server::plugins(&args, streams),
        Command::Nodes(args) => server::nodes(&args, streams),
        Command::History(args) => server::history(&args, streams),
        Command::Promote(args) => server::promote(args, streams),
        Command::Rollback(args) => server::rollback(args, streams),
        Command::Quarantine(args) => server::quarantine(args, streams),
        Command::Rollout(args) => rollouts::rollout(args, streams),
        Command::Pin(args) => rollouts::pin(args, streams),
        Command::Unpin(args) => rollouts::unpin(args, streams),
        Command::Pins(args) => rollouts::pins(&args, streams),
        Command::Audit(args) => return audit::audit(args, streams),
        Command::Gc(args) => audit::collect(args, streams),
        Command::Doctor(args) => return Outcome::Local(Local::Doctor(args)),
        Command::Status(args) => server::status(&args, streams),
        Command::Events(args) => server::events(&args, streams),
    })
}

/// Prints what the parser has to say: the help that was asked for, or what is wrong with the arguments.
fn refuse(error: &clap::Error, args: &[OsString], streams: &mut Streams<'_>) -> Exit {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return streams.answer(&text),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            streams.note(&text);
            return Exit::Usage;
        }
        _ => {}
    }
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let hint = rest
        .trim()
        .trim_end_matches("For more information, try '--help'.")
        .trim_end();
    let hint = if hint.is_empty() { "try --help" } else { hint };
    let problem = ProblemView::new(Code("PB-CLI-001"), message.replace("\n  ", " "), hint);
    let json = args.iter().any(|arg| arg == "--json");
    streams.problem(&problem, Format::of_flag(json), Exit::Usage)
}
