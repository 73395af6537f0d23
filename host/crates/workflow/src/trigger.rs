//! What starts a workflow.
//!
//! Invariant: every trigger names a node that is there, every schedule comes, and no two webhooks of a document
//! claim the same path and method.

use std::collections::HashSet;

use plugin_api::value::{Kind, ValueRef};

use crate::field::{Object, wrong};
use crate::graph::{Graph, NodeDraft};
use crate::notes::{Notes, Place, Shown};
use crate::role::{Role, Start};
use crate::schedule::{check_cron, from_rule, is_timezone};
use crate::webhook::{is_path, methods_of};
use crate::{Trigger, TriggerKind, code};

/// More triggers than this are refused.
const MOST: usize = 1_000;

/// Reads `triggers`, and adds the nodes that are triggers by themselves. Nodes are those of the graph.
pub(crate) fn read<'a>(workflow: &Object<'a, '_>, graph: &Graph<'a>, notes: &mut Notes<'a>) -> Vec<Trigger> {
    let settings = workflow.object("settings", notes);
    let timezone = settings.text("timezone", notes);
    if let Some(name) = timezone
        && !is_timezone(name)
    {
        unknown_timezone(
            &settings.place.field("timezone", settings.get("timezone")),
            name,
            notes,
        );
    }
    let mut reader = Reader {
        timezone: timezone.filter(|name| is_timezone(name)).unwrap_or("UTC"),
        claimed: HashSet::new(),
        triggers: Vec::new(),
    };
    let mut listed = HashSet::new();
    let value = workflow.get("triggers");
    let place = workflow.place.field("triggers", value);
    match value.map(|value| (value, value.as_list())) {
        None => {}
        Some((value, None)) => wrong(notes, &place, value, "a list"),
        Some((value, Some(list))) if list.len() > MOST => {
            notes.error(
                code::TOO_LARGE,
                &place,
                format_args!("there are {} triggers, and {MOST} at most", list.len()),
                "split the workflow",
            );
            let _ = value;
        }
        Some((_, Some(list))) => {
            for (index, value) in list.iter().enumerate() {
                let place = place.index(index, value);
                if value.kind() != Kind::Map {
                    wrong(notes, &place, value, "an object");
                    continue;
                }
                let trigger = Object {
                    map: value.as_map(),
                    place,
                };
                listed.extend(reader.listed(&trigger, graph, notes));
            }
        }
    }
    for (index, node) in (0_u32..).zip(&graph.nodes) {
        if let Role::Trigger(start) = node.role
            && !listed.contains(&index)
            && reader.triggers.len() < MOST
        {
            notes.node = Some(node.id.clone());
            graph.at_node(workflow, index, |node, place| {
                reader.implied(index, node, start, place, notes);
            });
            notes.node = None;
        }
    }
    reader.triggers
}

fn unknown_timezone(place: &Place<'_>, name: &str, notes: &mut Notes<'_>) {
    notes.error(
        code::INVALID_SCHEDULE,
        place,
        format_args!("there is no time zone `{}`", Shown(name)),
        "write a name such as `Europe/Berlin`, or `UTC`",
    );
}

struct Reader<'a> {
    timezone: &'a str,
    claimed: HashSet<(String, String)>,
    triggers: Vec<Trigger>,
}

impl<'a> Reader<'a> {
    /// One of the list. Gives the node that it starts at.
    fn listed(&mut self, trigger: &Object<'a, '_>, graph: &Graph<'a>, notes: &mut Notes<'a>) -> Option<u32> {
        trigger.unknown(
            &[&[
                "id",
                "name",
                "nodeId",
                "node",
                "kind",
                "type",
                "enabled",
                "schedule",
                "cron",
                "cronExpression",
                "expression",
                "timezone",
                "webhookId",
                "webhookPath",
                "path",
                "webhookUrl",
                "webhookMethods",
                "method",
                "httpMethod",
                "metadata",
                "description",
                "eventType",
                "eventFilters",
                "rateLimiting",
                "config",
                "pollInterval",
            ]],
            notes,
        );
        trigger.unsupported(
            &[
                "rateLimiting",
                "eventFilters",
                "pollInterval",
                "config",
                "webhookUrl",
            ],
            notes,
        );
        let enabled = trigger.flag("enabled", notes).unwrap_or(true);
        let name = trigger
            .text("nodeId", notes)
            .or_else(|| trigger.text("node", notes));
        let place = trigger.place.field("nodeId", trigger.get("nodeId"));
        let Some(node) = name.and_then(|name| graph.find(name)) else {
            match name {
                Some(name) => {
                    let hint = graph.suggestion(name, notes);
                    notes.error(
                        code::UNKNOWN_TRIGGER_NODE,
                        &place,
                        format_args!("no node is called `{}`", Shown(name)),
                        &hint,
                    );
                }
                None => notes.error(
                    code::UNKNOWN_TRIGGER_NODE,
                    &place,
                    format_args!("the trigger names no node"),
                    "write `nodeId`",
                ),
            }
            return None;
        };
        let draft = graph.nodes.get(node as usize)?;
        let kind = trigger
            .text("kind", notes)
            .or_else(|| trigger.text("type", notes));
        let parameters = draft.parameters;
        match kind.unwrap_or("manual") {
            "manual" => self.push(node, TriggerKind::Manual, enabled),
            "schedule" | "cron" => {
                let own = trigger.map.and_then(|_| cron_of(|key| trigger.get(key)));
                let inner = trigger.get("schedule").filter(|value| value.kind() == Kind::Map);
                let own = own
                    .or_else(|| inner.and_then(|inner| cron_of(|key| inner.get(key))))
                    .or_else(|| trigger.get("schedule").and_then(|value| value.as_str()));
                let zone = trigger.text("timezone", notes).or_else(|| {
                    inner
                        .and_then(|inner| inner.get("timezone"))
                        .and_then(|value| value.as_str())
                });
                self.schedule(node, own, zone, parameters, &trigger.place, enabled, notes);
            }
            "webhook" => {
                let path = ["path", "webhookPath"]
                    .iter()
                    .find_map(|key| trigger.text(key, notes))
                    .or_else(|| text_of(parameters, "path"))
                    .or_else(|| trigger.text("webhookId", notes));
                let methods = ["webhookMethods", "method", "httpMethod"]
                    .iter()
                    .find_map(|key| trigger.get(key))
                    .or_else(|| parameters.and_then(|p| p.get("httpMethod")));
                self.webhook(node, draft, path, methods, &trigger.place, enabled, notes);
            }
            other => self.other(node, other, &trigger.place, enabled, notes),
        }
        Some(node)
    }

    /// A node that is a trigger by its type, where the list says nothing of it.
    fn implied(
        &mut self,
        index: u32,
        node: &NodeDraft<'a>,
        start: Start,
        place: &Place<'_>,
        notes: &mut Notes<'a>,
    ) {
        let enabled = node.value.get("disabled").and_then(|v| v.as_bool()) != Some(true);
        match start {
            Start::Manual => self.push(index, TriggerKind::Manual, enabled),
            Start::Other => self.other(index, node.spelled(), place, enabled, notes),
            Start::Schedule => {
                let own = node.parameters.and_then(|p| cron_of(|key| p.get(key)));
                let zone = text_of(node.parameters, "timezone");
                let place = place.field("parameters", node.parameters);
                self.schedule(index, own, zone, node.parameters, &place, enabled, notes);
            }
            Start::Webhook => {
                let path = text_of(node.parameters, "path");
                let methods = node
                    .parameters
                    .and_then(|p| p.get("httpMethod").or_else(|| p.get("method")));
                let place = place.field("parameters", node.parameters);
                self.webhook(index, node, path, methods, &place, enabled, notes);
            }
        }
    }

    fn push(&mut self, node: u32, kind: TriggerKind, enabled: bool) {
        self.triggers.push(Trigger { node, kind, enabled });
    }

    fn other(&mut self, node: u32, kind: &str, place: &Place<'_>, enabled: bool, notes: &mut Notes<'_>) {
        notes.warning(
            code::UNSUPPORTED_SETTING,
            place,
            format_args!("triggers of the kind `{}` never start a run", Shown(kind)),
            "use `manual`, `schedule` or `webhook`",
        );
        self.push(node, TriggerKind::Other(Shown(kind).to_string()), enabled);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what a list's entry and a node say comes from different places"
    )]
    fn schedule(
        &mut self,
        node: u32,
        cron: Option<&str>,
        zone: Option<&'a str>,
        parameters: Option<ValueRef<'a>>,
        place: &Place<'_>,
        enabled: bool,
        notes: &mut Notes<'_>,
    ) {
        let hint = "write `cron` with five or six fields, such as `0 9 * * 1-5`";
        let patterns = match cron.or_else(|| parameters.and_then(|p| cron_of(|key| p.get(key)))) {
            Some(cron) => vec![cron.trim().to_owned()],
            None => match parameters.and_then(from_rule) {
                Some(Ok(patterns)) if !patterns.is_empty() => patterns,
                Some(Err(reason)) => {
                    notes.error(code::INVALID_SCHEDULE, place, format_args!("{reason}"), hint);
                    return;
                }
                _ => {
                    notes.error(
                        code::INVALID_SCHEDULE,
                        place,
                        format_args!("the schedule says no time"),
                        hint,
                    );
                    return;
                }
            },
        };
        let timezone = zone.unwrap_or(self.timezone);
        if !is_timezone(timezone) {
            unknown_timezone(place, timezone, notes);
            return;
        }
        for cron in patterns {
            match check_cron(&cron) {
                Ok(()) => self.push(
                    node,
                    TriggerKind::Schedule {
                        cron,
                        timezone: timezone.to_owned(),
                    },
                    enabled,
                ),
                Err(reason) => notes.error(
                    code::INVALID_SCHEDULE,
                    place,
                    format_args!("`{}` is no schedule: {}", Shown(&cron), Shown(&reason)),
                    hint,
                ),
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what a list's entry and a node say comes from different places"
    )]
    fn webhook(
        &mut self,
        node: u32,
        draft: &NodeDraft<'a>,
        path: Option<&'a str>,
        methods: Option<ValueRef<'a>>,
        place: &Place<'_>,
        enabled: bool,
        notes: &mut Notes<'_>,
    ) {
        let own_id = draft.value.get("webhookId").and_then(|id| id.as_str());
        let path = path.or(own_id).unwrap_or(&draft.id).trim_matches('/');
        if !is_path(path) {
            notes.error(
                code::INVALID_WEBHOOK,
                place,
                format_args!("`{}` cannot be the path of a webhook", Shown(path)),
                "write a path of letters, digits, `-`, `_`, `.` and `/`, without `..`",
            );
            return;
        }
        let Some(methods) = methods_of(methods, draft) else {
            notes.error(
                code::INVALID_WEBHOOK,
                place,
                format_args!("a method of the webhook is not known"),
                "write GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS",
            );
            return;
        };
        for method in &methods {
            if enabled && !self.claimed.insert((path.to_owned(), method.clone())) {
                notes.error(
                    code::INVALID_WEBHOOK,
                    place,
                    format_args!("another trigger of this workflow has {method} `{}`", Shown(path)),
                    "give it a path of its own",
                );
            }
        }
        let path = path.to_owned();
        self.push(node, TriggerKind::Webhook { path, methods }, enabled);
    }
}

fn text_of<'a>(parameters: Option<ValueRef<'a>>, key: &str) -> Option<&'a str> {
    parameters?.get(key)?.as_str()
}

fn cron_of<'a>(get: impl Fn(&str) -> Option<ValueRef<'a>>) -> Option<&'a str> {
    ["cron", "cronExpression", "expression", "schedule"]
        .iter()
        .find_map(|key| get(key).and_then(|value| value.as_str()))
        .filter(|text| !text.trim().is_empty())
}
