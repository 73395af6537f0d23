//! Small states that live in a variable: counters, switches, lists, histories.
//!
//! Invariant: an operation changes its variable in one step, or not at all; what it keeps has an upper size.

mod collection;
mod history;
mod rule;
mod scalar;
mod validation;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Dict, Given, Key, Number, Whole, kind_name};

use self::collection::{list, map, queue, set, stack};
use self::history::history;
use self::scalar::{counter, toggle};
use self::validation::validation;
use crate::name::Name;

/// Items that one state keeps.
const MOST_ITEMS: usize = 100_000;

#[parameters]
pub(crate) struct Call<'a> {
    /// What kind of state: `useCounter`, `useToggle`, `useArray`, `useMap`, `useSet`, `useStack`, `useQueue`,
    /// `useStateWithHistory` or `useValidation`; the `use` may be left out.
    #[serde(alias = "hook_type")]
    #[schemars(length(max = 64))]
    hook_type: &'a str,
    /// What to do with it, such as `increment`, `push` or `undo`; `get` for nothing but a look, `reset` for the
    /// beginning.
    #[serde(default, alias = "action")]
    #[schemars(extend("default" = "get"), length(max = 64))]
    operation: Option<&'a str>,
    /// The name of the variable that keeps it; that of the workflow's node, if missing.
    #[serde(default)]
    name: Name<'a>,
    /// What to add, set or look for; what to validate.
    #[serde(default)]
    value: Given<'a>,
    /// What the state begins with.
    #[serde(default, alias = "initialValue", alias = "initial_value")]
    initial: Given<'a>,
    /// The key of an entry, of a map.
    #[serde(default)]
    key: Option<Key<'a>>,
    /// The position of an item, of an array; a negative one counts from the end.
    #[serde(default)]
    index: Option<Whole>,
    /// By how much a counter changes.
    #[serde(default, alias = "step", alias = "by")]
    #[schemars(extend("default" = 1))]
    amount: Option<Number>,
    /// The least that a counter becomes.
    #[serde(default)]
    min: Option<Number>,
    /// The most that a counter becomes.
    #[serde(default)]
    max: Option<Number>,
    /// How many steps of a history can be undone.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000), extend("default" = 50))]
    limit: Option<Whole>,
    /// What each field of a validated map must be: rules with `|` between them, such as `required|string|max:20`.
    #[serde(default)]
    rules: Dict<'a>,
}

impl<'a> Call<'a> {
    /// The value that an operation cannot do without.
    fn value(&self) -> NodeResult<ValueRef<'a>> {
        self.value.of("value")
    }

    fn key(&self) -> NodeResult<&str> {
        let missing = || NodeError::invalid("key", "is missing");
        self.key.as_ref().map(|key| &*key.0).ok_or_else(missing)
    }
}

/// What an operation comes to.
#[derive(Debug, Default)]
struct Step {
    /// The state from now on; `None` where it stays as it is.
    state: Option<Value>,
    /// What the operation took out or looked up.
    value: Value,
}

impl Step {
    fn to(state: Value) -> Self {
        Self {
            state: Some(state),
            value: Value::null(),
        }
    }

    fn found(value: Value) -> Self {
        Self { state: None, value }
    }

    fn with(mut self, value: Value) -> Self {
        self.value = value;
        self
    }
}

/// A state, and what was found in it.
#[output]
pub(crate) struct State {
    /// What it is now: a number, true or false, a list, a map, the present value of a history, or the errors by field.
    result: Value,
    /// What the operation took out or looked up; null where it does neither.
    value: Value,
    /// How many items, entries or errors there are, where it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
    /// Whether the last change can be undone, of a history.
    #[serde(skip_serializing_if = "Option::is_none")]
    can_undo: Option<bool>,
    /// Whether what was undone last can be done again, of a history.
    #[serde(skip_serializing_if = "Option::is_none")]
    can_redo: Option<bool>,
}

type Kind = fn(Option<ValueRef<'_>>, &str, &Call<'_>) -> NodeResult<Step>;

/// Keeps a small state in a variable of the run and changes it in one step: a counter, a switch, a list, a map, a set, a
/// stack, a queue, a value with its history, or the errors of a validation.
#[node(
    id = "hook",
    aliases = ["core.hook"],
    category = "core",
    effect = "effectful",
    tags = ["variable", "state"],
    example(
        title = "a counter",
        input = r#"{"hookType": "useCounter", "operation": "increment", "name": "n", "initial": 5, "max": 9}"#,
        output = r#"{"result": 6, "value": null}"#
    ),
    example(
        title = "a queue",
        input = r#"{"hookType": "useQueue", "operation": "dequeue", "name": "q", "initial": ["a", "b"]}"#,
        output = r#"{"result": ["b"], "value": "a", "size": 1}"#
    ),
    example(
        title = "a history",
        input = r#"{"hookType": "useStateWithHistory", "operation": "set", "name": "h", "initial": 1, "value": 2}"#,
        output = r#"{"result": 2, "value": null, "canUndo": true, "canRedo": false}"#
    ),
    example(
        title = "a validation",
        input = r#"{"hookType": "useValidation", "operation": "validate", "name": "v",
            "value": {"name": "", "age": 7}, "rules": {"name": "required|string", "age": "number|min:1"}}"#,
        output = r#"{"result": {"name": ["is required"]}, "value": false, "size": 1}"#
    )
)]
pub(crate) fn hook(input: Call<'_>, ctx: &Ctx<'_>) -> NodeResult<State> {
    let (kind, name) = (kind_of(input.hook_type)?, input.name.or(ctx.node()));
    let operation = plain(input.operation.unwrap_or("get"));
    let mut value = Value::null();
    let (old, new) = ctx.update_variable(name, |old| {
        let old = old.filter(|old| !old.is_null());
        let step = kind(old, &operation, &input)?;
        value = step.value;
        Ok(match (step.state, old) {
            (Some(state), _) => Some(state),
            (None, Some(old)) => Some(old.to_value()),
            // A look makes a state be there, so that all who look see the same one.
            (None, None) => kind(None, "reset", &input)?.state,
        })
    })?;
    let kept = new.or(old).unwrap_or_default();
    shown(kept, value, &plain(input.hook_type))
}

/// What a state looks like to who asked.
fn shown(kept: Value, value: Value, kind: &str) -> NodeResult<State> {
    let state = kept.as_ref();
    let size = state
        .as_list()
        .map(|list| list.len())
        .or_else(|| state.as_map().map(|map| map.len()));
    if !kind.ends_with("history") {
        return Ok(State {
            size,
            result: kept,
            value,
            can_undo: None,
            can_redo: None,
        });
    }
    let steps = |field: &str| {
        let list = state.get(field).and_then(|list| list.as_list());
        list.is_some_and(|list| !list.is_empty())
    };
    let present = state
        .get("present")
        .map_or_else(Value::null, |now| now.to_value());
    Ok(State {
        result: present,
        value,
        size: None,
        can_undo: Some(steps("past")),
        can_redo: Some(steps("future")),
    })
}

/// A word without its capitals and what is between its parts: `setTrue` and `set_true` are the same.
fn plain(word: &str) -> String {
    let letters = word.chars().filter(|letter| !matches!(letter, '_' | '-'));
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

fn kind_of(name: &str) -> NodeResult<Kind> {
    let name = plain(name);
    Ok(match name.strip_prefix("use").unwrap_or(&name) {
        "counter" => counter,
        "toggle" => toggle,
        "array" | "list" => list,
        "map" => map,
        "set" => set,
        "stack" => stack,
        "queue" => queue,
        "statewithhistory" | "history" => history,
        "validation" => validation,
        _ => {
            let known = "`useCounter`, `useToggle`, `useArray`, `useMap`, `useSet`, `useStack`, `useQueue`, \
                `useStateWithHistory` and `useValidation`";
            return Err(NodeError::invalid(
                "hookType",
                format_args!("must be one of {known}"),
            ));
        }
    })
}

/// The operation is none of those that a kind knows.
fn unknown(known: &str) -> NodeError {
    NodeError::invalid("operation", format_args!("must be one of {known}"))
}

/// The variable holds something else.
fn misplaced(wanted: &str, found: ValueRef<'_>) -> NodeError {
    let why = format_args!("the variable is {}, not {wanted}", kind_name(found));
    NodeError::new(format!("parameter `name`: {why}"))
}

/// A list of what is kept, unless it is too much.
fn items<'v>(items: impl IntoIterator<Item = ValueRef<'v>>) -> NodeResult<Value> {
    let items: Vec<_> = items.into_iter().take(MOST_ITEMS + 1).collect();
    if items.len() > MOST_ITEMS {
        let message = format!("parameter `value`: a state keeps at most {MOST_ITEMS} items");
        return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message));
    }
    Ok(Value::from_items(items)?)
}
