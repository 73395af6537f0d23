//! Documents: JSON text that was read, and what it says without a registry.
//!
//! Invariant: a [`Document`] is an object within the limits; a [`ValidWorkflow`] has a plan.

use std::sync::{Arc, OnceLock};

use plugin_api::value::{Kind, Value, ValueRef};

use crate::assembly::Pass;
use crate::field::{Object, kind_name};
use crate::frame::Standing;
use crate::graph::{Graph, label};
use crate::notes::{Notes, Place, Shown};
use crate::{Finding, Findings, Level, Plan, VersionRange, Work, code, range};

/// Longer texts are not read.
pub const MAX_BYTES: usize = 16 << 20;
/// Documents with more nodes are refused.
pub const MAX_NODES: usize = 100_000;
/// Documents with more connections are refused.
pub const MAX_EDGES: usize = 1_000_000;

/// JSON text that was read, and is an object within the limits. Nothing else is promised of it.
#[derive(Clone, Debug)]
pub struct Document {
    value: Value,
    shape: OnceLock<Findings>,
}

/// A document that can be run, and its plan.
#[derive(Debug)]
pub struct ValidWorkflow {
    document: Document,
    plan: Plan,
    warnings: Findings,
}

fn refused(code: crate::FindingCode, path: &str, message: String, hint: &str) -> Findings {
    Findings(vec![Finding {
        code,
        level: Level::Error,
        path: path.to_owned(),
        message,
        hint: hint.to_owned(),
        node: None,
        place: 0,
    }])
}

/// Reads JSON text. What is odd about its shape is in [`Document::findings`].
///
/// # Errors
/// When it is no JSON object, or larger than the limits.
pub fn read(text: &[u8]) -> Result<Document, Findings> {
    if text.len() > MAX_BYTES {
        return Err(refused(
            code::TOO_LARGE,
            "",
            format!("the document has {} bytes, and {MAX_BYTES} at most", text.len()),
            "split the workflow; run a part as a sub-workflow",
        ));
    }
    let value = Value::from_json_slice(text).map_err(|error| {
        refused(
            code::INVALID_JSON,
            "",
            format!("the document is no JSON: {}", Shown(error.message())),
            "mend the text at that place",
        )
    })?;
    let whole = value.as_ref();
    if whole.kind() != Kind::Map {
        return Err(refused(
            code::NOT_A_WORKFLOW,
            "",
            format!("the document is {}, not an object", kind_name(whole)),
            "write an object with `nodes` and `connections`",
        ));
    }
    let nodes = whole
        .get("nodes")
        .and_then(|nodes| nodes.as_list())
        .map_or(0, |nodes| nodes.len());
    if nodes > MAX_NODES {
        return Err(refused(
            code::TOO_LARGE,
            "nodes",
            format!("the workflow has {nodes} nodes, and {MAX_NODES} at most"),
            "split the workflow; run a part as a sub-workflow",
        ));
    }
    if targets(whole) > MAX_EDGES {
        return Err(refused(
            code::TOO_LARGE,
            "connections",
            format!("the workflow has more than {MAX_EDGES} connections"),
            "split the workflow; run a part as a sub-workflow",
        ));
    }
    Ok(Document {
        value,
        shape: OnceLock::new(),
    })
}

/// How many targets the connections have, whatever else they hold.
fn targets(whole: ValueRef<'_>) -> usize {
    fn each(value: ValueRef<'_>, depth: usize) -> usize {
        let below = |value| if depth == 0 { 1 } else { each(value, depth - 1) };
        match (value.as_map(), value.as_list()) {
            (Some(map), _) => map.values().map(below).sum(),
            (_, Some(list)) if depth == 0 => list.len(),
            (_, Some(list)) => list.iter().map(below).sum(),
            _ => 0,
        }
    }
    // Source, port, output; then the list of targets.
    whole.get("connections").map_or(0, |connections| {
        let sources = connections.as_map();
        let outputs = sources
            .into_iter()
            .flatten()
            .filter_map(|(_, ports)| ports.as_map());
        outputs.flatten().map(|(_, outputs)| each(outputs, 1)).sum()
    })
}

impl Document {
    /// What is wrong or odd with the shape of nodes and connections. [`validate`] says this, and more.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        self.shape.get_or_init(|| {
            let mut notes = Notes::new(self.value());
            Graph::read(&self.object(), &mut notes);
            notes.finish()
        })
    }

    /// The document as it was read.
    #[must_use]
    pub fn value(&self) -> ValueRef<'_> {
        self.value.as_ref()
    }

    pub(crate) fn object(&self) -> Object<'_, '_> {
        Object {
            map: self.value().as_map(),
            place: Place::root(self.value()),
        }
    }

    fn text(&self, key: &str) -> Option<String> {
        let mut unheard = Notes::new(self.value());
        label(&self.object(), key, &mut unheard)
            .filter(|text| !text.trim().is_empty())
            .map(std::borrow::Cow::into_owned)
    }

    /// The id that it gives itself.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        self.text("id")
    }

    /// The name that it gives itself.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.text("name")
    }

    /// The tenant that it says it is of.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.value().get("tenantId").and_then(|tenant| tenant.as_str())
    }

    /// Which versions its nodes ask for, those within parameters too; a range that is none is left out.
    #[must_use]
    pub fn ranges(&self) -> Vec<VersionRange> {
        range::read(self)
    }

    /// How many nodes it has, those within parameters aside.
    #[must_use]
    pub fn node_count(&self) -> usize {
        let nodes = self.value().get("nodes").and_then(|nodes| nodes.as_list());
        nodes.map_or(0, |nodes| nodes.len())
    }
}

/// Says everything that can be said without a registry.
///
/// # Errors
/// All findings, when one of them is an error.
pub fn validate(document: Document) -> Result<ValidWorkflow, Findings> {
    let object = document.object();
    let mut pass = Pass::new(Notes::new(document.value()));
    let plan = pass.document(&object, Standing::Alone, 0);
    let failed = pass.notes.failed;
    let warnings = pass.notes.finish();
    match plan {
        Some(mut plan) if !failed => {
            share(&mut plan, &pass.types.finish(), &document.ranges().into());
            Ok(ValidWorkflow {
                document,
                plan,
                warnings,
            })
        }
        _ => Err(warnings),
    }
}

/// Gives all plans the table of node types that they were made with, and the ranges. The nesting of plans is bounded.
fn share(plan: &mut Plan, types: &Arc<[Box<str>]>, ranges: &Arc<[VersionRange]>) {
    plan.node_types = Arc::clone(types);
    plan.ranges = Arc::clone(ranges);
    for node in &mut plan.nodes {
        match &mut node.work {
            Work::Loop(repeat) => {
                // Nobody else has it yet.
                if let Some(body) = Arc::get_mut(&mut repeat.body) {
                    share(body, types, ranges);
                }
            }
            Work::SubWorkflow(another) => {
                if let Some(inline) = another.inline.as_mut().and_then(Arc::get_mut) {
                    share(inline, types, ranges);
                }
            }
            Work::Call(_) | Work::Trigger => {}
        }
    }
}

impl ValidWorkflow {
    /// What the author should look at.
    #[must_use]
    pub fn warnings(&self) -> &Findings {
        &self.warnings
    }

    /// The document that was validated.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What an executor runs.
    #[must_use]
    pub fn plan(self) -> Plan {
        self.plan
    }
}
