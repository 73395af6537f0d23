use patchbay_vocab::{Code, Digest, PluginName, RevisionNumber, UnixMillis};
use patchbay_wire::{
    ArtifactView, AuditVerifiedView, AuditView, CollectedView, DependentView, DoctorFindingView,
    DoctorRepairView, DoctorView, EvidenceView, LeftOutView, PinRequest, PinView, PinnedView, PolicyView,
    ProblemView, RevisionRef, RolloutPlanView, RolloutView, SchemaChangeView, TouchedWorkflowView,
    WorkflowFindingView,
};
use serde_json::json;

use super::*;

/// A text as a hostile plugin or server would write it, and what may come of it.
const HOSTILE: &str = "a\u{1b}[2Jb\nc";

fn named(number: u64, version: &str) -> RevisionRef {
    RevisionRef {
        revision: RevisionNumber(number),
        version: version.parse().unwrap(),
    }
}

fn view() -> RolloutView {
    RolloutView {
        id: "r-string-3".into(),
        plugin: "string".parse().unwrap(),
        from: Some(named(1, "1.1.0")),
        to: named(2, "1.2.0"),
        policy: json!({"canary": {"steps": [2.5, 25], "sticky": "tenant"}}),
        phase: "stepping".into(),
        finished: false,
        message: "waits for calls".into(),
        step: Some(1),
        steps: 3,
        weight: 2.5,
        left_out: vec![LeftOutView {
            node_type: "string.post".parse().unwrap(),
            why: "it is effectful".into(),
        }],
        started_at: UnixMillis(0),
        changed_at: UnixMillis(1_000),
        next_at: Some(UnixMillis(61_000)),
        actor: "cli:ann".into(),
        reason: "the new parser".into(),
        evidence: vec![
            EvidenceView {
                at: UnixMillis(1_000),
                kind: "check".into(),
                body: json!({"verdict": "fail", "findings": [
                    {"metric": "errorRate", "stable": 0.010_000_1, "candidate": 0.2, "limit": 0.02, "verdict": "fail"},
                    {"metric": "panics", "candidate": 0, "stable": null}
                ]}),
            },
            EvidenceView {
                at: UnixMillis(2_000),
                kind: "other\u{1b}".into(),
                body: json!({"b": HOSTILE}),
            },
        ],
        changed: true,
    }
}

#[test]
fn rollouts_are_listed_with_where_they_stand_and_when_they_go_on() {
    assert_eq!(
        rollouts(&[view()], Layout::Pipe),
        "\
ROLLOUT     PLUGIN  VERSIONS                  PHASE     STEP  WEIGHT  BEGAN                 BY       GOES ON               MESSAGE
r-string-3  string  1.1.0 (r1) -> 1.2.0 (r2)  stepping  1/3   2.5 %   1970-01-01 00:00:00Z  cli:ann  1970-01-01 00:01:01Z  waits for calls
"
    );
    assert_eq!(rollouts(&[], Layout::Pipe), "no rollouts\n");
}

#[test]
fn one_rollout_shows_its_policy_and_what_was_seen() {
    assert_eq!(
        rollout(&view(), Layout::Pipe),
        "\
rollout:  r-string-3
plugin:   string
versions: 1.1.0 (r1) -> 1.2.0 (r2)
policy:   canary: steps 2.5 25, sticky tenant
phase:    stepping
step:     1/3
weight:   2.5 %
message:  waits for calls
began:    1970-01-01 00:00:00Z
changed:  1970-01-01 00:00:01Z
goes on:  1970-01-01 00:01:01Z
by:       cli:ann
reason:   the new parser

left out:
  string.post: it is effectful

WHEN                  EVIDENCE  WHAT WAS SEEN
1970-01-01 00:00:01Z  check     fail; errors 20 % against 1 % (at most 2 %): fail; panics 0
1970-01-01 00:00:02Z  other     {\"b\":\"a\\u001b[2Jb\\nc\"}
"
    );
}

#[test]
fn evidence_of_each_kind_is_told_in_words() {
    let told = |body: serde_json::Value| {
        let evidence = EvidenceView {
            at: UnixMillis(0),
            kind: "k".into(),
            body,
        };
        let text = rollout_change(&view(), &[evidence]);
        text.lines()
            .next()
            .unwrap()
            .split_once("    k: ")
            .unwrap()
            .1
            .to_owned()
    };
    let cases = [
        (
            json!({"kind": "check", "at": 1, "phase": "baking", "check": {
                "verdict": "pass", "stableCalls": 2_000, "candidateCalls": 120, "spanMs": 5, "findings": [
                    {"metric": {"latency": 0.95}, "stable": 71_000_000.0, "candidate": 1_300.0, "bound": null, "limit": 1.5}
                ]
            }}),
            "pass, 120 calls against 2000; p95 1.3 us against 71.0 ms (at most 1.5 times as long)",
        ),
        (
            json!({"from": {"step": 0}, "to": {"paused": {"at": {"step": 0}}}, "why": "as ordered", "by": "ann"}),
            "step 1 -> paused: as ordered (by ann)",
        ),
        (
            json!({"from": "preparing", "to": {"step": 1}, "why": "it is ready"}),
            "preparing -> step 2: it is ready",
        ),
        (
            json!({"compared": 100, "differing": 3, "allowed": 0}),
            "3 of 100 answers differ, and 0 may",
        ),
        (
            json!({"path": "/total", "stable": "12", "candidate": null}),
            "/total: 12 became nothing",
        ),
        (json!([1, {"a": 2}]), "[1,{\"a\":2}]"),
    ];
    for (body, expected) in cases {
        assert_eq!(told(body), expected);
    }
}

#[test]
fn of_much_evidence_the_end_is_listed() {
    let mut long = view();
    long.evidence = vec![long.evidence[0].clone(); 50];
    let text = rollout(&long, Layout::Pipe);
    assert!(
        text.contains("\n10 earlier ones are not listed; --json has them\nWHEN"),
        "{text}"
    );
    assert_eq!(text.matches("  check ").count(), 40);
}

#[test]
fn an_order_that_changed_nothing_says_so() {
    let mut told = view();
    let line = "r-string-3  1.1.0 (r1) -> 1.2.0 (r2)  stepping step 1/3  2.5 %  waits for calls";
    assert_eq!(rollout_told(&told), line);
    told.changed = false;
    assert_eq!(
        rollout_told(&told),
        format!("{line}\nnothing has changed: it stood like this already")
    );
}

#[test]
fn what_a_server_says_of_a_rollout_cannot_act_on_a_terminal() {
    let mut hostile = view();
    for text in [
        &mut hostile.id,
        &mut hostile.phase,
        &mut hostile.message,
        &mut hostile.actor,
        &mut hostile.reason,
        &mut hostile.left_out[0].why,
        &mut hostile.evidence[0].kind,
    ] {
        *text = HOSTILE.into();
    }
    hostile.policy = json!(HOSTILE);
    hostile.evidence[0].body =
        json!({"verdict": HOSTILE, "findings": [{"metric": HOSTILE, "limit": HOSTILE}]});
    for text in [
        rollouts(std::slice::from_ref(&hostile), Layout::Pipe),
        rollout(&hostile, Layout::Pipe),
        rollout_told(&hostile),
        rollout_change(&hostile, &hostile.evidence),
    ] {
        assert!(!text.contains('\u{1b}') && !text.contains("b\nc"), "{text:?}");
    }
}

fn finding() -> WorkflowFindingView {
    WorkflowFindingView {
        code: "PARAMETER_UNKNOWN".into(),
        level: "error".into(),
        path: "nodes[0].parameters.sep".into(),
        message: "there is no parameter `sep`".into(),
        hint: "call it separator".into(),
        node: Some("split".into()),
    }
}

fn plan() -> RolloutPlanView {
    let change = |path: &str, breaking, kind: &str| SchemaChangeView {
        node_type: "string.split".into(),
        path: path.into(),
        kind: kind.into(),
        breaking,
        message: format!("it {kind}"),
    };
    RolloutPlanView {
        plugin: "string".parse().unwrap(),
        from: None,
        to: named(2, "1.2.0"),
        policy: json!("immediate"),
        steps: vec!["5 % of the runs for 60 s".into(), "everybody".into()],
        allowed: true,
        refusal: None,
        tenants: vec!["acme".parse().unwrap(), "globex".parse().unwrap()],
        workflows: vec![
            TouchedWorkflowView {
                workflow_id: "w1".parse().unwrap(),
                name: "orders".into(),
                tenant: Some("acme".parse().unwrap()),
                nodes: vec!["split".into()],
                new_findings: vec![finding()],
            },
            TouchedWorkflowView {
                workflow_id: "w2".parse().unwrap(),
                name: "bills".into(),
                tenant: None,
                nodes: vec!["a".into(), "b".into()],
                new_findings: Vec::new(),
            },
        ],
        dependents: vec![DependentView {
            plugin: "report".parse().unwrap(),
            range: "^1.0".into(),
            breaks: true,
        }],
        pins: vec![pin()],
        changes: vec![
            change("parameters.limit", false, "becameOptional"),
            change("parameters.sep", true, "removed"),
        ],
        left_out: view().left_out,
    }
}

fn pin() -> PinView {
    PinView {
        plugin: "string".parse().unwrap(),
        tenant: Some("acme".parse().unwrap()),
        workflow: Some("orders".parse().unwrap()),
        to: named(1, "1.1.0"),
        actor: "cli:ann".into(),
        reason: "their audit".into(),
        at: UnixMillis(0),
    }
}

#[test]
fn a_plan_says_for_whom_what_changes_and_what_can_break_first() {
    assert_eq!(
        rollout_plan(&plan(), Layout::Pipe),
        "\
plugin:   string
versions: nothing -> 1.2.0 (r2)
policy:   immediate
tenants:  acme, globex

steps:
  1. 5 % of the runs for 60 s
  2. everybody

how the nodes differ:
  CHANGE    NODE          WHERE             KIND            WHAT
  BREAKING  string.split  parameters.sep    removed         it removed
  harmless  string.split  parameters.limit  becameOptional  it becameOptional

workflows that use it:
  orders of acme (w1): 1 new finding
    nodes: split
    error[PARAMETER_UNKNOWN] at nodes[0].parameters.sep (node split)
      there is no parameter `sep`
      hint: call it separator
  bills (w2): nothing new is wrong with it
    nodes: a, b

plugins that depend on it:
  report needs ^1.0: BREAKS, the new version is none of them

pinned, so that it does not reach them:
  workflow orders of tenant acme at 1.1.0 (r1), by cli:ann: their audit

not tried by shadow and replay:
  string.post: it is effectful

allowed: `patchbay rollout start` would begin it
"
    );
}

#[test]
fn a_plan_that_is_refused_ends_with_why_and_what_to_do() {
    let mut refused = RolloutPlanView {
        allowed: false,
        refusal: Some(ProblemView {
            findings: vec![finding()],
            ..ProblemView::new(Code("PB-REG-004"), "`report` needs ^1.0", "deploy it first")
        }),
        tenants: (0..30).map(|n| format!("t{n}").parse().unwrap()).collect(),
        ..plan()
    };
    let text = rollout_plan(&refused, Layout::Pipe);
    assert!(
        text.ends_with(
            "\n\nrefused [PB-REG-004]: `report` needs ^1.0\n  error[PARAMETER_UNKNOWN] at nodes[0].parameters.sep (node \
             split)\n    there is no parameter `sep`\n    hint: call it separator\n  hint: deploy it first\n"
        ),
        "{text}"
    );
    assert!(text.contains("t18, t19, and 10 more\n"), "{text}");
    refused.refusal = None;
    assert!(rollout_plan(&refused, Layout::Pipe).ends_with("\nrefused\n"));
}

#[test]
fn a_policy_is_told_on_one_line_with_what_matters_first() {
    let canary = json!({"canary": {
        "analysis": {"minCalls": 50}, "bakeMs": 600_000, "deadlineMs": 1_500, "onDeadline": "rollback",
        "pause": [{"afterMs": 90_000}, "promote"], "steps": [2.5, 50], "sticky": "run", "new": [1]
    }});
    let line = "canary: steps 2.5 50, pause 1m 30s promote, sticky run, bake 10m 0s, deadline 1500 ms, onDeadline \
                rollback, new 1, analysis {\"minCalls\":50}";
    let shown = |policy: serde_json::Value| {
        let text = rollout(&RolloutView { policy, ..view() }, Layout::Pipe);
        let found = text.lines().find_map(|line| line.strip_prefix("policy:   "));
        found.unwrap().to_owned()
    };
    assert_eq!(shown(canary.clone()), line);
    assert_eq!(
        shown(json!({"replay": {"last": 50, "ignore": ["/a", "/b"], "then": canary}})),
        format!("replay: last 50, ignore /a /b, then ({line})")
    );
    assert_eq!(
        shown(json!({"canary": {"pause": "promote"}})),
        "canary: pause promote"
    );
    assert_eq!(shown(json!("manual")), "manual");
    assert_eq!(shown(json!({"a": 1, "b": 2})), "{\"a\":1,\"b\":2}");
}

#[test]
fn a_policy_says_where_it_comes_from() {
    let mut set = PolicyView {
        plugin: "string".parse().unwrap(),
        policy: json!({"canary": {"steps": [5]}}),
        source: "file".into(),
    };
    assert_eq!(
        policy(&set),
        "string (from the configuration file):\n  {\n    \"canary\": {\n      \"steps\": [\n        5\n      ]\n    }\n  }\n"
    );
    set.source = HOSTILE.into();
    assert!(!policy(&set).contains('\u{1b}'));
}

#[test]
fn pins_say_who_is_held_where() {
    let everybody = PinView {
        tenant: None,
        workflow: None,
        ..pin()
    };
    assert_eq!(
        pins(&[pin(), everybody], Layout::Pipe),
        "\
PLUGIN  TENANT  WORKFLOW  HELD AT     SINCE                 BY       REASON
string  acme    orders    1.1.0 (r1)  1970-01-01 00:00:00Z  cli:ann  their audit
string  all     all       1.1.0 (r1)  1970-01-01 00:00:00Z  cli:ann  their audit
"
    );
    assert_eq!(pins(&[], Layout::Pipe), "nobody is pinned\n");
}

#[test]
fn a_pin_says_what_it_has_changed() {
    let plugin: PluginName = "string".parse().unwrap();
    let asked = PinRequest {
        tenant: Some("acme".parse().unwrap()),
        ..PinRequest::default()
    };
    let said = |pin: Option<PinView>, before: Option<RevisionRef>, changed| {
        pinned(&PinnedView { pin, before, changed }, &plugin, &asked)
    };
    let cases = [
        (said(Some(pin()), None, true), "is held at 1.1.0 (r1)"),
        (
            said(Some(pin()), Some(named(2, "1.2.0")), true),
            "is held at 1.1.0 (r1), and was at 1.2.0 (r2)",
        ),
        (
            said(Some(pin()), Some(named(1, "1.1.0")), false),
            "was held at 1.1.0 (r1) already",
        ),
        (
            said(None, Some(named(1, "1.1.0")), true),
            "is no longer held at 1.1.0 (r1)",
        ),
        (said(None, None, false), "was not pinned"),
    ];
    for (text, expected) in cases {
        assert_eq!(text, format!("string: tenant acme {expected}"));
    }
}

#[test]
fn the_audit_has_a_column_for_whatever_its_records_are_about() {
    let record = |seq, plugin: Option<&str>| AuditView {
        seq,
        at: UnixMillis(0),
        actor: "cli:ann".into(),
        action: "plugin.promoted".into(),
        plugin: plugin.map(|name| name.parse().unwrap()),
        revision: plugin.map(|_| RevisionNumber(2)),
        tenant: None,
        workflow: None,
        reason: HOSTILE.into(),
        key: None,
        detail: json!({}),
        prev: String::new(),
        hash: String::new(),
    };
    assert_eq!(
        audit(&[record(1, Some("string")), record(2, None)], Layout::Pipe),
        "\
SEQ  WHEN                  BY       ACTION           PLUGIN  REV  REASON
1    1970-01-01 00:00:00Z  cli:ann  plugin.promoted  string  r2   a[2Jb c
2    1970-01-01 00:00:00Z  cli:ann  plugin.promoted  -       -    a[2Jb c
"
    );
    assert_eq!(audit(&[], Layout::Pipe), "no records\n");
}

#[test]
fn a_look_at_the_audit_begins_with_the_answer() {
    let mut view = AuditVerifiedView {
        intact: true,
        records: 12,
        head: "5f1c".into(),
        broken_at: None,
        message: "whole".into(),
    };
    assert_eq!(verified(&view), "intact: 12 records\nhead:   5f1c\n");
    view.intact = false;
    view.broken_at = Some(7);
    view.message = "it was changed".into();
    assert_eq!(
        verified(&view),
        "BROKEN at record 7: it was changed\n12 records read\n"
    );
    view.broken_at = None;
    assert!(verified(&view).starts_with("BROKEN: it was changed\n"));
}

#[test]
fn what_is_collected_is_listed_and_summed_up() {
    let artifact = ArtifactView {
        digest: Digest::of(b"x"),
        bytes: 2048,
        plugin: Some("string".parse().unwrap()),
        version: Some("1.0.0".parse().unwrap()),
        revision: Some(RevisionNumber(1)),
        why: "no revision needs it".into(),
    };
    let short = artifact.digest.short();
    let mut view = CollectedView {
        dry_run: true,
        bytes_before: 4096,
        bytes_freed: 2048,
        removed: vec![artifact.clone()],
        kept: vec![artifact],
    };
    assert_eq!(
        collected(&view, Layout::Pipe),
        format!(
            "{:width$}  SIZE     PLUGIN  VERSION  REV  WHY\n{short}  2.0 KiB  string  1.0.0    r1   no revision needs it\n\n\
             2.0 KiB of 4.0 KiB would be removed: 1 artifact; 1 would stay\n",
            "DIGEST",
            width = short.len()
        )
    );
    view.dry_run = false;
    view.removed.clear();
    view.bytes_freed = 0;
    assert_eq!(
        collected(&view, Layout::Pipe),
        "0 B of 4.0 KiB removed: 0 artifacts; 1 stay\n"
    );
}

#[test]
fn a_doctors_verdict_comes_last_and_says_what_can_be_mended() {
    let mut view = DoctorView {
        data: "data".into(),
        healthy: false,
        findings: vec![DoctorFindingView {
            code: "PB-DOCTOR-003".into(),
            severity: "error".into(),
            message: "the database is damaged\u{1b}[2J".into(),
            hint: "repair it".into(),
            path: Some("data/state.db".into()),
            repairable: true,
        }],
        repaired: Vec::new(),
    };
    assert_eq!(
        render_doctor(&view),
        "\
error[PB-DOCTOR-003]: the database is damaged[2J
  file: data/state.db
  hint: repair it

data cannot be served: 1 finding
`patchbay doctor --repair` mends 1 of them
"
    );
    let repair = |done, message: &str| DoctorRepairView {
        code: "PB-DOCTOR-003".into(),
        done,
        message: message.into(),
    };
    view.repaired = vec![repair(false, "the disk is full")];
    let text = render_doctor(&view);
    assert!(
        text.starts_with(
            "not repaired[PB-DOCTOR-003]: the disk is full\n\nleft:\nerror[PB-DOCTOR-003]: the database"
        ),
        "{text}"
    );
    view.healthy = true;
    view.findings.clear();
    view.repaired = vec![repair(true, "state.db was written anew")];
    assert_eq!(
        render_doctor(&view),
        "repaired[PB-DOCTOR-003]: state.db was written anew\n\ndata is healthy: 0 findings\n"
    );
}
