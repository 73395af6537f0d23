//! Nodes for lists of texts, as workflows of the Python executor use them.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Growing, List, Text, text_or_json, truthy};

use crate::pattern::Pattern;

#[parameters]
pub(crate) struct Not<'a> {
    /// The value.
    #[serde(default)]
    value: Any<'a>,
}

/// Says whether a value is false, as JavaScript sees it: null, 0, the empty text and false are.
#[node(
    id = "utils.not",
    effect = "pure",
    tags = ["boolean"],
    example(title = "zero", input = r#"{"value": 0}"#, output = r#"{"result": true}"#),
    example(title = "a text", input = r#"{"value": "no"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn not(input: Not<'_>) -> Answer<bool> {
    answer(!truthy(input.value.0))
}

#[parameters]
pub(crate) struct Branch<'a> {
    /// The value; where it is looked at as a text, a list or map is one of JSON.
    #[serde(default)]
    value: Any<'a>,
    /// `is_truthy`, `is_empty`, `equals`, `not_equals`, `contains`, `starts_with`, `ends_with` or `regex`.
    #[serde(default)]
    #[schemars(extend("default" = "is_truthy"), length(max = 20))]
    mode: Option<&'a str>,
    /// What to compare with, as text.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    compare: Text<'a>,
}

/// Compares a value in one of several ways.
#[node(
    id = "utils.branchCondition",
    aliases = ["utils.branch_condition"],
    effect = "pure",
    tags = ["boolean", "text"],
    example(title = "truth", input = r#"{"value": "x"}"#, output = r#"{"result": true}"#),
    example(
        title = "a pattern",
        input = r#"{"value": "2 tests FAILED", "mode": "regex", "compare": "(FAILED|ERROR)"}"#,
        output = r#"{"result": true}"#
    )
)]
pub(crate) fn branch_condition(input: Branch<'_>) -> NodeResult<Answer<bool>> {
    let value = input.value.0;
    let compare = &*input.compare.0;
    let mode = input.mode.unwrap_or("is_truthy");
    let result = match mode {
        "is_truthy" | "isTruthy" => truthy(value),
        "is_empty" | "isEmpty" => is_empty(value),
        "not_equals" | "notEquals" => text_or_json(value) != compare,
        mode => match Pattern::of(mode, compare, "compare")? {
            Some(mut pattern) => pattern.fits(&text_or_json(value))?,
            None => {
                let known =
                    "`is_truthy`, `is_empty`, `equals`, `not_equals`, `contains`, `starts_with`, `ends_with`";
                return Err(NodeError::invalid(
                    "mode",
                    format_args!("must be one of {known} and `regex`"),
                ));
            }
        },
    };
    Ok(answer(result))
}

/// Whether there is nothing in it.
fn is_empty(value: ValueRef<'_>) -> bool {
    match (value.as_list(), value.as_map()) {
        (Some(list), _) => list.is_empty(),
        (_, Some(map)) => map.is_empty(),
        _ => !truthy(value),
    }
}

#[parameters]
pub(crate) struct FilterList<'a> {
    /// The list; an item that is no text is looked at as one.
    #[serde(default)]
    items: List<'a>,
    /// `contains`, `equals`, `starts_with`, `ends_with` or `regex`.
    #[serde(default)]
    #[schemars(extend("default" = "contains"), length(max = 20))]
    mode: Option<&'a str>,
    /// What to look for.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    pattern: Text<'a>,
}

/// List of a list.
#[output]
pub(crate) struct Kept<'a> {
    /// The items.
    items: Vec<Any<'a>>,
}

/// Keeps the items that a pattern fits.
#[node(
    id = "utils.filterList",
    aliases = ["utils.filter_list"],
    effect = "pure",
    tags = ["list", "text"],
    example(
        title = "a pattern",
        input = r#"{"items": ["a.py", "b.rs"], "mode": "regex", "pattern": "\\.py$"}"#,
        output = r#"{"items": ["a.py"]}"#
    ),
    example(title = "a part", input = r#"{"items": ["ab", "cd", 5], "pattern": "b"}"#, output = r#"{"items": ["ab"]}"#)
)]
pub(crate) fn filter_list<'a>(input: FilterList<'a>, ctx: &Ctx<'_>) -> NodeResult<Kept<'a>> {
    let pattern = Pattern::of(input.mode.unwrap_or("contains"), &input.pattern.0, "pattern")?;
    let wrong = || {
        let known = "`contains`, `equals`, `starts_with`, `ends_with` and `regex`";
        NodeError::invalid("mode", format_args!("must be one of {known}"))
    };
    let mut pattern = pattern.ok_or_else(wrong)?;
    let mut items = Vec::new();
    for item in input.items.iter() {
        ctx.check()?;
        if pattern.fits(&text_or_json(item))? {
            items.push(Any(item));
        }
    }
    Ok(Kept { items })
}

#[parameters]
pub(crate) struct MapList<'a> {
    /// The list.
    #[serde(default)]
    items: List<'a>,
    /// A text with `{item}` where the item belongs.
    #[serde(default)]
    #[schemars(extend("default" = "{item}"))]
    template: Option<Text<'a>>,
}

/// Texts made of a list.
#[output]
pub(crate) struct Texts {
    /// The texts.
    items: Vec<String>,
}

/// Writes each item of a list into a text.
#[node(
    id = "utils.mapList",
    aliases = ["utils.map_list"],
    effect = "pure",
    tags = ["list", "text", "template"],
    example(
        title = "a prefix",
        input = r#"{"items": ["tick_start", "tick_end"], "template": "Tick: {item}"}"#,
        output = r#"{"items": ["Tick: tick_start", "Tick: tick_end"]}"#
    ),
    example(title = "numbers", input = r#"{"items": [1, 2.0]}"#, output = r#"{"items": ["1", "2"]}"#)
)]
pub(crate) fn map_list(input: MapList<'_>) -> NodeResult<Texts> {
    let template = input.template.as_ref().map_or("{item}", |template| &*template.0);
    let mut items = Vec::new();
    // Bounds all of them together.
    let mut whole = 0_usize;
    for item in input.items.iter() {
        let mut text = Growing::after(whole);
        let item = text_or_json(item);
        for (place, part) in template.split("{item}").enumerate() {
            if place > 0 {
                text.push(&item, "items")?;
            }
            text.push(part, "template")?;
        }
        let text = text.finish();
        whole += text.len();
        items.push(text);
    }
    Ok(Texts { items })
}

#[parameters]
pub(crate) struct ReduceList<'a> {
    /// The list.
    #[serde(default)]
    items: List<'a>,
    /// What to put between the items; `\n` and `\t` stand for the end of a line and a tab.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    separator: Text<'a>,
}

/// Joins the items of a list to one text.
#[node(
    id = "utils.reduceList",
    aliases = ["utils.reduce_list"],
    effect = "pure",
    tags = ["list", "text"],
    example(
        title = "lines",
        input = r#"{"items": ["a", "b"], "separator": "\\n"}"#,
        output = r#"{"result": "a\nb"}"#
    ),
    example(title = "numbers", input = r#"{"items": [1, null, true]}"#, output = r#"{"result": "1true"}"#)
)]
pub(crate) fn reduce_list(input: ReduceList<'_>) -> NodeResult<Answer<String>> {
    let separator = input.separator.0.replace("\\n", "\n").replace("\\t", "\t");
    let mut out = Growing::default();
    for (place, item) in input.items.iter().enumerate() {
        if place > 0 {
            out.push(&separator, "separator")?;
        }
        out.push(&text_or_json(item), "items")?;
    }
    Ok(answer(out.finish()))
}
