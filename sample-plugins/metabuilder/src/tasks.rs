//! Several operations as one.
//!
//! Invariant: no task has an effect unless every task can be read. What a task does is written in the document and never
//! made of data, which fills in the rest.

use std::collections::HashSet;

use plugin_api::prelude::*;
use plugin_api::reading::{Given, Outcome, shown};
use plugin_api::value::MapRef;

use crate::dispatch::{own_parameter, perform, ready};
use crate::given::{arrived, cut, map, text};
use crate::shaping::rendered;

/// Tasks that one node may have.
const MAX_TASKS: usize = 100;

struct Task<'a> {
    id: String,
    operation: &'a str,
    parameters: Value,
}

/// Does tasks, one after the other: `{tasks: {ID: {success, output}}}`.
pub(crate) fn parallel(tasks: Option<ValueRef<'_>>, ctx: &Ctx<'_>) -> NodeResult<Value> {
    let missing = || NodeError::invalid("tasks", "is missing; give a list of `{id, op, entity, params}`");
    let tasks = tasks.filter(|tasks| !tasks.is_null()).ok_or_else(missing)?;
    let wrong = || NodeError::invalid("tasks", format_args!("expected a list, found {}", shown(tasks)));
    let list = tasks.as_list().ok_or_else(wrong)?;
    if list.len() > MAX_TASKS {
        return Err(NodeError::invalid(
            "tasks",
            format_args!("must have at most {MAX_TASKS} items, but has {}", list.len()),
        ));
    }
    let read = list.iter().enumerate().map(|(place, task)| read(place, task));
    let mut read = read.collect::<NodeResult<Vec<Task<'_>>>>()?;
    let mut ids = HashSet::new();
    if let Some(twice) = read.iter().find(|task| !ids.insert(task.id.as_str())) {
        return Err(NodeError::invalid(
            "tasks",
            format_args!("two tasks have the id `{}`", cut(&twice.id)),
        ));
    }
    for task in &mut read {
        task.parameters = filled(task, ctx)?;
    }
    let mut results = Vec::with_capacity(read.len());
    for task in &read {
        ctx.check()?;
        let parameters = task.parameters.as_ref().as_map();
        let parameters = parameters.ok_or_else(|| NodeError::invalid("tasks", "expected maps"))?;
        let output = perform(task.operation, parameters, ctx).map_err(|mut error| {
            error.message = format!("task `{}`: {}", cut(&task.id), error.message).into();
            error
        })?;
        let result = map(&[("success", Value::from(true)), ("output", output)])?;
        results.push((task.id.as_str(), result));
    }
    map(&[("tasks", map(&results)?)])
}

/// The parameters of a task with their expressions filled in, each of them once.
fn filled(task: &Task<'_>, ctx: &Ctx<'_>) -> NodeResult<Value> {
    let written = task.parameters.as_ref();
    let others = match own_parameter(task.operation) {
        None => return rendered(written, "tasks", ctx),
        Some(own) => {
            let entries = written.as_map().into_iter().flatten();
            Value::from_pairs(entries.filter(|(key, _)| *key != own))?
        }
    };
    let others = rendered(others.as_ref(), "tasks", ctx)?;
    let maps = written.as_map().zip(others.as_ref().as_map());
    let ready = maps.map(|(written, others)| ready(task.operation, written, others, ctx));
    Ok(ready.transpose()?.flatten().unwrap_or(others))
}

fn read(place: usize, task: ValueRef<'_>) -> NodeResult<Task<'_>> {
    let wrong =
        |why: std::fmt::Arguments<'_>| NodeError::invalid("tasks", format_args!("item {place}: {why}"));
    let Some(entries) = task.as_map() else {
        return Err(wrong(format_args!("expected a map, found {}", shown(task))));
    };
    let operation = ["op", "operation", "type", "nodeType"]
        .iter()
        .find_map(|key| entries.get(key))
        .filter(|operation| !operation.is_null());
    if let Some(node) = entries
        .get("nodeId")
        .filter(|_| operation.is_none_or(|kind| kind.as_str() == Some("main")))
    {
        return Err(wrong(format_args!(
            "{} is a node of the workflow, and a node cannot run another one; let every task of a `parallel` node name \
             one, or draw a connection to it",
            shown(node)
        )));
    }
    let operation =
        text(operation, "tasks").map_err(|_| wrong(format_args!("`op` is missing, or no text")))?;
    if operation.contains("{{") {
        return Err(wrong(format_args!(
            "`op` must be written, and not come of an expression"
        )));
    }
    let id = match entries.get("id") {
        None => place.to_string(),
        Some(id) => text(Some(id), "tasks")
            .map_err(|_| {
                wrong(format_args!(
                    "`id`: expected a text that is not blank, found {}",
                    shown(id)
                ))
            })?
            .to_owned(),
    };
    let inner = match entries.get("params").or_else(|| entries.get("parameters")) {
        Some(inner) if !inner.is_null() => Some(
            inner
                .as_map()
                .ok_or_else(|| wrong(format_args!("`params`: expected a map, found {}", shown(inner))))?,
        ),
        _ => None,
    };
    Ok(Task {
        id,
        operation,
        parameters: merged(entries, inner)?,
    })
}

/// What belongs to the operation: the task's own fields, and those under `params`, which win.
fn merged(task: MapRef<'_>, inner: Option<MapRef<'_>>) -> NodeResult<Value> {
    const OF_THE_TASK: [&str; 7] = [
        "id",
        "op",
        "operation",
        "type",
        "nodeType",
        "params",
        "parameters",
    ];
    let outer = task
        .iter()
        .filter(|(key, _)| !OF_THE_TASK.contains(key) && inner.is_none_or(|inner| inner.get(key).is_none()));
    Ok(Value::from_pairs(outer.chain(inner.into_iter().flatten()))?)
}

/// Whether every task is a node of the workflow.
fn names_nodes(tasks: ValueRef<'_>) -> bool {
    let of_the_workflow = |task: ValueRef<'_>| {
        let kind = ["op", "operation", "nodeType"]
            .iter()
            .any(|key| task.get(key).is_some());
        !kind && task.get("nodeId").is_some_and(|node| node.as_str().is_some())
    };
    tasks
        .as_list()
        .is_some_and(|list| !list.is_empty() && list.iter().all(of_the_workflow))
}

#[parameters]
pub(crate) struct Parallel<'a> {
    /// The tasks: a list of `{id, op, entity, params}`. Expressions fill in all but `id` and `op`.
    #[serde(default)]
    #[schemars(extend("type" = ["array", "null"], "x-template" = false))]
    tasks: Given<'a>,
}

/// Does several operations of `metabuilder.operation`, one after the other, and gives `{tasks: {ID: {success, output}}}`.
/// One that fails fails the node. Without `tasks` the node gives on what arrived: nodes behind it run beside each other
/// anyway; so it does when every task names a node of the workflow (`nodeId`), which the workflow then runs.
#[node(
    id = "metabuilder.parallel",
    aliases = ["parallel"],
    category = "metabuilder",
    effect = "effectful",
    tags = ["tasks", "branch"],
    example(
        title = "two tasks",
        input = r#"{"tasks": [{"id": "a", "op": "transform", "params": {"expression": 1}}, {"id": "b", "op": "transform", "params": {"expression": [2]}}]}"#,
        output = r#"{"tasks": {"a": {"success": true, "output": {"result": 1}}, "b": {"success": true, "output": {"result": [2]}}}}"#
    ),
    example(title = "no parameters", input = "{}", output = "null")
)]
pub(crate) fn parallel_node(input: Parallel<'_>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'static>> {
    match input.tasks.0 {
        // What a task that names a node leads to, the workflow has connected.
        None => arrived(ctx).map(Outcome::Made),
        Some(tasks) if names_nodes(tasks) => arrived(ctx).map(Outcome::Made),
        tasks => parallel(tasks, ctx).map(Outcome::Made),
    }
}
