//! How often caches have what is asked for, over a mix of workflows.

use std::time::Instant;

use patchbay::{CachesView, Order, Patchbay, PluginName, RunOrder, Selector};

use super::super::measure::median;
use super::super::report::{Report, Row};
use super::super::stage::{Stage, drop_in, variant};
use super::super::{BenchError, Effort};
use super::document::{Draft, Keep};
use super::runner::{PATIENCE, Runner, order};
use super::swapping::two_revisions;

const PLUGINS: [&str; 6] = ["test", "string", "math", "logic", "list", "rate_limiter"];
/// Workflows in the mix.
const WORKFLOWS: usize = 20;
/// Runs that are under way at the same time.
const AT_ONCE: usize = 20;
const BUDGET: f64 = 0.95;

/// One of the mix: some nodes are cheap, one keeps state, one takes long enough for its result to be kept.
fn sample(number: usize) -> Result<RunOrder, BenchError> {
    let mut draft = Draft::new(Keep::All);
    let text = "a text that takes a while to go through, ".repeat(4_000);
    let mut nodes = vec![
        (
            "test.echo",
            format!(r#"{{"greeting":"{{{{ $json.name }}}}","number":{number}}}"#),
        ),
        (
            "string.upper",
            r#"{"value":"{{ $steps.n0.greeting }}"}"#.to_owned(),
        ),
        (
            "math.add",
            format!(r#"{{"values":["{{{{ $json.count }}}}",{number}]}}"#),
        ),
    ];
    if number.is_multiple_of(2) {
        nodes.push((
            "rate-limiter",
            format!(r#"{{"operationType":"op-{number}","accountId":"ada","customLimit":1000000,"resetWindowMs":1000}}"#),
        ));
    }
    if number % 4 == 1 {
        nodes.push(("string.upper", format!(r#"{{"value":"{text}{number}"}}"#)));
    }
    if number % 4 == 3 {
        nodes.push(("list.reverse", r#"{"array":[1,2,3]}"#.to_owned()));
        nodes.push(("logic.gt", r#"{"a":"{{ $steps.n2.result }}","b":1}"#.to_owned()));
    }
    nodes.push((
        "test.echo",
        r#"{"name":"{{ $steps.n1.result }}","total":"{{ $steps.n2.result }}"}"#.to_owned(),
    ));
    for (at, (node_type, parameters)) in nodes.iter().enumerate() {
        draft.node(node_type, parameters);
        if at > 0 {
            draft.edge(at - 1, at);
        }
    }
    order(
        draft.text(&format!("sample-{number}")),
        r#"{"name":"ada","count":41}"#,
    )
}

pub(super) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    let runs = match effort {
        Effort::Quick => 1_000,
        Effort::Full => 10_000,
    };
    let host = stage.host(&PLUGINS, 1)?;
    // Some of the runs are on another version than the live one.
    let string: PluginName = "string".parse().map_err(BenchError::new)?;
    drop_in(&host.plugins, "string.so", &variant(&stage.bytes("string")?, 1))?;
    let [_, second] = two_revisions(&host.patchbay, &string)?;
    host.patchbay
        .promote(
            &string,
            &Selector::Revision(second),
            Order::by("bench", "a figure"),
        )
        .map_err(BenchError::new)?;
    let runner = Runner::on(&host.patchbay);
    let mix: Result<Vec<_>, _> = (0..WORKFLOWS).map(sample).collect();
    let mut mix = mix?;
    for order in mix.iter_mut().step_by(5) {
        order.versions.insert(string.clone(), "r1".to_owned());
    }
    let mut rates = Vec::new();
    for _ in 0..runs / (WORKFLOWS * AT_ONCE) {
        let begin = Instant::now();
        for order in &mix {
            runner.many(order, AT_ONCE);
        }
        rates.push((WORKFLOWS * AT_ONCE) as f64 / begin.elapsed().as_secs_f64());
    }
    host.patchbay.sync_runs(PATIENCE).map_err(BenchError::new)?;
    runner.verdict()?;
    let (rows, low) = rates_of(&host.patchbay);
    let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let mut notes = vec![
        format!(
            "{} runs, {:.0} a second at the median, {least:.0} in the slowest round; the first run of each workflow finds \
             nothing",
            rates.len() * WORKFLOWS * AT_ONCE,
            median(rates.clone())
        ),
        match low.is_empty() {
            true => format!("every cache has more than {:.0} % (budget)", BUDGET * 100.0),
            false => format!("under {:.0} %: {}", BUDGET * 100.0, low.join(", ")),
        },
    ];
    notes.extend(details(&host.patchbay.caches()));
    Ok(Report {
        subject: "workflow, caches: hits among all look-ups, over a mix of 20 workflows",
        rows,
        notes,
    })
}

/// The hit rate of each cache, and the names of those that miss the budget.
fn rates_of(host: &Patchbay) -> (Vec<Row>, Vec<String>) {
    let caches = host.caches().caches;
    let row = |cache: &patchbay::CacheView| {
        let percent = cache.hit_rate.map(|rate| rate * 100.0)?;
        Some(Row::plain(&cache.name, percent, percent, "%"))
    };
    let low = caches
        .iter()
        .filter(|cache| cache.hit_rate.is_none_or(|rate| rate <= BUDGET));
    (
        caches.iter().filter_map(row).collect(),
        low.map(|cache| cache.name.clone()).collect(),
    )
}

fn details(view: &CachesView) -> Vec<String> {
    let line = |cache: &patchbay::CacheView| {
        format!(
            "{}: {} hits, {} misses, {} entries, {} let go",
            cache.name, cache.hits, cache.misses, cache.entries, cache.evictions
        )
    };
    view.caches.iter().map(line).collect()
}
