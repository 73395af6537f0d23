//! What a model should know of the project: the tenant's own files.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{List, Whole, kind_name};

use crate::stored::{cut, one_line};

/// The variable of the run that holds it.
pub(crate) const VARIABLE: &str = "sdlc_context";
/// The node that reads files.
pub(crate) const READ: &str = "file.read";
/// The file that is read unless told otherwise.
pub(crate) const ROADMAP: &str = "ROADMAP.md";
/// Files that are read.
const MAX_FILES: usize = 64;
/// Bytes of the text, unless told otherwise.
const MAX_BYTES: i64 = 256 << 10;

#[parameters]
pub(crate) struct Load<'a> {
    /// The files to read, which all have to be there; `ROADMAP.md` when it is missing, if there is one.
    #[serde(default, alias = "files")]
    paths: List<'a>,
    /// Bytes of the text that are kept.
    #[serde(default, alias = "max_bytes")]
    #[schemars(extend("default" = 262_144, "minimum" = 1, "maximum" = 4_194_304))]
    max_bytes: Option<Whole>,
}

/// What was read.
#[output]
pub(crate) struct Loaded {
    /// The files one after the other, each under its name.
    context: String,
    /// The files that were read.
    files: Vec<String>,
    /// Whether something was left out.
    truncated: bool,
}

/// Reads files of the tenant for a model, and leaves them in the run's variable `sdlc_context` for the next message.
#[node(
    id = "core.loadContext",
    aliases = ["core.load_context", "seed_context"],
    effect = "idempotent",
    capabilities = ["fs"],
    tags = ["ai", "files"],
    example(
        title = "the roadmap",
        input = r"{}",
        output = r##"{"context": "# ROADMAP.md\n\n## MVP\n- [x] Log in\n", "files": ["ROADMAP.md"], "truncated": false}"##
    ),
    example(
        title = "the first bytes",
        input = r#"{"paths": ["ROADMAP.md"], "maxBytes": 20}"#,
        output = r##"{"context": "# ROADMAP.md\n\n## MVP", "files": ["ROADMAP.md"], "truncated": true}"##
    )
)]
pub(crate) fn load_context(input: Load<'_>, ctx: &Ctx<'_>) -> NodeResult<Loaded> {
    let paths = paths(input.paths)?;
    let most = input
        .max_bytes
        .map_or(Ok(MAX_BYTES), |bytes| bytes.within("maxBytes", 1..=4 << 20))?;
    let most = usize::try_from(most)?;
    let mut loaded = Loaded {
        context: String::new(),
        files: Vec::new(),
        truncated: false,
    };
    for path in paths.as_deref().unwrap_or(&[ROADMAP]) {
        ctx.check()?;
        if loaded.context.len() >= most {
            loaded.truncated = true;
            break;
        }
        let text = match read(path, ctx) {
            Ok(text) => text,
            Err(error) if paths.is_none() && is_absent(&error) => continue,
            Err(error) => return Err(error),
        };
        let room = most - loaded.context.len();
        let separator = if loaded.context.is_empty() { "" } else { "\n\n" };
        let part = format!("{separator}# {path}\n\n{text}");
        let kept = cut(&part, room);
        loaded.truncated |= kept.len() < part.len();
        loaded.context.push_str(kept);
        loaded.files.push((*path).to_owned());
    }
    ctx.set_variable(VARIABLE, &loaded.context)?;
    Ok(loaded)
}

/// The paths that were given; `None` for no list.
fn paths(given: List<'_>) -> NodeResult<Option<Vec<&str>>> {
    if given.value().is_null() {
        return Ok(None);
    }
    if given.len() > MAX_FILES {
        let why = format_args!("{} files, at most {MAX_FILES} are read", given.len());
        return Err(NodeError::invalid("paths", why));
    }
    let mut paths = Vec::with_capacity(given.len());
    for (index, path) in given.iter().enumerate() {
        let Some(text) = path.as_str() else {
            let why = format_args!("item {index}: expected a text, found {}", kind_name(path));
            return Err(NodeError::invalid("paths", why));
        };
        paths.push(text);
    }
    Ok(Some(paths))
}

#[output]
struct Path<'a> {
    path: &'a str,
}

/// The text of a file of the tenant.
pub(crate) fn read(path: &str, ctx: &Ctx<'_>) -> NodeResult<String> {
    let file: Value = ctx
        .call(READ, &Path { path })
        .map_err(|error| explained(READ, error))?;
    let content = file.as_ref().get("content").and_then(|content| content.as_str());
    content.map(str::to_owned).ok_or_else(|| {
        NodeError::new(format!(
            "`{}` was read as something that is no text",
            one_line(path)
        ))
    })
}

/// An error of the file nodes, with what to do when the host has none.
pub(crate) fn explained(node: &str, error: NodeError) -> NodeError {
    if error.code == "UNKNOWN_NODE_TYPE" {
        let why = format!(
            "files are reached through the node `{node}`, and the host has none; load the plugin that has it"
        );
        return NodeError::with_code(error.code, why);
    }
    error
}

/// Whether an error says that a file is not there.
pub(crate) fn is_absent(error: &NodeError) -> bool {
    error.status_code == Some(404) || (error.code != code::VALIDATION_FAILED && error.code == "NOT_FOUND")
}
