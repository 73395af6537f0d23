//! What it costs a run that one of its plugins is not the live version.

use patchbay::{Order, PinScope, PluginName, RunOrder, Selector};

use super::super::measure::{Subject, alternate};
use super::super::report::Report;
use super::super::stage::{Stage, drop_in, variant};
use super::super::{BenchError, Effort};
use super::document::{Draft, Keep};
use super::runner::{Runner, order};
use super::swapping::two_revisions;

/// Nodes of the document.
const NODES: usize = 10;
/// The first revision of each plugin.
const FIRST: &str = "r1";

fn workload(name: &str) -> Result<RunOrder, BenchError> {
    let mut draft = Draft::new(Keep::Nothing);
    for at in 0..NODES {
        draft.node("string.upper", r#"{"value":"{{ $json.name }}"}"#);
        if at > 0 {
            draft.edge(at - 1, at);
        }
    }
    order(draft.text(name), r#"{"name":"ada"}"#)
}

pub(super) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    let host = stage.host(&["test", "string"], 4)?;
    let plugin: PluginName = "string".parse().map_err(BenchError::new)?;
    drop_in(&host.plugins, "string.so", &variant(&stage.bytes("string")?, 1))?;
    let [_, second] = two_revisions(&host.patchbay, &plugin)?;
    host.patchbay
        .promote(
            &plugin,
            &Selector::Revision(second),
            Order::by("bench", "a figure"),
        )
        .map_err(BenchError::new)?;
    let runner = Runner::on(&host.patchbay);
    let live = workload("live")?;
    let mut ordered = live.clone();
    ordered.versions.insert(plugin.clone(), FIRST.to_owned());
    let pinned = workload("pinned")?;
    let scope = PinScope {
        tenant: None,
        workflow: Some("pinned".parse().map_err(BenchError::new)?),
    };
    let first: Selector = FIRST.parse().map_err(BenchError::new)?;
    host.patchbay
        .pin(&plugin, &first, scope, Order::by("bench", "a figure"))
        .map_err(BenchError::new)?;
    let last = format!("n{}", NODES - 1);
    for order in [&live, &ordered, &pinned] {
        runner.check(order, &last, r#"{"result":"ADA"}"#)?;
    }
    let rows = alternate(
        vec![
            Subject::new("a run on what is live", || runner.once(&live)),
            Subject::new("one with a pinned version", || runner.once(&pinned)),
            Subject::new("one with a version it is ordered with", || runner.once(&ordered)),
        ],
        effort,
    );
    runner.verdict()?;
    Ok(Report {
        subject: "workflow, versions that are not live: 10 nodes in a row, one run after the other",
        rows,
        notes: Vec::new(),
    })
}
