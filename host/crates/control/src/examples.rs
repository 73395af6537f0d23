//! Running the examples of what is live.

use std::time::Instant;

use patchbay_vocab::{Explain, NodeType, PluginName};
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
        let shown = Shown {
            node: &node.node_type,
            title: &example.title,
            expected: &example.output,
        };
        if node.effect != Effect::Pure {
            return shown.not_run("the node has effects");
        }
        let begin = Instant::now();
        let reply = self.call_json(
            node.node_type.as_str(),
            CallRequest {
                timeout_ms: Some(LIMIT_MS),
                ..CallRequest::of(example.input.clone())
            },
        );
        let micros = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
        let got = reply.map(|reply| reply.output).map_err(|error| error.chain());
        shown.judged(got, micros)
    }
}

/// An example that is shown, whatever came of it.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) node: &'a NodeType,
    pub(crate) title: &'a str,
    pub(crate) expected: &'a Json,
}

impl Shown<'_> {
    fn blank(self) -> ExampleRunView {
        ExampleRunView {
            node: self.node.clone(),
            title: self.title.to_owned(),
            outcome: ExampleOutcome::Holds,
            micros: None,
            expected: self.expected.clone(),
            got: None,
            notes: Vec::new(),
        }
    }

    /// It was not run, and why.
    pub(crate) fn not_run(self, why: &str) -> ExampleRunView {
        ExampleRunView {
            outcome: ExampleOutcome::NotRun,
            notes: vec![why.to_owned()],
            ..self.blank()
        }
    }

    /// It was run, and this came of it.
    pub(crate) fn judged(self, got: Result<Json, String>, micros: u64) -> ExampleRunView {
        let run = ExampleRunView {
            micros: Some(micros),
            ..self.blank()
        };
        match got {
            Ok(output) if output == *self.expected => run,
            Ok(output) => ExampleRunView {
                outcome: ExampleOutcome::Differs,
                got: Some(shown(&output.to_string())),
                notes: patchbay_lint::parting(self.expected, &output),
                ..run
            },
            Err(error) => ExampleRunView {
                outcome: ExampleOutcome::Failed,
                got: Some(shown(&error)),
                ..run
            },
        }
    }
}

fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(MOST_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
