//! Which part of a message is its text, its HTML, a file.

use plugin_api::prelude::*;

use crate::entity::{Leaf, Part};

/// What is in the parts of a message.
#[derive(Default)]
pub(crate) struct Found<'p> {
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) files: Vec<&'p Leaf<'p>>,
}

impl<'p> Found<'p> {
    pub(crate) fn take(&mut self, part: &'p Part<'p>, ctx: &Ctx<'_>) -> NodeResult<()> {
        ctx.check()?;
        match part {
            Part::Leaf(leaf) => {
                let is_text = !leaf.shown_elsewhere && !leaf.is_attached() && leaf.file_name().is_none();
                match leaf.kind.as_str() {
                    "text/plain" if is_text => append(&mut self.text, &leaf.text()),
                    "text/html" if is_text => append(&mut self.html, &leaf.text()),
                    _ => self.files.push(leaf),
                }
            }
            Part::Several(parts) => parts.iter().try_for_each(|part| self.take(part, ctx))?,
            Part::Alternatives(parts) => {
                // The last of a kind is the best that the sender could do.
                let mut best = Self::default();
                for part in parts {
                    let mut one = Self::default();
                    one.take(part, ctx)?;
                    best.text = one.text.or(best.text);
                    best.html = one.html.or(best.html);
                    best.files.append(&mut one.files);
                }
                if let Some(text) = best.text {
                    append(&mut self.text, &text);
                }
                if let Some(html) = best.html {
                    append(&mut self.html, &html);
                }
                self.files.append(&mut best.files);
            }
        }
        Ok(())
    }
}

fn append(to: &mut Option<String>, text: &str) {
    match to {
        None => *to = Some(text.to_owned()),
        Some(before) => {
            if !before.ends_with('\n') {
                before.push('\n');
            }
            before.push_str(text);
        }
    }
}
