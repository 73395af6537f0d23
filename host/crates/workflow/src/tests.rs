mod beside;
mod golden;
mod plans;
mod ranges;
mod references;
mod registry;
mod shapes;
mod soundness;
mod ways;

use crate::{Findings, Plan, ValidWorkflow, Work, read, validate};

/// Validates JSON text.
fn validated(json: &str) -> Result<ValidWorkflow, Findings> {
    validate(read(json.as_bytes())?)
}

/// The plan of JSON text that is sound, with every promise of plans checked.
#[track_caller]
fn planned(json: &str) -> Plan {
    match validated(json) {
        Ok(valid) => {
            let plan = valid.plan();
            check_plan(&plan);
            plan
        }
        Err(findings) => panic!("refused: {findings:#?}"),
    }
}

/// Codes and paths of all findings.
fn said(json: &str) -> Vec<(&'static str, String)> {
    let findings = match validated(json) {
        Ok(valid) => valid.warnings().clone(),
        Err(findings) => findings,
    };
    let pairs = findings
        .0
        .into_iter()
        .map(|finding| (finding.code.0, finding.path));
    pairs.collect()
}

/// What a plan promises.
fn check_plan(plan: &Plan) {
    let count = u32::try_from(plan.nodes.len()).expect("a plan is small");
    let mut incoming = vec![0_u32; plan.nodes.len()];
    let mut end = 0;
    for node in &plan.nodes {
        assert_eq!(node.edges.start, end, "edges are grouped by node");
        end = node.edges.end;
        for edge in &plan.edges[node.edges.start as usize..node.edges.end as usize] {
            assert!(edge.to < count);
            incoming[edge.to as usize] += 1;
        }
        match &node.work {
            Work::Call(index) => assert!((index.0 as usize) < plan.node_types.len()),
            Work::Trigger => {}
            Work::Loop(repeat) => {
                assert!(repeat.bound <= 1_000_000);
                assert!(!repeat.body.nodes.is_empty());
                assert!(std::sync::Arc::ptr_eq(&plan.node_types, &repeat.body.node_types));
                check_plan(&repeat.body);
            }
            Work::SubWorkflow(another) => {
                if let Some(inline) = &another.inline {
                    check_plan(inline);
                }
            }
        }
        for reference in node.input.nodes() {
            assert!(reference.up > 0 || reference.index < count);
        }
        assert!(node.policy.retry.tries >= 1);
    }
    assert_eq!(end as usize, plan.edges.len());
    for (node, incoming) in plan.nodes.iter().zip(&incoming) {
        assert_eq!(node.incoming, *incoming);
    }
    assert!(plan.starts.iter().all(|start| *start < count));
    let is_off = plan.triggers.iter().all(|trigger| !trigger.enabled) && !plan.triggers.is_empty();
    assert!(is_off || !plan.starts.is_empty());
    assert!(plan.triggers.iter().all(|trigger| trigger.node < count));
    assert!(plan.names.iter().all(|(_, node)| *node < count));
    let mut types: Vec<_> = plan.node_types.iter().collect();
    types.sort();
    types.dedup();
    assert_eq!(types.len(), plan.node_types.len(), "each node type is there once");
    check_order(plan, incoming);
}

fn check_order(plan: &Plan, mut left: Vec<u32>) {
    let mut ready: Vec<usize> = (0..left.len()).filter(|node| left[*node] == 0).collect();
    let mut done = 0;
    while let Some(node) = ready.pop() {
        done += 1;
        let range = &plan.nodes[node].edges;
        for edge in &plan.edges[range.start as usize..range.end as usize] {
            left[edge.to as usize] -= 1;
            if left[edge.to as usize] == 0 {
                ready.push(edge.to as usize);
            }
        }
    }
    assert_eq!(done, plan.nodes.len(), "a plan has no cycle");
}
