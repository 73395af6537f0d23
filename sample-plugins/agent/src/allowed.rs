//! Which nodes a model may call. Invariant: the administrator's list, where there is one, is the widest that any document
//! can have; no tool is a node that would ask the model again.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Dict, kind_name};

/// The administrator's list.
const SETTING: &str = "ai.tools";
/// Tools in one list.
const MAX_TOOLS: usize = 256;
/// Nodes of this plugin that would go round in circles.
const CIRCULAR: [&str; 6] = [
    "core.aiRequest",
    "core.ai_request",
    "ai_request",
    "core.runToolCalls",
    "core.run_tool_calls",
    "execute_tool_calls",
];

/// The tools by name, each with the node it stands for.
#[derive(Debug, Default)]
pub(crate) struct Allowed(Vec<(String, String)>);

impl Allowed {
    /// What the document allows with its parameter `tools`, within what the administrator allows with `ai.tools`; what
    /// the administrator allows when the document says nothing.
    pub(crate) fn read(given: Dict<'_>, ctx: &Ctx<'_>) -> NodeResult<Self> {
        let setting = ctx.setting(SETTING)?;
        let of_all = setting.as_deref().map(Self::of_setting).transpose()?;
        if given.value().is_null() {
            return Ok(of_all.unwrap_or_default());
        }
        let mine = Self::of_parameter(given)?;
        if let Some(of_all) = of_all {
            let refused = mine
                .0
                .iter()
                .find(|(_, node)| !of_all.0.iter().any(|(_, one)| one == node));
            if let Some((name, node)) = refused {
                let why = format!(
                    "parameter `tools`: `{name}` is the node `{node}`, which the setting `{SETTING}` does not list"
                );
                return Err(NodeError::with_code(code::NOT_ALLOWED, why));
            }
        }
        Ok(mine)
    }

    fn of_parameter(given: Dict<'_>) -> NodeResult<Self> {
        let mut allowed = Self::default();
        for (name, node) in given.iter() {
            let Some(node) = node.as_str() else {
                let why = format_args!("`{name}`: expected the type of a node, found {}", kind_name(node));
                return Err(NodeError::invalid("tools", why));
            };
            allowed
                .add(name, node)
                .map_err(|why| NodeError::invalid("tools", why))?;
        }
        Ok(allowed)
    }

    /// `read_file=file.read, find=web.search`, with commas or white space between.
    fn of_setting(setting: &str) -> NodeResult<Self> {
        let mut allowed = Self::default();
        let entries = setting.split(|c: char| c == ',' || c.is_whitespace());
        for entry in entries.filter(|entry| !entry.is_empty()) {
            let added = match entry.split_once('=') {
                Some((name, node)) => allowed.add(name, node),
                None => Err(format!("`{entry}` is not of the form NAME=NODE")),
            };
            added.map_err(|why| NodeError::new(format!("the setting `{SETTING}`: {why}")))?;
        }
        Ok(allowed)
    }

    fn add(&mut self, name: &str, node: &str) -> Result<(), String> {
        let is_name = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !is_name {
            return Err(format!(
                "`{}` is no name of a tool: letters, digits, `_` and `-`, at most 64",
                crate::stored::one_line(name)
            ));
        }
        if node.is_empty() || node.len() > 256 {
            return Err(format!("`{name}` stands for no node"));
        }
        if CIRCULAR.contains(&node) {
            return Err(format!("`{name}` would be `{node}`, which asks the model again"));
        }
        if self.0.iter().any(|(one, _)| one == name) {
            return Err(format!("`{name}` is there twice"));
        }
        if self.0.len() >= MAX_TOOLS {
            return Err(format!("more than {MAX_TOOLS} tools"));
        }
        self.0.push((name.to_owned(), node.to_owned()));
        Ok(())
    }

    /// The node that a tool stands for.
    pub(crate) fn node_of(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(one, _)| one == name)
            .map(|(_, node)| &**node)
    }

    /// The names, for a model that asked for another.
    pub(crate) fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| &**name).collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    }
}
