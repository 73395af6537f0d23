//! Plans from drafts.
//!
//! Invariant: when nothing was noted as an error, the plan that comes out keeps the promises of [`Plan`].

use std::collections::HashMap;
use std::sync::Arc;

use patchbay_vocab::NodeId;
use plugin_api::value::Value;

use crate::expressions;
use crate::field::Object;
use crate::frame::{self, Frame, Standing};
use crate::graph::{Graph, NodeDraft};
use crate::layout::{DEEPEST, Layout, ROOT, lay_out};
use crate::notes::{Notes, Place, Shown};
use crate::policy::{self, Defaults};
use crate::role::{Role, loop_outputs};
use crate::types::TypeTable;
use crate::view::{Patience, View};
use crate::work::{self, LoopDraft};
use crate::{
    Edge, Limits, Plan, PlanNode, Port, Work, code, parameters, range, settings, start, trigger, variable,
};

/// Fields of a node that are read, or that are for people alone.
const NODE_FIELDS: [&str; 31] = [
    "id",
    "name",
    "type",
    "typeVersion",
    "nodeType",
    "position",
    "parameters",
    "inputs",
    "outputs",
    "credentials",
    "disabled",
    "skipOnFail",
    "alwaysOutputData",
    "retryPolicy",
    "retryOnFail",
    "timeout",
    "maxTries",
    "waitBetweenTries",
    "continueOnError",
    "continueOnFail",
    "onError",
    "errorRecoveryStrategy",
    "errorOutput",
    "notes",
    "notesInFlow",
    "color",
    "metadata",
    "description",
    "webhookId",
    "executeOnce",
    "icon",
];

/// One run over a document.
pub(crate) struct Pass<'a> {
    pub(crate) notes: Notes<'a>,
    pub(crate) types: TypeTable,
    pub(crate) patience: Patience,
    restricted: Vec<&'a str>,
}

/// What is the same for all nodes of a graph.
pub(crate) struct Ground<'g, 'a> {
    pub(crate) graph: &'g Graph<'a>,
    pub(crate) layout: &'g Layout,
    pub(crate) object: &'g Object<'a, 'g>,
    pub(crate) loops: &'g HashMap<u32, LoopDraft<'a>>,
    pub(crate) outer: Option<(&'g View<'g, 'a>, u32)>,
    pub(crate) frame: &'g Frame,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(notes: Notes<'a>) -> Self {
        Self {
            notes,
            types: TypeTable::default(),
            // Some milliseconds.
            patience: Patience(4_000_000),
            restricted: Vec::new(),
        }
    }

    /// A whole document.
    pub(crate) fn document(
        &mut self,
        object: &Object<'a, '_>,
        standing: Standing<'_>,
        depth: usize,
    ) -> Option<Plan> {
        let notes = &mut self.notes;
        let frame = frame::read(object, standing, notes)?;
        settings::fields(object, notes);
        let limits = settings::limits(object, notes);
        let rate = settings::rate(object, notes);
        let (variables, required_variables) = variable::read(object, notes);
        let before = self.restricted.len();
        self.restricted.extend(settings::restricted(object, notes));
        if let Some(rate) = &rate {
            expressions::check_key(&rate.key, &object.place.absent("rateLimiting"), notes);
        }
        let graph = Graph::read(object, notes);
        let triggers = trigger::read(object, &graph, notes);
        let (loops, layout) = self.lay_out(&graph, object);
        let mut defaults = policy::defaults(object, &graph, &mut self.types, &mut self.notes);
        let ground = Ground {
            graph: &graph,
            layout: &layout,
            object,
            loops: &loops,
            outer: None,
            frame: &frame,
        };
        let mut plan = self.scope(&ground, &mut defaults, ROOT, depth);
        self.restricted.truncate(before);
        plan.limits = limits;
        plan.rate = rate;
        plan.variables = variables;
        plan.required_variables = required_variables;
        start::begin(self, &ground, triggers, &mut plan);
        Some(plan)
    }

    /// The body of a loop that is written into its parameters.
    pub(crate) fn inline_body(
        &mut self,
        object: &Object<'a, '_>,
        outer: (&View<'_, 'a>, u32),
        frame: &Frame,
        defaults: &mut Defaults,
        depth: usize,
        look: &mut dyn FnMut(&mut Self, &View<'_, 'a>),
    ) -> Plan {
        let graph = Graph::read(object, &mut self.notes);
        let (loops, layout) = self.lay_out(&graph, object);
        let ground = Ground {
            graph: &graph,
            layout: &layout,
            object,
            loops: &loops,
            outer: Some(outer),
            frame,
        };
        let plan = self.scope(&ground, defaults, ROOT, depth);
        look(
            self,
            &View {
                graph: &graph,
                layout: &layout,
                scope: ROOT,
                outer: Some(outer),
            },
        );
        plan
    }

    fn lay_out(
        &mut self,
        graph: &Graph<'a>,
        object: &Object<'a, '_>,
    ) -> (HashMap<u32, LoopDraft<'a>>, Layout) {
        let mut loops = HashMap::new();
        let mut inline = vec![false; graph.nodes.len()];
        for (index, node) in (0_u32..).zip(&graph.nodes) {
            if node.role != Role::Loop {
                continue;
            }
            self.notes.node = Some(node.id.clone());
            let draft = graph.at_node(object, index, |node, place| {
                let place = place.field("parameters", node.parameters);
                LoopDraft::read(node, &place, &mut self.notes)
            });
            self.notes.node = None;
            if let (Some(draft), Some(slot)) = (draft, inline.get_mut(index as usize)) {
                *slot = draft.body.is_some();
                loops.insert(index, draft);
            }
        }
        let layout = lay_out(graph, &inline, object, &mut self.notes);
        (loops, layout)
    }

    /// The plan of one scope: the nodes that have the same owner.
    pub(crate) fn scope(
        &mut self,
        ground: &Ground<'_, 'a>,
        defaults: &mut Defaults,
        owner: u32,
        depth: usize,
    ) -> Plan {
        let view = View {
            graph: ground.graph,
            layout: ground.layout,
            scope: owner,
            outer: ground.outer,
        };
        let members = ground.layout.members.get(&owner).map_or(&[][..], Vec::as_slice);
        let mut nodes = Vec::with_capacity(members.len());
        let mut edges = Vec::new();
        for index in members {
            let Some(draft) = ground.graph.nodes.get(*index as usize) else {
                continue;
            };
            self.notes.node = Some(draft.id.clone());
            let list = ground.object.place.absent("nodes");
            let place = list.index(draft.at, draft.value);
            let first = edges.len();
            self.edges(ground, &view, *index, draft, &mut edges);
            let range = short(first)..short(edges.len());
            nodes.extend(self.node(ground, &view, defaults, *index, &place, range, depth));
            self.notes.node = None;
        }
        let starts = (0_u32..)
            .zip(&nodes)
            .filter(|(_, node)| node.incoming == 0)
            .map(|(index, _)| index)
            .collect();
        let frame = ground.frame;
        Plan {
            id: frame.id.clone(),
            name: frame.name.clone(),
            tenant: frame.tenant.clone(),
            about: frame.about.clone(),
            active: frame.active,
            names: names(&nodes),
            nodes: nodes.into(),
            edges: edges.into(),
            starts,
            triggers: Box::default(),
            node_types: Arc::from([]),
            ranges: Arc::from([]),
            variables: settings::empty_map(),
            required_variables: Box::default(),
            limits: Limits::default(),
            rate: None,
            save: frame.save,
        }
    }

    fn edges(
        &mut self,
        ground: &Ground<'_, 'a>,
        view: &View<'_, 'a>,
        index: u32,
        draft: &NodeDraft<'a>,
        edges: &mut Vec<Edge>,
    ) {
        let version = draft.value.get("typeVersion").and_then(crate::field::number);
        let (into, done) = loop_outputs(draft.node_type, version);
        let drawn = ground.layout.is_drawn(index);
        let range = ground.layout.edges(index);
        for (edge, kept) in range
            .clone()
            .filter_map(|at| Some((ground.graph.edges.get(at)?, ground.layout.kept.get(at)?)))
        {
            let condition = edge.condition.map(|text| {
                edge.at(&ground.object.place, |place| {
                    expressions::compile(text, view, index, place, self)
                })
            });
            if !*kept {
                continue;
            }
            let output = if drawn && edge.port == Port::Main && edge.output == done && into == 0 {
                0
            } else {
                edge.output
            };
            edges.push(Edge {
                to: ground.layout.local.get(edge.to as usize).copied().unwrap_or(0),
                port: edge.port,
                output,
                input: edge.input,
                condition: condition.flatten().map(Box::new),
            });
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a node is the crossing of all of these")]
    fn node(
        &mut self,
        ground: &Ground<'_, 'a>,
        view: &View<'_, 'a>,
        defaults: &mut Defaults,
        index: u32,
        place: &Place<'_>,
        edges: std::ops::Range<u32>,
        depth: usize,
    ) -> Option<PlanNode> {
        let draft = ground.graph.nodes.get(index as usize)?;
        let object = Object {
            map: draft.value.as_map(),
            place: *place,
        };
        // Where some files have the executor id.
        let own: &[&str] = if draft.value.get("nodeType").is_none() && !draft.class.is_empty() {
            &["plugin", "op"]
        } else {
            &["plugin"]
        };
        object.unknown(&[&NODE_FIELDS, own], &mut self.notes);
        object.unsupported(&["executeOnce", "errorOutput"], &mut self.notes);
        range::check(draft, &object, &mut self.notes);
        object.unsupported(draft.role.not_enforced(), &mut self.notes);
        let policy = policy::resolve(draft, &object, defaults, &mut self.types, &mut self.notes);
        let place = place.field("parameters", draft.parameters);
        if let Some(given) = draft.parameters {
            parameters::check(draft, given, &place, work::documents(draft.role), &mut self.notes);
        }
        self.permission(draft.spelled(), &object.place);
        if let Some(crate::Recovery::Fallback(Some(fallback))) = &policy.recovery
            && let Some(name) = self.types.name(*fallback).map(ToOwned::to_owned)
        {
            self.permission(&name, &object.place.absent("errorRecoveryStrategy"));
        }
        if depth > DEEPEST {
            self.notes.error(
                code::INVALID_LOOP,
                &place,
                format_args!("bodies and workflows are nested more than {DEEPEST} deep"),
                "put the inner ones into a workflow of their own",
            );
            return None;
        }
        let (work, input) = match draft.role {
            Role::Call => (Work::Call(self.types.index(draft.spelled())), None),
            Role::Trigger(_) => (Work::Trigger, None),
            Role::Loop => work::repeat(self, ground, view, defaults, index, &place, depth)?,
            Role::SubWorkflow => work::another(self, ground, draft, &place, depth),
        };
        let given = input.as_ref().map(Value::as_ref).or(draft.parameters);
        let input = expressions::template(given, view, index, &place, self)?;
        let mut flag = |key| object.flag(key, &mut self.notes).unwrap_or(false);
        Some(PlanNode {
            disabled: flag("disabled"),
            skip_on_fail: flag("skipOnFail"),
            always_output: flag("alwaysOutputData"),
            id: node_id(&draft.id)?,
            name: (&*draft.name).into(),
            node_type: draft.spelled().into(),
            work,
            input,
            edges,
            incoming: ground.layout.incoming.get(index as usize).copied().unwrap_or(0),
            policy,
        })
    }

    fn permission(&mut self, node_type: &str, place: &Place<'_>) {
        if self.restricted.contains(&node_type) {
            self.notes.error(
                code::NODE_TYPE_NOT_ALLOWED,
                place,
                format_args!("the workflow itself forbids the node type `{}`", Shown(node_type)),
                "use another one, or change `multiTenancy.restrictNodeTypes`",
            );
        }
    }
}

fn names(nodes: &[PlanNode]) -> Box<[(Box<str>, u32)]> {
    let ids = (0_u32..)
        .zip(nodes)
        .map(|(index, node)| (node.id.as_str().into(), index));
    let names = (0_u32..)
        .zip(nodes)
        .map(|(index, node)| (node.name.clone(), index));
    ids.chain(names).collect()
}

fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A document with a node that has no id is refused; until then it needs one.
fn node_id(id: &str) -> Option<NodeId> {
    id.parse().or_else(|_| "node".parse()).ok()
}
