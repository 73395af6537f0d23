//! Commands about workflows and their runs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use patchbay_vocab::RunId;
use patchbay_wire::{
    CachesView, FailureCountView, ProblemView, ReplayRequest, ReplayView, RunBegun, RunEventView,
    RunListView, RunRequest, RunView, ValidateView, WorkflowView,
};
use serde_json::value::RawValue;

use crate::args::{
    CachesArgs, FailuresArgs, ReplayArgs, RunArg, RunArgs, RunsArgs, RunsCommand, ValidateArgs, WorkflowsArgs,
};
use crate::client::Client;
use crate::command::{format_of, read};
use crate::error::{CliError, Refused};
use crate::exit::Exit;
use crate::progress::Progress;
use crate::streams::{Format, Streams};
use crate::{input, render, text};

/// As long as a run may take, for clients that wait for its end.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// What `run` asks for: the document as it stands in its file, and everything else.
#[derive(Debug)]
pub struct Asked {
    /// The text of the document, which may be anything.
    pub document: String,
    /// The rest, without a document.
    pub request: RunRequest,
}

/// Reads what the arguments of `run` name.
///
/// # Errors
/// When a file cannot be read, or what has to be JSON is none.
pub fn read_run(args: &RunArgs) -> Result<Asked, Refused> {
    let json = |text: &Option<String>| text.as_deref().map(input::raw).transpose();
    let document = input::document(&args.workflow)?;
    let request = RunRequest {
        workflow: None,
        workflow_id: None,
        input: json(&args.input)?,
        variables: json(&args.variables)?,
        tenant: args.tenant.clone(),
        user: json(&args.user)?,
        timeout_ms: args
            .timeout
            .map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
        versions: args.versions.iter().cloned().collect(),
    };
    Ok(Asked { document, request })
}

/// Reads a document; whether it is one is for the host to say.
///
/// # Errors
/// When it cannot be read, or is no text.
pub fn read_document(path: &std::path::Path) -> Result<String, Refused> {
    Ok(input::document(path)?)
}

/// Ends a run on another host.
#[derive(Clone, Debug)]
pub struct CancelRemote {
    url: String,
    run: RunId,
}

impl CancelRemote {
    /// Tells the host; whether it worked shows in the run.
    pub fn cancel(&self) {
        let told = Client::new(&self.url, Duration::ZERO).and_then(|client| {
            client.post::<_, serde_json::Value>(&format!("runs/{}/cancel", self.run), &serde_json::json!({}))
        });
        // The run may have ended meanwhile.
        drop(told);
    }
}

/// Has the host at `url` run a workflow, and waits for its end. `begun` is given what ends it.
///
/// # Errors
/// When the host cannot be reached, or refuses.
pub fn run_remotely(
    url: &str,
    asked: Asked,
    progress: &mut Progress,
    begun: impl FnOnce(CancelRemote),
) -> Result<RunView, Refused> {
    let document = RawValue::from_string(asked.document).map_err(CliError::BadJson)?;
    let request = RunRequest {
        workflow: Some(document),
        ..asked.request
    };
    let client = Client::new(url, PATIENCE)?;
    let (mut begun, mut end, mut refused) = (Some(begun), None, None);
    client.post_and_follow("runs", &request, |kind, json| {
        match kind {
            "begun" => {
                if let (Some(begun), Ok(view)) = (begun.take(), serde_json::from_str::<RunBegun>(json)) {
                    begun(CancelRemote {
                        url: url.to_owned(),
                        run: view.run_id,
                    });
                }
            }
            "run" => end = Some(serde_json::from_str::<RunView>(json)),
            "problem" => refused = serde_json::from_str::<ProblemView>(json).ok(),
            _ => {
                if let Ok(event) = serde_json::from_str::<RunEventView>(json) {
                    progress.tell(&event);
                }
            }
        }
        end.is_none() && refused.is_none()
    })?;
    let stranger = |what: String| CliError::Stranger {
        url: url.to_owned(),
        what,
    };
    match (end, refused) {
        (Some(Ok(view)), _) => Ok(view),
        (Some(Err(error)), _) => Err(stranger(error.to_string()).into()),
        (None, Some(problem)) => Err(Refused {
            problem: Box::new(problem),
            exit: Exit::No,
        }),
        (None, None) => Err(CliError::Broken {
            url: url.to_owned(),
            cause: std::io::ErrorKind::UnexpectedEof.into(),
        }
        .into()),
    }
}

/// Prints what became of a run: its result or record on stdout, the rest on stderr.
pub fn print_run(run: &RunView, args: &RunArgs, streams: &mut Streams<'_>) -> Exit {
    let succeeded = run.status == "success";
    let shown = if args.json {
        streams.record(run)
    } else {
        if !args.quiet {
            if !run.warnings.is_empty() {
                streams.note(render::render_findings(&run.warnings).trim_end());
            }
            let nodes = render::run_nodes(run, streams.layout());
            if !nodes.is_empty() {
                streams.note(nodes.trim_end());
            }
            streams.note(&render::run_summary(run));
        }
        match render::run_failure(run) {
            Some(failure) => streams.note(&failure),
            None if !succeeded => streams.note(&format!("error: the run ended as {}", run.status)),
            None => {}
        }
        match succeeded {
            true => streams.answer(&text::json(&text::pretty(run.result.get()))),
            false => Exit::Success,
        }
    };
    match (succeeded, shown) {
        (false, Exit::Success) => Exit::No,
        (_, shown) => shown,
    }
}

/// Prints what was found in a document.
pub fn print_validation(view: &ValidateView, args: &ValidateArgs, streams: &mut Streams<'_>) -> Exit {
    let shown = match Format::of_flag(args.json) {
        Format::Json => streams.json(view),
        Format::Human => {
            let text = render::validation(view, streams.layout());
            streams.answer(&text)
        }
    };
    let good = view.valid && !(args.strict && view.warnings > 0);
    match (good, shown) {
        (false, Exit::Success) => Exit::No,
        (_, shown) => shown,
    }
}

pub(crate) fn validate(url: &str, args: &ValidateArgs, streams: &mut Streams<'_>) -> Exit {
    let asked = || -> Result<ValidateView, CliError> {
        let document = input::document(&args.workflow)?;
        let client = Client::new(url, Duration::ZERO)?;
        let path = query(
            "workflows/validate",
            &[("tenant", args.tenant.as_ref().map(ToString::to_string))],
        );
        client.post_text(&path, &document)
    };
    match asked() {
        Ok(view) => print_validation(&view, args, streams),
        Err(error) => streams.problem(&error.problem(), Format::of_flag(args.json), error.exit()),
    }
}

pub(crate) fn runs(args: RunsArgs, streams: &mut Streams<'_>) -> Exit {
    match args.command {
        Some(RunsCommand::Show(asked)) => show(&asked, streams),
        Some(RunsCommand::Watch(asked)) => watch(&asked, streams),
        Some(RunsCommand::Cancel(asked)) => cancel(&asked, streams),
        Some(RunsCommand::Replay(asked)) => replay(&asked, streams),
        Some(RunsCommand::Document(asked)) => document(&asked, streams),
        None => match args.run {
            Some(run) => show(
                &RunArg {
                    run,
                    server: args.server,
                },
                streams,
            ),
            None => list(&args, streams),
        },
    }
}

fn list(args: &RunsArgs, streams: &mut Streams<'_>) -> Exit {
    let since = args.since.map(|ago| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(ago).as_millis().to_string()
    });
    let path = query(
        "runs",
        &[
            ("workflow", args.workflow.as_ref().map(ToString::to_string)),
            ("tenant", args.tenant.as_ref().map(ToString::to_string)),
            ("status", args.status.clone()),
            ("since", since),
            ("limit", args.limit.map(|limit| limit.to_string())),
            ("before", args.before.clone()),
        ],
    );
    let asked =
        Client::new(&args.server.url, Duration::ZERO).and_then(|client| client.get::<RunListView>(&path));
    match (asked, format_of(&args.server)) {
        (Ok(list), Format::Human) => {
            let exit = streams.answer(&render::runs(&list, streams.layout()));
            if let Some(next) = &list.next {
                streams.note(&format!("there may be more: --before {next}"));
            }
            exit
        }
        (Ok(list), Format::Json) => streams.json(&list),
        (Err(error), format) => streams.problem(&error.problem(), format, error.exit()),
    }
}

fn show(args: &RunArg, streams: &mut Streams<'_>) -> Exit {
    let asked = Client::new(&args.server.url, Duration::ZERO)
        .and_then(|client| client.get::<RunView>(&format!("runs/{}", args.run)));
    match (asked, format_of(&args.server)) {
        (Ok(run), Format::Human) => streams.answer(&render::run(&run, streams.layout())),
        (Ok(run), Format::Json) => streams.record(&run),
        (Err(error), format) => streams.problem(&error.problem(), format, error.exit()),
    }
}

fn watch(args: &RunArg, streams: &mut Streams<'_>) -> Exit {
    let format = format_of(&args.server);
    let mut exit = Exit::Success;
    let followed = Client::new(&args.server.url, Duration::ZERO).and_then(|client| {
        client.follow(&format!("runs/{}/events", args.run), |json| {
            exit = match (format, serde_json::from_str::<RunEventView>(json)) {
                (Format::Human, Ok(event)) => streams.answer(&render::run_event(&event)),
                (Format::Human, Err(_)) => Exit::Success,
                (Format::Json, _) => streams.answer(&text::json(json)),
            };
            exit == Exit::Success && !streams.is_closed()
        })
    });
    match followed {
        Ok(()) => exit,
        Err(error) => streams.problem(&error.problem(), format, error.exit()),
    }
}

fn cancel(args: &RunArg, streams: &mut Streams<'_>) -> Exit {
    let asked = Client::new(&args.server.url, Duration::ZERO).and_then(|client| {
        let path = format!("runs/{}/cancel", args.run);
        client.post::<_, RunBegun>(&path, &serde_json::json!({}))
    });
    match (asked, format_of(&args.server)) {
        (Ok(told), Format::Human) => streams.answer(&format!("{} was told to end", told.run_id)),
        (Ok(told), Format::Json) => streams.json(&told),
        (Err(error), format) => streams.problem(&error.problem(), format, error.exit()),
    }
}

fn replay(args: &ReplayArgs, streams: &mut Streams<'_>) -> Exit {
    let asked = Client::new(&args.server.url, PATIENCE).and_then(|client| {
        let request = ReplayRequest {
            from: args.from.clone(),
            versions: args.versions.iter().cloned().collect(),
        };
        client.post::<_, ReplayView>(&format!("runs/{}/replay", args.run), &request)
    });
    let view = match asked {
        Ok(view) => view,
        Err(error) => return streams.problem(&error.problem(), format_of(&args.server), error.exit()),
    };
    let shown = match format_of(&args.server) {
        Format::Human => streams.answer(&render::replay(&view, streams.layout())),
        Format::Json => streams.record(&view),
    };
    match (view.same, shown) {
        (false, Exit::Success) => Exit::No,
        (_, shown) => shown,
    }
}

fn document(args: &RunArg, streams: &mut Streams<'_>) -> Exit {
    let asked = Client::new(&args.server.url, Duration::ZERO)
        .and_then(|client| client.text(&format!("runs/{}/document", args.run)));
    match asked {
        Ok(text) => streams.answer(&text::json(&text)),
        Err(error) => streams.problem(&error.problem(), format_of(&args.server), error.exit()),
    }
}

pub(crate) fn workflows(args: &WorkflowsArgs, streams: &mut Streams<'_>) -> Exit {
    match &args.workflow {
        Some(id) => read(
            &args.server,
            &format!("workflows/{id}"),
            streams,
            |view: &WorkflowView, layout| render::workflow(view, layout),
        ),
        None => read(
            &args.server,
            "workflows",
            streams,
            |views: &Vec<WorkflowView>, layout| render::workflows(views, layout),
        ),
    }
}

pub(crate) fn failures(args: &FailuresArgs, streams: &mut Streams<'_>) -> Exit {
    read(
        &args.server,
        "failures",
        streams,
        |views: &Vec<FailureCountView>, layout| render::failures(views, layout),
    )
}

pub(crate) fn caches(args: &CachesArgs, streams: &mut Streams<'_>) -> Exit {
    read(&args.server, "caches", streams, |view: &CachesView, layout| {
        render::caches(view, layout)
    })
}

/// A path with those of the fields that have a value.
pub(crate) fn query(path: &str, fields: &[(&str, Option<String>)]) -> String {
    let mut out = path.to_owned();
    for (name, value) in fields {
        let Some(value) = value else { continue };
        out.push(if out.contains('?') { '&' } else { '?' });
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    out.push(char::from(byte));
                }
                byte => out.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_written_so_that_nothing_in_it_ends_it() {
        assert_eq!(query("runs", &[("a", None)]), "runs");
        assert_eq!(
            query(
                "runs",
                &[
                    ("a", Some("x y&b=1#\u{e4}".into())),
                    ("b", None),
                    ("c", Some("1".into()))
                ]
            ),
            "runs?a=x%20y%26b%3D1%23%C3%A4&c=1"
        );
    }
}
