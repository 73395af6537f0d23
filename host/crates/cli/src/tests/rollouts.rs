use patchbay_wire::ProblemView;
use serde_json::{Value, json};

use super::*;

/// What a host does with one request; nothing is to hang up.
type Answer = Option<(u16, String)>;

/// A host that answers one request after another, and returns them.
fn serving(answers: Vec<Answer>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let served = answers.into_iter().map(|given| {
            let (mut stream, _) = listener.accept().unwrap();
            let request = request(&mut stream);
            if let Some((status, body)) = given {
                answer(&mut stream, status, JSON, &body);
            }
            request
        });
        served.collect()
    });
    (url, served)
}

/// Runs a command against a host that answers like this, and returns the one request with it.
fn asked(status: u16, body: &Value, arguments: &[&str]) -> (Ran, String) {
    let (url, served) = serving(vec![Some((status, body.to_string()))]);
    let ran = ran(&[arguments, &["--url", &url]].concat());
    let mut requests = served.join().unwrap();
    assert_eq!(requests.len(), 1);
    (ran, requests.remove(0))
}

/// The body of a request.
fn sent(request: &str) -> Value {
    let body = request.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {request}"))
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = request.lines().take_while(|line| !line.is_empty());
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn rollout(phase: &str) -> Value {
    let finished = ["promoted", "aborted", "failed"].contains(&phase);
    json!({
        "id": "r-string-3", "plugin": "string", "from": {"revision": 1, "version": "1.1.0"},
        "to": {"revision": 2, "version": "1.2.0"}, "policy": "immediate", "phase": phase,
        "finished": finished, "message": "as ordered", "step": null, "steps": 0,
        "weight": 5.0, "leftOut": [], "startedAt": 0, "changedAt": 0, "nextAt": null, "actor": "ann", "reason": "",
        "evidence": [], "changed": true
    })
}

fn plan(allowed: bool) -> Value {
    let refusal = json!({"code": "PB-REG-004", "message": "no", "hint": "do", "requestId": null});
    json!({
        "plugin": "string", "from": null, "to": {"revision": 2, "version": "1.2.0"}, "policy": "immediate", "steps": [],
        "allowed": allowed, "refusal": if allowed { Value::Null } else { refusal }, "tenants": [], "workflows": [],
        "dependents": [], "pins": [], "changes": [], "leftOut": []
    })
}

const SWAP: &str = r#"{"plugin":"string","from":null,"to":null,"generation":2,"micros":null,"state":null}"#;

#[test]
fn a_plan_asks_with_the_policy_and_is_a_no_when_it_is_refused() {
    for (allowed, exit) in [(true, Exit::Success), (false, Exit::No)] {
        let arguments = [
            "rollout", "plan", "string", "1.2.0", "--canary", "5,25", "--force",
        ];
        let (ran, request) = asked(200, &plan(allowed), &arguments);
        assert_eq!(ran.exit(), exit, "{}", ran.err);
        assert!(
            request.starts_with("POST /api/v1/plugins/string/rollout/plan HTTP/1.1\r\n"),
            "{request}"
        );
        assert_eq!(
            sent(&request),
            json!({"to": "1.2.0", "policy": {"canary": {"steps": [5, 25]}}, "reason": null, "force": true})
        );
        let (json, _) = asked(
            200,
            &plan(allowed),
            &["rollout", "plan", "string", "r2", "--json"],
        );
        let view: patchbay_wire::RolloutPlanView = serde_json::from_str(&json.out).unwrap();
        assert_eq!((view.allowed, json.exit()), (allowed, exit));
    }
}

#[test]
fn a_start_sends_policy_reason_actor_and_key() {
    let arguments = [
        "rollout",
        "start",
        "string",
        "r2",
        "--immediate",
        "--reason",
        "why",
        "--actor",
        "ann",
        "--key",
        "job 17",
    ];
    let (ran, request) = asked(200, &rollout("baking"), &arguments);
    assert_eq!(ran.exit(), Exit::Success, "{}", ran.err);
    assert_eq!(
        ran.out,
        "r-string-3  1.1.0 (r1) -> 1.2.0 (r2)  baking  5 %  as ordered\n"
    );
    assert!(
        ran.err.contains("patchbay rollout status string --watch"),
        "{}",
        ran.err
    );
    assert!(
        request.starts_with("POST /api/v1/plugins/string/rollout HTTP/1.1\r\n"),
        "{request}"
    );
    assert_eq!(header(&request, "x-patchbay-actor"), Some("ann"));
    assert_eq!(header(&request, "idempotency-key"), Some("job 17"));
    assert_eq!(
        sent(&request),
        json!({"to": "r2", "policy": "immediate", "reason": "why", "force": false})
    );
    // Without policy arguments it is the plugin's own.
    let (_, request) = asked(200, &rollout("baking"), &["rollout", "start", "string", "r2"]);
    assert_eq!(sent(&request)["policy"], Value::Null);
    assert_eq!(
        asked(200, &rollout("failed"), &["rollout", "start", "string", "r2"])
            .0
            .exit(),
        Exit::No
    );
}

#[test]
fn a_start_that_is_watched_ends_as_the_rollout_does() {
    for (end, exit) in [("promoted", Exit::Success), ("aborted", Exit::No)] {
        let (url, served) = serving(vec![Some((200, rollout(end).to_string()))]);
        let ran = ran(&[
            "rollout", "start", "string", "r2", "--watch", "--json", "--url", &url,
        ]);
        assert_eq!(ran.exit(), exit, "{}", ran.err);
        let lines: Vec<Value> = ran
            .out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["phase"], end);
        drop(served.join());
    }
}

#[test]
fn the_status_is_that_of_the_running_ones_of_all_or_of_one() {
    let cases: [(&[&str], &str, Value); 5] = [
        (&[], "rollouts", json!([rollout("baking")])),
        (&["--all"], "rollouts?all=true", json!([])),
        (&["string", "--all"], "rollouts?plugin=string&all=true", json!([])),
        (&["r-string-3"], "rollouts/r-string-3", rollout("baking")),
        (&["string", "--watch"], "rollouts/string", rollout("promoted")),
    ];
    for (arguments, path, body) in cases {
        let watched = arguments.contains(&"--watch");
        let answers = (0..=usize::from(watched))
            .map(|_| Some((200, body.to_string())))
            .collect();
        let (url, served) = serving(answers);
        let ran = ran(&[&["rollout", "status"], arguments, &["--url", &url]].concat());
        assert_eq!(ran.exit(), Exit::Success, "{}", ran.err);
        let requests = served.join().unwrap();
        assert!(
            requests[0].starts_with(&format!("GET /api/v1/{path} HTTP/1.1\r\n")),
            "{}",
            requests[0]
        );
        if watched {
            assert!(
                requests[1].starts_with("GET /api/v1/rollouts/r-string-3 "),
                "{}",
                requests[1]
            );
        }
    }
    let (idle, _) = asked(200, &json!([]), &["rollout", "status", "--watch"]);
    assert_eq!((idle.exit(), idle.out.as_str()), (Exit::Success, ""));
    assert!(idle.err.contains("no rollout runs"), "{}", idle.err);
    for bad in [
        &["rollout", "status", "../x"][..],
        &["rollout", "status", "--all", "--watch"],
        &["rollout"],
    ] {
        assert_eq!(ran(bad).exit(), Exit::Usage, "{bad:?}");
    }
}

#[test]
fn a_rollout_is_steered_by_orders() {
    for verb in ["pause", "resume", "abort", "promote"] {
        let (ran, request) = asked(
            200,
            &rollout("paused"),
            &["rollout", verb, "string", "--reason", "why"],
        );
        assert_eq!(ran.exit(), Exit::Success, "{}", ran.err);
        assert!(
            request.starts_with(&format!("POST /api/v1/plugins/string/rollout/{verb} ")),
            "{request}"
        );
        assert_eq!(sent(&request), json!({"reason": "why", "full": false}));
        assert!(header(&request, "idempotency-key").is_some(), "{request}");
    }
    let (_, request) = asked(
        200,
        &rollout("promoted"),
        &["rollout", "promote", "string", "--full"],
    );
    assert_eq!(sent(&request), json!({"reason": null, "full": true}));
}

#[test]
fn a_policy_is_shown_set_and_cleared() {
    let view = json!({"plugin": "string", "policy": "manual", "source": "api"});
    let (ran, request) = asked(200, &view, &["rollout", "policy", "string"]);
    assert_eq!(ran.out, "string (set by an order):\n  \"manual\"\n");
    assert!(
        request.starts_with("GET /api/v1/plugins/string/policy "),
        "{request}"
    );
    let (_, request) = asked(
        200,
        &view,
        &["rollout", "policy", "string", "--set", "{\"canary\": {}}"],
    );
    assert!(
        request.starts_with("PUT /api/v1/plugins/string/policy "),
        "{request}"
    );
    assert_eq!(sent(&request), json!({"policy": {"canary": {}}, "reason": null}));
    let (_, request) = asked(
        200,
        &view,
        &["rollout", "policy", "string", "--clear", "--reason", "over"],
    );
    assert_eq!(sent(&request), json!({"policy": null, "reason": "over"}));
    for bad in [
        &["rollout", "policy", "string", "--set", "[1]"][..],
        &["rollout", "policy", "string", "--set", "manual", "--clear"],
    ] {
        assert_eq!(super::ran(bad).exit(), Exit::Usage, "{bad:?}");
    }
}

#[test]
fn somebody_is_pinned_and_let_go() {
    let pinned = json!({"pin": null, "before": null, "changed": false});
    let scope = ["--tenant", "acme", "--workflow", "order by hand"];
    let (ran, request) = asked(200, &pinned, &[&["pin", "string", "1.1.0"][..], &scope].concat());
    assert_eq!(ran.exit(), Exit::Success, "{}", ran.err);
    assert!(
        request.starts_with("POST /api/v1/plugins/string/pin "),
        "{request}"
    );
    assert_eq!(
        sent(&request),
        json!({"to": "1.1.0", "tenant": "acme", "workflow": "order by hand", "reason": null})
    );
    let (ran, request) = asked(200, &pinned, &["unpin", "string"]);
    assert_eq!(ran.out, "string: everybody was not pinned\n");
    assert!(
        request.starts_with("POST /api/v1/plugins/string/unpin "),
        "{request}"
    );
    assert_eq!(
        sent(&request),
        json!({"to": null, "tenant": null, "workflow": null, "reason": null})
    );
    let (_, request) = asked(200, &json!([]), &["pins", "string"]);
    assert!(
        request.starts_with("GET /api/v1/pins?plugin=string "),
        "{request}"
    );
}

#[test]
fn an_order_whose_answer_is_lost_is_sent_once_more_under_the_same_key() {
    let (url, served) = serving(vec![None, Some((200, SWAP.into()))]);
    let swapped = ran(&["rollback", "string", "--url", &url]);
    assert_eq!(swapped.exit(), Exit::Success, "{}", swapped.err);
    let requests = served.join().unwrap();
    let keys: Vec<_> = requests
        .iter()
        .map(|request| header(request, "idempotency-key"))
        .collect();
    assert!(keys[0].is_some_and(|key| key.len() == 32), "{keys:?}");
    assert_eq!(keys[0], keys[1]);
    assert_eq!(sent(&requests[0]), sent(&requests[1]));

    // Another command is another order.
    let (url, served) = serving(vec![Some((200, SWAP.into()))]);
    ran(&["promote", "string", "r2", "--url", &url]);
    let other = served.join().unwrap();
    assert_ne!(header(&other[0], "idempotency-key"), keys[0]);
}

#[test]
fn an_order_that_is_lost_twice_is_given_up_and_says_how_to_repeat_it() {
    let (url, served) = serving(vec![None, None]);
    let lost = ran(&["quarantine", "string", "--key", "job-17", "--json", "--url", &url]);
    assert_eq!(lost.exit(), Exit::Unreachable);
    let problem: ProblemView = serde_json::from_str(&lost.err).unwrap();
    assert_eq!(problem.code, "PB-CLI-007");
    assert!(problem.hint.contains("--key 'job-17'"), "{}", problem.hint);
    assert_eq!(served.join().unwrap().len(), 2);
}

#[test]
fn what_a_host_refuses_is_not_sent_again() {
    let refusal = json!({"code": "PB-REG-007", "message": "quarantined", "hint": "use --force"});
    let (refused, _) = asked(503, &refusal, &["promote", "string", "r2"]);
    assert_eq!(refused.exit(), Exit::Unreachable);
    assert_eq!(
        ran(&["promote", "string", "r2", "--key", " "]).exit(),
        Exit::Usage
    );
}

fn record(seq: u64) -> Value {
    json!({
        "seq": seq, "at": 0, "actor": "ann", "action": "pin.set", "plugin": "string", "revision": null, "tenant": null,
        "workflow": null, "reason": "a\u{202e}b", "key": null, "detail": {}, "prev": "", "hash": ""
    })
}

#[test]
fn the_audit_is_listed_and_says_how_to_go_on() {
    for list in [&["audit"][..], &["audit", "list"]] {
        let arguments = [
            list,
            &[
                "--plugin", "string", "--actor", "a b", "--after", "4", "--limit", "2",
            ],
        ]
        .concat();
        let (ran, request) = asked(200, &json!([record(5), record(6)]), &arguments);
        assert_eq!(ran.exit(), Exit::Success, "{}", ran.err);
        assert!(
            request.starts_with("GET /api/v1/audit?after=4&limit=2&plugin=string&actor=a%20b "),
            "{request}"
        );
        assert_eq!(ran.out.lines().count(), 3, "{}", ran.out);
        assert!(ran.err.contains("--after 6"), "{}", ran.err);
    }
    let (last, request) = asked(200, &json!([record(5)]), &["audit"]);
    assert!(request.starts_with("GET /api/v1/audit?limit=100 "), "{request}");
    assert!(last.err.is_empty(), "{}", last.err);
    let (full, _) = asked(200, &json!([record(5)]), &["audit", "--limit", "1"]);
    assert!(full.err.contains("--after 0"), "{}", full.err);
}

#[test]
fn an_audit_that_is_not_whole_is_a_no() {
    let head = "ab".repeat(32);
    for (intact, exit) in [(true, Exit::Success), (false, Exit::No)] {
        let view = json!({"intact": intact, "records": 3, "head": head, "brokenAt": null, "message": "the end is missing"});
        let (ran, request) = asked(200, &view, &["audit", "verify", "--head", &head]);
        assert_eq!(ran.exit(), exit, "{}", ran.err);
        assert!(
            request.starts_with(&format!("GET /api/v1/audit/verify?head={head} ")),
            "{request}"
        );
    }
    assert_eq!(ran(&["audit", "verify", "--head", "ab"]).exit(), Exit::Usage);
}

#[test]
fn an_export_is_written_line_by_line_and_acts_on_no_terminal() {
    let lines = format!("{}\n{}\n", record(1), record(2));
    let (url, served) = host(200, "application/jsonl", lines.leak());
    let export = ran(&["audit", "export", "--after", "0", "--url", &url]);
    assert_eq!(export.exit(), Exit::Success, "{}", export.err);
    assert!(
        served
            .join()
            .unwrap()
            .starts_with("GET /api/v1/audit/export?after=0 ")
    );
    let read: Vec<Value> = export
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read, [record(1), record(2)]);
    assert!(!export.out.contains('\u{202e}'));

    // One that ends in the middle of a record is no export.
    let (url, served) = host(200, "application/jsonl", "{\"seq\":1}\n{\"seq\":");
    let cut = ran(&["audit", "export", "--url", &url]);
    assert_eq!(
        (cut.exit(), cut.out.as_str()),
        (Exit::Unreachable, "{\"seq\":1}\n")
    );
    drop(served.join());
}

#[test]
fn what_needs_no_host_is_left_to_the_binary() {
    let verify = |arguments: &[&str]| {
        let ran = ran(&[&["audit", "verify"], arguments].concat());
        let Outcome::Local(Local::VerifyAudit(args)) = ran.outcome else {
            panic!("{arguments:?}: {:?} {}", ran.outcome, ran.err)
        };
        args
    };
    assert_eq!(verify(&["--data", "var"]).source, AuditSource::Data("var".into()));
    let file = verify(&["--file", "-", "--json", "--head", &"0".repeat(64)]);
    assert_eq!(file.source, AuditSource::File("-".into()));
    assert_eq!((file.json, file.head), (true, Some("0".repeat(64))));
    assert_eq!(
        ran(&["audit", "verify", "--data", "a", "--file", "b"]).exit(),
        Exit::Usage
    );
    let Outcome::Local(Local::Doctor(args)) = ran(&["doctor"]).outcome else {
        panic!("doctor")
    };
    assert_eq!(
        (args.data.to_str(), args.repair, args.json),
        (Some("data"), false, false)
    );
    let Outcome::Local(Local::Up(args)) = ran(&["up", "--safe-mode"]).outcome else {
        panic!("up")
    };
    assert!(args.safe_mode);
}

#[test]
fn a_collection_can_be_tried() {
    let view = json!({"dryRun": true, "bytesBefore": 10, "bytesFreed": 0, "removed": [], "kept": []});
    let (ran, request) = asked(200, &view, &["gc", "--dry-run", "--reason", "full"]);
    assert_eq!(
        ran.out,
        "0 B of 10 B would be removed: 0 artifacts; 0 would stay\n"
    );
    assert!(request.starts_with("POST /api/v1/gc?dryRun=true "), "{request}");
    assert_eq!(sent(&request), json!({"reason": "full"}));
    let (_, request) = asked(200, &view, &["gc"]);
    assert!(request.starts_with("POST /api/v1/gc "), "{request}");
    assert!(header(&request, "idempotency-key").is_some(), "{request}");
}

#[test]
fn every_new_command_has_examples_in_its_help() {
    for command in [
        &["rollout", "plan"][..],
        &["rollout", "start"],
        &["rollout", "status"],
        &["rollout", "pause"],
        &["rollout", "promote"],
        &["rollout", "policy"],
        &["pin"],
        &["unpin"],
        &["pins"],
        &["audit"],
        &["audit", "verify"],
        &["audit", "export"],
        &["gc"],
        &["doctor"],
    ] {
        let help = ran(&[command, &["--help"]].concat());
        assert_eq!(help.exit(), Exit::Success);
        assert!(help.out.contains("Example"), "{command:?}: {}", help.out);
        assert!(
            help.out.contains(&format!("  patchbay {}", command.join(" "))),
            "{command:?}"
        );
        assert!(help.out.contains("--json"), "{command:?}: {}", help.out);
    }
}
