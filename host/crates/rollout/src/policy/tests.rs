use patchbay_vocab::Explain;
use serde_json::json;

use super::*;
use crate::analysis::{FailedChecks, NoData};
use crate::error::PolicyError;

fn read(text: &str) -> Result<Policy, PolicyError> {
    Policy::from_json(text)
}

fn valid(text: &str) -> Policy {
    read(text).unwrap_or_else(|error| panic!("{text}: {}", error.chain()))
}

fn refused(text: &str) -> (&'static str, String) {
    let error = read(text).expect_err(text);
    assert!(!error.help().is_empty());
    (error.code().0, error.chain())
}

#[test]
fn a_policy_is_a_word_or_a_word_with_its_fields() {
    assert_eq!(valid("\"immediate\""), Policy::Immediate);
    assert_eq!(valid("\"manual\""), Policy::Manual);
    assert_eq!(valid("{\"canary\": {}}"), Policy::Canary(Canary::default()));
    let policy = valid(
        r#"{"shadow": {"sample": 12.5, "compare": false, "ignore": ["/meta/at", "$.items[*].id"], "calls": 7,
            "maxDifferences": 2, "deadlineMs": 60000, "then": {"canary": {"steps": [1, 100], "analysis": "off"}}}}"#,
    );
    assert_eq!(policy.kind(), "shadow");
    assert!(policy.repeats_calls());
    let canary = policy.canary().expect("steps");
    assert_eq!(
        canary
            .stages()
            .iter()
            .map(|step| step.basis_points())
            .collect::<Vec<_>>(),
        [100]
    );
    assert_eq!(canary.analysis, None);
    assert!(matches!(
        valid(r#"{"replay": {"last": 5, "then": "manual"}}"#),
        Policy::Replay(Replay { last: 5, .. })
    ));
}

#[test]
fn what_is_written_reads_back_the_same() {
    let mut policies = vec![Policy::Immediate, Policy::Manual];
    let mut canary = Canary {
        pause: Pauses::Each(vec![Pause::AfterMs(1), Pause::Promote, Pause::AfterMs(0)]),
        sticky: Sticky::Variable("größe".into()),
        on_deadline: OnDeadline::Pause,
        ..Canary::default()
    };
    policies.push(Policy::Canary(canary.clone()));
    if let Some(analysis) = &mut canary.analysis {
        analysis.max_error_rate_increase = None;
        analysis.max_error_rate = Some(0.05);
        analysis.max_panics = None;
        analysis.no_data = NoData::Fail;
        analysis.failed_checks = FailedChecks {
            consecutive: None,
            total: Some(3),
        };
    }
    policies.push(Policy::Shadow(Shadow {
        then: Then::Canary(Box::new(canary.clone())),
        ..Shadow::default()
    }));
    canary.analysis = None;
    policies.push(Policy::Replay(Replay {
        then: Then::Canary(Box::new(canary)),
        ..Replay::default()
    }));
    for policy in policies {
        policy.validate().expect("a valid policy");
        let text = serde_json::to_string(&policy).expect("JSON");
        assert_eq!(valid(&text), policy, "{text}");
        assert!(!policy.words().is_empty());
    }
}

#[test]
fn snake_case_is_read_as_toml_has_it() {
    #[derive(serde::Deserialize)]
    struct File {
        policy: Policy,
    }
    let text = r#"
        [policy.canary]
        steps = [1, 2.5, 50]
        pause = [{ after_ms = 60000 }, "promote", { after_ms = 60000 }]
        bake_ms = 120000
        sticky = "tenant"
        deadline_ms = 7200000
        on_deadline = "pause"

        [policy.canary.analysis]
        interval_ms = 30000
        min_calls = 20
        no_data = "pass"
        failed_checks = 3
        max_error_rate = 0.05
        max_error_rate_increase = "off"
        max_panics = 2
        latency = [{ quantile = 0.5, max_ratio = 2 }, { quantile = 0.99, max_ratio = 3.5 }]
    "#;
    let toml = toml::from_str::<File>(text).expect("a policy").policy;
    let json = valid(
        r#"{"canary": {"steps": [1, 2.5, 50], "pause": [{"afterMs": 60000}, "promote", {"afterMs": 60000}],
            "bakeMs": 120000, "sticky": "tenant", "deadlineMs": 7200000, "onDeadline": "pause", "analysis": {
            "intervalMs": 30000, "minCalls": 20, "noData": "pass", "failedChecks": {"consecutive": 3}, "maxErrorRate": 0.05,
            "maxErrorRateIncrease": null, "maxPanics": 2,
            "latency": [{"quantile": 0.5, "maxRatio": 2}, {"quantile": 0.99, "maxRatio": 3.5}]}}}"#,
    );
    assert_eq!(toml, json);
    assert_eq!(
        toml::from_str::<File>("policy = \"manual\"")
            .expect("a policy")
            .policy,
        Policy::Manual
    );
    let trial = toml::from_str::<File>("[policy.shadow]\nmax_differences = 1\nsample = 5\nthen = \"manual\"");
    assert!(matches!(
        trial.expect("a policy").policy,
        Policy::Shadow(Shadow {
            max_differences: 1,
            ..
        })
    ));
}

#[test]
fn the_examples_of_the_documentation_are_policies() {
    let text = include_str!("../../../../docs/rollouts.md");
    let example = text
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("an example");
    let file: toml::Table = example.parse().expect("TOML");
    let mut policies = vec![file["rollout"]["policy"].clone()];
    policies.extend(
        file["plugin"]
            .as_table()
            .expect("plugins")
            .values()
            .map(|plugin| plugin["policy"].clone()),
    );
    assert_eq!(policies.len(), 4);
    for policy in policies {
        let policy: Policy = policy.try_into().expect("a policy");
        policy.validate().expect("a valid policy");
    }
}

#[test]
fn what_is_standard_is_as_the_documentation_says() {
    let text = include_str!("../../../../docs/rollouts.md");
    let mut standards = serde_json::Map::new();
    for policy in [
        serde_json::to_value(Canary::default()),
        serde_json::to_value(Analysis::default()),
        serde_json::to_value(Replay::default()),
        serde_json::to_value(Shadow::default()),
    ] {
        for (field, value) in policy.expect("JSON").as_object().expect("fields") {
            standards.insert(format!("{field} {value}"), value.clone());
        }
    }
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | `"));
    let rows: Vec<_> = rows
        .filter_map(|(field, rest)| Some((field, rest.split_once('`')?.0)))
        .collect();
    assert!(rows.len() > 20, "{}", rows.len());
    for (field, standard) in rows {
        let value: serde_json::Value = serde_json::from_str(standard).expect(standard);
        // A number of failed checks is short for a table.
        let value = if field == "failedChecks" {
            json!({"consecutive": value})
        } else {
            value
        };
        let known = ["analysis"].contains(&field) || standards.contains_key(&format!("{field} {value}"));
        assert!(known, "{field} {value}");
    }
}

#[test]
fn a_policy_that_cannot_be_read_says_what_was_expected() {
    for (text, part) in [
        ("", "EOF"),
        ("\"someday\"", "`immediate`"),
        ("{\"canary\": {\"step\": [5]}}", "unknown field `step`"),
        ("{\"canary\": {\"steps\": [5.001]}}", "at most two decimals"),
        ("{\"canary\": {\"steps\": [101]}}", "101"),
        (
            "{\"canary\": {\"pause\": {\"afterMs\": 1, \"more\": 2}}}",
            "unknown field `more`",
        ),
        ("{\"canary\": {\"pause\": \"never\"}}", "`promote`"),
        ("{\"canary\": {\"pause\": 5}}", "or a list of these"),
        ("{\"canary\": {\"sticky\": \"variable:\"}}", "`variable:`"),
        ("{\"canary\": {\"analysis\": \"on\"}}", "\"off\""),
        ("{\"canary\": {\"analysis\": {\"failedChecks\": -1}}}", "-1"),
        (
            "{\"canary\": {\"analysis\": {\"minCall\": 1}}}",
            "unknown field `minCall`",
        ),
        ("{\"canary\": {\"bakeMs\": -1}}", "-1"),
        ("{\"canary\": {\"bakeMs\": 1, \"bake_ms\": 1}}", "duplicate field"),
        ("{\"shadow\": {\"ignore\": [\"meta\"]}}", "neither `/` nor `$`"),
        ("{\"replay\": {\"last\": 4294967296}}", "4294967296"),
    ] {
        let (code, chain) = refused(text);
        assert_eq!(code, "PB-ROLLOUT-001");
        assert!(chain.contains(part), "{text}: {chain}");
    }
    assert_eq!(refused(&" ".repeat(70_000)).0, "PB-ROLLOUT-002");
}

#[test]
fn numbers_out_of_bounds_name_their_field_and_what_is_allowed() {
    let canary = |field: &str, value: serde_json::Value| json!({"canary": {field: value}}).to_string();
    let analysis =
        |field: &str, value: serde_json::Value| json!({"canary": {"analysis": {field: value}}}).to_string();
    for (text, field) in [
        (
            canary("pause", json!({"afterMs": 2_592_000_001_u64})),
            "`canary.pause.afterMs`",
        ),
        (
            canary("pause", json!(["promote", {"afterMs": u64::MAX}, "promote"])),
            "`canary.pause[1].afterMs`",
        ),
        (canary("bakeMs", json!(2_592_000_001_u64)), "`canary.bakeMs`"),
        (canary("deadlineMs", json!(600_000)), "`canary.deadlineMs`"),
        (canary("deadlineMs", json!(u64::MAX)), "`canary.deadlineMs`"),
        (analysis("intervalMs", json!(9)), "`canary.analysis.intervalMs`"),
        (analysis("intervalMs", json!(3_600_000)), "`canary.deadlineMs`"),
        (analysis("minCalls", json!(0)), "`canary.analysis.minCalls`"),
        (
            analysis("failedChecks", json!(0)),
            "`canary.analysis.failedChecks.consecutive`",
        ),
        (
            analysis("failedChecks", json!({"total": 1_001})),
            "`canary.analysis.failedChecks.total`",
        ),
        (
            analysis("failedChecks", json!({})),
            "`canary.analysis.failedChecks`",
        ),
        (
            analysis("maxErrorRate", json!(5)),
            "`canary.analysis.maxErrorRate`",
        ),
        (
            analysis("maxErrorRateIncrease", json!(-0.1)),
            "`canary.analysis.maxErrorRateIncrease`",
        ),
        (
            analysis("latency", json!([{"quantile": 1, "maxRatio": 2}])),
            "`canary.analysis.latency[0].quantile`",
        ),
        (
            analysis("latency", json!([{"quantile": 0.5, "maxRatio": 0.5}])),
            "`canary.analysis.latency[0].maxRatio`",
        ),
        (
            analysis("latency", json!(vec![json!({"quantile": 0.5, "maxRatio": 2}); 9])),
            "`canary.analysis.latency`",
        ),
        (
            analysis("maxPanics", json!(u64::MAX)),
            "`canary.analysis.maxPanics`",
        ),
        (json!({"shadow": {"sample": 0}}).to_string(), "`shadow.sample`"),
        (json!({"shadow": {"calls": 0}}).to_string(), "`shadow.calls`"),
        (
            json!({"shadow": {"deadlineMs": 1}}).to_string(),
            "`shadow.deadlineMs`",
        ),
        (
            json!({"shadow": {"maxDifferences": u64::MAX}}).to_string(),
            "`shadow.maxDifferences`",
        ),
        (
            json!({"shadow": {"ignore": vec!["/a"; 101]}}).to_string(),
            "`shadow.ignore`",
        ),
        (
            json!({"shadow": {"then": {"canary": {"bakeMs": u64::MAX}}}}).to_string(),
            "`shadow.then.canary.bakeMs`",
        ),
        (json!({"replay": {"last": 0}}).to_string(), "`replay.last`"),
        (
            json!({"replay": {"last": 5, "atLeast": 6}}).to_string(),
            "`replay.atLeast`",
        ),
    ] {
        let (code, chain) = refused(&text);
        assert_eq!(code, "PB-ROLLOUT-003", "{text}: {chain}");
        assert!(chain.starts_with(field), "{text}: {chain}");
    }
    let error = read(&analysis("maxErrorRate", json!(5))).expect_err("a share");
    assert!(error.help().contains("0.05 is 5 %"), "{}", error.help());
    let nan = Policy::Canary(Canary {
        analysis: Some(Analysis {
            max_error_rate: Some(f64::NAN),
            ..Analysis::default()
        }),
        ..Canary::default()
    });
    assert!(nan.validate().is_err());
    let name = Policy::Canary(Canary {
        sticky: Sticky::Variable("\n".into()),
        ..Canary::default()
    });
    assert_eq!(name.validate().expect_err("a name").code().0, "PB-ROLLOUT-003");
}

#[test]
fn steps_ascend_and_each_has_a_pause() {
    for steps in [
        json!([]),
        json!([0, 5]),
        json!([5, 5]),
        json!([50, 5]),
        json!([100, 100]),
        json!((1..22).collect::<Vec<_>>()),
    ] {
        let (code, chain) = refused(&json!({"canary": {"steps": steps}}).to_string());
        assert_eq!(code, "PB-ROLLOUT-004", "{chain}");
    }
    for pauses in [1, 3] {
        let text = json!({"canary": {"steps": [5, 50, 100], "pause": vec!["promote"; pauses]}}).to_string();
        assert_eq!(refused(&text).0, "PB-ROLLOUT-005");
    }
    assert!(
        read(&json!({"canary": {"steps": [5, 50, 100], "pause": ["promote", "promote"]}}).to_string())
            .is_ok()
    );
    assert!(read(&json!({"canary": {"steps": [100]}}).to_string()).is_ok());
}

fn pieces(kind: &str) -> Pieces {
    Pieces {
        kind: kind.into(),
        ..Pieces::default()
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn pieces_of_a_command_line_are_a_policy() {
    assert_eq!(pieces("immediate").policy().expect("a policy"), Policy::Immediate);
    assert_eq!(
        pieces("canary").policy().expect("a policy"),
        Policy::Canary(Canary::default())
    );
    let canary = Pieces {
        steps: some("1%, 2.5,50"),
        pause: some("90s,promote,5m"),
        bake: some("0s"),
        sticky: some("variable:region"),
        analysis: some("off"),
        deadline: some("2h"),
        on_deadline: some("pause"),
        ..pieces("canary")
    };
    let wanted = valid(
        r#"{"canary": {"steps": [1, 2.5, 50], "pause": [{"afterMs": 90000}, "promote", {"afterMs": 300000}], "bakeMs": 0,
            "sticky": "variable:region", "analysis": "off", "deadlineMs": 7200000, "onDeadline": "pause"}}"#,
    );
    assert_eq!(canary.policy().expect("a policy"), wanted);
    let shadow = Pieces {
        sample: some("10"),
        compare: some("no"),
        calls: some("50"),
        ignore: vec!["/at".into()],
        max_differences: some("1"),
        then: some("canary"),
        steps: some("10"),
        pause: some("promote"),
        deadline: some("10m"),
        ..pieces("shadow")
    };
    let wanted = valid(
        r#"{"shadow": {"sample": 10, "compare": false, "calls": 50, "ignore": ["/at"], "maxDifferences": 1, "deadlineMs": 600000,
            "then": {"canary": {"steps": [10], "pause": "promote"}}}}"#,
    );
    assert_eq!(shadow.policy().expect("a policy"), wanted);
    let replay = Pieces {
        last: some("9"),
        at_least: some("3"),
        then: some("manual"),
        ..pieces("replay")
    };
    assert_eq!(
        replay.policy().expect("a policy"),
        valid(r#"{"replay": {"last": 9, "atLeast": 3, "then": "manual"}}"#)
    );
}

#[test]
fn pieces_that_are_wrong_or_out_of_place_are_refused() {
    let code = |pieces: Pieces| pieces.policy().expect_err("a refusal").code().0;
    assert_eq!(code(pieces("blue-green")), "PB-ROLLOUT-006");
    assert_eq!(
        code(Pieces {
            steps: some("5,x"),
            ..pieces("canary")
        }),
        "PB-ROLLOUT-006"
    );
    assert_eq!(
        code(Pieces {
            bake: some("soon"),
            ..pieces("canary")
        }),
        "PB-ROLLOUT-006"
    );
    assert_eq!(
        code(Pieces {
            analysis: some("on"),
            ..pieces("canary")
        }),
        "PB-ROLLOUT-001"
    );
    assert_eq!(
        code(Pieces {
            ignore: vec!["x".into()],
            ..pieces("shadow")
        }),
        "PB-ROLLOUT-020"
    );
    assert_eq!(
        code(Pieces {
            steps: some("50,5"),
            ..pieces("canary")
        }),
        "PB-ROLLOUT-004"
    );
    for out_of_place in [
        Pieces {
            deadline: some("5m"),
            ..pieces("immediate")
        },
        Pieces {
            steps: some("5"),
            ..pieces("manual")
        },
        Pieces {
            calls: some("5"),
            ..pieces("canary")
        },
        Pieces {
            then: some("promote"),
            ..pieces("canary")
        },
        Pieces {
            last: some("5"),
            ..pieces("shadow")
        },
        Pieces {
            sample: some("5"),
            ..pieces("replay")
        },
        Pieces {
            bake: some("5m"),
            then: some("manual"),
            ..pieces("replay")
        },
    ] {
        assert_eq!(code(out_of_place), "PB-ROLLOUT-007");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_a_text_is_reading_it_ends_in_a_policy_or_an_error(value in crate::compare::arbitrary_json()) {
        for text in [
            value.to_string(),
            json!({"canary": value}).to_string(),
            json!({"canary": {"pause": value, "steps": value}}).to_string(),
            json!({"canary": {"analysis": value}}).to_string(),
            json!({"replay": {"then": {"canary": value}}}).to_string(),
        ] {
            if let Ok(policy) = Policy::from_json(&text) {
                let again = serde_json::to_string(&policy).expect("JSON");
                proptest::prop_assert_eq!(Policy::from_json(&again).expect("a policy"), policy);
            }
        }
    }
}
