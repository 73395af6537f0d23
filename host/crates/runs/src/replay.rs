//! Runs that are kept: shown, done again, compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_executor::Given;
use patchbay_journal::{Replay, RunCursor, RunFilter, RunStatus as Kept, StoredRun, TriggerKind};
use patchbay_vocab::{NodeId, RunId, TenantId, UnixMillis, Version, WorkflowId};
use patchbay_wire as wire;
use plugin_api::meta::Effect;
use plugin_api::value::Value;
use serde_json::Value as Json;

use crate::begun::Begun;
use crate::error::RunsError;
#[cfg(test)]
use crate::order::empty_map;
use crate::order::{Again, Order};
use crate::record;
use crate::runs::Runs;
use crate::taken_over::taken_over;

/// Differences that are told.
const MOST_DIFFERENCES: usize = 200;
/// Replays of replays that are followed to the first run.
const MOST_REPLAYS: usize = 16;
/// Runs of one page.
const LONGEST_PAGE: u32 = 1_000;

/// Which runs to list.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of this workflow.
    pub workflow: Option<WorkflowId>,
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// That ended like this.
    pub status: Option<String>,
    /// That began at or after.
    pub since: Option<UnixMillis>,
    /// That were begun by this run.
    pub parent: Option<RunId>,
    /// How many at most; 50 when `None`.
    pub limit: Option<u32>,
    /// The `next` of the page before.
    pub before: Option<String>,
}

/// A replay that was begun.
#[derive(Debug)]
pub struct Replaying {
    runs: Arc<Runs>,
    begun: Begun,
    original: wire::RunView,
    from: Option<String>,
}

impl Replaying {
    /// The new run's id.
    #[must_use]
    pub const fn id(&self) -> &RunId {
        self.begun.id()
    }

    /// Waits for its end on this thread, and compares what came of it with what came of it then.
    ///
    /// # Errors
    /// When it was queued and could not begin.
    pub fn wait(self) -> Result<wire::ReplayView, RunsError> {
        let run = self.begun.wait()?;
        Ok(compared(&self.runs, &self.original, self.from.as_deref(), run))
    }

    /// The same, without a thread.
    ///
    /// # Errors
    /// When it was queued and could not begin.
    pub async fn ended(self) -> Result<wire::ReplayView, RunsError> {
        let run = self.begun.ended().await?;
        Ok(compared(&self.runs, &self.original, self.from.as_deref(), run))
    }
}

fn compared(
    runs: &Runs,
    original: &wire::RunView,
    from: Option<&str>,
    run: wire::RunView,
) -> wire::ReplayView {
    let differences = compare(original, &run, from);
    wire::ReplayView {
        original: original.run_id.clone(),
        same: differences.is_empty(),
        differences,
        effectful: runs.effectful(&run),
        run,
    }
}

impl Runs {
    /// Runs, the newest first: those that have not ended, then those that are kept.
    ///
    /// # Errors
    /// When the journal cannot be read, or a part of the question is none.
    pub fn list(&self, wanted: &Wanted) -> Result<wire::RunListView, RunsError> {
        let limit = wanted.limit.unwrap_or(50).clamp(1, LONGEST_PAGE);
        let bad = |what, why: String| RunsError::Input { what, why };
        // What runs is in the journal, too; its own word is the later one.
        let running = match (&wanted.before, wanted.status.as_deref()) {
            (None, None | Some("running" | "queued")) => self.running(),
            _ => Vec::new(),
        };
        let running = running.into_iter().filter(|run| {
            wanted
                .workflow
                .as_ref()
                .is_none_or(|workflow| *workflow == run.workflow_id)
                && wanted.tenant.as_ref().is_none_or(|tenant| *tenant == run.tenant)
                && wanted
                    .parent
                    .as_ref()
                    .is_none_or(|parent| Some(parent) == run.parent.as_ref())
                && wanted.since.is_none_or(|since| run.started_at >= since)
                && wanted.status.as_ref().is_none_or(|status| *status == run.status)
        });
        let mut runs: Vec<_> = running.collect();
        if wanted.status.as_deref() == Some("queued") {
            return Ok(wire::RunListView { runs, next: None });
        }
        let status = wanted.status.as_deref().map(str::parse::<Kept>).transpose();
        let filter = RunFilter {
            workflow: wanted.workflow.clone(),
            tenant: wanted.tenant.clone(),
            status: status.map_err(|why| bad("status", why))?,
            parent: wanted.parent.clone(),
            since: wanted.since,
            until: None,
            before: wanted.before.as_deref().map(cursor).transpose()?,
            limit,
        };
        let kept = self.journal.runs(&filter)?;
        let next = (kept.len() as u32 >= limit).then(|| kept.last()).flatten();
        let next = next.map(|run| format!("{}-{}", run.started_at.0, run.id));
        let alive: Vec<RunId> = runs.iter().map(|run| run.run_id.clone()).collect();
        runs.extend(
            kept.iter()
                .filter(|run| !alive.contains(&run.id))
                .map(record::summary),
        );
        Ok(wire::RunListView { runs, next })
    }

    /// One run, as far as it is known.
    ///
    /// # Errors
    /// When there is none, or the journal cannot be read.
    pub fn show(&self, id: &RunId) -> Result<wire::RunView, RunsError> {
        // What has just ended may not be written yet.
        if self.live_summary(id).is_none() {
            self.sync(std::time::Duration::from_secs(10))?;
        }
        let stored = self
            .journal
            .run(id)?
            .ok_or_else(|| RunsError::UnknownRun(id.clone()))?;
        let mut view = record::stored(&stored);
        if let Ok(compiled) = self.compiled(&stored.document) {
            view.result = result_of(&compiled.plan, &view);
        }
        Ok(view)
    }

    /// The journal in numbers.
    #[must_use]
    pub fn journal_stats(&self) -> patchbay_journal::JournalStats {
        self.journal.stats()
    }

    /// The document of a run.
    ///
    /// # Errors
    /// When there is no such run, or the journal cannot be read.
    pub fn document_of(&self, id: &RunId) -> Result<Arc<str>, RunsError> {
        let stored = self
            .journal
            .run(id)?
            .ok_or_else(|| RunsError::UnknownRun(id.clone()))?;
        Ok(stored.document)
    }

    /// Begins to do a run again, from the start or from a node on.
    ///
    /// # Errors
    /// When it cannot be done again.
    pub fn begin_replay(
        self: &Arc<Self>,
        id: &RunId,
        request: &wire::ReplayRequest,
    ) -> Result<Replaying, RunsError> {
        if self.live_summary(id).is_none() {
            self.sync(std::time::Duration::from_secs(10))?;
        }
        let stored = self
            .journal
            .run(id)?
            .ok_or_else(|| RunsError::UnknownRun(id.clone()))?;
        let order = self.order_again(&stored, request)?;
        Ok(Replaying {
            begun: self.begin(order)?,
            runs: Arc::clone(self),
            original: record::stored(&stored),
            from: request.from.clone(),
        })
    }

    fn order_again(&self, stored: &StoredRun, request: &wire::ReplayRequest) -> Result<Order, RunsError> {
        let id = &stored.summary.id;
        let not = |why: &str| RunsError::NotReplayable {
            run: id.clone(),
            why: why.to_owned(),
        };
        if stored.summary.trigger == TriggerKind::Workflow {
            return Err(not("it is a part of another run; replay that one"));
        }
        if stored.summary.status == Kept::Running {
            return Err(not("it has not ended"));
        }
        let value = |json: Option<&patchbay_journal::Json>| -> Result<Value, RunsError> {
            let json = json.ok_or_else(|| not("its contents were not kept"))?;
            if json.cut().is_some() {
                return Err(not("what triggered it was too large to be kept"));
            }
            json.to_value().map_err(|error| not(&error.to_string()))
        };
        let trigger = value(stored.trigger_value.as_ref())?;
        let variables = match request.from {
            None => value(stored.variables_before.as_ref())?,
            // What the nodes before have set is among them.
            Some(_) => value(stored.variables_after.as_ref())?,
        };
        let mut given: Vec<Given> = Vec::new();
        if let Some(from) = &request.from {
            let compiled = self.compiled(&stored.document)?;
            let plan = &compiled.plan;
            let start = plan.names.iter().find(|(name, _)| **name == **from);
            let Some((_, start)) = start else {
                return Err(RunsError::Input {
                    what: "from",
                    why: format!("the workflow has no node `{from}`"),
                });
            };
            let again = behind(plan, *start);
            given = taken_over(plan, &stored.nodes, &again).map_err(|why| not(&why))?;
        }
        let mut versions = Vec::new();
        for (plugin, version) in &request.versions {
            // Revisions are looked up when the run is begun; the journal keeps versions.
            if let Ok(version) = version.parse::<Version>() {
                versions.push((plugin.clone(), version));
            }
        }
        let from: Option<NodeId> = request.from.as_deref().and_then(|from| from.parse().ok());
        Ok(Order {
            trigger,
            variables: Some(variables),
            tenant: Some(stored.summary.tenant.clone()),
            versions: request.versions.clone(),
            kind: TriggerKind::Replay,
            from: match &request.from {
                Some(from) => Some(from.clone()),
                None => self.began_at(stored)?,
            },
            again: Some(Again {
                replay: Replay {
                    of: id.clone(),
                    from,
                    versions,
                },
                given,
            }),
            ..Order::of(Arc::clone(&stored.document))
        })
    }

    /// The node that a run began at, where that is not for its document to say: a request or a time starts one trigger.
    fn began_at(&self, stored: &StoredRun) -> Result<Option<String>, RunsError> {
        let first = stored
            .execution_order
            .first()
            .map(|node| node.as_str().to_owned());
        let mut kind = stored.summary.trigger;
        let mut before = stored.replay.clone();
        // A replay of a replay begins where the first of them did.
        for _ in 0..MOST_REPLAYS {
            let Some(replay) = before.filter(|_| kind == TriggerKind::Replay) else {
                break;
            };
            // One that began at a node for it to do so says nothing about the others; nor does one that is gone.
            let earlier = match replay.from {
                None => self.journal.run(&replay.of)?,
                Some(_) => None,
            };
            let Some(earlier) = earlier else { break };
            kind = earlier.summary.trigger;
            before = earlier.replay;
        }
        let by_trigger = matches!(kind, TriggerKind::Webhook | TriggerKind::Schedule);
        Ok(first.filter(|_| by_trigger))
    }

    /// Nodes of a run that did something to the world.
    fn effectful(&self, run: &wire::RunView) -> Vec<String> {
        let snapshot = self.registry.snapshot();
        let does = |node_type: &str| {
            let slot = snapshot.slot(node_type)?;
            let route = snapshot.route(slot)?;
            let description = route.mount().handle().plugin().description();
            let (_, place) = description.names().nth(route.node() as usize)?;
            Some(description.nodes.get(place)?.meta.effect == Effect::Effectful)
        };
        let nodes = run.state.iter().filter(|(_, node)| node.attempts > 0);
        nodes
            .filter(|(_, node)| does(&node.node_type).unwrap_or(false))
            .map(|(id, _)| id.clone())
            .collect()
    }
}

fn cursor(text: &str) -> Result<RunCursor, RunsError> {
    let parts = text.split_once('-').and_then(|(at, id)| {
        Some(RunCursor {
            started_at: UnixMillis(at.parse().ok()?),
            id: id.parse().ok()?,
        })
    });
    parts.ok_or_else(|| RunsError::Input {
        what: "before",
        why: "it is not the `next` of a page".into(),
    })
}

/// For each node, whether it is behind `start` or that itself.
fn behind(plan: &patchbay_workflow::Plan, start: u32) -> Vec<bool> {
    let mut seen = vec![false; plan.nodes.len()];
    let mut next = vec![start];
    while let Some(at) = next.pop() {
        match seen.get_mut(at as usize) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        let edges = plan
            .nodes
            .get(at as usize)
            .map(|node| node.edges.start as usize..node.edges.end as usize);
        let edges = edges.and_then(|range| plan.edges.get(range)).unwrap_or_default();
        next.extend(edges.iter().map(|edge| edge.to));
    }
    seen
}

/// What a kept run gave: as its executor would say.
fn result_of(plan: &patchbay_workflow::Plan, view: &wire::RunView) -> Box<serde_json::value::RawValue> {
    let last = plan.nodes.iter().filter(|node| node.edges.is_empty());
    let outputs = last.filter_map(|node| {
        let result = view.state.get(node.id.as_str())?;
        (result.status == "success").then_some((node.id.as_str(), result.output.as_deref()?))
    });
    let outputs: Vec<_> = outputs.collect();
    match outputs.as_slice() {
        [] => serde_json::value::RawValue::NULL.to_owned(),
        [(_, only)] => (*only).to_owned(),
        several => {
            let map: BTreeMap<_, _> = several.iter().copied().collect();
            serde_json::value::to_raw_value(&map)
                .unwrap_or_else(|_| serde_json::value::RawValue::NULL.to_owned())
        }
    }
}

/// Where a replay differs from its original; of nodes that were not run again nothing is said.
fn compare(before: &wire::RunView, after: &wire::RunView, from: Option<&str>) -> Vec<wire::DifferenceView> {
    let mut found = Vec::new();
    for (id, new) in &after.state {
        // Nodes that were taken over were not run.
        let taken_over = from.is_some() && new.attempts == 0 && new.status != "error";
        if taken_over {
            continue;
        }
        let Some(old) = before.state.get(id) else {
            let after = Json::from(new.status.clone());
            found.push(difference(
                id,
                "",
                "new",
                (Json::Null, after),
                (None, new.version.as_ref()),
            ));
            continue;
        };
        let versions = (old.version.as_ref(), new.version.as_ref());
        if old.status != new.status {
            let both = (Json::from(old.status.clone()), Json::from(new.status.clone()));
            found.push(difference(id, "", "status", both, versions));
        }
        let json = |raw: &Option<Box<serde_json::value::RawValue>>| {
            let raw = raw
                .as_ref()
                .map(|raw| serde_json::from_str::<Json>(raw.get()).unwrap_or(Json::Null));
            raw.unwrap_or(Json::Null)
        };
        let mut places = Vec::new();
        differ(
            &json(&old.output),
            &json(&new.output),
            &mut String::new(),
            &mut places,
        );
        for (pointer, before, after) in places {
            found.push(difference(id, &pointer, "output", (before, after), versions));
        }
        if found.len() >= MOST_DIFFERENCES {
            found.truncate(MOST_DIFFERENCES);
            return found;
        }
    }
    for (id, old) in &before.state {
        if from.is_none() && !after.state.contains_key(id) {
            let before = Json::from(old.status.clone());
            found.push(difference(
                id,
                "",
                "missing",
                (before, Json::Null),
                (old.version.as_ref(), None),
            ));
        }
    }
    found.truncate(MOST_DIFFERENCES);
    found
}

fn difference(
    node: &str,
    pointer: &str,
    what: &str,
    (before, after): (Json, Json),
    (version_before, version_after): (Option<&Version>, Option<&Version>),
) -> wire::DifferenceView {
    wire::DifferenceView {
        node: node.to_owned(),
        pointer: pointer.to_owned(),
        what: what.to_owned(),
        before,
        after,
        version_before: version_before.cloned(),
        version_after: version_after.cloned(),
    }
}

/// Collects where two values differ, as deep as they are alike.
fn differ(before: &Json, after: &Json, pointer: &mut String, into: &mut Vec<(String, Json, Json)>) {
    if before == after || into.len() >= MOST_DIFFERENCES {
        return;
    }
    let step = |pointer: &mut String, key: &str| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        length
    };
    match (before, after) {
        (Json::Object(a), Json::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let length = step(pointer, key);
                let (one, two) = (
                    a.get(key).unwrap_or(&Json::Null),
                    b.get(key).unwrap_or(&Json::Null),
                );
                differ(one, two, pointer, into);
                pointer.truncate(length);
            }
        }
        (Json::Array(a), Json::Array(b)) => {
            for at in 0..a.len().max(b.len()) {
                let length = step(pointer, &at.to_string());
                let (one, two) = (a.get(at).unwrap_or(&Json::Null), b.get(at).unwrap_or(&Json::Null));
                differ(one, two, pointer, into);
                pointer.truncate(length);
            }
        }
        _ => into.push((pointer.clone(), before.clone(), after.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_told_where_they_are() {
        let cases = [
            (json!({"a": 1}), json!({"a": 1}), vec![]),
            (json!({"a": 1}), json!({"a": 2}), vec!["/a"]),
            (
                json!({"a": {"b/c": [1, 2]}}),
                json!({"a": {"b/c": [1, 3, 4]}}),
                vec!["/a/b~1c/1", "/a/b~1c/2"],
            ),
            (json!({"a": 1}), json!({"b": 1}), vec!["/a", "/b"]),
            (json!(1), json!([1]), vec![""]),
        ];
        for (before, after, expected) in cases {
            let mut places = Vec::new();
            differ(&before, &after, &mut String::new(), &mut places);
            let places: Vec<_> = places.iter().map(|(pointer, ..)| pointer.as_str()).collect();
            assert_eq!(places, expected, "{before} {after}");
        }
    }

    #[test]
    fn a_page_names_the_next_one() {
        let at = cursor("1700000000000-r0190-x").unwrap();
        assert_eq!((at.started_at.0, at.id.as_str()), (1_700_000_000_000, "r0190-x"));
        for bad in ["", "x", "1", "x-y", "1-"] {
            assert!(cursor(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_map_is_what_triggers_by_default() {
        assert_eq!(empty_map().to_json(), "{}");
    }
}
