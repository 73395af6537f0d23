mod contents;
mod hostile;
mod laws;
mod trees;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use plugin_api::export::Export;
use plugin_api::meta::{Capability, NodeMeta};
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

use crate::deletion::{file_delete, file_delete_all};
use crate::json::{file_read_json, file_write_json};
use crate::listing::file_list;
use crate::reading::file_read;
use crate::standing::{file_exists, file_mkdir, file_stat};
use crate::transfer::{file_copy, file_move};
use crate::writing::file_write;

/// A place with the tenant's folder in it, and a secret beside that.
struct Disk {
    place: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        let disk = Self {
            place: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(disk.path("")).unwrap();
        fs::create_dir(disk.outside("")).unwrap();
        fs::write(disk.outside("secret.txt"), "hidden").unwrap();
        disk
    }

    /// Of something in the tenant's folder.
    fn path(&self, below: &str) -> PathBuf {
        self.place.path().join("tenant").join(below)
    }

    /// Of something beside it.
    fn outside(&self, below: &str) -> PathBuf {
        self.place.path().join("outside").join(below)
    }

    fn harness(&self) -> Harness {
        Harness::new().setting("files.folder", self.path("").to_str().unwrap())
    }

    fn file(&self, below: &str, content: &str) {
        fs::create_dir_all(self.path(below).parent().unwrap()).unwrap();
        fs::write(self.path(below), content).unwrap();
    }

    fn text(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    fn link(&self, below: &str, to: impl AsRef<std::path::Path>) {
        std::os::unix::fs::symlink(to, self.path(below)).unwrap();
    }

    /// Names of everything in the tenant's folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("")).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value
        .as_ref()
        .pointer(pointer)
        .and_then(|found| found.as_str())
        .unwrap_or_default()
}

fn metas() -> Vec<NodeMeta> {
    vec![
        file_copy::meta(),
        file_delete::meta(),
        file_delete_all::meta(),
        file_exists::meta(),
        file_list::meta(),
        file_mkdir::meta(),
        file_move::meta(),
        file_read::meta(),
        file_read_json::meta(),
        file_stat::meta(),
        file_write::meta(),
        file_write_json::meta(),
    ]
}

/// Calls a node by its place in [`metas`].
fn call(node: &str, harness: &Harness, input: &str) -> Result<Value, NodeError> {
    match node {
        "file.copy" => harness.call::<file_copy>(input),
        "file.delete" => harness.call::<file_delete>(input),
        "file.deleteAll" => harness.call::<file_delete_all>(input),
        "file.exists" => harness.call::<file_exists>(input),
        "file.list" => harness.call::<file_list>(input),
        "file.mkdir" => harness.call::<file_mkdir>(input),
        "file.move" => harness.call::<file_move>(input),
        "file.read" => harness.call::<file_read>(input),
        "file.readJson" => harness.call::<file_read_json>(input),
        "file.stat" => harness.call::<file_stat>(input),
        "file.write" => harness.call::<file_write>(input),
        "file.writeJson" => harness.call::<file_write_json>(input),
        other => panic!("no node {other}"),
    }
}

/// Parameters of a node for a path, right in all else.
fn for_path(node: &str, path: &str) -> String {
    let path = Value::from(path).to_json();
    match node {
        "file.copy" | "file.move" => format!(r#"{{"from": {path}, "to": "free"}}"#),
        "file.write" => format!(r#"{{"path": {path}, "content": "x"}}"#),
        "file.writeJson" => format!(r#"{{"path": {path}, "value": "x"}}"#),
        _ => format!(r#"{{"path": {path}}}"#),
    }
}

#[test]
fn every_node_says_what_it_does_and_shows_it_twice() {
    for meta in metas() {
        assert!(!meta.description.trim().is_empty(), "{}", meta.node_type);
        assert!(meta.examples.len() >= 2, "{}", meta.node_type);
        assert_eq!(meta.capabilities, [Capability::Fs], "{}", meta.node_type);
        assert!(meta.is_async, "{}", meta.node_type);
    }
}

/// What the examples speak of.
fn examples() -> Disk {
    let disk = Disk::new();
    disk.file("notes/today.txt", "Buy milk.\n");
    disk.file("notes/old/a.txt", "a");
    disk.file("log.txt", "first\n");
    disk.file("old.txt", "old");
    disk.file("config.json", r#"{"level": 3, "names": ["a", "b"]}"#);
    disk.file("cache/one", "1");
    disk.file("cache/two", "2");
    disk.file("media/a.png", "png");
    fs::write(disk.path("logo.png"), [0x89, b'P', b'N', b'G']).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
    for path in ["notes/today.txt", "notes/old"] {
        fs::File::open(disk.path(path))
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    disk
}

#[test]
fn all_examples_hold_on_a_disk() {
    let check = |run: fn(&Harness)| {
        let disk = examples();
        run(&disk.harness());
    };
    check(Harness::check_examples::<file_copy>);
    check(Harness::check_examples::<file_delete>);
    check(Harness::check_examples::<file_delete_all>);
    check(Harness::check_examples::<file_exists>);
    check(Harness::check_examples::<file_list>);
    check(Harness::check_examples::<file_mkdir>);
    check(Harness::check_examples::<file_move>);
    check(Harness::check_examples::<file_read>);
    check(Harness::check_examples::<file_read_json>);
    check(Harness::check_examples::<file_stat>);
    check(Harness::check_examples::<file_write>);
    check(Harness::check_examples::<file_write_json>);
}

#[test]
fn without_a_folder_nothing_is_done_and_the_setting_is_named() {
    let disk = examples();
    let file = disk.path("log.txt");
    for harness in [
        Harness::new(),
        Harness::new().setting("files.folder", ""),
        Harness::new().setting("files.folder", "tenant"),
        Harness::new().setting("files.folder", "/nowhere/at/all"),
        Harness::new().setting("files.folder", file.to_str().unwrap()),
    ] {
        for meta in metas() {
            let error = call(&meta.node_type, &harness, &for_path(&meta.node_type, "log.txt")).unwrap_err();
            assert_eq!(
                (error.code.as_ref(), error.retryable),
                ("NOT_ALLOWED", Some(false)),
                "{error}"
            );
            assert!(error.message.contains("files.folder"), "{error}");
            assert!(
                !error.message.contains("/nowhere") && !error.message.contains("tenant/"),
                "{error}"
            );
        }
    }
    assert_eq!(disk.text("log.txt"), "first\n");
}
