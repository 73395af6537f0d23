//! Workflows on a host that serves: begun over HTTP, watched, ended, done again, started by webhooks and schedules.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

use patchbay_tests_support::{Up, deploy, fixture};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::run_command::chain;

fn with(fixtures: &'static [&'static str]) -> impl FnOnce(&Path) {
    move |plugins| {
        for of in fixtures {
            deploy(&fixture(of), &plugins.join(format!("{of}.so")));
        }
    }
}

/// Sends a request as it is; gives status and body.
fn send(up: &Up, method: &str, path: &str, body: &[u8]) -> (u16, Json) {
    let url = format!("{}/api/v1/{path}", up.url());
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(url)
        .header("content-type", "application/json")
        .body(body)
        .unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent.run(request).unwrap();
    let status = answer.status().as_u16();
    let text = answer.body_mut().read_to_string().unwrap();
    let json = serde_json::from_str(&text).unwrap_or(Json::String(text));
    (status, json)
}

fn post(up: &Up, path: &str, body: &Json) -> (u16, Json) {
    send(up, "POST", path, body.to_string().as_bytes())
}

fn get(up: &Up, path: &str) -> (u16, Json) {
    send(up, "GET", path, b"")
}

/// A workflow that runs until the file `until` is there.
fn blocking(dir: &TempDir) -> Json {
    let files = json!({"began": dir.path().join("began"), "until": dir.path().join("until")});
    chain(
        "blocking",
        &[("wait", "fx.block", files), ("then", "fx.version", json!({}))],
    )
}

fn wait_for(path: &Path) {
    while !path.exists() {
        std::thread::yield_now();
    }
}

#[test]
fn failures_of_nodes_are_counted_by_kind_and_version() {
    let up = Up::start(with(&["echo-1-0"]), &[]);
    let failing = json!({"code": "OUT_OF_PAPER", "message": "no paper"});
    let document = chain("w", &[("a", "fx.fail", failing)]);
    for _ in 0..2 {
        let (_, record) = post(&up, "runs", &json!({"workflow": document}));
        assert_eq!(record["status"], "error", "{record}");
    }
    let counted = |list: &Json| {
        let one = &list[0];
        assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
        (one["code"].clone(), one["version"].clone(), one["count"].clone())
    };
    let expected = (json!("OUT_OF_PAPER"), json!("1.0.0"), json!(2));
    // What a run is told is recorded a moment after it ended.
    let mut list = get(&up, "failures").1;
    while list[0]["count"] != 2 {
        std::thread::yield_now();
        list = get(&up, "failures").1;
    }
    assert_eq!(counted(&list), expected);
    assert_eq!(counted(&up.run(&["failures", "--json"]).json()), expected);
    let shown = up.run(&["failures"]);
    assert!(shown.code == 0 && shown.out.contains("echo@1.0.0"), "{shown:?}");
}

#[test]
fn a_run_over_http_gives_its_record_and_is_kept() {
    let up = Up::start(with(&["echo-1-0"]), &[]);
    let document = chain("w", &[("a", "fx.echo", json!({"b": "{{ $json.x }}", "a": 1}))]);
    let (status, record) = post(
        &up,
        "runs",
        &json!({"workflow": document, "input": {"x": [1.5, null]}}),
    );
    assert_eq!((status, &record["status"]), (200, &json!("success")), "{record}");
    let id = record["runId"].as_str().unwrap();

    let (status, kept) = get(&up, &format!("runs/{id}"));
    assert_eq!(
        (status, &kept["state"]["a"]["output"]),
        (200, &record["state"]["a"]["output"])
    );
    assert_eq!(get(&up, &format!("runs/{id}/document")).1["id"], "w");
    let (_, list) = get(&up, "runs?workflow=w&status=success&limit=1");
    assert_eq!(list["runs"][0]["runId"], id);
    assert_eq!(get(&up, "runs?workflow=other").1["runs"], json!([]));

    let shown = up.run(&["runs", id]);
    assert!(shown.code == 0 && shown.out.contains("echo@1.0.0"), "{shown:?}");
    let shown = up.run(&["runs", "document", id]);
    assert_eq!((shown.code, shown.json()), (0, document));
    let listed = up.run(&["runs", "--since", "1h", "--json"]);
    assert_eq!(listed.json()["runs"][0]["runId"], id);
    let caches = up.run(&["caches", "--json"]).json();
    let names: Vec<_> = caches["caches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert_eq!(
        names,
        [
            "instances",
            "plugins",
            "plans",
            "validations",
            "overlays",
            "metadata",
            "results"
        ]
    );
}

#[test]
fn a_command_can_have_a_host_run_its_workflow() {
    let up = Up::start(with(&["echo-1-0", "echo-1-1"]), &[]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("w.json");
    fs::write(&file, chain("w", &[("a", "fx.version", json!({}))]).to_string()).unwrap();
    let file = file.to_str().unwrap();
    let done = up.run(&["run", file, "--version", "echo=1.0.0"]);
    assert_eq!(
        (done.code, done.json()),
        (0, json!({"result": "1.0.0"})),
        "{done:?}"
    );
    let done = up.run(&["run", file, "--json"]);
    assert_eq!(done.json()["state"]["a"]["version"], "1.1.0");

    let failing = json!({"code": "E", "message": "m"});
    fs::write(file, chain("w", &[("a", "fx.fail", failing)]).to_string()).unwrap();
    assert_eq!(up.run(&["run", file]).code, 1);
    fs::write(file, chain("w", &[("a", "fx.nothing", json!({}))]).to_string()).unwrap();
    let refused = up.run(&["run", file]);
    assert!(
        refused.code == 2 && refused.err.contains("[UNKNOWN_NODE_TYPE]"),
        "{refused:?}"
    );
    let checked = up.run(&["validate", file]);
    assert!(
        checked.code == 1 && checked.out.contains("[UNKNOWN_NODE_TYPE]"),
        "{checked:?}"
    );
    fs::write(file, "{\"nodes\": [").unwrap();
    assert_eq!(up.run(&["validate", file, "--json"]).json()["valid"], false);
    assert_eq!(up.run(&["run", file]).code, 2);
}

#[test]
fn a_run_is_watched_and_its_stream_ends_with_it() {
    let up = Up::start(with(&["echo-1-0"]), &[]);
    let dir = tempfile::tempdir().unwrap();
    let (status, begun) = post(&up, "runs?wait=false", &json!({"workflow": blocking(&dir)}));
    assert_eq!((status, &begun["queued"]), (202, &json!(false)), "{begun}");
    let id = begun["runId"].as_str().unwrap();
    wait_for(&dir.path().join("began"));
    let mut answer = ureq::get(format!("{}/api/v1/runs/{id}/events", up.url()))
        .call()
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let events = BufReader::new(answer.body_mut().as_reader());
    fs::write(dir.path().join("until"), "").unwrap();
    let events: Vec<Json> = events
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?).ok())
        .collect();
    let told: Vec<_> = events
        .iter()
        .map(|event| (event["kind"].as_str().unwrap(), event["node"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("node.succeeded", Some("wait")),
            ("node.started", Some("then")),
            ("node.succeeded", Some("then")),
            ("run.ended", None),
        ]
    );
    // What has ended is not watched any more.
    let (status, problem) = get(&up, &format!("runs/{id}/events"));
    assert_eq!((status, &problem["code"]), (409, &json!("PB-RUN-013")));
    let late = up.run(&["runs", "watch", id]);
    assert!(late.code == 1 && late.err.contains("PB-RUN-013"), "{late:?}");
}

#[test]
fn a_run_whose_client_went_away_goes_on_and_can_be_cancelled() {
    let up = Up::start(with(&["echo-1-0"]), &[]);
    let dir = tempfile::tempdir().unwrap();
    let body = json!({"workflow": blocking(&dir)}).to_string();
    {
        // A client that asks, and goes without waiting for the answer.
        let address = up.url().strip_prefix("http://").unwrap().to_owned();
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        let head = format!(
            "POST /api/v1/runs HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        std::io::Write::write_all(&mut stream, format!("{head}{body}").as_bytes()).unwrap();
        wait_for(&dir.path().join("began"));
    }
    let running = up.run(&["runs", "--status", "running", "--json"]).json();
    let id = running["runs"][0]["runId"].as_str().unwrap().to_owned();
    let cancelled = up.run(&["runs", "cancel", &id]);
    assert_eq!(cancelled.code, 0, "{cancelled:?}");
    let shown = up.run_until(&["runs", "show", &id, "--json"], |run| run["status"] != "running");
    assert_eq!(shown["status"], "cancelled");
    let again = up.run(&["runs", "cancel", &id]);
    assert!(again.code == 1 && again.err.contains("PB-RUN-013"), "{again:?}");
}

#[test]
fn a_replay_is_the_same_or_says_where_it_is_not() {
    let up = Up::start(with(&["echo-1-0", "echo-1-1"]), &[]);
    let document = chain(
        "w",
        &[
            ("a", "fx.version", json!({})),
            ("b", "fx.echo", json!({"v": "{{ $steps.a.output.result }}"})),
        ],
    );
    let (_, record) = post(&up, "runs", &json!({"workflow": document}));
    let id = record["runId"].as_str().unwrap();
    let same = up.run(&["runs", "replay", id]);
    assert!(same.code == 0 && same.out.contains("the same as"), "{same:?}");

    let other = up.run(&["runs", "replay", id, "--version", "echo=1.0.0"]);
    assert_eq!(other.code, 1, "{other:?}");
    for part in ["/result", "1.1.0", "1.0.0", "/v"] {
        assert!(other.out.contains(part), "{part}: {other:?}");
    }
    let other = up.run(&[
        "runs",
        "replay",
        id,
        "--version",
        "echo=1.0.0",
        "--from",
        "b",
        "--json",
    ]);
    // Only what comes from `b` on is done again, and `a` said 1.1.0.
    assert_eq!(
        (other.code, &other.json()["same"]),
        (0, &json!(true)),
        "{other:?}"
    );
    let nowhere = up.run(&["runs", "replay", id, "--from", "nowhere"]);
    assert!(
        nowhere.code == 2 && nowhere.err.contains("PB-RUN-005"),
        "{nowhere:?}"
    );
}

#[test]
fn webhooks_and_schedules_of_a_directory_start_runs() {
    let workflows = tempfile::tempdir().unwrap();
    let mut hooked = chain(
        "hooked",
        &[
            ("in", "webhook", json!({"path": "greet", "httpMethod": "POST"})),
            (
                "a",
                "fx.echo",
                json!({"z": "{{ $json.name }}", "a": "{{ $json.$request.query.q }}"}),
            ),
        ],
    );
    hooked["active"] = json!(true);
    hooked["nodes"][0]["type"] = json!("trigger");
    let mut timed = chain(
        "timed",
        &[
            ("in", "schedule", json!({"cron": "* * * * * *"})),
            ("a", "fx.version", json!({})),
        ],
    );
    timed["active"] = json!(true);
    timed["nodes"][0]["type"] = json!("trigger");
    for (name, document) in [("hooked.json", &hooked), ("timed.json", &timed)] {
        fs::write(workflows.path().join(name), document.to_string()).unwrap();
    }
    fs::write(workflows.path().join("broken.json"), "{").unwrap();
    let dir = workflows.path().to_str().unwrap();
    let up = Up::start(with(&["echo-1-0"]), &["--workflows", dir]);

    let listed = up.run(&["workflows", "--json"]).json();
    let states: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["file"].as_str().unwrap(), one["valid"].as_bool().unwrap()))
        .collect();
    assert_eq!(
        states,
        [
            ("hooked.json", true),
            ("timed.json", true),
            ("broken.json", false)
        ],
        "{listed}"
    );
    let one = up.run(&["workflows", "hooked"]);
    assert!(one.code == 0 && one.out.contains("POST greet"), "{one:?}");

    let (status, answer) = post(&up, "hooks/greet?q=1", &json!({"name": "ada"}));
    assert_eq!((status, &answer["status"]), (200, &json!("success")), "{answer}");
    assert_eq!(answer["result"], json!({"z": "ada", "a": "1"}));
    let (status, problem) = get(&up, "hooks/greet");
    assert_eq!((status, &problem["code"]), (404, &json!("PB-RUN-016")));
    let (status, problem) = send(&up, "POST", "hooks/greet", b"{\"name\":");
    assert_eq!((status, &problem["code"]), (400, &json!("PB-RUN-005")));

    let (status, record) = post(&up, "workflows/hooked/runs", &json!({"input": {"name": "bob"}}));
    assert_eq!((status, &record["status"]), (200, &json!("success")), "{record}");

    let ran = up.run_until(
        &["runs", "--workflow", "timed", "--status", "success", "--json"],
        |list| !list["runs"].as_array().unwrap().is_empty(),
    );
    assert_eq!(ran["runs"][0]["trigger"], "schedule");
}

#[test]
fn hostile_requests_about_runs_are_answered_with_a_code_and_cost_nothing() {
    let up = Up::start(with(&["echo-1-0"]), &[]);
    let document = chain("w", &[("a", "fx.version", json!({}))]).to_string();
    let deep = format!(
        "{{\"workflow\": {document}, \"input\": {}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let cases: [(&str, &str, &str, u16, &str); 18] = [
        ("POST", "runs", "{\"workflow\": {", 400, "PB-HTTP-006"),
        ("POST", "runs", "7", 400, "PB-HTTP-006"),
        ("POST", "runs", "{}", 400, "PB-RUN-004"),
        ("POST", "runs", "{\"workflowId\": \"none\"}", 404, "PB-RUN-003"),
        ("POST", "runs", "{\"workflow\": 7}", 400, "PB-RUN-001"),
        (
            "POST",
            "runs",
            "{\"workflow\": {}, \"tenant\": 7}",
            400,
            "PB-HTTP-006",
        ),
        (
            "POST",
            "runs",
            "{\"workflow\": {}, \"surprise\": 7}",
            400,
            "PB-HTTP-006",
        ),
        ("POST", "runs?wait=perhaps", "{}", 400, "PB-HTTP-018"),
        ("POST", "runs", &deep, 400, "PB-RUN-005"),
        ("GET", "runs/r1", "", 404, "PB-RUN-002"),
        ("GET", "runs/%00", "", 400, "PB-HTTP-010"),
        ("GET", "runs?limit=-1", "", 400, "PB-HTTP-018"),
        ("GET", "runs?status=odd", "", 400, "PB-RUN-005"),
        ("GET", "runs?before=odd", "", 400, "PB-RUN-005"),
        ("GET", "runs/r1/events", "", 404, "PB-RUN-002"),
        ("POST", "runs/r1/cancel", "{}", 404, "PB-RUN-002"),
        ("POST", "runs/r1/replay", "{\"from\": 1}", 400, "PB-HTTP-006"),
        ("GET", "workflows/none", "", 404, "PB-RUN-003"),
    ];
    for (method, path, body, status, code) in cases {
        let (answered, problem) = send(&up, method, path, body.as_bytes());
        assert_eq!(
            (answered, problem["code"].as_str()),
            (status, Some(code)),
            "{method} {path}: {problem}"
        );
        assert!(problem["hint"].as_str().unwrap().len() > 5, "{problem}");
    }
    // A check refuses nothing: what it is given is what it finds something in.
    for body in [
        "",
        "{",
        "7",
        "{\"workflow\": {}}",
        "{\"workflow\": 1, \"nodes\": []}",
    ] {
        let (status, view) = send(&up, "POST", "workflows/validate", body.as_bytes());
        assert_eq!((status, &view["valid"]), (200, &json!(false)), "{body}: {view}");
        assert!(!view["findings"].as_array().unwrap().is_empty(), "{body}");
    }
    let (status, _) = post(
        &up,
        "workflows/validate",
        &json!({"workflow": serde_json::from_str::<Json>(&document).unwrap()}),
    );
    assert_eq!(status, 200);
    assert_eq!(
        post(
            &up,
            "runs",
            &json!({"workflow": serde_json::from_str::<Json>(&document).unwrap()})
        )
        .0,
        200
    );
}
