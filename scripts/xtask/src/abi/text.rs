//! A snapshot as text: one line for each alias, constant, type and field.

use std::fmt::Write;

use anyhow::{Context, Result, bail};

use super::{Contract, Field, Type, Version};

pub(super) fn render(version: Version, contract: &Contract) -> String {
    let mut text = format!(
        "# Contract {}.{}, recorded by `cargo xtask seal-abi` and never edited. A field: offset, size, name, type.\n\n",
        version.0, version.1
    );
    for (name, ty) in &contract.aliases {
        let _ = writeln!(text, "alias {name} = {ty}");
    }
    for (name, value) in &contract.constants {
        let _ = writeln!(text, "const {name}: {value}");
    }
    for ty in &contract.types {
        let kind = if ty.is_table { "table" } else { "shape" };
        let _ = writeln!(text, "\n{kind} {} {}", ty.name, ty.size);
        for field in &ty.fields {
            let _ = writeln!(
                text,
                "  {:>3} {:>3} {}: {}",
                field.offset, field.size, field.name, field.ty
            );
        }
    }
    text
}

pub(super) fn parse(text: &str) -> Result<Contract> {
    let mut contract = Contract::default();
    for (at, line) in text.lines().enumerate() {
        let bad = || format!("line {} is not one of a snapshot: {line}", at + 1);
        let (word, rest) = line.trim_start().split_once(' ').unwrap_or((line, ""));
        match word {
            "" | "#" => {}
            "alias" => {
                let (name, ty) = rest.split_once(" = ").with_context(bad)?;
                contract.aliases.insert(name.to_owned(), ty.to_owned());
            }
            "const" => {
                let (name, value) = rest.split_once(": ").with_context(bad)?;
                contract.constants.insert(name.to_owned(), value.to_owned());
            }
            "table" | "shape" => {
                let (name, size) = rest.split_once(' ').with_context(bad)?;
                contract.types.push(Type {
                    name: name.to_owned(),
                    is_table: word == "table",
                    size: size.parse().with_context(bad)?,
                    fields: Vec::new(),
                });
            }
            offset if line.starts_with(' ') => {
                let (size, rest) = rest.trim_start().split_once(' ').with_context(bad)?;
                let (name, ty) = rest.split_once(": ").with_context(bad)?;
                let field = Field {
                    name: name.to_owned(),
                    ty: ty.to_owned(),
                    offset: offset.parse().with_context(bad)?,
                    size: size.parse().with_context(bad)?,
                };
                contract.types.last_mut().with_context(bad)?.fields.push(field);
            }
            _ => bail!(bad()),
        }
    }
    Ok(contract)
}
