//! Documents that were read, and what they come to on a registry.
//!
//! Invariant: a document is read, validated and planned once for each content, and held against the registry again only
//! when one of the versions that its nodes lead to has changed. What came of it on one snapshot is used on another one
//! only with that one's slots.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use patchbay_dispatch::NodeSlot;
use patchbay_executor::{Judge, Judgement, Prepared};
use patchbay_vocab::{Digest, PluginName, TenantId, Version};
use patchbay_workflow::{
    Catalogue, Document, Finding, Findings, OnError, Plan, PlanNode, Recovery, VersionRange, Work, check,
    read, validate,
};

use crate::catalogue::View;
use crate::counted::Weighs;

/// A document that can be run, as far as it can be said without a registry.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) text: Arc<str>,
    pub(crate) digest: Digest,
    document: Document,
    warnings: Findings,
    pub(crate) plan: Arc<Plan>,
    /// What the document asks of the versions of plugins, each plugin once.
    pub(crate) wants: Box<[Want]>,
    /// For tenants and versions of late, the most recent first.
    bound: Mutex<Vec<Arc<Bound>>>,
}

/// What a document asks of the versions of one plugin: one that is in all of these.
#[derive(Debug)]
pub(crate) struct Want {
    pub(crate) plugin: PluginName,
    pub(crate) ranges: Box<[VersionRange]>,
}

impl Want {
    pub(crate) fn all(ranges: &[VersionRange]) -> Box<[Self]> {
        let mut of: BTreeMap<&PluginName, Vec<VersionRange>> = BTreeMap::new();
        for range in ranges {
            of.entry(&range.plugin).or_default().push(range.clone());
        }
        let wants = of.into_iter().map(|(plugin, ranges)| Self {
            plugin: plugin.clone(),
            ranges: ranges.into(),
        });
        wants.collect()
    }

    pub(crate) fn admits(&self, version: &Version) -> bool {
        self.ranges.iter().all(|range| range.admits(version))
    }

    /// The ranges, each once, as messages have them.
    pub(crate) fn shown(&self) -> String {
        let ranges: BTreeSet<String> = self.ranges.iter().map(|range| range.range.to_string()).collect();
        let shown: Vec<_> = ranges.into_iter().take(MOST_SHOWN).collect();
        shown.join(" and ")
    }
}

/// Ranges that a message names.
const MOST_SHOWN: usize = 8;

/// How often what a document comes to is kept: for several tenants and versions, and for runs that began before a swap.
const MOST_BOUND: usize = 16;

/// A snapshot that several runs see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    generation: u64,
    /// Which of the overlays of that generation; 0 for what is live.
    overlay: u64,
}

impl Stand {
    pub(crate) const fn new(generation: u64, overlay: u64) -> Self {
        Self { generation, overlay }
    }

    /// What is live at a generation.
    pub(crate) const fn live(generation: u64) -> Self {
        Self::new(generation, 0)
    }
}

/// Whose snapshot a document is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// That of others as well: what comes of it is kept for the next run.
    Shared(Stand),
    /// It is one run's alone.
    Alone,
}

/// What a document's text came to: kept also when it cannot be run.
#[derive(Clone, Debug)]
pub(crate) enum Reading {
    Fit(Arc<Compiled>),
    Unfit(Arc<Findings>),
}

impl Weighs for Reading {
    fn bytes(&self) -> usize {
        match self {
            // A plan takes several times its text: names, templates, edges.
            Self::Fit(compiled) => compiled.text.len() * 6 + 4096,
            Self::Unfit(findings) => findings.0.len() * 512 + 256,
        }
    }
}

/// For each node type the artifact and the node in it that it leads to.
type Leads = Box<[Option<(Digest, usize)>]>;

/// A compiled document on one state of the registry.
#[derive(Debug)]
pub(crate) struct Bound {
    /// The snapshot that the slots are of; of no other one for a run that is alone with its own.
    stand: Option<Stand>,
    tenant: Option<TenantId>,
    /// How often secrets had been set.
    secrets: u64,
    /// For each node type, the artifact and the node in it that it leads to.
    leads: Leads,
    pub(crate) prepared: Arc<Prepared>,
    /// For each node type, its slot in the registry.
    pub(crate) slots: Box<[Option<NodeSlot>]>,
    /// What the registry adds to the document's findings.
    pub(crate) findings: Findings,
    /// Those that keep it from running.
    pub(crate) fatal: bool,
}

/// Reads a document's text.
pub(crate) fn compile(text: &str) -> Reading {
    let document = match read(text.as_bytes()) {
        Ok(document) => document,
        Err(findings) => return Reading::Unfit(Arc::new(findings)),
    };
    match validate(document) {
        Err(findings) => Reading::Unfit(Arc::new(findings)),
        Ok(valid) => {
            let warnings = valid.warnings().clone();
            let document = valid.document().clone();
            let plan = Arc::new(valid.plan());
            Reading::Fit(Arc::new(Compiled {
                wants: Want::all(&plan.ranges),
                text: text.into(),
                digest: Digest::of(text.as_bytes()),
                document,
                warnings,
                plan,
                bound: Mutex::default(),
            }))
        }
    }
}

/// Whether a binding was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    Hit,
    Miss,
}

impl Compiled {
    /// Warnings of the document and what the registry adds.
    pub(crate) fn findings(&self, bound: &Bound) -> Findings {
        self.warnings.clone().merged(bound.findings.clone())
    }

    /// Holds the document against a snapshot; what was found the last time is used again while nothing has changed
    /// that it depends on.
    pub(crate) fn bind(&self, view: &View<'_>, stand: Stand) -> (Arc<Bound>, Looked) {
        let secrets = view.secrets_set();
        let known: Vec<_> = {
            let kept = self.bound.lock();
            let fits = |bound: &&Arc<Bound>| bound.secrets == secrets && bound.tenant.as_ref() == view.tenant;
            if let Some(bound) = kept.iter().filter(fits).find(|bound| bound.stand == Some(stand)) {
                return (Arc::clone(bound), Looked::Hit);
            }
            kept.iter().filter(fits).cloned().collect()
        };
        if !known.is_empty() {
            let leads = self.leads(view);
            if let Some(bound) = known.iter().find(|bound| bound.leads == leads) {
                // Seen to be the same: the next look is quicker.
                let again = Arc::new(bound.at(stand, self.slots(view)));
                self.keep(&again);
                return (again, Looked::Hit);
            }
        }
        let mut made = self.bind_anew(view);
        made.stand = Some(stand);
        let made = Arc::new(made);
        self.keep(&made);
        (made, Looked::Miss)
    }

    fn keep(&self, bound: &Arc<Bound>) {
        let generation = |bound: &Bound| bound.stand.map(|stand| stand.generation);
        let mut kept = self.bound.lock();
        kept.retain(|known| {
            let is_older = known.leads == bound.leads && generation(known) < generation(bound);
            known.tenant != bound.tenant || (known.stand != bound.stand && !is_older)
        });
        kept.insert(0, Arc::clone(bound));
        kept.truncate(MOST_BOUND);
    }

    fn leads(&self, view: &View<'_>) -> Leads {
        let lead = |name: &str| view.find(name).map(|found| (found.mount.digest(), found.place));
        self.plan.node_types.iter().map(|name| lead(name)).collect()
    }

    fn slots(&self, view: &View<'_>) -> Box<[Option<NodeSlot>]> {
        let types = self.plan.node_types.iter();
        types.map(|name| view.snapshot.slot(name)).collect()
    }

    /// As [`bind`](Self::bind), for a snapshot that nobody else will see: nothing is kept of it.
    pub(crate) fn bind_anew(&self, view: &View<'_>) -> Bound {
        // Before it is looked for them: one that is set meanwhile is looked for again.
        let secrets = view.secrets_set();
        let findings = self.checked(view);
        let judged = Judged {
            view,
            findings: &findings,
        };
        let fatal = findings
            .errors()
            .any(|finding| judged.is_fatal(finding, &self.plan));
        Bound {
            stand: None,
            tenant: view.tenant.cloned(),
            secrets,
            leads: self.leads(view),
            prepared: Prepared::new(Arc::clone(&self.plan), &judged),
            slots: self.slots(view),
            fatal,
            findings,
        }
    }

    /// What a snapshot adds to the document's findings.
    pub(crate) fn checked(&self, view: &View<'_>) -> Findings {
        check(&self.document, view)
    }
}

impl Bound {
    fn at(&self, stand: Stand, slots: Box<[Option<NodeSlot>]>) -> Self {
        Self {
            stand: Some(stand),
            slots,
            tenant: self.tenant.clone(),
            secrets: self.secrets,
            leads: self.leads.clone(),
            prepared: Arc::clone(&self.prepared),
            findings: self.findings.clone(),
            fatal: self.fatal,
        }
    }
}

struct Judged<'j> {
    view: &'j View<'j>,
    findings: &'j Findings,
}

/// Findings that are about how a node is called, rather than about whether: the node is the judge of its parameters.
fn is_doubt(finding: &Finding) -> bool {
    finding.code.0 == "PARAMETER_SCHEMA"
}

impl Judged<'_> {
    /// Whether a finding keeps the whole document from running: it does, unless the node that it is about has a policy
    /// which says what happens when it fails.
    fn is_fatal(&self, finding: &Finding, plan: &Plan) -> bool {
        if is_doubt(finding) {
            return false;
        }
        if finding.code.0 == "NODE_TYPE_NOT_ALLOWED" {
            return true;
        }
        let Some(id) = &finding.node else { return true };
        match find(plan, id) {
            Some(node) => {
                node.policy.on_error == OnError::Stop
                    && !matches!(
                        node.policy.recovery,
                        Some(Recovery::Fallback(Some(_)) | Recovery::Skip { .. })
                    )
            }
            None => true,
        }
    }
}

/// A node of a plan, of its loops and of the workflows within it.
pub(crate) fn find<'p>(plan: &'p Plan, id: &str) -> Option<&'p PlanNode> {
    plan.nodes.iter().find_map(|node| {
        if node.id.as_str() == id {
            return Some(node);
        }
        match &node.work {
            Work::Loop(spec) => find(&spec.body, id),
            Work::SubWorkflow(spec) => find(spec.inline.as_deref()?, id),
            Work::Call(_) | Work::Trigger => None,
        }
    })
}

impl Judge for Judged<'_> {
    fn judge(&self, node: &PlanNode) -> Judgement {
        let Work::Call(_) = &node.work else {
            return Judgement::default();
        };
        let kept = self
            .view
            .find(&node.node_type)
            .map(|found| self.view.schema(&found).kept.clone())
            .unwrap_or_default();
        let about = || {
            let errors = self.findings.errors();
            errors.filter(|finding| finding.node.as_deref() == Some(node.id.as_str()))
        };
        let told = |finding: &Finding| format!("{}: {} ({})", finding.code, finding.message, finding.path);
        let doubts = about().filter(|finding| is_doubt(finding)).map(told).collect();
        let refused = match self.view.node(&node.node_type) {
            None => about().filter(|finding| !is_doubt(finding)).map(told).collect(),
            Some(_) => {
                let missing = about().filter(|finding| finding.code.0 == "CREDENTIAL_MISSING");
                missing.map(told).collect()
            }
        };
        Judgement {
            kept,
            refused,
            doubts,
        }
    }
}
