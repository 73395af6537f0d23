use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::*;

mod rollouts;

struct Ran {
    outcome: Outcome,
    out: String,
    err: String,
}

impl Ran {
    fn exit(&self) -> Exit {
        match &self.outcome {
            Outcome::Done(exit) => *exit,
            Outcome::Local(local) => panic!("left to the binary: {local:?}"),
        }
    }
}

fn ran(args: &[&str]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = std::iter::once("patchbay").chain(args.iter().copied());
    let outcome = run_on(args, &mut Streams::new(&mut out, &mut err, Layout::Pipe));
    Ran {
        outcome,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

/// A host that answers one request with `status` and `body`, and returns the request.
fn host(status: u16, kind: &'static str, body: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let request = request(&mut stream);
        answer(&mut stream, status, kind, body);
        request
    });
    (url, served)
}

/// Reads a whole request.
fn request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    let complete = |request: &[u8]| {
        let text = String::from_utf8_lossy(request).to_lowercase();
        let Some(end) = text.find("\r\n\r\n") else {
            return false;
        };
        let length = text
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next());
        let chunked = text.contains("transfer-encoding: chunked");
        let wanted = length.map_or(0, |length| length.parse::<usize>().unwrap());
        if chunked {
            text.ends_with("0\r\n\r\n")
        } else {
            request.len() >= end + 4 + wanted
        }
    };
    while !complete(&request) {
        let read = stream.read(&mut chunk).unwrap();
        assert!(
            read > 0,
            "the request ends early: {}",
            String::from_utf8_lossy(&request)
        );
        request.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8(request).unwrap()
}

fn answer(stream: &mut TcpStream, status: u16, kind: &str, body: &str) {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .unwrap();
}

const JSON: &str = "application/json";

#[test]
fn the_command_line_is_consistent() {
    command().debug_assert();
}

#[test]
fn commands_that_need_the_host_are_left_to_the_binary() {
    let up = ran(&[
        "up",
        "--config",
        "p.toml",
        "--plugins",
        "in",
        "--data",
        "var",
        "--listen",
        "127.0.0.1:0",
        "--dev",
        "--history-limit",
        "3",
        "--log",
        "debug",
    ]);
    let Outcome::Local(Local::Up(args)) = up.outcome else {
        panic!("{}", up.err)
    };
    assert_eq!(args.config.unwrap().to_str(), Some("p.toml"));
    assert_eq!(args.plugins.unwrap().to_str(), Some("in"));
    assert_eq!(args.data.unwrap().to_str(), Some("var"));
    assert_eq!(args.listen, Some("127.0.0.1:0".parse::<SocketAddr>().unwrap()));
    assert!(args.dev);
    assert_eq!(
        (args.history_limit, args.log.as_deref()),
        (Some(3), Some("debug"))
    );

    let plain = ran(&["up"]);
    let Outcome::Local(Local::Up(args)) = plain.outcome else {
        panic!("{}", plain.err)
    };
    assert_eq!((args.listen, args.config, args.dev), (None, None, false));

    assert!(matches!(
        ran(&["inspect", "a.so"]).outcome,
        Outcome::Local(Local::Inspect(InspectArgs { json: false, .. }))
    ));
    assert!(matches!(
        ran(&["check", "a.so", "--json"]).outcome,
        Outcome::Local(Local::Check(CheckArgs { json: true, .. }))
    ));
    for (name, subject) in [
        ("dispatch", BenchSubject::Dispatch),
        ("swap", BenchSubject::Swap),
        ("values", BenchSubject::Values),
        ("nodes", BenchSubject::Nodes),
        ("rollout", BenchSubject::Rollout),
        ("audit", BenchSubject::Audit),
        ("restart", BenchSubject::Restart),
    ] {
        let Outcome::Local(Local::Bench(args)) = ran(&["bench", name, "--quick"]).outcome else {
            panic!("{name}")
        };
        assert_eq!((args.subject, args.quick), (Some(subject), true));
    }
}

#[test]
fn help_goes_to_stdout_and_documents_the_exit_codes() {
    let help = ran(&["--help"]);
    assert_eq!(help.exit(), Exit::Success);
    assert!(help.err.is_empty());
    for line in [
        "Exit codes:",
        "  3  the host cannot be reached",
        "patchbay rollback string",
    ] {
        assert!(help.out.contains(line), "{line}: {}", help.out);
    }
    assert_eq!(
        ran(&["--version"]).out,
        format!("patchbay {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_usage_error_has_a_code_and_a_hint() {
    let cases: [&[&str]; 8] = [
        &["frobnicate"],
        &["call"],
        &["call", "not a node"],
        &["call", "a.b", "{}", "--timeout", "5"],
        &["promote", "string"],
        &["history", "../etc"],
        &["plugins", "string", "--rejected"],
        &["bench", "luck"],
    ];
    for args in cases {
        let refused = ran(args);
        assert_eq!(refused.exit(), Exit::Usage, "{args:?}");
        assert!(refused.out.is_empty(), "{args:?}");
        assert!(
            refused.err.starts_with("error[PB-CLI-001]: "),
            "{args:?}: {}",
            refused.err
        );
        assert!(refused.err.contains("\n\nhint: "), "{args:?}: {}", refused.err);
    }
    let refused = ran(&["call", "--json"]);
    let problem: patchbay_wire::ProblemView = serde_json::from_str(&refused.err).unwrap();
    assert_eq!(problem.code, "PB-CLI-001");
    assert_eq!(ran(&[]).exit(), Exit::Usage);
}

#[test]
fn without_a_host_the_hint_says_how_to_start_one() {
    // A port that was just free: bound, never listening, until the end of the test.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    for args in [
        ["plugins", "--url", &url],
        ["status", "--url", &url],
        ["nodes", "--url", &url],
    ] {
        let failed = ran(&args);
        assert_eq!(failed.exit(), Exit::Unreachable, "{}", failed.err);
        assert!(
            failed
                .err
                .starts_with("error[PB-CLI-006]: no host answers at http://127.0.0.1:"),
            "{}",
            failed.err
        );
        assert!(
            failed.err.contains("\n\nhint: start one with `patchbay up`"),
            "{}",
            failed.err
        );
    }
}

#[test]
fn a_host_whose_name_is_unknown_is_one_that_cannot_be_reached() {
    let failed = ran(&["plugins", "--url", "http://nonexistent.invalid"]);
    assert_eq!(failed.exit(), Exit::Unreachable);
    assert!(
        failed
            .err
            .starts_with("error[PB-CLI-006]: no host answers at http://nonexistent.invalid: "),
        "{}",
        failed.err
    );
    assert!(!failed.err.contains("io: "), "{}", failed.err);
}

#[test]
fn a_connection_that_breaks_is_told_from_one_that_never_was() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let closed = std::thread::spawn(move || drop(listener.accept().unwrap()));
    let failed = ran(&["status", "--url", &url]);
    closed.join().unwrap();
    assert!(failed.err.starts_with("error[PB-CLI-007]: "), "{}", failed.err);
}

#[test]
fn what_is_logged_is_a_level_or_a_level_for_each_target() {
    for good in ["info", "OFF", "info,patchbay::plugin=debug"] {
        let Outcome::Local(Local::Up(args)) = ran(&["up", "--log", good]).outcome else {
            panic!("{good}")
        };
        assert_eq!(args.log.as_deref(), Some(good));
    }
    for bad in ["verbose", "", "info,", "=debug", "patchbay=loud", "info,,warn"] {
        for command in ["up", "dev"] {
            let refused = ran(&[command, "--log", bad]);
            assert_eq!(refused.exit(), Exit::Usage, "{bad}");
            assert!(
                refused.err.contains("error, warn, info, debug, trace or off"),
                "{}",
                refused.err
            );
        }
    }
}

#[test]
fn a_change_of_trust_needs_a_reason() {
    for blank in ["", "  "] {
        let refused = ran(&["trust", "relax", "--data", "data", "--reason", blank]);
        assert_eq!(refused.exit(), Exit::Usage, "{}", refused.err);
    }
}

#[test]
fn a_call_prints_the_output_alone_and_everything_with_json() {
    const REPLY: &str =
        r#"{"output":{"text":"HI\u001b"},"plugin":"string","version":"1.2.0","revision":2,"micros":9}"#;
    let (url, served) = host(200, JSON, REPLY);
    let args = [
        "call",
        "string.upper",
        r#"{"text":"hi"}"#,
        "--tenant",
        "acme",
        "--timeout",
        "2s",
        "--url",
        &url,
    ];
    let called = ran(&args);
    assert_eq!(called.exit(), Exit::Success, "{}", called.err);
    assert_eq!(called.out, "{\n  \"text\": \"HI\\u001b\"\n}\n");
    let request = served.join().unwrap();
    assert!(
        request.starts_with("POST /api/v1/call/string.upper HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains(r#"{"input":{"text":"hi"},"tenant":"acme","timeoutMs":2000}"#),
        "{request}"
    );

    let (url, served) = host(200, JSON, REPLY);
    let called = ran(&["call", "string.upper", "--json", "--url", &url]);
    let reply: patchbay_wire::CallReply = serde_json::from_str(&called.out).unwrap();
    assert_eq!(reply.micros, 9);
    served.join().unwrap();
}

#[test]
fn the_hosts_refusal_is_printed_in_its_own_words() {
    const PROBLEM: &str =
        r#"{"code":"PB-REG-007","message":"`1.0.0` is quarantined","hint":"use --force","requestId":"r-1"}"#;
    for (status, exit) in [
        (409, Exit::No),
        (422, Exit::No),
        (404, Exit::Usage),
        (503, Exit::Unreachable),
        (500, Exit::Internal),
    ] {
        let (url, served) = host(status, JSON, PROBLEM);
        let refused = ran(&[
            "promote", "string", "1.0.0", "--reason", "why not", "--actor", "ann", "--url", &url,
        ]);
        assert_eq!(refused.exit(), exit, "{status}");
        assert_eq!(
            refused.err,
            "error[PB-REG-007]: `1.0.0` is quarantined\n\nhint: use --force\nrequest: r-1\n"
        );
        assert!(refused.out.is_empty());
        let request = served.join().unwrap();
        assert!(
            request.starts_with("POST /api/v1/plugins/string/promote HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(request.contains("x-patchbay-actor: ann\r\n"), "{request}");
        assert!(
            request.contains(r#"{"to":"1.0.0","reason":"why not","force":false}"#),
            "{request}"
        );
    }
}

#[test]
fn what_is_no_patchbay_host_is_named_as_such() {
    for (status, body) in [(200, "<html>"), (404, "not here"), (302, "")] {
        let (url, served) = host(status, "text/html", body);
        let failed = ran(&["nodes", "--json", "--url", &url]);
        assert_eq!(failed.exit(), Exit::Unreachable);
        let problem: patchbay_wire::ProblemView = serde_json::from_str(&failed.err).unwrap();
        assert_eq!(problem.code, "PB-CLI-008", "{problem:?}");
        served.join().unwrap();
    }
}

#[test]
fn events_are_followed_until_the_host_ends_them() {
    const EVENTS: &str = ": keep-alive\n\nevent: plugin.live\ndata: {\"sequence\":1,\"at\":0,\"kind\":\"plugin.live\",\
                          \"plugin\":\"string\",\"version\":\"1.2.0\",\"revision\":2,\"message\":\"live\",\"code\":null}\n\n\
                          event: lagged\ndata: {\"missed\":3}\n\n";
    let (url, served) = host(200, "text/event-stream", EVENTS);
    let followed = ran(&["events", "--url", &url]);
    assert_eq!(followed.exit(), Exit::Success, "{}", followed.err);
    assert_eq!(
        followed.out,
        "1970-01-01 00:00:00Z  plugin.live  string@1.2.0 (r2)  live\n"
    );
    served.join().unwrap();
}

const RUN: &str = r#"{"runId":"r1","workflowId":"w","workflow":"orders","digest":null,"tenant":"acme","status":"success","error":null,"result":{"z":1,"a":2},"state":{},"executionOrder":[],"variables":{},"metrics":{"nodesExecuted":0,"successNodes":0,"failedNodes":0,"retriedNodes":0,"totalRetries":0,"validationFailures":0,"recoveryAttempts":0,"recoverySuccesses":0},"startedAt":0,"duration":1.5,"trigger":"manual","parent":null,"warnings":[]}"#;

#[test]
fn workflows_without_an_address_are_left_to_the_binary() {
    let run = ran(&[
        "run",
        "w.json",
        "--input",
        "-",
        "--version",
        "string=1.2.0",
        "--version",
        "math=r3",
        "--timeout",
        "2s",
    ]);
    let Outcome::Local(Local::Run(args)) = run.outcome else {
        panic!("{:?}", run.outcome)
    };
    let versions: Vec<_> = args
        .versions
        .iter()
        .map(|(plugin, version)| format!("{plugin}={version}"))
        .collect();
    assert_eq!(versions, ["string=1.2.0", "math=r3"]);
    assert!(matches!(
        ran(&["validate", "w.json", "--strict"]).outcome,
        Outcome::Local(Local::Validate(_))
    ));
    for bad in [
        &["run"][..],
        &["run", "w.json", "--url", "http://localhost", "--plugins", "p"],
        &["run", "w.json", "--version", "string"],
        &["run", "w.json", "--timeout", "soon"],
        &["runs", "--since", "yesterday"],
        &["runs", "not an id"],
    ] {
        assert_eq!(ran(bad).exit(), Exit::Usage, "{bad:?}");
    }
}

#[test]
fn a_run_is_read_by_its_id_and_keeps_the_order_of_its_keys() {
    for arguments in [&["runs", "r1", "--json"][..], &["runs", "show", "r1", "--json"]] {
        let (url, served) = host(200, "application/json", RUN);
        let mut all = arguments.to_vec();
        all.extend(["--url", &url]);
        let ran = ran(&all);
        assert_eq!(ran.exit(), Exit::Success, "{}", ran.err);
        assert!(ran.out.contains("\"z\": 1,\n    \"a\": 2"), "{}", ran.out);
        assert!(served.join().unwrap().starts_with("GET /api/v1/runs/r1 "));
    }
    let (url, served) = host(200, "application/json", r#"{"runs":[],"next":"1-r1"}"#);
    let listed = ran(&["runs", "--status", "error", "--limit", "5", "--url", &url]);
    assert_eq!((listed.exit(), listed.out.as_str()), (Exit::Success, "no runs\n"));
    assert!(listed.err.contains("--before 1-r1"), "{}", listed.err);
    let request = served.join().unwrap();
    assert!(
        request.starts_with("GET /api/v1/runs?status=error&limit=5 "),
        "{request}"
    );
}

#[test]
fn a_replay_that_went_another_way_is_a_no() {
    for (same, exit) in [("true", Exit::Success), ("false", Exit::No)] {
        let body =
            format!(r#"{{"original":"r0","same":{same},"effectful":[],"differences":[],"run":{RUN}}}"#);
        let (url, served) = host(200, "application/json", body.leak());
        let ran = ran(&["runs", "replay", "r0", "--version", "string=1.0.0", "--url", &url]);
        assert_eq!(ran.exit(), exit, "{}", ran.err);
        let request = served.join().unwrap();
        assert!(
            request.contains("r0/replay ") && request.contains(r#"{"string":"1.0.0"}"#),
            "{request}"
        );
    }
}

#[test]
fn a_refused_document_is_printed_with_all_that_was_found() {
    let body = r#"{"code":"PB-RUN-001","message":"the workflow cannot be run","hint":"mend it","requestId":"1-1","findings":[
        {"code":"CYCLE","level":"error","path":"connections.b","message":"a circle","hint":"break it","node":"b"},
        {"code":"TIMEOUT_TOO_SHORT","level":"warning","path":"nodes[0].timeout","message":"short","hint":"more","node":"a"}]}"#;
    let (url, served) = host(400, "application/json", body);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{}").unwrap();
    let path = file.path().display().to_string();
    let ran = ran(&["validate", &path, "--url", &url]);
    assert_eq!(ran.exit(), Exit::Usage);
    for part in [
        "error[PB-RUN-001]",
        "error[CYCLE] at connections.b (node b)",
        "hint: break it",
        "warning[TIMEOUT_TOO_SHORT]",
    ] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    drop(served.join());
}

#[test]
fn a_run_on_another_host_is_followed_to_its_record() {
    let events: &'static str = format!(
        ": hello\n\nevent: begun\ndata: {{\"runId\":\"r1\",\"queued\":false}}\n\n\
         data: {{\"runId\":\"r1\",\"kind\":\"node.started\",\"node\":\"a\",\"millis\":null,\"code\":null,\"message\":\"\"}}\n\n\
         event: run\ndata: {RUN}\n\n"
    )
    .leak();
    let (url, served) = host(200, "text/event-stream", events);
    let asked = || Asked {
        document: "{}".into(),
        request: patchbay_wire::RunRequest::default(),
    };
    let mut begun = 0;
    let run = run_remotely(&url, asked(), &mut Progress::hidden(), |_| begun += 1).unwrap();
    assert_eq!((run.run_id.as_str(), begun), ("r1", 1));
    assert!(
        served
            .join()
            .unwrap()
            .to_lowercase()
            .contains("accept: text/event-stream")
    );

    // A host that goes away in the middle of it, and one that refuses at the end.
    let (url, served) = host(
        200,
        "text/event-stream",
        "event: begun\ndata: {\"runId\":\"r1\",\"queued\":true}\n\n",
    );
    let refused = run_remotely(&url, asked(), &mut Progress::hidden(), |_| {}).unwrap_err();
    assert_eq!(
        (refused.exit, refused.problem.code.as_str()),
        (Exit::Unreachable, "PB-CLI-007")
    );
    drop(served.join());
    let problem = "event: problem\ndata: {\"code\":\"PB-RUN-009\",\"message\":\"m\",\"hint\":\"h\"}\n\n";
    let (url, served) = host(200, "text/event-stream", problem);
    let refused = run_remotely(&url, asked(), &mut Progress::hidden(), |_| {}).unwrap_err();
    assert_eq!(refused.problem.code, "PB-RUN-009");
    drop(served.join());
}

/// A host that answers one request after another, and returns their first lines.
fn hosts(answers: Vec<(u16, String)>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let answered = answers.into_iter().map(|(status, body)| {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
            while !request.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut chunk).unwrap();
                assert!(read > 0, "the request ends early");
                request.extend_from_slice(&chunk[..read]);
            }
            let length = body.len();
            let head = "content-type: application/json\r\nconnection: close";
            write!(
                stream,
                "HTTP/1.1 {status} X\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .unwrap();
            String::from_utf8_lossy(&request)
                .lines()
                .next()
                .unwrap()
                .to_owned()
        });
        answered.collect()
    });
    (url, served)
}

fn node(name: &str, category: &str, tag: &str, description: &str) -> serde_json::Value {
    serde_json::json!({
        "nodeType": name, "plugin": category, "version": "1.0.0", "category": category, "description": description,
        "required": [], "parameters": {}, "result": {}, "aliases": [], "tags": [tag], "author": "", "icon": "",
        "experimental": false, "effect": "pure", "timeoutMs": null, "capabilities": [], "secrets": [],
        "isAsync": false, "stateful": false, "examples": [], "hostApi": "^1.3", "dependencies": []
    })
}

fn catalogue() -> String {
    serde_json::json!([
        node("list.sort", "list", "order", "Puts items in order."),
        node("string.lower", "string", "case", "Makes letters small."),
        node("string.upper", "string", "case", "Makes letters large."),
    ])
    .to_string()
}

#[test]
fn nodes_are_listed_by_category_and_by_words() {
    let listed = |arguments: &[&str]| {
        let (url, served) = hosts(vec![(200, catalogue())]);
        let mut all = vec!["nodes", "--url", &url];
        all.extend(arguments);
        let ran = ran(&all);
        assert_eq!(served.join().unwrap(), ["GET /api/v1/nodes HTTP/1.1"]);
        ran
    };
    let names = |ran: &Ran| {
        let rows = ran.out.lines().skip(1);
        rows.map(|row| row.split(' ').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let strings = listed(&["--category", "String"]);
    assert_eq!(
        (strings.exit(), names(&strings)),
        (Exit::Success, vec!["string.lower".into(), "string.upper".into()])
    );
    assert_eq!(names(&listed(&["--search", "large case"])), ["string.upper"]);
    let both = listed(&["--category", "string", "--search", "order"]);
    assert_eq!(
        (both.exit(), &*both.out),
        (Exit::Success, "no node has `order`\n")
    );
    let json = listed(&["--search", "sort", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json[0]["nodeType"], "list.sort");
    let none = listed(&["--category", "lists"]);
    assert_eq!((none.exit(), &*none.out), (Exit::Usage, ""));
    assert!(
        none.err
            .contains("error[PB-CLI-013]: no node is in the category `lists`"),
        "{}",
        none.err
    );
    assert!(
        none.err.contains("hint: there are: list (1), string (2)"),
        "{}",
        none.err
    );
}

#[test]
fn a_manual_page_names_related_nodes_and_an_unknown_name_is_answered_with_near_ones() {
    let upper = node("string.upper", "string", "case", "Makes letters large.").to_string();
    let (url, served) = hosts(vec![(200, upper.clone()), (200, catalogue())]);
    let page = ran(&["nodes", "string.upper", "--url", &url]);
    assert_eq!(page.exit(), Exit::Success);
    assert!(
        page.out
            .starts_with("NAME\n    string.upper - Makes letters large\n"),
        "{}",
        page.out
    );
    assert!(page.out.ends_with("SEE ALSO\n    string.lower\n"), "{}", page.out);
    assert_eq!(
        served.join().unwrap(),
        [
            "GET /api/v1/nodes/string.upper HTTP/1.1",
            "GET /api/v1/nodes HTTP/1.1"
        ]
    );
    // A host that cannot list its nodes can show one all the same.
    let (url, _) = hosts(vec![(200, upper), (503, "{}".into())]);
    assert!(
        ran(&["nodes", "string.upper", "--url", &url])
            .out
            .ends_with("contract: ^1.3\n")
    );

    let unknown = |hint: &str| {
        serde_json::json!({"code": "PB-CALL-001", "message": "no node", "hint": hint}).to_string()
    };
    let (url, _) = hosts(vec![(404, unknown("see `patchbay nodes`")), (200, catalogue())]);
    let refused = ran(&["nodes", "text.upper", "--url", &url]);
    assert_eq!(refused.exit(), Exit::Usage);
    assert!(
        refused
            .err
            .contains("hint: did you mean one of these? string.upper"),
        "{}",
        refused.err
    );
    let (url, _) = hosts(vec![(404, unknown("did you mean `a.b`?")), (200, catalogue())]);
    let refused = ran(&["nodes", "text.upper", "--url", &url]);
    assert!(
        refused.err.contains("hint: did you mean `a.b`?\n"),
        "the host knows best: {}",
        refused.err
    );
}
