//! Many different plugins out of one: its name is a number, which is another one in each copy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use patchbay::Value;
use serde_json::json;

use super::super::BenchError;

const HEADER: &str = include_str!("../../../../plugin-api/include/patchbay.h");
const EXPORTS: &str = include_str!("../../../../plugin-api/include/patchbay.map");

/// A plugin with one node that answers null. The metadata is an array, so that no compiler that does not optimise
/// takes the name apart.
const SOURCE: &str = r#"#include "patchbay.h"
#include "facts.h"
PB_NOTE(NAME, "1.0.0");
static const uint8_t metadata[] = METADATA;
__attribute__((used)) static const uint8_t ballast[BALLAST] = {1};
static pb_status describe(pb_sink *out) {
    pb_writer w = pb_writer_of(out);
    pb_write_value(&w, pb_bytes_of(metadata, sizeof metadata));
    return pb_written(&w);
}
static pb_status answer(const void *instance, const pb_call *call) {
    pb_writer w = pb_writer_of(call->out);
    (void)instance;
    pb_write_null(&w);
    return pb_written(&w);
}
static const pb_node_table nodes[] = {
    {sizeof(pb_node_table), 0, PB_LITERAL(NAME), pb_create_nothing, pb_destroy_nothing, answer, NULL, NULL, NULL},
};
PB_PLUGIN(nodes, describe, pb_start_nothing, pb_shutdown_nothing);
"#;

/// The name of the template.
const NAME: &str = "numbered-0000";
/// What makes a plugin half a megabyte long.
const BALLAST: usize = 496 << 10;

/// What the plugins are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A plugin in C with one node.
    Small,
    /// The same with as many bytes as a plugin in Rust has.
    Large,
}

pub(super) struct Many {
    template: Vec<u8>,
    count: u16,
}

/// The same length for each number, so that nothing in the file moves.
fn numbered(number: u16) -> String {
    format!("numbered-{number:04}")
}

impl Many {
    pub(super) fn make(kind: Kind, count: u16) -> Result<Self, BenchError> {
        Ok(Self {
            template: compiled(NAME, if kind == Kind::Large { BALLAST } else { 0 })?,
            count,
        })
    }

    pub(super) fn kib(&self) -> f64 {
        self.template.len() as f64 / 1024.0
    }

    /// The node type of the last of them.
    pub(super) fn last(&self) -> String {
        numbered(self.count - 1)
    }

    /// Writes them into a folder.
    pub(super) fn put(&self, folder: &Path) -> Result<(), BenchError> {
        fs::create_dir_all(folder).map_err(BenchError::new)?;
        let places: Vec<usize> = self
            .template
            .windows(NAME.len())
            .enumerate()
            .filter(|(_, found)| *found == NAME.as_bytes())
            .map(|(at, _)| at)
            .collect();
        let mut bytes = self.template.clone();
        for number in 0..self.count {
            let name = numbered(number);
            for at in &places {
                bytes[*at..*at + name.len()].copy_from_slice(name.as_bytes());
            }
            fs::write(folder.join(format!("{name}.so")), &bytes).map_err(BenchError::new)?;
        }
        Ok(())
    }

    pub(super) fn take_away(&self, folder: &Path) -> Result<(), BenchError> {
        for entry in fs::read_dir(folder).map_err(BenchError::new)? {
            let path = entry.map_err(BenchError::new)?.path();
            fs::remove_file(path).map_err(BenchError::new)?;
        }
        Ok(())
    }

    /// How many trial loads were made since: verdicts that were written since, and plugins that have none.
    pub(super) fn probes_since(&self, data: &Path, since: SystemTime) -> Result<u64, BenchError> {
        let mut kept_before = 0_u64;
        for entry in fs::read_dir(data.join("verdicts")).map_err(BenchError::new)? {
            let found = entry
                .and_then(|entry| entry.metadata())
                .map_err(BenchError::new)?;
            kept_before += u64::from(found.modified().map_err(BenchError::new)? < since);
        }
        Ok(u64::from(self.count).saturating_sub(kept_before))
    }
}

/// A plugin of this name, in C, with so many bytes that nobody reads.
pub(crate) fn compiled(name: &str, ballast: usize) -> Result<Vec<u8>, BenchError> {
    let folder = tempfile::tempdir().map_err(BenchError::new)?;
    let metadata = json!({
        "name": name,
        "version": "1.0.0",
        "description": "One of many.",
        "hostApi": "^1.0.0",
        "nodes": [{"nodeType": name, "version": "1.0.0", "hostApi": "^1.0.0", "effect": "pure"}],
    });
    let metadata = Value::from_json(&metadata.to_string()).map_err(BenchError::new)?;
    let numbers: Vec<_> = metadata.as_ref().raw().iter().map(ToString::to_string).collect();
    let facts = format!(
        "#define NAME {name:?}\n#define METADATA {{{}}}\n#define BALLAST {}\n",
        numbers.join(","),
        ballast + 1
    );
    for (file, text) in [
        ("patchbay.h", HEADER),
        ("patchbay.map", EXPORTS),
        ("plugin.c", SOURCE),
        ("facts.h", &facts),
    ] {
        fs::write(folder.path().join(file), text).map_err(BenchError::new)?;
    }
    let out: PathBuf = folder.path().join("plugin.so");
    let mut cc = Command::new("cc");
    cc.current_dir(folder.path())
        .args(["-std=c11", "-O0", "-shared", "-fPIC", "-fvisibility=hidden"])
        .args(["-Wl,--version-script=patchbay.map", "-o"])
        .arg(&out)
        .arg("plugin.c");
    let made = cc
        .output()
        .map_err(|error| BenchError::new(format!("the C compiler `cc` cannot be started: {error}")))?;
    if !made.status.success() {
        return Err(BenchError::new(String::from_utf8_lossy(&made.stderr)));
    }
    fs::read(&out).map_err(BenchError::new)
}
