use patchbay_vocab::{Digest, RevisionNumber, RevisionState, UnixMillis};
use patchbay_wire::{
    CheckStageView, CheckView, DependencyView, EventView, ExampleOutcome, ExampleRunView, FindingView,
    HandedOverView, HistoryView, InspectView, PluginView, ProblemView, RejectedView, RevisionRef,
    RevisionView, Severity, ShareView, SignerView, StatusView, SwapView, UnloadMode,
};

use super::tests_manual::upper;
use super::*;

fn revision(number: u64, version: &str, state: RevisionState) -> RevisionView {
    RevisionView {
        revision: RevisionNumber(number),
        version: version.parse().unwrap(),
        digest: Digest::of(version.as_bytes()),
        state,
        asleep: false,
        calls_in_flight: 0,
        calls_total: 0,
        pinned_by: vec![],
        memory_bytes: None,
        threads: 0,
        origin: "/plugins/libstring.so".into(),
        signed_by: None,
        admitted_at: UnixMillis(0),
        blocked_by: None,
    }
}

fn string_plugin() -> PluginView {
    let mut draining = revision(1, "1.1.0", RevisionState::Draining);
    draining.calls_in_flight = 2;
    draining.calls_total = 40;
    draining.pinned_by = vec!["2 running call(s)".into(), "1 thread(s) it started".into()];
    draining.memory_bytes = Some(1_572_864);
    draining.threads = 1;
    PluginView {
        name: "string".parse().unwrap(),
        description: "texts".into(),
        author: "core".into(),
        live: Some("1.2.0".parse().unwrap()),
        live_revision: Some(RevisionNumber(2)),
        desired: None,
        canary: None,
        generation: Some(7),
        revisions: vec![draining, revision(2, "1.2.0", RevisionState::Live)],
        nodes: vec!["string.upper".parse().unwrap()],
        dependencies: vec![DependencyView {
            plugin: "list".parse().unwrap(),
            range: "^1".parse().unwrap(),
        }],
    }
}

#[test]
fn plugins_show_state_leases_pins_and_memory_per_version() {
    assert_eq!(
        plugins(&[string_plugin()], Layout::Pipe),
        "\
PLUGIN  VERSION  REV  STATE     LEASES  CALLS  PINNED BY                                  MEMORY   THREADS
string  1.1.0    r1   draining  2       40     2 running call(s), 1 thread(s) it started  1.5 MiB  1
string  1.2.0    r2   live      0       0      -                                          -        0
"
    );
}

#[test]
fn a_plugin_that_sleeps_says_so_beside_its_state_and_why_it_cannot_be_woken() {
    let mut view = string_plugin();
    view.revisions[1].asleep = true;
    let text = plugins(std::slice::from_ref(&view), Layout::Pipe);
    assert!(text.contains("r2   live (asleep)  "), "{text}");
    view.revisions[1].blocked_by = Some(ProblemView {
        code: "PB-STAGE-001".into(),
        message: "gone".into(),
        hint: "drop it in again".into(),
        request_id: None,
        findings: Vec::new(),
    });
    let text = plugin(&view, Layout::Pipe);
    assert!(
        text.contains("r2 could not be woken [PB-STAGE-001]: gone\n"),
        "{text}"
    );
}

#[test]
fn one_plugin_shows_what_keeps_a_revision_from_going_live() {
    let mut view = string_plugin();
    view.revisions[0].blocked_by = Some(ProblemView {
        code: "PB-REG-004".into(),
        message: "needs `list` ^2".into(),
        hint: "deploy it first".into(),
        request_id: None,
        findings: Vec::new(),
    });
    let text = plugin(&view, Layout::Pipe);
    assert!(
        text.starts_with("plugin:           string\nabout:            texts\n"),
        "{text}"
    );
    assert!(text.contains("live:             1.2.0 (r2)\n"), "{text}");
    assert!(text.contains("needs:            list@^1\n"), "{text}");
    assert!(
        text.ends_with("r1 cannot go live [PB-REG-004]: needs `list` ^2\n  hint: deploy it first\n"),
        "{text}"
    );
}

#[test]
fn who_signed_is_a_column_as_soon_as_anything_is_signed() {
    let mut signed = string_plugin();
    signed.revisions[1].signed_by = Some(SignerView {
        team: Some("core".parse().unwrap()),
        key: "E7620F1842B4E81F".parse().unwrap(),
        signed_at: Some(UnixMillis(5)),
    });
    let text = plugins(&[signed.clone()], Layout::Pipe);
    let rows: Vec<_> = text.lines().collect();
    assert!(rows[0].ends_with("THREADS  SIGNED BY"), "{text}");
    assert!(rows[1].ends_with("1        -"), "{text}");
    assert!(rows[2].ends_with("0        core (E7620F1842B4E81F)"), "{text}");
    signed.revisions[1].signed_by.as_mut().unwrap().team = None;
    assert!(plugin(&signed, Layout::Pipe).contains("unknown key (E7620F1842B4E81F)"));
}

#[test]
fn refused_files_show_code_reason_and_hint_on_one_line_each() {
    let file = RejectedView {
        path: "/plugins/bad\u{1b}[2J\n.so".into(),
        digest: None,
        signed_by: None,
        code: "PB-INSPECT-003".into(),
        message: "ends in the middle of a segment".into(),
        hint: "copy it again".into(),
        at: UnixMillis(0),
    };
    let text = rejected(&[file.clone(), file], Layout::Pipe);
    let rows: Vec<_> = text.lines().collect();
    assert_eq!(rows.len(), 3, "{text}");
    let expected = "PB-INSPECT-003  /plugins/bad[2J .so  ends in the middle of a segment  copy it again  1970-01-01 00:00:00Z";
    assert_eq!(rows[1], expected);
    assert_eq!(rejected(&[], Layout::Pipe), "no file was refused\n");
}

#[test]
fn the_catalogue_has_one_line_per_node() {
    assert_eq!(
        nodes(&[upper()], Layout::Pipe),
        "\
NODE          PLUGIN        CATEGORY  EFFECT  DESCRIPTION
string.upper  string@1.2.0  text      pure    Makes letters large.
"
    );
}

#[test]
fn history_shows_who_did_what_and_why() {
    let line = HistoryView {
        at: UnixMillis(1_767_225_600_000),
        generation: 7,
        action: "promoted".into(),
        revision: RevisionNumber(2),
        version: "1.2.0".parse().unwrap(),
        signed_by: None,
        from_revision: Some(RevisionNumber(1)),
        actor: "cli:ann".into(),
        reason: "fixes the umlauts".into(),
    };
    assert_eq!(
        history(&[line], Layout::Pipe),
        "\
WHEN                  GEN  ACTION    REV  VERSION  FROM  BY       REASON
2026-01-01 00:00:00Z  7    promoted  r2   1.2.0    r1    cli:ann  fixes the umlauts
"
    );
}

#[test]
fn a_swap_says_from_what_to_what() {
    let named = |number, version: &str| {
        Some(RevisionRef {
            revision: RevisionNumber(number),
            version: version.parse().unwrap(),
        })
    };
    let mut view = SwapView {
        plugin: "string".parse().unwrap(),
        from: named(1, "1.1.0"),
        to: named(2, "1.2.0"),
        generation: 8,
        micros: Some(6),
        state: None,
    };
    assert_eq!(
        swap(&view),
        "string: 1.1.0 (r1) -> 1.2.0 (r2), generation 8, swapped in 6 us"
    );
    view.state = Some(HandedOverView {
        instances: 3,
        dropped: 0,
        bytes: 90,
        paused_micros: 41,
    });
    assert_eq!(
        swap(&view),
        "string: 1.1.0 (r1) -> 1.2.0 (r2), generation 8, swapped in 6 us, state of 3 instances handed over in 41 us"
    );
    view.state = None;
    assert_eq!(
        quarantined(&view),
        "string: 1.1.0 (r1) is quarantined, 1.2.0 (r2) took over, generation 8"
    );
    view.to = None;
    view.micros = None;
    assert_eq!(
        quarantined(&view),
        "string: 1.1.0 (r1) is quarantined, generation 8"
    );
    assert_eq!(swap(&view), "string: 1.1.0 (r1) -> nothing, generation 8");
    view.to = view.from.clone();
    assert_eq!(swap(&view), "string: 1.1.0 (r1) stays live, generation 8");
}

#[test]
fn an_event_is_one_line() {
    let view = EventView {
        sequence: 1,
        at: UnixMillis(0),
        kind: "plugin.rejected".into(),
        plugin: Some("string".parse().unwrap()),
        version: Some("1.2.0".parse().unwrap()),
        revision: None,
        message: "refused\nlate".into(),
        code: Some("PB-X-001".into()),
    };
    assert_eq!(
        event(&view),
        "1970-01-01 00:00:00Z  plugin.rejected  string@1.2.0  PB-X-001  refused late"
    );
}

#[test]
fn the_status_says_what_becomes_of_drained_versions() {
    let view = StatusView {
        version: "0.1.0".into(),
        contract: "1.0".into(),
        generation: 3,
        plugins: 2,
        nodes: 9,
        rejected: 1,
        uptime_millis: 61_000,
        unload: UnloadMode::KeepMapped,
        mode: "normal".into(),
        rollouts: 0,
        state_trouble: None,
    };
    let text = status(&view, Layout::Pipe);
    assert!(!text.contains("mode") && !text.contains("rollouts"), "{text}");
    assert!(text.contains("up:            1m 1s\n"), "{text}");
    assert!(
        text.contains("unloading:     drained versions stay mapped"),
        "{text}"
    );
    let troubled = StatusView {
        mode: "recovered".into(),
        rollouts: 2,
        state_trouble: Some("the disk is full".into()),
        ..view
    };
    let text = status(&troubled, Layout::Pipe);
    for line in [
        "mode:          recovered: the host kept ending",
        "rollouts:      2\n",
        "trouble:       changes cannot be remembered: the disk is full\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn a_canary_and_a_version_that_should_be_live_are_told_of() {
    let named = |number, version: &str| RevisionRef {
        revision: RevisionNumber(number),
        version: version.parse().unwrap(),
    };
    let mut view = string_plugin();
    view.canary = Some(ShareView {
        to: named(1, "1.1.0"),
        weight: 2.5,
    });
    let list = plugins(&[view.clone()], Layout::Pipe);
    let rows: Vec<_> = list.lines().collect();
    assert!(rows[0].ends_with("THREADS  SHARE"), "{list}");
    assert!(
        rows[1].ends_with("1        2.5 %") && rows[2].ends_with("0        -"),
        "{list}"
    );
    view.desired = Some(named(2, "1.2.0"));
    let page = plugin(&view, Layout::Pipe);
    assert!(
        page.contains("canary:           1.1.0 (r1) with 2.5 % of the calls\n"),
        "{page}"
    );
    assert!(!page.contains("desired"), "it is live: {page}");
    view.desired = Some(named(3, "1.3.0"));
    let page = plugin(&view, Layout::Pipe);
    assert!(
        page.contains("desired:          1.3.0 (r3), which could not be made live\n"),
        "{page}"
    );
}

#[test]
fn an_inspected_file_shows_its_note_and_its_linkage() {
    let view = InspectView {
        path: "libstring.so".into(),
        digest: Digest::of(b"x"),
        size: 2048,
        plugin: "string".parse().unwrap(),
        version: "1.2.0".parse().unwrap(),
        contract: "1.0".into(),
        sdk: String::new(),
        compiler: "rustc 1.95.0".into(),
        target: "x86_64-unknown-linux-gnu".into(),
        entry: "c".into(),
        signed_by: None,
        needed: vec!["libc.so.6".into(), "libgcc_s.so.1".into()],
        imports: 12,
        exports: (0..14).map(|n| format!("f{n}")).collect(),
    };
    let text = render_inspect(&view);
    assert!(text.starts_with("plugin:   string\nversion:  1.2.0\n"), "{text}");
    assert!(text.contains("needs:    libc.so.6, libgcc_s.so.1\n"), "{text}");
    assert!(text.ends_with("f11, and 2 more\n"), "{text}");
    assert!(!text.contains("sdk"), "{text}");
}

#[test]
fn the_verdict_on_a_file_begins_with_the_answer() {
    let stage = |stage: &str, ok| CheckStageView {
        stage: stage.into(),
        ok,
        micros: 1_200,
        code: (!ok).then(|| "PB-PROBE-002".into()),
        message: (!ok).then(|| "it crashed".into()),
    };
    let mut view = CheckView {
        fit: true,
        code: None,
        message: None,
        hint: None,
        plugin: Some("string".parse().unwrap()),
        version: Some("1.2.0".parse().unwrap()),
        signed_by: None,
        nodes: vec!["string.upper".parse().unwrap()],
        stages: vec![stage("inspect", true)],
        warnings: Vec::new(),
        identity: None,
        size: None,
        examples: Vec::new(),
        findings: vec![finding("string.upper", "add one")],
    };
    assert_eq!(
        render_check(&view),
        "\
fit: string@1.2.0

nodes:
  string.upper

STAGE    VERDICT  TOOK    CODE
inspect  ok       1.2 ms  -

warning[PB-X-001]: string.upper: the node has no [31mexample
  fix: add one

0 error(s), 1 warning(s), 0 note(s)
"
    );
    view.fit = false;
    view.code = Some("PB-PROBE-002".into());
    view.message = Some("it crashed".into());
    view.hint = Some("run it under a debugger".into());
    view.stages.push(stage("probe", false));
    let text = render_check(&view);
    assert!(
        text.starts_with("unfit: string@1.2.0 [PB-PROBE-002]: it crashed\n\nhint: run it under a debugger\n"),
        "{text}"
    );
    assert!(
        text.contains("probe    failed   1.2 ms  PB-PROBE-002\n"),
        "{text}"
    );
}

fn finding(place: &str, fix: &str) -> FindingView {
    FindingView {
        level: Severity::Warning,
        code: "PB-X-001".into(),
        place: place.into(),
        message: "the node has no \u{1b}[31mexample".into(),
        fix: fix.into(),
    }
}

fn fit() -> CheckView {
    CheckView {
        fit: true,
        code: None,
        message: None,
        hint: None,
        plugin: None,
        version: None,
        signed_by: None,
        nodes: Vec::new(),
        stages: Vec::new(),
        warnings: Vec::new(),
        identity: None,
        size: None,
        examples: Vec::new(),
        findings: Vec::new(),
    }
}

#[test]
fn a_remedy_that_several_findings_share_is_said_once_below_them() {
    let view = CheckView {
        findings: vec![
            finding("a.a", "add one"),
            finding("a.a", "sort it"),
            finding("a.b", "add one"),
        ],
        ..fit()
    };
    assert_eq!(
        render_check(&view),
        "\
fit

warning[PB-X-001]: a.a: the node has no [31mexample
warning[PB-X-001]: a.b: the node has no [31mexample
  fix: add one

warning[PB-X-001]: a.a: the node has no [31mexample
  fix: sort it

0 error(s), 3 warning(s), 0 note(s)
"
    );
}

#[test]
fn examples_that_hold_are_counted_and_the_others_are_told() {
    let run = |outcome, note: &str| ExampleRunView {
        node: "a.b".parse().unwrap(),
        title: "a name".into(),
        outcome,
        micros: Some(1),
        expected: serde_json::json!("HI"),
        got: None,
        error: None,
        notes: vec![note.into()],
    };
    let holds = run(ExampleOutcome::Holds, "");
    let mut view = CheckView {
        examples: vec![holds.clone(), holds.clone()],
        ..fit()
    };
    let text = render_check(&view);
    assert!(text.contains("\nexamples:\n  2 examples hold\n\n"), "{text}");
    view.examples = vec![
        holds,
        run(ExampleOutcome::NotRun, "the node has effects"),
        run(ExampleOutcome::Differs, "expected \"HI\", got \"hi\""),
    ];
    let text = render_check(&view);
    assert!(
        text.contains(
            "\nexamples:\n  1 example holds\n  a.b: a name: not run, the node has effects\n  \
             example `a name` of a.b gives another output\n    expected \"HI\", got \"hi\"\n"
        ),
        "{text}"
    );
}

#[test]
fn a_terminal_that_says_it_has_no_width_gets_one_line_for_each_row() {
    for columns in [Some(0), Some(39)] {
        assert_eq!(fitting(Layout::Terminal, columns), Layout::Pipe);
    }
    for columns in [Some(40), None] {
        assert_eq!(fitting(Layout::Terminal, columns), Layout::Terminal);
    }
    assert_eq!(fitting(Layout::Pipe, None), Layout::Pipe);
}
