//! What is read and written.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Disk, call, text};
use crate::reading::file_read;
use crate::writing::file_write;

fn refused(node: &str, disk: &Disk, input: &str, code: &str, says: &str) {
    let error = call(node, &disk.harness(), input).unwrap_err();
    assert_eq!(error.code, code, "{node} {input}: {error}");
    assert!(error.message.contains(says), "{node} {input}: {error}");
}

#[test]
fn every_bad_parameter_is_an_error_that_names_it() {
    let disk = Disk::new();
    disk.file("a", "x");
    for (node, input, parameter) in [
        ("file.read", "{}", "path"),
        ("file.read", r#"{"path": 5}"#, "path"),
        ("file.read", r#"{"path": "."}"#, "path"),
        ("file.read", r#"{"path": "a", "encoding": "latin1"}"#, "encoding"),
        ("file.read", r#"{"path": "a", "maxBytes": -1}"#, "maxBytes"),
        ("file.read", r#"{"path": "a", "maxBytes": 67108865}"#, "maxBytes"),
        ("file.read", r#"{"path": "a", "maxBytes": "x"}"#, "maxBytes"),
        ("file.write", r#"{"path": "", "content": "x"}"#, "path"),
        ("file.write", r#"{"path": "b"}"#, "content"),
        ("file.write", r#"{"path": "b", "content": {}}"#, "content"),
        ("file.write", r#"{"path": "b", "content": [1]}"#, "content"),
        (
            "file.write",
            r#"{"path": "b", "content": "!", "encoding": "base64"}"#,
            "content",
        ),
        (
            "file.write",
            r#"{"path": "b", "content": 1, "encoding": "base64"}"#,
            "content",
        ),
        (
            "file.write",
            r#"{"path": "b", "content": "x", "append": 1}"#,
            "append",
        ),
        (
            "file.write",
            r#"{"path": "b", "content": "x", "append": true, "overwrite": false}"#,
            "overwrite",
        ),
        ("file.writeJson", r#"{"path": "b"}"#, "value"),
        (
            "file.writeJson",
            r#"{"path": "b", "value": 1, "pretty": "x"}"#,
            "pretty",
        ),
        ("file.readJson", r#"{"path": "a", "maxBytes": 1.5}"#, "maxBytes"),
        ("file.list", r#"{"path": 5}"#, "path"),
        ("file.list", r#"{"maxEntries": 0}"#, "maxEntries"),
        ("file.list", r#"{"recursive": "x"}"#, "recursive"),
        ("file.copy", r#"{"from": "a"}"#, "to"),
        ("file.copy", r#"{"from": "a", "to": "./a"}"#, "to"),
        ("file.move", r#"{"to": "a"}"#, "from"),
        ("file.move", r#"{"from": ".", "to": "a"}"#, "from"),
        ("file.delete", r#"{"path": "./"}"#, "path"),
        ("file.deleteAll", "{}", "paths"),
        ("file.deleteAll", r#"{"paths": []}"#, "paths"),
        ("file.deleteAll", r#"{"paths": "a"}"#, "paths"),
        ("file.deleteAll", r#"{"paths": ["a", 5]}"#, "paths"),
        ("file.deleteAll", r#"{"paths": ["a", "."]}"#, "paths"),
        ("file.deleteAll", r#"{"path": 5}"#, "path"),
        ("file.mkdir", r#"{"path": "."}"#, "path"),
        ("file.stat", "{}", "path"),
        ("file.exists", r#"{"path": null}"#, "path"),
    ] {
        refused(node, &disk, input, "VALIDATION_FAILED", parameter);
    }
    assert_eq!(disk.names(), ["a"]);
}

#[test]
fn what_is_not_there_or_of_another_kind_is_an_error_with_a_code() {
    let disk = Disk::new();
    disk.file("folder/a", "x");
    disk.file("file", "x");
    for (node, input, code) in [
        ("file.read", r#"{"path": "none"}"#, "FILE_NOT_FOUND"),
        ("file.read", r#"{"path": "none/a"}"#, "FILE_NOT_FOUND"),
        ("file.read", r#"{"path": "folder"}"#, "WRONG_KIND_OF_FILE"),
        ("file.read", r#"{"path": "file/a"}"#, "WRONG_KIND_OF_FILE"),
        ("file.stat", r#"{"path": "none"}"#, "FILE_NOT_FOUND"),
        ("file.list", r#"{"path": "none"}"#, "FILE_NOT_FOUND"),
        ("file.list", r#"{"path": "file"}"#, "WRONG_KIND_OF_FILE"),
        (
            "file.write",
            r#"{"path": "folder", "content": "x"}"#,
            "WRONG_KIND_OF_FILE",
        ),
        (
            "file.write",
            r#"{"path": "folder", "content": "x", "append": true}"#,
            "WRONG_KIND_OF_FILE",
        ),
        (
            "file.write",
            r#"{"path": "file/a", "content": "x"}"#,
            "WRONG_KIND_OF_FILE",
        ),
        (
            "file.write",
            r#"{"path": "file", "content": "x", "overwrite": false}"#,
            "FILE_EXISTS",
        ),
        ("file.copy", r#"{"from": "none", "to": "x"}"#, "FILE_NOT_FOUND"),
        (
            "file.copy",
            r#"{"from": "folder", "to": "x"}"#,
            "WRONG_KIND_OF_FILE",
        ),
        (
            "file.copy",
            r#"{"from": "folder/a", "to": "file"}"#,
            "FILE_EXISTS",
        ),
        (
            "file.copy",
            r#"{"from": "file", "to": "folder", "overwrite": true}"#,
            "WRONG_KIND_OF_FILE",
        ),
        ("file.move", r#"{"from": "none", "to": "x/y"}"#, "FILE_NOT_FOUND"),
        (
            "file.move",
            r#"{"from": "folder/a", "to": "file"}"#,
            "FILE_EXISTS",
        ),
        (
            "file.move",
            r#"{"from": "folder", "to": "folder/inner/x"}"#,
            "VALIDATION_FAILED",
        ),
        ("file.mkdir", r#"{"path": "file"}"#, "WRONG_KIND_OF_FILE"),
        ("file.mkdir", r#"{"path": "file/a"}"#, "WRONG_KIND_OF_FILE"),
        ("file.delete", r#"{"path": "folder"}"#, "FOLDER_NOT_EMPTY"),
        ("file.readJson", r#"{"path": "file"}"#, "EXECUTION_ERROR"),
    ] {
        refused(node, &disk, input, code, "cannot ");
    }
    assert_eq!(disk.text("file"), "x");
    assert_eq!(disk.text("folder/a"), "x");
}

#[test]
fn a_file_is_written_anew_or_longer() {
    let disk = Disk::new();
    let write = |input: &str| call("file.write", &disk.harness(), input).unwrap().to_json();
    assert_eq!(
        write(r#"{"path": "a", "content": "one"}"#),
        r#"{"path":"a","bytes":3,"created":true}"#
    );
    assert_eq!(
        write(r#"{"path": "./a", "content": 2}"#),
        r#"{"path":"a","bytes":1,"created":false}"#
    );
    assert_eq!(disk.text("a"), "2");
    assert_eq!(
        write(r#"{"path": "a", "content": "\u00e4", "append": true}"#),
        r#"{"path":"a","bytes":2,"created":false}"#
    );
    assert_eq!(
        write(r#"{"path": "b/c", "content": "x", "append": "true"}"#),
        r#"{"path":"b/c","bytes":1,"created":true}"#
    );
    assert_eq!(
        (disk.text("a"), disk.text("b/c")),
        ("2\u{e4}".to_owned(), "x".to_owned())
    );
    write(r#"{"path": "d", "content": "AP8=", "encoding": "base64"}"#);
    assert_eq!(fs::read(disk.path("d")).unwrap(), [0, 255]);
    write(r#"{"path": "e", "content": ""}"#);
    write(r#"{"path": "f", "content": "x", "overwrite": false}"#);
    assert_eq!(disk.names(), ["a", "b", "d", "e", "f"]);
}

#[test]
fn a_file_that_is_replaced_keeps_its_permissions() {
    let disk = Disk::new();
    disk.file("a", "x");
    fs::set_permissions(disk.path("a"), fs::Permissions::from_mode(0o640)).unwrap();
    call("file.write", &disk.harness(), r#"{"path": "a", "content": "y"}"#).unwrap();
    let mode = fs::metadata(disk.path("a")).unwrap().permissions().mode();
    assert_eq!((mode & 0o777, disk.text("a").as_str()), (0o640, "y"));
}

#[test]
fn a_failure_leaves_what_was_there_and_no_draft() {
    let disk = Disk::new();
    disk.file("a", "before");
    disk.file("b", "other");
    // A deadline that has passed stops the work wherever it is.
    let late = disk.harness().deadline(std::time::Duration::ZERO);
    for (node, input) in [
        ("file.write", r#"{"path": "a", "content": "after"}"#),
        ("file.copy", r#"{"from": "b", "to": "a", "overwrite": true}"#),
        ("file.delete", r#"{"path": "a"}"#),
        ("file.list", "{}"),
    ] {
        let error = call(node, &late, input).unwrap_err();
        assert_eq!(error.code, "TIMEOUT", "{node}");
    }
    refused(
        "file.copy",
        &disk,
        r#"{"from": "b", "to": "a"}"#,
        "FILE_EXISTS",
        "`a`",
    );
    assert_eq!((disk.text("a").as_str(), disk.names().len()), ("before", 2));
}

#[test]
fn a_reader_sees_a_whole_file_while_it_is_replaced() {
    let disk = Disk::new();
    let content = |letter: &str| letter.repeat(100_000);
    disk.file("a", &content("a"));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..60 {
                let letter = if round % 2 == 0 { "b" } else { "a" };
                let input = format!(r#"{{"path": "a", "content": "{}"}}"#, content(letter));
                disk.harness().call::<file_write>(&input).unwrap();
            }
        });
        while !writer.is_finished() {
            let output = disk.harness().call::<file_read>(r#"{"path": "a"}"#).unwrap();
            let read = text(&output, "/content");
            assert!(read == content("a") || read == content("b"));
        }
    });
    assert_eq!(disk.names(), ["a"]);
}

#[test]
fn many_writers_at_once_lose_nothing_that_is_added() {
    let disk = Disk::new();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let disk = &disk;
            scope.spawn(move || {
                for line in 0..25 {
                    let input =
                        format!(r#"{{"path": "log", "content": "{writer}-{line}\n", "append": true}}"#);
                    disk.harness().call::<file_write>(&input).unwrap();
                }
            });
        }
    });
    let mut lines: Vec<String> = disk.text("log").lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), 200);
}

#[test]
fn of_many_that_make_a_file_one_makes_it() {
    let disk = Disk::new();
    let made: usize = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..16)
            .map(|maker| {
                let disk = &disk;
                scope.spawn(move || {
                    let input = format!(r#"{{"path": "one", "content": {maker}, "overwrite": false}}"#);
                    match disk.harness().call::<file_write>(&input) {
                        Ok(_) => 1,
                        Err(error) => {
                            assert_eq!(error.code, "FILE_EXISTS");
                            0
                        }
                    }
                })
            })
            .collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).sum()
    });
    assert_eq!(made, 1);
    assert_eq!(disk.names(), ["one"]);
}

#[test]
fn what_is_too_large_is_not_read() {
    let disk = Disk::new();
    disk.file("a", "12345");
    // A hole takes no room on the disk.
    fs::File::create(disk.path("huge"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    refused(
        "file.read",
        &disk,
        r#"{"path": "a", "maxBytes": 4}"#,
        "LIMIT_EXCEEDED",
        "5 bytes",
    );
    refused(
        "file.read",
        &disk,
        r#"{"path": "huge"}"#,
        "LIMIT_EXCEEDED",
        "1099511627776",
    );
    refused(
        "file.readJson",
        &disk,
        r#"{"path": "huge"}"#,
        "LIMIT_EXCEEDED",
        "`huge`",
    );
    refused(
        "file.copy",
        &disk,
        r#"{"from": "huge", "to": "b"}"#,
        "LIMIT_EXCEEDED",
        "`huge`",
    );
    refused(
        "file.write",
        &disk,
        r#"{"path": "huge", "content": "x", "append": true}"#,
        "LIMIT_EXCEEDED",
        "`huge`",
    );
    let read = call("file.read", &disk.harness(), r#"{"path": "a", "maxBytes": 5}"#).unwrap();
    assert_eq!(text(&read, "/content"), "12345");
    assert_eq!(disk.names(), ["a", "huge"]);
}

#[test]
fn what_is_no_text_is_read_as_base64_alone() {
    let disk = Disk::new();
    fs::write(disk.path("a"), [b'o', b'k', 0xff]).unwrap();
    refused(
        "file.read",
        &disk,
        r#"{"path": "a"}"#,
        "EXECUTION_ERROR",
        "from byte 2 on",
    );
    let read = call(
        "file.read",
        &disk.harness(),
        r#"{"path": "a", "encoding": "base64"}"#,
    )
    .unwrap();
    assert_eq!(text(&read, "/content"), "b2v/");
}

#[test]
fn json_is_read_as_it_was_written() {
    let disk = Disk::new();
    fs::write(disk.path("bom.json"), b"\xef\xbb\xbf{\"a\": 1}").unwrap();
    let read = call("file.readJson", &disk.harness(), r#"{"path": "bom.json"}"#).unwrap();
    assert_eq!(read.to_json(), r#"{"result":{"a":1}}"#);
    for (content, says) in [("{", "bom.json"), ("", "bom.json"), ("[1,]", "bom.json")] {
        fs::write(disk.path("bom.json"), content).unwrap();
        refused(
            "file.readJson",
            &disk,
            r#"{"path": "bom.json"}"#,
            "EXECUTION_ERROR",
            says,
        );
    }
    call(
        "file.writeJson",
        &disk.harness(),
        r#"{"path": "null.json", "value": null}"#,
    )
    .unwrap();
    assert_eq!(disk.text("null.json"), "null\n");
}
