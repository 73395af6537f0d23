//! Nodes whose parameters are computed: paths over the run, and scripts.

use std::hint::black_box;

use patchbay::{RunOrder, Value, ValueRef};
use plugin_api::value::{ValueError, Writer};

use super::super::measure::{Subject, least, median, rounds};
use super::super::report::{Report, Row};
use super::super::stage::Stage;
use super::super::{BenchError, Effort};
use super::document::{Draft, Keep};
use super::runner::{Runner, order};

const NODES: usize = 200;
const TEMPLATES: usize = 10;

const TRIGGER: &str = r#"{"user":{"name":"Ada","address":{"city":"London"}},"items":[{"sku":"x1","n":1},{"sku":"x2","n":2},
    {"sku":"x3","n":3},{"sku":"x4","n":4}],"count":41,"active":true}"#;

/// What the ten templates come to.
const RENDERED: &str = r#"{"a":"Ada","b":"London","c":"x2","d":41,"e":true,"f":"Ada","g":"London","h":41,"i":"x2","j":"Ada of London"}"#;

/// Five paths over what triggered the run, four over nodes before, and a text with two of them.
fn templates(before: usize) -> String {
    format!(
        r#"{{"a":"{{{{ $json.user.name }}}}","b":"{{{{ $json.user.address.city }}}}","c":"{{{{ $json.items[1].sku }}}}",
        "d":"{{{{ $json.count }}}}","e":"{{{{ $json.active }}}}","f":"{{{{ $steps.n{before}.a }}}}",
        "g":"{{{{ $steps.n{before}.b }}}}","h":"{{{{ $steps.n{before}.d }}}}","i":"{{{{ $steps.n0.c }}}}",
        "j":"{{{{ $json.user.name }}}} of {{{{ $steps.n{before}.b }}}}"}}"#
    )
}

const SCRIPT: &str =
    r#"{"large":"{{ $json.items.filter(item => item.n > 1).map(item => item.sku).join('-') }}"}"#;
const SCRIPTED: &str = r#"{"large":"x2-x3-x4"}"#;

/// A chain of `test.echo` whose nodes after the first have these parameters.
fn echoes(name: &str, parameters: impl Fn(usize) -> String) -> Result<RunOrder, BenchError> {
    let mut draft = Draft::new(Keep::Nothing);
    draft.node("test.echo", RENDERED);
    for at in 1..NODES {
        draft.node("test.echo", &parameters(at - 1));
        draft.edge(at - 1, at);
    }
    order(draft.text(name), TRIGGER)
}

pub(super) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    let host = stage.host_with(&["test"], |config| config.workflows.threads = 1)?;
    let runner = Runner::on(&host.patchbay);
    let fixed = echoes("fixed", |_| RENDERED.to_owned())?;
    let paths = echoes("paths", templates)?;
    let scripts = echoes("scripts", |_| SCRIPT.to_owned())?;
    let last = format!("n{}", NODES - 1);
    for (order, gives) in [(&fixed, RENDERED), (&paths, RENDERED), (&scripts, SCRIPTED)] {
        runner.check(order, &last, gives)?;
    }
    let trigger = Value::from_json(TRIGGER).map_err(BenchError::new)?;
    let step = Value::from_json(RENDERED).map_err(BenchError::new)?;
    let mut out = Vec::new();
    by_hand(trigger.as_ref(), step.as_ref(), &mut out).map_err(BenchError::new)?;
    if ValueRef::parse(&out).map_err(BenchError::new)?.to_json() != RENDERED {
        return Err(BenchError::new("what is read by hand is not what is rendered"));
    }
    let mut subjects = vec![
        Subject::new("fixed parameters of the same size", || runner.once(&fixed)),
        Subject::new("an object of 10 templates: paths", || runner.once(&paths)),
        Subject::new("a script: filter, map, join", || runner.once(&scripts)),
        Subject::new("the same paths read by hand, no workflow", || {
            for _ in 0..NODES {
                let _ = by_hand(trigger.as_ref(), step.as_ref(), &mut out);
            }
        }),
    ];
    let nanos = rounds(&mut subjects, effort);
    let names: Vec<_> = subjects.iter().map(|subject| subject.name.clone()).collect();
    drop(subjects);
    runner.verdict()?;
    let micros: Vec<Vec<f64>> = nanos
        .iter()
        .map(|nanos| nanos.iter().map(|all| all / 1e3 / NODES as f64).collect())
        .collect();
    let mut rows = Vec::new();
    for (at, (name, mine)) in names.iter().zip(&micros).enumerate() {
        let mut row = Row::plain(name, median(mine.clone()), least(mine), "us/node");
        if at > 0 {
            row.baseline = Some(names[0].clone());
            row.ratio = Some(median(
                mine.iter()
                    .zip(&micros[0])
                    .map(|(mine, base)| mine / base)
                    .collect(),
            ));
        }
        rows.push(row);
    }
    let rendering: Vec<f64> = micros[1]
        .iter()
        .zip(&micros[0])
        .map(|(with, without)| with - without)
        .collect();
    let script: Vec<f64> = micros[2]
        .iter()
        .zip(&micros[0])
        .map(|(with, without)| with - without)
        .collect();
    Ok(Report {
        subject: "workflow, templates: a chain of 200 test.echo, microseconds for one node; one thread, nothing recorded",
        rows,
        notes: vec![
            format!(
                "10 templates take {:.2} us at the median: {:.1} million templates a second, {:.1} times as long as by hand",
                median(rendering.clone()),
                TEMPLATES as f64 / median(rendering.clone()),
                median(
                    rendering
                        .iter()
                        .zip(&micros[3])
                        .map(|(mine, hand)| mine / hand)
                        .collect()
                ),
            ),
            format!(
                "a script takes {:.2} us at the median, {:.2} at the least",
                median(script),
                least(&micros[2]) - least(&micros[0])
            ),
        ],
    })
}

/// What the ten templates do, written by somebody who knows them.
fn by_hand(json: ValueRef<'_>, step: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ValueError> {
    out.clear();
    let (json, step) = (black_box(json), black_box(step));
    let user = || json.get("user");
    let name = || user()?.get("name");
    let paths = [
        ("a", name()),
        ("b", user().and_then(|user| user.get("address")?.get("city"))),
        ("c", json.get("items").and_then(|items| items.at(1)?.get("sku"))),
        ("d", json.get("count")),
        ("e", json.get("active")),
        ("f", step.get("a")),
        ("g", step.get("b")),
        ("h", step.get("d")),
        ("i", step.get("c")),
    ];
    let text = |value: Option<ValueRef<'_>>| value.and_then(|value| value.as_str().map(str::to_owned));
    let joined = [text(name()), text(step.get("b"))]
        .map(Option::unwrap_or_default)
        .join(" of ");
    Writer::new(out).map(|map| {
        for (key, value) in paths {
            map.entry(key, |writer| writer.value(value.unwrap_or(ValueRef::NULL)))?;
        }
        map.entry("j", |writer| writer.str(&joined))
    })
}
