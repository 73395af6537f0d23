//! `patchbay run` and `patchbay validate`: a workflow without a server.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use patchbay_tests_support::{Finished, binary, deploy, fixture, run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// A chain of nodes: id, node type, parameters.
pub(crate) fn chain(id: &str, nodes: &[(&str, &str, Json)]) -> Json {
    let listed: Vec<_> = nodes
        .iter()
        .map(|(id, node_type, parameters)| {
            json!({"id": id, "name": id, "type": "operation", "typeVersion": 1, "nodeType": node_type,
                "position": [0, 0], "parameters": parameters})
        })
        .collect();
    let mut connections = serde_json::Map::new();
    for pair in nodes.windows(2) {
        let edge = json!({"main": {"0": [{"node": pair[1].0, "type": "main", "index": 0}]}});
        connections.insert(pair[0].0.to_owned(), edge);
    }
    json!({"id": id, "name": id, "version": "3.0.0", "tenantId": "acme", "nodes": listed,
        "connections": connections, "triggers": [], "variables": {}, "settings": {}})
}

/// A folder with plugins and documents.
struct Folder(TempDir);

impl Folder {
    fn with(fixtures: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let plugins = dir.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        for of in fixtures {
            deploy(&fixture(of), &plugins.join(format!("{of}.so")));
        }
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    /// Runs a command on a document with the plugins of the folder.
    fn on(&self, command: &str, document: &Json, more: &[&str]) -> Finished {
        let file = self.write("workflow.json", &document.to_string());
        self.on_file(command, &file, more)
    }

    fn on_file(&self, command: &str, file: &str, more: &[&str]) -> Finished {
        let plugins = self.path("plugins").display().to_string();
        let mut arguments = vec![command, file, "--plugins", &plugins];
        arguments.extend(more);
        run(&arguments)
    }
}

fn one_line(finished: &Finished) -> Json {
    serde_json::from_str(finished.err.trim()).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

#[test]
fn a_run_prints_its_result_on_stdout_and_what_happened_on_stderr() {
    let folder = Folder::with(&["echo-1-0"]);
    let document = chain(
        "w",
        &[
            ("first", "fx.echo", json!({"z": "{{ $json.name }}", "a": 1})),
            (
                "last",
                "fx.echo",
                json!({"z": "{{ $steps.first.output.z }}!", "a": 2}),
            ),
        ],
    );
    let done = folder.on("run", &document, &["--input", r#"{"name": "ada"}"#]);
    assert_eq!(done.code, 0, "{done:?}");
    // In the order of the parameters, which is not that of the alphabet.
    assert!(done.out.contains("ada!"), "{done:?}");
    assert!(
        done.err.contains("echo@1.0.0") && done.err.contains("success: 2 nodes"),
        "{done:?}"
    );

    let quiet = folder.on("run", &document, &["--input", r#"{"name": "ada"}"#, "--quiet"]);
    assert_eq!((quiet.code, quiet.out, quiet.err.as_str()), (0, done.out, ""));
}

#[test]
fn the_record_of_a_run_is_the_documented_one() {
    let folder = Folder::with(&["echo-1-0"]);
    let document = chain(
        "w",
        &[("a", "fx.version", json!({})), ("b", "fx.echo", json!({"x": 1}))],
    );
    let done = folder.on("run", &document, &["--json", "--tenant", "acme"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
    let record = done.json();
    assert_eq!(record["status"], "success");
    assert_eq!(record["executionOrder"], json!(["a", "b"]));
    assert_eq!(record["tenant"], "acme");
    assert_eq!(record["variables"], json!({}));
    let node = &record["state"]["a"];
    assert_eq!(
        (
            &node["status"],
            &node["output"],
            &node["plugin"],
            &node["version"],
            &node["attempts"]
        ),
        (
            &json!("success"),
            &json!({"result": "1.0.0"}),
            &json!("echo"),
            &json!("1.0.0"),
            &json!(1)
        )
    );
    assert!(node["timestamp"].is_u64() && node["duration"].is_number() && node["retries"] == 0);
    assert_eq!(
        record["metrics"],
        json!({"nodesExecuted": 2, "successNodes": 2, "failedNodes": 0, "retriedNodes": 0, "totalRetries": 0,
            "validationFailures": 0, "recoveryAttempts": 0, "recoverySuccesses": 0})
    );
}

#[test]
fn a_run_that_a_node_failed_ends_with_one_and_still_has_its_record() {
    let folder = Folder::with(&["echo-1-0"]);
    let failing = json!({"code": "OUT_OF_PAPER", "message": "no paper"});
    let document = chain("w", &[("a", "fx.fail", failing), ("b", "fx.echo", json!({}))]);
    let done = folder.on("run", &document, &["--json"]);
    assert_eq!(
        (done.code, &done.json()["status"]),
        (1, &json!("error")),
        "{done:?}"
    );
    assert_eq!(done.json()["error"]["node"], "a");

    let done = folder.on("run", &document, &[]);
    assert_eq!((done.code, done.out.as_str()), (1, ""), "{done:?}");
    assert!(
        done.err.contains("node a: no paper") && done.err.contains("OUT_OF_PAPER"),
        "{done:?}"
    );
}

#[test]
fn a_run_that_takes_too_long_ends_with_one() {
    let folder = Folder::with(&["echo-1-0"]);
    let files = json!({"began": folder.path("began"), "until": folder.path("never")});
    let document = chain("w", &[("a", "fx.block", files)]);
    let done = folder.on("run", &document, &["--json", "--timeout", "50ms"]);
    assert_eq!(
        (done.code, &done.json()["status"]),
        (1, &json!("timeout")),
        "{done:?}"
    );
}

#[test]
fn a_document_that_is_refused_ends_with_two_and_names_everything_that_is_wrong() {
    let folder = Folder::with(&["echo-1-0"]);
    let mut document = chain("w", &[("a", "fx.ecko", json!({})), ("b", "fx.echo", json!({}))]);
    document["connections"]["b"] = json!({"main": {"0": [{"node": "a", "type": "main", "index": 0}]}});
    let done = folder.on("run", &document, &[]);
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{done:?}");
    for part in [
        "error[PB-RUN-001]",
        "[CYCLE]",
        "[UNKNOWN_NODE_TYPE]",
        "fx.echo",
        "hint:",
    ] {
        assert!(done.err.contains(part), "{part}: {done:?}");
    }
    let done = folder.on("run", &document, &["--json"]);
    let problem = one_line(&done);
    assert_eq!((done.code, &problem["code"]), (2, &json!("PB-RUN-001")));
    let codes: Vec<_> = problem["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    assert!(
        codes.contains(&"CYCLE") && codes.contains(&"UNKNOWN_NODE_TYPE"),
        "{codes:?}"
    );

    let validated = folder.on("validate", &document, &["--json"]);
    assert_eq!(
        (validated.code, &validated.json()["valid"]),
        (1, &json!(false)),
        "{validated:?}"
    );
}

#[test]
fn what_cannot_be_meant_is_a_usage_error_and_never_a_panic() {
    let folder = Folder::with(&["echo-1-0"]);
    let good = folder.write(
        "good.json",
        &chain("w", &[("a", "fx.version", json!({}))]).to_string(),
    );
    let deep = format!("{{\"nodes\": {}", "[".repeat(200_000));
    let cut = folder.write("cut.json", "{\"nodes\": [");
    let deep = folder.write("deep.json", &deep);
    let deep_input = folder.write(
        "deep-input.json",
        &format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)),
    );
    fs::write(folder.path("binary.json"), b"\xff\xfe{}").unwrap();
    let binary = folder.path("binary.json").display().to_string();
    let cases: [(&str, &[&str], &str); 12] = [
        (&cut, &[], "PB-RUN-001"),
        (&deep, &[], "PB-RUN-001"),
        (&binary, &[], "PB-CLI-003"),
        ("/nowhere/w.json", &[], "PB-CLI-004"),
        (&good, &["--input", "{"], "PB-CLI-003"),
        (&good, &["--input", "@/nowhere/input.json"], "PB-CLI-004"),
        (&good, &["--input", &format!("@{deep_input}")], "PB-RUN-005"),
        (&good, &["--variables", "[1]"], "PB-RUN-005"),
        (&good, &["--tenant", "other"], "PB-RUN-006"),
        (&good, &["--version", "echo=9.9.9"], "PB-RUN-008"),
        (&good, &["--version", "nothing=1.0.0"], "PB-RUN-008"),
        (&good, &["--version", "echo"], "PB-CLI-001"),
    ];
    for (file, more, code) in cases {
        let mut all = more.to_vec();
        all.push("--json");
        let done = folder.on_file("run", file, &all);
        assert_eq!(
            (done.code, done.out.as_str()),
            (2, ""),
            "{file} {more:?}: {done:?}"
        );
        let problem = one_line(&done);
        assert_eq!(problem["code"], code, "{file} {more:?}");
        assert!(problem["hint"].as_str().unwrap().len() > 5, "{problem}");
        assert!(done.err.len() < 4_000, "{file} {more:?}");
    }
}

#[test]
fn a_run_can_have_another_version_than_the_highest() {
    let folder = Folder::with(&["echo-1-0", "echo-1-1"]);
    let document = chain("w", &[("a", "fx.version", json!({}))]);
    for (more, version) in [(&[][..], "1.1.0"), (&["--version", "echo=1.0.0"], "1.0.0")] {
        let done = folder.on("run", &document, more);
        assert_eq!(done.code, 0, "{done:?}");
        assert_eq!(done.json(), json!({"result": version}));
    }
}

#[test]
fn a_data_directory_keeps_the_runs_for_the_next_host() {
    let folder = Folder::with(&["echo-1-0"]);
    let data = folder.path("kept").display().to_string();
    let document = chain("w", &[("a", "fx.version", json!({}))]);
    for _ in 0..2 {
        let done = folder.on("run", &document, &["--data", &data]);
        assert_eq!(done.code, 0, "{done:?}");
    }
    assert!(Path::new(&data).join("journal.db").is_file());
}

#[test]
fn an_interrupt_cancels_the_run_which_still_prints_its_record() {
    let folder = Folder::with(&["echo-1-0"]);
    let files = json!({"began": folder.path("began"), "until": folder.path("never")});
    let file = folder.write("w.json", &chain("w", &[("a", "fx.block", files)]).to_string());
    let mut child = Command::new(binary())
        .args(["run", &file, "--json", "--plugins"])
        .arg(folder.path("plugins"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !folder.path("began").exists() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before its node began"
        );
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let record: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(record["status"], "cancelled");
}

#[test]
fn a_reader_that_goes_away_ends_nothing_loudly() {
    let folder = Folder::with(&["echo-1-0"]);
    let long = "x".repeat(1 << 20);
    let file = folder.write(
        "w.json",
        &chain("w", &[("a", "fx.echo", json!({"long": long}))]).to_string(),
    );
    let mut child = Command::new(binary())
        .args(["run", &file, "--json", "--plugins"])
        .arg(folder.path("plugins"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn a_document_is_validated_alone_where_there_are_no_plugins() {
    let folder = Folder::with(&[]);
    let good = folder.write(
        "good.json",
        &chain("w", &[("a", "no.such", json!({}))]).to_string(),
    );
    let bad = folder.write(
        "bad.json",
        r#"{"name": "w", "nodes": [{"id": "a"}], "connections": {}}"#,
    );
    let empty = tempfile::tempdir().unwrap();
    let alone = |file: &str, more: &[&str]| {
        let done = Command::new(binary())
            .args(["validate", file])
            .args(more)
            .current_dir(empty.path())
            .output()
            .unwrap();
        (
            done.status.code().unwrap(),
            String::from_utf8(done.stderr).unwrap(),
        )
    };
    let (code, err) = alone(&good, &[]);
    assert!(code == 0 && err.contains("were not checked"), "{err}");
    assert_eq!(alone(&bad, &[]).0, 1);
    assert_eq!(alone("/nowhere.json", &[]).0, 2);
    // With plugins, the type is looked up.
    let done = folder.on_file("validate", &good, &[]);
    assert!(
        done.code == 1 && done.out.contains("UNKNOWN_NODE_TYPE"),
        "{done:?}"
    );
}

#[test]
fn a_warning_is_enough_for_a_strict_validation() {
    let folder = Folder::with(&["echo-1-0"]);
    let mut document = chain("w", &[("a", "fx.version", json!({}))]);
    document["nodes"][0]["timeout"] = json!(5);
    let done = folder.on("validate", &document, &["--json"]);
    assert_eq!(
        (done.code, &done.json()["valid"], &done.json()["warnings"]),
        (0, &json!(true), &json!(1)),
        "{done:?}"
    );
    assert_eq!(folder.on("validate", &document, &["--strict"]).code, 1);
}

#[test]
fn a_configuration_gives_a_run_of_its_own_host_secrets_and_says_which_is_missing() {
    let folder = Folder::with(&["echo-1-0"]);
    folder.write("token.txt", "open sesame\n");
    folder.write(
        "patchbay.toml",
        "plugins = \"plugins\"\ndata = \"data-of-another-host\"\n\n[tenants.acme.secrets]\ntoken = { file = \"token.txt\" }\n",
    );
    let config = folder.path("patchbay.toml").display().to_string();
    let document = chain("w", &[("a", "fx.secret", json!({"name": "token"}))]);
    let file = folder.write("workflow.json", &document.to_string());
    let done = run(&["run", &file, "--config", &config, "--quiet"]);
    assert_eq!(
        (done.code, done.json()["result"].clone()),
        (0, json!("open sesame")),
        "{done:?}"
    );
    assert!(
        !folder.path("data-of-another-host").exists(),
        "a served host may have it"
    );

    let known = run(&["validate", &file, "--config", &config]);
    assert_eq!(known.code, 0, "{known:?}");
    let without = folder.on_file("validate", &file, &["--json"]);
    assert_eq!(without.code, 1, "{without:?}");
    assert_eq!(without.json()["findings"][0]["code"], "CREDENTIAL_MISSING");

    folder.write(
        "patchbay.toml",
        "plugins = \"plugins\"\n[tenants.acme.secrets]\ntoken = { file = \"none\" }\n",
    );
    let refused = run(&["run", &file, "--config", &config, "--json"]);
    assert_eq!(
        (refused.code, one_line(&refused)["code"].clone()),
        (2, json!("PB-CONFIG-003"))
    );
}
