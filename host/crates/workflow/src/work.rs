//! Nodes that the executor runs itself: loops, and other workflows.
//!
//! Invariant: what is planned here is taken out of the node's parameters, so that nothing is rendered twice.

use std::sync::Arc;

use plugin_api::value::{Kind, Value, ValueRef, Writer};

use crate::assembly::{Ground, Pass};
use crate::expressions;
use crate::field::{Object, kind_name, whole, wrong};
use crate::frame::Standing;
use crate::graph::NodeDraft;
use crate::layout::DEEPEST;
use crate::notes::{Notes, Place};
use crate::policy::Defaults;
use crate::role::Role;
use crate::view::View;
use crate::{Loop, SubWorkflow, Work, code};

const UNTIL: [&str; 3] = ["until", "stop_when", "stopWhen"];
const WHILE: [&str; 2] = ["while", "condition"];
const BOUND: [&str; 3] = ["maxIterations", "max_iterations", "maxRounds"];
const DEFAULT_BOUND: u32 = 1_000;
const HARD_BOUND: u32 = 1_000_000;

/// Parameters of the executor's own nodes that are documents, and are looked at as such.
pub(crate) fn documents(role: Role) -> &'static [&'static str] {
    match role {
        Role::Loop => &["body", "workflow", "nodes", "connections"],
        Role::SubWorkflow => &["workflow"],
        Role::Call | Role::Trigger(_) => &[],
    }
}

/// What a loop's parameters say.
pub(crate) struct LoopDraft<'a> {
    /// Where the body is: a key of the parameters, or the parameters themselves.
    pub(crate) body: Option<Option<&'static str>>,
    until: Option<(&'static str, &'a str)>,
    while_: Option<(&'static str, &'a str)>,
    bound: u32,
}

impl<'a> LoopDraft<'a> {
    pub(crate) fn read(node: &NodeDraft<'a>, place: &Place<'_>, notes: &mut Notes<'a>) -> Self {
        let object = Object {
            map: node.parameters.and_then(|parameters| parameters.as_map()),
            place: *place,
        };
        let mut body = None;
        for key in ["body", "workflow"] {
            match object.get(key) {
                Some(value) if value.kind() == Kind::Map && body.is_none() => body = Some(Some(key)),
                Some(value) => notes.error(
                    code::INVALID_LOOP,
                    &place.key(key, value),
                    format_args!(
                        "{} is not the body of a loop, or is a second one",
                        kind_name(value)
                    ),
                    "write one object with `nodes` and `connections`",
                ),
                None => {}
            }
        }
        if body.is_none() && object.get("nodes").is_some() {
            body = Some(None);
        }
        let mut text = |keys: &'static [&'static str]| {
            let key = *keys.iter().find(|key| object.get(key).is_some())?;
            Some((key, object.text(key, notes)?)).filter(|(_, text)| !text.trim().is_empty())
        };
        let (until, while_) = (text(&UNTIL), text(&WHILE));
        if object
            .get("stop_on")
            .is_some_and(|value| !(value.as_bool() == Some(true) || value.as_str() == Some("true")))
        {
            object.unsupported(&["stop_on"], notes);
        }
        object.unsupported(&["when"], notes);
        if object.get("batchSize").and_then(whole) != Some(1) {
            object.unsupported(&["batchSize"], notes);
        }
        Self {
            body,
            until,
            while_,
            bound: bound(&object, notes),
        }
    }
}

fn bound(object: &Object<'_, '_>, notes: &mut Notes<'_>) -> u32 {
    let Some((key, value)) = BOUND.iter().find_map(|key| Some((*key, object.get(key)?))) else {
        return DEFAULT_BOUND;
    };
    // What an expression will say is held by the hard bound.
    if value.as_str().is_some_and(|text| text.contains("{{")) {
        return HARD_BOUND;
    }
    match whole(value).and_then(|rounds| u32::try_from(rounds).ok()) {
        Some(rounds) if rounds <= HARD_BOUND => rounds,
        _ => {
            notes.error(
                code::INVALID_LOOP,
                &object.place.key(key, value),
                format_args!("the bound of the loop is no whole number from 0 to {HARD_BOUND}"),
                "write such a number, or an expression",
            );
            DEFAULT_BOUND
        }
    }
}

/// A loop: its body, and the parameters that are left.
pub(crate) fn repeat<'a>(
    pass: &mut Pass<'a>,
    ground: &Ground<'_, 'a>,
    view: &View<'_, 'a>,
    defaults: &mut Defaults,
    index: u32,
    place: &Place<'_>,
    depth: usize,
) -> Option<(Work, Option<Value>)> {
    let node = ground.graph.nodes.get(index as usize)?;
    let draft = ground.loops.get(&index)?;
    let mut until = None;
    let mut while_ = None;
    let mut look = |pass: &mut Pass<'a>, view: &View<'_, 'a>| {
        pass.notes.node = Some(node.id.clone());
        let mut compile = |written: Option<(&str, &str)>| {
            let (key, text) = written?;
            expressions::compile_within(text, view, &place.absent(key), pass)
        };
        until = compile(draft.until);
        while_ = compile(draft.while_);
    };
    let body = match draft.body {
        Some(key) => {
            let value = match key {
                Some(key) => node.parameters.and_then(|parameters| parameters.get(key)),
                None => node.parameters,
            }?;
            let inner = match key {
                Some(key) => place.key(key, value),
                None => *place,
            };
            let object = Object {
                map: value.as_map(),
                place: inner,
            };
            pass.inline_body(
                &object,
                (view, index),
                ground.frame,
                defaults,
                depth + 1,
                &mut look,
            )
        }
        None => {
            let body = pass.scope(ground, defaults, index, depth + 1);
            let inner = View {
                scope: index,
                ..*view
            };
            look(pass, &inner);
            body
        }
    };
    pass.notes.node = Some(node.id.clone());
    let batches = node.node_type == "n8n-nodes-base.splitInBatches";
    let input = rest(node.parameters, draft, batches);
    let work = Work::Loop(Box::new(Loop {
        body: body.into(),
        until,
        while_,
        bound: draft.bound,
    }));
    Some((work, input))
}

/// The parameters of a loop that are rendered, under the names that the executor knows.
fn rest(parameters: Option<ValueRef<'_>>, draft: &LoopDraft<'_>, batches: bool) -> Option<Value> {
    let map = parameters.and_then(|parameters| parameters.as_map());
    let taken = |key: &str| {
        let body = match draft.body {
            Some(Some(body)) => key == body,
            Some(None) => matches!(key, "nodes" | "connections"),
            None => false,
        };
        body || draft.until.is_some_and(|(until, _)| key == until)
            || draft.while_.is_some_and(|(while_, _)| key == while_)
    };
    let mut bounded = false;
    let mut out = Vec::new();
    Writer::new(&mut out)
        .map(|rest| {
            for (key, value) in map.into_iter().flatten().filter(|(key, _)| !taken(key)) {
                if BOUND.contains(&key) {
                    if !bounded && !value.is_null() {
                        bounded = true;
                        rest.entry("maxIterations", |w| w.value(value))?;
                    }
                } else {
                    rest.entry(key, |w| w.value(value))?;
                }
            }
            // That node goes over what arrives.
            if batches && map.and_then(|map| map.get("items")).is_none() {
                rest.entry("items", |w| w.str("{{ $input }}"))?;
            }
            Ok(())
        })
        .ok()?;
    Value::from_encoded(out).ok()
}

/// Another workflow: its plan when the document brings it, and the parameters that are left.
pub(crate) fn another<'a>(
    pass: &mut Pass<'a>,
    ground: &Ground<'_, 'a>,
    node: &NodeDraft<'a>,
    place: &Place<'_>,
    depth: usize,
) -> (Work, Option<Value>) {
    let object = Object {
        map: node.parameters.and_then(|parameters| parameters.as_map()),
        place: *place,
    };
    let brought = object.get("workflow");
    let inline = match brought {
        Some(value) if value.kind() == Kind::Map => {
            let place = object.place.key("workflow", value);
            let inner = Object {
                map: value.as_map(),
                place,
            };
            if depth >= DEEPEST {
                pass.notes.error(
                    code::INVALID_LOOP,
                    &place,
                    format_args!("bodies and workflows are nested more than {DEEPEST} deep"),
                    "put the inner ones into a workflow of their own",
                );
                None
            } else {
                let plan = pass.document(&inner, Standing::Within(&node.id, ground.frame), depth + 1);
                plan.map(Arc::new)
            }
        }
        Some(value) if value.kind() != Kind::Str => {
            wrong(
                &mut pass.notes,
                &object.place.key("workflow", value),
                value,
                "a workflow, or the id of one",
            );
            None
        }
        Some(_) => None,
        None => {
            if object.get("workflowId").is_none() {
                pass.notes.error(
                    code::INVALID_FIELD,
                    &object.place.absent("workflowId"),
                    format_args!("the node names no workflow"),
                    "write `workflowId`, or the workflow itself into `workflow`",
                );
            }
            None
        }
    };
    pass.notes.node = Some(node.id.clone());
    let input = remaining(object, inline.is_some());
    (Work::SubWorkflow(Box::new(SubWorkflow { inline })), input)
}

/// The parameters without a workflow that was planned, and with the plain id where n8n wraps it.
fn remaining(object: Object<'_, '_>, planned: bool) -> Option<Value> {
    let map = object.map?;
    let mut out = Vec::new();
    Writer::new(&mut out)
        .map(|rest| {
            map.iter()
                .filter(|(key, _)| !(planned && *key == "workflow"))
                .try_for_each(|(key, value)| {
                    let plain = Some(value)
                        .filter(|_| key == "workflowId")
                        .and_then(|value| value.get("value"))
                        .unwrap_or(value);
                    rest.entry(key, |w| w.value(plain))
                })
        })
        .ok()?;
    Value::from_encoded(out).ok()
}
