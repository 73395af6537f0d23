//! Reading and writing a project's roadmap.

use plugin_api::prelude::*;

use crate::context::{ROADMAP, explained, is_absent, read};

/// The node that writes files.
const WRITE: &str = "file.write";
/// Bytes of a roadmap.
const MAX_BYTES: usize = 4 << 20;

#[parameters]
pub(crate) struct Check<'a> {
    /// The file.
    #[serde(default)]
    #[schemars(extend("default" = "ROADMAP.md"), length(max = 4096))]
    path: Option<&'a str>,
}

/// How far the first version is.
#[output]
pub(crate) struct Reached {
    /// Whether there is a section for it, and every task in it is ticked.
    mvp_reached: bool,
    /// The same.
    #[serde(rename = "mvp_reached")]
    reached: bool,
    /// Tasks that are ticked.
    done: usize,
    /// Tasks that are not.
    open: usize,
}

/// Says whether all tasks of a roadmap's section on the first version (a heading with the word MVP) are ticked off.
/// Without a roadmap, a section or a task in it they are not.
#[node(
    id = "utils.checkMvp",
    aliases = ["utils.check_mvp"],
    effect = "idempotent",
    capabilities = ["fs"],
    tags = ["ai", "files"],
    example(
        title = "all ticked",
        input = r"{}",
        output = r#"{"mvpReached": true, "mvp_reached": true, "done": 1, "open": 0}"#
    ),
    example(
        title = "no roadmap",
        input = r#"{"path": "docs/none.md"}"#,
        output = r#"{"mvpReached": false, "mvp_reached": false, "done": 0, "open": 0}"#
    )
)]
pub(crate) fn check_mvp(input: Check<'_>, ctx: &Ctx<'_>) -> NodeResult<Reached> {
    let text = match read(input.path.unwrap_or(ROADMAP), ctx) {
        Ok(text) => text,
        Err(error) if is_absent(&error) => String::new(),
        Err(error) => return Err(error),
    };
    let (done, open) = tasks(&text);
    let reached = done > 0 && open == 0;
    Ok(Reached {
        mvp_reached: reached,
        reached,
        done,
        open,
    })
}

/// The ticked and the open tasks under the headings that have the word MVP, and under headings within them.
fn tasks(text: &str) -> (usize, usize) {
    let (mut done, mut open) = (0, 0);
    let mut within: Option<usize> = None;
    let mut fenced = false;
    for line in text.lines() {
        let line = line.trim_start();
        if line.starts_with("```") || line.starts_with("~~~") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        if let Some((level, title)) = heading(line) {
            if within.is_none_or(|outer| level <= outer) {
                within = has_word(title, "mvp").then_some(level);
            }
            continue;
        }
        if within.is_some() {
            match ticked(line) {
                Some(true) => done += 1,
                Some(false) => open += 1,
                None => {}
            }
        }
    }
    (done, open)
}

/// The level and the title of a Markdown heading.
fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    ((1..=6).contains(&level) && title.starts_with([' ', '\t'])).then_some((level, title))
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|one| one.eq_ignore_ascii_case(word))
}

/// Whether a line is a task, and if so whether it is ticked.
fn ticked(line: &str) -> Option<bool> {
    let item = line.strip_prefix(['-', '*', '+'])?.trim_start();
    let mark = item.strip_prefix('[')?;
    match mark.as_bytes() {
        [b'x' | b'X', b']', ..] => Some(true),
        [b' ', b']', ..] | [b']', ..] => Some(false),
        _ => None,
    }
}

#[parameters]
pub(crate) struct Update<'a> {
    /// What the file should say.
    #[schemars(length(max = 4_194_304))]
    content: &'a str,
    /// The file.
    #[serde(default)]
    #[schemars(extend("default" = "ROADMAP.md"), length(max = 4096))]
    path: Option<&'a str>,
}

/// What was written.
#[output]
pub(crate) struct Updated {
    /// The file.
    result: String,
    /// Its size in bytes.
    bytes: usize,
}

/// Writes a new roadmap in place of the old one.
#[node(
    id = "utils.updateRoadmap",
    aliases = ["utils.update_roadmap"],
    effect = "idempotent",
    capabilities = ["fs"],
    tags = ["ai", "files"],
    example(
        title = "a new one",
        input = r###"{"content": "## MVP\n- [ ] Log in\n"}"###,
        output = r#"{"result": "ROADMAP.md", "bytes": 20}"#
    ),
    example(
        title = "elsewhere",
        input = r#"{"content": "later", "path": "docs/PLAN.md"}"#,
        output = r#"{"result": "docs/PLAN.md", "bytes": 5}"#
    )
)]
pub(crate) fn update_roadmap(input: Update<'_>, ctx: &Ctx<'_>) -> NodeResult<Updated> {
    if input.content.len() > MAX_BYTES {
        let why = format_args!("is longer than {} MiB", MAX_BYTES >> 20);
        return Err(NodeError::invalid("content", why));
    }
    let path = input.path.unwrap_or(ROADMAP);
    let file = File {
        path,
        content: input.content,
    };
    ctx.call::<_, Value>(WRITE, &file)
        .map_err(|error| explained(WRITE, error))?;
    Ok(Updated {
        result: path.to_owned(),
        bytes: input.content.len(),
    })
}

#[output]
struct File<'a> {
    path: &'a str,
    content: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_those_of_the_section_alone() {
        for (text, counts) in [
            ("", (0, 0)),
            ("- [x] a\n", (0, 0)),
            ("## MVP\n- [x] a\n* [ ] b\n+ [X] c\n", (2, 1)),
            ("# The MVP (v1)\n### Part\n - [x] a\n# Later\n- [ ] b", (1, 0)),
            ("## Not an mvpish heading\n- [ ] a", (0, 0)),
            ("## MVP\n```\n- [ ] in code\n```\n- [x] a", (1, 0)),
            ("#MVP\n- [ ] a", (0, 0)),
            ("## MVP\n- [] a\n- [?] b\n- c", (0, 1)),
            ("## MVP\n- [x] a\n## MVP 2\n- [ ] b", (1, 1)),
        ] {
            assert_eq!(tasks(text), counts, "{text}");
        }
    }
}
