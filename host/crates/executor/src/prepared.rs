//! A plan with what running it needs beside: who leads to whom, and what is learnt from run to run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::RwLock;
use patchbay_expression::{CompileError, Expression, NodeRef, Template};
use patchbay_workflow::{Plan, PlanNode, Work};
use plugin_api::value::ValueRef;

/// Callback expressions kept compiled for one plan; beyond that they are compiled anew.
const KEPT_EXPRESSIONS: usize = 1_024;
/// A longer expression or template of a callback is not kept.
const KEPT_BYTES: usize = 16 << 10;

/// What is known of a node once its type has been found, or not.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// Parameters that hold expressions which the node evaluates by itself.
    pub kept: Vec<Box<str>>,
    /// Why it must not be called; empty when it may.
    pub refused: Vec<String>,
    /// What a check of its parameters found; shown when it fails.
    pub doubts: Vec<String>,
}

/// Judges the nodes of a plan: the host's view of it, on which what is prepared depends.
pub trait Judge {
    /// What is known of a node.
    fn judge(&self, node: &PlanNode) -> Judgement;
}

/// A plan, ready for many runs at once.
#[derive(Debug)]
pub struct Prepared {
    plan: Arc<Plan>,
    /// For each node, its edges in `incoming`.
    into: Box<[(u32, u32)]>,
    /// Edges grouped by where they lead: (source node, place in the plan's edges).
    incoming: Box<[(u32, u32)]>,
    /// For each node of a run from the plan's own starts: how many of the edges into it can fire, or `DEAD`.
    waits: Box<[u32]>,
    bodies: HashMap<u32, Arc<Prepared>>,
    /// Of nodes about which there is something to say.
    judged: HashMap<u32, Judgement>,
    /// The plans that this one is a body in, the innermost first.
    outer: Vec<Arc<Plan>>,
    /// Nanoseconds that a node's call takes, as it was last seen; 0 for not yet.
    costs: Box<[AtomicU32]>,
    names: OnceLock<HashMap<Box<str>, u32>>,
    expressions: RwLock<HashMap<Box<str>, Arc<Expression>>>,
    templates: RwLock<HashMap<Box<[u8]>, Arc<Template>>>,
}

/// A node that a run from these starts cannot reach.
pub(crate) const DEAD: u32 = u32::MAX;

impl Prepared {
    /// Prepares a plan and the bodies of its loops.
    #[must_use]
    pub fn new(plan: Arc<Plan>, judge: &dyn Judge) -> Arc<Self> {
        Self::within(plan, judge, Vec::new())
    }

    fn within(plan: Arc<Plan>, judge: &dyn Judge, outer: Vec<Arc<Plan>>) -> Arc<Self> {
        let nodes = plan.nodes.len();
        let mut counts = vec![0_u32; nodes];
        for edge in &plan.edges {
            if let Some(count) = counts.get_mut(edge.to as usize) {
                *count += 1;
            }
        }
        let mut into = Vec::with_capacity(nodes);
        let mut begin = 0_u32;
        for count in &counts {
            into.push((begin, begin));
            begin += count;
        }
        let mut incoming = vec![(0_u32, 0_u32); begin as usize];
        for (from, node) in (0_u32..).zip(&plan.nodes) {
            for at in node.edges.clone() {
                let Some(edge) = plan.edges.get(at as usize) else {
                    continue;
                };
                let Some((_, end)) = into.get_mut(edge.to as usize) else {
                    continue;
                };
                if let Some(place) = incoming.get_mut(*end as usize) {
                    *place = (from, at);
                    *end += 1;
                }
            }
        }
        let bodies = (0_u32..)
            .zip(&plan.nodes)
            .filter_map(|(index, node)| match &node.work {
                Work::Loop(spec) => {
                    let around = std::iter::once(&plan).chain(&outer).map(Arc::clone).collect();
                    Some((index, Self::within(Arc::clone(&spec.body), judge, around)))
                }
                Work::SubWorkflow(spec) => Some((index, Self::new(Arc::clone(spec.inline.as_ref()?), judge))),
                Work::Call(_) | Work::Trigger => None,
            });
        let bodies = bodies.collect();
        let waits = waits_of(&plan, &plan.starts).into();
        let judged = (0_u32..).zip(&plan.nodes).filter_map(|(index, node)| {
            let judgement = judge.judge(node);
            let says =
                !judgement.kept.is_empty() || !judgement.refused.is_empty() || !judgement.doubts.is_empty();
            says.then_some((index, judgement))
        });
        Arc::new(Self {
            judged: judged.collect(),
            outer,
            into: into.into(),
            incoming: incoming.into(),
            waits,
            bodies,
            costs: (0..nodes).map(|_| AtomicU32::new(0)).collect(),
            names: OnceLock::new(),
            expressions: RwLock::default(),
            templates: RwLock::default(),
            plan,
        })
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The body of the loop at a node, or the workflow that it brings.
    pub(crate) fn body(&self, node: u32) -> Option<&Arc<Self>> {
        self.bodies.get(&node)
    }

    /// What there is to say about a node.
    #[inline]
    pub(crate) fn judged(&self, node: u32) -> Option<&Judgement> {
        // Of most plans there is nothing to say.
        if self.judged.is_empty() {
            return None;
        }
        self.judged.get(&node)
    }

    /// Why a node must not be called.
    #[inline]
    pub(crate) fn refused(&self, node: u32) -> Option<&[String]> {
        let refused = &self.judged(node)?.refused;
        (!refused.is_empty()).then_some(refused)
    }

    /// The edges that lead to a node: (source, place in the plan's edges), in the order of their sources.
    pub(crate) fn incoming(&self, node: u32) -> &[(u32, u32)] {
        let range = self.into.get(node as usize).copied().unwrap_or_default();
        self.incoming
            .get(range.0 as usize..range.1 as usize)
            .unwrap_or_default()
    }

    /// For each node, how many edges into it can fire in a run from `starts`.
    pub(crate) fn waits(&self, starts: &[u32]) -> std::borrow::Cow<'_, [u32]> {
        if *starts == *self.plan.starts {
            return (&*self.waits).into();
        }
        waits_of(&self.plan, starts).into()
    }

    /// What a call of the node cost when it was last made.
    #[inline]
    pub(crate) fn cost(&self, node: u32) -> u32 {
        self.costs
            .get(node as usize)
            .map_or(0, |cost| cost.load(Ordering::Relaxed))
    }

    /// Remembers what a call of the node cost, in nanoseconds; gives what the one before did, or 0.
    #[inline]
    pub(crate) fn learn(&self, node: u32, nanos: u64) -> u64 {
        let Some(cost) = self.costs.get(node as usize) else {
            return 0;
        };
        let before = cost.load(Ordering::Relaxed);
        // Of two that do this at once one is lost, which matters nothing.
        cost.store(u32::try_from(nanos).unwrap_or(u32::MAX).max(1), Ordering::Relaxed);
        u64::from(before)
    }

    /// Finds a node by id or name.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        let names = self.names.get_or_init(|| {
            let mut names = HashMap::with_capacity(self.plan.names.len());
            for (name, index) in &self.plan.names {
                names.entry(name.clone()).or_insert(*index);
            }
            names
        });
        names.get(name).copied()
    }

    /// A callback's expression, compiled once.
    pub(crate) fn expression(&self, source: &str) -> Result<Arc<Expression>, CompileError> {
        if let Some(known) = self.expressions.read().get(source) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(Expression::compile(source, self)?);
        if source.len() <= KEPT_BYTES {
            let mut kept = self.expressions.write();
            if kept.len() < KEPT_EXPRESSIONS {
                kept.insert(source.into(), Arc::clone(&made));
            }
        }
        Ok(made)
    }

    /// A callback's template, compiled once.
    pub(crate) fn template(&self, source: ValueRef<'_>) -> Result<Arc<Template>, Vec<CompileError>> {
        if let Some(known) = self.templates.read().get(source.raw()) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(Template::compile(source, self)?);
        if source.raw().len() <= KEPT_BYTES {
            let mut kept = self.templates.write();
            if kept.len() < KEPT_EXPRESSIONS {
                kept.insert(source.raw().into(), Arc::clone(&made));
            }
        }
        Ok(made)
    }
}

impl patchbay_expression::Names for Prepared {
    fn node(&self, reference: &str) -> Option<NodeRef> {
        if let Some(index) = self.find(reference) {
            return Some(NodeRef { up: 0, index });
        }
        // Callbacks are compiled once for each plan, so these few look-ups may be slow.
        let mut outer = (1_u16..).zip(&self.outer);
        outer.find_map(|(up, plan)| {
            let (_, index) = plan.names.iter().find(|(name, _)| **name == *reference)?;
            Some(NodeRef { up, index: *index })
        })
    }
}

/// Counts, for each node, the edges that come from nodes which a run from `starts` can reach.
fn waits_of(plan: &Plan, starts: &[u32]) -> Vec<u32> {
    let mut waits = vec![DEAD; plan.nodes.len()];
    let mut next: Vec<u32> = Vec::new();
    for &start in starts {
        if let Some(wait) = waits.get_mut(start as usize)
            && *wait == DEAD
        {
            *wait = 0;
            next.push(start);
        }
    }
    while let Some(at) = next.pop() {
        let Some(node) = plan.nodes.get(at as usize) else {
            continue;
        };
        for edge in plan
            .edges
            .get(node.edges.start as usize..node.edges.end as usize)
            .unwrap_or_default()
        {
            let Some(wait) = waits.get_mut(edge.to as usize) else {
                continue;
            };
            if *wait == DEAD {
                *wait = 0;
                next.push(edge.to);
            }
            *wait += 1;
        }
    }
    waits
}
