//! What is read and written for a model.

use super::*;

const FILE: &str = "## MVP\n- [x] Log in\n";

pub(super) fn with_files() -> (Harness, Arc<Mutex<Vec<Value>>>) {
    let written = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&written);
    let harness = Harness::new()
        .node("file.read", |input| {
            match input.get("path").and_then(|path| path.as_str()) {
                Some("ROADMAP.md") => {
                    let content = Value::from(FILE);
                    Ok(Value::from_pairs([("content", content.as_ref())])?)
                }
                Some("image.png") => Ok(Value::empty_map()),
                Some("../etc") => Err(NodeError::with_code(code::NOT_ALLOWED, "outside")),
                _ => Err(NodeError::with_code("NOT_FOUND", "there is no such file")),
            }
        })
        .node("file.write", move |input| {
            seen.lock().unwrap().push(input.to_value());
            Ok(Value::empty_map())
        });
    (harness, written)
}

#[test]
fn a_context_is_left_for_the_next_message() {
    let (harness, _) = with_files();
    harness.call::<load_context>("{}").unwrap();
    let output = harness
        .call::<append_context_message>(r#"{"messages": [], "context": "$sdlc_context"}"#)
        .unwrap();
    let content = output
        .as_ref()
        .pointer("/messages/0/content")
        .and_then(|content| content.as_str())
        .map(str::to_owned);
    assert_eq!(content.as_deref(), Some("# ROADMAP.md\n\n## MVP\n- [x] Log in\n"));
    let none = Harness::new().node("file.read", |_| Err(NodeError::new("gone").status(404)));
    let output = none.call::<load_context>("{}").unwrap();
    assert_eq!(
        output,
        json(r#"{"context": "", "files": [], "truncated": false}"#)
    );
}

#[test]
fn a_file_that_was_named_has_to_be_there() {
    let (harness, _) = with_files();
    let many = format!(r#"{{"paths": [{}]}}"#, vec!["\"a\""; 65].join(","));
    refuses::<load_context>(
        &harness,
        &[
            (r#"{"paths": ["none.md"]}"#, "NOT_FOUND", "no such file"),
            (r#"{"paths": ["../etc"]}"#, code::NOT_ALLOWED, "outside"),
            (r#"{"paths": ["image.png"]}"#, code::EXECUTION_ERROR, "no text"),
            (r#"{"paths": [5]}"#, INVALID, "parameter `paths`: item 0"),
            (r#"{"paths": "ROADMAP.md"}"#, INVALID, "paths"),
            (r#"{"maxBytes": 0}"#, INVALID, "`maxBytes`"),
        ],
    );
    let error = harness.call::<load_context>(&many).unwrap_err();
    assert!(error.message.contains("65 files"), "{error}");
    refuses::<load_context>(&Harness::new(), &[("{}", "UNKNOWN_NODE_TYPE", "`file.read`")]);
}

#[test]
fn a_context_ends_at_its_limit() {
    let (harness, _) = with_files();
    let input = r#"{"paths": ["ROADMAP.md", "ROADMAP.md", "none.md"], "maxBytes": 50}"#;
    let output = harness.call::<load_context>(input).unwrap();
    assert_eq!(
        output,
        json(
            r##"{"context": "# ROADMAP.md\n\n## MVP\n- [x] Log in\n\n\n# ROADMAP.md\n\n", "files": ["ROADMAP.md", "ROADMAP.md"], "truncated": true}"##
        )
    );
}

#[test]
fn a_roadmap_is_written_through_the_file_node() {
    let (harness, written) = with_files();
    harness.call::<update_roadmap>(r#"{"content": "new"}"#).unwrap();
    assert_eq!(
        written.lock().unwrap().pop(),
        Some(json(r#"{"path": "ROADMAP.md", "content": "new"}"#))
    );
    refuses::<update_roadmap>(
        &harness,
        &[
            ("{}", INVALID, "content"),
            (r#"{"content": 5}"#, INVALID, "content"),
            (r#"{"content": "x", "path": 5}"#, INVALID, "path"),
        ],
    );
    refuses::<update_roadmap>(
        &Harness::new(),
        &[(r#"{"content": "x"}"#, "UNKNOWN_NODE_TYPE", "`file.write`")],
    );
    refuses::<check_mvp>(
        &harness,
        &[(r#"{"path": "../etc"}"#, code::NOT_ALLOWED, "outside")],
    );
    let long = format!(r#"{{"content": "{}"}}"#, "x".repeat(5 << 20));
    let error = harness.call::<update_roadmap>(&long).unwrap_err();
    assert!(error.message.contains("4 MiB"), "{error}");
}
