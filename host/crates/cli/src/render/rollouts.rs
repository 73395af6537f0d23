//! Rollouts: a list, one in full, one line for each change; and policies.

use patchbay_wire::{EvidenceView, LeftOutView, PolicyView, RevisionRef, RolloutView};
use serde_json::Value as Json;

use super::{facts, indented, push_column, render_table};
use crate::clock::{stamp, uptime};
use crate::streams::Layout;
use crate::text;

const LONGEST_CELL: usize = 100;
const LONGEST_POLICY: usize = 300;
/// Evidence that is listed of a rollout: the end of it.
const LISTED: usize = 40;

/// `1.2.0 (r2)`.
pub(super) fn named(revision: &RevisionRef) -> String {
    format!("{} (r{})", revision.version, revision.revision)
}

/// `5 %`, `2.5 %`.
pub(super) fn percent(weight: f64) -> String {
    let rounded = (weight * 100.0).round() / 100.0;
    format!("{rounded} %")
}

/// `2/4`, or nothing outside of a canary.
fn step(view: &RolloutView) -> String {
    match (view.step, view.steps) {
        (Some(step), steps) => format!("{step}/{steps}"),
        (None, _) => String::new(),
    }
}

fn way(view: &RolloutView) -> String {
    match &view.from {
        Some(from) => format!("{} -> {}", named(from), named(&view.to)),
        None => named(&view.to),
    }
}

pub(crate) fn rollouts(views: &[RolloutView], layout: Layout) -> String {
    if views.is_empty() {
        return "no rollouts\n".into();
    }
    let mut rows: Vec<_> = views
        .iter()
        .map(|view| {
            vec![
                view.id.clone(),
                view.plugin.to_string(),
                way(view),
                view.phase.clone(),
                step(view),
                percent(view.weight),
                stamp(view.started_at),
                view.actor.clone(),
            ]
        })
        .collect();
    let mut header = vec![
        "rollout", "plugin", "versions", "phase", "step", "weight", "began", "by",
    ];
    let next = views
        .iter()
        .map(|view| view.next_at.map(stamp).unwrap_or_default());
    push_column(&mut header, &mut rows, "goes on", next.collect());
    let messages = views.iter().map(|view| text::cut(&view.message, LONGEST_CELL));
    push_column(&mut header, &mut rows, "message", messages.collect());
    render_table(&header, &rows, layout)
}

pub(crate) fn rollout(view: &RolloutView, layout: Layout) -> String {
    let mut out = facts(&[
        ("rollout", view.id.clone()),
        ("plugin", view.plugin.to_string()),
        ("versions", way(view)),
        ("policy", policy_line(&view.policy)),
        ("phase", view.phase.clone()),
        ("step", step(view)),
        ("weight", percent(view.weight)),
        ("message", view.message.clone()),
        ("began", stamp(view.started_at)),
        ("changed", stamp(view.changed_at)),
        ("goes on", view.next_at.map(stamp).unwrap_or_default()),
        ("by", view.actor.clone()),
        ("reason", view.reason.clone()),
    ]);
    out.push_str(&left_out(&view.left_out, "left out"));
    let hidden = view.evidence.len().saturating_sub(LISTED);
    let listed = view.evidence.get(hidden..).unwrap_or_default();
    if listed.is_empty() {
        return out;
    }
    let rows: Vec<_> = listed
        .iter()
        .map(|one| vec![stamp(one.at), one.kind.clone(), seen(&one.body)])
        .collect();
    out.push('\n');
    if hidden > 0 {
        out.push_str(&format!(
            "{hidden} earlier ones are not listed; --json has them\n"
        ));
    }
    out.push_str(&render_table(
        &["when", "evidence", "what was seen"],
        &rows,
        layout,
    ));
    out
}

/// Node types that are not tried, below a title.
pub(super) fn left_out(nodes: &[LeftOutView], title: &str) -> String {
    if nodes.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{title}:\n");
    for node in nodes {
        out.push_str(&format!("  {}: {}\n", node.node_type, text::line(&node.why)));
    }
    out
}

/// How a rollout stands, as one line.
pub(crate) fn rollout_line(view: &RolloutView) -> String {
    let step = match step(view).as_str() {
        "" => String::new(),
        step => format!(" step {step}"),
    };
    let mut out = format!(
        "{}  {}  {}{step}  {}",
        text::line(&view.id),
        way(view),
        text::line(&view.phase),
        percent(view.weight)
    );
    if !view.message.is_empty() {
        out.push_str(&format!("  {}", text::line(&view.message)));
    }
    out
}

/// What an order about a rollout came to.
pub(crate) fn rollout_told(view: &RolloutView) -> String {
    let line = rollout_line(view);
    if view.changed {
        line
    } else {
        format!("{line}\nnothing has changed: it stood like this already")
    }
}

/// What changed in a rollout, with what was seen since the last time.
pub(crate) fn rollout_change(view: &RolloutView, evidence: &[EvidenceView]) -> String {
    let mut out = String::new();
    let hidden = evidence.len().saturating_sub(LISTED);
    for one in evidence.get(hidden..).unwrap_or_default() {
        let kind = text::line(&one.kind);
        out.push_str(&format!("{}    {kind}: {}\n", stamp(one.at), seen(&one.body)));
    }
    out.push_str(&format!("{}  {}\n", stamp(view.changed_at), rollout_line(view)));
    out
}

/// A piece of evidence in a few words; JSON when it is of no known shape.
fn seen(body: &Json) -> String {
    let known = decision(body)
        .or_else(|| compared(body))
        .or_else(|| difference(body))
        .or_else(|| check(body.get("check").unwrap_or(body)));
    text::cut(&known.unwrap_or_else(|| short(body)), LONGEST_POLICY)
}

/// `step 1 -> step 2: the time is over (by ann)`.
fn decision(body: &Json) -> Option<String> {
    let (from, to) = (phase(body.get("from")?), phase(body.get("to")?));
    let why = body.get("why").and_then(Json::as_str).unwrap_or_default();
    let by = body.get("by").and_then(Json::as_str);
    let by = by.map(|by| format!(" (by {by})")).unwrap_or_default();
    Some(format!("{from} -> {to}: {why}{by}"))
}

fn phase(phase: &Json) -> String {
    if let Some(step) = phase.get("step").and_then(Json::as_u64) {
        return format!("step {}", step.saturating_add(1));
    }
    let word = phase.as_str().map(str::to_owned);
    let named = || phase.as_object()?.keys().next().cloned();
    word.or_else(named).unwrap_or_else(|| short(phase))
}

/// `3 of 100 answers differ, and 0 may`.
fn compared(body: &Json) -> Option<String> {
    let number = |name: &str| body.get(name).and_then(Json::as_u64);
    let (compared, differing) = (number("compared")?, number("differing")?);
    let allowed = number("allowed").map(|allowed| format!(", and {allowed} may"));
    Some(format!(
        "{differing} of {compared} answers differ{}",
        allowed.unwrap_or_default()
    ))
}

/// `/total: 12 became 13`.
fn difference(body: &Json) -> Option<String> {
    let path = body.get("path")?.as_str()?;
    let side = |name: &str| match body.get(name) {
        None | Some(Json::Null) => "nothing".to_owned(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => short(other),
    };
    Some(format!("{path}: {} became {}", side("stable"), side("candidate")))
}

/// `fail, 120 calls against 2000; errorRate 0.2 against 0.01 (at most 0.02): fail`.
fn check(body: &Json) -> Option<String> {
    let mut said = body
        .get("verdict")
        .or_else(|| body.get("message"))?
        .as_str()?
        .to_owned();
    let calls = |name: &str| body.get(name).and_then(Json::as_u64);
    if let (Some(candidate), Some(stable)) = (calls("candidateCalls"), calls("stableCalls")) {
        said.push_str(&format!(", {candidate} calls against {stable}"));
    }
    let findings = body
        .get("findings")
        .and_then(Json::as_array)
        .into_iter()
        .flatten();
    for finding in findings.filter_map(finding) {
        said.push_str("; ");
        said.push_str(&finding);
    }
    Some(said)
}

/// `errors 2 % against 1 %: pass`, `p95 69.6 us against 63.5 us (at most 1.5 times as long): pass`.
fn finding(finding: &Json) -> Option<String> {
    let (name, unit) = metric(finding.get("metric")?);
    let value = |name: &str| finding.get(name).filter(|value| !value.is_null());
    let shown = |name: &str| value(name).map(|value| unit.shown(value));
    let mut out = name;
    if let Some(candidate) = shown("candidate") {
        out.push_str(&format!(" {candidate}"));
    }
    if let Some(stable) = shown("stable") {
        out.push_str(&format!(" against {stable}"));
    }
    if let Some(limit) = value("limit") {
        out.push_str(&format!(" (at most {})", unit.limit(limit)));
    }
    match finding.get("verdict").and_then(Json::as_str) {
        Some("noData") => Some(format!("{out}: too few")),
        Some(verdict) => Some(format!("{out}: {}", text::line(verdict))),
        None => Some(out),
    }
}

/// What a metric counts in.
#[derive(Clone, Copy)]
enum Unit {
    Share,
    Nanos,
    Plain,
}

fn metric(metric: &Json) -> (String, Unit) {
    if let Some(quantile) = metric.get("latency").and_then(Json::as_f64) {
        return (format!("p{}", (quantile * 10_000.0).round() / 100.0), Unit::Nanos);
    }
    match metric.as_str() {
        Some("errorRate") => ("errors".to_owned(), Unit::Share),
        Some("errorRateIncrease") => ("errors, the increase of".to_owned(), Unit::Share),
        Some(name) => (text::line(name), Unit::Plain),
        None => (short(metric), Unit::Plain),
    }
}

impl Unit {
    fn shown(self, value: &Json) -> String {
        match (self, value.as_f64()) {
            (Self::Share, Some(share)) => format!("{} %", (share * 10_000.0).round() / 100.0),
            (Self::Nanos, Some(nanos)) if nanos < 1e3 => format!("{nanos} ns"),
            (Self::Nanos, Some(nanos)) if nanos < 1e6 => format!("{:.1} us", nanos / 1e3),
            (Self::Nanos, Some(nanos)) if nanos < 1e9 => format!("{:.1} ms", nanos / 1e6),
            (Self::Nanos, Some(nanos)) => format!("{:.1} s", nanos / 1e9),
            (Self::Plain, _) | (_, None) => short(value),
        }
    }

    fn limit(self, limit: &Json) -> String {
        match self {
            Self::Nanos => format!("{} times as long", short(limit)),
            Self::Share | Self::Plain => self.shown(limit),
        }
    }
}

/// JSON on one line; long fractions are cut, since nobody reads sixteen digits.
fn short(value: &Json) -> String {
    match value.as_f64().filter(|_| value.is_f64()) {
        Some(number) => format!("{}", (number * 10_000.0).round() / 10_000.0),
        None => text::json(&value.to_string()),
    }
}

/// What a policy says, in the order in which it matters; whatever else there is comes behind.
const TOLD: [&str; 12] = [
    "steps",
    "sample",
    "last",
    "calls",
    "pause",
    "sticky",
    "bakeMs",
    "ignore",
    "deadlineMs",
    "onDeadline",
    "then",
    "analysis",
];

/// A policy as one line: its kind, and what it says.
pub(super) fn policy_line(policy: &Json) -> String {
    text::cut(&kind_line(policy), LONGEST_POLICY)
}

fn kind_line(policy: &Json) -> String {
    if let Some(word) = policy.as_str() {
        return word.to_owned();
    }
    let mut kinds = policy.as_object().into_iter().flatten();
    let (Some((kind, Json::Object(fields))), None) = (kinds.next(), kinds.next()) else {
        return short(policy);
    };
    let place = |name: &str| TOLD.iter().position(|told| *told == name);
    let mut fields: Vec<_> = fields.iter().collect();
    // The analysis comes last in any case: it is long.
    fields.sort_by_key(|(name, _)| match place(name) {
        Some(at) if *name == "analysis" => (2, at),
        Some(at) => (0, at),
        None => (1, 0),
    });
    let fields = fields
        .into_iter()
        .map(|(name, value)| match name.strip_suffix("Ms") {
            Some(name) => format!("{name} {}", time(value)),
            None => format!("{name} {}", piece(name, value)),
        });
    format!("{kind}: {}", fields.collect::<Vec<_>>().join(", "))
}

/// What a policy says of one thing.
fn piece(name: &str, value: &Json) -> String {
    match (name, value) {
        ("then", then) => format!("({})", kind_line(then)),
        ("pause", Json::Array(each)) => each.iter().map(pause).collect::<Vec<_>>().join(" "),
        ("pause", pause_of_all) => pause(pause_of_all),
        (_, Json::Array(items)) => items.iter().map(word).collect::<Vec<_>>().join(" "),
        (_, value) => word(value),
    }
}

fn pause(pause: &Json) -> String {
    pause.get("afterMs").map_or_else(|| word(pause), time)
}

fn word(value: &Json) -> String {
    value.as_str().map_or_else(|| short(value), str::to_owned)
}

/// Milliseconds, as somebody would say them.
fn time(value: &Json) -> String {
    match value.as_u64() {
        Some(millis) if millis >= 1_000 && millis % 1_000 == 0 => uptime(millis),
        _ => format!("{} ms", short(value)),
    }
}

/// The policy of a plugin, and where it comes from.
pub(crate) fn policy(view: &PolicyView) -> String {
    let from = match view.source.as_str() {
        "api" => "set by an order",
        "file" => "from the configuration file",
        "default" => "the standard",
        other => other,
    };
    let text = serde_json::to_string_pretty(&view.policy).unwrap_or_default();
    format!(
        "{} ({}):\n{}",
        view.plugin,
        text::line(from),
        indented(&text::json(&text), 2)
    )
}
