//! The recorded workflows in `tests/golden`, run on real plugin files and compared with what is recorded.
//!
//! What a record holds: `workflow`, `triggerData` and `variables` (what the run begins with), `expectedState` (the result of
//! each node; `expectedStateDirectWiring` where failures reach retries and recovery, as they do here), `executionOrder` (an
//! id for each try), `delaysMs` (waits that were asked for), `expectedVariables` and `metrics`. Texts of errors are not
//! compared. Where what is recorded is a fault (`tsBug`), or another answer is better, [`differences`] says which and why.

mod comparison;
mod differences;
mod outside;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use patchbay_tests_support::patchbay::{ControlError, RunOrder, RunsError, Value};
use patchbay_tests_support::{SAMPLES, TestHost};
use serde_json::Value as Json;

use self::comparison::compare;
use self::differences::{CONTINUED, DIFFERENCES, NODES, REFUSED};

/// A record, and the document in it as it is written: the order of an object's fields counts.
struct Case {
    id: String,
    record: Json,
    document: String,
}

#[derive(serde::Deserialize)]
struct Written {
    workflow: Box<serde_json::value::RawValue>,
}

/// The records, in the order of their ids.
fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden");
    let files = fs::read_dir(folder).unwrap();
    let read = files.map(|file| {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let record: Json = serde_json::from_str(&text).unwrap();
        let written: Written = serde_json::from_str(&text).unwrap();
        Case {
            id: record["id"].as_str().unwrap().to_owned(),
            document: document(&written, &record),
            record,
        }
    });
    let mut cases: Vec<_> = read.collect();
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    cases
}

/// Where several nodes fail here and not in the record, the first failure is not to end the run.
fn document(written: &Written, record: &Json) -> String {
    let document = written.workflow.get();
    if CONTINUED.iter().any(|case| record["id"] == *case) {
        let fields = document.strip_prefix('{').unwrap();
        return format!(r#"{{"errorHandling": {{"default": "continueRegularOutput"}}, {fields}"#);
    }
    document.to_owned()
}

fn order_of(case: &Case) -> RunOrder {
    let value = |json: &Json| Value::from_json(&json.to_string()).unwrap();
    let mut order = RunOrder::of(case.document.as_str());
    order.trigger = value(&case.record["triggerData"]);
    order.variables = Some(value(&case.record["variables"]));
    order
}

/// The codes of the errors for which a workflow is refused.
fn refusal(error: &ControlError) -> Vec<String> {
    match error {
        ControlError::Runs(RunsError::Refused { findings }) => findings
            .errors()
            .map(|finding| finding.code.0.to_owned())
            .collect(),
        other => vec![other.to_string()],
    }
}

/// What is wrong with what came of a case: its run, or the codes for which it is refused.
fn judge(case: &Case, came: Result<Json, Vec<String>>) -> Vec<String> {
    let refused = REFUSED.iter().find(|(refused, _)| *refused == case.id);
    let found = match (came, refused) {
        (Ok(_), Some((_, code))) => vec![format!("is to be refused with {code}, but runs")],
        (Err(codes), Some((_, code))) if codes == [*code] => Vec::new(),
        (Err(codes), _) => vec![format!("is refused: {codes:?}")],
        (Ok(run), None) => compare(&case.id, &case.record, &run),
    };
    found
        .into_iter()
        .map(|found| format!("{}: {found}", case.id))
        .collect()
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_table_of_differences_speaks_of_records_that_are_there() {
    let cases = cases();
    let known: BTreeSet<_> = cases.iter().map(|case| case.id.as_str()).collect();
    let named = NODES.iter().map(|node| node.case);
    let named = named.chain(DIFFERENCES.iter().map(|difference| difference.case));
    let named = named.chain(REFUSED.iter().map(|(case, _)| *case));
    for name in named.chain(CONTINUED) {
        assert!(known.contains(name), "there is no record {name}");
    }
    // What is recorded as a fault is answered in another way, unless it is that nothing was recorded.
    for case in cases.iter().filter(|case| case.record["tsBug"] == true) {
        for bug in case.record["bugs"].as_array().unwrap() {
            let node = bug["node"].as_str().unwrap();
            let answered = NODES.iter().any(|one| one.case == case.id && one.node == node)
                || DIFFERENCES.iter().any(|one| one.case == case.id)
                || REFUSED.iter().any(|(refused, _)| *refused == case.id)
                || bug["what"] == "no entry in the state"
                // The record is the better answer already, since the order of its reader is another.
                || (case.id == "dict-views" && node == "k");
            assert!(answered, "{}: {node}", case.id);
        }
    }
}

#[test]
fn recorded_workflows_end_as_recorded_or_better() {
    // With one thread the order is that of the document; with several, branches overtake one another.
    let host = TestHost::opened(&SAMPLES, &[], |config| config.workflows.threads = 1);
    let cases = cases();
    // All at once: most of the time goes by in waits between tries.
    let begun: Vec<_> = cases
        .iter()
        .map(|case| (case, host.host().begin_run(order_of(case))))
        .collect();
    let mut wrong = Vec::new();
    for (case, run) in begun {
        let run = run.and_then(|run| Ok(run.wait()?));
        let came = run
            .map(|run| serde_json::to_value(&run).unwrap())
            .map_err(|error| refusal(&error));
        wrong.extend(judge(case, came));
    }
    assert_none(&wrong);
}
