//! The manual page of a node.

use patchbay_wire::{Capability, Effect, NodeView};
use serde_json::{Value as Json, json};

use super::joined;
use super::page::{Page, columns};
use super::schema::{self, Field};
use crate::streams::Layout;
use crate::text;

/// Nodes named at the end.
const MOST_RELATED: usize = 12;
/// Characters of an output that are shown.
const MOST_SHOWN: usize = 2_000;

/// The page of `node`; `others` are the nodes there are, as far as they are known.
pub(crate) fn manual(node: &NodeView, others: &[NodeView], layout: Layout) -> String {
    let mut page = Page::new(columns(layout));
    page.title("NAME");
    let names = std::iter::once(&node.node_type).chain(&node.aliases);
    let names = names.map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match sentence(&node.description) {
        "" => page.prose(1, &names),
        what => page.prose(1, &format!("{names} - {what}")),
    }
    page.title("SYNOPSIS");
    synopsis(node, &mut page);
    if !node.description.is_empty() {
        page.title("DESCRIPTION");
        page.prose(1, &node.description);
    }
    page.title("PARAMETERS");
    fields(
        &schema::fields(&node.parameters, &node.required),
        "none",
        &mut page,
    );
    if configurable(&node.config) {
        page.title("CONFIGURATION");
        value(&node.config, &mut page);
    }
    page.title("RESULT");
    value(&node.result, &mut page);
    page.title("EFFECT");
    effect(node, &mut page);
    reach(node, &mut page);
    page.title("ERRORS");
    errors(node, &mut page);
    page.title("EXAMPLES");
    examples(node, &mut page);
    page.title("PLUGIN");
    plugin(node, &mut page);
    see_also(node, others, &mut page);
    page.finish()
}

/// The first sentence of a description, without its full stop.
fn sentence(description: &str) -> &str {
    let paragraph = description.split("\n\n").next().unwrap_or_default();
    let end = [". ", ".\n"].iter().filter_map(|end| paragraph.find(end)).min();
    let sentence = end.map_or(paragraph, |end| &paragraph[..end]);
    sentence.trim().trim_end_matches('.')
}

/// A call on the command line, and the node in a workflow; both can be copied.
fn synopsis(node: &NodeView, page: &mut Page) {
    let shortest = node
        .examples
        .iter()
        .min_by_key(|example| example.input.to_string().len());
    let input = shortest.map_or_else(
        || schema::sample(&node.parameters),
        |example| example.input.clone(),
    );
    page.verbatim(1, &call(node, &input));
    page.gap();
    page.prose(1, "In a workflow:");
    page.gap();
    let id = node.node_type.as_str().rsplit('.').next().unwrap_or_default();
    let written = json!(input);
    page.verbatim(
        1,
        &format!(
            "{{\"id\": {}, \"type\": {}, \"parameters\": {}}}",
            json!(id),
            json!(node.node_type.as_str()),
            text::json(&written.to_string())
        ),
    );
}

/// A call as a line for a POSIX shell.
fn call(node: &NodeView, input: &Json) -> String {
    let mut line = format!("patchbay call {} {}", node.node_type, quoted(input));
    if node
        .config
        .get("required")
        .and_then(Json::as_array)
        .is_some_and(|names| !names.is_empty())
    {
        line.push_str(&format!(" --config {}", quoted(&schema::sample(&node.config))));
    }
    line
}

/// JSON as one word of a shell.
fn quoted(json: &Json) -> String {
    format!("'{}'", text::json(&json.to_string()).replace('\'', r"'\''"))
}

/// Whether there is anything to configure: the schema of nothing, or of null alone, says that there is not.
fn configurable(schema: &Json) -> bool {
    !schema.is_null() && schema.get("type").is_none_or(|kind| kind != "null")
}

fn fields(fields: &[Field], none: &str, page: &mut Page) {
    if fields.is_empty() {
        page.prose(1, none);
    }
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            page.gap();
        }
        let steps = 1 + field.depth;
        let mut head = format!("{}: {}", field.name, field.kind);
        if field.required {
            head.push_str(", required");
        } else if !field.default.is_empty() {
            head.push_str(&format!(", default {}", field.default));
        }
        for bound in &field.bounds {
            head.push_str(&format!(", {bound}"));
        }
        page.term(steps, &head);
        page.prose(steps + 1, &field.description);
        for (choice, why) in &field.choices {
            page.prose(steps + 1, &format!("* {choice}: {why}"));
        }
        if field.evaluated {
            page.prose(steps + 1, "The node itself evaluates what stands in it.");
        }
        if !field.aliases.is_empty() {
            let names: Vec<_> = field.aliases.iter().map(|name| format!("`{name}`")).collect();
            page.prose(steps + 1, &format!("Also read as {}.", names.join(", ")));
        }
    }
}

/// A result or a configuration: what it is, then its fields.
fn value(schema: &Json, page: &mut Page) {
    let (kind, said) = schema::summary(schema);
    let inner: Vec<Field> = schema::fields(schema, &[])
        .into_iter()
        // What a result holds, it holds: only a default or a bound is news.
        .map(|field| Field {
            required: false,
            ..field
        })
        .collect();
    match (inner.is_empty(), said.is_empty()) {
        (_, false) => page.prose(1, &format!("{kind}: {said}")),
        (true, true) => page.prose(1, &kind),
        (false, true) => {}
    }
    if !inner.is_empty() {
        if !said.is_empty() {
            page.gap();
        }
        fields(&inner, "", page);
    }
}

fn effect(node: &NodeView, page: &mut Page) {
    page.prose(
        1,
        match node.effect {
            Effect::Pure => {
                "Pure: it changes nothing, and the same parameters give the same result. Results may be remembered."
            }
            Effect::Idempotent => {
                "Idempotent: it may change something, or give another result at another time; to do it twice is the same as to do it once."
            }
            Effect::Effectful => "Effectful: it does something to the world each time. A replay does it again.",
        },
    );
    if node.stateful {
        page.prose(
            1,
            "It keeps state between calls: each tenant has an instance for each configuration, and a swap hands its state over.",
        );
    }
    if node.is_async {
        page.prose(1, "It waits without holding a thread.");
    }
    if let Some(limit) = node.timeout_ms {
        page.prose(
            1,
            &format!("A call may take {limit} ms when its caller does not say how long."),
        );
    }
    if node.experimental {
        page.prose(1, "It is experimental: it may change without a major version.");
    }
}

/// What it may reach, and what has to be set for it.
fn reach(node: &NodeView, page: &mut Page) {
    if !node.capabilities.is_empty() {
        page.title("CAPABILITIES");
        for capability in &node.capabilities {
            page.prose(
                1,
                match capability {
                    Capability::Network => "network: it makes connections.",
                    Capability::Fs => "fs: it reads or writes files.",
                    Capability::Secrets => "secrets: it reads secrets of the tenant, by the names below.",
                },
            );
        }
    }
    let Some(first) = node.secrets.first() else {
        return;
    };
    page.title("SECRETS");
    for secret in &node.secrets {
        match secret.strip_suffix("_*") {
            Some(prefix) => page.prose(1, &format!("{prefix}_..., any name that begins like this")),
            None => page.prose(1, secret),
        }
    }
    page.gap();
    page.prose(
        1,
        "Set for a tenant in patchbay.toml, from the environment or a file:",
    );
    page.gap();
    let name = first.replace('*', "MAIN");
    page.verbatim(1, "[tenants.acme.secrets]");
    page.verbatim(1, &text::line(&format!("{name} = {{ env = \"{name}\" }}")));
}

/// The codes that follow from what the node says of itself.
fn errors(node: &NodeView, page: &mut Page) {
    let mut codes: Vec<(&str, String)> = Vec::new();
    if node.parameters.get("properties").is_some() {
        codes.push((
            "VALIDATION_FAILED",
            "a parameter is missing, of another type, or out of range; the message names it".into(),
        ));
    }
    if !node.secrets.is_empty() {
        codes.push((
            "CREDENTIAL_MISSING",
            "the tenant lacks a secret that is needed".into(),
        ));
    }
    if node
        .capabilities
        .iter()
        .any(|reach| *reach != Capability::Secrets)
    {
        codes.push(("NOT_ALLOWED", "the tenant's settings do not permit it".into()));
    }
    if let Some(limit) = node.timeout_ms {
        codes.push((
            "TIMEOUT",
            format!("it took longer than {limit} ms, or than its caller allowed"),
        ));
    }
    codes.push((
        "EXECUTION_ERROR",
        "it cannot give its result; the message says why".into(),
    ));
    for (code, why) in codes {
        page.prose(1, &format!("- {code}: {why}"));
    }
}

/// Each example as a line for a POSIX shell, with its result below.
fn examples(node: &NodeView, page: &mut Page) {
    if node.examples.is_empty() {
        page.prose(1, "none");
    }
    for (at, example) in node.examples.iter().enumerate() {
        if at > 0 {
            page.gap();
        }
        if !example.title.is_empty() {
            page.verbatim(1, &format!("# {}", text::line(&example.title)));
        }
        page.verbatim(1, &call(node, &example.input));
        if !example.output.is_null() {
            let output = text::json(&example.output.to_string());
            page.verbatim(1, &text::cut(&output, MOST_SHOWN));
        }
    }
}

fn plugin(node: &NodeView, page: &mut Page) {
    let needs: Vec<_> = node
        .dependencies
        .iter()
        .map(|needed| format!("{}@{}", needed.plugin, needed.range))
        .collect();
    let facts = [
        ("plugin", format!("{}@{}", node.plugin, node.version)),
        ("category", node.category.clone()),
        ("tags", node.tags.join(", ")),
        ("author", node.author.clone()),
        ("contract", node.host_api.clone()),
        ("needs", needs.join(", ")),
    ];
    for line in super::facts(&facts).lines() {
        page.verbatim(1, line);
    }
}

/// The nodes of the same category, those with the most tags in common first.
fn see_also(node: &NodeView, others: &[NodeView], page: &mut Page) {
    let shared = |other: &NodeView| other.tags.iter().filter(|tag| node.tags.contains(tag)).count();
    let mut related: Vec<&NodeView> = others
        .iter()
        .filter(|other| other.category == node.category && other.node_type != node.node_type)
        .collect();
    related.sort_by_key(|other| (std::cmp::Reverse(shared(other)), other.node_type.clone()));
    if related.is_empty() {
        return;
    }
    page.title("SEE ALSO");
    let named: Vec<_> = related
        .iter()
        .take(MOST_RELATED)
        .map(|other| &other.node_type)
        .collect();
    page.prose(1, &joined(&named));
    if let Some(more @ 1..) = related.len().checked_sub(MOST_RELATED) {
        page.gap();
        page.prose(
            1,
            &format!(
                "{more} more: patchbay nodes --category {}",
                text::line(&node.category)
            ),
        );
    }
}
