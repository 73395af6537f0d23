//! Invariant: what a name means is decided here, once, when an expression is compiled.

use crate::ast::{Expr, Root, Step};
use crate::lexer::Flaw;
use crate::toolbox::Tool;
use crate::{Names, NodeRef};

/// What a node binds for its callbacks, and a loop for its body.
pub(crate) const BINDINGS: [&str; 6] = ["item", "index", "acc", "value", "key", "array"];

/// Steps that lead nowhere, so that no prototype can be reached.
pub(crate) fn is_refused(key: &str) -> bool {
    matches!(key, "__proto__" | "constructor" | "prototype")
}

/// Whether names of bindings may be written without the dollar sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    /// As in a node's callback: `item.age > 18`.
    Allowed,
    /// As in a template.
    Refused,
}

/// Finds out what names mean, and remembers what was asked.
pub(crate) struct Resolver<'n> {
    names: &'n dyn Names,
    bare: Bare,
    pub(crate) nodes: Vec<NodeRef>,
    pub(crate) unknown: Vec<Box<str>>,
    pub(crate) bindings: Vec<&'static str>,
}

impl<'n> Resolver<'n> {
    pub(crate) fn new(names: &'n dyn Names, bare: Bare) -> Self {
        Self {
            names,
            bare,
            nodes: Vec::new(),
            unknown: Vec::new(),
            bindings: Vec::new(),
        }
    }

    /// Forgets what was asked.
    pub(crate) fn forget(&mut self) {
        self.nodes.clear();
        self.unknown.clear();
        self.bindings.clear();
    }

    /// Whether the name is a root: has a dollar sign, or is a binding's and may go without.
    pub(crate) fn is_root(&self, name: &str) -> bool {
        match name.strip_prefix('$') {
            Some(rest) => !rest.is_empty() && !rest.starts_with('$'),
            None => self.bare == Bare::Allowed && BINDINGS.contains(&name),
        }
    }

    /// The path that begins with a root.
    pub(crate) fn path(&mut self, root: &str, steps: Vec<Step>) -> Expr {
        let name = root.strip_prefix('$').unwrap_or(root);
        let mut steps = steps.into_iter().peekable();
        let mut variable = None;
        let root = match name {
            "json" => Root::Json,
            "input" => {
                if steps.next_if(|step| is_key(step, "item")).is_some() {
                    Root::InputItem
                } else {
                    Root::Input
                }
            }
            "context" => {
                if steps.next_if(|step| is_key(step, "variables")).is_some() {
                    Root::Variables
                } else {
                    Root::Context
                }
            }
            "workflow" => {
                if steps.next_if(|step| is_key(step, "variables")).is_some() {
                    Root::Variables
                } else {
                    Root::Workflow
                }
            }
            "vars" | "variables" => Root::Variables,
            "env" => Root::Env,
            "now" => Root::Now,
            "today" => Root::Today,
            "steps" | "state" | "nodes" | "node" => match steps.next_if(is_fixed) {
                Some(Step::Key(id)) => self.node(&id),
                Some(Step::Index(id)) => self.node(&id.to_string()),
                _ => Root::Nodes,
            },
            _ => match BINDINGS.iter().find(|binding| **binding == name) {
                Some(binding) => {
                    if !self.bindings.contains(binding) {
                        self.bindings.push(binding);
                    }
                    Root::Binding(binding)
                }
                None => match self.node(name) {
                    // What is no node may be a variable of the run, which nodes make as they run.
                    Root::Missing => {
                        variable = Some(Step::Key(name.into()));
                        Root::Variables
                    }
                    node => node,
                },
            },
        };
        let steps: Vec<Step> = variable.into_iter().chain(steps).collect();
        let refused = steps
            .iter()
            .any(|step| matches!(step, Step::Key(key) if is_refused(key)));
        if refused {
            return Expr::Undefined;
        }
        Expr::Path(root, steps.into())
    }

    fn node(&mut self, reference: &str) -> Root {
        if let Some(node) = self.names.node(reference) {
            if !self.nodes.contains(&node) {
                self.nodes.push(node);
            }
            return Root::Node(node);
        }
        if !self.unknown.iter().any(|known| **known == *reference) {
            self.unknown.push(reference.into());
        }
        Root::Missing
    }
}

fn is_fixed(step: &Step) -> bool {
    matches!(step, Step::Key(_) | Step::Index(_))
}

fn is_key(step: &Step, wanted: &str) -> bool {
    matches!(step, Step::Key(key) if **key == *wanted)
}

/// The function of `$utils` with this name.
pub(crate) fn tool(name: &str, at: usize) -> Result<Tool, Flaw> {
    if let Some(tool) = Tool::ALL.iter().find(|tool| tool.name() == name) {
        return Ok(*tool);
    }
    let nearest = Tool::ALL
        .iter()
        .map(|tool| {
            (
                distance(&tool.name().to_lowercase(), &name.to_lowercase()),
                tool.name(),
            )
        })
        .min();
    let hint = match nearest {
        Some((distance, nearest)) if distance <= 1 + nearest.len() / 3 => format!("; `{nearest}` is near"),
        _ => String::new(),
    };
    let name: String = name.chars().take(40).collect();
    Err(Flaw::new(at, format!("`$utils` has no function `{name}`{hint}")))
}

/// How many letters have to change to turn one name into the other; long names are far from everything.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(41).collect();
    if b.len() > 40 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((y, here), after) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            next.push((here + usize::from(x != *y)).min(after + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
