//! The same records by way of the binary: the command, and the API of a host that serves.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use patchbay_tests_support::{SAMPLES, Up, deploy, run, sample};
use serde_json::Value as Json;

use super::{Case, assert_none, cases, judge};

/// Some of each kind: a process of its own for all of them would take long.
const BY_COMMAND: [&str; 12] = [
    "ctl-condition-no-routing",
    "dag-cycle",
    "dag-diamond",
    "dag-trigger-disabled",
    "dict-views",
    "err-stop",
    "list-callbacks",
    "recovery-fallback",
    "retry-timeout-exp",
    "tpl-steps",
    "tpl-utils",
    "var-numbers",
];

/// Requests that are on their way at the same time.
const AT_ONCE: usize = 16;

fn samples_in(plugins: &Path) {
    for of in SAMPLES {
        deploy(&sample(of), &plugins.join(format!("{of}.so")));
    }
}

/// The codes of the errors in a problem.
fn codes(problem: &Json) -> Vec<String> {
    let findings = problem["findings"].as_array().into_iter().flatten();
    let errors = findings.filter(|finding| finding["level"] == "error");
    errors
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect()
}

fn by_command(case: &Case, folder: &Path) -> Vec<String> {
    let file = folder.join("case.json");
    fs::write(&file, &case.document).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let done = run(&[
        "run".to_owned(),
        text(&file),
        "--plugins".to_owned(),
        text(&folder.join("plugins")),
        "--data".to_owned(),
        text(&folder.join("data")),
        "--input".to_owned(),
        case.record["triggerData"].to_string(),
        "--variables".to_owned(),
        case.record["variables"].to_string(),
        "--json".to_owned(),
    ]);
    let answer = serde_json::from_str::<Json>(&done.out).unwrap_or(Json::Null);
    let status = answer["status"].as_str();
    let (expected, came) = match status {
        Some("success") => (0, Ok(answer)),
        Some(_) => (1, Ok(answer)),
        None => {
            let problem = serde_json::from_str(&done.err).unwrap_or(Json::Null);
            (2, Err(codes(&problem)))
        }
    };
    let mut wrong = judge(case, came);
    if done.code != expected {
        wrong.push(format!(
            "{}: ends with {}, not with {expected}: {done:?}",
            case.id, done.code
        ));
    }
    wrong
}

#[test]
fn the_command_gives_what_the_library_gives_and_says_how_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    samples_in(&plugins);
    let mut wrong = Vec::new();
    let cases = cases();
    for id in BY_COMMAND {
        let case = cases.iter().find(|case| case.id == id).unwrap();
        wrong.extend(by_command(case, folder.path()));
    }
    assert_none(&wrong);
}

fn by_api(case: &Case, url: &str) -> Vec<String> {
    let body = format!(
        r#"{{"workflow": {}, "input": {}, "variables": {}}}"#,
        case.document, case.record["triggerData"], case.record["variables"]
    );
    let mut answer = ureq::post(format!("{url}/api/v1/runs"))
        .config()
        .http_status_as_error(false)
        .build()
        .content_type("application/json")
        .send(body)
        .unwrap();
    let status = answer.status().as_u16();
    let json: Json = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    judge(
        case,
        if status == 200 {
            Ok(json)
        } else {
            Err(codes(&json))
        },
    )
}

#[test]
fn the_api_gives_what_the_library_gives() {
    let config = tempfile::NamedTempFile::new().unwrap();
    fs::write(config.path(), "[workflows]\nthreads = 1\n").unwrap();
    let up = Up::start(samples_in, &["--config", config.path().to_str().unwrap()]);
    let cases = cases();
    let (left, wrong) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                loop {
                    let Some(case) = left.lock().unwrap().next() else {
                        break;
                    };
                    let found = by_api(case, up.url());
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    assert_none(&wrong.into_inner().unwrap());
}
