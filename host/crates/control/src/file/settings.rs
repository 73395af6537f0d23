//! What plugins are told: `[settings]` and `[tenants.NAME.settings]`.
//!
//! A name has dots in it, and may be written as one key or as tables: `files.folder = "/srv"` and `"files.folder" =
//! "/srv"` are the same. A value is a text; a number or a truth value is taken as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Names with their values.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "toml::Table")]
pub(super) struct SettingsTable(pub(super) BTreeMap<String, String>);

impl TryFrom<toml::Table> for SettingsTable {
    type Error = String;

    fn try_from(table: toml::Table) -> Result<Self, String> {
        let mut settings = BTreeMap::new();
        flatten("", table, &mut settings)?;
        Ok(Self(settings))
    }
}

fn flatten(before: &str, table: toml::Table, settings: &mut BTreeMap<String, String>) -> Result<(), String> {
    for (key, value) in table {
        let name = if before.is_empty() {
            key
        } else {
            format!("{before}.{key}")
        };
        let text = match value {
            toml::Value::Table(table) => {
                flatten(&name, table, settings)?;
                continue;
            }
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(truth) => truth.to_string(),
            toml::Value::Datetime(_) | toml::Value::Array(_) => {
                return Err(format!(
                    "the setting `{name}` has to be a text, a number or a truth value"
                ));
            }
        };
        if settings.insert(name.clone(), text).is_some() {
            return Err(format!("the setting `{name}` is there twice"));
        }
    }
    Ok(())
}
