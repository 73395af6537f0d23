use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use patchbay_vocab::{RevisionNumber, UnixMillis};
use patchbay_wire::{ProblemView, RevisionRef};
use serde_json::json;

use super::*;
use crate::Layout;

/// What a host does with one request.
enum Answer {
    View(Box<RolloutView>),
    Problem(u16),
    Hangup,
}

/// A host that answers one request after another, and returns their first lines.
fn host(answers: Vec<Answer>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let mut lines = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
            while !request.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut chunk).unwrap();
                assert!(read > 0, "the request ends early");
                request.extend_from_slice(&chunk[..read]);
            }
            lines.push(
                String::from_utf8_lossy(&request)
                    .lines()
                    .next()
                    .unwrap()
                    .to_owned(),
            );
            let (status, body) = match answer {
                Answer::View(view) => (200, serde_json::to_string(&view).unwrap()),
                Answer::Problem(status) => {
                    let problem = ProblemView::new(patchbay_vocab::Code("PB-X-001"), "no", "wait");
                    (status, serde_json::to_string(&problem).unwrap())
                }
                Answer::Hangup => continue,
            };
            let length = body.len();
            let head = "content-type: application/json\r\nconnection: close";
            write!(
                stream,
                "HTTP/1.1 {status} X\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .unwrap();
        }
        lines
    });
    (url, served)
}

fn view(phase: &str, step: Option<u32>, at: u64) -> RolloutView {
    let named = |number, version: &str| RevisionRef {
        revision: RevisionNumber(number),
        version: version.parse().unwrap(),
    };
    RolloutView {
        id: "r-string-3".into(),
        plugin: "string".parse().unwrap(),
        from: Some(named(1, "1.1.0")),
        to: named(2, "1.2.0"),
        policy: json!("immediate"),
        phase: phase.into(),
        finished: matches!(phase, "promoted" | "aborted" | "failed"),
        message: format!("{at} ms"),
        step,
        steps: 2,
        weight: step.map_or(100.0, |step| f64::from(step) * 25.0),
        left_out: Vec::new(),
        started_at: UnixMillis(0),
        changed_at: UnixMillis(at),
        next_at: None,
        actor: "ann".into(),
        reason: String::new(),
        evidence: Vec::new(),
        changed: false,
    }
}

fn evidence(at: u64) -> EvidenceView {
    EvidenceView {
        at: UnixMillis(at),
        kind: "check".into(),
        body: json!({"verdict": format!("passed {at}")}),
    }
}

struct Followed {
    exit: Exit,
    out: String,
    err: String,
    pauses: usize,
    asked: Vec<String>,
}

fn followed(answers: Vec<Answer>, format: Format) -> Followed {
    let (url, served) = host(answers);
    let client = Client::new(&url, Duration::ZERO).unwrap();
    let (mut out, mut err, mut pauses) = (Vec::new(), Vec::new(), 0);
    let exit = follow(
        vec![Watch::named("r-string-3".into())],
        &client,
        format,
        &mut Streams::new(&mut out, &mut err, Layout::Pipe),
        &mut || pauses += 1,
    );
    Followed {
        exit,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
        pauses,
        asked: served.join().unwrap(),
    }
}

fn seen(view: RolloutView) -> Answer {
    Answer::View(Box::new(view))
}

#[test]
fn every_change_is_one_line_until_the_version_is_live() {
    let mut checked = view("stepping", Some(1), 0);
    checked.evidence = vec![evidence(5)];
    let mut baking = view("baking", None, 9_000);
    baking.evidence = vec![evidence(5), evidence(6)];
    let mut same = view("stepping", Some(1), 0);
    same.message = "another second".into();
    let shown = followed(
        vec![
            seen(view("stepping", Some(1), 0)),
            seen(same),
            seen(checked),
            seen(baking.clone()),
            seen(RolloutView {
                phase: "promoted".into(),
                finished: true,
                ..baking
            }),
        ],
        Format::Human,
    );
    assert_eq!(shown.exit, Exit::Success);
    assert_eq!(
        shown.out,
        "\
1970-01-01 00:00:00Z  r-string-3  1.1.0 (r1) -> 1.2.0 (r2)  stepping step 1/2  25 %  0 ms
1970-01-01 00:00:00Z    check: passed 5
1970-01-01 00:00:00Z  r-string-3  1.1.0 (r1) -> 1.2.0 (r2)  stepping step 1/2  25 %  0 ms
1970-01-01 00:00:00Z    check: passed 6
1970-01-01 00:00:09Z  r-string-3  1.1.0 (r1) -> 1.2.0 (r2)  baking  100 %  9000 ms
1970-01-01 00:00:09Z  r-string-3  1.1.0 (r1) -> 1.2.0 (r2)  promoted  100 %  9000 ms
"
    );
    assert_eq!(shown.pauses, 4);
    assert_eq!(shown.asked[0], "GET /api/v1/rollouts/r-string-3 HTTP/1.1");
    assert!(shown.err.is_empty(), "{}", shown.err);
}

#[test]
fn with_json_every_change_is_one_line_of_json() {
    let shown = followed(
        vec![
            seen(view("stepping", Some(1), 0)),
            seen(view("stepping", Some(1), 0)),
            seen(view("failed", None, 3)),
        ],
        Format::Json,
    );
    let phases: Vec<_> = shown
        .out
        .lines()
        .map(|line| serde_json::from_str::<RolloutView>(line).unwrap().phase)
        .collect();
    assert_eq!(phases, ["stepping", "failed"]);
    assert_eq!(shown.exit, Exit::No);
}

#[test]
fn a_rollout_that_did_not_bring_its_version_live_is_a_no() {
    for (phase, exit) in [
        ("promoted", Exit::Success),
        ("failed", Exit::No),
        ("aborted", Exit::No),
    ] {
        assert_eq!(
            followed(vec![seen(view(phase, None, 0))], Format::Human).exit,
            exit,
            "{phase}"
        );
    }
}

#[test]
fn a_host_that_restarts_is_waited_for_and_mentioned_once() {
    let shown = followed(
        vec![
            seen(view("stepping", Some(1), 0)),
            Answer::Hangup,
            Answer::Problem(503),
            Answer::Hangup,
            seen(view("promoted", None, 1)),
        ],
        Format::Human,
    );
    assert_eq!(shown.exit, Exit::Success);
    assert_eq!(shown.err.matches("waiting for it").count(), 1, "{}", shown.err);
    assert_eq!(shown.out.lines().count(), 2, "{}", shown.out);
}

#[test]
fn a_host_that_does_not_come_back_is_not_waited_for_for_ever() {
    let answers = (0..=MOST_MISSED).map(|_| Answer::Hangup).collect();
    let shown = followed(answers, Format::Human);
    assert_eq!(
        (shown.exit, shown.pauses),
        (Exit::Unreachable, MOST_MISSED as usize)
    );
    assert!(shown.err.contains("error[PB-CLI-007]"), "{}", shown.err);
}

#[test]
fn a_refusal_ends_it_at_once() {
    let shown = followed(vec![Answer::Problem(404)], Format::Json);
    assert_eq!((shown.exit, shown.pauses), (Exit::Usage, 0));
    assert!(shown.err.contains("PB-X-001"), "{}", shown.err);
}

#[test]
fn several_are_followed_until_the_last_has_ended() {
    let other = |phase: &str| RolloutView {
        id: "r-math-1".into(),
        ..view(phase, None, 0)
    };
    let (url, served) = host(vec![
        seen(view("promoted", None, 0)),
        seen(other("baking")),
        seen(other("aborted")),
    ]);
    let client = Client::new(&url, Duration::ZERO).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = follow(
        vec![Watch::named("r-string-3".into()), Watch::named("r-math-1".into())],
        &client,
        Format::Human,
        &mut Streams::new(&mut out, &mut err, Layout::Pipe),
        &mut || {},
    );
    assert_eq!(exit, Exit::No, "one of them was aborted");
    assert_eq!(
        served.join().unwrap(),
        [
            "GET /api/v1/rollouts/r-string-3 HTTP/1.1",
            "GET /api/v1/rollouts/r-math-1 HTTP/1.1",
            "GET /api/v1/rollouts/r-math-1 HTTP/1.1"
        ]
    );
}

#[test]
fn evidence_that_a_host_has_cut_at_its_beginning_is_not_shown_twice() {
    let all: Vec<_> = (1..=4).map(evidence).collect();
    assert_eq!(since(&[], &all), &all[..]);
    assert_eq!(since(&all[..2], &all[1..]), &all[2..]);
    assert_eq!(since(&all, &all), &[]);
    assert_eq!(since(&[evidence(9)], &all), &all[..], "nothing of it is known");
}
