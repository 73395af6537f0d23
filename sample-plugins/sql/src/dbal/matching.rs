//! Conditions on what is within a value: a part of a text, an item of a list.

use plugin_api::prelude::*;
use plugin_api::reading::{shown, text_of};

use super::filter::wrong;
use super::{Entity, Part};
use crate::dialect::Dialect;
use crate::schema::{Column, ColumnKind};

/// Whether a list in a column has a value, or a JSON object has these entries.
pub(super) fn holding(entity: &Entity<'_>, column: &Column, operand: ValueRef<'_>) -> NodeResult<Part> {
    let name = Entity::written(column);
    let mut part = Part::default();
    match (entity.dialect, column.kind) {
        (Dialect::Postgres, ColumnKind::Array) => {
            part.bind(operand.to_value());
            part.push(&format!(" = ANY ({name})"));
        }
        (Dialect::Postgres, _) => {
            let name = match column.type_name.as_str() {
                "jsonb" => name,
                _ => format!("CAST({name} AS jsonb)"),
            };
            part.push(&format!("{name} @> CAST("));
            part.bind(operand.to_value());
            part.push(" AS jsonb)");
        }
        (Dialect::Sqlite, _) => {
            part.push(&format!(
                "EXISTS (SELECT 1 FROM json_each({name}) AS e WHERE e.value = "
            ));
            part.bind(operand.to_value());
            part.push(")");
        }
    }
    Ok(part)
}

/// Whether a text is like another, or has it in it.
pub(super) fn textual(
    entity: &Entity<'_>,
    column: &Column,
    operator: &str,
    operand: ValueRef<'_>,
) -> NodeResult<Part> {
    let Some(text) = text_of(operand).filter(|_| !operand.is_null()) else {
        return Err(wrong(format_args!(
            "`{operator}` of `{}` must be a text, but is {}",
            column.name,
            shown(operand)
        )));
    };
    let is_text = entity.dialect == Dialect::Sqlite || column.kind == ColumnKind::Text;
    let bare = Entity::written(column);
    let name = if is_text {
        bare
    } else {
        format!("CAST({bare} AS text)")
    };
    let value = Value::from(&*text);
    let mut part = Part::default();
    match (operator, entity.dialect) {
        ("$like", _) => {
            part.push(&format!("{name} LIKE "));
            part.bind(value);
        }
        ("$ilike", _) => {
            part.push(&format!("lower({name}) LIKE lower("));
            part.bind(value);
            part.push(")");
        }
        ("$contains" | "$icontains", dialect) => {
            let find = match dialect {
                Dialect::Sqlite => "instr",
                Dialect::Postgres => "strpos",
            };
            let (open, close) = if operator == "$icontains" {
                ("lower(", ")")
            } else {
                ("", "")
            };
            part.push(&format!("{find}({open}{name}{close}, {open}"));
            part.bind(value);
            part.push(&format!("{close}) > 0"));
        }
        ("$startsWith", Dialect::Postgres) => {
            part.push(&format!("starts_with({name}, "));
            part.bind(value);
            part.push(")");
        }
        ("$startsWith", Dialect::Sqlite) => {
            part.push(&format!("substr({name}, 1, length("));
            part.bind(value.clone());
            part.push(")) = ");
            part.bind(value);
        }
        // Every text ends with nothing.
        _ if text.is_empty() => part.push(&format!("{name} IS NOT NULL")),
        (_, Dialect::Postgres) => {
            part.push(&format!("right({name}, length(CAST("));
            part.bind(value.clone());
            part.push(" AS text))) = ");
            part.bind(value);
        }
        (_, Dialect::Sqlite) => {
            part.push(&format!("substr({name}, -length("));
            part.bind(value.clone());
            part.push(")) = ");
            part.bind(value);
        }
    }
    Ok(part)
}
