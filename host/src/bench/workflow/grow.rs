//! What a node costs in chains, fans and layers of growing size, beside the same calls without an executor.

use std::hint::black_box;
use std::sync::Arc;

use patchbay::{Call, Output, RunOrder, Session, TenantId, Value, ValueRef};

use plugin_api::value::Writer;

use super::super::measure::{Subject, exponent, least, median, rounds};
use super::super::report::{Report, Row};
use super::super::stage::Stage;
use super::super::{BenchError, Effort};
use super::document::{Cheap, Keep, NOOP, UPPER, chain, fan, layers};
use super::runner::Runner;

/// Calls that one round of a baseline makes: as many as a chain has nodes.
const CALLS: usize = 1_000;
/// Where the executor should be.
const BUDGET_PER_SECOND: f64 = 1e6;

/// A document, and how many nodes it has.
struct Shape {
    name: String,
    nodes: usize,
    order: RunOrder,
}

impl Shape {
    fn new(name: impl Into<String>, nodes: usize, text: Arc<str>) -> Self {
        Self {
            name: name.into(),
            nodes,
            order: RunOrder::of(text),
        }
    }
}

/// Families of documents that differ in size alone.
fn families(cheap: Cheap) -> Vec<(&'static str, Vec<Shape>)> {
    let chains = [10, 100, 1_000, 10_000];
    let chains = chains.map(|n| Shape::new(format!("chain of {n}"), n, chain(cheap, n, Keep::Nothing)));
    let fans = [100, 1_000, 10_000];
    let fans = fans.map(|n| Shape::new(format!("fan-out 1 to {n}"), n + 1, fan(cheap, n)));
    let widths = [10, 100, 1_000];
    let layered = widths.map(|n| Shape::new(format!("layers 10 x {n}"), 10 * n, layers(cheap, 10, n)));
    vec![
        ("chains", chains.into()),
        ("fan-out", fans.into()),
        ("layers", layered.into()),
    ]
}

pub(super) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    // One thread runs nodes: what is measured is one core, as long as nothing is recorded.
    let host = stage.host_with(&["test", "string"], |config| config.workflows.threads = 1)?;
    let runner = Runner::on(&host.patchbay);
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for cheap in [NOOP, UPPER] {
        let families = families(cheap);
        for shape in families.iter().flat_map(|(_, shapes)| shapes) {
            let last = format!("n{}", shape.nodes - 1);
            runner.check(&shape.order, &last, cheap.gives)?;
        }
        let session = host
            .patchbay
            .session(&[cheap.node_type])
            .map_err(BenchError::new)?;
        let nanos = measure(&runner, &session, cheap, &families, effort)?;
        let (calls, boxed, single, mut runs) = (&nanos[0], &nanos[1], &nanos[2], nanos[3..].iter());
        rows.push(row(
            &format!("{}: inside a session, no executor", cheap.node_type),
            calls,
            None,
        ));
        rows.push(row("  the same work behind a Box<dyn Fn>", boxed, Some(calls)));
        rows.push(row("  a run of one node", single, Some(calls)));
        for family in &families {
            let of_family: Vec<&Vec<f64>> = runs.by_ref().take(family.1.len()).collect();
            for (shape, nanos) in family.1.iter().zip(&of_family) {
                rows.push(row(&format!("  {}", shape.name), nanos, Some(calls)));
            }
            notes.extend(judge(cheap, family, &of_family, calls, least(single)));
        }
    }
    runner.verdict()?;
    Ok(Report {
        subject: "workflow: nanoseconds for one node, run begun and waited for; one thread, nothing recorded",
        rows,
        notes,
    })
}

/// Nanoseconds for one node, or one call, in each round: session, boxed functions, a run of one
/// node, then the documents in their order.
fn measure(
    runner: &Runner<'_>,
    session: &Session,
    cheap: Cheap,
    families: &[(&'static str, Vec<Shape>)],
    effort: Effort,
) -> Result<Vec<Vec<f64>>, BenchError> {
    let tenant: TenantId = "bench".parse().map_err(BenchError::new)?;
    let call = Call::of(tenant);
    let input = Value::from_json(cheap.parameters).map_err(BenchError::new)?;
    let input = input.as_ref();
    let mut out = Output::with_limit(1 << 20);
    let mut boxed_out = Vec::new();
    let functions: Vec<Work> = (0..CALLS).map(|_| work(cheap)).collect();
    let single = RunOrder::of(chain(cheap, 1, Keep::Nothing));
    let mut subjects = vec![
        Subject::new("session", || {
            for _ in 0..CALLS {
                let answer = call.in_session(session, 0, cheap.node_type, input, &mut out);
                black_box(answer.is_ok());
            }
        }),
        Subject::new("boxed", || {
            for function in black_box(&functions) {
                black_box(function(black_box(input), &mut boxed_out));
            }
        }),
    ];
    subjects.push(Subject::new("a run of one node", || runner.once(&single)));
    let mut sizes = vec![CALLS, CALLS, 1];
    for shape in families.iter().flat_map(|(_, shapes)| shapes) {
        subjects.push(Subject::new(&shape.name, || runner.once(&shape.order)));
        sizes.push(shape.nodes);
    }
    let nanos = rounds(&mut subjects, effort);
    let per_node = |(nanos, size): (Vec<f64>, usize)| nanos.iter().map(|all| all / size as f64).collect();
    Ok(nanos.into_iter().zip(sizes).map(per_node).collect())
}

/// What a node does, inside this program.
type Work = Box<dyn Fn(ValueRef<'_>, &mut Vec<u8>) -> bool>;

fn work(cheap: Cheap) -> Work {
    if cheap.node_type == NOOP.node_type {
        return Box::new(|input, out| {
            black_box(input);
            out.clear();
            out.extend_from_slice(ValueRef::NULL.raw());
            true
        });
    }
    Box::new(|input, out| {
        let text = input
            .get("value")
            .and_then(|text| text.as_str())
            .unwrap_or_default();
        let upper = text.to_uppercase();
        out.clear();
        Writer::new(out)
            .map(|map| map.entry("result", |writer| writer.str(&upper)))
            .is_ok()
    })
}

fn row(what: &str, nanos: &[f64], baseline: Option<&Vec<f64>>) -> Row {
    let mut row = Row::plain(what, median(nanos.to_vec()), least(nanos), "ns");
    if let Some(base) = baseline {
        row.baseline = Some("inside a session".into());
        row.ratio = Some(median(
            nanos.iter().zip(base).map(|(mine, base)| mine / base).collect(),
        ));
    }
    row
}

/// Nodes a second, what the executor adds, and how it grows.
fn judge(
    cheap: Cheap,
    (family, shapes): &(&'static str, Vec<Shape>),
    nanos: &[&Vec<f64>],
    calls: &[f64],
    single: f64,
) -> Vec<String> {
    let (Some(largest), Some(shape)) = (nanos.last(), shapes.last()) else {
        return Vec::new();
    };
    let sizes: Vec<f64> = shapes.iter().map(|shape| shape.nodes as f64).collect();
    let whole: Vec<f64> = nanos
        .iter()
        .zip(&sizes)
        .map(|(nanos, size)| least(nanos) * size)
        .collect();
    // Where a run takes hardly longer than one of a single node, the difference is noise.
    let (large, beyond): (Vec<f64>, Vec<f64>) = whole
        .iter()
        .zip(&sizes)
        .filter(|(whole, _)| **whole >= 2.0 * single)
        .map(|(whole, size)| (size, whole - single))
        .unzip();
    let growth = match large.len() {
        0 | 1 => "too few sizes stand out".to_owned(),
        _ => format!("{:.3} from {:.0} nodes on", exponent(&large, &beyond), large[0]),
    };
    let further: Vec<String> = (1..sizes.len())
        .map(|at| {
            let nanos = (whole[at] - whole[at - 1]) / (sizes[at] - sizes[at - 1]);
            format!("{nanos:.0} ns up to {:.0}", sizes[at])
        })
        .collect();
    let added: Vec<f64> = largest
        .iter()
        .zip(calls)
        .map(|(node, call)| node - call)
        .collect();
    let rate = |nanos: f64| 1e9 / nanos / 1e6;
    let name = cheap.node_type;
    vec![
        format!(
            "{name}, {}: {:.2} million nodes a second at the median, {:.2} at the best (budget {:.0}); the executor adds \
             {:.0} ns to a call at the median, {:.0} at the least",
            shape.name,
            rate(median(largest.to_vec())),
            rate(least(largest)),
            BUDGET_PER_SECOND / 1e6,
            median(added),
            least(largest) - least(calls),
        ),
        format!(
            "{name}, {family} of {:.0} to {:.0} nodes: time beyond that of a run of one node grows with nodes to the power \
             of {growth} (1 is linear), all of it {:.3}; each further node takes {}; at the least",
            sizes.first().copied().unwrap_or_default(),
            sizes.last().copied().unwrap_or_default(),
            exponent(&sizes, &whole),
            further.join(", "),
        ),
    ]
}
