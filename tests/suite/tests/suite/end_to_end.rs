//! The real binary: a host with its API, and commands against it.

use std::fs;

use patchbay_tests_support::{Up, deploy, fixture, run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};

fn with(fixtures: &[&str]) -> impl FnOnce(&std::path::Path) {
    let fixtures: Vec<String> = fixtures.iter().map(ToString::to_string).collect();
    move |plugins| {
        for of in fixtures {
            deploy(&fixture(&of), &plugins.join(format!("{of}.so")));
        }
    }
}

#[test]
fn an_admin_can_do_the_whole_round_from_the_command_line() {
    let up = Up::start(with(&["echo-1-0"]), &[]);
    let status = up.run(&["status", "--json"]);
    assert_eq!(
        (status.code, &status.json()["unload"]),
        (0, &json!("unmap")),
        "{status:?}"
    );
    let call = up.run(&["call", "fx.version", "{}", "--json"]);
    assert_eq!(
        (call.code, &call.json()["output"]["result"]),
        (0, &json!("1.0.0")),
        "{call:?}"
    );

    deploy(&fixture("echo-1-1"), &up.plugins().join("echo-1-1.so"));
    up.run_until(&["plugins", "echo", "--json"], |plugin| plugin["live"] == "1.1.0");
    assert_eq!(
        up.run(&["call", "fx.version", "{}", "--json"]).json()["version"],
        "1.1.0"
    );

    let back = up.run(&["rollback", "echo", "--reason", "1.1 is slow", "--json"]);
    assert_eq!(
        (back.code, &back.json()["to"]["version"]),
        (0, &json!("1.0.0")),
        "{back:?}"
    );
    let on = up.run(&["promote", "echo", "1.1.0", "--json"]);
    assert_eq!(
        (on.code, &on.json()["to"]["version"]),
        (0, &json!("1.1.0")),
        "{on:?}"
    );
    let out = up.run(&["quarantine", "echo", "--json"]);
    assert_eq!(
        (out.code, &out.json()["to"]["version"]),
        (0, &json!("1.0.0")),
        "{out:?}"
    );

    let history = up.run(&["history", "echo", "--json"]).json();
    let line = history
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["action"] == "rolled-back")
        .unwrap();
    assert_eq!(line["reason"], "1.1 is slow");
    assert!(line["actor"].as_str().unwrap().contains("ada"), "{line}");

    let nodes = up.run(&["nodes", "--json"]).json();
    assert!(
        nodes
            .as_array()
            .unwrap()
            .iter()
            .any(|node| node["nodeType"] == "fx.version")
    );
}

#[test]
fn exit_codes_say_what_kind_of_answer_it_is() {
    let up = Up::start(with(&["echo-1-0", "needs-echo"]), &[]);
    let fail = json!({"code": "OUT_OF_TEA", "message": "none"}).to_string();
    for (arguments, code, word) in [
        (&["call", "fx.echo", r#"{"a": 1}"#][..], 0, ""),
        (&["call", "fx.fail", &fail], 1, "OUT_OF_TEA"),
        (&["call", "fx.panic", r#"{"kind": "text"}"#], 1, "PB-CALL-003"),
        (&["call", "fx.versoin", "{}"], 2, "fx.version"),
        (&["call", "fx.echo", "{"], 2, ""),
        (&["plugins", "nobody"], 2, "nobody"),
        (&["promote", "echo", "9.9.9"], 2, "9.9.9"),
        (&["rollback", "echo"], 1, "PB-REG-013"),
        (&["no-such-command"], 2, ""),
    ] {
        let done = up.run(arguments);
        assert_eq!(done.code, code, "{arguments:?}: {done:?}");
        assert!(done.err.contains(word), "{arguments:?}: {done:?}");
    }
    let nobody = run(&["status", "--url", "http://127.0.0.1:1"]);
    assert_eq!(nobody.code, 3, "{nobody:?}");
}

#[test]
fn an_error_in_json_is_one_line_with_code_message_and_hint() {
    let up = Up::start(with(&["echo-1-0"]), &[]);
    let done = up.run(&["call", "fx.versoin", "{}", "--json"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{done:?}");
    let error: Json = serde_json::from_str(done.err.trim()).unwrap();
    assert_eq!(error["code"], "PB-CALL-001");
    assert!(error["hint"].as_str().unwrap().contains("fx.version"));
}

#[test]
fn refused_files_are_listed_over_the_api() {
    let up = Up::start(|plugins| fs::write(plugins.join("bad.so"), "bad").unwrap(), &[]);
    let rejected = up.run(&["plugins", "--rejected", "--json"]);
    assert_eq!(
        (rejected.code, &rejected.json()[0]["code"]),
        (0, &json!("PB-INSPECT-001")),
        "{rejected:?}"
    );
}

#[test]
fn the_api_describes_every_route_it_has() {
    let up = Up::start(|_| {}, &[]);
    let get = |path: &str| ureq::get(format!("{}{path}", up.url())).call();
    let mut answer = get("/api/v1/openapi.json").unwrap();
    let description: Json = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let paths: Vec<_> = description["paths"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    for route in [
        "/status",
        "/plugins",
        "/plugins/{name}",
        "/plugins/{name}/history",
        "/plugins/{name}/promote",
        "/plugins/{name}/rollback",
        "/plugins/{name}/quarantine",
        "/rejected",
        "/nodes",
        "/nodes/{nodeType}",
        "/call/{nodeType}",
        "/events",
    ] {
        assert!(
            paths.iter().any(|path| path.ends_with(route)),
            "{route} is not in {paths:?}"
        );
    }
    for path in ["/healthz", "/readyz", "/", "/api/v1/plugins", "/api/v1/nodes"] {
        assert_eq!(get(path).unwrap().status(), 200, "{path}");
    }
    let missing = get("/api/v1/nothing").unwrap_err();
    assert!(matches!(missing, ureq::Error::StatusCode(404)), "{missing:?}");
}

#[test]
fn a_host_that_is_told_to_end_unloads_and_ends_well() {
    let mut up = Up::start(with(&["echo-1-0", "echo-1-1", "needs-echo"]), &[]);
    assert_eq!(up.run(&["call", "fx.version", "{}"]).code, 0);
    kill_process(
        Pid::from_raw(i32::try_from(up.pid()).unwrap()).unwrap(),
        Signal::TERM,
    )
    .unwrap();
    let (status, rest) = up.wait();
    assert_eq!((status.code(), rest.as_str()), (Some(0), ""), "{}", up.log());
    let left: Vec<_> = fs::read_dir(up.data().join("maps"))
        .unwrap()
        .flatten()
        .map(|file| file.path())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_host_that_was_killed_comes_back_on_the_same_directories() {
    let mut up = Up::start(with(&["echo-1-0", "echo-1-1"]), &[]);
    up.kill_and_restart();
    assert_eq!(
        up.run(&["call", "fx.version", "{}", "--json"]).json()["version"],
        "1.1.0"
    );
    // What the first one had mapped is cleared away.
    assert_eq!(fs::read_dir(up.data().join("maps")).unwrap().count(), 1);
}
