//! Documents to run: chains, fans, layers.

use std::fmt::Write as _;
use std::sync::Arc;

/// Whether what becomes of a run is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// With inputs and outputs.
    All,
    /// Not at all.
    Nothing,
}

/// A document under construction.
pub(super) struct Draft {
    nodes: Vec<String>,
    /// For each node, where it leads to.
    edges: Vec<Vec<usize>>,
    keep: Keep,
}

impl Draft {
    pub(super) const fn new(keep: Keep) -> Self {
        Self {
            nodes: Vec::new(),
            edges: Vec::new(),
            keep,
        }
    }

    /// Adds a node `n0`, `n1`, ... and gives its number.
    pub(super) fn node(&mut self, node_type: &str, parameters: &str) -> usize {
        let at = self.nodes.len();
        self.nodes.push(format!(
            r#"{{"id":"n{at}","name":"n{at}","type":"operation","nodeType":"{node_type}","parameters":{parameters}}}"#
        ));
        self.edges.push(Vec::new());
        at
    }

    pub(super) fn edge(&mut self, from: usize, to: usize) {
        self.edges[from].push(to);
    }

    /// The document's text.
    pub(super) fn text(&self, name: &str) -> Arc<str> {
        let mut connections = Vec::new();
        for (from, targets) in self.edges.iter().enumerate().filter(|(_, to)| !to.is_empty()) {
            let targets: Vec<_> = targets
                .iter()
                .map(|to| format!(r#"{{"node":"n{to}","type":"main","index":0}}"#))
                .collect();
            connections.push(format!(r#""n{from}":{{"main":{{"0":[{}]}}}}"#, targets.join(",")));
        }
        let settings = match self.keep {
            Keep::All => "{}",
            Keep::Nothing => {
                r#"{"saveExecutionData":"none","saveDataSuccessExecution":"none","saveDataErrorExecution":"none"}"#
            }
        };
        let mut text = String::new();
        // Writing into a text does not fail.
        let _ = write!(
            text,
            r#"{{"id":"{name}","name":"{name}","version":"3.0.0","tenantId":"bench","settings":{settings},"nodes":[{}],"connections":{{{}}}}}"#,
            self.nodes.join(","),
            connections.join(",")
        );
        text.into()
    }
}

/// A node type with parameters, and what it gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cheap {
    pub(super) node_type: &'static str,
    pub(super) parameters: &'static str,
    pub(super) gives: &'static str,
}

pub(super) const NOOP: Cheap = Cheap {
    node_type: "test.noop",
    parameters: "{}",
    gives: "null",
};

pub(super) const UPPER: Cheap = Cheap {
    node_type: "string.upper",
    parameters: r#"{"value":"hello"}"#,
    gives: r#"{"result":"HELLO"}"#,
};

/// One node after the other.
pub(super) fn chain(cheap: Cheap, length: usize, keep: Keep) -> Arc<str> {
    let mut draft = Draft::new(keep);
    for at in 0..length {
        draft.node(cheap.node_type, cheap.parameters);
        if at > 0 {
            draft.edge(at - 1, at);
        }
    }
    draft.text(&format!("chain-{length}"))
}

/// One node, and `width` that it leads to.
pub(super) fn fan(cheap: Cheap, width: usize) -> Arc<str> {
    let mut draft = Draft::new(Keep::Nothing);
    let first = draft.node(cheap.node_type, cheap.parameters);
    for _ in 0..width {
        let next = draft.node(cheap.node_type, cheap.parameters);
        draft.edge(first, next);
    }
    draft.text(&format!("fan-{width}"))
}

/// Layers of nodes; two edges lead into each node behind the first layer.
pub(super) fn layers(cheap: Cheap, layers: usize, width: usize) -> Arc<str> {
    let mut draft = Draft::new(Keep::Nothing);
    for layer in 0..layers {
        for at in 0..width {
            let node = draft.node(cheap.node_type, cheap.parameters);
            if layer > 0 {
                let before = (layer - 1) * width;
                draft.edge(before + at, node);
                draft.edge(before + (at + 1) % width, node);
            }
        }
    }
    draft.text(&format!("layers-{layers}x{width}"))
}
