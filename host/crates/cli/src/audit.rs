//! Commands about the audit, and about what is kept on disk.

use std::time::Duration;

use patchbay_wire::{AuditVerifiedView, AuditView, CollectRequest, CollectedView};

use crate::args::{
    AuditArgs, AuditCommand, AuditExportArgs, AuditListArgs, AuditSource, AuditVerifyArgs, GcArgs, Local,
    VerifyArgs,
};
use crate::client::{Client, Verb};
use crate::command::format_of;
use crate::exit::Exit;
use crate::order::Sender;
use crate::rollouts::ordered;
use crate::run::Outcome;
use crate::streams::{Format, Streams};
use crate::workflows::query;
use crate::{render, text};

/// A long audit takes a while to read.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) fn audit(args: AuditArgs, streams: &mut Streams<'_>) -> Outcome {
    Outcome::Done(match args.command {
        None => list(&args.list, streams),
        Some(AuditCommand::List(args)) => list(&args, streams),
        Some(AuditCommand::Export(args)) => export(&args, streams),
        Some(AuditCommand::Verify(args)) => match source(&args) {
            Some(source) => {
                return Outcome::Local(Local::VerifyAudit(VerifyArgs {
                    source,
                    head: args.head,
                    json: args.server.json,
                }));
            }
            None => verify(&args, streams),
        },
    })
}

fn source(args: &AuditVerifyArgs) -> Option<AuditSource> {
    match (&args.data, &args.file) {
        (Some(data), _) => Some(AuditSource::Data(data.clone())),
        (None, Some(file)) => Some(AuditSource::File(file.clone())),
        (None, None) => None,
    }
}

fn list(args: &AuditListArgs, streams: &mut Streams<'_>) -> Exit {
    let path = query(
        "audit",
        &[
            ("after", args.after.map(|after| after.to_string())),
            ("limit", Some(args.limit.to_string())),
            ("plugin", args.plugin.as_ref().map(ToString::to_string)),
            ("actor", args.actor.clone()),
        ],
    );
    let asked =
        Client::new(&args.server.url, Duration::ZERO).and_then(|client| client.get::<Vec<AuditView>>(&path));
    match (asked, format_of(&args.server)) {
        (Ok(records), Format::Human) => {
            let exit = streams.answer(&render::audit(&records, streams.layout()));
            let full = u32::try_from(records.len()).is_ok_and(|count| count >= args.limit);
            // Without a beginning and without a choice, a host gives the last ones.
            let from_the_end = args.after.is_none() && args.plugin.is_none() && args.actor.is_none();
            match records.last() {
                Some(_) if full && from_the_end => {
                    streams.note("these are the last ones; from the first one on: --after 0");
                }
                Some(last) if full => streams.note(&format!("there may be more: --after {}", last.seq)),
                _ => {}
            }
            exit
        }
        (Ok(records), Format::Json) => streams.json(&records),
        (Err(error), format) => streams.problem(&error.problem(), format, error.exit()),
    }
}

fn verify(args: &AuditVerifyArgs, streams: &mut Streams<'_>) -> Exit {
    let path = query("audit/verify", &[("head", args.head.clone())]);
    let asked = Client::new(&args.server.url, PATIENCE)
        .and_then(|client| client.get_patiently::<AuditVerifiedView>(&path));
    match asked {
        Ok(view) => print_verified(&view, format_of(&args.server), streams),
        Err(error) => streams.problem(&error.problem(), format_of(&args.server), error.exit()),
    }
}

/// Prints what a look at the whole audit gave.
pub fn print_verified(view: &AuditVerifiedView, format: Format, streams: &mut Streams<'_>) -> Exit {
    let shown = match format {
        Format::Human => streams.answer(&render::verified(view)),
        Format::Json => streams.json(view),
    };
    crate::rollouts::no_unless(view.intact, shown)
}

fn export(args: &AuditExportArgs, streams: &mut Streams<'_>) -> Exit {
    let path = query(
        "audit/export",
        &[("after", args.after.map(|after| after.to_string()))],
    );
    let mut exit = Exit::Success;
    let written = Client::new(&args.server.url, PATIENCE).and_then(|client| {
        client.read_lines(&path, |line| {
            // An empty line would end nothing, but it is no record either.
            if !line.is_empty() {
                exit = streams.answer(&text::json(line));
            }
            exit == Exit::Success && !streams.is_closed()
        })
    });
    match written {
        Ok(()) => exit,
        Err(error) => streams.problem(&error.problem(), format_of(&args.server), error.exit()),
    }
}

pub(crate) fn collect(args: GcArgs, streams: &mut Streams<'_>) -> Exit {
    let (sender, reason) = Sender::of(args.who);
    let path = if args.dry_run { "gc?dryRun=true" } else { "gc" };
    let request = CollectRequest { reason };
    ordered(
        &sender,
        Verb::Post,
        path,
        &request,
        &args.server,
        streams,
        |view: &CollectedView, layout| render::collected(view, layout),
    )
}
