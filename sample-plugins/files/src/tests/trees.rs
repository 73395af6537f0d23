//! Folders and what is in them.

use std::fs;

use super::{Disk, call, text};

#[test]
fn a_list_is_in_the_order_of_names_and_bounded() {
    let disk = Disk::new();
    for name in ["b", "a", "c/d/e", "c/a", ".hidden", "B"] {
        disk.file(name, "12");
    }
    let list = |input: &str| call("file.list", &disk.harness(), input);
    let files = |input: &str| list(input).unwrap().as_ref().get("files").unwrap().to_json();
    assert_eq!(files("{}"), r#"[".hidden","B","a","b"]"#);
    assert_eq!(files(r#"{"path": "./c"}"#), r#"["c/a"]"#);
    assert_eq!(
        files(r#"{"path": ".", "recursive": true}"#),
        r#"[".hidden","B","a","b","c/a","c/d/e"]"#
    );
    assert_eq!(
        files(r#"{"recursive": true, "maxEntries": 8}"#),
        files(r#"{"recursive": true}"#)
    );
    for input in [r#"{"maxEntries": 4}"#, r#"{"recursive": true, "maxEntries": 7}"#] {
        let error = list(input).unwrap_err();
        assert_eq!(error.code, "LIMIT_EXCEEDED", "{input}");
        assert!(error.message.contains("maxEntries"), "{error}");
    }
    let whole = list("{}").unwrap();
    assert_eq!(whole.as_ref().get("folders").unwrap().to_json(), r#"["c"]"#);
    assert_eq!(
        whole.as_ref().pointer("/entries/4").unwrap().to_json(),
        r#"{"path":"c","name":"c","type":"folder","size":0}"#
    );
}

#[test]
fn an_empty_folder_has_nothing_in_it() {
    let disk = Disk::new();
    let listed = call("file.list", &disk.harness(), r#"{"recursive": true}"#).unwrap();
    assert_eq!(listed.to_json(), r#"{"files":[],"folders":[],"entries":[]}"#);
}

#[test]
fn folders_are_deleted_only_if_they_are_empty_or_the_workflow_says_so() {
    let disk = Disk::new();
    disk.file("full/a/b", "x");
    disk.file("full/c", "x");
    fs::create_dir(disk.path("empty")).unwrap();
    let delete = |input: &str| call("file.delete", &disk.harness(), input);
    assert_eq!(
        delete(r#"{"path": "full"}"#).unwrap_err().code,
        "FOLDER_NOT_EMPTY"
    );
    assert_eq!(
        delete(r#"{"path": "empty"}"#).unwrap().to_json(),
        r#"{"deleted":true,"count":1,"path":"empty"}"#
    );
    let all = delete(r#"{"path": "full", "recursive": true}"#).unwrap();
    assert_eq!(all.to_json(), r#"{"deleted":true,"count":4,"path":"full"}"#);
    let again = delete(r#"{"path": "full", "recursive": true}"#).unwrap();
    assert_eq!(again.to_json(), r#"{"deleted":false,"count":0,"path":"full"}"#);
    let below = delete(r#"{"path": "full/a/b", "recursive": true}"#).unwrap();
    assert_eq!(below.as_ref().get("deleted").unwrap().as_bool(), Some(false));
    assert!(disk.names().is_empty());
}

#[test]
fn nothing_is_deleted_when_one_of_the_paths_is_wrong() {
    let disk = Disk::new();
    disk.file("a", "x");
    for path in ["../outside/secret.txt", "/etc/passwd", "."] {
        let input = format!(r#"{{"paths": ["a", "{path}"]}}"#);
        let error = call("file.deleteAll", &disk.harness(), &input).unwrap_err();
        assert_eq!(error.code, "VALIDATION_FAILED", "{path}");
    }
    assert_eq!(disk.names(), ["a"]);
    let many = vec![r#""a""#; 1_001].join(",");
    let error = call(
        "file.deleteAll",
        &disk.harness(),
        &format!(r#"{{"paths": [{many}]}}"#),
    )
    .unwrap_err();
    assert!(error.message.contains("1000"), "{error}");
}

#[test]
fn a_folder_is_moved_with_what_is_in_it_and_replaces_nothing() {
    let disk = Disk::new();
    disk.file("a/b", "x");
    disk.file("c/d", "y");
    let to = |from: &str, to: &str| {
        call(
            "file.move",
            &disk.harness(),
            &format!(r#"{{"from": "{from}", "to": "{to}"}}"#),
        )
    };
    assert_eq!(to("a", "c").unwrap_err().code, "FILE_EXISTS");
    to("a", "c/e/a").unwrap();
    assert_eq!(disk.text("c/e/a/b"), "x");
    let over = r#"{"from": "c/d", "to": "c/e/a/b", "overwrite": true}"#;
    call("file.move", &disk.harness(), over).unwrap();
    assert_eq!(disk.text("c/e/a/b"), "y");
    let full = r#"{"from": "c/e", "to": "f", "overwrite": true}"#;
    disk.file("f/g", "z");
    assert_eq!(
        call("file.move", &disk.harness(), full).unwrap_err().code,
        "FOLDER_NOT_EMPTY"
    );
}

#[test]
fn a_tree_that_is_too_deep_is_not_walked_to_its_end() {
    let disk = Disk::new();
    let names = |count: usize| vec!["d"; count].join("/");
    let call = |node: &str, input: &str| call(node, &disk.harness(), input);
    // Deeper than one path can say: made in two halves, one moved into the other.
    call("file.mkdir", &format!(r#"{{"path": "{}"}}"#, names(60))).unwrap();
    call("file.mkdir", &format!(r#"{{"path": "x/{}"}}"#, names(59))).unwrap();
    call(
        "file.move",
        &format!(r#"{{"from": "x", "to": "{}/x"}}"#, names(60)),
    )
    .unwrap();
    let error = call("file.list", r#"{"recursive": true}"#).unwrap_err();
    assert_eq!(error.code, "LIMIT_EXCEEDED");
    let error = call("file.delete", r#"{"path": "d", "recursive": true}"#).unwrap_err();
    assert_eq!(error.code, "LIMIT_EXCEEDED");
    // From further down it is not too deep.
    call(
        "file.delete",
        &format!(r#"{{"path": "{}/x", "recursive": true}}"#, names(60)),
    )
    .unwrap();
    call("file.delete", r#"{"path": "d", "recursive": true}"#).unwrap();
    assert!(disk.names().is_empty());
}

#[test]
fn a_name_that_is_no_text_is_listed_and_deleted() {
    use std::os::unix::ffi::OsStrExt;
    let disk = Disk::new();
    fs::create_dir(disk.path("a")).unwrap();
    let odd = disk.path("a").join(std::ffi::OsStr::from_bytes(b"\xff\n"));
    fs::write(odd, "x").unwrap();
    let listed = call("file.list", &disk.harness(), r#"{"path": "a"}"#).unwrap();
    assert_eq!(text(&listed, "/entries/0/name"), "\u{fffd}\n");
    call(
        "file.delete",
        &disk.harness(),
        r#"{"path": "a", "recursive": true}"#,
    )
    .unwrap();
    assert!(disk.names().is_empty());
}
