use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use patchbay_vocab::Explain;

use super::*;

mod damage;
mod kinds;
mod mach;
mod property;
mod signed;

/// One C plugin: the source that a test bends, and how it is compiled.
struct Recipe {
    note: BTreeMap<&'static str, String>,
    notes: usize,
    entry: &'static str,
    body: String,
    flags: Vec<&'static str>,
}

/// A plugin that is fit.
fn fit() -> Recipe {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let quoted = |text: &str| format!("{text:?}");
    let note = BTreeMap::from([
        ("desc_size", "288".into()),
        ("major", plugin_api::CONTRACT.major.to_string()),
        ("minor", plugin_api::CONTRACT.minor.to_string()),
        ("flags", "2".into()),
        ("name", quoted("c-hello")),
        ("version", quoted("1.2.3")),
        ("target", quoted(&target)),
        ("more", "0".into()),
    ]);
    Recipe {
        note,
        notes: 1,
        entry: "patchbay_plugin_v1",
        body: "extern int puts(const char *); int call_out(void) { return puts(\"x\"); }\nint table[64] = { 1 };".into(),
        flags: Vec::new(),
    }
}

impl Recipe {
    fn with(mut self, field: &'static str, value: impl Into<String>) -> Self {
        self.note.insert(field, value.into());
        self
    }

    fn body(mut self, body: &str) -> Self {
        self.body.push('\n');
        self.body.push_str(body);
        self
    }

    fn flag(mut self, flag: &'static str) -> Self {
        self.flags.push(flag);
        self
    }

    fn source(&self) -> String {
        let of = |field: &str| self.note[field].as_str();
        let mut source = format!(
            "struct note {{ unsigned owner_size, desc_size, kind; char owner[12]; unsigned major, minor, flags, zero;\n\
             char name[64], version[48], sdk[32], compiler[64], target[64]; char more[{} + 1]; }} __attribute__((packed));\n",
            of("more")
        );
        for n in 0..self.notes {
            source += &format!(
                "__attribute__((used, aligned(4), section(\".note.patchbay\"))) static const struct note note_{n} = \
                 {{ 9, {}, 1, \"Patchbay\", {}, {}, {}, 0, {}, {}, \"\", \"cc\", {} }};\n",
                of("desc_size"),
                of("major"),
                of("minor"),
                of("flags"),
                of("name"),
                of("version"),
                of("target")
            );
        }
        // The array at the end holds oversized notes; one byte of it is always there, hence the note's last four.
        source = source.replace("char more[0 + 1]; ", "");
        source + &format!("void *{}(void) {{ return 0; }}\n{}\n", self.entry, self.body)
    }

    fn build(&self) -> Vec<u8> {
        self.compile("c", "cc", &["-shared", "-fPIC"])
    }

    fn compile(&self, extension: &str, compiler: &str, mode: &[&str]) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let (source, target) = (dir.path().join(format!("p.{extension}")), dir.path().join("p.so"));
        fs::write(&source, self.source()).unwrap();
        let mut command = Command::new(compiler);
        command
            .args(mode)
            .args(["-O1", "-w", "-o"])
            .arg(&target)
            .arg(&source)
            .args(&self.flags);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        fs::read(target).unwrap()
    }
}

fn read_bytes(bytes: &[u8], policy: &InspectPolicy) -> Result<Facts, InspectError> {
    read(bytes, bytes.len() as u64, policy)
}

fn code(bytes: &[u8]) -> String {
    code_under(bytes, &InspectPolicy::standard())
}

fn code_under(bytes: &[u8], policy: &InspectPolicy) -> String {
    match read_bytes(bytes, policy) {
        Ok(_) => "fit".into(),
        Err(error) => {
            assert!(
                !error.help().is_empty() && !error.to_string().ends_with('.'),
                "{error}"
            );
            error.code().0.trim_start_matches("PB-INSPECT-").into()
        }
    }
}

#[track_caller]
fn check(recipe: &Recipe, expected: &str) {
    let bytes = recipe.build();
    assert_eq!(
        code(&bytes),
        expected,
        "{:?}",
        read_bytes(&bytes, &InspectPolicy::standard()).map(|f| f.plugin)
    );
}

/// Replaces the one occurrence of `old`.
fn patched(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes
        .windows(old.len())
        .position(|window| window == old)
        .expect("nothing to patch");
    let mut bytes = bytes.to_vec();
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

fn standard() -> InspectPolicy {
    InspectPolicy::standard()
}
