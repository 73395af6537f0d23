//! Invariant: a suite counts what it is given and fails for nothing but a result that is none.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, excerpt};

#[parameters]
pub(crate) struct Suite<'a> {
    /// The results of assertions: maps with `passed`, and `error` where it is false.
    #[serde(default)]
    results: Vec<Any<'a>>,
    /// What the summary calls the suite.
    #[serde(default, alias = "suite_name")]
    #[schemars(extend("default" = "Test Suite"), length(max = 1_000))]
    suite_name: Option<&'a str>,
}

/// What a suite found. The names are those that workflows read.
#[output]
#[serde(rename_all = "snake_case")]
pub(crate) struct Report<'a> {
    /// Whether every one passed.
    passed: bool,
    /// How many there are.
    total: usize,
    /// How many passed.
    passed_count: usize,
    /// How many did not.
    failed_count: usize,
    /// Those that did not pass.
    failures: Vec<Failure<'a>>,
    /// All of it in one line.
    summary: String,
}

/// A result that did not pass.
#[output]
#[serde(rename_all = "snake_case")]
pub(crate) struct Failure<'a> {
    /// Its place among the results, from 0.
    test_index: usize,
    /// Why.
    error: Any<'a>,
}

/// Counts the results of assertions. A suite with failures gives `passed: false`; `test.assertTrue` behind it makes the
/// run fail.
#[node(
    id = "test.runSuite",
    aliases = ["test.run_suite"],
    effect = "pure",
    tags = ["test", "report"],
    example(
        title = "one of two",
        input = r#"{"results": [{"passed": true}, {"passed": false, "error": "late"}], "suiteName": "Mail"}"#,
        output = r#"{"passed": false, "total": 2, "passed_count": 1, "failed_count": 1,
            "failures": [{"test_index": 1, "error": "late"}], "summary": "Mail: 1 of 2 passed"}"#
    ),
    example(
        title = "none",
        input = r#"{"results": []}"#,
        output = r#"{"passed": true, "total": 0, "passed_count": 0, "failed_count": 0, "failures": [],
            "summary": "Test Suite: 0 of 0 passed"}"#
    )
)]
pub(crate) fn run_suite(input: Suite<'_>) -> NodeResult<Report<'_>> {
    let mut failures = Vec::new();
    for (test_index, result) in input.results.iter().enumerate() {
        let passed = result.0.get("passed").and_then(|passed| passed.as_bool());
        match passed {
            Some(true) => {}
            Some(false) => failures.push(Failure {
                test_index,
                error: result.0.get("error").map(Any).unwrap_or_default(),
            }),
            None => {
                let why = format_args!("has no `passed` that is true or false: {}", excerpt(result.0));
                return Err(NodeError::invalid(&format!("results[{test_index}]"), why));
            }
        }
    }
    let (total, failed_count) = (input.results.len(), failures.len());
    let passed_count = total - failed_count;
    let name = input.suite_name.unwrap_or("Test Suite");
    Ok(Report {
        passed: failed_count == 0,
        total,
        passed_count,
        failed_count,
        failures,
        summary: format!("{name}: {passed_count} of {total} passed"),
    })
}
