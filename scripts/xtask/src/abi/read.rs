//! Reads the contract's sources, and lays its types out as `repr(C)` does on 64-bit targets.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use quote::ToTokens;
use syn::{Expr, Item, ItemStruct, PointerMutability, ReturnType, Type as Syntax};

use super::{Contract, Field, Type, Version};

/// The contract that these sources define, each with the module its constants are named after.
pub(super) fn contract(sources: &[(&str, String)]) -> Result<Contract> {
    let mut contract = Contract::default();
    let mut structs = Vec::new();
    for (module, text) in sources {
        let file = syn::parse_file(text).context("the source is no Rust")?;
        collect(module, file.items, &mut contract, &mut structs);
    }
    let mut layout = Layout {
        aliases: contract.aliases.clone(),
        counts: counts(&contract.constants),
        types: BTreeMap::new(),
    };
    // A type lies in the sources before those that hold it by value, or after: take what can be laid out, again and again.
    let mut waiting = structs;
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut failed = None;
        waiting.retain(|item| match layout.lay_out(item) {
            Ok(laid) => {
                layout.types.insert(laid.0.name.clone(), (laid.0.size, laid.1));
                contract.types.push(laid.0);
                false
            }
            Err(error) => {
                failed = Some(error);
                true
            }
        });
        if let Some(error) = failed.filter(|_| waiting.len() == before) {
            return Err(error);
        }
    }
    contract.types.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(contract)
}

/// The value of `CONTRACT`.
pub(super) fn version(text: &str) -> Result<Version> {
    let file = syn::parse_file(text).context("the source is no Rust")?;
    for item in &file.items {
        let Item::Const(item) = item else { continue };
        if item.ident != "CONTRACT" {
            continue;
        }
        let value = words(&item.expr);
        let number = |field: &str| -> Option<u32> {
            let (_, rest) = value.split_once(&format!("{field} : "))?;
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        };
        let version = number("major").zip(number("minor"));
        return version.with_context(|| format!("CONTRACT is not written out: {value}"));
    }
    bail!("there is no constant CONTRACT")
}

fn collect(module: &str, items: Vec<Item>, contract: &mut Contract, structs: &mut Vec<ItemStruct>) {
    for item in items {
        match item {
            Item::Const(item) if item.ident != "_" && is_literal(&item.expr) => {
                let name = match module {
                    "" => item.ident.to_string(),
                    module => format!("{module}::{}", item.ident),
                };
                let value = format!("{} = {}", type_text(&item.ty), words(&item.expr));
                contract.constants.insert(name, value);
            }
            Item::Type(item) => {
                contract
                    .aliases
                    .insert(item.ident.to_string(), type_text(&item.ty));
            }
            Item::Mod(item) if item.ident != "tests" => {
                let items = item.content.map(|(_, items)| items).unwrap_or_default();
                collect(&item.ident.to_string(), items, contract, structs);
            }
            Item::Struct(item) if is_repr_c(&item) => structs.push(item),
            _ => {}
        }
    }
}

fn is_literal(value: &Expr) -> bool {
    matches!(value, Expr::Lit(_))
}

fn is_repr_c(item: &ItemStruct) -> bool {
    item.attrs
        .iter()
        .any(|attribute| words(attribute) == "# [repr (C)]")
}

fn words(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

/// Constants that array types may name.
fn counts(constants: &BTreeMap<String, String>) -> BTreeMap<String, usize> {
    let number = |(name, value): (&String, &String)| {
        let value = value.strip_prefix("usize = ")?.parse().ok()?;
        Some((name.rsplit("::").next()?.to_owned(), value))
    };
    constants.iter().filter_map(number).collect()
}

struct Layout {
    aliases: BTreeMap<String, String>,
    counts: BTreeMap<String, usize>,
    /// Size and alignment of what is laid out.
    types: BTreeMap<String, (usize, usize)>,
}

impl Layout {
    fn lay_out(&self, item: &ItemStruct) -> Result<(Type, usize)> {
        let (mut end, mut align, mut fields) = (0_usize, 1, Vec::new());
        for field in &item.fields {
            let name = field
                .ident
                .as_ref()
                .context("a field without a name")?
                .to_string();
            let ty = type_text(&field.ty);
            let (size, its_align) = self
                .size(&field.ty)
                .with_context(|| format!("{}.{name}: {ty}", item.ident))?;
            let offset = end.next_multiple_of(its_align);
            (end, align) = (offset + size, align.max(its_align));
            fields.push(Field {
                name,
                ty,
                offset,
                size,
            });
        }
        ensure!(!fields.is_empty(), "{} has no fields", item.ident);
        let prefix_type = item
            .attrs
            .iter()
            .any(|attribute| words(attribute).contains("Prefix"));
        let laid = Type {
            name: item.ident.to_string(),
            is_table: prefix_type || fields[0].name == "size",
            size: end.next_multiple_of(align),
            fields,
        };
        Ok((laid, align))
    }

    fn size(&self, ty: &Syntax) -> Result<(usize, usize)> {
        match ty {
            Syntax::Ptr(_) | Syntax::FnPtr(_) => Ok((8, 8)),
            Syntax::Array(array) => {
                let (size, align) = self.size(&array.elem)?;
                let count = words(&array.len);
                let count = count.parse().ok().or_else(|| self.counts.get(&count).copied());
                Ok((size * count.context("an array of unknown length")?, align))
            }
            Syntax::Path(path) => {
                let last = path.path.segments.last().context("a type without a name")?;
                let name = last.ident.to_string();
                let known = match name.as_str() {
                    "u8" => Some((1, 1)),
                    "u16" => Some((2, 2)),
                    "u32" | "i32" | "AtomicU32" => Some((4, 4)),
                    // An `Option` here is one of a function, which is as large as the function's pointer.
                    "u64" | "i64" | "f64" | "usize" | "Option" => Some((8, 8)),
                    other => self.types.get(other).copied(),
                };
                if let (None, Some(alias)) = (known, self.aliases.get(&name)) {
                    return self.size(&syn::parse_str(alias)?);
                }
                known.with_context(|| format!("a type of unknown size: {name}"))
            }
            _ => bail!("a type that the contract does not use: {}", words(ty)),
        }
    }
}

/// A type as people write it.
fn type_text(ty: &Syntax) -> String {
    match ty {
        Syntax::Ptr(pointer) => {
            let kind = match pointer.mutability {
                PointerMutability::Const(_) => "const",
                PointerMutability::Mut(_) => "mut",
            };
            format!("*{kind} {}", type_text(&pointer.elem))
        }
        Syntax::FnPtr(function) => {
            let input = |input: &syn::NamedArg| match &input.name {
                Some((name, _)) => format!("{name}: {}", type_text(&input.ty)),
                None => type_text(&input.ty),
            };
            let inputs: Vec<String> = function.inputs.iter().map(input).collect();
            let output = match &function.output {
                ReturnType::Default => String::new(),
                ReturnType::Type(_, ty) => format!(" -> {}", type_text(ty)),
            };
            let unsafety = if function.unsafety.is_some() {
                "unsafe "
            } else {
                ""
            };
            let abi = function
                .abi
                .as_ref()
                .and_then(|abi| abi.name.as_ref())
                .map(|name| format!("extern {} ", words(name)))
                .unwrap_or_default();
            format!("{unsafety}{abi}fn({}){output}", inputs.join(", "))
        }
        Syntax::Array(array) => format!("[{}; {}]", type_text(&array.elem), words(&array.len)),
        Syntax::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return words(path);
            };
            match &last.arguments {
                syn::PathArguments::AngleBracketed(arguments) => {
                    let inner = arguments.args.iter().map(|argument| match argument {
                        syn::GenericArgument::Type(ty) => type_text(ty),
                        other => words(other),
                    });
                    format!("{}<{}>", last.ident, inner.collect::<Vec<_>>().join(", "))
                }
                _ => last.ident.to_string(),
            }
        }
        Syntax::Reference(reference) => format!("&{}", type_text(&reference.elem)),
        other => words(other),
    }
}
