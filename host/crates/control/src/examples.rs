//! Running the examples of what is live.

use std::time::Instant;

use patchbay_vocab::{Explain, NodeType, PluginName};
use patchbay_wire::{CallRequest, Effect, ExampleOutcome, ExampleRunView, ExampleView, NodeView};
use serde_json::Value as Json;

use crate::{ControlError, Patchbay};

/// How long one example may take, in milliseconds: it shows how a node is used, not what it can bear.
const LIMIT_MS: u64 = 1_000;
/// Bytes of an output, as JSON, and characters of an error that are shown.
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
                let runs = node
                    .examples
                    .iter()
                    .map(|example| self.run_example(&node, example));
                runs.collect::<Vec<_>>()
            })
            .collect())
    }

    fn run_example(&self, node: &NodeView, example: &ExampleView) -> ExampleRunView {
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
        shown.judged(
            match reply {
                Ok(reply) => Came::Output(reply.output),
                Err(error) => Came::Error(error.chain()),
            },
            micros,
        )
    }
}

/// What came of an example that was run.
pub(crate) enum Came {
    /// This output.
    Output(Json),
    /// Another output than the expected one, too long to be told.
    LongOutput,
    /// An error of the node, or why it could not be called.
    Error(String),
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
            error: None,
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
    pub(crate) fn judged(self, came: Came, micros: u64) -> ExampleRunView {
        let run = ExampleRunView {
            micros: Some(micros),
            ..self.blank()
        };
        match came {
            Came::Output(output) if output == *self.expected => run,
            Came::Output(output) => ExampleRunView {
                outcome: ExampleOutcome::Differs,
                notes: patchbay_lint::parting(self.expected, &output),
                got: (output.to_string().len() <= MOST_SHOWN).then_some(output),
                ..run
            },
            Came::LongOutput => ExampleRunView {
                outcome: ExampleOutcome::Differs,
                notes: vec!["the output is too long to be shown".to_owned()],
                ..run
            },
            Came::Error(error) => ExampleRunView {
                outcome: ExampleOutcome::Failed,
                error: Some(shown(&error)),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(came: Came) -> ExampleRunView {
        let node = "a.b".parse().unwrap();
        let expected = json!({"result": "HI"});
        let shown = Shown {
            node: &node,
            title: "a name",
            expected: &expected,
        };
        shown.judged(came, 1)
    }

    #[test]
    fn an_output_is_told_as_json_and_an_error_as_text() {
        let holds = judged(Came::Output(json!({"result": "HI"})));
        assert_eq!(
            (holds.outcome, holds.got, holds.error),
            (ExampleOutcome::Holds, None, None)
        );
        let differs = judged(Came::Output(json!({"result": "hi"})));
        assert_eq!(differs.outcome, ExampleOutcome::Differs);
        assert_eq!(
            (differs.got, differs.error),
            (Some(json!({"result": "hi"})), None)
        );
        assert_eq!(differs.notes.len(), 1);
        let failed = judged(Came::Error("no".to_owned()));
        assert_eq!(failed.outcome, ExampleOutcome::Failed);
        assert_eq!((failed.got, failed.error.as_deref()), (None, Some("no")));
    }

    #[test]
    fn an_output_too_long_to_be_shown_still_differs() {
        let long = json!({"result": "x".repeat(MOST_SHOWN)});
        for came in [Came::Output(long), Came::LongOutput] {
            let run = judged(came);
            assert_eq!((run.outcome, &run.got), (ExampleOutcome::Differs, &None));
            assert_eq!(run.notes.len(), 1, "{run:?}");
        }
    }
}
