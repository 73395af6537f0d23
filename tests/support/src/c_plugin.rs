//! Plugins in C, compiled when a test wants one.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use patchbay::Value;
use serde_json::{Value as Json, json};

/// A plugin in C: its name, its version, and one of the sources in `tests/hostile`.
#[derive(Clone, Debug)]
pub struct CPlugin<'p> {
    /// The source's name without `.c`.
    pub source: &'p str,
    /// The plugin's name.
    pub plugin: &'p str,
    /// The plugin's version.
    pub version: &'p str,
    /// The node type of its one node.
    pub node: &'p str,
    /// The file that `writes.c` writes.
    pub target: &'p str,
}

/// What else is to be said to the compiler.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extra<'e> {
    /// The metadata, when it is not that of a plugin with one node.
    pub metadata: Option<&'e Json>,
    /// More arguments, behind the standard ones.
    pub flags: &'e [&'e str],
}

impl CPlugin<'_> {
    /// Compiles it to `out`.
    pub fn compile(&self, out: &Path) {
        crate::deploy(&self.built(Extra::default()), out);
    }

    /// Compiles it, unless the same has been compiled before; gives the file, which is not to be changed.
    #[must_use]
    pub fn built(&self, extra: Extra<'_>) -> PathBuf {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hostile");
        let plain = json!({
            "name": self.plugin,
            "version": self.version,
            "description": "A plugin in C.",
            "hostApi": "^1.0.0",
            "nodes": [{ "nodeType": self.node, "version": self.version, "hostApi": "^1.0.0", "effect": "pure" }],
        });
        let metadata = extra.metadata.unwrap_or(&plain);
        let metadata = array(Value::from_json(&metadata.to_string()).unwrap().as_ref().raw());
        let answer = json!({ "result": self.version }).to_string();
        let answer = array(Value::from_json(&answer).unwrap().as_ref().raw());
        let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let facts = format!(
            "#define NAME {:?}\n#define VERSION {:?}\n#define NODE {:?}\n#define TARGET {target:?}\n\
             #define WRITES {:?}\n#define METADATA {metadata}\n#define ANSWER {answer}\n",
            self.plugin, self.version, self.node, self.target
        );
        let source = sources.join(format!("{}.c", self.source));
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-Wno-unused"]);
        cc.arg("-fvisibility=hidden")
            .arg("-I")
            .arg(crate::native::header_folder());
        cc.arg("-I");
        let made = tempfile::tempdir().unwrap();
        let mut recipe = DefaultHasher::new();
        let header = crate::native::header_folder().join("patchbay.h");
        for text in [
            &sources.join("plugin.h"),
            &sources.join("deep.h"),
            &header,
            &source,
        ] {
            fs::read(text).unwrap().hash(&mut recipe);
        }
        (&facts, extra.flags).hash(&mut recipe);
        let kept = crate::built::built().join("c-plugins");
        fs::create_dir_all(&kept).unwrap();
        let out = kept.join(format!("{}-{:016x}.so", self.source, recipe.finish()));
        if out.exists() {
            return out;
        }
        fs::write(made.path().join("facts.h"), facts).unwrap();
        let part = made.path().join("plugin.so");
        cc.arg(made.path())
            .arg("-o")
            .arg(&part)
            .arg(&source)
            .args(extra.flags);
        let output = cc.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        crate::deploy(&part, &out);
        out
    }
}

fn array(bytes: &[u8]) -> String {
    let numbers: Vec<_> = bytes.iter().map(ToString::to_string).collect();
    format!("{{{}}}", numbers.join(","))
}

/// Compiles a plugin that does what the source of this name in `tests/hostile` does, to `out`.
pub fn hostile(source: &str, out: &Path) -> PathBuf {
    let target = out.with_extension("written");
    let plugin = CPlugin {
        source,
        plugin: &format!("c-{source}"),
        version: "1.0.0",
        node: &format!("c.{source}"),
        target: target.to_str().unwrap(),
    };
    plugin.compile(out);
    target
}
