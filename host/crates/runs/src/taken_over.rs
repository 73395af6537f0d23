//! What a replay from a node on takes over from the run before it.
//!
//! Invariant: a node that is not run again is in the replay as it was then: its status, its output, its error. Which of
//! its edges fired is not kept, so it is read off where they lead: an edge fired when the node could leave by it, and
//! the node at its end was not skipped then. Where several edges of one node lead to the same node, all of them count.

use patchbay_executor::{Class, Failure, Given, Status};
use patchbay_journal::{NodeError, NodeStatus, StoredNode};
use patchbay_workflow::{OnError, Plan, PlanNode, Port};
use plugin_api::value::{Value, ValueRef, Writer};

/// What is taken over of the nodes of a run, when what is `again` is run again; or why it cannot be.
pub(crate) fn taken_over(plan: &Plan, nodes: &[StoredNode], again: &[bool]) -> Result<Vec<Given>, String> {
    let mut before: Vec<Option<&StoredNode>> = vec![None; plan.nodes.len()];
    for stored in nodes {
        let place = plan
            .names
            .iter()
            .find(|(name, _)| **name == *stored.node.as_str());
        if let Some((_, place)) = place
            && let Some(before) = before.get_mut(*place as usize)
        {
            *before = Some(stored);
        }
    }
    // A node that the run did not come to has nothing that speaks against it.
    let ran = |node: u32| {
        before
            .get(node as usize)
            .copied()
            .flatten()
            .is_none_or(|stored| stored.status != NodeStatus::Skipped || went_on(stored))
    };
    let mut given = Vec::new();
    for ((place, node), stored) in (0_u32..).zip(&plan.nodes).zip(&before) {
        let Some(stored) = stored else { continue };
        if again.get(place as usize).copied().unwrap_or(true) {
            continue;
        }
        let status = match stored.status {
            NodeStatus::Success => Status::Success,
            NodeStatus::Error => Status::Error,
            NodeStatus::Skipped => Status::Skipped,
            // It did not end then, so nothing is known of it.
            NodeStatus::Pending => continue,
        };
        let port = left_by(node, stored);
        let fired = port.map(|port| {
            let edges = node.edges.clone();
            let fires = |at: &u32| {
                let edge = plan.edges.get(*at as usize);
                edge.is_some_and(|edge| edge.port == port && ran(edge.to))
            };
            edges.filter(fires).collect::<Vec<_>>()
        });
        let fired = fired.unwrap_or_default();
        given.push(Given {
            node: place,
            output: output(node, stored, !fired.is_empty())?,
            status,
            failure: stored.error.as_ref().map(failure),
            fired,
        });
    }
    Ok(given)
}

/// What a node gave, or gave on.
fn output(node: &PlanNode, stored: &StoredNode, fired: bool) -> Result<Option<Value>, String> {
    if stored.status == NodeStatus::Error {
        // Records show no output of failed nodes: it is what the policy says.
        return Ok(match node.policy.on_error {
            OnError::ContinueError => stored.error.as_ref().map(described),
            OnError::ContinueRegular => Some(Value::empty_map()),
            OnError::Skip | OnError::Stop => None,
        });
    }
    let kept = stored.output.as_ref().filter(|output| output.cut().is_none());
    let kept = kept.and_then(|output| output.to_value().ok());
    let missed = stored.output.is_some() && fired || stored.status == NodeStatus::Success;
    match kept {
        None if missed => Err(format!("the output of `{}` was not kept", stored.node)),
        kept => Ok(kept),
    }
}

/// What the error port gives on.
fn described(error: &NodeError) -> Value {
    let mut out = Vec::new();
    let written = Writer::new(&mut out).map(|map| {
        map.entry("error", |writer| {
            writer.map(|map| {
                map.entry("code", |writer| writer.str(&error.code))?;
                map.entry("message", |writer| writer.str(&error.message))?;
                match error.status_code {
                    Some(status) => map.entry("statusCode", |writer| writer.i64(status.into())),
                    None => Ok(()),
                }
            })
        })
    });
    written.map_or_else(
        |_| Value::empty_map(),
        |()| ValueRef::assume_valid(&out).to_value(),
    )
}

/// Whether a node that counts as skipped let what arrived go on: it is disabled, or it failed and was to be skipped.
const fn went_on(stored: &StoredNode) -> bool {
    stored.output.is_some() || stored.attempts > 0
}

/// The port by which a node left.
fn left_by(node: &PlanNode, stored: &StoredNode) -> Option<Port> {
    match stored.status {
        NodeStatus::Success => Some(Port::Main),
        NodeStatus::Error => match node.policy.on_error {
            OnError::ContinueRegular | OnError::Skip => Some(Port::Main),
            OnError::ContinueError => Some(Port::Error),
            OnError::Stop => None,
        },
        NodeStatus::Skipped => went_on(stored).then_some(Port::Main),
        NodeStatus::Pending => None,
    }
}

fn failure(error: &NodeError) -> Failure {
    const CLASSES: [Class; 13] = [
        Class::ValidationFailed,
        Class::UnknownNodeType,
        Class::NodeTypeNotAllowed,
        Class::Timeout,
        Class::Cancelled,
        Class::CredentialMissing,
        Class::DependencyNotLoaded,
        Class::PluginPanicked,
        Class::PluginCrashed,
        Class::LimitExceeded,
        Class::NoFallback,
        Class::FallbackNotFound,
        Class::FallbackFailed,
    ];
    let known = CLASSES.into_iter().find(|class| class.as_str() == &*error.code);
    let own = error.node_code.as_ref().unwrap_or(&error.code);
    Failure {
        code: own.to_string().into(),
        status_code: error.status_code,
        ..Failure::new(known.unwrap_or(Class::ExecutionError), error.message.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiled::{Reading, compile};

    fn stored(node: &str, status: NodeStatus, output: Option<&str>, attempts: u32) -> StoredNode {
        StoredNode {
            node: node.parse().unwrap(),
            node_type: "x".into(),
            status,
            plugin: None,
            version: None,
            revision: None,
            attempts,
            retries: 0,
            started_micros: 0,
            micros: 0,
            input: None,
            output: output.map(Into::into),
            error: (status == NodeStatus::Error).then(|| NodeError {
                code: "TIMEOUT".into(),
                node_code: None,
                message: "late".into(),
                status_code: Some(504),
            }),
            recovery: None,
            validation_errors: Vec::new(),
        }
    }

    #[test]
    fn only_edges_that_fired_then_fire_now_and_failures_are_taken_over() {
        let text = r#"{"id": "w", "name": "w", "nodes": [
            {"id": "if", "type": "condition", "parameters": {}},
            {"id": "yes", "type": "x", "parameters": {}},
            {"id": "no", "type": "x", "parameters": {}, "onError": "continueErrorOutput"},
            {"id": "late", "type": "x", "parameters": {}, "onError": "continueErrorOutput"},
            {"id": "off", "type": "x", "parameters": {}, "disabled": true},
            {"id": "join", "type": "x", "parameters": {}}],
            "connections": {
              "if": {"main": {"0": [{"node": "yes", "type": "main", "index": 0}], "1": [{"node": "no", "type": "main", "index": 0}]}},
              "yes": {"main": {"0": [{"node": "late", "type": "main", "index": 0}]}},
              "no": {"main": {"0": [{"node": "join", "type": "main", "index": 0}]}},
              "late": {"main": {"0": [{"node": "off", "type": "main", "index": 0}]}, "error": {"0": [{"node": "join", "type": "main", "index": 0}]}},
              "off": {"main": {"0": [{"node": "join", "type": "main", "index": 0}]}}}}"#;
        let Reading::Fit(compiled) = compile(text) else {
            panic!("it is sound");
        };
        let plan = &compiled.plan;
        let nodes = [
            stored("if", NodeStatus::Success, Some("true"), 1),
            stored("yes", NodeStatus::Success, Some("1"), 1),
            stored("no", NodeStatus::Skipped, None, 0),
            stored("late", NodeStatus::Error, None, 1),
            stored("off", NodeStatus::Skipped, None, 0),
        ];
        let again = [false, false, false, false, false, true];
        let given = taken_over(plan, &nodes, &again).unwrap();
        let ends = |given: &Given| -> Vec<String> {
            let to = given.fired.iter().map(|edge| plan.edges[*edge as usize].to);
            to.map(|to| plan.nodes[to as usize].id.to_string()).collect()
        };
        let said: Vec<_> = given
            .iter()
            .map(|given| {
                (
                    plan.nodes[given.node as usize].id.as_str(),
                    given.status,
                    ends(given),
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                ("if", Status::Success, vec!["yes".to_owned()]),
                ("yes", Status::Success, vec!["late".to_owned()]),
                ("no", Status::Skipped, vec![]),
                ("late", Status::Error, vec!["join".to_owned()]),
                ("off", Status::Skipped, vec![]),
            ]
        );
        let late = &given[3];
        let failure = late.failure.as_ref().unwrap();
        assert_eq!((failure.class, failure.error_code()), (Class::Timeout, "TIMEOUT"));
        assert_eq!(
            late.output.as_ref().unwrap().to_json(),
            r#"{"error":{"code":"TIMEOUT","message":"late","statusCode":504}}"#
        );
        let unkept = [stored("if", NodeStatus::Success, None, 1)];
        assert!(taken_over(plan, &unkept, &again).is_err());
    }
}
