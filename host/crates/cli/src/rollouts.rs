//! Commands about rollouts, and about who is held where.

use std::time::Duration;

use patchbay_vocab::PluginName;
use patchbay_wire::{
    PinRequest, PinView, PinnedView, PolicyRequest, PolicyView, RolloutOrder, RolloutPlanView,
    RolloutRequest, RolloutView,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::args::{
    PinArgs, PinsArgs, RolloutArgs, RolloutCommand, RolloutOrderArgs, RolloutPlanArgs, RolloutPolicyArgs,
    RolloutPromoteArgs, RolloutStartArgs, RolloutStatusArgs, Server, UnpinArgs,
};
use crate::client::{Client, Verb};
use crate::command::{format_of, read};
use crate::error::CliError;
use crate::exit::Exit;
use crate::order::Sender;
use crate::streams::{Format, Layout, Streams};
use crate::watch::{self, Watch};
use crate::workflows::query;
use crate::{policy, render};

/// A start may have to load what is rolled out, and a promotion to hand state over.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn rollout(args: RolloutArgs, streams: &mut Streams<'_>) -> Exit {
    match args.command {
        RolloutCommand::Plan(args) => plan(&args, streams),
        RolloutCommand::Start(args) => start(&args, streams),
        RolloutCommand::Status(args) => status(&args, streams),
        RolloutCommand::Pause(args) => steer("pause", args, streams),
        RolloutCommand::Resume(args) => steer("resume", args, streams),
        RolloutCommand::Promote(args) => promote(args, streams),
        RolloutCommand::Abort(args) => steer("abort", args, streams),
        RolloutCommand::Policy(args) => set_policy(args, streams),
    }
}

fn plan(args: &RolloutPlanArgs, streams: &mut Streams<'_>) -> Exit {
    let asked = || -> Result<RolloutPlanView, CliError> {
        let request = RolloutRequest {
            to: args.to.clone(),
            policy: policy::asked(&args.how)?,
            reason: None,
            force: args.force,
        };
        let client = Client::new(&args.server.url, PATIENCE)?;
        client.post(&format!("plugins/{}/rollout/plan", args.plugin), &request)
    };
    let plan = match asked() {
        Ok(plan) => plan,
        Err(error) => return streams.problem(&error.problem(), format_of(&args.server), error.exit()),
    };
    let shown = match format_of(&args.server) {
        Format::Human => streams.answer(&render::rollout_plan(&plan, streams.layout())),
        Format::Json => streams.json(&plan),
    };
    no_unless(plan.allowed, shown)
}

fn start(args: &RolloutStartArgs, streams: &mut Streams<'_>) -> Exit {
    let format = format_of(&args.server);
    let started = || -> Result<(Client, RolloutView), CliError> {
        let (sender, reason) = Sender::of(args.order.who.clone());
        let request = RolloutRequest {
            to: args.to.clone(),
            policy: policy::asked(&args.how)?,
            reason,
            force: args.order.force,
        };
        let client = Client::new(&args.server.url, PATIENCE)?;
        let path = format!("plugins/{}/rollout", args.plugin);
        let view = sender.send(&client, Verb::Post, &path, &request)?;
        Ok((client, view))
    };
    let (client, view) = match started() {
        Ok(started) => started,
        Err(error) => return streams.problem(&error.problem(), format, error.exit()),
    };
    if args.watch {
        return watch::follow(
            vec![Watch::of(view)],
            &client,
            format,
            streams,
            &mut watch::second,
        );
    }
    let shown = match format {
        Format::Human => {
            let exit = streams.answer(&render::rollout_line(&view));
            if !view.finished {
                streams.note(&format!(
                    "follow it: patchbay rollout status {} --watch",
                    view.plugin
                ));
            }
            exit
        }
        Format::Json => streams.json(&view),
    };
    no_unless(!view.finished || watch::went_live(&view), shown)
}

fn status(args: &RolloutStatusArgs, streams: &mut Streams<'_>) -> Exit {
    if args.watch {
        return watch_all(args, streams);
    }
    match (&args.which, args.all) {
        (Some(which), false) => read(
            &args.server,
            &format!("rollouts/{which}"),
            streams,
            |view: &RolloutView, layout| render::rollout(view, layout),
        ),
        (which, all) => {
            let path = query(
                "rollouts",
                &[("plugin", which.clone()), ("all", all.then(|| "true".to_owned()))],
            );
            read(
                &args.server,
                &path,
                streams,
                |views: &Vec<RolloutView>, layout| render::rollouts(views, layout),
            )
        }
    }
}

fn watch_all(args: &RolloutStatusArgs, streams: &mut Streams<'_>) -> Exit {
    let format = format_of(&args.server);
    let found = || -> Result<_, CliError> {
        let client = Client::new(&args.server.url, Duration::ZERO)?;
        let watched = match &args.which {
            // By its id from here on: the plugin's latest may be another one soon.
            Some(which) => vec![Watch::named(
                client.get::<RolloutView>(&format!("rollouts/{which}"))?.id,
            )],
            None => {
                let running = client.get::<Vec<RolloutView>>("rollouts")?;
                running.into_iter().map(|view| Watch::named(view.id)).collect()
            }
        };
        Ok((client, watched))
    };
    match found() {
        Ok((_, watched)) if watched.is_empty() => {
            streams.note("no rollout runs");
            Exit::Success
        }
        Ok((client, watched)) => watch::follow(watched, &client, format, streams, &mut watch::second),
        Err(error) => streams.problem(&error.problem(), format, error.exit()),
    }
}

/// Pauses, resumes or aborts.
fn steer(verb: &str, args: RolloutOrderArgs, streams: &mut Streams<'_>) -> Exit {
    let (sender, reason) = Sender::of(args.who);
    let order = RolloutOrder { reason, full: false };
    told(&sender, verb, &args.plugin, &order, &args.server, streams)
}

fn promote(args: RolloutPromoteArgs, streams: &mut Streams<'_>) -> Exit {
    let (sender, reason) = Sender::of(args.who);
    let order = RolloutOrder {
        reason,
        full: args.full,
    };
    told(&sender, "promote", &args.plugin, &order, &args.server, streams)
}

fn told(
    sender: &Sender,
    verb: &str,
    plugin: &PluginName,
    order: &RolloutOrder,
    server: &Server,
    streams: &mut Streams<'_>,
) -> Exit {
    let path = format!("plugins/{plugin}/rollout/{verb}");
    ordered(sender, Verb::Post, &path, order, server, streams, |view, _| {
        render::rollout_told(view)
    })
}

fn set_policy(args: RolloutPolicyArgs, streams: &mut Streams<'_>) -> Exit {
    let path = format!("plugins/{}/policy", args.plugin);
    let shown = |view: &PolicyView, _: Layout| render::policy(view);
    let policy = match &args.set {
        None if !args.clear => return read(&args.server, &path, streams, shown),
        None => None,
        Some(text) => match policy::written(text) {
            Ok(policy) => Some(policy),
            Err(error) => return streams.problem(&error.problem(), format_of(&args.server), error.exit()),
        },
    };
    let (sender, reason) = Sender::of(args.who);
    let request = PolicyRequest { policy, reason };
    ordered(&sender, Verb::Put, &path, &request, &args.server, streams, shown)
}

pub(crate) fn pin(args: PinArgs, streams: &mut Streams<'_>) -> Exit {
    let (sender, reason) = Sender::of(args.who);
    let request = PinRequest {
        to: Some(args.to),
        tenant: args.scope.tenant,
        workflow: args.scope.workflow,
        reason,
    };
    let path = format!("plugins/{}/pin", args.plugin);
    held(&sender, &path, &args.plugin, &request, &args.server, streams)
}

pub(crate) fn unpin(args: UnpinArgs, streams: &mut Streams<'_>) -> Exit {
    let (sender, reason) = Sender::of(args.who);
    let request = PinRequest {
        to: None,
        tenant: args.scope.tenant,
        workflow: args.scope.workflow,
        reason,
    };
    let path = format!("plugins/{}/unpin", args.plugin);
    held(&sender, &path, &args.plugin, &request, &args.server, streams)
}

fn held(
    sender: &Sender,
    path: &str,
    plugin: &PluginName,
    request: &PinRequest,
    server: &Server,
    streams: &mut Streams<'_>,
) -> Exit {
    ordered(
        sender,
        Verb::Post,
        path,
        request,
        server,
        streams,
        |view: &PinnedView, _| render::pinned(view, plugin, request),
    )
}

pub(crate) fn pins(args: &PinsArgs, streams: &mut Streams<'_>) -> Exit {
    let path = query(
        "pins",
        &[("plugin", args.plugin.as_ref().map(ToString::to_string))],
    );
    read(&args.server, &path, streams, |views: &Vec<PinView>, layout| {
        render::pins(views, layout)
    })
}

/// Sends an order, and prints what it came to.
pub(crate) fn ordered<B: Serialize, T: Serialize + DeserializeOwned>(
    sender: &Sender,
    verb: Verb,
    path: &str,
    body: &B,
    server: &Server,
    streams: &mut Streams<'_>,
    render: impl Fn(&T, Layout) -> String,
) -> Exit {
    let asked =
        Client::new(&server.url, PATIENCE).and_then(|client| sender.send::<B, T>(&client, verb, path, body));
    match (asked, format_of(server)) {
        (Ok(answer), Format::Human) => streams.answer(&render(&answer, streams.layout())),
        (Ok(answer), Format::Json) => streams.json(&answer),
        (Err(error), format) => streams.problem(&error.problem(), format, error.exit()),
    }
}

/// How a command ends whose answer was printed as `shown`.
pub(crate) fn no_unless(yes: bool, shown: Exit) -> Exit {
    match (yes, shown) {
        (false, Exit::Success) => Exit::No,
        (_, shown) => shown,
    }
}
