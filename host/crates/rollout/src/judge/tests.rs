use std::time::Duration;

use super::*;
use crate::measured::Measured;

fn measured(calls: u64, failed: u64) -> Measured {
    Measured {
        calls,
        failed,
        ..Measured::default()
    }
}

fn window(stable: Measured, candidate: Measured) -> Window {
    Window {
        stable,
        candidate,
        span: Duration::from_secs(60),
    }
}

fn verdict(analysis: &Analysis, stable: (u64, u64), candidate: (u64, u64)) -> Verdict {
    judge(
        analysis,
        &window(measured(stable.0, stable.1), measured(candidate.0, candidate.1)),
    )
    .verdict
}

fn timed(calls: u64, nanos: impl Fn(u64) -> u64) -> Measured {
    let mut measured = measured(calls, 0);
    (0..calls).for_each(|call| measured.latency.add(nanos(call)));
    measured
}

#[test]
fn too_few_calls_say_nothing() {
    let analysis = Analysis::default();
    assert_eq!(verdict(&analysis, (1_000, 0), (49, 49)), Verdict::NoData);
    assert_eq!(verdict(&analysis, (49, 0), (1_000, 1_000)), Verdict::NoData);
    assert_eq!(verdict(&analysis, (0, 0), (0, 0)), Verdict::NoData);
    assert_eq!(verdict(&analysis, (50, 0), (50, 0)), Verdict::Pass);
}

#[test]
fn some_failures_are_noise_and_many_are_not() {
    let analysis = Analysis::default();
    assert_eq!(verdict(&analysis, (10_000, 100), (100, 3)), Verdict::Pass);
    assert_eq!(verdict(&analysis, (10_000, 100), (100, 12)), Verdict::Fail);
    assert_eq!(verdict(&analysis, (10_000, 100), (10_000, 300)), Verdict::Fail);
    assert_eq!(
        verdict(&analysis, (10_000, 5_000), (100, 50)),
        Verdict::Pass,
        "as bad as it was"
    );
    let absolute = Analysis {
        max_error_rate: Some(0.05),
        max_error_rate_increase: None,
        ..analysis
    };
    assert_eq!(verdict(&absolute, (0, 0), (100, 5)), Verdict::Pass);
    assert_eq!(verdict(&absolute, (0, 0), (100, 20)), Verdict::Fail);
}

#[test]
fn what_is_exactly_at_its_limit_passes() {
    let none = Analysis {
        max_error_rate: Some(0.0),
        max_error_rate_increase: Some(1.0),
        ..Analysis::default()
    };
    assert_eq!(verdict(&none, (100, 0), (100, 0)), Verdict::Pass);
    assert_eq!(verdict(&none, (100, 0), (100, 100)), Verdict::Fail);
}

#[test]
fn slower_calls_fail_when_they_are_surely_slower() {
    let analysis = Analysis::default();
    let check = |stable, candidate| judge(&analysis, &window(stable, candidate));
    let slow = check(timed(1_000, |n| 10_000 + n), timed(1_000, |n| 20_000 + n));
    assert_eq!(slow.verdict, Verdict::Fail);
    assert!(slow.reason().contains("quantile 0.95"), "{}", slow.reason());
    assert_eq!(
        check(timed(1_000, |n| 10_000 + n), timed(1_000, |n| 14_000 + n)).verdict,
        Verdict::Pass
    );
    // 100 samples do not tell a quantile of 0.95; the error rates decide alone.
    let few = check(timed(1_000, |n| 10_000 + n), timed(100, |n| 90_000 + n));
    assert_eq!(few.verdict, Verdict::Pass);
    assert!(
        few.findings
            .iter()
            .any(|f| f.metric == Metric::Latency(0.95) && f.verdict == Verdict::NoData)
    );
    // Where there is nothing else to go by, it is open.
    let alone = Analysis {
        max_error_rate_increase: None,
        ..Analysis::default()
    };
    let few = judge(&alone, &window(timed(1_000, |n| n), timed(100, |n| n)));
    assert_eq!(few.verdict, Verdict::NoData);
}

#[test]
fn one_panic_is_one_too_many_with_however_few_calls() {
    let analysis = Analysis::default();
    let panicked = Measured {
        panicked: 1,
        ..measured(1, 1)
    };
    let check = judge(&analysis, &window(measured(0, 0), panicked.clone()));
    assert_eq!(check.verdict, Verdict::Fail);
    assert_eq!(check.reason(), "1 of its calls panicked, 0 may");
    let off = Analysis {
        max_panics: None,
        ..analysis
    };
    assert_eq!(
        judge(&off, &window(measured(0, 0), panicked)).verdict,
        Verdict::NoData
    );
}

#[test]
fn without_limits_calls_are_enough() {
    let none = Analysis {
        max_error_rate: None,
        max_error_rate_increase: None,
        latency: Vec::new(),
        max_panics: None,
        ..Analysis::default()
    };
    assert_eq!(verdict(&none, (0, 0), (50, 50)), Verdict::Pass);
    assert_eq!(verdict(&none, (0, 0), (49, 0)), Verdict::NoData);
}

#[test]
fn counters_that_were_read_while_calls_ended_do_no_harm() {
    // More failed than ended, since they were read later.
    let check = judge(&Analysis::default(), &window(measured(100, 0), measured(60, 61)));
    assert_eq!(check.verdict, Verdict::Fail);
    let finding = &check.findings[1];
    assert_eq!(finding.candidate, Some(1.0));
    assert!(finding.bound.is_some_and(f64::is_finite));
}

#[test]
fn a_check_is_stored_with_all_its_numbers() {
    let analysis = Analysis {
        max_error_rate: Some(0.5),
        ..Analysis::default()
    };
    let check = judge(&analysis, &window(timed(200, |n| n * 50), timed(200, |n| n * 60)));
    let text = serde_json::to_string(&check).expect("JSON");
    assert_eq!(serde_json::from_str::<Check>(&text).expect("a check"), check);
    assert_eq!(check.findings.len(), 4);
    assert!(text.len() < 2_000, "{}", text.len());
    assert!(
        check
            .findings
            .iter()
            .all(|finding| !finding.to_string().is_empty())
    );
}

proptest::proptest! {
    #[test]
    fn whatever_was_counted_and_asked_judging_it_ends_in_numbers(
        calls: [u64; 8],
        few in 0..3_000_u64,
        limits in proptest::array::uniform4(proptest::num::f64::ANY),
        min_calls: u64,
    ) {
        let arm = |from: usize| {
            let mut arm = timed(few, |call| call.wrapping_mul(calls[from]));
            (arm.calls, arm.failed, arm.panicked, arm.timed_out) = (calls[from], calls[from + 1], calls[from + 2], calls[from + 3]);
            arm
        };
        let analysis = Analysis {
            min_calls: min_calls % 10,
            max_error_rate: Some(limits[0]),
            max_error_rate_increase: Some(limits[1]),
            latency: vec![LatencyLimit { quantile: limits[2], max_ratio: limits[3] }, LatencyLimit { quantile: 1.0, max_ratio: 1.0 }],
            ..Analysis::default()
        };
        let check = judge(&analysis, &window(arm(0), arm(4)));
        for finding in &check.findings {
            for number in [finding.stable, finding.candidate, finding.bound].into_iter().flatten() {
                proptest::prop_assert!(number.is_finite(), "{finding:?}");
            }
        }
        proptest::prop_assert!(!check.reason().is_empty());
    }
}
