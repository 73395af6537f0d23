//! The commands for a running host: ask, then print.

use std::time::Duration;

use patchbay_vocab::{NodeType, PluginName};
use patchbay_wire::{
    CallReply, CallRequest, ChangeRequest, EventView, HistoryView, NodeView, PluginView, RejectedView,
    StatusView, SwapView,
};
use serde::Serialize;

use crate::args::{
    CallArgs, EventsArgs, HistoryArgs, NodesArgs, OrderArgs, PluginsArgs, PromoteArgs, QuarantineArgs,
    RollbackArgs, Server, StatusArgs,
};
use crate::client::{Client, Verb};
use crate::error::CliError;
use crate::exit::Exit;
use crate::order::Sender;
use crate::streams::{Format, Layout, Streams};
use crate::{catalogue, input, render, text};

const QUARANTINE: &str = "quarantine";

pub(crate) fn call(args: &CallArgs, streams: &mut Streams<'_>) -> Exit {
    let asked = || -> Result<CallReply, CliError> {
        // The host ends the call; the client waits for it to say so, whatever the node's own limit is.
        let patience = args.timeout.unwrap_or(Duration::from_secs(86_400));
        let client = Client::new(&args.server.url, patience)?;
        let request = CallRequest {
            input: input::read(args.input.as_deref())?,
            tenant: args.tenant.clone(),
            timeout_ms: args
                .timeout
                .map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
            config: match &args.config {
                Some(config) => Some(input::read(Some(config))?),
                None => None,
            },
        };
        client.post(&format!("call/{}", args.node_type), &request)
    };
    match (asked(), format_of(&args.server)) {
        (Ok(reply), Format::Human) => streams.json(&reply.output),
        (Ok(reply), Format::Json) => streams.json(&reply),
        (Err(error), format) => streams.problem(&error.problem(), format, error.exit()),
    }
}

pub(crate) fn plugins(args: &PluginsArgs, streams: &mut Streams<'_>) -> Exit {
    if args.rejected {
        return read(
            &args.server,
            "rejected",
            streams,
            |rejected: &Vec<RejectedView>, layout| render::rejected(rejected, layout),
        );
    }
    if let Some(name) = &args.plugin {
        return read(&args.server, &format!("plugins/{name}"), streams, render::plugin);
    }
    let exit = read(
        &args.server,
        "plugins",
        streams,
        |plugins: &Vec<PluginView>, layout| render::plugins(plugins, layout),
    );
    if exit == Exit::Success && format_of(&args.server) == Format::Human {
        mention_rejected(&args.server, streams);
    }
    exit
}

/// A file that was refused is not in the list of plugins: whoever looks for it there is told where it is.
fn mention_rejected(server: &Server, streams: &mut Streams<'_>) {
    let client = Client::new(&server.url, Duration::ZERO);
    match client.and_then(|client| client.get::<StatusView>("status")) {
        Ok(StatusView { rejected: 1, .. }) => streams.note("1 file was refused: patchbay plugins --rejected"),
        Ok(StatusView {
            rejected: count @ 2..,
            ..
        }) => {
            streams.note(&format!(
                "{count} files were refused: patchbay plugins --rejected"
            ));
        }
        // The list itself is printed already; this was a courtesy.
        Ok(_) | Err(_) => {}
    }
}

pub(crate) fn nodes(args: &NodesArgs, streams: &mut Streams<'_>) -> Exit {
    let format = format_of(&args.server);
    let shown = Client::new(&args.server.url, Duration::ZERO).and_then(|client| match &args.node_type {
        Some(node) => manual(&client, node, format, streams),
        None => listed(&client, args, format, streams),
    });
    shown.unwrap_or_else(|error| streams.problem(&error.problem(), format, error.exit()))
}

fn manual(
    client: &Client,
    node: &NodeType,
    format: Format,
    streams: &mut Streams<'_>,
) -> Result<Exit, CliError> {
    // The page names related nodes, and an unknown name is answered with near ones; neither is worth a failure.
    let others = || client.get::<Vec<NodeView>>("nodes").unwrap_or_default();
    match client.get::<NodeView>(&format!("nodes/{node}")) {
        Ok(node) => Ok(match format {
            Format::Human => streams.answer(&render::manual(&node, &others(), streams.layout())),
            Format::Json => streams.json(&node),
        }),
        Err(CliError::Refused {
            status: status @ 404,
            mut problem,
        }) => {
            let offered = catalogue::offered(others(), node.as_str());
            if !problem.hint.starts_with("did you mean") && !offered.is_empty() {
                problem.hint = format!("did you mean one of these? {}", offered.join(", "));
            }
            Err(CliError::Refused { status, problem })
        }
        Err(error) => Err(error),
    }
}

fn listed(
    client: &Client,
    args: &NodesArgs,
    format: Format,
    streams: &mut Streams<'_>,
) -> Result<Exit, CliError> {
    let mut nodes = client.get::<Vec<NodeView>>("nodes")?;
    if let Some(category) = &args.category {
        let known = catalogue::categories(&nodes)
            .into_iter()
            .map(|(name, count)| format!("{name} ({count})"))
            .collect::<Vec<_>>();
        nodes = catalogue::of_category(nodes, category);
        if nodes.is_empty() {
            return Err(CliError::NoCategory {
                category: category.clone(),
                known,
            });
        }
    }
    let any = !nodes.is_empty();
    if let Some(words) = &args.search {
        nodes = catalogue::search(nodes, words);
    }
    Ok(match (format, &args.search) {
        (Format::Json, _) => streams.json(&nodes),
        (Format::Human, Some(words)) if nodes.is_empty() && any => {
            streams.answer(&format!("no node has `{}`", text::line(words)))
        }
        (Format::Human, _) => streams.answer(&render::nodes(&nodes, streams.layout())),
    })
}

pub(crate) fn history(args: &HistoryArgs, streams: &mut Streams<'_>) -> Exit {
    let path = format!("plugins/{}/history", args.plugin);
    read(
        &args.server,
        &path,
        streams,
        |lines: &Vec<HistoryView>, layout| render::history(lines, layout),
    )
}

pub(crate) fn status(args: &StatusArgs, streams: &mut Streams<'_>) -> Exit {
    read(&args.server, "status", streams, render::status)
}

pub(crate) fn promote(args: PromoteArgs, streams: &mut Streams<'_>) -> Exit {
    change(
        "promote",
        &args.plugin,
        Some(args.to),
        args.order,
        &args.server,
        streams,
    )
}

pub(crate) fn rollback(args: RollbackArgs, streams: &mut Streams<'_>) -> Exit {
    change(
        "rollback",
        &args.plugin,
        args.to,
        args.order,
        &args.server,
        streams,
    )
}

pub(crate) fn quarantine(args: QuarantineArgs, streams: &mut Streams<'_>) -> Exit {
    change(
        QUARANTINE,
        &args.plugin,
        args.to,
        args.order,
        &args.server,
        streams,
    )
}

pub(crate) fn events(args: &EventsArgs, streams: &mut Streams<'_>) -> Exit {
    let format = format_of(&args.server);
    let mut exit = Exit::Success;
    let followed = Client::new(&args.server.url, Duration::ZERO).and_then(|client| {
        client.follow("events", |json| {
            // What is no event, such as the note that some were missed, is left to `--json`.
            exit = match (format, serde_json::from_str::<EventView>(json)) {
                (Format::Human, Ok(event)) => streams.answer(&render::event(&event)),
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

pub(crate) fn format_of(server: &Server) -> Format {
    Format::of_flag(server.json)
}

/// Asks for `path` and prints the answer.
pub(crate) fn read<T>(
    server: &Server,
    path: &str,
    streams: &mut Streams<'_>,
    render: impl Fn(&T, Layout) -> String,
) -> Exit
where
    T: Serialize + serde::de::DeserializeOwned,
{
    let asked = Client::new(&server.url, Duration::ZERO).and_then(|client| client.get::<T>(path));
    match (asked, format_of(server)) {
        (Ok(answer), Format::Human) => streams.answer(&render(&answer, streams.layout())),
        (Ok(answer), Format::Json) => streams.json(&answer),
        (Err(error), format) => streams.problem(&error.problem(), format, error.exit()),
    }
}

fn change(
    verb: &str,
    plugin: &PluginName,
    to: Option<String>,
    order: OrderArgs,
    server: &Server,
    streams: &mut Streams<'_>,
) -> Exit {
    let (sender, reason) = Sender::of(order.who);
    let request = ChangeRequest {
        to,
        reason,
        force: order.force,
    };
    let asked = Client::new(&server.url, Duration::ZERO).and_then(|client| {
        let path = format!("plugins/{plugin}/{verb}");
        sender.send::<_, SwapView>(&client, Verb::Post, &path, &request)
    });
    match (asked, format_of(server)) {
        (Ok(swap), Format::Human) if verb == QUARANTINE => streams.answer(&render::quarantined(&swap)),
        (Ok(swap), Format::Human) => streams.answer(&render::swap(&swap)),
        (Ok(swap), Format::Json) => streams.json(&swap),
        (Err(error), format) => streams.problem(&error.problem(), format, error.exit()),
    }
}
