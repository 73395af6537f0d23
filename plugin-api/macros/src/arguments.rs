//! The arguments of `#[node(...)]`.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitInt, LitStr, Result, Token, bracketed, parenthesized};

/// What the author wrote, checked as far as a macro can.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) id: Option<LitStr>,
    pub(crate) category: Option<LitStr>,
    pub(crate) version: Option<LitStr>,
    pub(crate) description: Option<LitStr>,
    pub(crate) host_api: Option<LitStr>,
    pub(crate) author: Option<LitStr>,
    pub(crate) icon: Option<LitStr>,
    pub(crate) effect: Option<LitStr>,
    pub(crate) timeout_ms: Option<LitInt>,
    pub(crate) experimental: bool,
    pub(crate) tags: Vec<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) depends: Vec<LitStr>,
    pub(crate) capabilities: Vec<LitStr>,
    pub(crate) secrets: Vec<LitStr>,
    pub(crate) examples: Vec<Example>,
}

/// `example(title = "...", input = "JSON", output = "JSON")`
#[derive(Default)]
pub(crate) struct Example {
    pub(crate) title: Option<LitStr>,
    pub(crate) input: Option<LitStr>,
    pub(crate) output: Option<LitStr>,
}

const KNOWN: &str = "id, category, version, description, host_api, author, icon, effect, timeout_ms, experimental, \
                     tags, aliases, depends, capabilities, secrets, example";

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = Self::default();
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            match name.to_string().as_str() {
                "experimental" => arguments.experimental = true,
                "example" => arguments.examples.push(example(input)?),
                "timeout_ms" => {
                    input.parse::<Token![=]>()?;
                    arguments.timeout_ms = Some(input.parse()?);
                }
                "tags" => arguments.tags = list(input)?,
                "aliases" => arguments.aliases = list(input)?,
                "depends" => arguments.depends = list(input)?,
                "capabilities" => arguments.capabilities = list(input)?,
                "secrets" => arguments.secrets = list(input)?,
                other => {
                    let field = match other {
                        "id" => &mut arguments.id,
                        "category" => &mut arguments.category,
                        "version" => &mut arguments.version,
                        "description" => &mut arguments.description,
                        "host_api" => &mut arguments.host_api,
                        "author" => &mut arguments.author,
                        "icon" => &mut arguments.icon,
                        "effect" => &mut arguments.effect,
                        _ => {
                            return Err(Error::new(
                                name.span(),
                                format!("unknown argument; known are {KNOWN}"),
                            ));
                        }
                    };
                    input.parse::<Token![=]>()?;
                    if field.replace(input.parse()?).is_some() {
                        return Err(Error::new(name.span(), "given twice"));
                    }
                }
            }
            if input.is_empty() {
                break;
            }
            input.parse::<Token![,]>()?;
        }
        arguments.check()?;
        Ok(arguments)
    }
}

impl Arguments {
    fn check(&self) -> Result<()> {
        one_of(self.effect.iter(), &["pure", "idempotent", "effectful"])?;
        one_of(self.capabilities.iter(), &["network", "fs", "secrets"])?;
        for id in self.id.iter().chain(&self.aliases) {
            if !is_node_type(&id.value()) {
                return Err(Error::new(
                    id.span(),
                    "a node type has letters, digits, '.', '-' and '_', starts with a letter, and has no empty part",
                ));
            }
        }
        for dependency in &self.depends {
            if !dependency.value().contains('@') {
                return Err(Error::new(
                    dependency.span(),
                    "write PLUGIN@RANGE, such as \"text@^1.2\"",
                ));
            }
        }
        Ok(())
    }
}

fn one_of<'a>(given: impl Iterator<Item = &'a LitStr>, known: &[&str]) -> Result<()> {
    for text in given {
        if !known.contains(&text.value().as_str()) {
            return Err(Error::new(text.span(), format!("one of {}", known.join(", "))));
        }
    }
    Ok(())
}

fn is_node_type(text: &str) -> bool {
    text.len() <= 128
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        && text.split('.').all(|part| !part.is_empty())
}

fn list(input: ParseStream<'_>) -> Result<Vec<LitStr>> {
    input.parse::<Token![=]>()?;
    let content;
    bracketed!(content in input);
    Ok(Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?
        .into_iter()
        .collect())
}

fn example(input: ParseStream<'_>) -> Result<Example> {
    let content;
    parenthesized!(content in input);
    let mut example = Example::default();
    while !content.is_empty() {
        let name: Ident = content.parse()?;
        let field = match name.to_string().as_str() {
            "title" => &mut example.title,
            "input" => &mut example.input,
            "output" => &mut example.output,
            _ => {
                return Err(Error::new(
                    name.span(),
                    "unknown argument; known are title, input, output",
                ));
            }
        };
        content.parse::<Token![=]>()?;
        *field = Some(content.parse()?);
        if content.is_empty() {
            break;
        }
        content.parse::<Token![,]>()?;
    }
    if example.input.is_none() || example.output.is_none() {
        return Err(content.error("an example needs input and output, each a JSON text"));
    }
    Ok(example)
}
