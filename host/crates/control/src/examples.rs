//! Running the examples of what is live.

use std::time::Instant;

use patchbay_vocab::{Explain, PluginName};
use patchbay_wire::{CallRequest, Effect, ExampleOutcome, ExampleRunView, ExampleView, NodeView};
use serde_json::Value as Json;

use crate::{ControlError, Patchbay};

/// How long one example may take, in milliseconds: it shows how a node is used, not what it can bear.
const LIMIT_MS: u64 = 1_000;
/// Characters of an output that are shown.
const MOST_SHOWN: usize = 2_000;

impl Patchbay {
    /// Runs the examples of a plugin's live version, as calls of the default tenant. Nodes with an effect are not
    /// called.
    ///
    /// # Errors
    /// When there is no plugin of that name.
    pub fn run_examples(&self, plugin: &PluginName) -> Result<Vec<ExampleRunView>, ControlError> {
        let wanted = self.plugin(plugin)?.nodes;
        let nodes = self.nodes().into_iter();
        let nodes = nodes.filter(|node| node.plugin == *plugin && wanted.contains(&node.node_type));
        Ok(nodes
            .flat_map(|node| {
                let runs = node.examples.iter().map(|example| self.run(&node, example));
                runs.collect::<Vec<_>>()
            })
            .collect())
    }

    fn run(&self, node: &NodeView, example: &ExampleView) -> ExampleRunView {
        if node.effect != Effect::Pure {
            return not_run(node, example, "the node has effects");
        }
        let begin = Instant::now();
        let reply = self.call_json(
            node.node_type.as_str(),
            CallRequest {
                input: example.input.clone(),
                tenant: None,
                timeout_ms: Some(LIMIT_MS),
            },
        );
        let micros = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
        let got = reply.map(|reply| reply.output).map_err(|error| error.chain());
        judged(node, example, got, micros)
    }
}

fn blank(node: &NodeView, example: &ExampleView) -> ExampleRunView {
    ExampleRunView {
        node: node.node_type.clone(),
        title: example.title.clone(),
        outcome: ExampleOutcome::Holds,
        micros: None,
        expected: example.output.clone(),
        got: None,
        notes: Vec::new(),
    }
}

/// An example that was not run, and why.
pub(crate) fn not_run(node: &NodeView, example: &ExampleView, why: &str) -> ExampleRunView {
    ExampleRunView {
        outcome: ExampleOutcome::NotRun,
        notes: vec![why.to_owned()],
        ..blank(node, example)
    }
}

/// An example against what came of it.
pub(crate) fn judged(
    node: &NodeView,
    example: &ExampleView,
    got: Result<Json, String>,
    micros: u64,
) -> ExampleRunView {
    let run = ExampleRunView {
        micros: Some(micros),
        ..blank(node, example)
    };
    match got {
        Ok(output) if output == example.output => run,
        Ok(output) => ExampleRunView {
            outcome: ExampleOutcome::Differs,
            got: Some(shown(&output.to_string())),
            notes: patchbay_lint::parting(&example.output, &output),
            ..run
        },
        Err(error) => ExampleRunView {
            outcome: ExampleOutcome::Failed,
            got: Some(shown(&error)),
            ..run
        },
    }
}

fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(MOST_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
