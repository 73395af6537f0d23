//! Texts with fields, `{{ name }}`, that are filled from data. Invariant: what is filled in is text, never markup and never
//! a header; a field without data is an error, and what is filled in is not looked through for fields again.

use std::borrow::Cow;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{field, text_or_json};

use crate::line::one_line;

/// Bytes of a filled template.
const MAX_BYTES: usize = 5 << 20;
/// Bytes of a template's name.
const MAX_NAME: usize = 128;

/// What a filled text will be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Markup {
    /// Nothing in it has a meaning.
    Plain,
    /// HTML: what is filled in is escaped.
    Html,
}

/// The texts of a message before they are filled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) subject: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
}

impl Template {
    /// The template that the administrator set: `email.template.NAME` is its text, `email.template.NAME.html` its HTML,
    /// `email.template.NAME.subject` its subject.
    pub(crate) fn named(name: &str, ctx: &Ctx<'_>) -> NodeResult<Self> {
        let is_name = (1..=MAX_NAME).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !is_name {
            let why = format_args!(
                "`{}` is no name of a template, which has letters, digits, `_` and `-`",
                one_line(name)
            );
            return Err(NodeError::invalid("template", why));
        }
        let template = Self {
            subject: ctx.setting(&format!("email.template.{name}.subject"))?,
            text: ctx.setting(&format!("email.template.{name}"))?,
            html: ctx.setting(&format!("email.template.{name}.html"))?,
        };
        if template.text.is_none() && template.html.is_none() {
            let why = format_args!(
                "there is no template `{name}`; the administrator sets `email.template.{name}` to its text, or \
                 `email.template.{name}.html`"
            );
            return Err(NodeError::invalid("template", why));
        }
        Ok(template)
    }

    /// The same with its fields filled.
    pub(crate) fn filled(&self, data: ValueRef<'_>, ctx: &Ctx<'_>) -> NodeResult<Self> {
        let fill = |text: &Option<String>, part: &str, markup| {
            let text = text.as_deref();
            text.map(|text| filled(text, part, markup, data, ctx)).transpose()
        };
        Ok(Self {
            subject: fill(&self.subject, "subject", Markup::Plain)?,
            text: fill(&self.text, "text", Markup::Plain)?,
            html: fill(&self.html, "HTML", Markup::Html)?,
        })
    }
}

fn filled(
    template: &str,
    part: &str,
    markup: Markup,
    data: ValueRef<'_>,
    ctx: &Ctx<'_>,
) -> NodeResult<String> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        ctx.check()?;
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            let why = format_args!("the template's {part} has `{{{{` without `}}}}`");
            return Err(NodeError::invalid("template", why));
        };
        let name = name.trim();
        let Some(value) = field(data, name) else {
            let why = format_args!("the template's {part} needs the field `{}`", one_line(name));
            return Err(NodeError::invalid("data", why));
        };
        let value = text_or_json(value);
        out.push_str(&match markup {
            Markup::Plain => value,
            Markup::Html => escaped(value),
        });
        if out.len() > MAX_BYTES {
            let why = format!(
                "the template's {part} is longer than {} MiB when it is filled",
                MAX_BYTES >> 20
            );
            return Err(NodeError::with_code(code::LIMIT_EXCEEDED, why));
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// A text that HTML shows as it is, between tags and in attributes.
fn escaped(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
